"""The shape of JSON objects: the kind of each value, at every depth.

A shape is the name of a kind, a list with the shape of its elements, or a dict with the shapes of an object's
members. DuckDB reads a value by its shape, and every value is checked against it.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Optional, TypeAlias, Union

import msgspec

from conversion.engine import identifier
from conversion.published import LEVELS_MAX, LISTS_MAX

Shape: TypeAlias = "str | list[Shape] | dict[str, Shape]"

NULL, BOOLEAN, BIGINT, LONG, DOUBLE, VARCHAR = "NULL", "BOOLEAN", "BIGINT", "LONG", "DOUBLE", "VARCHAR"
"""The kinds of values. BIGINT is an integer that a double holds exactly, and LONG is a larger one."""

JSON = "JSON"
"""The kind of values that stay JSON text: they have several kinds, or one that no column can have."""

_EXACT = 2**53
"""A double holds all integers up to this."""
_FIELDS_MAX = 200

# The memory of a value, in units of an ordinary column (measured).
_CLASHING = 8
"""A member that is read by a pointer, because keys clash."""
_NESTED = 16
"""What an object or a list adds to such a member."""
_LIST = 2
"""What a list adds to its elements."""
_JSON = 3
"""JSON text."""
_DEEP_TEXT = 4
"""Text in an object within another object."""


def shape_of(value: Any, levels: int = LEVELS_MAX + 1) -> Shape:  # noqa: ANN401  (whatever JSON may be)
    """Return the shape of one value that the standard library parsed, down to ``levels`` levels."""
    if isinstance(value, dict | list) and not levels:
        return JSON
    if isinstance(value, dict):
        return {key: shape_of(inner, levels - 1) for key, inner in value.items()}
    if isinstance(value, list):
        shape: Shape = NULL
        for inner in value:
            shape = merged(shape, shape_of(inner, levels - 1))
        return [shape]
    if isinstance(value, int) and not isinstance(value, bool):
        return BIGINT if -_EXACT <= value <= _EXACT else LONG
    return _KINDS.get(type(value), JSON)


_KINDS = {type(None): NULL, bool: BOOLEAN, float: DOUBLE, str: VARCHAR}


def merged(one: Shape, other: Shape) -> Shape:
    """Return the shape that fits the values of both shapes.

    Both may be changed, so use neither again. The work depends on the size of ``other`` alone, because many
    small shapes are merged into a large one.
    """
    if one in (NULL, other):
        return other
    if other == NULL:
        return one
    if isinstance(one, dict) and isinstance(other, dict):
        for key, inner in other.items():
            one[key] = merged(one.get(key, NULL), inner)
        return one
    if isinstance(one, list) and isinstance(other, list):
        return [merged(one[0], other[0])]
    kinds = {str(one), str(other)}
    if kinds == {BIGINT, LONG}:
        return LONG
    return DOUBLE if kinds == {BIGINT, DOUBLE} else JSON


def column_type(shape: Shape) -> str:
    """Return DuckDB's type for a column of values of this shape; JSON if no other type holds them all."""
    return JSON if shape == NULL else _type(shape, LEVELS_MAX, LISTS_MAX) or JSON


def _type(shape: Shape, levels: int, lists: int) -> str | None:
    """Return the type of a shape; None if it has more levels or lists than these."""
    if levels < 0 or lists < 0:
        return None
    if isinstance(shape, dict):
        if not shape or len(shape) > _FIELDS_MAX or clash(shape):
            return None
        types = {key: _type(inner, levels - 1, lists) for key, inner in shape.items()}
        if not all(types.values()):
            return None
        return f"STRUCT({', '.join(f'{identifier(key)} {type_}' for key, type_ in types.items())})"
    if isinstance(shape, list):
        inner = _type(shape[0], levels - 1, lists - 1)
        return inner and f"{inner}[]"
    return None if shape == JSON else _TYPES.get(shape, shape)


_TYPES = {NULL: VARCHAR, LONG: BIGINT}
"""The types of the kinds that are not named as their type."""


def clash(keys: Iterable[str]) -> bool:
    """Return whether DuckDB cannot tell ``keys`` apart: it ignores case and allows no empty name."""
    names = [key.casefold() for key in keys]
    return len(set(names)) < len(names) or "" in names


def accepts_repeated_keys(shape: Shape) -> bool:
    """Return whether DuckDB accepts repeated keys, and several values on a line, in rows of this shape.

    It does in JSON text. It also reads members by pointers from JSON text.
    """
    if not isinstance(shape, dict) or not shape:
        return True
    return clash(shape) or JSON in column_types(shape).values()


