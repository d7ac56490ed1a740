"""Parquet uploads, rewritten with types and names that every engine reads."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb

from conversion.budget import Budget
from conversion.engine import identifier, literal
from conversion.model import EmptyError, UnreadableError
from conversion.names import Names, column_names
from conversion.output import write
from conversion.passes import Resources, Result
from conversion.published import LISTS_MAX, Published, conditions, published, within_years

MAGIC = b"PAR1"
"""The first and the last bytes of a file."""
_END_BYTES = 8
"""The bytes of the footer's length and of the last magic number."""

_DECIMAL_DIGITS_MAX = 38
_INVALID_INT96 = ("Int96 timestamp", "TIME value")
"""DuckDB's words for a timestamp of 96 bits whose day or time is out of range."""


@dataclass(frozen=True, kw_only=True)
class _Field:
    """A field of a file's schema, with the fields within it.

    Attributes:
        type: Its physical type.
        listed: Whether a list repeats it.
        digits: The digits of a decimal.
        elements: Its DuckDB type; for a list, that of its elements.
        names: The names within it. A list has those of its elements.
    """

    name: str
    type: str
    listed: bool
    digits: int
    elements: str
    names: Names
    inner: tuple["_Field", ...]


class Upload:
    """A Parquet file that was uploaded. Its footer is checked before its data is read.

    Attributes:
        rows: The number of rows in its row groups.
        names: The names of its columns, each with the names within it.
        relation: SQL that reads it.

    Raises:
        EmptyError: It has no columns.
        UnreadableError: It is damaged or encrypted, decompresses to more than the limits allow, or has values
            that cannot be read exactly, or not in time.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, path: Path, budget: Budget) -> None:
        self._connection = connection
        self._path = path
        self._file = literal(str(path))
        groups = self._footer("row_group_id, row_group_num_rows, sum(total_uncompressed_size)", "metadata", 2)
        self.rows = sum(rows for _, rows, _ in groups)
        _check_size(sum(size for _, _, size in groups), budget)
        columns = "num_children, name, type, repetition_type, precision, duckdb_type"
        schema = _schema(self._footer(columns, "schema"))
        _check_exact(schema)
        self.names = schema.names
        self.relation = f"read_parquet({self._file})"
        self._int96 = [column.type == "INT96" for column in schema.inner]
        if any(len(path) > 1 and field.type == "INT96" for path, field in _fields(schema)):
            self.relation = self._with_nanoseconds()
        elif any(self._int96):
            self.relation = self._with_exact_timestamps()

    def _footer(self, columns: str, what: str, grouped: int = 0) -> list[Any]:
        group = f"GROUP BY {', '.join(str(column) for column in range(1, grouped + 1))}" if grouped else ""
        query = f"SELECT {columns} FROM parquet_{what}({self._file}) {group}"
        try:
            return self._connection.execute(query).fetchall()
        except duckdb.Error as error:
            if "non-root column" in str(error):
                raise EmptyError("the Parquet file has no columns") from None
            what = "damaged or truncated"
            if is_encryption_error(error):
                what = "encrypted"
            elif _has_footer(self._path):
                what = "damaged, or of a schema that is not supported"
            raise UnreadableError(f"a Parquet file that is {what}: DuckDB cannot read its footer") from None

    def _with_exact_timestamps(self) -> str:
        """Return SQL that reads columns of 96 bits as timestamps, or as text if that is not exact."""
        relation = f"read_parquet({self._file}, int96_as = 'struct')"
        names = [
            identifier(name)
            for name, is_int96 in zip(
                self._connection.sql(f"FROM {relation}").columns, self._int96, strict=True
            )
            if is_int96
        ]
        whole = [
            f"{within_years(f'{name}.date', 'DATE')} AND epoch_ns({name}.time) % 1000 = 0" for name in names
        ]
        exact = ", ".join(f"coalesce(bool_and({condition}), true)" for condition in whole)
        try:
            answers = self._connection.execute(f"SELECT {exact} FROM {relation}").fetchall()[0]
        except duckdb.InvalidInputException as error:
            if not any(reason in str(error) for reason in _INVALID_INT96):
                raise
            raise UnreadableError(
                "a timestamp of 96 bits has a day or a time that DuckDB cannot hold: write timestamps with "
                "64 bits"
            ) from None
        values = [
            f"{name}.date + CAST({name}.time AS TIME)" if is_exact else f"{name}.date || ' ' || {name}.time"
            for name, is_exact in zip(names, answers, strict=True)
        ]
        replaced = ", ".join(f"{value} AS {name}" for name, value in zip(names, values, strict=True))
        return f"(SELECT * REPLACE ({replaced}) FROM {relation})"

    def _with_nanoseconds(self) -> str:
        """Return SQL that reads timestamps of 96 bits, some within lists and structs, with their nanoseconds.

        Raises:
            UnreadableError: One is outside the years 1677 to 2262, which 64 bits of nanoseconds cover.
        """
        relation = f"read_parquet({self._file}, int96_as = 'TIMESTAMP_NS')"
        columns = self._connection.sql(f"FROM {relation}")
        timestamps = [
            identifier(name)
            for name, type_ in zip(columns.columns, columns.types, strict=True)
            if "TIMESTAMP_NS" in str(type_)
        ]
        # DuckDB reads those outside as infinity.
        beyond = " OR ".join(f"CAST({name} AS VARCHAR) LIKE '%infinity%'" for name in timestamps)
        query = f"SELECT coalesce(bool_or({beyond}), false) FROM {relation}"
        if self._connection.execute(query).fetchall()[0][0]:
            raise UnreadableError(
                "a timestamp of 96 bits is outside the years 1677 to 2262, and another is within a list or "
                "struct: write them with 64 bits"
            )
        return relation

    def columns(self) -> tuple[Published, ...]:
        """Return how each column is published. Some types depend on the values, which takes a pass."""
        names = column_names([source for source, _ in self.names])
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
        columns = [
            published(name, source, value, type_, [next(answers) for _ in some], fields)
            for name, (source, fields), (value, type_), some in zip(
                names, self.names, values, asked, strict=True
            )
        ]
        return tuple(
            replace(column, source_type="TIMESTAMP_NS") if is_int96 else column
            for column, is_int96 in zip(columns, self._int96, strict=True)
        )


def read(resources: Resources) -> Result:
    """Write an upload again, with the types and names that every engine reads.

    Raises:
        EmptyError: It has no columns.
        UnreadableError: ``Upload`` refuses it.
    """
    path = resources.output.with_name("data")
    resources.source.spool(path)
    upload = Upload(resources.connection, path, resources.budget)
    metadata = {**resources.metadata, "format": "parquet", "encoding": "binary"}
    rows_out, columns = write(
        resources.connection, resources.output, upload.relation, upload.columns(), metadata
    )
    return Result(format="parquet", encoding="binary", columns=columns, rows=upload.rows, rows_out=rows_out)


def _has_footer(path: Path) -> bool:
    """Return whether the end of a file is that of Parquet: the length of a footer, and the magic number."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - _END_BYTES))
        end = file.read()
    return end.endswith(MAGIC) and int.from_bytes(end[:4], "little") <= size - _END_BYTES - len(MAGIC)


