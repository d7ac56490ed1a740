"""Tables of the Glue Data Catalog, as Athena reads them."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_VIEW = re.compile(r"/\* Presto View: ([A-Za-z0-9+/=]+) \*/")
_SCALARS = {
    "string": "VARCHAR",
    "bigint": "BIGINT",
    "int": "INTEGER",
    "double": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
}


class QueryFailedError(Exception):
    """A query that Athena would end as FAILED. The message begins with Athena's name of the error."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table or a view of the catalog.

    Attributes:
        name: Its name.
        columns: Name and Hive type of each column in the files.
        partitions: Names of the partition columns. Their values are strings.
        location: The URI of its files, `s3://bucket/prefix/`; empty for a view.
        parameters: The table's parameters.
        view_query: The SQL of a view; None for a table.
    """

    name: str
    columns: tuple[tuple[str, str], ...]
    partitions: tuple[str, ...]
    location: str
    parameters: Mapping[str, str]
    view_query: str | None

    @classmethod
    def read(cls, entry: Mapping[str, Any]) -> Table:
        """Return the table in a response of Glue's GetTable."""
        descriptor = entry.get("StorageDescriptor") or {}
        view = _VIEW.fullmatch(entry.get("ViewOriginalText") or "")
        if view and entry.get("PartitionKeys") is None:
            raise QueryFailedError(f"INVALID_VIEW: {entry['Name']} has no empty list of partition keys")
        return cls(
            name=entry["Name"],
            columns=tuple((column["Name"], column["Type"]) for column in descriptor.get("Columns") or ()),
            partitions=tuple(column["Name"] for column in entry.get("PartitionKeys") or ()),
            location=descriptor.get("Location") or "",
            parameters=entry.get("Parameters") or {},
            view_query=json.loads(base64.b64decode(view[1]))["originalSql"] if view else None,
        )


def duckdb_type(hive: str) -> str:
    """Return the DuckDB type for a Hive type.

    Raises:
        QueryFailedError: The type is invalid or not supported.
    """
    text, rest = _parse(hive.strip())
    if rest:
        raise QueryFailedError(f"HIVE_INVALID_METADATA: error in the type {hive!r} at {rest!r}")
    return text


def _parse(hive: str) -> tuple[str, str]:
    """Return the first type of a text, as DuckDB SQL, and the rest of the text."""
    if hive.startswith("array<"):
        items, rest = _parse(hive.removeprefix("array<"))
        return f"{items}[]", _expect(">", rest)
    if hive.startswith("struct<"):
        fields, rest = [], hive.removeprefix("struct<")
        while True:
            # Hive's parser accepts these characters in a field's name.
            name = re.match(r"[\w.$ ]+(?=:)", rest)
            if not name:
                raise QueryFailedError(f"HIVE_INVALID_METADATA: error in a struct's type at {rest!r}")
            kind, rest = _parse(rest[name.end() + 1 :])
            fields.append(f'"{name[0]}" {kind}')
            if not rest.startswith(","):
                return f"STRUCT({', '.join(fields)})", _expect(">", rest)
            rest = rest[1:]
    decimal = re.match(r"decimal\(\d+,\d+\)", hive)
    if decimal:
        return decimal[0].upper(), hive[decimal.end() :]
    word = re.match(r"\w+", hive)
    if not word or word[0] not in _SCALARS:
        raise QueryFailedError(f"HIVE_UNSUPPORTED_FORMAT: unknown type {hive!r}")
    return _SCALARS[word[0]], hive[word.end() :]


def _expect(mark: str, rest: str) -> str:
    if not rest.startswith(mark):
        raise QueryFailedError(f"HIVE_INVALID_METADATA: expected {mark!r} at {rest!r}")
    return rest[1:]
