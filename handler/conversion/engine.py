"""DuckDB with access to the conversion's directory only, and functions that quote text for SQL.

Text of users enters a statement only through ``identifier`` and ``literal``.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from conversion.budget import Budget, resident_bytes
from conversion.model import MEBIBYTE

_MEMORY_MIN = 128 * MEBIBYTE
_MEMORY_SHARE = 0.57
"""The most of the process's memory that DuckDB may use: 400 MiB of 700."""
_UNTRACKED = 150 * MEBIBYTE
"""The most that DuckDB takes outside its limit, and Python meanwhile."""

_SETTINGS = {
    # A function of 1024 MB has 0.58 vCPU, and each thread has its own buffers.
    "threads": 1,
    # A failing COPY can deadlock with asynchronous writers.
    "async_threads": 0,
    "preserve_insertion_order": True,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    # type_pushdown would move a cast into the scan, where a failing cast drops the row. filter_pushdown would
    # move a check below its cast, and cast twice. in_clause would turn IN into a join. statistics_propagation
    # would answer checks by the statistics of an uploaded Parquet file, which may be wrong.
    "disabled_optimizers": "type_pushdown,filter_pushdown,in_clause,statistics_propagation",
}


@contextmanager
def engine(workdir: Path, budget: Budget, *pipes: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a connection that can open only ``pipes`` and files in ``workdir``. ``budget`` watches it."""
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


def identifier(name: str) -> str:
    """Quote ``name`` as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Quote ``text`` as an SQL string."""
    return "'" + text.replace("'", "''") + "'"
