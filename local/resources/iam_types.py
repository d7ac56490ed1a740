"""Roles and their policies."""

from __future__ import annotations

from local.resources.resource_type import Call, Read, ResourceType, Tagging

_PUT_ROLE_POLICY = Call(operation="put_role_policy")

TYPES = (
    ResourceType(
        pulumi_type="aws:iam/role:Role",
        service="iam",
        create=Call(operation="create_role"),
        identifier="$name",
        changes=(
            Call(operation="update_role", parameters={"RoleName": "$id"}),
            Call(
                operation="update_assume_role_policy",
                parameters={"RoleName": "$id"},
                takes=frozenset({"assumeRolePolicy"}),
                renames={"assumeRolePolicy": "PolicyDocument"},
            ),
            Call(
                operation="put_role_permissions_boundary",
                parameters={"RoleName": "$id"},
                takes=frozenset({"permissionsBoundary"}),
                otherwise=Call(
                    operation="delete_role_permissions_boundary",
                    parameters={"RoleName": "$id"},
                    takes=frozenset(),
                ),
            ),
        ),
        reads=(
            Read(
                operation="get_role",
                parameters={"RoleName": "$id"},
                at="merge(Role, {PermissionsBoundary: Role.PermissionsBoundary.PermissionsBoundaryArn})",
            ),
        ),
        deletes=(Call(operation="delete_role", parameters={"RoleName": "$id"}),),
        tagging=Tagging(
            tag=Call(operation="tag_role", parameters={"RoleName": "$id"}),
            untag=Call(operation="untag_role", parameters={"RoleName": "$id", "TagKeys": "$tagKeys"}),
            read=Read(operation="list_role_tags", parameters={"RoleName": "$id"}, at="Tags"),
        ),
        renames={
            "name": "RoleName",
            "uniqueId": "RoleId",
            "assumeRolePolicy": "AssumeRolePolicyDocument",
        },
        name="name",
        unset={"description": ""},
    ),
    ResourceType(
        pulumi_type="aws:iam/rolePolicy:RolePolicy",
        service="iam",
        create=_PUT_ROLE_POLICY,
        identifier="$role:$name",
        changes=(_PUT_ROLE_POLICY,),
        reads=(Read(operation="get_role_policy", parameters={"RoleName": "$role", "PolicyName": "$name"}),),
        deletes=(Call(operation="delete_role_policy"),),
        renames={"role": "RoleName", "name": "PolicyName", "policy": "PolicyDocument"},
        name="name",
        replaced_by=frozenset({"role"}),
    ),
    ResourceType(
        pulumi_type="aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        service="iam",
        create=Call(operation="attach_role_policy"),
        identifier="$role/$policyArn",
        reads=(
            Read(
                operation="list_attached_role_policies",
                parameters={"RoleName": "$role"},
                at="AttachedPolicies[?PolicyArn=='$policyArn'].{PolicyArn: PolicyArn} | [0]",
            ),
        ),
        deletes=(Call(operation="detach_role_policy"),),
        renames={"role": "RoleName"},
        replaced_by=frozenset({"role", "policyArn"}),
    ),
)
