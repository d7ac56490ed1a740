"""What goes into a conversion, what comes out of it, and the errors it ends with."""

from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

MEBIBYTE = 1024 * 1024

BLOCK_BYTES = 256 * 1024
"""What is read and processed at once: it stays in a processor's cache, and its memory is used again."""

HEAD_BYTES = MEBIBYTE
"""The beginning of an object, from which its plan is made."""

RECORD_BYTES_MAX = 16 * MEBIBYTE
"""The longest record that is read."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one conversion may use. Beyond any of these the object is refused, never cut short.

    ``rejected_share_max`` is a share of the records (0 to 1). Bytes are bytes, times are seconds.
    """

    rejected_share_max: float = 0.1
    decompressed_bytes_max: int = 4 * 1024 * MEBIBYTE
    decompression_ratio_max: float = 200.0
    memory_bytes: int = 700 * MEBIBYTE
    """The most resident memory the whole process may reach."""
    disk_bytes: int = 4096 * MEBIBYTE
    """What ``workdir`` may hold at any time."""
    seconds: float = 270.0
    threads: int = 1
    """Threads of the engine: one for each whole processor that the function has."""


@dataclass(frozen=True, kw_only=True)
class Account:
    """Where every record of the object went.

    ``rows_in`` is counted from the raw bytes, not by the engine. Header, title and blank lines are not rows.
    Whatever is published has ``rows_in == rows_out + rows_rejected``.
    """

    bytes_in: int
    bytes_decompressed: int
    bytes_out: int
    rows_in: int
    rows_out: int
    rows_rejected: int


@dataclass(frozen=True, kw_only=True)
class RenamedField:
    """A field within a column that is not published under its own name.

    ``field`` has the published names that lead to it, the column's own first. ``key`` and ``value`` stand for
    those of a map; a list adds no name.
    """

    field: tuple[str, ...]
    source_name: str


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of the output: its name and DuckDB type, there and in the source."""

    name: str
    source_name: str
    type: str
    source_type: str
    renamed_fields: tuple[RenamedField, ...]


@dataclass(frozen=True, kw_only=True)
class Conversion:
    """A finished conversion: three files in ``workdir``, and what is known of them.

    The profile is ready a little later than the rest: it is made while the Parquet is being published.
    """

    parquet: Path
    rejects: Path | None
    profile: Future[Path]
    account: Account
    columns: tuple[Column, ...]
    format: str
    """``delimited``, ``text``, ``json`` or ``parquet``."""
    encoding: str
    """``utf-8``, ``utf-16-le`` and its like, ``windows-1252``, or ``binary``."""
    compression: str
    """``none``, ``gzip`` or ``zstd``: how the object was compressed as a whole."""
    facts: Mapping[str, object] = field(default_factory=dict)
    """What else the plan says of the object, such as ``header: assumed``; the profile has it, too."""


@dataclass
class UnreadableError(Exception):
    """The object's bytes cannot be read as data, and never will be: the job is FAILED and not retried.

    ``reason`` names places (rows, columns, offsets), never values.
    """

    reason: str
    account: Account | None = field(default=None, kw_only=True)
    rejects: Path | None = field(default=None, kw_only=True)

    def __str__(self) -> str:
        return self.reason


class EmptyError(Exception):
    """There is nothing in the object: no bytes, or no rows. The job is SKIPPED."""


class DeadlineExceededError(Exception):
    """The time ran out half-way: a fault of the platform (a slow disk, a starved CPU), not of the data."""
