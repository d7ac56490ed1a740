"""The engines, each with the call that its users make."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import duckdb

from tests.readers.install import SPARK_HOMES
from tests.readers.java import SPARK_JAVA, java_home
from tests.readers.values import Table, children

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from duckdb.sqltypes import DuckDBPyType

    from local.server import Server
    from tests.readers.trino import Trino

DATABASE = "readers"


class EngineError(Exception):
    """The engine cannot read the file."""


class Engine(Protocol):
    """An engine that reads a file, or all files in a folder."""

    name: str

    def read(self, path: Path) -> Table:
        """Read a file or folder.

        Raises:
            EngineError: The engine cannot read it.
        """
        ...


class DuckDB:
    """The engine that the others are compared with."""

    name = "DuckDB"

    def read(self, path: Path) -> Table:
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            try:
                relation = connection.sql(f"FROM read_parquet('{_pattern(path)}')")
                return Table(relation.columns, relation.fetchall())
            except duckdb.Error as error:
                raise EngineError(str(error)) from None

    @staticmethod
    def types(path: Path) -> list[DuckDBPyType]:
        """Return the types of the file's columns."""
        with duckdb.connect() as connection:
            return connection.sql(f"FROM read_parquet('{_pattern(path)}')").types


def _pattern(path: Path) -> str:
    return str(path / "*.parquet" if path.is_dir() else path).replace("'", "''")


class PyArrow:
    """The library that pandas and others use."""

    name = "pyarrow"

    def read(self, path: Path) -> Table:
        import pyarrow as pa
        from pyarrow import dataset

        try:
            table = dataset.dataset(path, format="parquet").to_table()
            columns = [column.to_pylist(maps_as_pydicts=None) for column in table.columns]
        except (pa.ArrowException, ValueError, OSError) as error:
            raise EngineError(str(error)) from None
        return Table(table.column_names, list(zip(*columns, strict=True)))


class Pandas:
    """pandas with its default, numpy's types."""

    name = "pandas"

    def read(self, path: Path) -> Table:
        import pandas as pd
        import pyarrow as pa

        try:
            frame = pd.read_parquet(path)
        except (pa.ArrowException, ValueError, OSError, OverflowError) as error:
            raise EngineError(str(error)) from None
        return Table(list(frame.columns), list(zip(*(frame[name] for name in frame.columns), strict=True)))


class Polars:
    """polars with its own Parquet reader."""

    name = "polars"

    def read(self, path: Path) -> Table:
        import polars as pl

        try:
            frame = pl.read_parquet(path / "*.parquet" if path.is_dir() else path)
            return Table(frame.columns, frame.rows())
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
            raise EngineError(str(error)) from None


class Spark:
    """Spark in a separate process, started once."""

    def __init__(self, version: str) -> None:
        self.name = f"Spark {version}"
        self._process = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("spark_worker.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ
            | {
                "JAVA_HOME": str(java_home(SPARK_JAVA)),
                "PYTHONPATH": str(SPARK_HOMES[version]),
                "SPARK_LOCAL_IP": "127.0.0.1",
                "TZ": "UTC",
            },
            start_new_session=True,
        )
        self.version = self._answer()

    def read(self, path: Path) -> Table:
        return self.run("spark.read.parquet(path)", path=str(path))

    def run(self, expression: str, **names: str) -> Table:
        """Return the contents of the data frame that an expression over `spark` and these names returns."""
        stdin = self._process.stdin
        if stdin is None:
            raise RuntimeError(f"{self.name} has ended")
        pickle.dump((expression, names), stdin)
        stdin.flush()
        answer = self._answer()
        if isinstance(answer, str):
            raise EngineError(answer)
        return Table(*answer)

    def close(self) -> None:
        """End it."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream:
                stream.close()
        self._process.wait()

    def _answer(self) -> Any:
        if self._process.stdout is None:
            raise RuntimeError(f"{self.name} has ended")
        return pickle.load(self._process.stdout)


class TrinoTables:
    """Trino with a Hive table for each file or folder, which has the types of the first file."""

    name = "Trino"

    def __init__(self, trino: Trino, server: Server, region: str) -> None:
        self.trino = trino
        self.server = server
        self._s3 = server.client("s3", region)
        self._bucket = "readers-of-published-files"
        self._s3.create_bucket(Bucket=self._bucket, CreateBucketConfiguration={"LocationConstraint": region})
        self._numbers = count()

    def read(self, path: Path) -> Table:
        first = min(path.glob("*.parquet")) if path.is_dir() else path
        types = [hive_type(type_) for type_ in DuckDB.types(first)]
        return self.query(path, list(zip(_names(first), types, strict=True)))

    def upload(self, path: Path, folder: str) -> str:
        """Upload a file, or all files in a folder, to S3, and return the URL of the folder."""
        top = path if path.is_dir() else path.parent
        for file in sorted(path.rglob("*.parquet")) if path.is_dir() else [path]:
            self._s3.upload_file(str(file), self._bucket, f"{folder}/{file.relative_to(top)}")
        return f"s3://{self._bucket}/{folder}/"

    def query(self, path: Path, columns: Sequence[tuple[str, str]], select: str = "*") -> Table:
        """Read a file or folder with a table of these columns and Hive types."""
        table = f"t{next(self._numbers)}"
        self.trino.create_table(DATABASE, table, columns, self.upload(path, table))
        from trino.exceptions import TrinoQueryError

        try:
            rows = self.trino.query(f"SELECT {select} FROM {DATABASE}.{table}")
        except TrinoQueryError as error:
            raise EngineError(str(error)) from None
        return Table([name for name, _ in columns], rows)


def _names(path: Path) -> list[str]:
    with duckdb.connect() as connection:
        return connection.sql(f"FROM read_parquet('{_pattern(path)}')").columns


_HIVE: Mapping[str, str] = {"integer": "int", "varchar": "string", "blob": "binary", "geometry": "binary"}


def hive_type(type_: DuckDBPyType) -> str:
    """Return the Hive type of a column that is published as this DuckDB type."""
    kind = type_.id
    if kind == "list":
        return f"array<{hive_type(children(type_)[0])}>"
    if kind == "struct":
        names = [name for name, _ in type_.children]
        types = map(hive_type, children(type_))
        return f"struct<{','.join(f'{name}:{inner}' for name, inner in zip(names, types, strict=True))}>"
    if kind == "map":
        return f"map<{','.join(map(hive_type, children(type_)))}>"
    if kind == "timestamp with time zone":
        return "timestamp"
    return _HIVE.get(kind, str(type_).lower())
