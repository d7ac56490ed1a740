"""The outcome of a job: its status, the files to publish, and the attributes of its record."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from job_records import Status
from outputs import Output, output_key
from uploads import Source

_PATHS = {Output.PARQUET: "output_path", Output.REJECTS: "rejected_path", Output.PROFILE: "profile_path"}

_PART_SHOWN_MAX = 100
"""The most characters of a key that a warning quotes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """How a job ends."""

    status: Status
    error: str | None = None
    """Why the status is not COMPLETED, or why the object was not read again."""
    files: Mapping[Output, Path] = field(default_factory=dict)
    """The files to publish."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Attributes of the job record."""
    generation: int | None = None
    """The register's generation that the job made the outputs of, if it made any."""
    conclusive: bool = True
    """Whether the whole version was read; otherwise another attempt may end differently."""
    stands: bool = False
    """Whether it is the outcome of an earlier delivery, whose results stay in the record."""
    listed: bool = True
    """Whether the job is listed and counted. A deletion is not, unless an older version became current."""


def facts_of_source(source: Source) -> Mapping[str, Any]:
    """Return the attributes of the object that was read."""
    return {"etag": source.etag, "bytes_in": source.size, "uploaded_at": source.modified_at}


def facts_of_rows(rows_in: int, rows_out: int, rows_rejected: int, bytes_out: int) -> Mapping[str, int]:
    """Return the counts of rows and bytes."""
    return {"rows_in": rows_in, "rows_out": rows_out, "rows_rejected": rows_rejected, "bytes_out": bytes_out}


def facts_of_outputs(paths: Mapping[Output, str]) -> Mapping[str, str]:
    """Return the attributes with the keys of the outputs."""
    return {_PATHS[output]: path for output, path in paths.items()}


def facts_of_key(key: str) -> Mapping[str, list[str]]:
    """Return a warning if some engines do not read the output of this key.

    Spark, Trino and Athena treat objects and folders whose names begin with `_` or `.` as hidden files. See
    docs/reading.md.
    """
    published = output_key(Output.PARQUET, key)
    hidden = next((part for part in published.split("/") if part.startswith(("_", "."))), None)
    if hidden is None:
        return {}
    warning = (
        f"Spark, Trino and Athena do not read the published file, as {hidden[:_PART_SHOWN_MAX]!r} in its key "
        f"begins with {hidden[0]!r}: upload the object under another key"
    )
    return {"warnings": [warning]}
