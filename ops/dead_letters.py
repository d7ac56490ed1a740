"""The dead-letter queues: read their messages without removing them, and send messages back."""

import json
import sys
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from ops import function_log, table
from ops.batches import batched
from ops.deployed_stacks import Stack
from ops.operator_errors import OpsError

RECEIVE_MAX = 10
"""Maximum number of messages in one call of SQS (SQS Developer Guide, "Amazon SQS message quotas")."""
RATE_MAX = 500
"""Maximum rate of a redrive in messages per second (SQS API Reference, "StartMessageMoveTask")."""
PEEK_SECONDS = 60
"""Visibility timeout of a message that is read, in seconds. It is made visible again earlier."""
POLL_SECONDS = 1.0
_CREATED = "created"


@dataclass(frozen=True, kw_only=True)
class DeadLetter:
    """A message that is processed again only if an operator sends it back."""

    message_id: str
    body: str
    sent_at: datetime
    receives: int
    """How often the message was received, including each time that it was read here."""
    key: str | None
    """Key of the event's object; None if the message is no event of an object."""
    version_id: str | None
    event: str | None
    """What happened to the object, as in a job record: "created", "deleted" (a delete marker was created),
    "removed" (a version was permanently deleted) or "expired"; None if the function handles no such event."""
    reason: str
    delivery: bool
    """Whether the rule could not deliver the event; otherwise, the function failed on it."""


@dataclass(frozen=True, kw_only=True)
class _Event:
    """The event of an object in a message."""

    kind: str | None
    """As the function names it in the job record; None if it handles no such event."""
    key: str
    version_id: str | None
    sequencer: str | None


@dataclass(frozen=True, kw_only=True)
class Move:
    """The progress of a redrive."""

    moved: int
    total: int
    failure: str | None = None


def peek(stack: Stack, *, limit: int) -> list[DeadLetter]:
    """Return messages of both dead-letter queues without removing them.

    SQS can only receive messages, which hides them. They are made visible again at once. If this process dies
    before, they become visible after `PEEK_SECONDS`.
    """
    failed, undelivered = (
        list(_look(stack, queue_url, limit).values())[:limit]
        for queue_url in (stack.dead_letter_queue_url, stack.delivery_dead_letter_queue_url)
    )
    return [_failed(stack, message) for message in failed] + list(map(_undelivered, undelivered))


def count(stack: Stack, queue_url: str) -> int:
    """Return the approximate number of visible messages in a queue."""
    return _attribute(stack, queue_url, "ApproximateNumberOfMessages")


def in_flight(stack: Stack, queue_url: str) -> int:
    """Return the approximate number of messages that are being processed or wait for a retry."""
    return _attribute(stack, queue_url, "ApproximateNumberOfMessagesNotVisible")


def visibility_timeout(stack: Stack, queue_url: str) -> int:
    """Return the seconds for which a message is hidden after it was received."""
    return _attribute(stack, queue_url, "VisibilityTimeout")


def _attribute(stack: Stack, queue_url: str, name: str) -> int:
    attributes = stack.client("sqs").get_queue_attributes(QueueUrl=queue_url, AttributeNames=[name])
    return int(attributes["Attributes"][name])


def redrive(stack: Stack, *, per_second: int | None = None) -> Iterator[Move]:
    """Move the messages that the function failed on back to the queue; yield the progress until SQS is done.

    Args:
        stack: The stack whose messages are moved.
        per_second: Maximum number of messages per second (1 to `RATE_MAX`); SQS chooses the rate by default.

    Raises:
        OpsError: SQS ends the move as failed.
    """
    sqs = stack.client("sqs")
    names = ["QueueArn"]
    attributes = sqs.get_queue_attributes(QueueUrl=stack.dead_letter_queue_url, AttributeNames=names)
    source = attributes["Attributes"][names[0]]
    pace = {"MaxNumberOfMessagesPerSecond": per_second} if per_second else {}
    task = sqs.start_message_move_task(SourceArn=source, **pace)["TaskHandle"]
    while True:
        # SQS returns the handle only while the task runs. Afterwards, it is the newest task of the queue.
        tasks = sqs.list_message_move_tasks(SourceArn=source, MaxResults=1).get("Results")
        if not tasks:  # the task is not listed yet
            time.sleep(POLL_SECONDS)
            continue
        newest = tasks[0]
        moved, total = (
            int(newest.get(f"ApproximateNumberOfMessages{what}", 0)) for what in ("Moved", "ToMove")
        )
        failure = newest.get("FailureReason")
        yield Move(moved=moved, total=max(total, moved), failure=failure)
        if newest["Status"] not in ("RUNNING", "CANCELLING"):
            break
        if newest.get("TaskHandle", task) != task:
            raise OpsError(
                "another redrive of this queue was started meanwhile: check the progress of that one"
            )
        time.sleep(POLL_SECONDS)
    if newest["Status"] != "COMPLETED":
        raise OpsError(f"SQS ended the redrive as {newest['Status']}: {failure or 'no reason given'}")


