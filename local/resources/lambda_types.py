"""Lambda functions, layers and event source mappings."""

from __future__ import annotations

from local.resources.resource_type import Call, Read, ResourceType, Tagging

_TAG = Call(operation="tag_resource", parameters={"Resource": "$arn"})
_UNTAG = Call(operation="untag_resource", parameters={"Resource": "$arn", "TagKeys": "$tagKeys"})
_TAGGING = Tagging(
    tag=_TAG,
    untag=_UNTAG,
    read=Read(operation="list_tags", parameters={"Resource": "$arn"}, at="Tags"),
)

TYPES = (
    ResourceType(
        pulumi_type="aws:lambda/layerVersion:LayerVersion",
        service="lambda",
        create=Call(operation="publish_layer_version"),
        identifier=".LayerVersionArn",
        parts="$_:layer:$layerName:$version",
        reads=(
            Read(
                operation="get_layer_version",
                parameters={"LayerName": "$layerName", "VersionNumber": "$version"},
                renames={"arn": "LayerVersionArn"},
            ),
        ),
        deletes=(Call(operation="delete_layer_version", parameters={"VersionNumber": "$version"}),),
        renames={"code": "Content.ZipFile"},
        replaced_by=frozenset(
            {"layerName", "code", "compatibleRuntimes", "compatibleArchitectures", "description"}
        ),
    ),
    ResourceType(
        pulumi_type="aws:lambda/function:Function",
        service="lambda",
        create=Call(operation="create_function"),
        identifier="$name",
        changes=(
            Call(
                operation="update_function_configuration",
                parameters={"FunctionName": "$id"},
            ),
            Call(
                operation="update_function_code",
                parameters={"FunctionName": "$id"},
                takes=frozenset({"code", "architectures"}),
                renames={"code": "ZipFile"},
            ),
            Call(
                operation="put_function_concurrency",
                parameters={"FunctionName": "$id"},
                takes=frozenset({"reservedConcurrentExecutions"}),
                otherwise=Call(
                    operation="delete_function_concurrency",
                    parameters={"FunctionName": "$id"},
                ),
            ),
        ),
        reads=(
            Read(
                operation="get_function",
                parameters={"FunctionName": "$id"},
                at="merge(Configuration, {Layers: Configuration.Layers[].Arn}, Concurrency || `{}`)",
            ),
        ),
        deletes=(Call(operation="delete_function", parameters={"FunctionName": "$id"}),),
        tagging=_TAGGING,
        renames={"name": "FunctionName", "arn": "FunctionArn", "code": "Code.ZipFile"},
        outputs={
            "invokeArn": "arn:$partition:apigateway:$region:lambda:path/2015-03-31/functions/$arn/invocations"
        },
        name="name",
        unset={"kmsKeyArn": "", "description": "", "layers": []},
        ordered=frozenset({"layers"}),
    ),
    ResourceType(
        pulumi_type="aws:lambda/eventSourceMapping:EventSourceMapping",
        service="lambda",
        create=Call(operation="create_event_source_mapping"),
        identifier=".UUID",
        changes=(Call(operation="update_event_source_mapping", parameters={"UUID": "$id"}),),
        reads=(
            Read(
                operation="get_event_source_mapping",
                parameters={"UUID": "$id"},
                at="merge(@, {enabled: contains(['Enabled', 'Enabling', 'Creating'], State)})",
                renames={"arn": "EventSourceMappingArn", "functionName": "FunctionArn"},
            ),
        ),
        deletes=(Call(operation="delete_event_source_mapping", parameters={"UUID": "$id"}),),
        tagging=_TAGGING,
        renames={"arn": "EventSourceMappingArn"},
        defaults={"enabled": True},
        replaced_by=frozenset({"eventSourceArn"}),
    ),
)
