"""What a delivery says: "an object was created", as EventBridge or S3 itself writes it.

Two traps: EventBridge carries the key as it is, a classic S3 notification carries it URL-encoded; and
everything here may have been written by anybody who can reach the queue, so nothing is believed unchecked.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote_plus

KEY_BYTES_MAX = 1024
"""S3: "The object key name is a sequence of Unicode characters with UTF-8 encoding of up to 1,024 bytes"."""

_TEXT_MAX = 1024
_SEQUENCER = re.compile(r"[0-9A-Fa-f]{1,32}")
_SEQUENCER_DIGITS = 32
_REPLAY = re.compile(r"\d{8}T\d{6}Z[0-9A-Za-z._-]{0,64}")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


class PoisonError(Exception):
    """A delivery that no retry can make right: SQS takes it to the dead-letter queue."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ObjectCreated:
    """One object version that came to be, as its event tells it."""

    bucket: str
    key: str
    region: str | None = None
    account: str | None = None
    """The account the event comes from; classic S3 notifications do not say."""
    version_id: str | None = None
    sequencer: str | None = None
    """S3's order of the events of one key: upper-case hexadecimal digits of one length, so that text order is
    time order."""
    etag: str | None = None
    size: int | None = None
    """Bytes."""
    created_at: float | None = None
    """Seconds since the epoch."""
    replay_id: str | None = None
    """Set when an operator asks for the object again; later replays have greater ids."""


def from_message(body: str) -> tuple[ObjectCreated, ...]:
    """The objects that an SQS message's body tells of; none for S3's test event.

    Raises:
        PoisonError: saying what is wrong with it.
    """
    try:
        event = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise PoisonError(f"the message is not JSON: {type(error).__name__}") from None
    return from_event(event)


def from_event(event: object) -> tuple[ObjectCreated, ...]:
    """The objects that an event tells of; none for S3's test event.

    Raises:
        PoisonError: saying what is wrong with it.
    """
    if not isinstance(event, dict):
        raise PoisonError(f"an event is a JSON object, got {_kind(event)}")
    if "detail-type" in event:
        return (_from_eventbridge(event),)
    if event.get("Event") == "s3:TestEvent":
        return ()
    records = event.get("Records")
    if not isinstance(records, list) or not records:
        raise PoisonError("an event has a detail-type (EventBridge) or a list of Records (S3), got neither")
    return tuple(_from_notification(record) for record in records)


def _from_eventbridge(event: Mapping[str, Any]) -> ObjectCreated:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html ."""
    if event.get("source") != "aws.s3" or event.get("detail-type") != "Object Created":
        raise PoisonError('only source "aws.s3", detail-type "Object Created" is known')
    detail = _object(event, "detail")
    created = _object(detail, "object")
    return ObjectCreated(
        bucket=_bucket(_object(detail, "bucket")),
        key=_key(_text(created, "key")),
        region=_text(event, "region"),
        account=_text(event, "account"),
        version_id=_optional_text(created, "version-id"),
        sequencer=_sequencer(created),
        etag=_optional_text(created, "etag"),
        size=_size(created),
        created_at=_time(event, "time"),
        replay_id=_replay_id(detail),
    )


def _from_notification(record: object) -> ObjectCreated:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html ."""
    if not isinstance(record, dict):
        raise PoisonError(f"a record is a JSON object, got {_kind(record)}")
    if record.get("eventSource", "aws:s3") != "aws:s3":
        raise PoisonError('only eventSource "aws:s3" is known')
    name = record.get("eventName", "ObjectCreated:Put")
    if not isinstance(name, str) or not name.removeprefix("s3:").startswith("ObjectCreated:"):
        raise PoisonError('only eventName "ObjectCreated:*" is known')
    detail = _object(record, "s3")
    created = _object(detail, "object")
    return ObjectCreated(
        bucket=_bucket(_object(detail, "bucket")),
        key=_key(unquote_plus(_text(created, "key", limit=3 * KEY_BYTES_MAX), errors="surrogateescape")),
        region=_optional_text(record, "awsRegion"),
        version_id=_optional_text(created, "versionId"),
        sequencer=_sequencer(created),
        etag=_optional_text(created, "eTag"),
        size=_size(created),
        created_at=_time(record, "eventTime"),
    )


def _kind(value: object) -> str:
    return type(value).__name__


def _object(holder: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = holder.get(name)
    if not isinstance(value, dict):
        raise PoisonError(f"{name} is a JSON object, got {_kind(value)}")
    return value


def _text(holder: Mapping[str, Any], name: str, limit: int = _TEXT_MAX) -> str:
    value = holder.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= limit:
        raise PoisonError(f"{name} is a text of 1 to {limit} characters, got {_kind(value)}")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise PoisonError(f"{name} is not Unicode text: it has a lone surrogate") from None
    return value


def _optional_text(holder: Mapping[str, Any], name: str) -> str | None:
    return None if holder.get(name) in (None, "") else _text(holder, name)


def _bucket(bucket: Mapping[str, Any]) -> str:
    name = _text(bucket, "name")
    if not _BUCKET.fullmatch(name):
        raise PoisonError("the bucket's name is not one that S3 allows")
    return name


def _key(key: str) -> str:
    try:
        length = len(key.encode())
    except UnicodeEncodeError:
        raise PoisonError("the key is not UTF-8") from None
    if not 0 < length <= KEY_BYTES_MAX:
        raise PoisonError(f"a key has 1 to {KEY_BYTES_MAX} bytes, got {length}")
    return key


def _sequencer(created: Mapping[str, Any]) -> str | None:
    sequencer = _optional_text(created, "sequencer")
    if sequencer is None:
        return None
    if not _SEQUENCER.fullmatch(sequencer):
        raise PoisonError(f"a sequencer is 1 to {_SEQUENCER_DIGITS} hexadecimal digits")
    # S3 User Guide, "Event message structure": add zeros to the right of the shorter value, then compare.
    return sequencer.upper().ljust(_SEQUENCER_DIGITS, "0")


def _size(created: Mapping[str, Any]) -> int | None:
    size = created.get("size")
    if size is None:
        return None
    if type(size) is not int or not 0 <= size < 2**63:
        raise PoisonError(f"size is a number of bytes, got {_kind(size)}")
    return size


def _time(holder: Mapping[str, Any], name: str) -> float | None:
    text = _optional_text(holder, name)
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return moment.timestamp() if moment.tzinfo else moment.replace(tzinfo=UTC).timestamp()
    except (ValueError, OverflowError):
        raise PoisonError(f"{name} is a time in ISO 8601") from None


def _replay_id(detail: Mapping[str, Any]) -> str | None:
    replay_id = _optional_text(detail, "replay-id")
    if replay_id is not None and not _REPLAY.fullmatch(replay_id):
        raise PoisonError("replay-id begins with a UTC time, as 20300131T235959Z: later ones are greater")
    return replay_id
