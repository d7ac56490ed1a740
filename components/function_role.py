"""The identity that the function runs under. What it may do is `permissions.py`."""

import json
from dataclasses import dataclass

import pulumi
from pulumi_aws import iam

from components.names import Names


@dataclass(frozen=True, kw_only=True)
class FunctionRoleArgs:
    """Names and tags of the role."""

    names: Names


class FunctionRole(pulumi.ComponentResource):
    """A role without permissions yet: the policies of the bucket, the key and the network name it first."""

    arn: pulumi.Output[str]
    name: pulumi.Output[str]

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
        self.arn = role.arn
        self.name = role.name
        self.register_outputs({"arn": self.arn, "name": self.name})
