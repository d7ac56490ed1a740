"""Job records: found by status and time through the table's index, and everything known about one of them."""

import heapq
import json
import re
import time
from collections.abc import Iterator, Sequence
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
    """Give the jobs whose last change of status was in that time, newest first.

    Each status is one Query of the index, whose pages are read as far as the caller goes. The index follows
    the table within a second or so.
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
    """Find the jobs that are meant by an id, by the beginning of one, or by an object's key in any stack.

    Args:
        stacks: Where to look.
        wanted: The id (32 hexadecimal digits), at least 4 digits of its beginning, or the key, which means
            the job of its current version.
        since: How far back the beginning of an id is looked for.

    Raises:
        OpsError: when it is none of these, or several jobs have ids that begin so.
    """
    if _ID.fullmatch(wanted):
        return [(stack, job) for stack in stacks if (job := get(stack, wanted))]
    if _BEGINNING_OF_ID.fullmatch(wanted):
        found = [(stack, job) for stack in stacks for job in _find_by_beginning(stack, wanted, since)]
        if len(found) > 1:
            ids = ", ".join(sorted(job["job_id"] for _, job in found)[:5])
            raise OpsError(f"{wanted!r} begins the ids of {len(found)} jobs: {ids}; give more of it")
        if found:
            return found
    ids = {stack: _of_key(stack, wanted) for stack in stacks}
    if not any(ids.values()):
        raise OpsError(
            f"{wanted!r} is neither a job id (32 hexadecimal digits, or the first of them) nor the key of an"
            f" object in {', '.join(stack.bucket for stack in stacks)}"
        )
    return [(stack, job) for stack, each in ids.items() if each and (job := get(stack, each))]


def _find_by_beginning(stack: Stack, beginning: str, since: datetime) -> list[Job]:
    found = find(stack, statuses=STATUSES, since=since, until=datetime.now(UTC))
    return [job for job in found if job["job_id"].startswith(beginning)]


def _of_key(stack: Stack, key: str) -> str | None:
    """Return the job of a key's current version, or that of the last one where the object is gone.

    Usually it is the job of the upload; if a version came back after a deletion, it is the deletion's.
    """
    register = registers.get_many(stack, [key]).get(key)
    try:
        head = stack.client("s3").head_object(Bucket=stack.bucket, Key=key)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("404", "NoSuchKey", "400"):
            raise
        return job_id(stack.bucket, key, register.version_id) if register else None
    version = head.get("VersionId", "null")
    if register and (register.version_id, register.state) == (version, registers.CURRENT):
        return register.job_id
    return job_id(stack.bucket, key, version)


@dataclass(frozen=True, kw_only=True)
class StoredObject:
    """An object of a job, and whether it is there."""

    role: str
    uri: str
    console_url: str
    size: int | None
    """Bytes; None when the object is not there."""


def stored_objects(stack: Stack, job: Job) -> list[StoredObject]:
    """Look up the objects that a job record names."""
    roles = {
        "input": "input_path",
        "output": "output_path",
        "rejected": "rejected_path",
        "profile": "profile_path",
    }
    return [
        _stored_object(stack, role, job[path], job.get("version_id") if role == "input" else None)
        for role, path in roles.items()
        if job.get(path)
    ]


def _stored_object(stack: Stack, role: str, key: str, version_id: str | None) -> StoredObject:
    version = {"VersionId": version_id} if version_id else {}
    try:
        size = stack.client("s3").head_object(Bucket=stack.bucket, Key=key, **version)["ContentLength"]
    except ClientError as error:
        # A version that is gone is a 404; one that a delete marker stands for is a 405.
        if error.response["Error"]["Code"] not in ("404", "405", "NoSuchKey", "NoSuchVersion"):
            raise
        size = None
    query = f"region={stack.region}&prefix={quote(key)}" + (f"&versionId={version_id}" if version_id else "")
    return StoredObject(
        role=role,
        uri=f"s3://{stack.bucket}/{key}",
        console_url=f"https://{stack.region}.console.aws.amazon.com/s3/object/{stack.bucket}?{query}",
        size=size,
    )


def rejects(stack: Stack, job: Job) -> list[dict[str, Any]]:
    """Return the first rows that were rejected, each with its place and reason."""
    if not job.get("rejected_path"):
        return []
    try:
        body = stack.client("s3").get_object(Bucket=stack.bucket, Key=job["rejected_path"])["Body"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchKey":
            raise
        return []
    return [json.loads(line) for line in islice(body.iter_lines(), REJECTS_SHOWN)]


def lifetime(job: Job) -> tuple[datetime, datetime]:
    """Return the time from the upload, where it is known, to the job's last change."""
    changed = datetime.fromtimestamp(float(job["timestamp"]), tz=UTC)
    uploaded = job.get("uploaded_at")
    return (datetime.fromtimestamp(float(uploaded), tz=UTC) if uploaded else changed), changed


def as_json_value(value: object) -> object:
    """Return what JSON has a form for: DynamoDB's numbers are decimals, its sets sets."""
    if isinstance(value, set):
        return sorted(value)
    number = float(str(value))
    return int(number) if number.is_integer() else number
