"""DynamoDB tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.resources.resource_type import KEPT, Call, Read, ResourceType, Tagging, Values

if TYPE_CHECKING:
    from local.resources.target import Target

_RENAMES = {
    "name": "TableName",
    "arn": "TableArn",
    "attributes": "AttributeDefinitions",
    "attributes.name": "AttributeName",
    "attributes.type": "AttributeType",
    "billingMode": "BillingMode",
    "globalSecondaryIndexes.name": "IndexName",
    "globalSecondaryIndexes.keySchemas": "KeySchema",
    "globalSecondaryIndexes.projectionType": "Projection.ProjectionType",
    "globalSecondaryIndexes.nonKeyAttributes": "Projection.NonKeyAttributes",
    "serverSideEncryption": "SSESpecification",
    "serverSideEncryption.kmsKeyArn": "KMSMasterKeyId",
    "pointInTimeRecovery": "PointInTimeRecoverySpecification",
    "pointInTimeRecovery.enabled": "PointInTimeRecoveryEnabled",
    "ttl": "TimeToLiveSpecification",
}


def _name_keys(_target: Target, values: Values, parameters: dict[str, Any]) -> None:
    """Add the table's key attributes."""
    keys = [("HASH", values["hashKey"]), ("RANGE", values.get("rangeKey"))]
    parameters["KeySchema"] = [
        {"AttributeName": attribute, "KeyType": kind} for kind, attribute in keys if attribute
    ]


_READ_TABLE = """Table.{
    TableName: TableName,
    TableArn: TableArn,
    AttributeDefinitions: AttributeDefinitions,
    BillingMode: BillingModeSummary.BillingMode,
    DeletionProtectionEnabled: DeletionProtectionEnabled,
    GlobalSecondaryIndexes: GlobalSecondaryIndexes,
    SSESpecification: {
        Enabled: SSEDescription.Status=='ENABLED',
        KMSMasterKeyId: SSEDescription.KMSMasterKeyArn
    },
    hashKey: KeySchema[?KeyType=='HASH'].AttributeName | [0],
    rangeKey: KeySchema[?KeyType=='RANGE'].AttributeName | [0]
}"""


def _update(name: str) -> Call:
    """Declare a call that changes one property: DynamoDB changes only one at a time."""
    return Call(operation="update_table", parameters={"TableName": "$id"}, takes=frozenset({name}))


TYPES = (
    ResourceType(
        pulumi_type="aws:dynamodb/table:Table",
        service="dynamodb",
        create=Call(operation="create_table", prepare=_name_keys),
        identifier="$name",
        changes=(
            Call(operation="update_continuous_backups", parameters={"TableName": "$id"}),
            Call(operation="update_time_to_live", parameters={"TableName": "$id"}),
            _update("billingMode"),
            _update("deletionProtectionEnabled"),
            _update("serverSideEncryption"),
        ),
        reads=(
            Read(operation="describe_table", parameters={"TableName": "$id"}, at=_READ_TABLE),
            Read(
                operation="describe_continuous_backups",
                parameters={"TableName": "$id"},
                at="ContinuousBackupsDescription.PointInTimeRecoveryDescription.{"
                "PointInTimeRecoverySpecification: {"
                " PointInTimeRecoveryEnabled: PointInTimeRecoveryStatus=='ENABLED',"
                " RecoveryPeriodInDays: RecoveryPeriodInDays}}",
            ),
            Read(
                operation="describe_time_to_live",
                parameters={"TableName": "$id"},
                at="{TimeToLiveSpecification: TimeToLiveDescription.AttributeName && {"
                " AttributeName: TimeToLiveDescription.AttributeName,"
                " Enabled: TimeToLiveDescription.TimeToLiveStatus=='ENABLED'}}",
            ),
        ),
        deletes=(Call(operation="delete_table", parameters={"TableName": "$id"}),),
        tagging=Tagging(
            tag=Call(operation="tag_resource", parameters={"ResourceArn": "$arn"}),
            untag=Call(operation="untag_resource", parameters={"ResourceArn": "$arn", "TagKeys": "$tagKeys"}),
            read=Read(operation="list_tags_of_resource", parameters={"ResourceArn": "$arn"}, at="Tags"),
        ),
        renames=_RENAMES,
        name="name",
        replaced_by=frozenset({"hashKey", "rangeKey"}),
        # For the provider, a missing input means that AWS keeps its value.
        unset={"serverSideEncryption": KEPT, "pointInTimeRecovery": KEPT, "ttl": KEPT},
        provider_only=frozenset({"hashKey", "rangeKey"}),
    ),
)
