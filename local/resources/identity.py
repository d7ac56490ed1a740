"""Roles and their policies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.resources.target import given, key_values

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.resources.target import Creator, Inputs, Outputs, Target


def _create_role(target: Target, inputs: Inputs) -> Outputs:
    created = target.client("iam").create_role(
        RoleName=inputs["name"],
        AssumeRolePolicyDocument=inputs["assumeRolePolicy"],
        Tags=key_values(inputs.get("tags")),
        **given(
            Description=inputs.get("description"),
            MaxSessionDuration=inputs.get("maxSessionDuration"),
            PermissionsBoundary=inputs.get("permissionsBoundary"),
        ),
    )["Role"]
    return {
        "id": inputs["name"],
        "name": inputs["name"],
        "arn": created["Arn"],
        "uniqueId": created["RoleId"],
    }


def _create_role_policy(target: Target, inputs: Inputs) -> Outputs:
    target.client("iam").put_role_policy(
        RoleName=inputs["role"], PolicyName=inputs["name"], PolicyDocument=inputs["policy"]
    )
    return {"id": f"{inputs['role']}:{inputs['name']}", "name": inputs["name"]}


def _create_role_policy_attachment(target: Target, inputs: Inputs) -> Outputs:
    target.client("iam").attach_role_policy(RoleName=inputs["role"], PolicyArn=inputs["policyArn"])
    return {"id": f"{inputs['role']}/{inputs['policyArn']}"}


def _get_region(target: Target) -> Outputs:
    return {"id": target.region, "name": target.region, "region": target.region}


def _get_caller_identity(target: Target) -> Outputs:
    caller = target.client("sts").get_caller_identity()
    return {
        "id": caller["Account"],
        "accountId": caller["Account"],
        "arn": caller["Arn"],
        "userId": caller["UserId"],
    }


FUNCTIONS: dict[str, Callable[[Target], Outputs]] = {
    "aws:index/getRegion:getRegion": _get_region,
    "aws:index/getCallerIdentity:getCallerIdentity": _get_caller_identity,
}

CREATORS: dict[str, Creator] = {
    "aws:iam/role:Role": _create_role,
    "aws:iam/rolePolicy:RolePolicy": _create_role_policy,
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": _create_role_policy_attachment,
}
