"""DuckDB, shut off from everything but the conversion's own directory, and the ways to name things to it.

No text of a user's is ever part of a statement but through ``identifier`` and ``literal``.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import duckdb

from conversion.budget import Budget, resident_bytes
from conversion.model import MEBIBYTE

_MEMORY_MIN = 128 * MEBIBYTE
_MEMORY_SHARE = 0.57
"""Of the process's memory, at most: 400 MiB of 700."""
_UNTRACKED = 200 * MEBIBYTE
"""What the engine takes outside its limit, at most, and Python while it works."""

_SETTINGS = {
    # One thread: a function of 1024 MB has 0.58 of a processor, and each thread has buffers of its own.
    "threads": 1,
    # Threads that write behind its back are waited for by a COPY that fails, and may wait for it in turn.
    "async_threads": 0,
    "preserve_insertion_order": True,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    # A cast that may fail must not be pushed into the scan, which would drop the row; nor a check on what a
    # cast gave be pushed below it, which would cast twice; nor IN become a join, which all rows would take.
    "disabled_optimizers": "type_pushdown,filter_pushdown,in_clause",
}


@contextmanager
def engine(workdir: Path, budget: Budget, *pipes: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a connection that opens ``pipes`` and files in ``workdir`` only and is watched by ``budget``."""
    memory = budget.memory_bytes - resident_bytes() - _UNTRACKED
    largest = int(budget.memory_bytes * _MEMORY_SHARE)
    settings = _SETTINGS | {"memory_limit": f"{max(_MEMORY_MIN, min(memory, largest))}B"}
    with duckdb.connect(":memory:", config=settings) as connection, budget.watch(connection):
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET enable_progress_bar = false")
        connection.execute(f"SET temp_directory = {literal(str(workdir / 'engine'))}")
        connection.execute(f"SET allowed_directories = [{literal(str(workdir))}]")
        paths = ", ".join(literal(str(pipe)) for pipe in pipes)
        connection.execute(f"SET allowed_paths = [{paths}]")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        yield connection


def copy(
    connection: duckdb.DuckDBPyConnection, query: str, path: Path, metadata: Mapping[str, str]
) -> "Written":
    """Write what ``query`` gives to a Parquet file of our layout."""
    pairs = ", ".join(f"{identifier(name)}: {literal(value)}" for name, value in metadata.items())
    row = connection.execute(
        f"COPY ({query}) TO {literal(str(path))} (FORMAT parquet, COMPRESSION zstd, "
        f"ROW_GROUP_SIZE_BYTES '64MB', RETURN_STATS true, KV_METADATA {{{pairs}}})"
    ).fetchall()[0]
    return Written(rows=row[1], size=row[2], statistics=row[4])


def described(connection: duckdb.DuckDBPyConnection, parquet: Path) -> list[tuple[str, str]]:
    """Give the names and types of a Parquet file's columns."""
    rows = connection.execute(f"DESCRIBE FROM read_parquet({literal(str(parquet))})").fetchall()
    return [(row[0], row[1]) for row in rows]


class Written:
    """What the engine says of a Parquet file it has written."""

    def __init__(self, *, rows: int, size: int, statistics: Mapping[str, Mapping[str, str]]) -> None:
        self.rows = rows
        self.size = size
        self._statistics = statistics

    def of(self, name: str) -> Mapping[str, str]:
        """Give the statistics of the column of this name."""
        return self._statistics.get(identifier(name), {})

    def nulls(self, name: str) -> int:
        """Give how many nulls the column of this name has."""
        return int(self.of(name).get("null_count", 0))


def identifier(name: str) -> str:
    """Quote ``name`` as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Quote ``text`` as an SQL string."""
    return "'" + text.replace("'", "''") + "'"
