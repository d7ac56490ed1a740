"""A pipe into DuckDB, so that the object's text is never written to the disk."""

import fcntl
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from io import RawIOBase
from pathlib import Path
from threading import Event
from typing import TypeVar

import duckdb

from conversion.engine import literal
from conversion.model import MEBIBYTE

_T = TypeVar("_T")


class Pipe:
    """A pipe with a path. DuckDB can read the path once in each call of ``feed``.

    Attributes:
        path: The path.
        sql: The path as an SQL string.
    """

    def __init__(self) -> None:
        self._reader, writer = os.pipe()
        os.close(writer)
        with suppress(OSError):  # The system may not allow that much. Then the pipe is slower.
            fcntl.fcntl(self._reader, fcntl.F_SETPIPE_SZ, MEBIBYTE)
        # Opening this path never blocks. Opening a FIFO waits for its peer, for ever if the peer fails.
        self.path = Path(f"/proc/self/fd/{self._reader}")
        self.sql = literal(str(self.path))

    def close(self) -> None:
        """Close the pipe."""
        os.close(self._reader)

    def feed(
        self, blocks: Iterable[bytes], connection: duckdb.DuckDBPyConnection, work: Callable[[], _T]
    ) -> _T:
        """Write ``blocks`` to the pipe while ``work`` runs in another thread, and return its result.

        An error in ``blocks`` interrupts DuckDB. An error in ``work`` ends the writing.

        Args:
            blocks: The text.
            connection: The connection that ``work`` uses.
            work: Executes a statement that reads ``path``.
        """
        done = Event()

        def worked() -> _T:
            try:
                return work()
            finally:
                done.set()
                # Read what DuckDB left, so that the writer is not blocked.
                while os.read(self._reader, MEBIBYTE):
                    pass

        with (
            self.path.open("wb", buffering=0) as writer,
            ThreadPoolExecutor(1, "conversion-engine") as executor,
        ):
            result = executor.submit(worked)
            try:
                for block in blocks:
                    if done.is_set():
                        break
                    _write(writer, block)
            except BaseException:
                writer.close()
                connection.interrupt()
                raise
            writer.close()
            return result.result()


def _write(writer: RawIOBase, block: bytes) -> None:
    rest = memoryview(block)
    while rest:
        rest = rest[writer.write(rest) or 0 :]