def is_encryption_error(error: duckdb.Error) -> bool:
    """Return whether DuckDB could not read a Parquet file because it is encrypted."""
    return "encrypt" in str(error).lower()


def _check_size(unpacked: int, budget: Budget) -> None:
    largest = budget.limits.decompressed_bytes_max
    if unpacked > largest:
        raise UnreadableError(
            f"a Parquet file that decompresses to {unpacked} bytes by its footer, more than {largest} bytes"
        )
    budget.check_time(unpacked)


def _check_exact(schema: _Field) -> None:
    for path, field in _fields(schema):
        if field.digits > _DECIMAL_DIGITS_MAX:
            name = ".".join(inner.name for inner in path)
            raise UnreadableError(
                f"column {name} has decimals of {field.digits} digits, more than {_DECIMAL_DIGITS_MAX}: "
                "write it as text"
            )
        lists = sum(inner.listed for inner in path)
        if lists > LISTS_MAX:
            raise UnreadableError(
                f"column {path[0].name} has {lists} lists in one another, more than {LISTS_MAX}, and "
                "the time to read them doubles with each: write it as JSON text"
            )


def _schema(rows: Sequence[tuple[Any, ...]]) -> _Field:
    """Return the root of a schema. ``rows`` have each field before the fields within it."""
    done: list[_Field] = []
    # A schema may have more levels than Python has frames, so this is no recursion.
    for children, name, type_, repetition, digits, duckdb_type in reversed(rows):
        elements = (duckdb_type or "").rstrip("[]")
        inner = tuple(done.pop() for _ in range(children or 0))
        if len(inner) == 1 and inner[0].elements == elements:
            # Parquet has groups of its own around the elements of lists and maps.
            names = inner[0].names
        else:
            names = tuple((field.name, field.names) for field in inner)
        done.append(
            _Field(
                name=name,
                type=type_ or "",
                listed=repetition == "REPEATED",
                digits=digits or 0,
                elements=elements,
                names=names,
                inner=inner,
            )
        )
    return done.pop()


def _fields(schema: _Field) -> Iterator[tuple[tuple[_Field, ...], _Field]]:
    """Yield the fields of a schema at all depths, each with the path from its column to itself."""
    left: list[tuple[_Field, ...]] = [(column,) for column in reversed(schema.inner)]
    while left:
        path = left.pop()
        yield path, path[-1]
        left += [(*path, field) for field in reversed(path[-1].inner)]
