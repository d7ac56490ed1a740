"""The function, its layer and its event source mapping."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.resources.target import archive_bytes, given

if TYPE_CHECKING:
    from local.resources.target import Creator, Inputs, Outputs, Target


def _create_layer(target: Target, inputs: Inputs) -> Outputs:
    created = target.client("lambda").publish_layer_version(
        LayerName=inputs["layerName"],
        Content={"ZipFile": archive_bytes(inputs.get("code"))},
        **given(
            Description=inputs.get("description"),
            CompatibleArchitectures=inputs.get("compatibleArchitectures"),
            CompatibleRuntimes=inputs.get("compatibleRuntimes"),
        ),
    )
    return {
        "id": created["LayerVersionArn"],
        "arn": created["LayerVersionArn"],
        "layerArn": created["LayerArn"],
        "version": str(created["Version"]),
    }


def _create_function(target: Target, inputs: Inputs) -> Outputs:
    network, storage = inputs.get("vpcConfig"), inputs.get("ephemeralStorage")
    created = target.client("lambda").create_function(
        FunctionName=inputs["name"],
        Role=inputs["role"],
        Handler=inputs["handler"],
        Runtime=inputs["runtime"],
        Code={"ZipFile": archive_bytes(inputs.get("code"))},
        Tags=dict(inputs.get("tags") or {}),
        **given(
            Architectures=inputs.get("architectures"),
            Description=inputs.get("description"),
            Environment={"Variables": dict(inputs.get("environment", {}).get("variables", {}))},
            EphemeralStorage={"Size": storage["size"]} if storage else None,
            KMSKeyArn=inputs.get("kmsKeyArn"),
            Layers=inputs.get("layers"),
            MemorySize=inputs.get("memorySize"),
            Timeout=inputs.get("timeout"),
            TracingConfig={"Mode": inputs["tracingConfig"]["mode"]} if inputs.get("tracingConfig") else None,
            VpcConfig={"SubnetIds": network["subnetIds"], "SecurityGroupIds": network["securityGroupIds"]}
            if network
            else None,
        ),
    )
    return {
        "id": inputs["name"],
        "name": inputs["name"],
        "arn": created["FunctionArn"],
        "codeSha256": created["CodeSha256"],
        "version": created["Version"],
    }


def _create_event_source_mapping(target: Target, inputs: Inputs) -> Outputs:
    scaling = inputs.get("scalingConfig")
    created = target.client("lambda").create_event_source_mapping(
        EventSourceArn=inputs["eventSourceArn"],
        FunctionName=inputs["functionName"],
        **given(
            BatchSize=inputs.get("batchSize"),
            Enabled=inputs.get("enabled"),
            FunctionResponseTypes=inputs.get("functionResponseTypes"),
            MaximumBatchingWindowInSeconds=inputs.get("maximumBatchingWindowInSeconds"),
            ScalingConfig={"MaximumConcurrency": scaling["maximumConcurrency"]} if scaling else None,
            Tags=dict(inputs.get("tags") or {}) or None,
        ),
    )
    return {
        "id": created["UUID"],
        "uuid": created["UUID"],
        "arn": created["EventSourceMappingArn"],
        "functionArn": created["FunctionArn"],
    }


CREATORS: dict[str, Creator] = {
    "aws:lambda/layerVersion:LayerVersion": _create_layer,
    "aws:lambda/function:Function": _create_function,
    "aws:lambda/eventSourceMapping:EventSourceMapping": _create_event_source_mapping,
}
