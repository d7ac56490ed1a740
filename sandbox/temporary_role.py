"""A temporary IAM role, for questions about the permissions of others."""

import contextlib
import dataclasses
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import boto3
from botocore.exceptions import ClientError

from ops.deployed_stacks import Stack

POLLS = 12
POLL_SECONDS = 10.0
"""Changes of IAM are eventually consistent (IAM User Guide, "Troubleshoot IAM"), so calls are repeated."""


@contextlib.contextmanager
def temporary_role(
    stack: Stack, kind: str, policies: Mapping[str, Any], wait: Callable[[float], None]
) -> Iterator[Stack]:
    """Create a role, yield the stack with the role's credentials, and delete the role.

    The policies may not be in effect yet: repeat a call that is denied.

    Args:
        stack: The deployed region.
        kind: The role's kind in its name, which ends as the names of the stack's resources do.
        policies: The role's policies by name; they become inline policies.
        wait: Waits for a number of seconds.
    """
    iam, name = stack.client("iam"), stack.physical(kind)
    trust = {"Effect": "Allow", "Principal": {"AWS": stack.account}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]
    try:
        for policy, content in policies.items():
            iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=json.dumps(content))
        yield dataclasses.replace(stack, session=_assume(stack, role["Arn"], wait))
    finally:
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            iam.delete_role_policy(RoleName=name, PolicyName=policy)
        iam.delete_role(RoleName=name)


def repeat_until(expected: str, ask: Callable[[], str], wait: Callable[[float], None]) -> str:
    """Ask until the answer is the expected one, for about two minutes; return the last answer."""
    for _ in range(POLLS):
        if (answer := ask()) == expected:
            return answer
        wait(POLL_SECONDS)
    return ask()


def _assume(stack: Stack, role_arn: str, wait: Callable[[float], None]) -> boto3.Session:
    polls_left = POLLS
    while True:
        try:
            assumed = stack.client("sts").assume_role(RoleArn=role_arn, RoleSessionName="sandbox")
        except ClientError as error:
            polls_left -= 1
            if not polls_left or error.response["Error"]["Code"] != "AccessDenied":
                raise
            wait(POLL_SECONDS)
        else:
            keys = assumed["Credentials"]
            return boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
