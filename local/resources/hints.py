"""The arguments and outputs of a resource type, and their types, from the type hints of pulumi_aws."""

from __future__ import annotations

import functools
import importlib
import inspect
import keyword
import sys
import threading
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi import _types as pulumi_types


@dataclass(frozen=True, kw_only=True)
class Structure:
    """Named values: the arguments of a resource, or of a part of a resource.

    Attributes:
        members: The hint of each value, by Pulumi's name for it (camelCase).
        required: Names of required values.
    """

    members: Mapping[str, Hint]
    required: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ListOf:
    """A list of values of one type."""

    item: Hint


@dataclass(frozen=True)
class MapOf:
    """Values of one type by keys that the user chooses, such as tags."""

    value: Hint


Hint = Structure | ListOf | MapOf | type
"""The type of a value: a class above, `str`, `bool`, `int`, `float`, `pulumi.Archive` or `object`."""


class Unknown:
    """A value that is unknown during a preview."""

    def __repr__(self) -> str:
        return "(known after deployment)"


UNKNOWN = Unknown()

_importing = threading.Lock()
"""pulumi_aws imports its modules lazily, which is not safe in several threads."""


@functools.cache
def arguments(token: str) -> Structure:
    """Return the arguments of a resource type.

    Args:
        token: The type's token, for example `aws:sqs/queue:Queue`.

    Raises:
        LookupError: pulumi_aws has no such type.
    """
    declared = _locate(token)
    own = vars(sys.modules[declared.__module__])
    # A class has the longer name if a part of another resource has the shorter one.
    args = own.get(f"{declared.__name__}InitArgs") or own[f"{declared.__name__}Args"]
    return _structure(args)


@functools.cache
def outputs(token: str) -> Structure:
    """Return the outputs of a resource type; see `arguments`."""
    members = pulumi_types.resource_types(_locate(token))
    return Structure(members={output: _hint(hint) for output, hint in members.items()})


def problems(hint: Hint, value: Any, path: str = "") -> Iterator[str]:  # noqa: ANN401 - any input
    """Yield the problems of a value; each names the argument and the wrong value."""
    match hint, value:
        case _, Unknown():
            return
        case Structure(), Mapping():
            yield from _structure_problems(hint, value, path)
        case ListOf(), Sequence() if not isinstance(value, str):
            for number, item in enumerate(value):
                yield from problems(hint.item, item, f"{path}[{number}]")
        case MapOf(), Mapping():
            for key, item in value.items():
                yield from problems(hint.value, item, f"{path}[{key!r}]")
        case type(), _ if _is_scalar(hint, value):
            return
        case _:
            yield f"{path}: must be {_in_words(hint)}, got {value!r}"


def _structure_problems(hint: Structure, value: Mapping[str, Any], path: str) -> Iterator[str]:
    prefix = f"{path}." if path else ""
    for name in sorted(hint.required):
        if value.get(name) is None:
            yield f"{prefix}{name}: must be given"
    for name, item in value.items():
        if name not in hint.members:
            yield f"{prefix}{name}: pulumi_aws has no such argument, got {item!r}"
        elif item is not None:
            yield from problems(hint.members[name], item, f"{prefix}{name}")


def _locate(token: str) -> type:
    """Import the class of a type in pulumi_aws."""
    _, module, name = token.split(":")
    module = module.partition("/")[0]
    module = f"{module}_" if keyword.iskeyword(module) else module
    try:
        with _importing:
            declared = getattr(importlib.import_module(f"pulumi_aws.{module}"), name)
        if declared.pulumi_type == token:
            return declared
    except (ImportError, AttributeError):
        pass
    raise LookupError(f"pulumi_aws has no resource type {token}")


@functools.cache
def _structure(args: type) -> Structure:
    names = pulumi_types.input_type_py_to_pulumi_names(args)
    parameters = inspect.signature(args.__init__).parameters.values()
    return Structure(
        members={name: _hint(hint) for name, hint in pulumi_types.input_type_types(args).items()},
        required=frozenset(
            names[parameter.name]
            for parameter in parameters
            if parameter.name in names and parameter.default is parameter.empty
        ),
    )


def _hint(declared: Any) -> Hint:  # noqa: ANN401 - a type hint
    """Convert a type hint of pulumi_aws, without outputs and None."""
    origin, parts = typing.get_origin(declared), typing.get_args(declared)
    if origin is typing.Union:
        return _hint(parts[0])
    if origin is not None and issubclass(origin, Mapping):
        return MapOf(_hint(parts[1]))
    if origin is not None and issubclass(origin, Sequence):
        return ListOf(_hint(parts[0]))
    if isinstance(declared, type) and pulumi_types.is_input_type(declared):
        return _structure(declared)
    if isinstance(declared, type) and pulumi_types.is_output_type(declared):
        members = pulumi_types.output_type_types(declared)
        return Structure(members={name: _hint(hint) for name, hint in members.items()})
    if isinstance(declared, type) and issubclass(declared, pulumi.Archive | bool | int | float | str):
        return declared
    return object


def _is_scalar(hint: type, value: Any) -> bool:  # noqa: ANN401 - any input
    if hint is int:
        return isinstance(value, int | float) and not isinstance(value, bool) and value == int(value)
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, hint)


def _in_words(hint: Hint) -> str:
    match hint:
        case Structure():
            return f"an object with {', '.join(sorted(hint.members))}"
        case ListOf():
            return "a list"
        case MapOf():
            return "a map"
    return {
        str: "text",
        bool: "true or false",
        int: "a whole number",
        float: "a number",
        pulumi.Archive: "an archive",
    }.get(hint, hint.__name__)
