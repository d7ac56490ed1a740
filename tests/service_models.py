"""Holds the calls of AWS's API to what botocore's service models say of their parameters.

The models have AWS's own patterns, enumerations, lengths and ranges. botocore checks only names, types and
required parameters by them, and the embedded AWS takes much that AWS refuses.
"""

import functools
from collections.abc import Iterator, Mapping
from typing import Any

import botocore.handlers
import regex
from botocore.exceptions import ParamValidationError

_EVENT = "before-parameter-build"


def hold_every_client() -> None:
    """Have each session of botocore that is made from now on refuse a call that its model forbids."""
    registration = (_EVENT, refuse, botocore.handlers.REGISTER_LAST)
    if registration not in botocore.handlers.BUILTIN_HANDLERS:
        botocore.handlers.BUILTIN_HANDLERS.append(registration)


def hold(client: Any) -> None:
    """Have one client of boto3 refuse a call that its model forbids."""
    client.meta.events.register_last(_EVENT, refuse)


def refuse(params: Mapping[str, Any], model: Any, **_: Any) -> None:
    """Raise an error that names what the model of an operation forbids, if it forbids anything."""
    found = list(violations(model.input_shape, params)) if model.input_shape else []
    if found:
        called = f"{model.service_model.service_name}:{model.name}"
        raise ParamValidationError(report=f"AWS refuses {called}: {'; '.join(found)}")


def violations(shape: Any, value: Any, path: str = "") -> Iterator[str]:
    """Give what the shape forbids of a value.

    Args:
        shape: The model of the value.
        value: What botocore's own check of names and types lets pass.
        path: Where the value is in the call.
    """
    match shape.type_name:
        case "structure":
            for name, part in value.items():
                yield from violations(shape.members[name], part, f"{path}.{name}".lstrip("."))
        case "list":
            yield from _out_of_range(shape, len(value), f"{path}: the number of items")
            for number, part in enumerate(value):
                yield from violations(shape.member, part, f"{path}[{number}]")
        case "map":
            yield from _out_of_range(shape, len(value), f"{path}: the number of entries")
            for key, part in value.items():
                yield from violations(shape.key, key, f"{path}: the key {key!r}")
                yield from violations(shape.value, part, f"{path}[{key!r}]")
        case "string":
            yield from _of_text(shape, value, path)
        case "blob" if isinstance(value, bytes | bytearray):
            yield from _out_of_range(shape, len(value), f"{path}: the length")
        case "integer" | "long" | "float" | "double":
            yield from _out_of_range(shape, value, path)


def _of_text(shape: Any, value: str, path: str) -> Iterator[str]:
    yield from _out_of_range(shape, len(value), f"{path}: the length")
    allowed = shape.metadata.get("enum")
    if allowed and value not in allowed:
        yield f"{path} must be one of {', '.join(allowed)}, got {value!r}"
    pattern = shape.metadata.get("pattern")
    if pattern and not _compiled(pattern).fullmatch(value):
        yield f"{path} must match {pattern}, got {value!r}"


def _out_of_range(shape: Any, number: float, what: str) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and number < least:
        yield f"{what} must be at least {least}, got {number}"
    if most is not None and number > most:
        yield f"{what} must be at most {most}, got {number}"


@functools.cache
def _compiled(pattern: str) -> regex.Pattern[str]:
    """Compile a pattern as the models write it, which is Java's way: pairs for characters above U+FFFF."""
    return regex.compile(pattern.replace(r"\uD800\uDC00-\uDBFF\uDFFF", r"\U00010000-\U0010FFFF"))
