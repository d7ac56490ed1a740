"""The dead-letter queues: looked into without consuming, and sent back to where the work is done."""

import json
import sys
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from ops import function_log, job_search
from ops.deployed_stacks import Stack
from ops.operator_errors import OpsError

RECEIVE_MAX = 10
"""Messages that one call of SQS receives, sends or deletes at the most."""
PEEK_SECONDS = 60
"""How long a message that is being looked at stays hidden, unless it is given back earlier."""
POLL_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True)
class DeadLetter:
    """A message that nobody will process unless somebody sends it back."""

    message_id: str
    body: str
    sent_at: datetime
    receives: int
    """Receives so far, each look at it included."""
    key: str | None
    """Of the object it is about; None when it is no event about an object."""
    version_id: str | None
    reason: str
    delivery: bool
    """Whether it is an event that the rule could not deliver; otherwise one that the function failed on."""


@dataclass(frozen=True, kw_only=True)
class Move:
    """How far a redrive has come."""

    moved: int
    total: int
    failure: str | None = None


def peek(stack: Stack, *, limit: int) -> list[DeadLetter]:
    """Look at what lies in both dead-letter queues, and leave it there.

    SQS has no call that only looks. So messages are received, which hides them, and then given back at once;
    if this process dies before, they come back by themselves after `PEEK_SECONDS`.
    """
    failed = [_failed(stack, message) for message in _look(stack, stack.dead_letter_queue_url, limit)]
    undelivered = [
        _undelivered(message) for message in _look(stack, stack.delivery_dead_letter_queue_url, limit)
    ]
    return failed + undelivered


def count(stack: Stack, queue_url: str) -> int:
    """Return how many messages of a queue are there to be received, as SQS says (approximately)."""
    return _attribute(stack, queue_url, "ApproximateNumberOfMessages")


def in_flight(stack: Stack, queue_url: str) -> int:
    """Return how many messages of a queue are being worked on, or wait to be repeated."""
    return _attribute(stack, queue_url, "ApproximateNumberOfMessagesNotVisible")


def _attribute(stack: Stack, queue_url: str, name: str) -> int:
    attributes = stack.client("sqs").get_queue_attributes(QueueUrl=queue_url, AttributeNames=[name])
    return int(attributes["Attributes"][name])


def redrive(stack: Stack, *, per_second: int | None = None) -> Iterator[Move]:
    """Have SQS move what the function failed on back to its queue; give the progress until it has ended.

    Args:
        stack: Whose messages.
        per_second: Messages a second at the most (1 to 500); SQS's own pace by default.

    Raises:
        OpsError: when SQS ends the move as failed.
    """
    sqs = stack.client("sqs")
    names = ["QueueArn"]
    attributes = sqs.get_queue_attributes(QueueUrl=stack.dead_letter_queue_url, AttributeNames=names)
    source = attributes["Attributes"][names[0]]
    pace = {"MaxNumberOfMessagesPerSecond": per_second} if per_second else {}
    task = sqs.start_message_move_task(SourceArn=source, **pace)["TaskHandle"]
    while True:
        # A handle is shown only while its task runs; afterwards the newest of the queue's tasks is this one.
        tasks = sqs.list_message_move_tasks(SourceArn=source, MaxResults=1).get("Results")
        if not tasks:  # it is not listed yet
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
            raise OpsError("another redrive of this queue was started meanwhile: see that one's progress")
        time.sleep(POLL_SECONDS)
    if newest["Status"] != "COMPLETED":
        raise OpsError(f"SQS ended the redrive as {newest['Status']}: {failure or 'no reason given'}")


