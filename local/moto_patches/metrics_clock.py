"""A clock for metrics with an offset that tests can set, because alarms have periods of hours.

The clock applies to the timestamps of metrics and to the time at which buckets begin to send events.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.cloudwatch.models import CloudWatchBackend

_offset = 0.0


def install() -> None:
    """Apply the clock to metrics; call this once, before the server handles requests."""
    _stamp_metrics_by_the_clock()


def now() -> float:
    """Return the time of the clock in seconds since the epoch."""
    return time.time() + _offset


def move(offset: float) -> None:
    """Set the clock's offset from real time in seconds."""
    global _offset  # noqa: PLW0603 - the server has one clock
    _offset = offset


def _stamp_metrics_by_the_clock() -> None:
    """Add the clock's offset to the timestamp of each metric, which is the time of the call by default."""
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
