"""Databases and tables of the Glue Data Catalog."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.resources.resource_type import Call, Read, ResourceType, Tagging

if TYPE_CHECKING:
    from local.resources.resource_type import Values
    from local.resources.target import Target

_ARN = "arn:$partition:glue:$region:$account:database/$name"


def _with_partition_keys(target: Target, values: Values, parameters: dict[str, Any]) -> None:  # noqa: ARG001 - the signature of Call.prepare
    """Add an empty list of partition keys if none is given, as the provider does: a view needs it."""
    parameters["TableInput"].setdefault("PartitionKeys", [])


_RENAMES = {
    "name": "DatabaseInput.Name",
    "description": "DatabaseInput.Description",
    "locationUri": "DatabaseInput.LocationUri",
    "parameters": "DatabaseInput.Parameters",
}
_TABLE_INPUTS = {
    name: f"TableInput.{name[0].upper()}{name[1:]}"
    for name in (
        *("name", "description", "owner", "retention", "storageDescriptor", "partitionKeys", "parameters"),
        *("viewOriginalText", "viewExpandedText", "tableType"),
    )
} | {"storageDescriptor.serDeInfo": "SerdeInfo"}

TYPES = (
    ResourceType(
        pulumi_type="aws:glue/catalogDatabase:CatalogDatabase",
        service="glue",
        create=Call(operation="create_database", renames=_RENAMES),
        identifier="$account:$name",
        changes=(Call(operation="update_database", parameters={"Name": "$name"}, renames=_RENAMES),),
        reads=(Read(operation="get_database", parameters={"Name": "$name"}, at="Database"),),
        deletes=(Call(operation="delete_database", parameters={"Name": "$name"}, takes=frozenset()),),
        tagging=Tagging(
            tag=Call(
                operation="tag_resource", parameters={"ResourceArn": _ARN}, renames={"tags": "TagsToAdd"}
            ),
            untag=Call(
                operation="untag_resource", parameters={"ResourceArn": _ARN, "TagsToRemove": "$tagKeys"}
            ),
            read=Read(operation="get_tags", parameters={"ResourceArn": _ARN}, at="Tags"),
        ),
        outputs={"arn": _ARN},
        name="name",
    ),
    ResourceType(
        pulumi_type="aws:glue/catalogTable:CatalogTable",
        service="glue",
        create=Call(operation="create_table", renames=_TABLE_INPUTS, prepare=_with_partition_keys),
        identifier="$account:$databaseName:$name",
        changes=(Call(operation="update_table", renames=_TABLE_INPUTS, prepare=_with_partition_keys),),
        reads=(
            Read(
                operation="get_table",
                parameters={"DatabaseName": "$databaseName", "Name": "$name"},
                at="Table",
                renames={"storageDescriptor.serDeInfo": "SerdeInfo"},
            ),
        ),
        deletes=(
            Call(
                operation="delete_table",
                parameters={"DatabaseName": "$databaseName", "Name": "$name"},
                takes=frozenset(),
            ),
        ),
        outputs={"arn": "arn:$partition:glue:$region:$account:table/$databaseName/$name"},
        name="name",
        replaced_by=frozenset({"databaseName"}),
    ),
)
