"""A clock for metrics that can be moved, because alarms look at periods of hours.

It moves the time that metrics are stamped with and buckets begin to send events at, and no other.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.cloudwatch.models import CloudWatchBackend

_offset = 0.0


def install() -> None:
    """Stamp metrics by the clock; call once, before the server answers."""
    _stamp_metrics_by_the_clock()


def now() -> float:
    """Give the time that metrics are stamped with, seconds since the epoch."""
    return time.time() + _offset


def move(offset: float) -> None:
    """Move the clock so many seconds from the real time."""
    global _offset  # noqa: PLW0603 - the server's one clock
    _offset = offset


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
