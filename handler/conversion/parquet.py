"""Parquet uploads, rewritten with types and names that every engine reads."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from conversion.budget import Budget
from conversion.engine import Written, copy, identifier, literal
from conversion.model import UnreadableError
from conversion.names import SourceNames, column_names
from conversion.published import LISTS_MAX, Published, conditions, metadata_of, published, selection

MAGIC = b"PAR1"

_DECIMAL_DIGITS_MAX = 38


@dataclass(frozen=True)
class _Field:
    """A field of a file's schema, at any depth."""

    path: tuple[str, ...]
    type: str
    digits: int
    lists: int
    """The number of lists and maps around it."""


class Upload:
    """A Parquet file that was uploaded. Its footer is checked before its data is read.

    Attributes:
        rows: The number of rows in its row groups.
        sources: The names of its columns.
        relation: SQL that reads it.

    Raises:
        UnreadableError: It is damaged or encrypted, decompresses to more than the limits allow, or has values
            that cannot be read exactly, or not in time.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, path: Path, budget: Budget) -> None:
        self._connection = connection
        self._file = literal(str(path))
        groups = self._footer("row_group_id, row_group_num_rows, sum(total_uncompressed_size)", "metadata", 2)
        self.rows = sum(rows for _, rows, _ in groups)
        _check_size(sum(size for _, _, size in groups), budget)
        schema = self._footer("name, coalesce(num_children, 0), type, repetition_type, precision", "schema")
        fields = list(_fields(schema))
        _check_exact(fields)
        types = self._footer("name, coalesce(num_children, 0), coalesce(duckdb_type, '')", "schema")
        self._names = _part(iter(types)).names
        self.sources = self._names.names
        self.relation = f"read_parquet({self._file})"
        if any(field.type == "INT96" for field in fields):
            self.relation = self._with_nanoseconds()

    def rewrite(self, output: Path, metadata: Mapping[str, str]) -> tuple[Written, tuple[Published, ...]]:
        """Write it to ``output``. Return what was written, and how its columns are published."""
        names = column_names(self.sources)
        columns = self._columns(names)
        query = f"SELECT {selection(names, columns)} FROM {self.relation}"
        sources = json.dumps(dict(zip(names, self.sources, strict=True)), ensure_ascii=False)
        metadata = {**metadata, "column_names": sources, **metadata_of(names, columns)}
        return copy(self._connection, query, output, metadata), columns

    def _footer(self, columns: str, what: str, grouped: int = 0) -> list[Any]:
        group = f"GROUP BY {', '.join(str(column) for column in range(1, grouped + 1))}" if grouped else ""
        query = f"SELECT {columns} FROM parquet_{what}({self._file}) {group}"
        try:
            return self._connection.execute(query).fetchall()
        except duckdb.Error as error:
            what = "encrypted" if "encrypt" in str(error).lower() else "damaged or truncated"
            raise UnreadableError(f"a Parquet file that is {what}: DuckDB cannot read its footer") from None

    def _with_nanoseconds(self) -> str:
        """Return SQL that reads timestamps of 96 bits with nanoseconds, if all of them are in range."""
        relation = f"read_parquet({self._file}, int96_as = 'TIMESTAMP_NS')"
        columns = self._connection.sql(f"FROM {relation}")
        timestamps = [
            identifier(name)
            for name, type_ in zip(columns.columns, columns.types, strict=True)
            if "TIMESTAMP_NS" in str(type_)
        ]
        # Nanoseconds of 64 bits cover the years 1677 to 2262. DuckDB reads others as infinity.
        beyond = " OR ".join(f"CAST({name} AS VARCHAR) LIKE '%infinity%'" for name in timestamps)
        query = f"SELECT coalesce(bool_or({beyond}), false) FROM {relation}"
        return self.relation if self._connection.execute(query).fetchall()[0][0] else relation

    def _columns(self, names: tuple[str, ...]) -> tuple[Published, ...]:
        """Return how each column is published. Some types depend on the values, which takes a pass."""
        relation = self._connection.sql(f"FROM {self.relation}")
        values = [
            (identifier(column), type_)
            for column, type_ in zip(relation.columns, relation.types, strict=True)
        ]
        asked = [conditions(value, type_) for value, type_ in values]
        answers = iter(())
        if any(asked):
            parts = ", ".join(
                f"coalesce(bool_and({condition}), true)" for some in asked for condition in some
            )
            answers = iter(self._connection.execute(f"SELECT {parts} FROM {self.relation}").fetchall()[0])
        return tuple(
            published(name, value, type_, [next(answers) for _ in some], sources)
            for name, (value, type_), some, sources in zip(
                names, values, asked, self._names.inner, strict=True
            )
        )


def _check_size(unpacked: int, budget: Budget) -> None:
    largest = budget.limits.decompressed_bytes_max
    if unpacked > largest:
        raise UnreadableError(
            f"a Parquet file that decompresses to {unpacked} bytes by its footer, more than {largest} bytes"
        )
    budget.check_time(unpacked)


def _check_exact(fields: Sequence[_Field]) -> None:
    for field in fields:
        name = ".".join(field.path)
        if field.digits > _DECIMAL_DIGITS_MAX:
            raise UnreadableError(
                f"column {name} has decimals of {field.digits} digits, more than {_DECIMAL_DIGITS_MAX}: "
                "write it as text"
            )
        if field.lists > LISTS_MAX:
            raise UnreadableError(
                f"column {field.path[0]} has {field.lists} lists in one another, more than {LISTS_MAX}, and "
                "the time to read them doubles with each: write it as JSON text"
            )


@dataclass(frozen=True)
class _Part:
    """A part of a schema: its name, its type (for a list, that of its elements) and the names within it."""

    name: str
    type: str
    names: SourceNames


def _part(rows: Iterator[tuple[str, int, str]]) -> _Part:
    """Return the part of a schema whose row comes next; the rows of its children follow it."""
    name, children, list_type = next(rows)
    type_ = list_type.rstrip("[]")
    inner = [_part(rows) for _ in range(children)]
    if len(inner) == 1 and inner[0].type == type_:
        # Parquet has groups of its own around the elements of lists and maps.
        return _Part(name, type_, inner[0].names)
    return _Part(
        name, type_, SourceNames(tuple(part.name for part in inner), tuple(part.names for part in inner))
    )


def _fields(rows: Sequence[Any]) -> Iterator[_Field]:
    """Yield the fields of a schema. Its rows have each field before its children."""
    above: list[tuple[int, _Field]] = [(rows[0][1], _Field(path=(), type="", digits=0, lists=0))]
    for name, children, type_, repetition, digits in rows[1:]:
        while not above[-1][0]:
            above.pop()
        left, parent = above.pop()
        above.append((left - 1, parent))
        lists = parent.lists + (repetition == "REPEATED")
        field = _Field(path=(*parent.path, name), type=type_ or "", digits=digits or 0, lists=lists)
        yield field
        above.append((children, field))
