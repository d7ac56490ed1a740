"""What is to become of a job: its status, the files to publish, and what the job record says of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from job_records import Status
from outputs import Output
from uploads import Source

_PATHS = {Output.PARQUET: "output_path", Output.REJECTS: "rejected_path", Output.PROFILE: "profile_path"}

_PART_SHOWN_MAX = 100
"""Characters of a key that a warning quotes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """The end of a job."""

    status: Status
    error: str | None = None
    """Why the status is not COMPLETED."""
    files: Mapping[Output, Callable[[], Path]] = field(default_factory=dict)
    """What to publish; each file is asked for when it is its turn."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Attributes of the job record."""
    generation: int | None = None
    """The register's, if the job made the outputs of it."""
    conclusive: bool = True
    """Whether it is what the whole version makes; otherwise another attempt may end differently."""
    stands: bool = False
    """Whether it is that of an earlier delivery, whose results stay in the record."""
    listed: bool = True
    """Whether it is listed and counted among the jobs. Not so for a deletion, unless it brought a version
    back."""


def facts_of_source(source: Source) -> Mapping[str, Any]:
    """Return what a record says of the object that was read."""
    return {"etag": source.etag, "bytes_in": source.size, "uploaded_at": source.modified_at}


def facts_of_rows(rows_in: int, rows_out: int, rows_rejected: int, bytes_out: int) -> Mapping[str, int]:
    """Return what a record says of where the rows went."""
    return {"rows_in": rows_in, "rows_out": rows_out, "rows_rejected": rows_rejected, "bytes_out": bytes_out}


def facts_of_outputs(paths: Mapping[Output, str]) -> Mapping[str, str]:
    """Return what a record says of the outputs, given their keys."""
    return {_PATHS[output]: path for output, path in paths.items()}


def facts_of_key(key: str) -> Mapping[str, list[str]]:
    """Return the warnings that a record has for an object of this key, if any.

    Spark, Trino and Athena do not read objects and folders whose names begin with `_` or `.`: they are hidden
    files, as programs keep their own in. docs/reading.md has what each engine does.
    """
    hidden = next((part for part in key.split("/") if part.startswith(("_", "."))), None)
    if hidden is None:
        return {}
    warning = (
        f"Spark, Trino and Athena do not read the published file, as {hidden[:_PART_SHOWN_MAX]!r} in its key "
        f"begins with {hidden[0]!r}: upload the object under another key"
    )
    return {"warnings": [warning]}
