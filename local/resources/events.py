"""Queues, the rule that fills them, and its target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.resources.target import given, key_values

if TYPE_CHECKING:
    from local.resources.target import Creator, Inputs, Outputs, Target

_QUEUE_ATTRIBUTES = {
    "delaySeconds": "DelaySeconds",
    "kmsDataKeyReusePeriodSeconds": "KmsDataKeyReusePeriodSeconds",
    "kmsMasterKeyId": "KmsMasterKeyId",
    "maxMessageSize": "MaximumMessageSize",
    "messageRetentionSeconds": "MessageRetentionPeriod",
    "policy": "Policy",
    "receiveWaitTimeSeconds": "ReceiveMessageWaitTimeSeconds",
    "redrivePolicy": "RedrivePolicy",
    "sqsManagedSseEnabled": "SqsManagedSseEnabled",
    "visibilityTimeoutSeconds": "VisibilityTimeout",
}


def _create_queue(target: Target, inputs: Inputs) -> Outputs:
    attributes = {
        attribute: str(inputs[name]).lower() if isinstance(inputs[name], bool) else str(inputs[name])
        for name, attribute in _QUEUE_ATTRIBUTES.items()
        if inputs.get(name) is not None
    }
    url = target.client("sqs").create_queue(
        QueueName=inputs["name"], Attributes=attributes, tags=dict(inputs.get("tags") or {})
    )["QueueUrl"]
    account, name = url.split("/")[-2:]
    return {"id": url, "url": url, "name": name, "arn": f"arn:aws:sqs:{target.region}:{account}:{name}"}


def _create_queue_policy(target: Target, inputs: Inputs) -> Outputs:
    return _set(target, inputs["queueUrl"], "Policy", inputs["policy"])


def _create_redrive_policy(target: Target, inputs: Inputs) -> Outputs:
    return _set(target, inputs["queueUrl"], "RedrivePolicy", inputs["redrivePolicy"])


def _create_redrive_allow_policy(target: Target, inputs: Inputs) -> Outputs:
    return _set(target, inputs["queueUrl"], "RedriveAllowPolicy", inputs["redriveAllowPolicy"])


def _create_rule(target: Target, inputs: Inputs) -> Outputs:
    arn = target.client("events").put_rule(
        Name=inputs["name"],
        State=inputs.get("state", "ENABLED"),
        Tags=key_values(inputs.get("tags")),
        **given(
            EventPattern=inputs.get("eventPattern"),
            ScheduleExpression=inputs.get("scheduleExpression"),
            Description=inputs.get("description"),
        ),
    )["RuleArn"]
    return {"id": inputs["name"], "name": inputs["name"], "arn": arn}


def _create_rule_target(target: Target, inputs: Inputs) -> Outputs:
    dead_letters, retries = inputs.get("deadLetterConfig"), inputs.get("retryPolicy")
    definition = given(
        Id=inputs["targetId"],
        Arn=inputs["arn"],
        DeadLetterConfig={"Arn": dead_letters["arn"]} if dead_letters else None,
        RetryPolicy={
            "MaximumEventAgeInSeconds": retries["maximumEventAgeInSeconds"],
            "MaximumRetryAttempts": retries["maximumRetryAttempts"],
        }
        if retries
        else None,
    )
    target.client("events").put_targets(Rule=inputs["rule"], Targets=[definition])
    return {"id": f"{inputs['rule']}-{inputs['targetId']}"}


def _set(target: Target, url: str, attribute: str, value: str) -> Outputs:
    target.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={attribute: value})
    return {"id": url}


CREATORS: dict[str, Creator] = {
    "aws:sqs/queue:Queue": _create_queue,
    "aws:sqs/queuePolicy:QueuePolicy": _create_queue_policy,
    "aws:sqs/redrivePolicy:RedrivePolicy": _create_redrive_policy,
    "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": _create_redrive_allow_policy,
    "aws:cloudwatch/eventRule:EventRule": _create_rule,
    "aws:cloudwatch/eventTarget:EventTarget": _create_rule_target,
}
