"""Job records: found by status and time through the table's index, and everything known about one of them."""

import hashlib
import heapq
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any
from urllib.parse import quote

from boto3.dynamodb.conditions import Attr, Key
from botocore.exceptions import ClientError

from ops.batches import batched
from ops.errors import OpsError
from ops.stacks import Stack

INDEX = "timestamp-index"
STATUSES = ("STARTED", "COMPLETED", "FAILED", "SKIPPED", "SUPERSEDED")
LOG_MARGIN = timedelta(minutes=15)
"""How long before and after a job its log lines may lie: the longest that Lambda runs a function."""
ERROR_TERMS = ("ERROR", "Task timed out", "Runtime exited")
"""What lines of errors hold: the handler's by their level, Lambda's by their words."""
REJECTS_SHOWN = 5

Job = dict[str, Any]


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
    filters = {"FilterExpression": Attr("input_path").begins_with(prefix)} if prefix else {}
    pages = stack.jobs.meta.client.get_paginator("query").paginate(
        TableName=stack.table,
        IndexName=INDEX,
        KeyConditionExpression=Key("status").eq(status)
        & Key("timestamp").between(*(Decimal(str(moment.timestamp())) for moment in (since, until))),
        ScanIndexForward=False,
        **filters,
    )
    for page in pages:
        yield from page["Items"]


def job_id(bucket: str, key: str, version_id: str) -> str:
    """Return the id of the job of one version of an object, as the function forms it."""
    return hashlib.sha256(f"{bucket}\0{key}\0{version_id}".encode()).hexdigest()[:32]


def get(stack: Stack, identifier: str) -> Job | None:
    """Return the job record, or None if there is none."""
    return stack.jobs.get_item(Key={"job_id": identifier}).get("Item")


def get_many(stack: Stack, identifiers: Iterable[str]) -> dict[str, Job]:
    """Return the job records that exist, by id."""
    found: dict[str, Job] = {}
    for batch in batched(sorted(set(identifiers)), 100):  # BatchGetItem's limit
        keys = [{"job_id": identifier} for identifier in batch]
        while keys:
            answer = stack.jobs.meta.client.batch_get_item(RequestItems={stack.table: {"Keys": keys}})
            found |= {job["job_id"]: job for job in answer["Responses"].get(stack.table, [])}
            keys = answer.get("UnprocessedKeys", {}).get(stack.table, {}).get("Keys", [])
    return found


def identify(stack: Stack, wanted: str) -> str:
    """Return the job id that is meant: an id itself, or an object's key, which means its current version.

    Raises:
        OpsError: when it is neither.
    """
    if len(wanted) == 32 and set(wanted) <= set("0123456789abcdef"):
        return wanted
    try:
        head = stack.client("s3").head_object(Bucket=stack.bucket, Key=wanted)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("404", "NoSuchKey", "400"):
            raise
        raise OpsError(
            f"{wanted!r} is neither a job id (32 hexadecimal digits) nor the key of an object in"
            f" {stack.bucket}"
        ) from None
    return job_id(stack.bucket, wanted, head.get("VersionId", ""))


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


def log_lines(stack: Stack, word: str, *, since: datetime, until: datetime) -> Iterator[tuple[datetime, str]]:
    """Give the function's log lines that hold the word (a job's or a message's id), oldest first."""
    return _filter_log(stack, f'"{word}"', since=since - LOG_MARGIN, until=until + LOG_MARGIN)


def _filter_log(
    stack: Stack, pattern: str, *, since: datetime, until: datetime
) -> Iterator[tuple[datetime, str]]:
    pages = (
        stack.client("logs")
        .get_paginator("filter_log_events")
        .paginate(
            logGroupName=stack.log_group,
            filterPattern=pattern,
            startTime=int(since.timestamp() * 1000),
            endTime=int(until.timestamp() * 1000),
        )
    )
    for page in pages:
        for event in page["events"]:
            yield datetime.fromtimestamp(event["timestamp"] / 1000, tz=UTC), event["message"].rstrip("\n")


def error_lines(stack: Stack, *, since: datetime, until: datetime) -> Iterator[tuple[datetime, str]]:
    """Give the function's log lines that tell of errors, its own and those of the runtime, oldest first."""
    terms = " ".join(f'?"{term}"' for term in ERROR_TERMS)
    return _filter_log(stack, terms, since=since, until=until)


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


def as_json(job: Job) -> str:
    """Return a job record as one line of JSON."""
    return json.dumps(job, default=_plain, ensure_ascii=False, sort_keys=True)


def _plain(value: object) -> object:
    """DynamoDB's numbers are decimals, its sets sets."""
    if isinstance(value, set):
        return sorted(value)
    number = float(str(value))
    return int(number) if number.is_integer() else number
