"""Changes of resources that AWS stores or returns, and moto does not."""

from __future__ import annotations

import re
from typing import Any

from moto.awslambda.models import LambdaFunction
from moto.core.responses import ActionResult, EmptyResult
from moto.dynamodb.responses import DynamoHandler
from moto.logs.responses import LogsResponse
from moto.s3.responses import S3Response


def install() -> None:
    """Apply the patches; call this once, before the server handles requests."""
    _store_function_configurations()
    _update_table_encryption()
    _change_keys_of_log_groups()
    _return_eventbridge_notifications()


def _store_function_configurations() -> None:
    """Moto does not store LoggingConfig and DeadLetterConfig, and updates only some members."""
    create, get_configuration = LambdaFunction.__init__, LambdaFunction.get_configuration
    update_configuration = LambdaFunction.update_configuration
    update_code = LambdaFunction.update_function_code

    def create_function(self: LambdaFunction, account_id: str, spec: dict[str, Any], **where: Any) -> None:  # noqa: ANN401 - passed on
        create(self, account_id, spec, **where)
        _store_configuration(self, spec)

    def configuration(self: LambdaFunction, on_create: bool = False) -> dict[str, Any]:
        # Defaults: text format, and the log group with the function's name (Lambda API, "LoggingConfig").
        default = {"LogFormat": "Text", "LogGroup": self.logs_group_name}
        found = get_configuration(self, on_create=on_create)
        found["LoggingConfig"] = default | self.logging_config  # type: ignore[attr-defined]
        if self.dead_letter_config:  # type: ignore[attr-defined]
            found["DeadLetterConfig"] = self.dead_letter_config  # type: ignore[attr-defined]
        return found

    def update(self: LambdaFunction, config_updates: dict[str, Any]) -> dict[str, Any]:
        update_configuration(self, config_updates)
        _store_configuration(self, config_updates)
        return self.get_configuration()

    def update_function_code(self: LambdaFunction, updated_spec: dict[str, Any]) -> dict[str, Any]:
        update_code(self, updated_spec)
        self.architectures = updated_spec.get("Architectures") or self.architectures
        return self.get_configuration()

    LambdaFunction.__init__ = create_function  # type: ignore[method-assign]
    LambdaFunction.get_configuration = configuration
    LambdaFunction.update_configuration = update
    LambdaFunction.update_function_code = update_function_code
    LambdaFunction.logging_config = {}  # type: ignore[attr-defined]
    LambdaFunction.dead_letter_config = {}  # type: ignore[attr-defined]


def _store_configuration(function: Any, given: dict[str, Any]) -> None:  # noqa: ANN401 - moto's class
    """Store the members of a configuration that moto does not store."""
    function.logging_config = given.get("LoggingConfig", function.logging_config)
    function.dead_letter_config = given.get("DeadLetterConfig", function.dead_letter_config)
    function.tracing_config = given.get("TracingConfig", function.tracing_config)
    if "EphemeralStorage" in given:
        function.ephemeral_storage = given["EphemeralStorage"]["Size"]
    if "KMSKeyArn" in given:
        function.kms_key_arn = given["KMSKeyArn"] or None


def _update_table_encryption() -> None:
    """Moto's UpdateTable does not change a table's encryption."""
    update_table = DynamoHandler.update_table

    def update(self: DynamoHandler) -> Any:  # noqa: ANN401 - moto's class
        if "SSESpecification" in self.body:
            table = self.dynamodb_backend.get_table(self.body["TableName"])
            table.sse_specification = self.body["SSESpecification"]
        return update_table(self)

    DynamoHandler.update_table = update


def _change_keys_of_log_groups() -> None:
    """Moto has neither AssociateKmsKey nor DisassociateKmsKey."""

    def associate(self: LogsResponse) -> ActionResult:
        self.logs_backend.groups[self._get_param("logGroupName")].kms_key_id = self._get_param("kmsKeyId")
        return EmptyResult()

    LogsResponse.associate_kms_key = associate  # type: ignore[attr-defined]
    LogsResponse.disassociate_kms_key = associate  # type: ignore[attr-defined]


def _return_eventbridge_notifications() -> None:
    """Moto's GetBucketNotificationConfiguration does not return the configuration for EventBridge."""
    get_bucket_notification = S3Response.get_bucket_notification

    def get(self: S3Response) -> Any:  # noqa: ANN401 - moto's class
        status, headers, body = get_bucket_notification(self)
        body = str(body)
        kept = self.backend.get_bucket_notification_configuration(self.bucket_name)
        if kept is not None and kept.event_bridge is not None:
            end = "</NotificationConfiguration>"
            body = re.sub("/>$", f">{end}", body).replace(end, f"<EventBridgeConfiguration/>{end}")
        return status, headers, body

    S3Response.get_bucket_notification = get
