"""What analysts ask first of a column, in a file beside the data."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

from conversion.engine import Written, identifier, literal
from conversion.model import Account, Column

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
    connection: duckdb.DuckDBPyConnection,
    parquet: Path,
    written: Written,
    columns: Sequence[Column],
    markers: Sequence[int],
    path: Path,
    description: Mapping[str, object],
    account: Account,
) -> None:
    """Write type, nulls, share of null markers, extremes, approximate distinct count and mean per column.

    Nulls and extremes come from the engine's statistics of what it wrote; the rest takes a pass over that.
    """
    distinct, means = _measure(connection, parquet, columns)
    described = []
    for index, column in enumerate(columns):
        statistics = written.of(column.name)
        described.append(
            {
                "name": column.name,
                "source_name": column.source_name,
                "type": column.type,
                "nulls": written.nulls(column.name),
                "null_marker_share": markers[index] / written.rows,
                "min": _bounded(statistics.get("min")),
                "max": _bounded(statistics.get("max")),
                "exact_extremes": statistics.get("min_is_exact") == statistics.get("max_is_exact") == "true",
                "approximate_distinct": distinct[index],
                "mean": means[index],
            }
        )
    accounted = {name: getattr(account, name) for name in Account.__dataclass_fields__}
    path.write_text(
        json.dumps({**description, "account": accounted, "columns": described}, ensure_ascii=False, indent=1)
    )


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
