"""The values of a table as text, the same text whichever engine they come from."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from duckdb.sqltypes import DuckDBPyType


@dataclass(frozen=True)
class Table:
    """What an engine read: names of columns, and rows of Python's values."""

    names: Sequence[str]
    rows: Sequence[Sequence[Any]]

    def texts(self, types: Sequence[DuckDBPyType], *, nan_is_null: bool = False) -> list[str]:
        """Give each row as text, in no order; `nan_is_null` as pandas knows no difference."""
        return sorted(
            repr([_text(value, type_, nan_is_null) for value, type_ in zip(row, types, strict=True)])
            for row in self.rows
        )


def _text(value: Any, type_: DuckDBPyType, nan_is_null: bool) -> Any:  # noqa: C901
    if type(value).__module__ == "numpy":
        value = value.tolist()
    if value is None or (isinstance(value, float) and math.isnan(value) and _is_null(type_, nan_is_null)):
        return None
    if type(value).__name__ in ("NaTType", "NAType"):
        return None
    kind = type_.id
    if kind == "list":
        return [_text(inner, type_.children[0][1], nan_is_null) for inner in value]
    if kind == "struct":
        inner = value.values() if isinstance(value, dict) else value
        return [
            _text(part, child, nan_is_null) for part, (_, child) in zip(inner, type_.children, strict=True)
        ]
    if kind == "map":
        (_, key_type), (_, value_type) = type_.children
        return sorted(
            (_text(key, key_type, nan_is_null), _text(inner, value_type, nan_is_null))
            for key, inner in _pairs(value)
        )
    if kind == "boolean":
        return str(bool(value)).lower()
    if kind in ("tinyint", "smallint", "integer", "bigint") and isinstance(value, float):
        return str(int(value))
    if kind == "float":
        return repr(struct.unpack("f", struct.pack("f", value))[0])
    if kind == "timestamp with time zone":
        return _instant(value)
    return _scalar(value)


def _is_null(type_: DuckDBPyType, nan_is_null: bool) -> bool:
    return nan_is_null or type_.id not in ("float", "double")


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
        return format(value, "f")
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    return repr(value) if isinstance(value, float) else str(value)
