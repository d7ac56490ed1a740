"""Athena workgroups and named queries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.resources.resource_type import Call, Read, ResourceType, Tagging

if TYPE_CHECKING:
    from local.resources.resource_type import Values
    from local.resources.target import Target

_MANAGED = "managedQueryResultsConfiguration"
_ARN = "arn:$partition:athena:$region:$account:workgroup/$name"


def _recursive(target: Target, values: Values, parameters: dict[str, Any]) -> None:  # noqa: ARG001 - the signature of Call.prepare
    """Delete named queries and the history too if the input says so; otherwise Athena refuses."""
    parameters["RecursiveDeleteOption"] = bool(values.get("forceDestroy"))


TYPES = (
    ResourceType(
        pulumi_type="aws:athena/workgroup:Workgroup",
        service="athena",
        create=Call(operation="create_work_group"),
        identifier="$name",
        changes=(
            Call(
                operation="update_work_group",
                parameters={"WorkGroup": "$id"},
                renames={
                    "configuration": "ConfigurationUpdates",
                    f"configuration.{_MANAGED}": "ManagedQueryResultsConfigurationUpdates",
                },
            ),
        ),
        reads=(Read(operation="get_work_group", parameters={"WorkGroup": "$id"}, at="WorkGroup"),),
        deletes=(
            Call(
                operation="delete_work_group",
                parameters={"WorkGroup": "$id"},
                takes=frozenset(),
                prepare=_recursive,
            ),
        ),
        tagging=Tagging(
            tag=Call(operation="tag_resource", parameters={"ResourceARN": _ARN}),
            untag=Call(operation="untag_resource", parameters={"ResourceARN": _ARN, "TagKeys": "$tagKeys"}),
            read=Read(operation="list_tags_for_resource", parameters={"ResourceARN": _ARN}, at="Tags"),
        ),
        outputs={"arn": _ARN},
        name="name",
        provider_only=frozenset({"forceDestroy"}),
    ),
    ResourceType(
        pulumi_type="aws:athena/namedQuery:NamedQuery",
        service="athena",
        create=Call(
            operation="create_named_query", renames={"query": "QueryString", "workgroup": "WorkGroup"}
        ),
        identifier=".NamedQueryId",
        reads=(
            Read(
                operation="get_named_query",
                parameters={"NamedQueryId": "$id"},
                at="NamedQuery",
                renames={"query": "QueryString", "workgroup": "WorkGroup"},
            ),
        ),
        deletes=(Call(operation="delete_named_query", parameters={"NamedQueryId": "$id"}),),
        replaced_by=frozenset({"name", "database", "query", "workgroup", "description"}),
    ),
)
