"""Job records: search by status and time in the table's index, and look up the details of one job."""

import heapq
import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice
from typing import Any
from urllib.parse import quote

from boto3.dynamodb.conditions import Attr, Key
from botocore.exceptions import ClientError

from ops import registers
from ops.deployed_stacks import Stack
from ops.operator_errors import OpsError
from ops.table import Item, get, job_id

INDEX = "timestamp-index"
STATUSES = ("STARTED", "COMPLETED", "FAILED", "SKIPPED", "SUPERSEDED", "WITHDRAWN")
_ID = re.compile("[0-9a-f]{32}")
_BEGINNING_OF_ID = re.compile("[0-9a-f]{4,31}")
REJECTS_SHOWN = 5

Job = Item


def find(
    stack: Stack, *, statuses: Sequence[str], since: datetime, until: datetime, prefix: str = ""
) -> Iterator[Job]:
    """Yield the jobs whose status last changed in the time range, newest first.

    Each status is one Query of the index. Pages are read as the caller iterates. The index is usually about a
    second behind the table.
    """
    newest_first = [_find_status(stack, status, since, until, prefix) for status in statuses]
    yield from heapq.merge(*newest_first, key=lambda job: job["timestamp"], reverse=True)


def _find_status(stack: Stack, status: str, since: datetime, until: datetime, prefix: str) -> Iterator[Job]:
    lives = Attr("expires_at").not_exists() | Attr("expires_at").gt(Decimal(int(time.time())))
    pages = stack.jobs.meta.client.get_paginator("query").paginate(
        TableName=stack.table,
        IndexName=INDEX,
        KeyConditionExpression=Key("status").eq(status)
        & Key("timestamp").between(*(Decimal(str(moment.timestamp())) for moment in (since, until))),
        ScanIndexForward=False,
        FilterExpression=lives & Attr("input_path").begins_with(prefix) if prefix else lives,
    )
    for page in pages:
        yield from page["Items"]


def look_up(stacks: Sequence[Stack], wanted: str, *, since: datetime) -> list[tuple[Stack, Job]]:
    """Find the jobs with an id, with the first digits of an id, or of an object's key, in all stacks.

    Args:
        stacks: The stacks to search.
        wanted: An id (32 hexadecimal digits), at least its first 4 digits, or a key. A key selects the job of
            its current version.
        since: Start of the time range in which the first digits of an id are searched.

    Raises:
        OpsError: The text is none of these, or several ids begin with it.
    """
    is_id = _ID.fullmatch(wanted)
    if is_id and (found := [(stack, job) for stack in stacks if (job := get(stack, wanted))]):
        return found
    if _BEGINNING_OF_ID.fullmatch(wanted):
        found = [(stack, job) for stack in stacks for job in _find_by_beginning(stack, wanted, since)]
        if len(found) > 1:
            ids = ", ".join(sorted(job["job_id"] for _, job in found)[:5])
            raise OpsError(f"the ids of {len(found)} jobs begin with {wanted!r}: {ids}; give more digits")
        if found:
            return found
    ids = {stack: _of_key(stack, wanted) for stack in stacks}
    if not is_id and not any(ids.values()):
        raise OpsError(
            f"{wanted!r} is neither a job id (32 hexadecimal digits, or its first digits) nor the key of an"
            f" object in {', '.join(stack.bucket for stack in stacks)}"
        )
    return [(stack, job) for stack, each in ids.items() if each and (job := get(stack, each))]


def _find_by_beginning(stack: Stack, beginning: str, since: datetime) -> list[Job]:
    found = find(stack, statuses=STATUSES, since=since, until=datetime.now(UTC))
    return [job for job in found if job["job_id"].startswith(beginning)]


def _of_key(stack: Stack, key: str) -> str | None:
    """Return the job of a key's current version, or the last job that published if the object is deleted.

    This is usually the upload's job. If a deletion made the version current again, it is the deletion's job.
    """
    register = registers.get_many(stack, [key]).get(key)
    try:
        head = stack.client("s3").head_object(Bucket=stack.bucket, Key=key)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("404", "NoSuchKey", "400"):
            raise
        return (register.withdrawn or register.job_id) if register else None
    version = head.get("VersionId", "null")
    if register and (register.version_id, register.state) == (version, registers.CURRENT):
        return register.job_id
    return job_id(stack.bucket, key, version)


@dataclass(frozen=True, kw_only=True)
class StoredObject:
    """An object of a job, and whether it exists or was replaced."""

    role: str
    uri: str
    console_url: str
    size: int | None
    """Size in bytes; None if the object does not exist, or is not the job's any more."""
    replaced_by: str | None
    """The job that has written the object since, or "unknown"; None if the object is the job's."""


def stored_objects(stack: Stack, job: Job) -> list[StoredObject]:
    """Look up the objects that a job record names."""
    roles = {
        "input": "input_path",
        "output": "output_path",
        "rejected": "rejected_path",
        "profile": "profile_path",
    }
    return [_stored_object(stack, role, job, job[path]) for role, path in roles.items() if job.get(path)]


def _stored_object(stack: Stack, role: str, job: Job, key: str) -> StoredObject:
    version_id = job.get("version_id") if role == "input" else None
    version = {"VersionId": version_id} if version_id else {}
    size, replaced_by = None, None
    try:
        head = stack.client("s3").head_object(Bucket=stack.bucket, Key=key, **version)
    except ClientError as error:
        # S3 answers 404 for a version that does not exist and 405 for a delete marker.
        if error.response["Error"]["Code"] not in ("404", "405", "NoSuchKey", "NoSuchVersion"):
            raise
    else:
        replaced_by = None if role == "input" else _replaced_by(job, head)
        size = None if replaced_by else head["ContentLength"]
    query = f"region={stack.region}&prefix={quote(key)}" + (f"&versionId={version_id}" if version_id else "")
    return StoredObject(
        role=role,
        uri=f"s3://{stack.bucket}/{key}",
        console_url=f"https://{stack.region}.console.aws.amazon.com/s3/object/{stack.bucket}?{query}",
        size=size,
        replaced_by=replaced_by,
    )


def _replaced_by(job: Job, answer: Mapping[str, Any]) -> str | None:
    """Return the other job that has written a result, as S3 answers for its object; None if this job has."""
    writer = answer["Metadata"].get("job-id", "unknown")
    return None if writer == job["job_id"] else writer


def rejects(stack: Stack, job: Job) -> list[dict[str, Any]]:
    """Return the first rejected rows of the job, each with its place and reason."""
    if not job.get("rejected_path"):
        return []
    try:
        answer = stack.client("s3").get_object(Bucket=stack.bucket, Key=job["rejected_path"])
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchKey":
            raise
        return []
    if _replaced_by(job, answer):
        return []
    return [json.loads(line) for line in islice(answer["Body"].iter_lines(), REJECTS_SHOWN)]


def lifetime(job: Job, *, since: datetime) -> tuple[datetime, datetime]:
    """Return the times of the upload, if it is known, and of the job's last change.

    The job of a deletion may have neither: then it is the time from `since` to now.
    """
    changed = job.get("timestamp", job.get("withdrawn_at"))
    if changed is None:
        return since, datetime.now(UTC)
    began, ended = (
        datetime.fromtimestamp(float(moment), tz=UTC) for moment in (job.get("uploaded_at", changed), changed)
    )
    return began, ended


def as_json_value(value: object) -> object:
    """Convert a value of DynamoDB to JSON: numbers are decimals, and sets are Python sets."""
    if isinstance(value, set):
        return sorted(value)
    number = float(str(value))
    return int(number) if number.is_integer() else number
