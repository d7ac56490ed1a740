"""S3's events of created and deleted objects, as EventBridge or S3 itself writes them.

EventBridge carries the key as it is; a classic S3 notification carries it URL-encoded. Everybody who can send
to the queue can write a message, so every value is checked.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from urllib.parse import unquote_plus

KEY_BYTES_MAX = 1024
"""S3: "The object key name is a sequence of Unicode characters with UTF-8 encoding of up to 1,024 bytes"."""

_TEXT_MAX = 1024
_SEQUENCER = re.compile(r"[0-9A-Fa-f]{1,64}")
_REPLAY = re.compile(r"\d{8}T\d{6}Z[0-9A-Za-z._-]{0,64}")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


class PoisonError(Exception):
    """A message that no retry can process: SQS moves it to the dead-letter queue."""


class Kind(StrEnum):
    """What happened to a key."""

    CREATED = "created"
    """A version was created."""
    DELETED = "deleted"
    """A user deleted the key: a delete marker was created."""
    REMOVED = "removed"
    """A user deleted a version or a delete marker permanently."""
    EXPIRED = "expired"
    """A lifecycle rule expired the current version: a delete marker was created."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ObjectEvent:
    """The event of one object of a versioned bucket."""

    kind: Kind
    bucket: str
    key: str
    region: str | None = None
    account: str | None = None
    """The account that the event comes from; a classic S3 notification has none."""
    version_id: str | None = None
    """The version or the delete marker that was created or removed."""
    sequencer: str | None = None
    """Distinguishes the events of one version. It is not used to order events: S3 says which version is
    current."""
    created_at: float | None = None
    """The time of the event, in seconds since the epoch."""
    replay_id: str | None = None
    """Set if an operator replays the object; later replays have greater ids."""


def from_message(body: str) -> tuple[ObjectEvent, ...]:
    """Return the events in the body of an SQS message; none for S3's test event.

    Raises:
        PoisonError: The message is not valid; the text says why.
    """
    try:
        event = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise PoisonError(f"the message is not JSON: {type(error).__name__}") from None
    return from_event(event)


def from_event(event: object) -> tuple[ObjectEvent, ...]:
    """Return the object events in an event; none if no current version can have changed.

    Raises:
        PoisonError: The event is not valid; the text says why.
    """
    if not isinstance(event, dict):
        raise PoisonError(f"an event must be a JSON object, got {_type(event)}")
    if "detail-type" in event:
        return _from_eventbridge(event)
    if event.get("Event") == "s3:TestEvent":
        return ()
    records = event.get("Records")
    if not isinstance(records, list) or not records:
        raise PoisonError("an event must have a detail-type (EventBridge) or a list of Records (S3)")
    return tuple(event for record in records for event in _from_notification(record))


def _from_eventbridge(event: Mapping[str, Any]) -> tuple[ObjectEvent, ...]:
    """Read an event of EventBridge.

    The format: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
    """
    detail_type = event.get("detail-type")
    if event.get("source") != "aws.s3" or detail_type not in ("Object Created", "Object Deleted"):
        raise PoisonError('the source must be "aws.s3", the detail-type "Object Created" or "Object Deleted"')
    detail = _object(event, "detail")
    subject = _object(detail, "object")
    kind: Kind | None = Kind.CREATED
    if detail_type == "Object Deleted":
        kind = _kind_of_deletion(
            by_lifecycle=detail.get("reason") == "Lifecycle Expiration",
            permanent=detail.get("deletion-type") == "Permanently Deleted",
        )
    if kind is None:
        return ()
    parsed = ObjectEvent(
        kind=kind,
        bucket=_bucket(_object(detail, "bucket")),
        key=_key(_text(subject, "key")),
        region=_text(event, "region"),
        account=_text(event, "account"),
        version_id=_optional_text(subject, "version-id"),
        sequencer=_sequencer(subject),
        created_at=_time(event, "time"),
        replay_id=_replay_id(detail),
    )
    return (parsed,)


