"""The time, memory and disk one conversion may use, and the thread that stops the engine at their end."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic

import duckdb

from conversion.model import MEBIBYTE, DeadlineExceededError, Limits, UnreadableError

THROUGHPUT_BYTES_PER_SECOND = 12_000_000
"""Decompressed bytes that a function of 1024 MB (0.58 of a vCPU) converts in a second: docs/conversion.md."""

_GROWTH_BYTES = 400 * MEBIBYTE
_DISK_FACTOR = 1.25
"""The object and the Parquet made of it, in multiples of the object."""

_COLUMN_BYTES = 60_000
_EXPRESSION_BYTES = 500
"""Memory for a column, and for a character of the SQL that casts and checks it, which stands for so many
vectors of the engine. Measured with 1,000 to 3,000 columns of each type (VmHWM)."""

_KEY_BYTES = 240_000
"""Memory that a column of JSON may take: 3,000 of them in 700 MiB."""

_WATCH_SECONDS = 0.05
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def largest_object_bytes(seconds: float) -> int:
    """Give the largest object (bytes, decompressed) that can be converted within ``seconds``."""
    return int(seconds * THROUGHPUT_BYTES_PER_SECOND)


class Budget:
    """What is left of a conversion's limits."""

    def __init__(self, limits: Limits, workdir: Path) -> None:
        self.limits = limits
        self._workdir = workdir
        self._deadline = monotonic() + limits.seconds
        self.exceeded: Exception | None = None
        """Why the engine was interrupted, if it was."""
        # A process that was large before (a test's, a tool's) is not the object's fault.
        self.memory_bytes = max(limits.memory_bytes, resident_bytes() + _GROWTH_BYTES)

    @property
    def columns_max(self) -> int:
        """The most columns that are made of JSON's keys."""
        return self.memory_bytes // _KEY_BYTES

    def check_time(self, size: int, speed: float = 1.0) -> None:
        """Refuse an object of ``size`` decompressed bytes for which the time is not enough.

        Args:
            size: The bytes.
            speed: How fast they come, as a share of what is usual.
        """
        largest = int(largest_object_bytes(self.limits.seconds) * speed)
        if size > largest:
            raise UnreadableError(
                f"too large for the time: {size} bytes, where {self.limits.seconds:g} seconds are enough for "
                f"{largest}; split the object or raise the function's timeout or memory"
            )

    def check_columns(self, count: int, sql: int) -> None:
        """Refuse ``count`` columns, read by ``sql`` characters of SQL, if the memory is not enough."""
        needed = count * _COLUMN_BYTES + sql * _EXPRESSION_BYTES
        left = self.memory_bytes - resident_bytes()
        if needed > left:
            raise UnreadableError(
                f"too wide for the memory: {count} columns take about {needed} bytes, where {left} are left; "
                "split the columns or raise the function's memory"
            )

    def check_disk(self, size: int) -> None:
        """Refuse to put ``size`` bytes on a disk that would not hold them and what is made of them."""
        largest = int(self.limits.disk_bytes / _DISK_FACTOR)
        if size > largest:
            raise UnreadableError(
                f"too large for the disk: {size} bytes, where {self.limits.disk_bytes} bytes of storage are "
                f"enough for {largest} and what is made of them; split the object or raise ephemeralStorage"
            )

    def check(self) -> None:
        """Raise DeadlineExceededError when no time is left, UnreadableError when no memory or disk was.

        Cheap enough for every block: how much memory and disk are used, the watchdog looks at.
        """
        if self.exceeded is None and monotonic() > self._deadline:
            self.exceeded = self._out_of_time()
        if self.exceeded:
            raise self.exceeded

    @contextmanager
    def watch(self, connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
        """Interrupt ``connection`` when the process grows past its memory, disk or time.

        Some of the engine's memory is outside its own limit, so the kernel's figure is what counts.
        """
        done = threading.Event()

        def watch() -> None:
            while not done.wait(_WATCH_SECONDS):
                reason = self._exceeded()
                if reason is not None:
                    self.exceeded = self.exceeded or reason
                    connection.interrupt()

        watcher = threading.Thread(target=watch, name="conversion-watchdog", daemon=True)
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

    def _exceeded(self) -> Exception | None:
        if monotonic() > self._deadline:
            return self._out_of_time()
        resident = resident_bytes()
        if resident > self.memory_bytes:
            return UnreadableError(
                f"needs more memory than there is: {resident} bytes, limit {self.memory_bytes}"
            )
        used = _used_bytes(self._workdir)
        if used > self.limits.disk_bytes:
            return UnreadableError(
                f"needs more disk than there is: {used} bytes, limit {self.limits.disk_bytes}"
            )
        return None

    def _out_of_time(self) -> Exception:
        return DeadlineExceededError(f"not converted within {self.limits.seconds:g} seconds")


def _used_bytes(directory: Path) -> int:
    used = 0
    for folder, _, names in os.walk(directory):
        for name in names:
            with suppress(FileNotFoundError):  # the engine takes its own away as we look
                used += (Path(folder) / name).stat().st_size
    return used


def resident_bytes() -> int:
    """Give this process's resident memory in bytes."""
    return int(Path("/proc/self/statm").read_bytes().split()[1]) * _PAGE_BYTES
