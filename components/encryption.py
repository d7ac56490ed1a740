"""A customer-managed KMS key for all data of the stack."""

import json
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_aws import kms

from components.names import Names
from components.settings import Settings

DELETION_WINDOW_DAYS = 30
"""KMS's maximum: data that the key encrypted is lost with it."""


@dataclass(frozen=True, kw_only=True)
class EncryptionKeyArgs:
    """Inputs of `EncryptionKey`.

    Attributes:
        names: Names and tags.
        settings: The stack's settings.
    """

    names: Names
    settings: Settings


class EncryptionKey(pulumi.ComponentResource):
    """One key, rotated every year, for bucket, table, queues, logs, topic and the function's environment."""

    arn: pulumi.Output[str]

    def __init__(
        self, name: str, args: EncryptionKeyArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("regional-analytics:index:EncryptionKey", name, None, opts)
        key = kms.Key(
            f"{name}-key",
            description=f"Data of {args.names.physical('bucket')} and what processes it",
            enable_key_rotation=True,
            multi_region=False,
            deletion_window_in_days=DELETION_WINDOW_DAYS,
            policy=json.dumps(key_policy(args.names)),
            tags=args.names.tags("key"),
            opts=pulumi.ResourceOptions(parent=self, protect=args.settings.protect),
        )
        kms.Alias(
            f"{name}-alias",
            name=f"alias/{args.names.physical('key')}",
            target_key_id=key.key_id,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.arn = key.arn
        self.register_outputs({"arn": self.arn})


def key_policy(names: Names) -> dict[str, Any]:
    """Return the key policy: the account's IAM policies apply, and each service may use the key for its part.

    S3, DynamoDB, SQS and Lambda use the key with the caller's permissions, so they need no statement.
    """
    account, region = names.account, names.region
    use = ["kms:Decrypt", "kms:GenerateDataKey"]
    of_this_account = {"StringEquals": {"aws:SourceAccount": account.account_id}}
    topic = names.arn("sns", names.physical("alarms"))
    workgroups = names.arn("athena", f"workgroup/{names.physical('*')}")
    log_group = names.arn("logs", f"log-group:{names.log_group}")
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                # Without this, the key can become unmanageable (KMS developer guide, "Default key policy").
                "Sid": "AccountAdministers",
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:{account.partition}:iam::{account.account_id}:root"},
                "Action": "kms:*",
                "Resource": "*",
            },
            # SQS developer guide, "Configure KMS permissions for AWS services"; the rule is not sent.
            _allow_service("RuleSendsToQueues", "events.amazonaws.com", use, of_this_account),
            # CloudWatch sends no source ARN of the alarm, so the condition names the topic.
            _allow_service(
                "AlarmsNotify",
                "cloudwatch.amazonaws.com",
                use,
                {"ArnEquals": {"kms:EncryptionContext:aws:sns:topicArn": topic}},
            ),
            _allow_service(
                "LogGroupEncrypts",
                f"logs.{region}.amazonaws.com",
                [
                    # CloudWatch Logs user guide, "Encrypt log data using AWS KMS", without its wildcards.
                    *("kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo"),
                    *("kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext"),
                ],
                {"ArnEquals": {"kms:EncryptionContext:aws:logs:arn": log_group}},
            ),
            # The same page allows it with a condition on the encryption context; DescribeKey has none.
            _allow_service(
                "LogGroupDescribesKey",
                f"logs.{region}.amazonaws.com",
                ["kms:DescribeKey"],
                {"StringEqualsIfExists": {"aws:SourceAccount": account.account_id}},
            ),
            # Athena's service principal encrypts managed query results
            # (https://docs.aws.amazon.com/athena/latest/ug/encrypting-managed-results.html).
            _allow_service(
                "QueryResultsEncrypt",
                "encryption.athena.amazonaws.com",
                [*use, "kms:DescribeKey"],
                {"ArnLike": {"aws:SourceArn": workgroups}, **of_this_account},
            ),
        ],
    }


def _allow_service(
    sid: str, service: str, actions: list[str], condition: dict[str, dict[str, str]]
) -> dict[str, Any]:
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": actions,
        "Resource": "*",
        "Condition": condition,
    }
