"""Publish inputs as the function does, and compare what an engine reads with what DuckDB reads."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from tests.conversion import support
from tests.readers.engines import DuckDB, Engine

if TYPE_CHECKING:
    from tests.readers.values import Table


def publish(data: bytes, target: Path, key: str) -> Path:
    """Convert an object with this key, and return its Parquet file at `target`."""
    support.publish(data, key, target)
    return target


def publish_query(query: str, target: Path) -> Path:
    """Convert a Parquet upload with the result of a DuckDB query."""
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        upload = Path(folder) / "upload.parquet"
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"COPY ({query}) TO '{upload}' (FORMAT parquet)")
        return publish(upload.read_bytes(), target, "input/upload.parquet")


def difference(engine: Engine, path: Path) -> str | None:
    """Return the first difference between an engine and DuckDB; None if there is none.

    Raises:
        EngineError: The engine cannot read the file.
    """
    expected, types = DuckDB().read(path), DuckDB.types(path)
    got = engine.read(path)
    if list(map(str.lower, got.names)) != list(map(str.lower, expected.names)):
        return f"names: {got.names} for {expected.names}"
    return _difference(got, expected, types, nan_is_null=engine.name == "pandas")


def _difference(got: Table, expected: Table, types: list, *, nan_is_null: bool) -> str | None:
    if len(got.rows) != len(expected.rows):
        return f"{len(got.rows)} rows for {len(expected.rows)}"
    read = got.texts(types, nan_is_null=nan_is_null)
    wanted = expected.texts(types, nan_is_null=nan_is_null)
    return next((f"{one} for {other}" for one, other in zip(read, wanted, strict=True) if one != other), None)
