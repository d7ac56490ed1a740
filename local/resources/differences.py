"""Compare a resource with its inputs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pulumi

from local.resources.hints import UNKNOWN, Hint, ListOf, MapOf, Structure


def differs(hint: Hint, actual: Any, old: Any, new: Any, *, ordered: bool = False) -> bool:  # noqa: ANN401 - any input
    """Return whether a value must be changed.

    A default that AWS adds is not a difference.

    Args:
        hint: The value's type.
        actual: The value in AWS.
        old: The previous input: a part of it that is missing in the new input must be removed.
        new: The new input.
        ordered: Whether the order of a list of scalars matters.
    """
    if new is UNKNOWN:
        return True
    if new is None:
        return old is not None and actual not in (None, "", [], {}, False)
    match hint:
        case Structure():
            return _structure_differs(hint, actual, old, new)
        case ListOf():
            return _list_differs(hint, actual, old, new, ordered=ordered)
        case MapOf():
            return dict(actual or {}) != dict(new)
    if hint is str:
        return actual != new and (actual is None or _parsed(actual) != _parsed(new))
    return actual != new


def _structure_differs(hint: Structure, actual: Any, old: Any, new: Any) -> bool:  # noqa: ANN401 - any input
    actual, old = (value if isinstance(value, Mapping) else {} for value in (actual, old))
    return any(
        differs(hint.members[name], actual.get(name), old.get(name), new.get(name))
        for name in new.keys() | old.keys()
    )


def _list_differs(hint: ListOf, actual: Any, old: Any, new: Any, *, ordered: bool) -> bool:  # noqa: ANN401 - any input
    actual, old = (value if isinstance(value, list) else [] for value in (actual, old))
    if any(item is UNKNOWN for item in new) or len(actual) != len(new):
        return True
    if isinstance(hint.item, type):
        return actual != list(new) if ordered else sorted(map(str, actual)) != sorted(map(str, new))
    olds = [*old, *[None] * (len(new) - len(old))]
    return any(differs(hint.item, *items) for items in zip(actual, olds, new, strict=False))


def _parsed(text: str) -> Any:  # noqa: ANN401 - JSON
    """Parse a JSON object or array: AWS stores the content of a policy, but not its whitespace."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, dict | list) else text


def contains_unknown(value: Any) -> bool:  # noqa: ANN401 - any input
    """Return whether a part of a value is unknown."""
    if isinstance(value, Mapping):
        return any(map(contains_unknown, value.values()))
    if isinstance(value, list | tuple) and not isinstance(value, pulumi.Archive):
        return any(map(contains_unknown, value))
    return value is UNKNOWN
