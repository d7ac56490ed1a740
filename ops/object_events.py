"""S3's events of objects, as an operator sends them to the queue to have something handled again.

Not through EventBridge: PutEvents takes no source that begins with "aws.". The queue's policy admits the rule
alone of all services; an operator sends by their own IAM policy (`sqs:SendMessage` on the queue).
"""

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
        f"--resume: an interrupted command prints its id, like 20300131T235959Z-0a1b2c3d; got {text!r}"
    )


def created(stack: Stack, version: Mapping[str, Any], replay_id: str) -> Event:
    """Return the event that S3 sends when an object is created, marked as a replay.

    Args:
        stack: whose bucket it is in.
        version: as ListObjectVersions gives it.
        replay_id: of the replay.
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
        stack: whose bucket it was in.
        key: the object's key.
        marker: the delete marker on top; None where nothing is left of the key.
        replay_id: of the replay.
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
    """Send events to the queue; give how many have been sent after each batch."""
    sent = 0
    for batch in batched(events, dead_letters.RECEIVE_MAX):
        sent += dead_letters.send(
            stack,
            [{"Id": str(number), "MessageBody": json.dumps(event)} for number, event in enumerate(batch)],
        )
        yield sent
