"""The job table: one record for each uploaded version of an object."""

from dataclasses import dataclass

import pulumi
from pulumi_aws import dynamodb

from components.names import Names
from components.settings import Settings

INDEX_NAME = "timestamp-index"
EXPIRY_ATTRIBUTE = "expires_at"
"""The time, in seconds since the epoch, after which DynamoDB may delete a record. The handler writes it."""


@dataclass(frozen=True, kw_only=True)
class JobTableArgs:
    """Inputs of `JobTable`.

    Attributes:
        names: Names and tags.
        settings: The stack's settings.
        key_arn: The KMS key that encrypts the table; None for DynamoDB's own key.
    """

    names: Names
    settings: Settings
    key_arn: pulumi.Input[str] | None


class JobTable(pulumi.ComponentResource):
    """The table of jobs by ID, with an index by status and time."""

    name: pulumi.Output[str]
    arn: pulumi.Output[str]

    def __init__(self, name: str, args: JobTableArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("regional-analytics:index:JobTable", name, None, opts)
        table = dynamodb.Table(
            f"{name}-table",
            name=args.names.physical("jobs"),
            billing_mode="PAY_PER_REQUEST",
            hash_key="job_id",
            attributes=[
                dynamodb.TableAttributeArgs(name="job_id", type="S"),
                dynamodb.TableAttributeArgs(name="status", type="S"),
                dynamodb.TableAttributeArgs(name="timestamp", type="N"),
            ],
            global_secondary_indexes=[
                dynamodb.TableGlobalSecondaryIndexArgs(
                    name=INDEX_NAME,
                    key_schemas=[
                        dynamodb.TableGlobalSecondaryIndexKeySchemaArgs(
                            attribute_name="status", key_type="HASH"
                        ),
                        dynamodb.TableGlobalSecondaryIndexKeySchemaArgs(
                            attribute_name="timestamp", key_type="RANGE"
                        ),
                    ],
                    projection_type="ALL",
                )
            ],
            # Set even if disabled. If it were omitted, a TTL that was once enabled would stay enabled.
            ttl=dynamodb.TableTtlArgs(
                attribute_name=EXPIRY_ATTRIBUTE, enabled=args.settings.job_retention_days > 0
            ),
            point_in_time_recovery=dynamodb.TablePointInTimeRecoveryArgs(enabled=True),
            deletion_protection_enabled=args.settings.protect,
            server_side_encryption=(
                None
                if args.key_arn is None
                else dynamodb.TableServerSideEncryptionArgs(enabled=True, kms_key_arn=args.key_arn)
            ),
            tags=args.names.tags("jobs"),
            opts=pulumi.ResourceOptions(parent=self, protect=args.settings.protect),
        )
        self.name = table.name
        self.arn = table.arn
        self.register_outputs({"name": self.name, "arn": self.arn})
