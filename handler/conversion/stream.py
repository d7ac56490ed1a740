"""Convert an object while it arrives: a pipe into the engine, for what is as its beginning promises.

Nearly every object is. Nothing of it touches the disk but its Parquet, and the network is not waited for. One
that breaks its promise half-way is read again from its beginning, by the slower way that takes anything.
"""

import fcntl
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import duckdb

from conversion.csv_reader import LINE_BYTES
from conversion.model import MEBIBYTE

_T = TypeVar("_T")


class UnsoundError(Exception):
    """The object is not what its beginning promises."""


class Pipe:
    """A file for the engine to read, once, that is not on any disk."""

    def __init__(self) -> None:
        reader, writer = os.pipe()
        # By this name an open waits for nobody; a named pipe's would, for ever if the other end never came.
        self.path = Path(f"/proc/self/fd/{reader}")
        self._reader = os.fdopen(reader, "rb", buffering=0)
        self._writer = os.fdopen(writer, "wb")
        with suppress(OSError):  # more than the system allows: then it is slower
            fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, MEBIBYTE)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._reader.close()
        self._end()

    def feed(
        self, blocks: Iterable[bytes], connection: duckdb.DuckDBPyConnection, work: Callable[[], _T]
    ) -> _T:
        """Give what ``work``, which has ``connection`` read the pipe, makes of ``blocks``.

        An error of either side ends both: one in ``blocks`` interrupts the engine, and none of the engine's
        leaves a block waiting to be read. Raises UnsoundError if the engine has not read them all.
        """
        with ThreadPoolExecutor(1, "conversion-engine") as executor:
            done = executor.submit(work)
            done.add_done_callback(lambda _: self._reader.close())
            try:
                taken = all(map(self._take, blocks))
            except BaseException:
                self._end()
                connection.interrupt()
                raise
            self._end()
            result = done.result()
            if not taken:
                raise UnsoundError
            return result

    def _take(self, block: bytes) -> bool:
        """Write a block; False if nobody reads any more."""
        try:
            self._writer.write(block)
        except BrokenPipeError:
            return False
        return True

    def _end(self) -> None:
        with suppress(BrokenPipeError):
            self._writer.close()


def whole_lines(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield ``blocks`` cut anew, each at the end of its last line; only the last may lack its line end."""
    rest = b""
    for block in blocks:
        end = block.rfind(b"\n") + 1
        if end:
            yield rest + block[:end]
        rest = block[end:] if end else rest + block
        if len(rest) > LINE_BYTES:
            raise UnsoundError
    if rest:
        yield rest