def redeliver(stack: Stack) -> Iterator[Move]:
    """Send the events that the rule could not deliver to the queue; yield the progress.

    SQS cannot move these messages, because they came from a rule and not from a queue. A message is deleted
    after the queue has accepted it. If this process dies in between, the message is sent twice. The function
    handles duplicates.
    """
    total = count(stack, stack.delivery_dead_letter_queue_url)
    moved = 0
    while messages := _receive(stack, stack.delivery_dead_letter_queue_url):
        entries = [
            {"Id": str(number), "MessageBody": message["Body"]} for number, message in enumerate(messages)
        ]
        sent = send(stack, entries)
        stack.client("sqs").delete_message_batch(
            QueueUrl=stack.delivery_dead_letter_queue_url,
            Entries=[
                {"Id": str(number), "ReceiptHandle": messages[number]["ReceiptHandle"]}
                for number in range(sent)
            ],
        )
        moved += sent
        yield Move(moved=moved, total=max(total, moved))


def present(stack: Stack, message_ids: Collection[str]) -> set[str]:
    """Return which of the ids belong to dead letters, without removing the messages."""
    return _search(stack, message_ids, delete=False)


def discard(stack: Stack, message_ids: Collection[str]) -> set[str]:
    """Permanently delete dead letters, and return the ids of those that existed."""
    return _search(stack, message_ids, delete=True)


def _search(stack: Stack, message_ids: Collection[str], *, delete: bool) -> set[str]:
    missing = set(message_ids)
    for queue_url in (stack.dead_letter_queue_url, stack.delivery_dead_letter_queue_url):
        missing -= _look(stack, queue_url, sys.maxsize, wanted=missing, delete=delete).keys()
    return set(message_ids) - missing


def send(stack: Stack, entries: list[dict[str, str]]) -> int:
    """Send messages to the queue, and return their number.

    Raises:
        OpsError: The queue did not accept a message.
    """
    answer = stack.client("sqs").send_message_batch(QueueUrl=stack.queue_url, Entries=entries)
    for refused in answer.get("Failed", []):
        raise OpsError(f"the queue did not accept a message: {refused['Code']}: {refused.get('Message', '')}")
    return len(entries)


def _look(
    stack: Stack, queue_url: str, limit: int, *, wanted: Collection[str] | None = None, delete: bool = False
) -> dict[str, dict[str, Any]]:
    """Receive messages and make them visible again; return them by id.

    Args:
        stack: The stack.
        queue_url: The queue.
        limit: Stop when this many messages were received. The last call may return some more.
        wanted: Stop when these messages were received; None if no particular ones are wanted.
        delete: Delete those that are wanted.
    """
    sqs = stack.client("sqs")
    seen: dict[str, dict[str, Any]] = {}
    hidden: dict[str, str] = {}
    repeated = 0
    # SQS's count is exact a minute after the last message was sent, so more messages are not waited for.
    most = min(limit, count(stack, queue_url))
    try:
        # Messages come again if reading takes longer than PEEK_SECONDS: then all are read once more at most.
        while (
            len(seen) < most and repeated <= len(seen) and (wanted is None or not seen.keys() >= set(wanted))
        ):
            received = _receive(stack, queue_url)
            if not received:
                break
            for message in received:
                identifier, handle = message["MessageId"], message["ReceiptHandle"]
                repeated = repeated + 1 if identifier in seen else 0
                seen[identifier] = message
                if delete and wanted and identifier in wanted:
                    sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=handle)
                else:
                    hidden[identifier] = handle
    finally:
        for batch in batched(hidden.values(), RECEIVE_MAX):
            entries = [
                {"Id": str(number), "ReceiptHandle": handle, "VisibilityTimeout": 0}
                for number, handle in enumerate(batch)
            ]
            sqs.change_message_visibility_batch(QueueUrl=queue_url, Entries=entries)
    return seen


