"""A clock for metrics, so that alarms over minutes and hours are driven by failures of seconds."""

import itertools
import time
from datetime import timedelta

from local.alarms import CloudWatch
from local.cloud import Cloud

_DAY = 86400
_days = itertools.count()
"""Each timeline has a day of its own in the past, so that no alarm sees another's metrics."""


class Timeline:
    """The day of one test in one region."""

    def __init__(self, cloud: Cloud, region: str) -> None:
        self._cloudwatch = CloudWatch(cloud.server)
        self._region = region
        self._suffix = f"-{region}-dev"
        self._now = time.time() // _DAY * _DAY - 60 * _DAY + next(_days) * _DAY
        self.advance(0)

    def advance(self, minutes: float) -> None:
        """Move to so many minutes after the last time that this was called."""
        self._now += minutes * 60
        self._cloudwatch.set_clock(timedelta(seconds=self._now - time.time()))

    def measure(self, minutes: float) -> None:
        """Have the queues measured, and so much time pass."""
        self._cloudwatch.sample()
        self.advance(minutes)

    def throttle_writes(self, table_name: str, writes: int) -> None:
        self._cloudwatch.throttle_writes(table_name, writes)

    def alarms(self) -> set[str]:
        """Evaluate the deployed alarms; the kinds of those in ALARM."""
        states = self._cloudwatch.evaluate(self._region)
        return {
            name.removeprefix("analytics-").removesuffix(self._suffix)
            for name, state in states.items()
            if state == "ALARM"
        }

    def close(self) -> None:
        self._cloudwatch.set_clock(timedelta())
