"""Run a query: Trino's SQL on the tables of the catalog. DuckDB reads the Parquet files of the bucket."""

from __future__ import annotations

import tempfile
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import duckdb
import sqlglot
from sqlglot import expressions as sql
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.scope import Scope, traverse_scope

from local.athena import projection, show
from local.athena.catalog import QueryFailedError, Table, duckdb_type

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_WIDENED = {("INTEGER", "BIGINT"), ("SMALLINT", "BIGINT"), ("TINYINT", "BIGINT"), ("FLOAT", "DOUBLE")}
"""Pairs of types: Athena reads a column of the first type in a file as the second without changing values."""


class ScanLimitError(Exception):
    """The query scans more than its workgroup allows; Athena would cancel it."""


class Store(Protocol):
    """The catalog and the bucket that a query reads, with the caller's permissions."""

    def table(self, database: str, name: str) -> Table | None:
        """Return a table or view; None if there is none. Raises QueryFailedError without permission."""
        ...

    def keys(self, bucket: str, prefix: str) -> Iterable[str]:
        """Return the keys with a prefix. Raises QueryFailedError without permission."""
        ...

    def read(self, bucket: str, key: str) -> bytes:
        """Return an object's current version. Raises QueryFailedError without permission."""
        ...


@dataclass(frozen=True, kw_only=True)
class Result:
    """The result of a query.

    Attributes:
        columns: Name and Trino type of each column.
        rows: The values as Athena formats them; None is null.
        scanned_bytes: Bytes of the column chunks that were read.
    """

    columns: tuple[tuple[str, str], ...]
    rows: list[tuple[str | None, ...]]
    scanned_bytes: int


def run(statement: str, database: str, store: Store, now: datetime, scan_limit_bytes: int | None) -> Result:
    """Run a query and return its result.

    Args:
        statement: The SQL, in Trino's dialect.
        database: The database of the tables that the statement names without one.
        store: The catalog and the bucket.
        now: The value of `NOW` in the bounds of projections.
        scan_limit_bytes: The most bytes that the query may scan; None means no limit.

    Raises:
        QueryFailedError: The query fails. The message begins with Athena's name of the error.
        ScanLimitError: The query scans more than the limit.
    """
    created = show.create_view(statement, database, store)
    if created is not None:
        return Result(columns=((show.COLUMN, "varchar"),), rows=[(created,)], scanned_bytes=0)
    with tempfile.TemporaryDirectory(prefix="embedded-athena-") as directory:
        return _Query(database, store, now, Path(directory)).run(statement, scan_limit_bytes)