def _from_notification(record: object) -> tuple[ObjectEvent, ...]:
    """Read a record of an S3 notification.

    The format: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
    """
    if not isinstance(record, dict):
        raise PoisonError(f"a record must be a JSON object, got {_type(record)}")
    if record.get("eventSource", "aws:s3") != "aws:s3":
        raise PoisonError('the eventSource must be "aws:s3"')
    name = record.get("eventName", "ObjectCreated:Put")
    family, _, what = name.removeprefix("s3:").partition(":") if isinstance(name, str) else ("", "", "")
    kind: Kind | None = Kind.CREATED
    if family in ("ObjectRemoved", "LifecycleExpiration"):
        kind = _kind_of_deletion(by_lifecycle=family == "LifecycleExpiration", permanent=what == "Delete")
    elif family != "ObjectCreated":
        raise PoisonError(
            'the eventName must be "ObjectCreated:*", "ObjectRemoved:*" or "LifecycleExpiration:*"'
        )
    if kind is None:
        return ()
    detail = _object(record, "s3")
    subject = _object(detail, "object")
    parsed = ObjectEvent(
        kind=kind,
        bucket=_bucket(_object(detail, "bucket")),
        key=_key(unquote_plus(_text(subject, "key", limit=3 * KEY_BYTES_MAX), errors="surrogateescape")),
        region=_optional_text(record, "awsRegion"),
        version_id=_optional_text(subject, "versionId"),
        sequencer=_sequencer(subject),
        created_at=_time(record, "eventTime"),
    )
    return (parsed,)


def _kind_of_deletion(*, by_lifecycle: bool, permanent: bool) -> Kind | None:
    """Return the kind; None if a lifecycle rule deleted a version permanently: it is never current."""
    if by_lifecycle:
        return None if permanent else Kind.EXPIRED
    return Kind.REMOVED if permanent else Kind.DELETED


def _type(value: object) -> str:
    return type(value).__name__


def _object(holder: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = holder.get(name)
    if not isinstance(value, dict):
        raise PoisonError(f"{name} must be a JSON object, got {_type(value)}")
    return value


def _text(holder: Mapping[str, Any], name: str, limit: int = _TEXT_MAX) -> str:
    value = holder.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= limit:
        got = f"{len(value)} characters" if isinstance(value, str) else _type(value)
        raise PoisonError(f"{name} must be a string of 1 to {limit} characters, got {got}")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise PoisonError(f"{name} must be Unicode text, got a lone surrogate") from None
    return value


def _optional_text(holder: Mapping[str, Any], name: str) -> str | None:
    return None if holder.get(name) in (None, "") else _text(holder, name)


def _bucket(bucket: Mapping[str, Any]) -> str:
    name = _text(bucket, "name")
    if not _BUCKET.fullmatch(name):
        raise PoisonError("the bucket's name must be one that S3 allows")
    return name


def _key(key: str) -> str:
    try:
        length = len(key.encode())
    except UnicodeEncodeError:
        raise PoisonError("the key must be UTF-8") from None
    if not 0 < length <= KEY_BYTES_MAX:
        raise PoisonError(f"a key must have 1 to {KEY_BYTES_MAX} bytes, got {length}")
    return key


def _sequencer(subject: Mapping[str, Any]) -> str | None:
    sequencer = _optional_text(subject, "sequencer")
    if sequencer is not None and not _SEQUENCER.fullmatch(sequencer):
        raise PoisonError("a sequencer must be 1 to 64 hexadecimal digits")
    return sequencer


def _time(holder: Mapping[str, Any], name: str) -> float | None:
    text = _optional_text(holder, name)
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return moment.timestamp() if moment.tzinfo else moment.replace(tzinfo=UTC).timestamp()
    except (ValueError, OverflowError):
        raise PoisonError(f"{name} must be a time in ISO 8601") from None


def _replay_id(detail: Mapping[str, Any]) -> str | None:
    replay_id = _optional_text(detail, "replay-id")
    if replay_id is not None and not _REPLAY.fullmatch(replay_id):
        raise PoisonError("the replay-id must begin with a UTC time, such as 20300131T235959Z")
    return replay_id
