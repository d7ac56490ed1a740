"""Parquet, rewritten to our layout with its types as they are."""

from collections.abc import Mapping
from pathlib import Path

import duckdb

from conversion.engine import Written, copy, described, literal

MAGIC = b"PAR1"


def rewrite(
    connection: duckdb.DuckDBPyConnection, path: Path, output: Path, metadata: Mapping[str, str]
) -> tuple[tuple[str, ...], Written, int]:
    """Write ``path`` anew to ``output``; give its columns' names, what was written, and the rows it has."""
    metadata = {**metadata, "format": "parquet", "encoding": "binary"}
    written = copy(connection, f"FROM read_parquet({literal(str(path))})", output, metadata)
    return tuple(name for name, _ in described(connection, path)), written, count(connection, path)


def count(connection: duckdb.DuckDBPyConnection, path: Path) -> int:
    """Give the number of rows that a file says it has."""
    query = f"SELECT num_rows FROM parquet_file_metadata({literal(str(path))})"
    return connection.execute(query).fetchall()[0][0]
