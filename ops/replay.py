"""Process existing objects again by sending the events of their creation once more."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ops import object_events, registers, table, uploads
from ops.batches import batched
from ops.deployed_stacks import Stack

MISSING = "MISSING"
"""Status of an object whose current version the function has never handled."""
EXPIRED = "EXPIRED"
"""Status of an object that was processed and whose job record has expired since."""
FINAL = ("COMPLETED", "FAILED", "SKIPPED", "SUPERSEDED", "WITHDRAWN")

ARCHIVE_CLASSES = ("GLACIER", "DEEP_ARCHIVE")
"""Storage classes whose objects must be restored before they can be read."""
RESTORE_TIMES = {
    "GLACIER": "minutes (Expedited), 3 to 5 hours (Standard) or 5 to 12 hours (Bulk)",
    "DEEP_ARCHIVE": "up to 12 hours (Standard) or 48 hours (Bulk)",
}
"""Duration of a restore (S3 User Guide, "Understanding archive retrieval options")."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """The current version of an object, and the record of its job if it exists."""

    version: Mapping[str, Any]
    """As ListObjectVersions returns it."""
    job: Mapping[str, Any] | None
    taken: bool
    """Whether the key's register has this version as the current one."""

    @property
    def key(self) -> str:
        """Return the object's key."""
        return self.version["Key"]

    @property
    def size(self) -> int:
        """Return the object's size in bytes."""
        return self.version["Size"]

    @property
    def modified_at(self) -> datetime:
        """Return the time of the upload."""
        return self.version["LastModified"]

    def status(self) -> str:
        """Return the status of the job; `MISSING` or `EXPIRED` if it has no record."""
        if self.job:
            return str(self.job["status"])
        return EXPIRED if self.taken else MISSING

    def matches(self, statuses: Collection[str]) -> bool:
        """Whether it has one of the statuses, if any; a version without a register is also `MISSING`."""
        return not statuses or self.status() in statuses or (MISSING in statuses and not self.taken)


def candidates(stack: Stack, prefix: str) -> Iterator[Candidate]:
    """Yield the objects under the prefix, ordered by key."""
    for page in batched(_current_versions(stack, prefix), 100):
        held = registers.get_many(stack, (version["Key"] for version in page))
        ids = {version["Key"]: _job_id(stack, version, held.get(version["Key"])) for version in page}
        records = table.get_many(stack, ids.values())
        for version in page:
            key = version["Key"]
            yield Candidate(
                version=version,
                job=records.get(ids[key]),
                taken=key in held and _is_held(held[key], version),
            )


def _is_held(register: registers.Register, version: Mapping[str, Any]) -> bool:
    return register.state == registers.CURRENT and register.version_id == version["VersionId"]


def _job_id(stack: Stack, version: Mapping[str, Any], register: registers.Register | None) -> str:
    """Return the id of the job that wrote the version's results: of its upload, or of a later deletion."""
    if register and _is_held(register, version):
        return register.job_id
    return table.job_id(stack.bucket, version["Key"], version["VersionId"])


def is_archived(stack: Stack, candidate: Candidate) -> bool:
    """Ask S3 whether the object must be restored before it can be read.

    A restored object keeps its storage class.
    """
    version = candidate.version
    if version.get("StorageClass") not in ARCHIVE_CLASSES:
        return False
    head = stack.client("s3").head_object(
        Bucket=stack.bucket, Key=version["Key"], VersionId=version["VersionId"]
    )
    return 'ongoing-request="false"' not in head.get("Restore", "")


def id_of(candidate: Candidate) -> str:
    """Return the id of the last replay of the candidate; an empty text if there was none."""
    return str(candidate.job.get("replay_id", "")) if candidate.job else ""


def done(candidate: Candidate, replay_id: str) -> bool:
    """Whether the replay has already processed the candidate, so that resuming it can skip it."""
    job = candidate.job
    return bool(job) and id_of(candidate) == replay_id and job["status"] in FINAL


def send(stack: Stack, wanted: Iterable[Candidate], replay_id: str) -> Iterator[int]:
    """Send the candidates' events; yield the number sent so far after each batch."""
    return object_events.send(
        stack, (object_events.created(stack, candidate.version, replay_id) for candidate in wanted)
    )


def _current_versions(stack: Stack, prefix: str) -> Iterator[dict[str, Any]]:
    pages = (
        stack.client("s3").get_paginator("list_object_versions").paginate(Bucket=stack.bucket, Prefix=prefix)
    )
    for page in pages:
        for version in page.get("Versions", []):
            if version["IsLatest"] and uploads.prefixes(stack).is_upload(version["Key"]):
                yield version
