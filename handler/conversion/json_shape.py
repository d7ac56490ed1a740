"""The one type that holds nested JSON of several shapes, if there is one."""

from collections.abc import Iterable
from typing import Any

_FIELDS_MAX = 200
_NUMBERS = {"BIGINT", "UBIGINT", "DOUBLE"}


class ShapesDisagreeError(Exception):
    """No type but text holds all of the shapes."""


def merged(shapes: Iterable[Any]) -> Any:  # noqa: ANN401 (JSON)
    """Give the structure, as DuckDB's json_transform takes it, that holds values of all ``shapes``."""
    structure: Any = "NULL"
    for shape in shapes:
        structure = _merge(structure, shape)
    return _finished(structure)


def _merge(one: Any, other: Any) -> Any:  # noqa: ANN401
    if one == "NULL" or one == other:
        return other
    if other == "NULL":
        return one
    if isinstance(one, dict) and isinstance(other, dict):
        if len(one) + len(other) > 2 * _FIELDS_MAX:
            raise ShapesDisagreeError
        return {key: _merge(one.get(key, "NULL"), other.get(key, "NULL")) for key in {**one, **other}}
    if isinstance(one, list) and isinstance(other, list):
        return [_merge(one[0], other[0])]
    if {str(one), str(other)} <= _NUMBERS:
        return "DOUBLE" if "DOUBLE" in (one, other) else "BIGINT"
    raise ShapesDisagreeError


def _finished(structure: Any) -> Any:  # noqa: ANN401
    if isinstance(structure, dict):
        if (
            not structure
            or len(structure) > _FIELDS_MAX
            or len({key.casefold() for key in structure}) < len(structure)
        ):
            raise ShapesDisagreeError
        return {key: _finished(inner) for key, inner in structure.items()}
    if isinstance(structure, list):
        return [_finished(structure[0])]
    known = {"NULL": "VARCHAR", "VARCHAR": "VARCHAR", "BOOLEAN": "BOOLEAN", "UBIGINT": "BIGINT"}
    if structure in known or structure in _NUMBERS:
        return known.get(structure, structure)
    raise ShapesDisagreeError
