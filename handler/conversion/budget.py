"""The time, memory and disk of one conversion, and the watchdog that enforces them."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic

import duckdb

from conversion.model import MEBIBYTE, DeadlineExceededError, Limits, UnreadableError

THROUGHPUT_BYTES_PER_SECOND = 12_000_000
"""Decompressed bytes per second that a function of 1024 MB (0.58 vCPU) is sure to convert.

docs/benchmarks.md has the measured throughput.
"""

_GROWTH_BYTES = 400 * MEBIBYTE
_DISK_FACTOR = 1.25
"""The object and its Parquet, in multiples of the object."""

_COLUMN_BYTES = 60_000
_EXPRESSION_BYTES = 500
"""Memory for a column, and for a character of the SQL that casts and checks it: longer SQL needs more of
DuckDB's vectors. Measured with 1,000 to 3,000 columns of each type (VmHWM)."""

_KEY_BYTES = 280_000
"""Memory that a column of JSON may take: 2,600 columns fit into 700 MiB."""

_WATCH_SECONDS = 0.05
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def largest_object_bytes(seconds: float) -> int:
    """Return the largest object, in decompressed bytes, that can be converted within ``seconds``."""
    return int(seconds * THROUGHPUT_BYTES_PER_SECOND)


class Budget:
    """The limits of a conversion, and what is left of them."""

    def __init__(self, limits: Limits, workdir: Path) -> None:
        self.limits = limits
        self._workdir = workdir
        self._deadline = monotonic() + limits.seconds
        self.exceeded: Exception | None = None
        """The error with which the conversion must end, if there is one."""
        # Memory that the process used before (in a test or a tool) does not count.
        self.memory_bytes = max(limits.memory_bytes, resident_bytes() + _GROWTH_BYTES)

    @property
    def columns_max(self) -> int:
        """The most columns that JSON keys may have."""
        return self.memory_bytes // _KEY_BYTES

    def check_time(self, size: int, speed: float = 1.0) -> None:
        """Refuse an object for which the time is not enough.

        Args:
            size: Its decompressed size in bytes.
            speed: The share of the usual throughput that it reaches.
        """
        largest = int(largest_object_bytes(self.limits.seconds) * speed)
        if size > largest:
            raise UnreadableError(
                f"too large for the time: {size} bytes, and {self.limits.seconds:g} seconds are enough for "
                f"{largest} bytes: split the object, or raise the function's timeout or memory"
            )

    def check_columns(self, count: int, sql: int = 0) -> None:
        """Refuse ``count`` columns, read with ``sql`` characters of SQL, if the memory is not enough."""
        needed = count * _COLUMN_BYTES + sql * _EXPRESSION_BYTES
        left = self.memory_bytes - resident_bytes()
        if needed > left:
            raise UnreadableError(
                f"too wide for the memory: {count} columns need about {needed} bytes, and {left} are left: "
                "split the columns, or raise the function's memory"
            )

    def check_disk(self, size: int) -> None:
        """Refuse ``size`` bytes if the disk cannot hold them and their Parquet."""
        largest = int(self.limits.disk_bytes / _DISK_FACTOR)
        if size > largest:
            raise UnreadableError(
                f"too large for the disk: {size} bytes, and {self.limits.disk_bytes} bytes of storage are "
                f"enough for {largest} bytes and their Parquet: split the object, or raise ephemeralStorage"
            )

    def check(self) -> None:
        """Check the deadline, and what the watchdog found.

        This is cheap enough for every block. The watchdog measures memory and disk.

        Raises:
            DeadlineExceededError: No time is left.
            UnreadableError: Memory or disk were exceeded.
        """
        if self.exceeded is None and monotonic() > self._deadline:
            self.exceeded = self._out_of_time()
        if self.exceeded:
            raise self.exceeded

    @contextmanager
    def watch(self, connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
        """Interrupt ``connection`` when the process exceeds its memory, disk or time.

        DuckDB does not count all of its memory, so the process's resident memory is measured.
        """
        done = threading.Event()

        def poll() -> None:
            while not done.wait(_WATCH_SECONDS):
                reason = self._found()
                if reason is not None:
                    self.exceeded = self.exceeded or reason
                    connection.interrupt()

        watcher = threading.Thread(target=poll, name="conversion-watchdog", daemon=True)
        watcher.start()
        try:
            yield
        except duckdb.Error:
            if self.exceeded:
                raise self.exceeded from None
            raise
        finally:
            done.set()
            watcher.join()

    def _found(self) -> Exception | None:
        if monotonic() > self._deadline:
            return self._out_of_time()
        resident = resident_bytes()
        if resident > self.memory_bytes:
            return UnreadableError(
                f"needs more than the memory limit: {resident} bytes, limit {self.memory_bytes} bytes"
            )
        used = _used_bytes(self._workdir)
        if used > self.limits.disk_bytes:
            return UnreadableError(
                f"needs more than the storage limit: {used} bytes, limit {self.limits.disk_bytes} bytes"
            )
        return None

    def _out_of_time(self) -> Exception:
        return DeadlineExceededError(f"not converted within {self.limits.seconds:g} seconds")


def _used_bytes(directory: Path) -> int:
    used = 0
    for folder, _, names in os.walk(directory):
        for name in names:
            with suppress(FileNotFoundError):  # DuckDB may have deleted it meanwhile.
                used += (Path(folder) / name).stat().st_size
    return used


def resident_bytes() -> int:
    """Return this process's resident memory in bytes."""
    return int(Path("/proc/self/statm").read_bytes().split()[1]) * _PAGE_BYTES
