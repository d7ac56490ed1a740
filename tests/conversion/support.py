"""Run a conversion, and read what it wrote."""

import gzip
import io
import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, BinaryIO

import duckdb

from conversion import Account, Assignment, Conversion, EmptyError, Limits, UnreadableError, convert

PROVENANCE = {"version_id": "v1", "etag": "abc", "region": "eu-west-1"}


@cache
def _database() -> duckdb.DuckDBPyConnection:
    # Without the cache of files, each query reads its files.
    return duckdb.connect(config={"threads": 1, "enable_external_file_cache": False})


def connection() -> duckdb.DuckDBPyConnection:
    """Return a connection to a database that all tests share, because a new database takes longer."""
    connected = _database().cursor()
    connected.execute("SET TimeZone = 'UTC'")
    return connected


@dataclass
class Converted:
    result: Conversion

    @property
    def account(self) -> Account:
        return self.result.account

    @property
    def types(self) -> dict[str, str]:
        return {column.name: column.type for column in self.result.columns}

    @property
    def source_types(self) -> dict[str, str]:
        """The types before publishing."""
        return {column.name: column.source_type for column in self.result.columns}

    @cached_property
    def rows(self) -> list[tuple[Any, ...]]:
        """The rows, every value as its text."""
        return self.query("SELECT COLUMNS(*)::VARCHAR FROM data")

    @cached_property
    def rejects(self) -> list[dict[str, Any]]:
        return read_rejects(self.result.rejects)

    @property
    def profile(self) -> dict[str, Any]:
        return json.loads(self.result.profile.read_text())

    @property
    def metadata(self) -> dict[str, str]:
        path = str(self.result.parquet)
        with connection() as connected:
            pairs = connected.execute("SELECT key, value FROM parquet_kv_metadata(?)", [path]).fetchall()
        return {key.decode(): value.decode() for key, value in pairs}

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with connection() as connected:
            connected.read_parquet(str(self.result.parquet)).create_view("data")
            return connected.execute(sql).fetchall()


def read_rejects(path: Path | None) -> list[dict[str, Any]]:
    return [] if path is None else [json.loads(line) for line in path.read_text().split("\n") if line]


def run(
    data: bytes,
    key: str = "input/data.csv",
    *,
    size: int | None = None,
    source: BinaryIO | None = None,
    reopen: Callable[[], BinaryIO] | None = None,
    assignment: Assignment | None = None,
    **limits: Any,
) -> Converted:
    result = convert(
        source or io.BytesIO(data),
        reopen=reopen or (lambda: io.BytesIO(data)),
        key=key,
        size=len(data) if size is None else size,
        workdir=Path(tempfile.mkdtemp()),
        limits=Limits(**limits),
        provenance=PROVENANCE,
        assignment=assignment,
    )
    account = result.account
    assert account.rows_in == account.rows_out + account.rows_rejected
    assert account.bytes_in == len(data)
    assert account.bytes_out == result.parquet.stat().st_size
    converted = Converted(result)
    assert len(converted.rejects) == account.rows_rejected
    assert converted.query("SELECT count(*) FROM data") == [(account.rows_out,)]
    return converted


def publish(
    data: bytes, key: str, target: Path, *, assignment: Assignment | None = None, **limits: Any
) -> Account:
    """Convert an object, and copy its Parquet file to `target`."""
    with tempfile.TemporaryDirectory() as workdir:
        conversion = convert(
            io.BytesIO(data),
            reopen=lambda: io.BytesIO(data),
            key=key,
            size=len(data),
            workdir=Path(workdir),
            limits=Limits(**limits),
            provenance={},
            assignment=assignment,
        )
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(conversion.parquet, target)
        return conversion.account


def refused(data: bytes, key: str = "input/data.csv", **limits: Any) -> UnreadableError:
    try:
        converted = run(data, key, **limits)
    except UnreadableError as error:
        return error
    msg = f"converted: {converted.result}"
    raise AssertionError(msg)


def outcome(data: bytes, key: str) -> Converted | UnreadableError | EmptyError:
    """The result of a conversion, or one of the errors that it may end with."""
    try:
        return run(data, key)
    except (UnreadableError, EmptyError) as error:
        return error


def gzipped(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)
