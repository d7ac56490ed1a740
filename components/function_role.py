"""The function's IAM role; `function_permissions.py` has its policies."""

import json
from dataclasses import dataclass

import pulumi
from pulumi_aws import iam

from components.function_permissions import interface_policy
from components.names import Names


@dataclass(frozen=True, kw_only=True)
class FunctionRoleArgs:
    """Inputs of `FunctionRole`: names and tags."""

    names: Names


class FunctionRole(pulumi.ComponentResource):
    """The role, with the policy for releasing network interfaces.

    The policies of bucket and network name the role, so it is created before them. The rest of its
    permissions name bucket and network, so they are created with the function.
    """

    arn: pulumi.Output[str]
    name: pulumi.Output[str]
    interface_policy: iam.RolePolicy
    """The subnets and the security group must depend on it, so that it is deleted after them."""

    def __init__(self, name: str, args: FunctionRoleArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("regional-analytics:index:FunctionRole", name, None, opts)
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
        role = iam.Role(
            f"{name}-role",
            name=args.names.physical("lambda-role"),
            description="Assumed by the function that converts uploads",
            assume_role_policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
            tags=args.names.tags("lambda-role"),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.interface_policy = iam.RolePolicy(
            f"{name}-interface-policy",
            name="lambda-network-interfaces",
            role=role.name,
            policy=json.dumps(interface_policy(args.names)),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.arn = role.arn
        self.name = role.name
        self.register_outputs({"arn": self.arn, "name": self.name})
