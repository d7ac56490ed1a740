"""What SQS and CloudWatch do about metrics and moto does not: queue metrics, percentiles, and a clock.

Run inside the server's process, as the bridges are. The clock exists because alarms look at periods of hours:
it moves the time that metrics are stamped with, and no other.
"""

from __future__ import annotations

import json
import math
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from moto.cloudwatch.models import CloudWatchBackend, Dimension, Statistics, cloudwatch_backends
from moto.sqs.models import Queue, SQSBackend, sqs_backends

if TYPE_CHECKING:
    from collections.abc import Mapping

PATH = "/_cloudwatch/"
"""`POST /_cloudwatch/clock {"offset": seconds}` sets the clock, `POST /_cloudwatch/sample` measures."""

_offset = 0.0
_sent_at: dict[str, float] = {}
"""By message id, when it was first seen in a queue, by the metrics' clock."""


def install() -> None:
    """Put the bridges in place; call once, before the server answers."""
    _stamp_metrics_by_the_clock()
    _answer_percentiles()
    _order_dimensions()
    _count_messages()


def now() -> float:
    """Give the time that metrics are stamped with, seconds since the epoch."""
    return time.time() + _offset


def answer(path: str, body: bytes) -> bytes:
    """Answer a request below `PATH`; gives JSON with the clock's time."""
    global _offset  # noqa: PLW0603 - the server's one clock
    match path.removeprefix(PATH):
        case "clock":
            _offset = float(json.loads(body)["offset"])
        case "sample":
            for regions in sqs_backends.values():
                for backend in regions.values():
                    for queue in backend.queues.values():
                        _sample(queue)
        case other:
            raise NotImplementedError(f"{PATH}{other}: there is clock and sample")
    return json.dumps({"now": now()}).encode()


def _stamp_metrics_by_the_clock() -> None:
    """A metric has the time it says, or that of its arrival; either is moved by the clock's offset."""
    put_metric_data = CloudWatchBackend.put_metric_data

    def put(self: CloudWatchBackend, namespace: str, metric_data: list[dict[str, Any]]) -> None:
        shift = timedelta(seconds=_offset)
        arrival = datetime.now(UTC).replace(tzinfo=None)
        stamped = [
            datum | {"Timestamp": (datum.get("Timestamp") or arrival).replace(tzinfo=None) + shift}
            for datum in metric_data
        ]
        put_metric_data(self, namespace, stamped)

    CloudWatchBackend.put_metric_data = put


def _answer_percentiles() -> None:
    """CloudWatch answers statistics like p99; moto knows no percentiles."""
    known = Statistics.get_statistics_for_type

    def statistic(self: Statistics, stat: str) -> Any:  # noqa: ANN401 - as moto has it
        if not stat.startswith("p"):
            return known(self, stat)
        values = sorted(self.metric_single_values_list)
        return values[max(0, math.ceil(len(values) * float(stat[1:]) / 100) - 1)]

    Statistics.get_statistics_for_type = statistic


def _order_dimensions() -> None:
    """GetMetricData sorts dimensions to compare them, in an order of moto's that depends on their places."""
    Dimension.__lt__ = lambda self, other: (self.name, self.value) < (other.name, other.value)


def _count_messages() -> None:
    """SQS counts what is sent, received and deleted; moto does not."""
    send, receive, delete = SQSBackend.send_message, SQSBackend.receive_message, SQSBackend.delete_message

    def send_message(self: SQSBackend, queue_name: str, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        sent = send(self, queue_name, *args, **kwargs)
        _put(self, queue_name, {"NumberOfMessagesSent": 1})
        return sent

    def receive_message(self: SQSBackend, queue_name: str, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        received = receive(self, queue_name, *args, **kwargs)
        if received:  # empty receives would fill the memory of a server that is polled five times a second
            _put(self, queue_name, {"NumberOfMessagesReceived": len(received)})
        return received

    def delete_message(self: SQSBackend, queue_name: str, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        delete(self, queue_name, *args, **kwargs)
        _put(self, queue_name, {"NumberOfMessagesDeleted": 1})

    SQSBackend.send_message = send_message
    SQSBackend.receive_message = receive_message
    SQSBackend.delete_message = delete_message


def _sample(queue: Queue) -> None:
    """Measure one queue, as SQS does each minute."""
    messages = queue._messages  # noqa: SLF001 - moto's class
    visible = sum(message.visible for message in messages)
    values: dict[str, float] = {
        "ApproximateNumberOfMessagesVisible": visible,
        "ApproximateNumberOfMessagesNotVisible": len(messages) - visible,
    }
    if messages:
        ages = [now() - _sent_at.setdefault(message.id, now()) for message in messages]
        values["ApproximateAgeOfOldestMessage"] = max(ages)
    _put(sqs_backends[queue.account_id][queue.region], queue.name, values)


def _put(backend: SQSBackend, queue_name: str, values: Mapping[str, float]) -> None:
    dimensions = [{"Name": "QueueName", "Value": queue_name}]
    units = {"ApproximateAgeOfOldestMessage": "Seconds"}
    cloudwatch_backends[backend.account_id][backend.region_name].put_metric_data(
        "AWS/SQS",
        [
            {"MetricName": name, "Dimensions": dimensions, "Value": value, "Unit": units.get(name, "Count")}
            for name, value in values.items()
        ],
    )
