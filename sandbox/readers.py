"""Queries of a reader: a role that has the policy of the dataset's readers and nothing else."""

import copy
from collections.abc import Callable
from typing import Any

from ops.deployed_stacks import Stack
from sandbox import orders
from sandbox.temporary_role import repeat_until, temporary_role

QUERIES_SUCCEED = "table: yes; view: yes"
MAYBE_UNUSED = (
    "athena:GetDataCatalog",
    "glue:BatchGetPartition",
    "glue:GetPartition",
    "glue:GetPartitions",
)
"""Actions for consoles and drivers. It is not documented whether a query needs them."""


def with_policy(stack: Stack, wait: Callable[[float], None]) -> str:
    """Query table and view with the deployed policy."""
    return _queries(stack, "reader", _policy(stack), wait)


def with_fewer_actions(stack: Stack, wait: Callable[[float], None]) -> str:
    """Query table and view with the deployed policy without the actions of `MAYBE_UNUSED`."""
    return _queries(stack, "reader-minimum", _without(_policy(stack), MAYBE_UNUSED), wait)


def _policy(stack: Stack) -> dict[str, Any]:
    """Return the document of the dataset's managed policy."""
    iam, arn = stack.client("iam"), stack.datasets[orders.DATASET]["readerPolicyArn"]
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    return iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]


def _queries(stack: Stack, kind: str, policy: dict[str, Any], wait: Callable[[float], None]) -> str:
    """Query table and view in a temporary role with this policy."""
    with temporary_role(stack, kind, {"read": policy}, wait) as reader:

        def ask() -> str:
            table, view = orders.outcome(reader, orders.OF_TABLE), orders.outcome(reader, orders.OF_VIEW)
            return f"table: {table}; view: {view}"

        return repeat_until(QUERIES_SUCCEED, ask, wait)


def _without(document: dict[str, Any], actions: tuple[str, ...]) -> dict[str, Any]:
    """Return a policy without some actions, and without statements that then allow nothing."""
    changed = copy.deepcopy(document)
    for statement in changed["Statement"]:
        statement["Action"] = [action for action in statement["Action"] if action not in actions]
    changed["Statement"] = [statement for statement in changed["Statement"] if statement["Action"]]
    return changed
