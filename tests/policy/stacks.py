"""The project's stacks as input of the rules, and functions that break them."""

import dataclasses
import functools
import json
from collections.abc import Callable
from typing import Any

import pulumi

from policy.rules import Resource, Stack
from tests.program.evaluation import STACKS, evaluate

MODES = {False: "AWS's keys", True: "a key of its own"}
"""The two kinds of encryption, by the setting customerManagedKey."""


@functools.cache
def evaluated(region: str, *, customer_managed_key: bool = False) -> Stack:
    """Evaluate the program for the stack of a region. It deploys every dataset of the repository."""
    return evaluated_with(region, customerManagedKey=json.dumps(customer_managed_key), datasets='["*"]')


def evaluated_with(region: str, **settings: str) -> Stack:
    """Evaluate the program with settings, and with the stack's outputs as an additional resource."""
    overrides = {f"regional-analytics:{key}": value for key, value in settings.items()}
    evaluation = evaluate(region, overrides)
    resources = [
        Resource(
            type=recorded.type,
            name=recorded.name,
            urn=recorded.urn,
            protect=recorded.protect,
            properties=_plain({**recorded.state, **recorded.inputs, "id": recorded.id}),
        )
        for recorded in evaluation.resources
    ]
    outputs = Resource(type="pulumi:pulumi:Stack", name=region, properties=_plain(evaluation.outputs))
    # The engine creates the default provider from the `aws:` keys.
    provider = Resource(type="pulumi:providers:aws", name="default", properties={"region": region})
    return Stack(region=region, resources=(provider, *resources, outputs))


def every() -> list[tuple[str, bool]]:
    """Return each stack with each kind of encryption."""
    return [(region, own_key) for own_key in MODES for region in STACKS]


def one(stack: Stack, type_: str, part: str = "") -> Resource:
    """Return the first resource of a type (`s3/bucket:Bucket`) whose name contains the part."""
    return next(resource for resource in stack.of(f"aws:{type_}") if part in resource.name)


def changed(type_: str, part: str = "", /, **properties: Any) -> Callable[[Stack], Stack]:
    """Change properties of one resource."""
    return lambda stack: _replaced(
        stack, one(stack, type_, part), lambda old: {"properties": {**old.properties, **properties}}
    )


def unprotected(type_: str) -> Callable[[Stack], Stack]:
    """Remove one resource's protection by Pulumi."""
    return lambda stack: _replaced(stack, one(stack, type_), lambda _: {"protect": False})


def edited(
    type_: str, part: str, edit: Callable[[list[dict[str, Any]]], None], *, document: str = "policy"
) -> Callable[[Stack], Stack]:
    """Edit the statements of one resource's policy document."""

    def change(old: Resource) -> dict[str, Any]:
        content = json.loads(old.properties[document])
        edit(content["Statement"])
        return {"properties": {**old.properties, document: json.dumps(content)}}

    return lambda stack: _replaced(stack, one(stack, type_, part), change)


def without(type_: str, part: str = "") -> Callable[[Stack], Stack]:
    """Leave one resource out."""

    def leave_out(stack: Stack) -> Stack:
        left_out = one(stack, type_, part)
        return dataclasses.replace(
            stack, resources=tuple(resource for resource in stack.resources if resource is not left_out)
        )

    return leave_out


def with_one_more(type_: str, /, **properties: Any) -> Callable[[Stack], Stack]:
    """Add a resource of any type."""
    added = Resource(type=type_, name="added", urn="urn:added", properties=properties)
    return lambda stack: dataclasses.replace(stack, resources=(*stack.resources, added))


def _replaced(stack: Stack, old: Resource, change: Callable[[Resource], dict[str, Any]]) -> Stack:
    new = dataclasses.replace(old, **change(old))
    return dataclasses.replace(
        stack, resources=tuple(new if resource is old else resource for resource in stack.resources)
    )


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return value.path if isinstance(value, pulumi.FileArchive) else value
