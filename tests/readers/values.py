"""The values of a table as text, in the same form for every engine."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Context, Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from duckdb.sqltypes import DuckDBPyType


_WIDE = Context(prec=100)
"""The context for decimals. Some engines return them with more zeros at the end."""


@dataclass(frozen=True)
class Table:
    """What an engine read: column names, and rows of Python values."""

    names: Sequence[str]
    rows: Sequence[Sequence[Any]]

    def texts(self, types: Sequence[DuckDBPyType], *, nan_is_null: bool = False) -> list[str]:
        """Return each row as text, in any order. `nan_is_null` is for pandas, where both are equal."""
        return sorted(
            repr([_text(value, type_, nan_is_null) for value, type_ in zip(row, types, strict=True)])
            for row in self.rows
        )


def children(type_: DuckDBPyType) -> list[DuckDBPyType]:
    """Return the types within a list, struct or map."""
    return [child for _, child in type_.children if not isinstance(child, int | list)]


def _text(value: Any, type_: DuckDBPyType, nan_is_null: bool) -> Any:
    if type(value).__module__ == "numpy":
        value = value.tolist()
    if value is None or type(value).__name__ in ("NaTType", "NAType"):
        return None
    kind = type_.id
    if kind in ("list", "struct", "map"):
        return _nested(value, type_, nan_is_null)
    if isinstance(value, float):
        return _float(value, kind, nan_is_null)
    if kind == "boolean":
        return str(bool(value)).lower()
    return _instant(value) if kind == "timestamp with time zone" else _scalar(value)


def _nested(value: Any, type_: DuckDBPyType, nan_is_null: bool) -> list[Any] | None:
    if isinstance(value, float):  # pandas has no other null
        return None
    types = children(type_)
    if type_.id == "list":
        return [_text(inner, types[0], nan_is_null) for inner in value]
    if type_.id == "map":
        return sorted(
            [_text(key, types[0], nan_is_null), _text(inner, types[1], nan_is_null)]
            for key, inner in _pairs(value)
        )
    parts = value.values() if isinstance(value, dict) else value
    return [_text(part, child, nan_is_null) for part, child in zip(parts, types, strict=True)]


def _float(value: float, kind: str, nan_is_null: bool) -> str | None:
    if math.isnan(value) and (nan_is_null or kind not in ("float", "double")):
        return None
    if kind == "float":
        return repr(struct.unpack("f", struct.pack("f", value))[0])
    return repr(value) if kind == "double" else str(int(value))


def _pairs(value: Any) -> list[tuple[Any, Any]]:
    if isinstance(value, dict):
        return list(value.items())
    return [tuple(pair.values()) if isinstance(pair, dict) else tuple(pair) for pair in value]


def _instant(value: datetime) -> str:
    instant = value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    return instant.replace(tzinfo=None).isoformat(" ", "microseconds") + "+00"


def _scalar(value: Any) -> str:
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat(" ", "microseconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(_WIDE.normalize(value), "f")
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    return repr(value) if isinstance(value, float) else str(value)
