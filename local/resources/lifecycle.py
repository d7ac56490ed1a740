"""Create, read, update and delete a resource of any declared type through AWS's API."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import botocore.session
import jmespath
from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError

from local.resources import hints, shapes
from local.resources.differences import differs
from local.resources.resource_type import KEPT, Call, Read, ResourceType, fill, parse

if TYPE_CHECKING:
    from random import Random

    from local.resources.resource_type import Step, Values
    from local.resources.target import Target

Inputs = Mapping[str, Any]

_MISSING = re.compile("NotFound|NoSuch|NonExistent|DoesNotExist|^404$")
"""Parts of the error codes for a resource that does not exist."""

_OF_EVERY_TYPE = frozenset({"region", "tags"})
"""Inputs that this module handles for every type."""


@dataclass(frozen=True, kw_only=True)
class Resource:
    """A resource that exists.

    Attributes:
        identifier: Its id.
        values: Its inputs and outputs.
    """

    identifier: str
    values: dict[str, Any]


class PartlyCreatedError(Exception):
    """AWS created the resource, and then refused a part of it.

    Attributes:
        resource: The resource that exists.
    """

    def __init__(self, resource: Resource, reason: Exception) -> None:
        super().__init__(str(reason))
        self.resource = resource


@dataclass(frozen=True, kw_only=True)
class Changes:
    """The changes of an update.

    Attributes:
        names: Inputs that differ.
        replaced_by: Inputs that differ and require a replacement.
        deletes_first: Whether the old one must be deleted before the new one can be created.
    """

    names: frozenset[str]
    replaced_by: frozenset[str]
    deletes_first: bool


def problems(kind: ResourceType, inputs: Inputs) -> list[str]:
    """Return the problems of inputs: values that pulumi_aws or the type's declaration does not allow."""
    found = list(hints.problems(hints.arguments(kind.pulumi_type), inputs))
    known = known_inputs(kind)
    return found + [
        f"{name}: not known to local/resources, got {value!r}"
        for name, value in inputs.items()
        if value is not None and name in hints.arguments(kind.pulumi_type).members and name not in known
    ]


def known_inputs(kind: ResourceType) -> frozenset[str]:
    """Return the inputs that the type's calls or the provider use."""
    taken = _OF_EVERY_TYPE if kind.tagging else frozenset({"region"})
    calls = [step for step in (kind.create, *kind.changes) if isinstance(step, Call)]
    return (
        taken
        | kind.provider_only
        | kind.defaults.keys()
        | {one for call in calls for one in _takes(kind, call)}
    )


def with_name(kind: ResourceType, logical_name: str, inputs: Inputs, random: Random) -> dict[str, Any]:
    """Return the inputs with a physical name, which is generated as by Pulumi if the program gives none.

    Args:
        kind: The resource's type.
        logical_name: The resource's name in the program.
        inputs: The program's inputs.
        random: Source of the seven random digits at the end of the name.
    """
    if kind.name is None or inputs.get(kind.name) is not None:
        return {**inputs, "__defaults": []}
    generated = f"{logical_name}-{random.getrandbits(28):07x}"
    return {**inputs, kind.name: generated, "__defaults": [kind.name]}


def create(kind: ResourceType, target: Target, inputs: Inputs) -> Resource:
    """Create a resource, and read it.

    Raises:
        botocore.exceptions.ClientError: AWS refuses.
        PartlyCreatedError: AWS refuses something after the resource exists.
        ValueError: No call has a parameter for a value.
    """
    given = {**kind.defaults, **_given(inputs)}
    if kind.tagging and (tags := {**target.default_tags, **(given.pop("tags", None) or {})}):
        given["tags"] = tags
    answer = _run(kind, kind.create, target, _values(target, given))
    taken = _takes(kind, kind.create) if isinstance(kind.create, Call) else kind.provider_only
    identifier = (
        jmespath.search(kind.identifier[1:], answer)
        if kind.identifier.startswith(".")
        else fill(kind.identifier, _values(target, given))
    )
    known = {**given, "tags": inputs["tags"]} if inputs.get("tags") else given
    try:
        for change in kind.changes:
            if any(given.get(name) for name in _takes(kind, change) - taken):
                _run(kind, change, target, _values(target, given, identifier))
        if kind.tagging and "tags" not in taken and given.get("tags"):
            _retag(kind, target, _values(target, given, identifier), {}, given["tags"])
    except (BotoCoreError, ClientError) as error:
        there = read(kind, target, identifier, known)
        if there is None:
            raise
        raise PartlyCreatedError(there, error) from error
    created = read(kind, target, identifier, known)
    if created is None:
        raise LookupError(f"{identifier} was created, and then not found")
    return created


