"""Where moto differs from AWS in what the program rests on, and the smallest step across each gap.

Run inside the server's process by `install`. Each bridge says what moto does and what AWS does; all of moto's
internals that the project relies on are named in this file, and moto's version is pinned.
"""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import threading
import time
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NoReturn

from flask import has_request_context, request
from moto.awslambda.models import LambdaFunction, LayerVersion
from moto.cloudwatch.models import CloudWatchBackend, cloudwatch_backends
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.exceptions import JsonRESTError
from moto.dynamodb.responses import DynamoHandler
from moto.events.models import events_backends
from moto.iam import access_control
from moto.logs.models import LogsBackend
from moto.logs.responses import LogsResponse
from moto.s3 import notifications
from moto.s3.exceptions import MissingKey, MissingVersion
from moto.s3.models import s3_backends
from moto.s3.responses import ACTION_MAP, S3Response
from moto.sqs.models import Queue, sqs_backends
from werkzeug.wsgi import get_input_stream

from local import cloudwatch, message_moves, policies

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ACCOUNT = "123456789012"
PARTITION = "aws"
CODE_PATH = "/_lambda/"


def install() -> None:
    """Put every bridge in place; call once, before the server answers."""
    _sign_empty_bodies_as_empty()
    _evaluate_policies_as_iam_does()
    _deny_in_the_services_own_words()
    _enforce_bucket_policies_by_action()
    _name_the_resource_of_each_call()
    _hide_missing_objects_from_callers_who_may_not_list()
    _send_events_as_s3_does()
    _leave_polling_to_the_lambda_service()
    _keep_queue_attributes()
    _turn_embedded_metrics_into_metrics()
    _match_dimensions_exactly()
    _keep_composite_alarms()
    _serve_function_code()
    cloudwatch.install()
    message_moves.install()


# --- policies -------------------------------------------------------------------------------------------


def _sign_empty_bodies_as_empty() -> None:
    """Moto checks the signature of a GET with its parameters as its body, and so refuses those of Lambda."""
    create_request = access_control.IAMRequestBase._create_aws_request  # noqa: SLF001 - moto's class

    def create(self: Any) -> Any:  # noqa: ANN401 - moto's class
        parameters = self._data
        if self._method not in {"POST", "PUT"}:
            self._data = {}
        try:
            return create_request(self)
        finally:
            self._data = parameters

    access_control.IAMRequestBase._create_aws_request = create  # noqa: SLF001


def _evaluate_policies_as_iam_does() -> None:
    """Moto takes a condition that it cannot evaluate for a Deny, and any service principal for nobody.

    So a TLS-only bucket policy shuts everybody out, and no service can assume a role whose trust policy
    names it. AWS skips a statement whose conditions do not hold.
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
        principal: str | None = None,  # noqa: ARG001 - asked of the request instead
        incoming_condition_values: dict[str, str] | None = None,  # noqa: ARG001 - as above
    ) -> access_control.PermissionResult:
        # CloudWatch signs as "monitoring", and moto takes that for the name of its actions.
        action = action.replace("monitoring:", "cloudwatch:", 1)
        asked = policies.Request(
            action=action, resource=resource, principals=_principals(), context=_condition_keys()
        )
        return decisions[policies.evaluate(self._policy_json, asked)]

    access_control.IAMPolicy.is_action_permitted = is_action_permitted


def _deny_in_the_services_own_words() -> None:
    """Services that speak JSON deny with AccessDeniedException; moto in XML, which no SDK reads there."""
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
    """Moto asks the bucket policy about `s3:{Method}Object` only; AWS about the action that IAM is asked."""
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
    """Moto compares a role's policy for DynamoDB and Logs with the resource "*", so exact ARNs never match.

    AWS compares it with the table, its index, or the log stream (Service Authorization Reference). It also
    asks for `s3:GetObjectVersion` when HeadObject names a version, where moto asks for `s3:GetObject`.
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

    DynamoHandler._determine_resource = table  # type: ignore[attr-defined]  # noqa: SLF001 - moto's hook for it
    LogsResponse._determine_resource = log_stream  # type: ignore[attr-defined]  # noqa: SLF001 - moto's hook for it
    ACTION_MAP["KEY"]["HEAD"]["versionId"] = "GetObjectVersion"


def _hide_missing_objects_from_callers_who_may_not_list() -> None:
    """S3 answers 403, not 404, for what is not there to a caller without s3:ListBucket; moto always 404."""
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


