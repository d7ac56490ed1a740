"""What AWS keeps of the calls that change a resource, or tells of it, and moto forgets."""

from __future__ import annotations

import re
from typing import Any

from moto.awslambda.models import LambdaFunction
from moto.core.responses import ActionResult, EmptyResult
from moto.dynamodb.responses import DynamoHandler
from moto.logs.responses import LogsResponse
from moto.s3.responses import S3Response


def install() -> None:
    """Put these patches in place; call once, before the server answers."""
    _keep_function_configurations()
    _keep_table_encryption()
    _change_keys_of_log_groups()
    _tell_of_eventbridge_notifications()


def _keep_function_configurations() -> None:
    """Moto keeps no LoggingConfig or DeadLetterConfig, and updates only some members of a configuration."""
    create, get_configuration = LambdaFunction.__init__, LambdaFunction.get_configuration
    update_configuration = LambdaFunction.update_configuration
    update_code = LambdaFunction.update_function_code

    def create_function(self: LambdaFunction, account_id: str, spec: dict[str, Any], **where: Any) -> None:  # noqa: ANN401 - passed on
        create(self, account_id, spec, **where)
        _keep(self, spec)

    def configuration(self: LambdaFunction, on_create: bool = False) -> dict[str, Any]:
        # Lambda API reference, "LoggingConfig": as text, in the group of the function's name, by default.
        default = {"LogFormat": "Text", "LogGroup": self.logs_group_name}
        found = get_configuration(self, on_create=on_create)
        found["LoggingConfig"] = default | self.logging_config  # type: ignore[attr-defined]
        if self.dead_letter_config:  # type: ignore[attr-defined]
            found["DeadLetterConfig"] = self.dead_letter_config  # type: ignore[attr-defined]
        return found

    def update(self: LambdaFunction, config_updates: dict[str, Any]) -> dict[str, Any]:
        update_configuration(self, config_updates)
        _keep(self, config_updates)
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


def _keep(function: Any, told: dict[str, Any]) -> None:  # noqa: ANN401 - moto's class
    """Keep the members of a configuration that moto does not."""
    function.logging_config = told.get("LoggingConfig", function.logging_config)
    function.dead_letter_config = told.get("DeadLetterConfig", function.dead_letter_config)
    function.tracing_config = told.get("TracingConfig", function.tracing_config)
    if "EphemeralStorage" in told:
        function.ephemeral_storage = told["EphemeralStorage"]["Size"]
    if "KMSKeyArn" in told:
        function.kms_key_arn = told["KMSKeyArn"] or None


def _keep_table_encryption() -> None:
    """Moto's UpdateTable leaves a table's encryption as it was created."""
    update_table = DynamoHandler.update_table

    def update(self: DynamoHandler) -> Any:  # noqa: ANN401 - moto's class
        if "SSESpecification" in self.body:
            table = self.dynamodb_backend.get_table(self.body["TableName"])
            table.sse_specification = self.body["SSESpecification"]
        return update_table(self)

    DynamoHandler.update_table = update


def _change_keys_of_log_groups() -> None:
    """Moto has no AssociateKmsKey and no DisassociateKmsKey."""

    def associate(self: LogsResponse) -> ActionResult:
        self.logs_backend.groups[self._get_param("logGroupName")].kms_key_id = self._get_param("kmsKeyId")
        return EmptyResult()

    LogsResponse.associate_kms_key = associate  # type: ignore[attr-defined]
    LogsResponse.disassociate_kms_key = associate  # type: ignore[attr-defined]


def _tell_of_eventbridge_notifications() -> None:
    """Moto's GetBucketNotificationConfiguration leaves out that events go to EventBridge."""
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
