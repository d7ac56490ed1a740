"""What the Glue Data Catalog says of a table, as Athena reads it."""

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
    """A query that Athena would end as FAILED; the text is its reason, beginning with Athena's error name."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table or a view of the catalog.

    Attributes:
        name: Its name.
        columns: Name and Hive type of each column that the files hold.
        partitions: Names of the partition columns, which are strings here.
        location: Where its files are, as `s3://bucket/prefix/`; empty for a view.
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
        """Return the table that an answer of Glue's GetTable describes."""
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
    """Return DuckDB's name of a Hive type.

    Raises:
        QueryFailedError: Hive's parser would refuse it.
    """
    text, rest = _parse(hive.strip())
    if rest:
        raise QueryFailedError(f"HIVE_INVALID_METADATA: error in the type {hive!r} at {rest!r}")
    return text


def _parse(hive: str) -> tuple[str, str]:
    """Return the first type of a text in DuckDB's words, and what follows it."""
    if hive.startswith("array<"):
        items, rest = _parse(hive.removeprefix("array<"))
        return f"{items}[]", _expect(">", rest)
    if hive.startswith("struct<"):
        fields, rest = [], hive.removeprefix("struct<")
        while True:
            # The characters that Hive's parser takes in a field's name.
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
