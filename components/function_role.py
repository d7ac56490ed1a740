"""The identity that the function runs under; `permissions.py` has what it may do."""

import json
from dataclasses import dataclass

import pulumi
from pulumi_aws import iam

from components.names import Names
from components.permissions import interface_policy


@dataclass(frozen=True, kw_only=True)
class FunctionRoleArgs:
    """Names and tags of the role."""

    names: Names


class FunctionRole(pulumi.ComponentResource):
    """A role that may give network interfaces back, and nothing else yet.

    The policies of bucket, key and network name the role, so it exists before them. The rest of its rights
    names them, and comes with the function.
    """

    arn: pulumi.Output[str]
    name: pulumi.Output[str]
    interface_policy: iam.RolePolicy
    """Must outlive the function's subnets and security group, which must so depend on it."""

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
