"""StartMessageMoveTask of SQS, which moves dead letters back to their queue and which moto does not have.

Here, a move is complete when the call returns.
"""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any

from moto.core.responses import ActionResult
from moto.sqs.exceptions import SQSException
from moto.sqs.responses import SQSResponse

if TYPE_CHECKING:
    from moto.sqs.models import Queue, SQSBackend

_tasks: dict[str, list[dict[str, Any]]] = {}
"""Tasks by the ARN of their source, newest first."""


def install() -> None:
    """Add the calls; call this once, before the server handles requests."""

    def start(self: SQSResponse) -> ActionResult:
        return ActionResult({"TaskHandle": _move(self.sqs_backend, self._get_param("SourceArn"))})

    def list_tasks(self: SQSResponse) -> ActionResult:
        tasks = _tasks.get(self._get_param("SourceArn"), [])
        return ActionResult({"Results": tasks[: int(self._get_param("MaxResults") or 1)]})

    SQSResponse.start_message_move_task = start  # type: ignore[attr-defined]
    SQSResponse.list_message_move_tasks = list_tasks  # type: ignore[attr-defined]


def _move(backend: SQSBackend, source_arn: str) -> str:
    """Move the visible messages of a dead-letter queue to its source queue; return the task's handle.

    A moved message is a new message: SQS gives it a new id and a new receive count.
    """
    by_arn = {queue.queue_arn: queue for queue in backend.queues.values()}
    if source_arn not in by_arn:
        raise SQSException("ResourceNotFoundException", f"{source_arn} does not exist")
    source = by_arn[source_arn]
    origins = [queue for queue in by_arn.values() if queue.dead_letter_queue is source]
    if not origins:
        raise SQSException("InvalidParameterValue", "Source queue must be configured as a Dead Letter Queue.")
    letters = [message for message in source._messages if message.visible]  # noqa: SLF001 - moto's class
    for letter in letters:
        backend.send_message(origins[0].name, letter.body, message_attributes=letter.message_attributes)
        _remove(source, letter)
    _tasks.setdefault(source_arn, []).insert(
        0,
        {
            "Status": "COMPLETED",
            "SourceArn": source_arn,
            "ApproximateNumberOfMessagesMoved": len(letters),
            "ApproximateNumberOfMessagesToMove": len(letters),
            "StartedTimestamp": int(time.time() * 1000),
        },
    )
    return str(uuid.uuid4())


def _remove(queue: Queue, message: Any) -> None:  # noqa: ANN401 - moto's class
    queue._messages.remove(message)  # noqa: SLF001 - moto's class
    queue.pending_messages.discard(message)
