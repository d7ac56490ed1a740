"""The one type that holds nested JSON of several shapes, if there is one."""

from collections.abc import Iterable
from typing import TypeAlias

Shape: TypeAlias = "str | list[Shape] | dict[str, Shape]"
"""A structure as DuckDB's json_structure gives it and json_transform takes it."""

_FIELDS_MAX = 200
_NUMBERS = {"BIGINT", "UBIGINT", "DOUBLE"}


class ShapesDisagreeError(Exception):
    """No type but text holds all of the shapes."""


def merged(shapes: Iterable[Shape]) -> Shape:
    """Give the structure, as DuckDB's json_transform takes it, that holds values of all ``shapes``."""
    structure: Shape = "NULL"
    for shape in shapes:
        structure = _merge(structure, shape)
    return _finished(structure)


def _merge(one: Shape, other: Shape) -> Shape:
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


def _finished(structure: Shape) -> Shape:
    if isinstance(structure, dict):
        # The engine knows no field without a name, and no two that differ in case alone.
        names = {key.casefold() for key in structure}
        if not structure or "" in names or len(structure) > _FIELDS_MAX or len(names) < len(structure):
            raise ShapesDisagreeError
        return {key: _finished(inner) for key, inner in structure.items()}
    if isinstance(structure, list):
        return [_finished(structure[0])]
    known = {"NULL": "VARCHAR", "VARCHAR": "VARCHAR", "BOOLEAN": "BOOLEAN", "UBIGINT": "BIGINT"}
    if structure in known or structure in _NUMBERS:
        return known.get(structure, structure)
    raise ShapesDisagreeError