def redeliver(stack: Stack) -> Iterator[Move]:
    """Send what the rule could not deliver to the queue, as the rule would have; give the progress.

    SQS moves messages back to queues only, and these came from a rule. A message is deleted here after the
    queue has taken it: dying in between sends it twice, which gives one result all the same.
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
    """Return those of the ids that are of dead letters, and leave the messages there."""
    queues = (stack.dead_letter_queue_url, stack.delivery_dead_letter_queue_url)
    seen = {message["MessageId"] for queue_url in queues for message in _look(stack, queue_url, sys.maxsize)}
    return seen & set(message_ids)


def discard(stack: Stack, message_ids: Collection[str]) -> set[str]:
    """Delete dead letters for good, and return the ids of those that were there."""
    wanted, gone = set(message_ids), set[str]()
    for queue_url in (stack.dead_letter_queue_url, stack.delivery_dead_letter_queue_url):
        for message in _look(stack, queue_url, limit=sys.maxsize, keep=wanted):
            stack.client("sqs").delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
            gone.add(message["MessageId"])
    return gone


def send(stack: Stack, entries: list[dict[str, str]]) -> int:
    """Put messages on the queue, and return how many it was.

    Raises:
        OpsError: when the queue did not take one.
    """
    answer = stack.client("sqs").send_message_batch(QueueUrl=stack.queue_url, Entries=entries)
    for refused in answer.get("Failed", []):
        raise OpsError(f"the queue did not take a message: {refused['Code']}: {refused.get('Message', '')}")
    return len(entries)


def _look(stack: Stack, queue_url: str, limit: int, keep: Collection[str] = ()) -> list[dict[str, Any]]:
    """Receive up to so many messages and give them back; return them, or those that were asked to be kept."""
    seen: dict[str, dict[str, Any]] = {}
    # SQS's count is exact a minute after messages came: no reason to wait for more than it says.
    wanted = min(limit, count(stack, queue_url))
    try:
        while len(seen) < wanted:
            received = _receive(stack, queue_url)
            new = {message["MessageId"]: message for message in received if message["MessageId"] not in seen}
            if not new:
                break
            seen |= new
    finally:
        for message in (message for identifier, message in seen.items() if identifier not in keep):
            stack.client("sqs").change_message_visibility(
                QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
            )
    found = (message for identifier, message in seen.items() if not keep or identifier in keep)
    return list(found)[:limit]


def _receive(stack: Stack, queue_url: str) -> list[dict[str, Any]]:
    return (
        stack.client("sqs")
        .receive_message(
            QueueUrl=queue_url,
            MaxNumberOfMessages=RECEIVE_MAX,
            VisibilityTimeout=PEEK_SECONDS,
            # Waiting asks all of SQS's servers; not waiting may find none of a few messages.
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
    key, version_id = _subject(message["Body"]) or (None, None)
    return DeadLetter(
        message_id=message["MessageId"],
        body=message["Body"],
        sent_at=_sent_at(message),
        receives=int(message["Attributes"]["ApproximateReceiveCount"]),
        key=key,
        version_id=version_id,
        reason=reason,
        delivery=delivery,
    )


def _reason_of_failure(stack: Stack, message: dict[str, Any]) -> str:
    """The job record says why; a message without one (it was no event) is named in the function's log."""
    subject = _subject(message["Body"])
    if subject:
        key, version_id = subject
        job = job_search.get(stack, job_search.job_id(stack.bucket, key, version_id or "null"))
        if job and job.get("error"):
            return str(job["error"])
    lines = function_log.lines_with(
        stack, message["MessageId"], since=_sent_at(message), until=datetime.now(UTC) + timedelta(minutes=1)
    )
    reasons = [reason for _, line in lines if (reason := _logged_reason(line))]
    return reasons[-1] if reasons else "no job record, and no log line that names it: the function crashed"


def _logged_reason(line: str) -> str | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry.get("error") or entry.get("reason") if isinstance(entry, dict) else None


def _sent_at(message: dict[str, Any]) -> datetime:
    return datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, tz=UTC)


def _subject(body: str) -> tuple[str, str | None] | None:
    """Key and version of the object that an event is about, as far as it is one."""
    try:
        created = json.loads(body)["detail"]["object"]
        return str(created["key"]), created.get("version-id")
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
