"""Permissions: policies are evaluated as by IAM, and denials have the format of each service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from flask import has_request_context, request
from moto.core.authorization import ActionAuthenticatorMixin
from moto.core.exceptions import JsonRESTError
from moto.dynamodb.responses import DynamoHandler
from moto.iam import access_control
from moto.logs.responses import LogsResponse
from moto.s3.exceptions import MissingKey, MissingVersion
from moto.s3.models import s3_backends
from moto.s3.responses import ACTION_MAP, S3Response

from local import policies
from local.moto_patches.moto_account import ACCOUNT, PARTITION

if TYPE_CHECKING:
    from collections.abc import Mapping


def install() -> None:
    """Apply the patches; call this once, before the server handles requests."""
    _leave_signatures_to_the_gateway()
    _evaluate_policies_as_iam_does()
    _deny_in_the_services_formats()
    _enforce_bucket_policies_by_action()
    _name_the_resource_of_each_call()
    _name_the_action_of_bucket_configurations()
    _hide_missing_objects_from_callers_who_may_not_list()


def _leave_signatures_to_the_gateway() -> None:
    """Moto takes a GET's parameters for its body, so it refuses signatures of Lambda's calls.

    If a header names a public call of Cognito, moto checks neither signature nor permissions. `local/gateway`
    has checked the signature of each request before, so every call has a caller.
    """
    access_control.IAMRequestBase.check_signature = lambda _: None  # type: ignore[method-assign]
    ActionAuthenticatorMixin.PUBLIC_OPERATIONS = []


def _evaluate_policies_as_iam_does() -> None:
    """Moto treats an unknown condition as a Deny, and knows no service principals.

    So a TLS-only bucket policy denies every call, and no service can assume a role. AWS skips a statement
    whose conditions are not met.
    """
    decisions = {
        policies.Decision.ALLOW: access_control.PermissionResult.PERMITTED,
        policies.Decision.DENY: access_control.PermissionResult.DENIED,
        policies.Decision.NONE: access_control.PermissionResult.NEUTRAL,
    }

    def is_action_permitted(
        self: access_control.IAMPolicy,
        action: str,
        resource: str = "*",
        principal: str | None = None,  # noqa: ARG001 - read from the request instead
        incoming_condition_values: dict[str, str] | None = None,  # noqa: ARG001 - as above
    ) -> access_control.PermissionResult:
        # CloudWatch's signing name is "monitoring", which moto uses as the prefix of its actions.
        action = action.replace("monitoring:", "cloudwatch:", 1)
        # Moto forms these names from the request's method. S3 has no such actions.
        action = {"s3:HeadObject": "s3:GetObject", "s3:PostObject": "s3:PutObject"}.get(action, action)
        asked = policies.Request(
            action=action, resource=resource, principals=_principals(), context=_condition_keys()
        )
        return decisions[policies.evaluate(self._policy_json, asked)]

    access_control.IAMPolicy.is_action_permitted = is_action_permitted


def _deny_in_the_services_formats() -> None:
    """Services with JSON deny with AccessDeniedException; moto uses XML, which their SDKs cannot read."""
    in_xml = access_control.IAMRequest._raise_access_denied  # noqa: SLF001 - moto's class

    def deny(self: Any) -> NoReturn:  # noqa: ANN401 - moto's class
        if "X-Amz-Target" not in self._headers and self._service != "lambda":
            in_xml(self)
        denied = JsonRESTError(
            "AccessDeniedException",
            f"User: {self._access_key.arn} is not authorized to perform: {self._action}",
        )
        denied.code = 403
        raise denied

    access_control.IAMRequest._raise_access_denied = deny  # noqa: SLF001


def _enforce_bucket_policies_by_action() -> None:
    """Moto evaluates the bucket policy for `s3:{Method}Object` only; AWS for the same action as IAM."""
    by_identity = access_control.IAMRequestBase.check_action_permitted

    def check_action_permitted(self: Any, resource: str) -> None:  # noqa: ANN401 - moto's class
        bucket = s3_backends[self.account_id][PARTITION].buckets.get(resource.split(":::")[-1].split("/")[0])
        if bucket is not None and bucket.policy:
            permission = access_control.IAMPolicy(bucket.policy.decode()).is_action_permitted(
                self._action, resource
            )
            if permission is access_control.PermissionResult.DENIED:
                self._raise_access_denied()
        by_identity(self, resource)

    access_control.S3IAMRequest.check_action_permitted = check_action_permitted


def _name_the_resource_of_each_call() -> None:
    """For DynamoDB and Logs, moto evaluates policies for the resource "*", so exact ARNs never match.

    AWS evaluates them for the table, its index, or the log stream (Service Authorization Reference). For
    HeadObject of a version, AWS requires `s3:GetObjectVersion`, and moto `s3:GetObject`.
    """

    def table(self: DynamoHandler) -> str:
        name = self.body.get("TableName")
        if not name:
            return "*"
        arn = name if name.startswith("arn:") else f"arn:aws:dynamodb:{self.region}:{ACCOUNT}:table/{name}"
        return f"{arn}/index/{self.body['IndexName']}" if self.body.get("IndexName") else arn

    def log_stream(self: LogsResponse) -> str:
        group = self._get_param("logGroupName")
        stream = self._get_param("logStreamName", "") if self._get_action() == "PutLogEvents" else ""
        return f"arn:aws:logs:{self.region}:{ACCOUNT}:log-group:{group}:log-stream:{stream}" if group else "*"

    DynamoHandler._determine_resource = table  # type: ignore[attr-defined]  # noqa: SLF001 - moto's hook
    LogsResponse._determine_resource = log_stream  # type: ignore[attr-defined]  # noqa: SLF001 - moto's hook
    ACTION_MAP["KEY"]["HEAD"]["versionId"] = "GetObjectVersion"


def _name_the_action_of_bucket_configurations() -> None:
    """For these, moto asks for the permission to list, create or delete the bucket.

    S3 has an action for each (Service Authorization Reference); deleting one needs the action that puts it.
    """
    for parameter, configuration in {
        "encryption": "EncryptionConfiguration",
        "ownershipControls": "BucketOwnershipControls",
        "publicAccessBlock": "BucketPublicAccessBlock",
    }.items():
        ACTION_MAP["BUCKET"]["GET"][parameter] = f"Get{configuration}"
        ACTION_MAP["BUCKET"]["PUT"][parameter] = f"Put{configuration}"
        ACTION_MAP["BUCKET"]["DELETE"][parameter] = f"Put{configuration}"


def _hide_missing_objects_from_callers_who_may_not_list() -> None:
    """For a missing object, S3 answers 403 to a caller without s3:ListBucket; moto always answers 404."""
    get_key, head_object = S3Response._get_key, S3Response.head_object  # noqa: SLF001 - moto's class

    def check_listing(self: S3Response) -> None:
        action = self.data["Action"]
        self.data["Action"] = "ListBucket"
        self._authenticate_and_authorize_s3_action(bucket_name=self.bucket_name)
        self.data["Action"] = action

    def get_or_deny(self: S3Response, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - passed on
        try:
            return get_key(self, *args, **kwargs)
        except (MissingKey, MissingVersion):
            check_listing(self)
            raise

    def head_or_deny(self: S3Response, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - passed on
        response = head_object(self, *args, **kwargs)
        if response[0] == 404:
            check_listing(self)
        return response

    S3Response._get_key = get_or_deny  # noqa: SLF001 - moto's class
    S3Response.head_object = head_or_deny


def caller_may(action: str, resource: str, context: Mapping[str, str]) -> bool:
    """Return whether the caller of the current request has another permission.

    A service that acts for its caller, such as Athena, uses the caller's permissions.
    """
    key_id = request.headers["Authorization"].partition("Credential=")[2].partition("/")[0]
    caller = access_control.create_access_key(ACCOUNT, PARTITION, key_id, request.headers)  # type: ignore[arg-type]
    asked = policies.Request(
        action=action, resource=resource, principals=_principals(), context={**_condition_keys(), **context}
    )
    documents = [access_control.IAMPolicy(policy)._policy_json for policy in caller.collect_policies()]  # noqa: SLF001 - moto's class
    decisions = {policies.evaluate(document, asked) for document in documents}
    return policies.Decision.DENY not in decisions and policies.Decision.ALLOW in decisions


def _principals() -> dict[str, tuple[str, ...]]:
    """Return all names of the current request's caller that a policy may use."""
    caller = _caller()
    if caller is None:
        return {}
    if caller.endswith(".amazonaws.com"):  # the user of an embedded service of AWS
        return {"Service": (caller.rpartition("/")[2],)}
    return {"AWS": (caller, _holder(caller), ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root")}


_ENCRYPTION_HEADERS = (
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-server-side-encryption-customer-algorithm",
)


def _condition_keys() -> dict[str, str]:
    """Return the global condition keys of the current request."""
    caller = _caller()
    if caller is None:
        return {"aws:SecureTransport": "true"}
    keys = {
        # Plain HTTP on the loopback interface counts as TLS. A client without TLS is emulated with the
        # header of a proxy.
        "aws:SecureTransport": str(request.headers.get("X-Forwarded-Proto", "https") == "https").lower(),
        "s3:TlsVersion": "1.3",
        "aws:RequestedRegion": request.headers["Authorization"].split("/")[2],
    }
    keys |= {
        f"s3:{header}": request.headers[header] for header in _ENCRYPTION_HEADERS if header in request.headers
    }
    if caller.endswith(".amazonaws.com"):
        # With these headers of STS, a service names the resource that it acts for.
        return keys | {
            "aws:PrincipalIsAWSService": "true",
            "aws:SourceAccount": request.headers.get("x-amz-source-account", ""),
            "aws:SourceArn": request.headers.get("x-amz-source-arn", ""),
        }
    return keys | {
        "aws:PrincipalArn": _holder(caller),
        "aws:PrincipalAccount": ACCOUNT,
        "aws:PrincipalIsAWSService": "false",
    }


def _caller() -> str | None:
    """Return the ARN of the current request's caller; None without a request or a signature."""
    if not has_request_context() or "Credential=" not in request.headers.get("Authorization", ""):
        return None
    key_id = request.headers["Authorization"].partition("Credential=")[2].partition("/")[0]
    return access_control.create_access_key(ACCOUNT, PARTITION, key_id, request.headers).arn  # type: ignore[arg-type]


def _holder(caller: str) -> str:
    """Return the ARN of the user or role whose policies apply to the caller: for a session, its role."""
    if ":assumed-role/" not in caller:
        return caller
    return f"arn:aws:iam::{ACCOUNT}:role/{caller.split('/')[1]}"
