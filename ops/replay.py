"""Process objects again that are in the bucket: the same events, sent to the queue once more.

Not through EventBridge: PutEvents takes no source that begins with "aws.". The queue's policy admits the rule
alone of all services; an operator sends by their own IAM policy (`sqs:SendMessage` on the queue).
"""

import json
import re
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ops import dead_letters, job_table
from ops.batches import batched
from ops.deployed_stacks import Stack
from ops.operator_errors import OpsError

SYSTEM_PREFIXES = ("processed/", "rejected/")
"""What the system wrote itself; the function refuses it too."""
MISSING = "MISSING"
"""What stands for the status of an object whose current version was never taken."""
EXPIRED = "EXPIRED"
"""What stands for the status of an object that was processed and whose job record has expired since."""
FINAL = ("COMPLETED", "FAILED", "SKIPPED", "SUPERSEDED")


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """The current version of an object, and the record of its job if there is one."""

    key: str
    version_id: str
    size: int
    """Bytes."""
    etag: str
    modified_at: datetime
    job: Mapping[str, Any] | None
    taken: bool
    """Whether the key's register says that this version was the last to be taken."""

    def status(self) -> str:
        """Return the status of its job; `MISSING` or `EXPIRED` when it has none."""
        if self.job:
            return str(self.job["status"])
        return EXPIRED if self.taken else MISSING

    def matches(self, statuses: Collection[str]) -> bool:
        """Whether it has one of the statuses; a version that no register holds is `MISSING`, job or not."""
        return self.status() in statuses or (MISSING in statuses and not self.taken)


def new_replay_id() -> str:
    """Return an id greater than that of any earlier replay: the function runs a job once for each."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:8]}"


def check_replay_id(text: str) -> str:
    """Return the id of an earlier replay.

    Raises:
        OpsError: when no replay can have had it; the function would refuse its events as poison.
    """
    made = re.fullmatch(r"(\d{8}T\d{6}Z)-[0-9a-f]{8}", text)
    if made and made[1] <= f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}":
        return text
    raise OpsError(
        f"--resume: an interrupted replay prints its id, like 20300131T235959Z-0a1b2c3d; got {text!r}"
    )


def candidates(stack: Stack, prefix: str, *, statuses: Sequence[str] = ()) -> Iterator[Candidate]:
    """Give the objects under the prefix by key: all, or those whose jobs have one of the statuses."""
    for page in batched(_current_versions(stack, prefix), 100):
        records = job_table.get_many(
            stack, (job_table.job_id(stack.bucket, version["Key"], version["VersionId"]) for version in page)
        )
        taken = job_table.get_registers(stack, (version["Key"] for version in page))
        for version in page:
            candidate = Candidate(
                key=version["Key"],
                version_id=version["VersionId"],
                size=version["Size"],
                etag=version["ETag"].strip('"'),
                modified_at=version["LastModified"],
                job=records.get(job_table.job_id(stack.bucket, version["Key"], version["VersionId"])),
                taken=taken.get(version["Key"]) == version["VersionId"],
            )
            if not statuses or candidate.matches(statuses):
                yield candidate


def done(candidate: Candidate, replay_id: str) -> bool:
    """Whether the replay has run the candidate's job already, so that resuming it may leave it out."""
    job = candidate.job
    return bool(job) and job.get("replay_id") == replay_id and job["status"] in FINAL


def send(stack: Stack, wanted: Iterable[Candidate], replay_id: str) -> Iterator[int]:
    """Send the candidates' events; give how many have been sent after each batch."""
    sent = 0
    for batch in batched(wanted, dead_letters.RECEIVE_MAX):
        sent += dead_letters.send(
            stack,
            [
                {"Id": str(number), "MessageBody": json.dumps(event(stack, candidate, replay_id))}
                for number, candidate in enumerate(batch)
            ],
        )
        yield sent


def event(stack: Stack, candidate: Candidate, replay_id: str) -> dict[str, Any]:
    """Return the event that S3 sent when the object was created, marked as a replay.

    Without the sequencer, which only the job record keeps, the function asks S3 which version is current.
    """
    created: dict[str, Any] = {
        "key": candidate.key,
        "size": candidate.size,
        "etag": candidate.etag,
        "version-id": candidate.version_id,
    }
    if candidate.job and candidate.job.get("sequencer"):
        created["sequencer"] = candidate.job["sequencer"]
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Object Created",
        "source": "aws.s3",
        "account": stack.account,
        "time": f"{candidate.modified_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "region": stack.region,
        "resources": [f"arn:{stack.function_arn.split(':')[1]}:s3:::{stack.bucket}"],
        "detail": {
            "version": "0",
            "bucket": {"name": stack.bucket},
            "object": created,
            "reason": "PutObject",
            "replay-id": replay_id,
        },
    }


def _current_versions(stack: Stack, prefix: str) -> Iterator[dict[str, Any]]:
    pages = (
        stack.client("s3").get_paginator("list_object_versions").paginate(Bucket=stack.bucket, Prefix=prefix)
    )
    for page in pages:
        for version in page.get("Versions", []):
            if version["IsLatest"] and not version["Key"].startswith(SYSTEM_PREFIXES):
                yield version
