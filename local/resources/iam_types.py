"""IAM roles and policies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.resources.resource_type import Call, Read, ResourceType, Tagging

if TYPE_CHECKING:
    from local.resources.resource_type import Values
    from local.resources.target import Target


def _delete_older_versions(target: Target, values: Values, parameters: dict[str, Any]) -> None:  # noqa: ARG001 - the signature of Call.prepare
    """Delete unused versions of a managed policy, which has at most five and must have one to be deleted."""
    iam = target.service("iam")
    for version in iam.list_policy_versions(PolicyArn=values["id"])["Versions"]:
        if not version["IsDefaultVersion"]:
            iam.delete_policy_version(PolicyArn=values["id"], VersionId=version["VersionId"])


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
    ResourceType(
        pulumi_type="aws:iam/policy:Policy",
        service="iam",
        create=Call(operation="create_policy"),
        identifier=".Policy.Arn",
        parts="$_:policy/$name",
        changes=(
            Call(
                operation="create_policy_version",
                parameters={"PolicyArn": "$id", "SetAsDefault": True},
                takes=frozenset({"policy"}),
                prepare=_delete_older_versions,
            ),
        ),
        reads=(
            Read(operation="get_policy", parameters={"PolicyArn": "$id"}, at="Policy"),
            # GetPolicyVersion needs the id of the default version.
            Read(
                operation="get_account_authorization_details",
                parameters={"Filter": ["LocalManagedPolicy"]},
                at="Policies[?Arn=='$id'].PolicyVersionList[] | [?IsDefaultVersion] | [0]",
                renames={"policy": "Document"},
            ),
        ),
        deletes=(
            Call(
                operation="delete_policy",
                parameters={"PolicyArn": "$id"},
                takes=frozenset(),
                prepare=_delete_older_versions,
            ),
        ),
        tagging=Tagging(
            tag=Call(operation="tag_policy", parameters={"PolicyArn": "$id"}),
            untag=Call(operation="untag_policy", parameters={"PolicyArn": "$id", "TagKeys": "$tagKeys"}),
            read=Read(operation="list_policy_tags", parameters={"PolicyArn": "$id"}, at="Tags"),
        ),
        renames={"name": "PolicyName", "policy": "PolicyDocument", "policyId": "PolicyId"},
        outputs={"arn": "$id"},
        name="name",
        replaced_by=frozenset({"description"}),
    ),
)
