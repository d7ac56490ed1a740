"""A pipe into the engine: what is read of an object never lies on a disk."""

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

from conversion.model import MEBIBYTE

_T = TypeVar("_T")


class Pipe:
    """A file for the engine to read, as often as it is fed, that is not on any disk."""

    def __init__(self) -> None:
        self._reader, writer = os.pipe()
        os.close(writer)
        with suppress(OSError):  # more than the system allows: then it is slower
            fcntl.fcntl(self._reader, fcntl.F_SETPIPE_SZ, MEBIBYTE)
        # By this name an open waits for nobody; a named pipe's would, for ever if the other end never came.
        self.path = Path(f"/proc/self/fd/{self._reader}")

    def close(self) -> None:
        """Take it away."""
        os.close(self._reader)

    def feed(
        self, blocks: Iterable[bytes], connection: duckdb.DuckDBPyConnection, work: Callable[[], _T]
    ) -> _T:
        """Give what ``work``, which has ``connection`` read ``path``, makes of ``blocks``.

        An error of either side ends both: one in ``blocks`` interrupts the engine, and none of the engine's
        leaves a block waiting to be read.
        """
        done = Event()

        def worked() -> _T:
            try:
                return work()
            finally:
                done.set()
                # What the engine has left is read, so that nobody waits to write it.
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
