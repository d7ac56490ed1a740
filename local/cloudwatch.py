"""What CloudWatch does and moto does not: percentiles, dimensions in any order, log filters; and a clock.

Run inside the server's process, as the bridges are. The clock exists because alarms look at periods of hours:
it moves the time that metrics are stamped with and buckets begin to send events at, and no other.
"""

from __future__ import annotations

import json
import math
import re
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.cloudwatch.models import CloudWatchBackend, Dimension, Statistics
from moto.logs.utils import EventMessageFilter, UnsupportedFilterPattern

from local import service_metrics
from local.bridges import s3_lifecycle

PATH = "/_cloudwatch/"
"""Below it: `POST clock {"offset": seconds}` sets the clock, `POST sample` measures the queues, and
`POST throttle {"table": writes}` has DynamoDB refuse so many writes, and `POST days {"bucket": days}` lets
days pass for S3's lifecycle rules."""

_offset = 0.0


def install() -> None:
    """Put the bridges in place; call once, before the server answers."""
    _stamp_metrics_by_the_clock()
    _answer_percentiles()
    _order_dimensions()
    _filter_logs_by_alternatives()
    _know_nothing_of_a_new_alarm()
    service_metrics.install()


def now() -> float:
    """Give the time that metrics are stamped with, seconds since the epoch."""
    return time.time() + _offset


def answer(path: str, body: bytes) -> bytes:
    """Answer a request below `PATH`; gives JSON with the clock's time."""
    global _offset  # noqa: PLW0603 - the server's one clock
    match path.removeprefix(PATH):
        case "clock":
            _offset = float(json.loads(body)["offset"])
        case "throttle":
            service_metrics.throttled_writes.update(json.loads(body))
        case "sample":
            service_metrics.sample_queues(now())
        case "days":
            for bucket, days in json.loads(body).items():
                s3_lifecycle.pass_days(bucket, days)
        case other:
            raise NotImplementedError(f"{PATH}{other}: there is clock, sample, throttle and days")
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


class _AnyTerm(UnsupportedFilterPattern):
    def __init__(self, terms: list[str]) -> None:
        self._terms = terms

    def matches(self, message: str) -> bool:
        return any(term in message for term in self._terms)


def _filter_logs_by_alternatives() -> None:
    """A filter pattern like `?"a" ?"b"` finds lines with either term; moto finds all lines by it."""
    create = EventMessageFilter.__init__

    def init(self: EventMessageFilter, pattern: str) -> None:
        create(self, pattern)
        if terms := re.findall(r'\?"([^"]+)"', pattern or ""):
            self.filter_type = _AnyTerm(terms)

    EventMessageFilter.__init__ = init


def _order_dimensions() -> None:
    """GetMetricData sorts dimensions to compare them, in an order of moto's that depends on their places."""
    Dimension.__lt__ = lambda self, other: (self.name, self.value) < (other.name, other.value)


def _know_nothing_of_a_new_alarm() -> None:
    """A new alarm is INSUFFICIENT_DATA until it is evaluated, and one that is changed keeps its state.

    moto's is OK (CloudWatch User Guide, "Alarm states"; PutMetricAlarm API page).
    """
    put_metric_alarm = CloudWatchBackend.put_metric_alarm

    def put(self: CloudWatchBackend, name: str, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - passed on
        known = self.alarms.get(name)
        alarm = put_metric_alarm(self, name, *args, **kwargs)
        alarm.state_value = known.state_value if known else "INSUFFICIENT_DATA"
        return alarm

    CloudWatchBackend.put_metric_alarm = put
