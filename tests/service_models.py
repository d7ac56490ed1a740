"""Check the parameters of AWS API calls against botocore's service models.

The models have AWS's patterns, enumerations, lengths and ranges. botocore checks only names, types, minimums
and required parameters, and the embedded AWS accepts many values that AWS refuses.
"""

import functools
from collections.abc import Iterator, Mapping
from typing import Any

import botocore.handlers
import regex
from botocore.exceptions import ParamValidationError

_EVENT = "before-parameter-build"


def hold_every_client() -> None:
    """Make all botocore sessions that are created after this refuse calls that violate the service model."""
    registration = (_EVENT, refuse, botocore.handlers.REGISTER_LAST)
    if registration not in botocore.handlers.BUILTIN_HANDLERS:
        botocore.handlers.BUILTIN_HANDLERS.append(registration)


def hold(client: Any) -> None:
    """Make one boto3 client refuse calls that violate the service model."""
    client.meta.events.register_last(_EVENT, refuse)


def refuse(params: Mapping[str, Any], model: Any, **_: Any) -> None:
    """Raise ParamValidationError with all violations of an operation's model, if there are any."""
    found = list(violations(model.input_shape, params)) if model.input_shape else []
    if found:
        called = f"{model.service_model.service_name}:{model.name}"
        raise ParamValidationError(report=f"AWS refuses {called}: {'; '.join(found)}")


def violations(shape: Any, value: Any, path: str = "") -> Iterator[str]:
    """Yield a description of each violation of the shape by the value.

    Args:
        shape: The model of the value.
        value: A value that passes botocore's own checks.
        path: The path of the value in the call's parameters.
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
    """Compile a pattern of a model. As in Java, characters above U+FFFF are surrogate pairs in it."""
    return regex.compile(pattern.replace(r"\uD800\uDC00-\uDBFF\uDFFF", r"\U00010000-\U0010FFFF"))