def read(kind: ResourceType, target: Target, identifier: str, known: Inputs | None = None) -> Resource | None:
    """Read a resource from AWS.

    Args:
        kind: Its type.
        target: Its region and account.
        identifier: Its id.
        known: Its previous values, for those that AWS does not return; None if only the id is known.

    Returns:
        The resource; None if it does not exist.
    """
    known = {**_parts(kind, identifier), **(known or {})}
    kept = {name: value for name, value in known.items() if name not in kind.unset}
    values = _values(target, {**kind.outputs, **known}, identifier)
    members = hints.Structure(
        members={**hints.outputs(kind.pulumi_type).members, **hints.arguments(kind.pulumi_type).members}
    )
    found: dict[str, Any] = {}
    for part in kind.reads:
        answer = _read(kind, part, target, {**values, **found})
        if answer is None:
            if part.optional:
                continue
            return None
        renames = kind.renames if part.renames is None else part.renames
        found |= shapes.values_of(members, answer, renames)
    found = {**kept, **found}
    for name, template in kind.outputs.items():
        found[name] = fill(template, {**values, **found})
    if kind.tagging:
        tags = _read(kind, kind.tagging.read, target, {**values, **found})
        found["tagsAll"] = {
            key: value for key, value in shapes.key_values(tags).items() if not key.startswith("aws:")
        }
        found["tags"] = {
            key: value
            for key, value in found["tagsAll"].items()
            if key in (known.get("tags") or {}) or target.default_tags.get(key) != value
        }
    return Resource(identifier=identifier, values={**found, "region": target.region})


def changes(kind: ResourceType, target: Target, values: Inputs, olds: Inputs, news: Inputs) -> Changes:
    """Return the changes that an update would make.

    Args:
        kind: The resource's type.
        target: Its region and account.
        values: Its inputs and outputs, as they were read last.
        olds: Its previous inputs.
        news: Its new inputs.

    Raises:
        ValueError: An input differs, and the type's declaration has no call that changes it.
    """
    arguments = hints.arguments(kind.pulumi_type).members
    names = set()
    for name in _given(olds).keys() | _given(news).keys():
        new = news.get(name, kind.defaults.get(name))
        if new is None and kind.unset.get(name) is KEPT:
            continue
        if name == "tags" and kind.tagging:
            wanted = {**target.default_tags, **(new or {})}
            if differs(arguments[name], values.get("tagsAll"), None, wanted):
                names.add(name)
        elif name in arguments and differs(
            arguments[name], values.get(name), olds.get(name), new, ordered=name in kind.ordered
        ):
            names.add(name)
    if kind.tagging and differs(
        arguments["tags"], values.get("tagsAll"), None, {**target.default_tags, **(news.get("tags") or {})}
    ):
        names.add("tags")
    replaced_by = names & (kind.replaced_by | {kind.name, "region"})
    removed = {name for name in names if news.get(name, kind.defaults.get(name)) is None}
    stuck = (names - _changeable(kind, removed)) - _OF_EVERY_TYPE
    if not replaced_by and stuck:
        raise ValueError(
            f"local/resources does not know how AWS changes {', '.join(sorted(stuck))} of {kind.pulumi_type}"
        )
    # pulumi-terraform-bridge, nameRequiresDeleteBeforeReplace: if the program gives the name.
    named = kind.name is not None and kind.name not in news.get("__defaults", ())
    return Changes(
        names=frozenset(names),
        replaced_by=frozenset(replaced_by),
        deletes_first=bool(replaced_by) and named,
    )


def update(kind: ResourceType, target: Target, resource: Resource, olds: Inputs, news: Inputs) -> Resource:
    """Update a resource in place, and read it.

    Args:
        kind: Its type.
        target: Its region and account.
        resource: The resource before the update.
        olds: Its previous inputs.
        news: Its new inputs.

    Raises:
        botocore.exceptions.ClientError: AWS refuses.
        LookupError: The resource does not exist.
    """
    changed = changes(kind, target, resource.values, olds, news).names
    removed = {
        name: kind.unset[name]
        for name in changed
        if news.get(name) is None and kind.unset.get(name, KEPT) is not KEPT
    }
    given = {**kind.defaults, **_given(news), **removed}
    given.pop("tags", None)
    values = _values(target, {**resource.values, **given}, resource.identifier)
    for change in kind.changes:
        takes = _takes(kind, change)
        if not takes & changed:
            continue
        needed = change if any(given.get(name) or name in removed for name in takes) else change.otherwise
        _run(kind, needed or change, target, values, given)
    if "tags" in changed:
        wanted = {**target.default_tags, **(news.get("tags") or {})}
        _retag(kind, target, values, resource.values.get("tagsAll") or {}, wanted)
    gone = changed - _given(news).keys()
    known = {name: value for name, value in {**values, **news}.items() if name not in gone}
    updated = read(kind, target, resource.identifier, known)
    if updated is None:
        raise LookupError(f"{resource.identifier} no longer exists")
    return updated


def delete(kind: ResourceType, target: Target, resource: Resource) -> None:
    """Delete a resource; it is no error if it does not exist.

    Raises:
        botocore.exceptions.ClientError: AWS refuses.
    """
    values = _values(target, resource.values, resource.identifier)
    for step in kind.deletes:
        try:
            _run(kind, step, target, values)
        except ClientError as error:
            if not is_missing(error):
                raise


