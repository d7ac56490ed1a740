"""The input, the results and the errors of a conversion."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

MEBIBYTE = 1024 * 1024

BLOCK_BYTES = 256 * 1024
"""The size of a block. It fits into a processor's cache."""

HEAD_BYTES = MEBIBYTE
"""The beginning of an object that its plan is made from."""

RECORD_BYTES_MAX = 16 * MEBIBYTE
"""The longest record."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one conversion may use. An object that needs more is refused, never truncated.

    ``rejected_share_max`` is a share of the records, from 0 to 1.
    """

    rejected_share_max: float = 0.1
    decompressed_bytes_max: int = 4 * 1024 * MEBIBYTE
    decompression_ratio_max: float = 200.0
    memory_bytes: int = 700 * MEBIBYTE
    """The most resident memory of the whole process."""
    disk_bytes: int = 4096 * MEBIBYTE
    """The most bytes in ``workdir`` at any time."""
    seconds: float = 270.0


@dataclass(frozen=True, kw_only=True)
class Account:
    """What became of every record of the object.

    ``rows_in`` is counted before DuckDB reads the rows; for Parquet it is the number in the footer. Headers,
    titles and blank lines are not rows. A published object has ``rows_in == rows_out + rows_rejected``.
    """

    bytes_in: int
    bytes_decompressed: int
    bytes_out: int
    rows_in: int
    rows_out: int
    rows_rejected: int


@dataclass(frozen=True, kw_only=True)
class RenamedField:
    """A field within a column that is published under another name.

    ``field`` is the path of published names, from the column's name on. The parts of a map are ``key`` and
    ``value``. A list adds no name to the path.
    """

    field: tuple[str, ...]
    source_name: str


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of the Parquet file, as the profile describes it. Types are DuckDB's."""

    name: str
    source_name: str
    type: str
    source_type: str
    renamed_fields: tuple[RenamedField, ...] = ()
    looks_like: str | None = None
    """What the values of a text column look like, such as amounts with a decimal comma."""
    nulls: int = 0
    null_marker_share: float = 0.0
    """The share of the rows whose text is a null marker."""
    min: str | None = None
    max: str | None = None
    exact_extremes: bool = False
    """Whether ``min`` and ``max`` are values of the column. Otherwise they are bounds."""


@dataclass(frozen=True, kw_only=True)
class Conversion:
    """A finished conversion: three files in ``workdir``, and what is known of them."""

    parquet: Path
    rejects: Path | None
    profile: Path
    account: Account
    columns: tuple[Column, ...]
    format: str
    """``delimited``, ``text``, ``json``, ``parquet``, ``xlsx``, ``xls`` or ``ods``."""
    encoding: str
    """``utf-8``, ``utf-16-le`` and the like, ``windows-1252``, or ``binary``."""
    compression: str
    """``none``, ``gzip``, ``zstd``, ``bzip2``, ``xz``, ``zip``, or for example ``zip in gzip``."""
    facts: Mapping[str, object] = field(default_factory=dict)
    """Other facts of the plan, such as ``header: assumed``. The profile has them too."""


@dataclass
class UnreadableError(Exception):
    """The object's bytes cannot be read as data. The job is FAILED and not retried.

    ``reason`` names rows, columns and offsets, never values.
    """

    reason: str
    account: Account | None = field(default=None, kw_only=True)
    rejects: Path | None = field(default=None, kw_only=True)

    def __str__(self) -> str:
        return self.reason


class EmptyError(Exception):
    """The object has no bytes or no rows. The job is SKIPPED."""


class DeadlineExceededError(Exception):
    """The time ran out. The cause is the platform, such as a slow disk, and not the data."""