def _receive(stack: Stack, queue_url: str) -> list[dict[str, Any]]:
    return (
        stack.client("sqs")
        .receive_message(
            QueueUrl=queue_url,
            MaxNumberOfMessages=RECEIVE_MAX,
            VisibilityTimeout=PEEK_SECONDS,
            # Long polling queries all servers of SQS; short polling may miss the messages of a small queue.
            WaitTimeSeconds=1,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["SentTimestamp", "ApproximateReceiveCount"],
        )
        .get("Messages", [])
    )


def _failed(stack: Stack, message: dict[str, Any]) -> DeadLetter:
    return _dead_letter(message, delivery=False, reason=_reason_of_failure(stack, message))


def _undelivered(message: dict[str, Any]) -> DeadLetter:
    attributes = {name: value["StringValue"] for name, value in message.get("MessageAttributes", {}).items()}
    reason = f"{attributes.get('ERROR_CODE', 'unknown')}: {attributes.get('ERROR_MESSAGE', '')}"
    return _dead_letter(message, delivery=True, reason=reason.removesuffix(": "))


def _dead_letter(message: dict[str, Any], *, delivery: bool, reason: str) -> DeadLetter:
    event = _event(message["Body"])
    return DeadLetter(
        message_id=message["MessageId"],
        body=message["Body"],
        sent_at=_sent_at(message),
        receives=int(message["Attributes"]["ApproximateReceiveCount"]),
        key=event.key if event else None,
        version_id=event.version_id if event else None,
        event=event.kind if event else None,
        reason=reason,
        delivery=delivery,
    )


def _reason_of_failure(stack: Stack, message: dict[str, Any]) -> str:
    """Return the reason from the job record, or from the function's log if the message is no event."""
    event = _event(message["Body"])
    if event and event.kind:
        job = table.get(stack, _job_id(stack, event, event.kind))
        if job and job.get("error"):
            return str(job["error"])
    lines = function_log.lines_with(
        stack, message["MessageId"], since=_sent_at(message), until=datetime.now(UTC) + timedelta(minutes=1)
    )
    reasons = [reason for _, line in lines if (reason := _logged_reason(line))]
    return reasons[-1] if reasons else "no job record and no log line has its id: the function crashed"


def _job_id(stack: Stack, event: _Event, kind: str) -> str:
    """Return the id of the job that handles the event."""
    if kind == _CREATED:
        return table.job_id(stack.bucket, event.key, event.version_id or "null")
    version_id, sequencer = event.version_id or "", event.sequencer or ""
    return table.deletion_job_id(stack.bucket, event.key, version_id, kind, sequencer)


def _logged_reason(line: str) -> str | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry.get("error") or entry.get("reason") if isinstance(entry, dict) else None


def _sent_at(message: dict[str, Any]) -> datetime:
    return datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, tz=UTC)


def _event(body: str) -> _Event | None:
    """Return the event of an object in a message; None if the body is no such event."""
    try:
        event = json.loads(body)
        detail = event["detail"]
        subject = detail["object"]
        return _Event(
            kind=_kind(event.get("detail-type"), detail),
            key=str(subject["key"]),
            version_id=_text(subject, "version-id"),
            sequencer=_text(subject, "sequencer"),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _text(subject: Mapping[str, Any], name: str) -> str | None:
    return str(subject[name]) if subject.get(name) else None


def _kind(detail_type: object, detail: Mapping[str, Any]) -> str | None:
    if detail_type == "Object Created":
        return _CREATED
    if detail_type != "Object Deleted":
        return None
    if detail.get("reason") == "Lifecycle Expiration":
        return "expired"
    return "removed" if detail.get("deletion-type") == "Permanently Deleted" else "deleted"
