"""S3's events for EventBridge, and their delivery."""

from __future__ import annotations

import itertools
import json
import time
import uuid
from datetime import UTC, datetime
from typing import Any

from moto.events.models import events_backends
from moto.s3 import notifications
from moto.sqs.models import sqs_backends

from local import policies
from local.moto_patches.cloudwatch_metrics import put_metrics

_REASONS = {
    "ObjectCreated:Put": "PutObject",
    "ObjectCreated:Post": "POST Object",
    "ObjectCreated:Copy": "CopyObject",
    "ObjectCreated:CompleteMultipartUpload": "CompleteMultipartUpload",
}
_ETAG_OF_NOTHING = "d41d8cd98f00b204e9800998ecf8427e"


def install() -> None:
    """Apply the patches; call this once, before the server handles requests."""
    _send_events_as_s3_does()


def _send_events_as_s3_does() -> None:
    """Moto gives all events the same id and sequencer, runs disabled rules, and ignores queue policies.

    On AWS, ids are unique. The sequencers of a key's events increase and can differ in length. The queue's
    policy must allow the rule. An event that cannot be delivered is counted as failed, and sent to the
    target's dead-letter queue.
    """
    sequence = itertools.count(time.time_ns())  # also increases from one run to the next

    def send(account_id: str, bucket: Any, event_name: str, key: Any) -> None:  # noqa: ANN401 - moto's classes
        reason = str(getattr(event_name, "value", event_name)).removeprefix("s3:")
        number = next(sequence)
        item = {"key": key.name, "sequencer": f"{number:016X}{'' if number % 2 else 'A'}"}
        deletion = _deletion(reason)
        if deletion:
            item |= {"etag": _ETAG_OF_NOTHING}
        elif reason.startswith("ObjectCreated"):
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
                "event-version": "1.0",
                "bucket": {"name": bucket.name},
                "object": item,
                "request-id": uuid.uuid4().hex[:16].upper(),
                "requester": account_id,
                "source-ip-address": "127.0.0.1",
                "reason": _REASONS.get(reason, reason),
                **deletion,
            },
        }
        if deletion.get("requester"):
            del event["detail"]["source-ip-address"]
        for rule in list(
            events_backends[account_id][bucket.region_name].event_buses["default"].rules.values()
        ):
            if rule.state == "ENABLED" and rule.event_pattern.matches_event(event):
                for target in list(rule.targets):
                    _deliver(rule, target, event)

    notifications._send_event_bridge_message = send  # noqa: SLF001 - moto's module


def _deletion(name: str) -> dict[str, str]:
    """Return the additional members of a deletion's event (S3 User Guide, "Event message structure")."""
    family, _, what = name.partition(":")
    if family not in ("ObjectRemoved", "LifecycleExpiration"):
        return {}
    members = {"deletion-type": "Delete Marker Created" if "Marker" in what else "Permanently Deleted"}
    if family == "LifecycleExpiration":
        return members | {"reason": "Lifecycle Expiration", "requester": "s3.amazonaws.com"}
    return members | {"reason": "DeleteObject"}


def _deliver(rule: Any, target: dict[str, Any], event: dict[str, Any]) -> None:  # noqa: ANN401 - moto's class
    """Send the event to the target's queue, or to its dead-letter queue if the queue refuses it."""
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
    """Send a message as EventBridge; return the error's code and message if the queue refuses it."""
    _, _, service, region, account, name = arn.split(":", 5)
    if service != "sqs":
        raise NotImplementedError(f"target {arn}: the embedded EventBridge supports only SQS")
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
    """Count one event in EventBridge's metrics of the rule."""
    put_metrics(
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