def _parts(kind: ResourceType, identifier: str) -> dict[str, str]:
    """Return the inputs and outputs that a resource's id contains."""
    template = kind.parts or kind.identifier
    if template.startswith("."):
        return {}
    members = hints.outputs(kind.pulumi_type).members
    return {name: part for name, part in parse(template, identifier).items() if name in members}


def is_missing(error: ClientError) -> bool:
    """Return whether an error means that the resource does not exist."""
    return bool(_MISSING.search(error.response["Error"]["Code"]))


def _changeable(kind: ResourceType, removed: set[str]) -> set[str]:
    """Return the inputs that an update can change or remove."""
    changeable = set(kind.provider_only)
    for change in kind.changes:
        takes = _takes(kind, change)
        puts_all = isinstance(kind.create, Call) and change.operation == kind.create.operation
        changeable |= takes if puts_all or change.otherwise else takes - (removed - kind.unset.keys())
    return changeable


def _given(inputs: Inputs) -> dict[str, Any]:
    """Return the inputs with a value, without Pulumi's own (`__defaults`)."""
    return {name: value for name, value in inputs.items() if value is not None and not name.startswith("__")}


def _values(target: Target, values: Inputs, identifier: str | None = None) -> dict[str, Any]:
    """Return the values that templates may name."""
    return {
        **values,
        "id": identifier,
        "region": target.region,
        "account": target.account,
        "partition": target.partition,
    }


def _takes(kind: ResourceType, call: Call) -> frozenset[str]:
    """Return the inputs that a call takes."""
    if call.switch:
        return frozenset({call.switch})
    if call.takes is not None:
        return call.takes
    shape = _shape(kind.service, call.operation)
    renames = kind.renames if call.renames is None else call.renames
    return frozenset(
        name
        for name in hints.arguments(kind.pulumi_type).members
        if shapes.find_member(shape, name, renames) is not None and name != "region"
    )


def _run(kind: ResourceType, step: Step, target: Target, values: Values, inputs: Inputs | None = None) -> Any:  # noqa: ANN401 - boto3's answer
    """Make a call, or run a function of the declaration.

    Args:
        kind: The resource's type.
        step: The call or function.
        target: Its region and account.
        values: The values that templates may name.
        inputs: The inputs that the call may take; `values` by default.
    """
    given = values if inputs is None else inputs
    if not isinstance(step, Call):
        return step(target, values)
    renames = kind.renames if step.renames is None else step.renames
    shape = _shape(kind.service, step.operation)
    parameters: dict[str, Any] = {}
    for path, template in step.parameters.items():
        shapes.place(parameters, shape, path, fill(template, values), {})
    for name in () if step.switch else sorted(_takes(kind, step)):
        if given.get(name) is None:
            continue
        path = shapes.find_member(shape, name, renames)
        if path is None:
            raise ValueError(f"{name}: {step.operation} has no member for it")
        try:
            shapes.place(parameters, shape, path, given[name], shapes.within(renames, name))
        except (AttributeError, TypeError, ValueError) as error:
            raise ValueError(f"{name}: {error}") from error
    if step.prepare:
        step.prepare(target, values, parameters)
    return getattr(target.service(kind.service), step.operation)(**parameters)


def _read(kind: ResourceType, part: Read, target: Target, values: Values) -> Any:  # noqa: ANN401 - boto3's answer
    """Return the answer of a reading call; None if the resource does not exist."""
    shape = _shape(kind.service, part.operation)
    parameters: dict[str, Any] = {}
    for path, template in part.parameters.items():
        shapes.place(parameters, shape, path, fill(template, values), {})
    try:
        answer = getattr(target.service(kind.service), part.operation)(**parameters)
    except ClientError as error:
        if is_missing(error):
            return None
        raise
    return jmespath.search(fill(part.at, values), answer)


def _retag(
    kind: ResourceType, target: Target, values: Values, olds: Mapping[str, str], news: Mapping[str, str]
) -> None:
    """Set new and changed tags, and remove others."""
    tagging = kind.tagging
    if tagging is None:
        return
    if tagging.untag is None:
        _run(kind, tagging.tag, target, {**values, "tags": news})
        return
    if removed := sorted(olds.keys() - news.keys()):
        shape = _shape(kind.service, tagging.untag.operation)
        parameters: dict[str, Any] = {}
        for path, template in tagging.untag.parameters.items():
            shapes.place(parameters, shape, path, fill(template, {**values, "tagKeys": removed}), {})
        getattr(target.service(kind.service), tagging.untag.operation)(**parameters)
    if set_ := {key: value for key, value in news.items() if olds.get(key) != value}:
        _run(kind, tagging.tag, target, {**values, "tags": set_})


_session = botocore.session.Session()
_shapes: dict[tuple[str, str], Any] = {}


def _shape(service: str, operation: str) -> Any:  # noqa: ANN401 - botocore's
    """Return the shape of an operation's parameters."""
    if (service, operation) not in _shapes:
        model: Any = _session.get_service_model(service)
        for name in model.operation_names:
            _shapes[service, xform_name(name)] = model.operation_model(name).input_shape
    return _shapes[service, operation]
