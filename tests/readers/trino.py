"""Trino on this machine, with Hive tables in the embedded AWS's Glue and S3.

Athena is AWS's version of Trino with Hive tables in Glue and S3. Without AWS, this is the closest to it:
https://docs.aws.amazon.com/athena/latest/ug/engine-versions-reference.html
"""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from trino.dbapi import connect
from trino.exceptions import TrinoConnectionError, TrinoQueryError

from tests.readers.install import TRINO_HOME
from tests.readers.java import TRINO_JAVA, java_home

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import TracebackType

    from local.server import Server

CATALOG = "awsdatacatalog"
"""Athena's name for the catalog of Glue tables."""

_HOST = "127.0.0.1"
_HEAP_MEGABYTES = 1500
_START_SECONDS = 240
_HEARTBEAT_SECONDS = 60
_JVM = (
    f"-Xmx{_HEAP_MEGABYTES}m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:+ExitOnOutOfMemoryError",
    "-Djdk.attach.allowAttachSelf=true",
    "-Dfile.encoding=UTF-8",
    "--enable-native-access=ALL-UNNAMED",
    "--add-modules=jdk.incubator.vector",
    "--sun-misc-unsafe-memory-access=allow",
)
_PARQUET = {
    "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
    "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"},
}


class Trino:
    """A running Trino for one region of the embedded AWS, as a context manager.

    Like Athena, it supports partition projection and reads nested folders.
    """

    def __init__(self, server: Server, region: str) -> None:
        """Start it, and wait until it answers. This takes half a minute.

        Raises:
            RuntimeError: It does not start.
        """
        self._server = server
        self._region = region
        self.glue = server.client("glue", region)
        self._folder = tempfile.TemporaryDirectory(prefix="trino-")
        self.port = _free_port()
        home = java_home(TRINO_JAVA)
        if home is None:
            raise RuntimeError("no Java for Trino is found")
        folder = Path(self._folder.name)
        self._configure(folder)
        self._log = (folder / "trino.log").open("wb")
        self._process = subprocess.Popen(
            [
                str(home / "bin" / "java"),
                *_JVM,
                "-cp",
                f"{TRINO_HOME / 'lib'}/*",
                f"-Dconfig={folder / 'config.properties'}",
                f"-Dlog.levels-file={folder / 'log.properties'}",
                f"-Dnode.data-dir={folder}",
                "-Dnode.environment=test",
                "io.trino.server.TrinoServer",
            ],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=os.environ | {"JAVA_HOME": str(home)},
            start_new_session=True,
        )
        try:
            self._connection = self._connected()
        except BaseException:
            self.close()
            raise

    def query(self, sql: str) -> list[list[Any]]:
        """Return the rows of a statement.

        On a busy machine Trino can miss its own heartbeat. Then it has no node until the next one.

        Raises:
            trino.exceptions.TrinoQueryError: The statement fails.
        """
        deadline = time.monotonic() + _HEARTBEAT_SECONDS
        while True:
            try:
                return self._connection.cursor().execute(sql).fetchall()
            except TrinoQueryError as error:
                if error.error_name != "NO_NODES_AVAILABLE" or time.monotonic() > deadline:
                    raise
                time.sleep(0.5)

    def create_database(self, database: str) -> None:
        """Create a database in Glue unless it exists."""
        with suppress(self.glue.exceptions.AlreadyExistsException):
            self.glue.create_database(DatabaseInput={"Name": database})

    def create_table(
        self,
        database: str,
        table: str,
        columns: Sequence[tuple[str, str]],
        location: str,
        *,
        partitions: Sequence[tuple[str, str]] = (),
        parameters: Iterable[tuple[str, str]] = (),
    ) -> None:
        """Create a table of Parquet files in Glue.

        Args:
            database: The database's name. It is created if it does not exist.
            table: The table's name in lower case.
            columns: Names and Hive types.
            location: The folder in S3, ``s3://bucket/prefix/``.
            partitions: Names and Hive types of the partition columns.
            parameters: The table's parameters, such as those of partition projection.
        """
        self.create_database(database)
        self.glue.create_table(
            DatabaseName=database,
            TableInput={
                "Name": table,
                "TableType": "EXTERNAL_TABLE",
                "Parameters": {"EXTERNAL": "TRUE", "classification": "parquet", **dict(parameters)},
                "PartitionKeys": [{"Name": name, "Type": type_} for name, type_ in partitions],
                "StorageDescriptor": {
                    **_PARQUET,
                    "Columns": [{"Name": name, "Type": type_} for name, type_ in columns],
                    "Location": location,
                },
            },
        )

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _configure(self, folder: Path) -> None:
        credentials = self._server.operator
        (folder / "catalog").mkdir()
        _write(
            folder / "config.properties",
            {
                "coordinator": "true",
                "node-scheduler.include-coordinator": "true",
                "http-server.http.port": str(self.port),
                "discovery.uri": f"http://{_HOST}:{self.port}",
                "plugin.dir": str(TRINO_HOME / "plugin"),
                "catalog.config-dir": str(folder / "catalog"),
                "catalog.management": "static",
                "query.max-memory": "500MB",
                "query.max-memory-per-node": "500MB",
            },
        )
        _write(folder / "log.properties", {"io.trino": "WARN"})
        _write(
            folder / "catalog" / f"{CATALOG}.properties",
            {
                "connector.name": "hive",
                "hive.metastore": "glue",
                "hive.metastore.glue.region": self._region,
                "hive.metastore.glue.endpoint-url": self._server.endpoint,
                "hive.metastore.glue.aws-access-key": credentials.key_id,
                "hive.metastore.glue.aws-secret-key": credentials.secret,
                "hive.partition-projection-enabled": "true",
                "hive.recursive-directories": "true",
                "fs.native-s3.enabled": "true",
                "s3.endpoint": self._server.endpoint,
                "s3.region": self._region,
                "s3.path-style-access": "true",
                "s3.aws-access-key": credentials.key_id,
                "s3.aws-secret-key": credentials.secret,
            },
        )

    def _connected(self) -> Any:
        """Wait until it answers and has a node that runs queries."""
        deadline = time.monotonic() + _START_SECONDS
        while True:
            connection = connect(host=_HOST, port=self.port, user="test", catalog=CATALOG)
            try:
                connection.cursor().execute("SELECT 1").fetchall()
            except (TrinoConnectionError, TrinoQueryError, OSError) as error:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    text = Path(self._log.name).read_text(errors="replace")[-3000:]
                    raise RuntimeError(f"Trino does not answer: {error}\n{text}") from None
                time.sleep(0.5)  # The port opens long before Trino answers.
            else:
                return connection


def _write(path: Path, properties: dict[str, str]) -> None:
    path.write_text("".join(f"{name}={value}\n" for name, value in properties.items()))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        return probe.getsockname()[1]
