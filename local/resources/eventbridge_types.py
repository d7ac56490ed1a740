"""EventBridge rules and targets."""

from __future__ import annotations

from local.resources.resource_type import Call, Read, ResourceType, Tagging

_PUT_RULE = Call(operation="put_rule")
_PUT_TARGET = Call(operation="put_targets")

TYPES = (
    ResourceType(
        pulumi_type="aws:cloudwatch/eventRule:EventRule",
        service="events",
        create=_PUT_RULE,
        identifier="$name",
        changes=(_PUT_RULE,),
        reads=(Read(operation="describe_rule", parameters={"Name": "$id"}),),
        deletes=(Call(operation="delete_rule", parameters={"Name": "$id"}),),
        tagging=Tagging(
            tag=Call(operation="tag_resource", parameters={"ResourceARN": "$arn"}),
            untag=Call(operation="untag_resource", parameters={"ResourceARN": "$arn", "TagKeys": "$tagKeys"}),
            read=Read(operation="list_tags_for_resource", parameters={"ResourceARN": "$arn"}, at="Tags"),
        ),
        defaults={"state": "ENABLED"},
        name="name",
    ),
    ResourceType(
        pulumi_type="aws:cloudwatch/eventTarget:EventTarget",
        service="events",
        create=_PUT_TARGET,
        identifier="$rule-$targetId",
        changes=(_PUT_TARGET,),
        reads=(
            Read(
                operation="list_targets_by_rule",
                parameters={"Rule": "$rule"},
                at="{Rule: '$rule', Targets: Targets[?Id=='$targetId']} | [@][?Targets] | [0]",
            ),
        ),
        deletes=(
            Call(
                operation="remove_targets",
                parameters={"Rule": "$rule", "Ids": ["$targetId"]},
                takes=frozenset(),
            ),
        ),
        renames={
            "targetId": "Targets.Id",
            "arn": "Targets.Arn",
            "deadLetterConfig": "Targets.DeadLetterConfig",
            "input": "Targets.Input",
            "retryPolicy": "Targets.RetryPolicy",
            "roleArn": "Targets.RoleArn",
        },
        replaced_by=frozenset({"rule", "targetId"}),
    ),
)