def fitted(shape: Shape, columns_max: int) -> Shape:
    """Return a shape of rows that fits into the memory.

    The largest members become JSON text, one after another. If there are still too many members, each row is
    JSON text.

    Args:
        shape: The shape of the rows.
        columns_max: The most columns of numbers or strings that fit into the memory.
    """
    if not isinstance(shape, dict):
        return shape
    if clash(shape):
        nested = sum(isinstance(inner, dict | list) for inner in shape.values())
        return JSON if _CLASHING * len(shape) + _NESTED * nested > columns_max else shape
    sizes = {key: _size(inner) for key, inner in shape.items()}
    total, as_text = sum(sizes.values()), dict[str, Shape]()
    for key in sorted(sizes, key=lambda key: -sizes[key]):
        if total <= columns_max or sizes[key] <= _JSON:
            break
        as_text[key] = JSON
        total -= sizes[key] - _JSON
    return {**shape, **as_text} if total <= columns_max else JSON


def _size(shape: Shape, depth: int = 0) -> int:
    """Return the memory of a value within ``depth`` objects, in units of an ordinary column."""
    if isinstance(shape, dict):
        return 1 + sum(_size(inner, depth + 1) for inner in shape.values())
    if isinstance(shape, list):
        return _LIST + _size(shape[0], depth)
    if shape == JSON:
        return _JSON
    return _DEEP_TEXT if depth > 1 and shape == VARCHAR else 1


def structure(shape: Shape) -> object:
    """Return the structure for DuckDB's ``json_transform``, for a shape with a column type."""
    if isinstance(shape, dict):
        return {key: structure(inner) for key, inner in shape.items()}
    if isinstance(shape, list):
        return [structure(shape[0])]
    return _TYPES.get(shape, shape)


def column_types(shape: Shape) -> Mapping[str, str]:
    """Return DuckDB's types for rows of this shape, by key."""
    return {key: column_type(inner) for key, inner in shape.items()} if isinstance(shape, dict) else {}


def model(shape: Shape) -> Any:  # noqa: ANN401  (types are not a type)
    """Return the msgspec model of rows of this shape; None if a key has a quote or a backslash."""
    if not isinstance(shape, dict):
        return dict[str, Any]
    try:
        return _model(_decoded(shape))
    except ValueError:
        return None


def widths(shape: Shape) -> tuple[int, int]:
    """Return the number of attributes of a row in the model, and the largest number of an object inside."""
    if not isinstance(shape, dict):
        return 0, 0
    return len(shape), max(map(_width, _decoded(shape).values()), default=0)


def _width(shape: Shape) -> int:
    if isinstance(shape, dict):
        return max([len(shape), *map(_width, shape.values())])
    return _width(shape[0]) if isinstance(shape, list) else 0


def _decoded(shape: Mapping[str, Shape]) -> Mapping[str, Shape]:
    """Return the shape of rows with JSON for each member that no column type holds."""
    unfit = {key: JSON for key, inner in shape.items() if inner != NULL and column_type(inner) == JSON}
    return {**shape, **unfit}


def attribute_of(model: type[msgspec.Struct], key: str) -> str:
    """Return the attribute of a model that holds the member ``key``."""
    return model.__struct_fields__[model.__struct_encode_fields__.index(key)]


def _model(shape: Mapping[str, Shape]) -> type[msgspec.Struct]:
    names = {f"f{index}": key for index, key in enumerate(shape)}
    fields = [
        (name, Union[_annotation(shape[key]), None, msgspec.UnsetType], msgspec.UNSET)  # noqa: UP007
        for name, key in names.items()
    ]
    return msgspec.defstruct("Row", fields, rename=names, forbid_unknown_fields=True, gc=False)


def _annotation(shape: Shape) -> Any:  # noqa: ANN401  (types are not a type)
    if isinstance(shape, dict):
        return _model(shape)
    if isinstance(shape, list):
        return list[Optional[_annotation(shape[0])]]  # noqa: UP045
    return _ANNOTATIONS[shape]


_INTEGER = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
_SMALL = Annotated[int, msgspec.Meta(ge=-_EXACT, le=_EXACT)]
_ANNOTATIONS: dict[str, Any] = {
    NULL: None,
    BOOLEAN: bool,
    BIGINT: _SMALL,
    LONG: _INTEGER,
    DOUBLE: _SMALL | float,
    VARCHAR: str,
    JSON: Any,
}
