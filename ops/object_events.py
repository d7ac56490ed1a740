"""Events of objects in S3's format, which an operator sends to the queue to have objects handled again.

EventBridge cannot send them: PutEvents accepts no source that begins with "aws.". The queue's policy admits
no service except the rule. An operator sends with their own IAM policy (`sqs:SendMessage` on the queue).
"""

import hashlib
import json
import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from ops import dead_letters
from ops.batches import batched
from ops.deployed_stacks import Stack
from ops.operator_errors import OpsError

Event = dict[str, Any]

CLOCK_REMEDY = "set the clock of this machine"
"""What to do if a new replay is older than an earlier one."""


def new_replay_id(stack: Stack) -> str:
    """Return an id that is greater than that of any earlier replay: the function runs a job once for each.

    It begins with the time in microseconds, as two replays can begin in one second.
    """
    unique = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ-%f}-{uuid.uuid4().hex[:4]}"
    return unique + _checksum(stack, unique)


def check_replay_id(stack: Stack, text: str) -> str:
    """Return the id of an earlier replay of the stack.

    Raises:
        OpsError: No replay of the stack has this id.
    """
    made = re.fullmatch(r"(\d{8}T\d{6}Z-\d{6}-[0-9a-f]{4})([0-9a-f]{4})", text)
    if made and made[2] == _checksum(stack, made[1]):
        return text
    raise OpsError(
        f"--resume: stack {stack.name} has made no id {text!r}; an interrupted command prints its id, like"
        " 20300131T235959Z-123456-0a1b2c3d"
    )


def check_newest(replay_id: str, others: Iterable[str], remedy: str) -> None:
    """Check that no object has been replayed with a greater id: the function would ignore this replay.

    Args:
        replay_id: The id of this replay.
        others: The id of the last replay of each object; an empty text if there was none.
        remedy: What to do if one is greater.

    Raises:
        OpsError: One is greater.
    """
    newest = max(others, default="")
    if newest > replay_id:
        raise OpsError(
            f"an object has been replayed as {newest}, and the function ignores an older replay, got"
            f" {replay_id}: {remedy}"
        )


def _checksum(stack: Stack, unique: str) -> str:
    """Return digits by which an id with a typing error, or of another stack, is detected."""
    return hashlib.sha256(f"{stack.bucket}\0{unique}".encode()).hexdigest()[:4]


def created(stack: Stack, version: Mapping[str, Any], replay_id: str) -> Event:
    """Return the event that S3 sends when an object is created, marked as a replay.

    Args:
        stack: The stack whose bucket has the object.
        version: The version, as ListObjectVersions returns it.
        replay_id: The replay's id.
    """
    subject = {
        "key": version["Key"],
        "size": version["Size"],
        "etag": version["ETag"].strip('"'),
        "version-id": version["VersionId"],
    }
    detail = {"object": subject, "reason": "PutObject"}
    return _event(stack, "Object Created", version["LastModified"], detail, replay_id)


def deleted(stack: Stack, key: str, marker: str | None, replay_id: str) -> Event:
    """Return the event that S3 sends when a key is deleted, marked as a replay.

    Args:
        stack: The stack whose bucket had the object.
        key: The object's key.
        marker: The id of the current delete marker; None if the key has no versions.
        replay_id: The replay's id.
    """
    subject = {"key": key} | ({"version-id": marker} if marker else {})
    detail = {"object": subject, "reason": "DeleteObject", "deletion-type": "Delete Marker Created"}
    return _event(stack, "Object Deleted", datetime.now(UTC), detail, replay_id)


def _event(
    stack: Stack, detail_type: str, time: datetime, detail: Mapping[str, Any], replay_id: str
) -> Event:
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": detail_type,
        "source": "aws.s3",
        "account": stack.account,
        "time": f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "region": stack.region,
        "resources": [f"arn:{stack.function_arn.split(':')[1]}:s3:::{stack.bucket}"],
        "detail": {
            "version": "0",
            "bucket": {"name": stack.bucket},
            **detail,
            "replay-id": replay_id,
        },
    }


def send(stack: Stack, events: Iterable[Event]) -> Iterator[int]:
    """Send events to the queue; yield the number sent so far after each batch."""
    sent = 0
    for batch in batched(events, dead_letters.RECEIVE_MAX):
        sent += dead_letters.send(
            stack,
            [{"Id": str(number), "MessageBody": json.dumps(event)} for number, event in enumerate(batch)],
        )
        yield sent
