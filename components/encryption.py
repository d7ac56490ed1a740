"""A KMS key of the stack's own, for those who must hold the key to their data."""

import json
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_aws import kms

from components.names import Names
from components.settings import Settings

DELETION_WINDOW_DAYS = 30
"""KMS's longest: what the key encrypted is lost with it."""


@dataclass(frozen=True, kw_only=True)
class EncryptionKeyArgs:
    """Whom the key serves.

    Attributes:
        names: Names and tags.
        settings: The stack's settings.
    """

    names: Names
    settings: Settings


class EncryptionKey(pulumi.ComponentResource):
    """One key, rotated yearly, for bucket, table, queues, logs, topic and the function's environment."""

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
    """Admit the account's own policies, and each service that writes under its own name, for its part alone.

    S3, DynamoDB, SQS and Lambda use the key with the rights of who calls them, so they need no statement.
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
                # KMS developer guide, "Default key policy": without it, a key can become unmanageable.
                "Sid": "AccountAdministers",
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:{account.partition}:iam::{account.account_id}:root"},
                "Action": "kms:*",
                "Resource": "*",
            },
            # SQS developer guide, "Configure KMS permissions for AWS services"; no rule is told here.
            _allow_service("RuleSendsToQueues", "events.amazonaws.com", use, of_this_account),
            # CloudWatch gives no source that narrows to alarms; the topic that SNS encrypts for does.
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
                    # CloudWatch Logs user guide, "Encrypt log data using AWS KMS", its wildcards written out.
                    *("kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo"),
                    *("kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext"),
                ],
                {"ArnEquals": {"kms:EncryptionContext:aws:logs:arn": log_group}},
            ),
            # The same page has it, under a condition that a call without encryption context cannot meet.
            _allow_service(
                "LogGroupDescribesKey",
                f"logs.{region}.amazonaws.com",
                ["kms:DescribeKey"],
                {"StringEqualsIfExists": {"aws:SourceAccount": account.account_id}},
            ),
            # Athena user guide, "Managed query results": Athena encrypts results under its own name.
            _allow_service(
                "QueryResultsEncrypt",
                "encryption.athena.amazonaws.com",
                use,
                {"ArnLike": {"aws:SourceArn": workgroups}},
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