def _principals() -> dict[str, tuple[str, ...]]:
    """All the names by which a policy may know the caller of the request being answered."""
    caller = _caller()
    if caller is None:
        return {}
    if caller.endswith(".amazonaws.com"):  # a service of AWS, as whose user the embedded service signs
        return {"Service": (caller.rpartition("/")[2],)}
    return {"AWS": (caller, _holder(caller), ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root")}


_ENCRYPTION_HEADERS = ("x-amz-server-side-encryption", "x-amz-server-side-encryption-aws-kms-key-id")


def _condition_keys() -> dict[str, str]:
    """The global condition keys that AWS would know about the request being answered."""
    caller = _caller()
    if caller is None:
        return {"aws:SecureTransport": "true"}
    keys = {
        # The server listens on the loopback, where plain HTTP stands for the TLS of AWS's endpoints;
        # who wants to be taken for a client without TLS says so as a proxy would.
        "aws:SecureTransport": str(request.headers.get("X-Forwarded-Proto", "https") == "https").lower(),
        "s3:TlsVersion": "1.3",
        "aws:RequestedRegion": request.headers["Authorization"].split("/")[2],
    }
    keys |= {
        f"s3:{header}": request.headers[header] for header in _ENCRYPTION_HEADERS if header in request.headers
    }
    if caller.endswith(".amazonaws.com"):
        # A service says for which resource it acts by these headers of STS.
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
    """ARN of who signed the request being answered; None where nobody did, or where there is none."""
    if not has_request_context() or "Credential=" not in request.headers.get("Authorization", ""):
        return None
    key_id = request.headers["Authorization"].partition("Credential=")[2].partition("/")[0]
    return access_control.create_access_key(ACCOUNT, PARTITION, key_id, request.headers).arn  # type: ignore[arg-type]


def _holder(caller: str) -> str:
    """ARN of the user or role whose policies the caller has: of a session, the role that it assumed."""
    if ":assumed-role/" not in caller:
        return caller
    return f"arn:aws:iam::{ACCOUNT}:role/{caller.split('/')[1]}"


# --- events ---------------------------------------------------------------------------------------------

_REASONS = {
    "ObjectCreated:Put": "PutObject",
    "ObjectCreated:Post": "POST Object",
    "ObjectCreated:Copy": "CopyObject",
    "ObjectCreated:CompleteMultipartUpload": "CompleteMultipartUpload",
    "ObjectRemoved:Delete": "DeleteObject",
    "ObjectRemoved:DeleteMarkerCreated": "DeleteObject",
}


def _send_events_as_s3_does() -> None:
    """Moto gives all events one id and sequencer, fires disabled rules, and enforces no queue policy.

    On AWS ids are unique, the sequencers of one key's events grow, the queue's policy must admit the rule,
    and an event that cannot be delivered goes to the target's dead-letter queue, and is counted as failed.
    """
    sequence = itertools.count(time.time_ns())  # grows from one run to the next, too

    def send(account_id: str, bucket: Any, event_name: str, key: Any) -> None:  # noqa: ANN401 - moto's classes
        reason = str(getattr(event_name, "value", event_name)).removeprefix("s3:")
        item = {"key": key.name, "sequencer": f"{next(sequence):016X}"}
        if reason.startswith("ObjectCreated"):
            item |= {"size": key.size, "etag": key.etag.strip('"')}
        if bucket.is_versioned:
            item["version-id"] = key.version_id
        event: Any = {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": notifications._detail_type(event_name),  # noqa: SLF001 - moto's module
            "source": "aws.s3",
            "account": account_id,
            "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": bucket.region_name,
            "resources": [bucket.arn],
            "detail": {
                "version": "0",
                "bucket": {"name": bucket.name},
                "object": item,
                "request-id": uuid.uuid4().hex[:16].upper(),
                "requester": account_id,
                "source-ip-address": "127.0.0.1",
                "reason": _REASONS.get(reason, reason),
            },
        }
        for rule in list(
            events_backends[account_id][bucket.region_name].event_buses["default"].rules.values()
        ):
            if rule.state == "ENABLED" and rule.event_pattern.matches_event(event):
                for target in list(rule.targets):
                    _deliver(rule, target, event)

    notifications._send_event_bridge_message = send  # noqa: SLF001 - moto's module


def _deliver(rule: Any, target: dict[str, Any], event: dict[str, Any]) -> None:  # noqa: ANN401 - moto's class
    """Send the event to the target's queue; if that refuses it, to the target's dead-letter queue."""
    _count_for_rule(rule, "Invocations")
    error = _send_to_queue(rule, target["Arn"], json.dumps(event))
    if error is None:
        return
    _count_for_rule(rule, "FailedInvocations")
    dead_letters = target.get("DeadLetterConfig", {}).get("Arn")
    if dead_letters is None:
        return
    attributes = {
        name: {"DataType": "String", "StringValue": value}
        for name, value in {
            "RULE_ARN": rule.arn,
            "TARGET_ARN": target["Arn"],
            "ERROR_CODE": error[0],
            "ERROR_MESSAGE": error[1],
        }.items()
    }
    lost = _send_to_queue(rule, dead_letters, json.dumps(event), attributes)
    _count_for_rule(rule, "InvocationsFailedToBeSentToDlq" if lost else "InvocationsSentToDlq")


def _send_to_queue(
    rule: Any,  # noqa: ANN401 - moto's class
    arn: str,
    body: str,
    attributes: dict[str, Any] | None = None,
) -> tuple[str, str] | None:
    """Send as EventBridge for the rule; give the error's code and message if the queue does not take it."""
    _, _, service, region, account, name = arn.split(":", 5)
    if service != "sqs":
        raise NotImplementedError(f"target {arn}: the embedded EventBridge delivers to SQS only")
    queue = sqs_backends[account][region].queues.get(name)
    if queue is None:
        return "RESOURCE_NOT_FOUND", f"{arn} does not exist"
    asked = policies.Request(
        action="sqs:SendMessage",
        resource=arn,
        principals={"Service": ("events.amazonaws.com",)},
        context={
            "aws:SourceArn": rule.arn,
            "aws:SourceAccount": rule.account_id,
            "aws:SecureTransport": "true",
            "aws:PrincipalIsAWSService": "true",
        },
    )
    policy = queue._policy_json if queue.policy else {}  # noqa: SLF001 - moto's class
    if policies.evaluate(policy, asked) is not policies.Decision.ALLOW:
        return "NO_PERMISSIONS", f"the policy of {arn} does not admit {rule.arn}"
    sqs_backends[account][region].send_message(
        queue_name=name, message_body=body, message_attributes=attributes
    )
    return None


def _count_for_rule(rule: Any, metric: str) -> None:  # noqa: ANN401 - moto's class
    """Count one event in EventBridge's own metrics of the rule."""
    _put_metrics(
        rule.region_name,
        "AWS/Events",
        [
            {
                "MetricName": metric,
                "Dimensions": [{"Name": "RuleName", "Value": rule.name}],
                "Value": 1.0,
                "Unit": "Count",
            }
        ],
    )


# --- queues ---------------------------------------------------------------------------------------------


def _leave_polling_to_the_lambda_service() -> None:
    """Moto receives each message at once, for a function that it would run in Docker: a receive is spent."""
    mappings = property(lambda _queue: {}, lambda _queue, _mappings: None)
    Queue.lambda_event_source_mappings = mappings  # type: ignore[assignment]


def _keep_queue_attributes() -> None:
    """Moto forgets a queue's policy when other attributes are set, and keeps no RedriveAllowPolicy."""
    set_attributes = Queue._set_attributes  # noqa: SLF001 - moto's class

    def set_named(self: Queue, attributes: dict[str, Any], now: float | None = None) -> None:
        kept = getattr(self, "policy", None)
        set_attributes(self, {"Policy": kept} | attributes, now)

    Queue._set_attributes = set_named  # noqa: SLF001 - moto's class
    Queue.redrive_allow_policy = None  # type: ignore[attr-defined]
    Queue.BASE_ATTRIBUTES.append("RedriveAllowPolicy")


# --- metrics and logs -----------------------------------------------------------------------------------


def _turn_embedded_metrics_into_metrics() -> None:
    """CloudWatch Logs extracts metrics from lines in the embedded metric format; moto only stores them."""
    put_log_events = LogsBackend.put_log_events

    def put(
        self: LogsBackend, log_group_name: str, log_stream_name: str, log_events: list[dict[str, Any]]
    ) -> Any:  # noqa: ANN401
        response = put_log_events(self, log_group_name, log_stream_name, log_events)
        for event in log_events:
            for namespace, metrics in embedded_metrics(event["message"]):
                _put_metrics(self.region_name, namespace, metrics)
        return response

    LogsBackend.put_log_events = put


def embedded_metrics(line: str) -> Iterable[tuple[str, list[dict[str, Any]]]]:
    """Give (namespace, metric data) for each directive of a line in CloudWatch's embedded metric format."""
    try:
        document = json.loads(line)
        directives = document["_aws"]["CloudWatchMetrics"]
    except (ValueError, TypeError, KeyError):
        return
    timestamp = datetime.fromtimestamp(document["_aws"]["Timestamp"] / 1000, tz=UTC).replace(tzinfo=None)
    for directive in directives:
        metrics = []
        for dimensions, metric in itertools.product(directive["Dimensions"], directive["Metrics"]):
            value = document[metric["Name"]]
            metrics.append(
                {
                    "MetricName": metric["Name"],
                    "Dimensions": [{"Name": name, "Value": str(document[name])} for name in dimensions],
                    "Unit": metric.get("Unit", "None"),
                    "Timestamp": timestamp,
                    "Values": value if isinstance(value, list) else [value],
                }
            )
        yield directive["Namespace"], metrics


def _match_dimensions_exactly() -> None:
    """Moto counts metrics with further dimensions too; to CloudWatch those are other metrics."""
    get_metric_statistics = CloudWatchBackend.get_metric_statistics

    def get(self: CloudWatchBackend, *args: Any, dimensions: list[dict[str, str]], **kwargs: Any) -> Any:  # noqa: ANN401
        wanted = {(dimension["Name"], dimension["Value"]) for dimension in dimensions}
        everything = self.metric_data
        self.metric_data = [
            metric
            for metric in everything
            if {(dimension.name, dimension.value) for dimension in metric.dimensions} == wanted
        ]
        try:
            return get_metric_statistics(self, *args, dimensions=dimensions, **kwargs)
        finally:
            self.metric_data = everything

    CloudWatchBackend.get_metric_statistics = get  # type: ignore[method-assign]


def _keep_composite_alarms() -> None:
    """Moto's PutMetricAlarm stores composite alarms too, but moto answers no PutCompositeAlarm."""
    CloudWatchResponse.put_composite_alarm = CloudWatchResponse.put_metric_alarm  # type: ignore[attr-defined]


def _put_metrics(region: str, namespace: str, metrics: list[dict[str, Any]]) -> None:
    cloudwatch_backends[ACCOUNT][region].put_metric_data(namespace, metrics)


# --- code of functions and layers -----------------------------------------------------------------------


_archives: dict[str, bytes] = {}


def _serve_function_code() -> None:
    """AWS gives presigned URLs to the archives of functions and layers; those of moto lead nowhere."""
    get_code, get_layer_version = LambdaFunction.get_code, LayerVersion.get_layer_version

    def located(archive: bytes) -> str:
        token = hashlib.sha256(archive).hexdigest()
        _archives[token] = archive
        return f"{request.host_url.rstrip('/')}{CODE_PATH}{token}"

    def code(self: LambdaFunction) -> dict[str, Any]:
        response = get_code(self)
        response["Code"]["Location"] = located(self.code_bytes)
        if self.reserved_concurrency is not None:  # which moto leaves out when it is 0
            response["Concurrency"] = {"ReservedConcurrentExecutions": int(self.reserved_concurrency)}
        return response

    def layer(self: LayerVersion) -> dict[str, Any]:
        response = get_layer_version(self)
        response["Content"]["Location"] = located(self.code_bytes)
        return response

    LambdaFunction.get_code = code
    LayerVersion.get_layer_version = layer


class OneAtATime:
    """Makes conditional writes and receives atomic, as AWS's are: moto's threads check, then act.

    So requests are answered one at a time, each after its body has arrived: a slow client holds up nobody.
    """

    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        self._application = application
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request (WSGI)."""
        body = get_input_stream(environ).read()
        environ |= {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        path = environ["PATH_INFO"]
        with self._lock:
            if path.startswith(CODE_PATH):
                found = _archives.get(path.removeprefix(CODE_PATH))
                start_response("200 OK" if found else "404 Not Found", [("Content-Type", "application/zip")])
                return [found or b""]
            if path.startswith(cloudwatch.PATH):
                start_response("200 OK", [("Content-Type", "application/json")])
                return [cloudwatch.answer(path, body)]
            return self._application(environ, start_response)
