"""The key of the stack's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.resources.target import given

if TYPE_CHECKING:
    from local.resources.target import Creator, Inputs, Outputs, Target


def _create_key(target: Target, inputs: Inputs) -> Outputs:
    kms = target.client("kms")
    tags = [{"TagKey": name, "TagValue": value} for name, value in (inputs.get("tags") or {}).items()]
    created = kms.create_key(
        Tags=tags,
        **given(
            Description=inputs.get("description"),
            Policy=inputs.get("policy"),
            MultiRegion=inputs.get("multiRegion"),
        ),
    )["KeyMetadata"]
    if inputs.get("enableKeyRotation"):
        kms.enable_key_rotation(KeyId=created["KeyId"])
    return {"id": created["KeyId"], "keyId": created["KeyId"], "arn": created["Arn"]}


def _create_alias(target: Target, inputs: Inputs) -> Outputs:
    target.client("kms").create_alias(AliasName=inputs["name"], TargetKeyId=inputs["targetKeyId"])
    return {"id": inputs["name"], "name": inputs["name"]}


CREATORS: dict[str, Creator] = {"aws:kms/key:Key": _create_key, "aws:kms/alias:Alias": _create_alias}