class _Query:
    def __init__(self, database: str, store: Store, now: datetime, directory: Path) -> None:
        self._database, self._store, self._now, self._directory = database, store, now, directory
        self._connection = duckdb.connect(config={"threads": 1})
        self._connection.execute("SET TimeZone = 'UTC'")
        # In Trino, an integer divided by an integer is an integer.
        self._connection.execute("SET integer_division = true")
        self._scanned = 0
        self._files = 0

    def run(self, statement: str, scan_limit_bytes: int | None) -> Result:
        tree = self._parse(statement)
        if not isinstance(tree, sql.Query):
            raise QueryFailedError(f"NOT_SUPPORTED: only queries are answered, got {tree.key.upper()}")
        _name_columns(tree)
        self._resolve(tree)
        _check_names(tree)
        if scan_limit_bytes is not None and self._scanned > scan_limit_bytes:
            raise ScanLimitError("Bytes scanned limit was exceeded")
        try:
            relation = self._connection.sql(tree.sql(dialect="duckdb"))
            names, kinds = relation.columns, [str(kind) for kind in relation.types]
            rows = relation.fetchall()
        except duckdb.Error as error:
            raise QueryFailedError(f"SYNTAX_ERROR: {str(error).splitlines()[0]}") from None
        return Result(
            columns=tuple((name, _trino_type(kind)) for name, kind in zip(names, kinds, strict=True)),
            rows=[tuple(map(_text, row)) for row in rows],
            scanned_bytes=self._scanned,
        )

    @staticmethod
    def _parse(statement: str) -> sql.Expr:
        try:
            trees = sqlglot.parse(statement, dialect="athena")
        except SqlglotError as error:
            raise QueryFailedError(f"SYNTAX_ERROR: {str(error).splitlines()[0]}") from None
        if len(trees) != 1 or trees[0] is None:
            raise QueryFailedError(f"SYNTAX_ERROR: one statement is expected, got {len(trees)}")
        for sum_ in list(trees[0].find_all(sql.Add, sql.Sub)):
            if _is_date(sum_.left) and isinstance(sum_.right, sql.Interval):
                # A date plus an interval is a timestamp in DuckDB, and a date in Trino.
                sum_.replace(sql.cast(sum_.copy(), "DATE"))
        return trees[0]

    def _resolve(self, tree: sql.Expr) -> None:
        """Replace each table in the query with a DuckDB view, and each view with a subquery."""
        common = {expression.alias for expression in tree.find_all(sql.CTE)}
        for reference in list(tree.find_all(sql.Table)):
            if not isinstance(reference.this, sql.Identifier) or (
                reference.name in common and not reference.db
            ):
                continue
            if reference.catalog.lower() not in ("", show.CATALOG):
                raise QueryFailedError(f"CATALOG_NOT_FOUND: Catalog '{reference.catalog}' does not exist")
            database = (reference.db or self._database).lower()
            table = self._store.table(database, reference.name.lower())
            if table is None:
                name = f"{show.CATALOG}.{database}.{reference.name.lower()}"
                raise QueryFailedError(f"TABLE_NOT_FOUND: Table '{name}' does not exist")
            alias = sql.TableAlias(this=sql.to_identifier(reference.alias_or_name))
            if table.view_query is None:
                self._check_injected(table, tree)
                relation = sql.to_table(self._materialize(table, self._referenced(tree)))
                relation.set("alias", alias)
                reference.replace(relation)
            else:
                inner = self._parse(table.view_query)
                self._resolve(inner)
                reference.replace(sql.Subquery(this=inner, alias=alias))

    @staticmethod
    def _referenced(tree: sql.Expr) -> set[str] | None:
        """Return the columns that the query names; None if it selects all with `*`."""
        if any(not isinstance(star.parent, sql.Count) for star in tree.find_all(sql.Star)):
            return None
        return {column.name.lower() for column in tree.find_all(sql.Column)}

    @staticmethod
    def _check_injected(table: Table, tree: sql.Expr) -> None:
        compared = {
            side.name
            for equality in tree.find_all(sql.EQ)
            for side, other in ((equality.left, equality.right), (equality.right, equality.left))
            if isinstance(side, sql.Column) and isinstance(other, sql.Literal)
        }
        for name in projection.injected(table):
            if name not in compared:
                raise QueryFailedError(
                    f"CONSTRAINT_VIOLATION: For the injected projected partition column {name}, the WHERE"
                    " clause must contain only static equality conditions, and at least one such condition"
                )

    def _materialize(self, table: Table, referenced: set[str] | None) -> str:
        """Create a DuckDB view of the table's files, and return the view's name."""
        bucket, _, prefix = table.location.removeprefix("s3://").partition("/")
        if not prefix.endswith("/"):
            raise QueryFailedError(f"HIVE_METASTORE_ERROR: location of {table.name} must end with /")
        parts = [
            self._select(table, path, file, referenced)
            for file in projection.files(table, self._store.keys(bucket, prefix), self._now)
            for path in [self._fetch(bucket, file.key)]
        ]
        empty = ", ".join(
            [
                *(f'NULL::{duckdb_type(kind)} AS "{name}"' for name, kind in table.columns),
                *(f'NULL::VARCHAR AS "{name}"' for name in table.partitions),
            ]
        )
        name = f"_table_{self._files}"
        self._files += 1
        union = " UNION ALL ".join([*parts, f"SELECT {empty} WHERE false"])
        self._connection.execute(f'CREATE TEMP VIEW "{name}" AS {union}')
        return name

    def _fetch(self, bucket: str, key: str) -> Path:
        path = self._directory / f"{self._files}.parquet"
        self._files += 1
        path.write_bytes(self._store.read(bucket, key))
        return path

    def _select(self, table: Table, path: Path, file: projection.File, referenced: set[str] | None) -> str:
        """Return a SELECT of the table's columns from one file. Columns are matched by name, as in Athena."""
        try:
            described = self._connection.execute(
                "DESCRIBE SELECT * FROM read_parquet(?)", [str(path)]
            ).fetchall()
            chunks = self._connection.execute(
                "SELECT path_in_schema, total_compressed_size FROM parquet_metadata(?)", [str(path)]
            ).fetchall()
        except duckdb.Error:
            raise QueryFailedError(f"HIVE_CANNOT_OPEN_SPLIT: {file.key} is not a Parquet file") from None
        held = {row[0].lower(): (row[0], row[1]) for row in described}
        sizes: defaultdict[str, int] = defaultdict(int)
        for name, size in chunks:
            sizes[name.split(",")[0].strip().lower()] += size
        selected = []
        for name, hive in table.columns:
            expected = duckdb_type(hive)
            if name not in held:
                selected.append(f'NULL::{expected} AS "{name}"')
                continue
            source, kind = held[name]
            if not _readable(kind, expected):
                raise QueryFailedError(
                    f"HIVE_BAD_DATA: Field {name}'s type {kind} in {file.key} is incompatible with {hive}"
                    " defined in table schema"
                )
            value = f'"{source}"'
            if expected == "TIMESTAMP":
                # Athena's timestamps have milliseconds. Finer values are rounded.
                value = f"time_bucket(INTERVAL '1 millisecond', {value} + INTERVAL '500 microseconds')"
            selected.append(f'{value}::{expected} AS "{name}"')
            if referenced is None or name in referenced:
                self._scanned += sizes[name]
        selected += (f'{_literal(file.values[name])} AS "{name}"' for name in table.partitions)
        return f"SELECT {', '.join(selected)} FROM read_parquet({_literal(str(path))})"  # noqa: S608 - literals


