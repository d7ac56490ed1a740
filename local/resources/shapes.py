"""Convert between Pulumi's inputs (camelCase) and the parameters and answers of AWS's calls.

The conversion uses the shapes in botocore's service models. A member has the input's name in another case,
unless `renames` has a different name. Renames map the dotted path of an input to the dotted path of its
member, relative to the member of the input's parent. A path through a list leads to its first item.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pulumi

from local.resources.hints import ListOf, MapOf, Structure

if TYPE_CHECKING:
    from local.resources.hints import Hint

Renames = Mapping[str, str]

Shape = Any
"""A shape of botocore; `type_name` is its kind."""


def find_member(shape: Shape, name: str, renames: Renames) -> str | None:
    """Return the path of the member for an input; None if the shape has none.

    Args:
        shape: The shape of the call's parameters.
        name: The input's name.
        renames: Names that differ.
    """
    path = renames.get(name)
    if path is None:
        return _alike(shape.members, name) if shape.type_name == "structure" else None
    here = shape
    for part in path.split("."):
        while here.type_name == "list":
            here = here.member
        if here.type_name == "map":
            here = here.value
        elif here.type_name == "structure" and part in here.members:
            here = here.members[part]
        else:
            return None
    return path


def place(parameters: dict[str, Any], shape: Shape, path: str, value: Any, renames: Renames) -> None:  # noqa: ANN401 - any input
    """Convert a value and add it to the parameters of a call.

    Args:
        parameters: The parameters, which are changed.
        shape: The shape of the parameters.
        path: The member's path in the shape.
        value: Pulumi's value.
        renames: Names in the value that differ.

    Raises:
        ValueError: The shape has no member for a part of the value, or the value has a wrong type.
    """
    here: Any = parameters
    parts = path.split(".")
    for number, part in enumerate(parts, start=1):
        if shape.type_name == "list":
            here = here[0] if here else here.append({}) or here[0]
            shape = shape.member
        shape = shape.value if shape.type_name == "map" else shape.members[part]
        if number == len(parts):
            here[part] = to_member(shape, value, renames)
        else:
            here = here.setdefault(part, [] if shape.type_name == "list" else {})


def to_member(shape: Shape, value: Any, renames: Renames) -> Any:  # noqa: ANN401 - any input
    """Convert a value of Pulumi for a member of a call; see `place`."""
    match shape.type_name:
        case "structure":
            return _to_structure(shape, value, renames)
        case "list":
            return _to_list(shape, value, renames)
        case "map":
            return {key: to_member(shape.value, item, {}) for key, item in value.items() if item is not None}
        case "integer" | "long":
            return int(value)
        case "float" | "double":
            return float(value)
        case "blob":
            return _archive_bytes(value)
        case "string":
            return _text(value)
        case _:
            return value


def _to_structure(shape: Shape, value: Any, renames: Renames) -> dict[str, Any]:  # noqa: ANN401 - any input
    if not isinstance(value, Mapping):
        (member,) = shape.members  # for example EC2's AttributeBooleanValue
        return {member: to_member(shape.members[member], value, renames)}
    converted: dict[str, Any] = {}
    for name, item in value.items():
        if item is None:
            continue
        path = find_member(shape, name, renames)
        if path is None:
            raise ValueError(f"{name}: AWS's {shape.name} has no such member, got {item!r}")
        place(converted, shape, path, item, within(renames, name))
    return converted


def _to_list(shape: Shape, value: Any, renames: Renames) -> list[Any]:  # noqa: ANN401 - any input
    if isinstance(value, Mapping) and (pair := _key_and_value(shape.member)):
        key, item = pair
        return [{key: name, item: _text(content)} for name, content in value.items()]
    # Pulumi's AWS provider represents a list of at most one item by the item.
    items = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    return [to_member(shape.member, item, renames) for item in items]


def from_answer(hint: Hint, value: Any, renames: Renames) -> Any:  # noqa: ANN401 - any output
    """Convert a value in AWS's answer to Pulumi's value.

    Args:
        hint: The type of Pulumi's value.
        value: AWS's value.
        renames: Names in the value that differ.
    """
    if isinstance(value, Mapping) and list(value) == ["Value"] and not isinstance(hint, Structure | MapOf):
        value = value["Value"]
    match hint:
        case _ if value is None:
            return None
        case Structure():
            value = (value[0] if value else {}) if isinstance(value, list) else value
            return values_of(hint, value, renames) if isinstance(value, Mapping) else None
        case MapOf():
            return {key: from_answer(hint.value, item, {}) for key, item in _items(value)}
        case ListOf():
            items = value if isinstance(value, list) else [value]
            return [from_answer(hint.item, item, renames) for item in items]
    if hint is str:
        return json.dumps(value) if isinstance(value, Mapping | list) else _text(value)
    if hint is bool:
        return value in (True, "true")
    if hint is int or hint is float:
        return hint(value)  # type: ignore[arg-type]
    return value


def values_of(hint: Structure, answer: Mapping[str, Any], renames: Renames) -> dict[str, Any]:
    """Return the values of a structure in AWS's answer; see `from_answer`."""
    found = {
        name: from_answer(part, _look_up(answer, renames.get(name), name), within(renames, name))
        for name, part in hint.members.items()
    }
    return {name: value for name, value in found.items() if value is not None}


def within(renames: Renames, name: str) -> dict[str, str]:
    """Return the renames within an input."""
    prefix = f"{name}."
    return {key.removeprefix(prefix): path for key, path in renames.items() if key.startswith(prefix)}


def key_values(answer: Any) -> dict[str, str]:  # noqa: ANN401 - any answer
    """Return the tags in an answer, which has a map or a list of keys and values."""
    return dict(_items(answer or {}))


def _items(value: Any) -> list[tuple[str, Any]]:  # noqa: ANN401 - any answer
    if isinstance(value, Mapping):
        return list(value.items())
    pairs = []
    for item in value:
        key, content = sorted(item, key=lambda member: member.endswith("Value"))
        pairs.append((item[key], item[content]))
    return pairs


def _look_up(answer: Any, path: str | None, name: str) -> Any:  # noqa: ANN401 - any answer
    if path is None:
        member = _alike(answer, name)
        return None if member is None else answer[member]
    here: Any = answer
    for part in path.split("."):
        while isinstance(here, list):
            here = here[0] if here else None
        if not isinstance(here, Mapping):
            return None
        here = here.get(part)
    return here


def _alike(members: Mapping[str, Any], name: str) -> str | None:
    """Return the member with a name, ignoring case: kmsMasterKeyId is KMSMasterKeyID for S3."""
    return next((member for member in members if member.lower() == name.lower()), None)


def _key_and_value(shape: Shape) -> tuple[str, str] | None:
    """Return the two members of a structure that is one entry of a map, such as a tag; otherwise None."""
    if shape.type_name != "structure" or len(shape.members) != 2:
        return None
    key, value = sorted(shape.members, key=lambda member: member.endswith("Value"))
    return (key, value) if key.endswith(("Key", "Name")) and value.endswith("Value") else None


def _text(value: Any) -> str:  # noqa: ANN401 - any scalar
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _archive_bytes(archive: pulumi.Archive) -> bytes:
    if not isinstance(archive, pulumi.FileArchive) or not Path(archive.path).is_file():
        raise ValueError(f"must be a FileArchive of a zip file, got {archive!r}")
    return Path(archive.path).read_bytes()
