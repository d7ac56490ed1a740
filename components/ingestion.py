"""Delivery of the bucket's events: the rule, its target, the queues and their policies."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_aws import cloudwatch, sqs

from components.account import Account
from components.deliveries import DAY, DEAD_LETTER_RETENTION, DELIVERY_RETRIES, QUEUE_RETENTION
from components.names import SYSTEM_PREFIXES, Names
from components.settings import Settings


@dataclass(frozen=True, kw_only=True)
class IngestionArgs:
    """Inputs of `Ingestion`.

    Attributes:
        names: Names and tags.
        bucket_name: The bucket that sends the events.
        settings: The stack's settings.
        key_arn: The KMS key that encrypts messages; None for SQS's own keys.
    """

    names: Names
    bucket_name: pulumi.Input[str]
    settings: Settings
    key_arn: pulumi.Input[str] | None


class Ingestion(pulumi.ComponentResource):
    """A rule and its queue. After `maximumReceives` receives, a message moves to the dead-letter queue."""

    queue: sqs.Queue
    dead_letter_queue: sqs.Queue
    delivery_dead_letter_queue: sqs.Queue
    rule: cloudwatch.EventRule

    def __init__(self, name: str, args: IngestionArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("regional-analytics:index:Ingestion", name, None, opts)
        self._name, self._args = name, args
        settings = args.settings
        self.dead_letter_queue = self._add_queue("dlq", message_retention_seconds=DEAD_LETTER_RETENTION)
        self.queue = self._add_queue(
            "queue",
            message_retention_seconds=QUEUE_RETENTION,
            visibility_timeout_seconds=settings.visibility_timeout,
            redrive_policy=pulumi.Output.json_dumps(
                {
                    "deadLetterTargetArn": self.dead_letter_queue.arn,
                    "maxReceiveCount": settings.maximum_receives,
                }
            ),
        )
        sqs.RedriveAllowPolicy(
            f"{name}-dlq-redrive",
            queue_url=self.dead_letter_queue.id,
            redrive_allow_policy=pulumi.Output.json_dumps(
                {"redrivePermission": "byQueue", "sourceQueueArns": [self.queue.arn]}
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.delivery_dead_letter_queue = self._add_queue(
            "delivery-dlq", message_retention_seconds=DEAD_LETTER_RETENTION
        )
        self.rule = cloudwatch.EventRule(
            f"{name}-rule",
            name=args.names.physical("s3-events"),
            description="Uploads and deletions of users, without the objects that the system writes",
            event_pattern=pulumi.Output.all(
                args.bucket_name, settings.keep_secret("upload_prefixes", settings.taken_prefixes)
            ).apply(lambda given: json.dumps(event_pattern(*given))),
            state="ENABLED",
            tags=args.names.tags("s3-events"),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self._add_queue_policy("dlq", self.dead_letter_queue, from_rule=False)
        admitted = [
            self._add_queue_policy("queue", self.queue, from_rule=True),
            self._add_queue_policy("delivery-dlq", self.delivery_dead_letter_queue, from_rule=True),
        ]
        cloudwatch.EventTarget(
            f"{name}-target",
            rule=self.rule.name,
            target_id="queue",
            arn=self.queue.arn,
            dead_letter_config=cloudwatch.EventTargetDeadLetterConfigArgs(
                arn=self.delivery_dead_letter_queue.arn
            ),
            retry_policy=cloudwatch.EventTargetRetryPolicyArgs(
                maximum_event_age_in_seconds=DAY, maximum_retry_attempts=DELIVERY_RETRIES
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=admitted),
        )
        self.register_outputs(
            {
                "queueUrl": self.queue.url,
                "deadLetterQueueUrl": self.dead_letter_queue.url,
                "deliveryDeadLetterQueueUrl": self.delivery_dead_letter_queue.url,
                "ruleArn": self.rule.arn,
            }
        )

    def _add_queue(self, kind: str, **definition: Any) -> sqs.Queue:  # noqa: ANN401 - sqs.Queue's own inputs
        # EventBridge cannot send to a queue that is encrypted with the AWS managed key for SQS.
        encryption: dict[str, Any] = (
            {"sqs_managed_sse_enabled": True}
            if self._args.key_arn is None
            else {"kms_master_key_id": self._args.key_arn}
        )
        return sqs.Queue(
            f"{self._name}-{kind}",
            name=self._args.names.physical(kind),
            tags=self._args.names.tags(kind),
            # Deleting a queue deletes its messages.
            opts=pulumi.ResourceOptions(parent=self, protect=self._args.settings.protect),
            **definition,
            **encryption,
        )

    def _add_queue_policy(self, kind: str, queue: sqs.Queue, *, from_rule: bool) -> sqs.QueuePolicy:
        policy = pulumi.Output.all(queue.arn, self.rule.arn).apply(
            lambda arns: json.dumps(queue_policy(arns[0], rule_arn=arns[1] if from_rule else None))
        )
        return sqs.QueuePolicy(
            f"{self._name}-{kind}-policy",
            queue_url=queue.id,
            policy=policy,
            opts=pulumi.ResourceOptions(parent=self),
        )


def event_pattern(bucket_name: str, upload_prefixes: Sequence[str]) -> dict[str, Any]:
    """Return a pattern that matches uploads and their deletions, and no object that the system writes.

    The bucket also sends other types of events, so the pattern names the two.

    Args:
        bucket_name: The bucket.
        upload_prefixes: Key prefixes of uploads, which must not overlap a system prefix. If empty, every key
            outside the system prefixes is an upload.
    """
    # The matchers of a list are alternatives, so a prefix next to anything-but would match everything.
    # anything-but excludes every prefix of its list (EventBridge user guide, "Comparison operators").
    keys = [{"prefix": prefix} for prefix in upload_prefixes]
    return {
        "source": ["aws.s3"],
        "detail-type": ["Object Created", "Object Deleted"],
        "detail": {
            "bucket": {"name": [bucket_name]},
            "object": {"key": keys or [{"anything-but": {"prefix": list(SYSTEM_PREFIXES)}}]},
        },
    }


def queue_policy(queue_arn: str, *, rule_arn: str | None) -> dict[str, Any]:
    """Return a policy that denies plain HTTP and allows the rule, if given, to send messages.

    Lambda and the redrive of SQS need no statement.
    """
    statements: list[dict[str, Any]] = [
        {
            "Sid": "NoPlainHttp",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "sqs:*",
            "Resource": queue_arn,
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    ]
    if rule_arn is not None:
        statements.append(
            {
                "Sid": "EventsOfTheRule",
                "Effect": "Allow",
                "Principal": {"Service": "events.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": queue_arn,
                "Condition": {
                    "ArnEquals": {"aws:SourceArn": rule_arn},
                    "StringEquals": {"aws:SourceAccount": Account.of(rule_arn).account_id},
                },
            }
        )
    return {"Version": "2012-10-17", "Statement": statements}
