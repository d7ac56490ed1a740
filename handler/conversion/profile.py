"""The profile: what analysts first ask about a column, in a file beside the data."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import duckdb

from conversion.engine import identifier, literal
from conversion.model import Column
from conversion.passes import Result

_NUMBERS = (
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "BIGINT",
    "UTINYINT",
    "USMALLINT",
    "UINTEGER",
    "UBIGINT",
    "HUGEINT",
    "FLOAT",
    "DOUBLE",
    "DECIMAL",
)
_VALUE_LENGTH_MAX = 200


def write_profile(
    path: Path,
    description: Mapping[str, object],
    connection: duckdb.DuckDBPyConnection,
    parquet: Path,
    columns: Sequence[Column],
    result: Result,
) -> Path:
    """Write the type, nulls, null markers, extremes, approximate distinct count and mean of each column.

    Nulls and extremes come from DuckDB's statistics of the written file. Distinct counts and means take a
    pass over it. If time or memory is not enough for that pass, they are null.

    Args:
        path: The file to write.
        description: The entries of the profile that describe the whole object.
        connection: Reads the Parquet file.
        parquet: The Parquet file.
        columns: Its columns.
        result: The pass that wrote it.
    """
    written = result.written
    try:
        distinct, means = _measure(connection, parquet, columns)
    except (duckdb.Error, MemoryError):
        distinct, means = [None] * len(columns), [None] * len(columns)
    described = []
    for index, column in enumerate(columns):
        statistics = written.of(column.name)
        described.append(
            {
                "name": column.name,
                "source_name": column.source_name,
                "type": column.type,
                "looks_like": result.note(index) if column.type == "VARCHAR" else None,
                "source_type": column.source_type,
                "renamed_fields": [asdict(field) for field in column.renamed_fields],
                "nulls": written.nulls(column.name),
                "null_marker_share": result.markers[index] / written.rows
                if result.markers and written.rows
                else 0.0,
                "min": _bounded(statistics.get("min")),
                "max": _bounded(statistics.get("max")),
                "exact_extremes": statistics.get("min_is_exact") == statistics.get("max_is_exact") == "true",
                "approximate_distinct": distinct[index],
                "mean": means[index],
            }
        )
    path.write_text(json.dumps({**description, "columns": described}, ensure_ascii=False, indent=1))
    return path


def _measure(
    connection: duckdb.DuckDBPyConnection, parquet: Path, columns: Sequence[Column]
) -> tuple[list[int | None], list[float | None]]:
    expressions = []
    for column in columns:
        name = identifier(column.name)
        nested = column.type.endswith("]") or column.type.startswith(("STRUCT", "MAP"))
        expressions.append("NULL" if nested else f"approx_count_distinct({name})")
        expressions.append(
            f"avg({name})::DOUBLE" if column.type.startswith(_NUMBERS) and not nested else "NULL"
        )
    row = connection.execute(
        f"SELECT {', '.join(expressions)} FROM read_parquet({literal(str(parquet))})"
    ).fetchall()[0]
    return list(row[::2]), [_finite(mean) for mean in row[1::2]]


def _finite(mean: float | None) -> float | None:
    return mean if mean is not None and abs(mean) < float("inf") else None


def _bounded(value: str | None) -> str | None:
    return value if value is None or len(value) <= _VALUE_LENGTH_MAX else value[:_VALUE_LENGTH_MAX] + "..."
