"""KMS keys and aliases."""

from __future__ import annotations

from local.resources.resource_type import Call, Read, ResourceType, Tagging

TYPES = (
    ResourceType(
        pulumi_type="aws:kms/key:Key",
        service="kms",
        create=Call(operation="create_key"),
        identifier=".KeyMetadata.KeyId",
        changes=(
            Call(
                operation="enable_key_rotation",
                parameters={"KeyId": "$id"},
                switch="enableKeyRotation",
                otherwise=Call(operation="disable_key_rotation", parameters={"KeyId": "$id"}),
            ),
            Call(operation="put_key_policy", parameters={"KeyId": "$id", "PolicyName": "default"}),
            Call(
                operation="update_key_description",
                parameters={"KeyId": "$id"},
                takes=frozenset({"description"}),
            ),
        ),
        reads=(
            # For Pulumi, a key that is scheduled for deletion is deleted.
            Read(
                operation="describe_key",
                parameters={"KeyId": "$id"},
                at="[KeyMetadata][?KeyState!='PendingDeletion'] | [0]",
            ),
            Read(
                operation="get_key_policy",
                parameters={"KeyId": "$id", "PolicyName": "default"},
            ),
            Read(
                operation="get_key_rotation_status",
                parameters={"KeyId": "$id"},
                renames={"enableKeyRotation": "KeyRotationEnabled"},
            ),
        ),
        deletes=(
            Call(
                operation="schedule_key_deletion",
                parameters={"KeyId": "$id", "PendingWindowInDays": "$deletionWindowInDays"},
                takes=frozenset(),
            ),
        ),
        tagging=Tagging(
            tag=Call(operation="tag_resource", parameters={"KeyId": "$id"}),
            untag=Call(operation="untag_resource", parameters={"KeyId": "$id", "TagKeys": "$tagKeys"}),
            read=Read(operation="list_resource_tags", parameters={"KeyId": "$id"}, at="Tags"),
        ),
        defaults={"deletionWindowInDays": 30},
        replaced_by=frozenset({"multiRegion"}),
        unset={"description": ""},
        provider_only=frozenset({"deletionWindowInDays"}),
    ),
    ResourceType(
        pulumi_type="aws:kms/alias:Alias",
        service="kms",
        create=Call(operation="create_alias"),
        identifier="$name",
        changes=(Call(operation="update_alias"),),
        reads=(
            Read(
                operation="list_aliases",
                at="Aliases[?AliasName=='$id'] | [0]",
                renames={"name": "AliasName", "arn": "AliasArn", "targetKeyId": "TargetKeyId"},
            ),
        ),
        deletes=(Call(operation="delete_alias"),),
        renames={"name": "AliasName"},
        name="name",
    ),
)