def _name_columns(tree: sql.Query) -> None:
    """Name unnamed columns by their position, as Trino does."""
    if isinstance(tree, sql.Select):
        for place, expression in enumerate(list(tree.expressions)):
            if not isinstance(expression, sql.Alias | sql.Column | sql.Star):
                expression.replace(sql.alias_(expression.copy(), f"_col{place}"))


def _check_names(tree: sql.Query) -> None:
    """Refuse a column that a subquery has twice, as Trino does. DuckDB takes the first."""
    for scope in traverse_scope(tree):
        for source, inner in scope.sources.items():
            if not isinstance(inner, Scope) or not isinstance(inner.expression, sql.Query):
                continue
            held = Counter(name.lower() for name in inner.expression.named_selects)
            for column in scope.columns:
                if held[column.name.lower()] > 1 and column.table in ("", source):
                    raise QueryFailedError(f"SYNTAX_ERROR: Column '{column.name}' is ambiguous")


def _is_date(node: sql.Expr) -> bool:
    is_cast = isinstance(node, sql.Cast) and node.to.this == sql.DataType.Type.DATE
    return is_cast or isinstance(node, sql.CurrentDate)


def _literal(text: str) -> str:
    return sql.Literal.string(text).sql(dialect="duckdb")


def _readable(kind: str, expected: str) -> bool:
    if kind.startswith("TIMESTAMP") and "ZONE" not in kind:
        kind = "TIMESTAMP"
    return kind == expected or (kind, expected) in _WIDENED or _plain(kind) == _plain(expected)


def _plain(kind: str) -> str:
    return kind.replace('"', "").replace(" ", "").replace("TIMESTAMP_MS", "TIMESTAMP").upper()


def _trino_type(kind: str) -> str:
    names = {"VARCHAR": "varchar", "HUGEINT": "bigint", "TIMESTAMP": "timestamp"}
    if kind in names:
        return names[kind]
    if kind.startswith("DECIMAL"):
        return "decimal"
    if kind.endswith("[]"):
        return "array"
    return "row" if kind.startswith("STRUCT") else kind.lower()


def _text(value: Any) -> str | None:  # noqa: ANN401 - any value that DuckDB returns
    """Return a value as Athena formats it in results."""
    match value:
        case None:
            return None
        case bool():
            return str(value).lower()
        case datetime():
            zone = f" {value.tzinfo}" if value.tzinfo else ""
            return value.replace(tzinfo=None).isoformat(" ", "milliseconds") + zone
        case Decimal():
            return format(value, "f")
        case list():
            return f"[{', '.join(_parts(value))}]"
        case dict():
            return (
                "{"
                + ", ".join(
                    f"{name}={text}" for name, text in zip(value, _parts(value.values()), strict=True)
                )
                + "}"
            )
    return str(value)


def _parts(values: Iterable[Any] | Sequence[Any]) -> Iterator[str]:
    for value in values:
        text = _text(value)
        yield "null" if text is None else text
