"""Write columns to the Parquet file in one COPY, and describe what was written."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import duckdb

from conversion.engine import identifier, literal
from conversion.model import Column
from conversion.published import Published

_CALENDAR = {"org.apache.spark.version": "3.5.0"}
"""States that dates are in the modern calendar. All Parquet writers but Spark before 3.0 use it.
Without this key, Spark 3 refuses a file with a date before 1582, because it cannot know the calendar.
https://github.com/apache/spark/blob/v3.5.6/sql/core/src/main/scala/org/apache/spark/sql/execution/datasources/DataSourceUtils.scala
"""

_VALUE_LENGTH_MAX = 200


def write(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    relation: str,
    columns: Sequence[Published],
    metadata: Mapping[str, str],
) -> tuple[int, tuple[Column, ...]]:
    """Write columns to a Parquet file.

    The description comes from DuckDB's statistics of the file, so the rows are not read again.

    Args:
        connection: The connection to DuckDB.
        path: The file.
        relation: SQL of the rows, for a FROM clause.
        columns: The columns.
        metadata: Key-value metadata of the file, besides that of the columns.

    Returns:
        The number of rows, and the columns as they were written.
    """
    entries = {**metadata, **_metadata_of(columns)}
    pairs = ", ".join(f"{identifier(name)}: {literal(value)}" for name, value in entries.items())
    query = f"SELECT {selection(columns)} FROM {relation}"
    row = connection.execute(
        f"COPY ({query}) TO {literal(str(path))} (FORMAT parquet, COMPRESSION zstd, "
        f"ROW_GROUP_SIZE_BYTES '64MB', RETURN_STATS true, KV_METADATA {{{pairs}}})"
    ).fetchall()[0]
    rows, statistics = row[1], row[4]
    types = connection.execute(f"DESCRIBE FROM read_parquet({literal(str(path))})").fetchall()
    return rows, tuple(
        _described(column, type_, statistics.get(identifier(column.name), {}))
        for column, (_, type_, *_) in zip(columns, types, strict=True)
    )


def selection(columns: Sequence[Published]) -> str:
    """Return the SELECT list of ``columns``."""
    return ", ".join(f"{column.expression} AS {identifier(column.name)}" for column in columns)


def _metadata_of(columns: Sequence[Published]) -> Mapping[str, str]:
    """Return the metadata of a Parquet file: source names and types, renamed fields and the calendar."""
    described = {
        "source_types": {
            column.name: column.source_type for column in columns if column.source_type != column.type
        },
        "renamed_fields": [asdict(field) for column in columns for field in column.renamed],
    }
    texts = {key: json.dumps(value, ensure_ascii=False) for key, value in described.items() if value}
    source_names = {column.name: column.source_name for column in columns}
    return {"column_names": json.dumps(source_names, ensure_ascii=False), **_CALENDAR, **texts}


def _described(column: Published, type_: str, statistics: Mapping[str, str]) -> Column:
    return Column(
        name=column.name,
        source_name=column.source_name,
        type=type_,
        source_type=column.source_type,
        renamed_fields=column.renamed,
        nulls=int(statistics.get("null_count", 0)),
        min=_bounded(statistics.get("min")),
        max=_bounded(statistics.get("max")),
        exact_extremes=statistics.get("min_is_exact") == statistics.get("max_is_exact") == "true",
    )


def _bounded(value: str | None) -> str | None:
    return value if value is None or len(value) <= _VALUE_LENGTH_MAX else value[:_VALUE_LENGTH_MAX] + "..."
