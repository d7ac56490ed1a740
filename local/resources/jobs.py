"""The job table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.resources.target import given, key_values

if TYPE_CHECKING:
    from local.resources.target import Creator, Inputs, Outputs, Target


def _create_table(target: Target, inputs: Inputs) -> Outputs:
    dynamodb = target.client("dynamodb")
    name = inputs["name"]
    created = dynamodb.create_table(
        TableName=name,
        BillingMode=inputs["billingMode"],
        AttributeDefinitions=[
            {"AttributeName": attribute["name"], "AttributeType": attribute["type"]}
            for attribute in inputs["attributes"]
        ],
        KeySchema=_key_schema(inputs),
        Tags=key_values(inputs.get("tags")),
        DeletionProtectionEnabled=inputs.get("deletionProtectionEnabled", False),
        **given(
            GlobalSecondaryIndexes=[_index(index) for index in inputs.get("globalSecondaryIndexes", [])]
            or None,
            SSESpecification=_encryption(inputs.get("serverSideEncryption")),
        ),
    )["TableDescription"]
    recovery = {"PointInTimeRecoveryEnabled": inputs.get("pointInTimeRecovery", {}).get("enabled", False)}
    dynamodb.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=recovery)
    expiry = inputs.get("ttl") or {}
    if expiry.get("enabled"):  # the provider calls nothing for one that is off
        dynamodb.update_time_to_live(
            TableName=name,
            TimeToLiveSpecification={"Enabled": True, "AttributeName": expiry["attributeName"]},
        )
    return {"id": name, "name": name, "arn": created["TableArn"]}


def _index(index: Inputs) -> dict[str, Any]:
    return {
        "IndexName": index["name"],
        "KeySchema": _key_schema(index),
        "Projection": {"ProjectionType": index["projectionType"]},
    }


def _key_schema(keys: Inputs) -> list[dict[str, str]]:
    if "keySchemas" in keys:
        return [
            {"AttributeName": key["attributeName"], "KeyType": key["keyType"]} for key in keys["keySchemas"]
        ]
    schema = [{"AttributeName": keys["hashKey"], "KeyType": "HASH"}]
    return schema + (
        [{"AttributeName": keys["rangeKey"], "KeyType": "RANGE"}] if keys.get("rangeKey") else []
    )


def _encryption(encryption: Inputs | None) -> dict[str, Any] | None:
    if not encryption:
        return None
    return given(
        Enabled=encryption["enabled"],
        SSEType="KMS" if encryption.get("kmsKeyArn") else None,
        KMSMasterKeyId=encryption.get("kmsKeyArn"),
    )


CREATORS: dict[str, Creator] = {"aws:dynamodb/table:Table": _create_table}
