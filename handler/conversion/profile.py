"""The profile: what analysts first ask about a column, in a file beside the data."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from conversion.model import Column
from conversion.passes import Result

_VALUE_LENGTH_MAX = 200


def write_profile(
    path: Path,
    description: Mapping[str, object],
    columns: Sequence[Column],
    result: Result,
) -> Path:
    """Write the type, nulls, null markers and extremes of each column.

    Nulls and extremes come from DuckDB's statistics of the written file, so it is not read again.

    Args:
        path: The file to write.
        description: The entries of the profile that describe the whole object.
        columns: The columns of the Parquet file.
        result: The pass that wrote it.
    """
    written = result.written
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
            }
        )
    path.write_text(json.dumps({**description, "columns": described}, ensure_ascii=False, indent=1))
    return path


def _bounded(value: str | None) -> str | None:
    return value if value is None or len(value) <= _VALUE_LENGTH_MAX else value[:_VALUE_LENGTH_MAX] + "..."
