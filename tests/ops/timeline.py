"""A clock for metrics, so that failures of seconds drive alarms with periods of minutes and hours."""

import itertools
import time
from datetime import timedelta

from local.alarms import CloudWatch
from local.cloud import Cloud

_DAY = 86400
_days = itertools.count()
"""Each timeline uses a different day in the past, so that metrics of different tests are separate."""


class Timeline:
    """The day of one test in one region."""

    def __init__(self, cloud: Cloud, region: str) -> None:
        self._cloudwatch = CloudWatch(cloud.server)
        self._region = region
        self._suffix = f"-{region}-dev"
        self._now = time.time() // _DAY * _DAY - 60 * _DAY + next(_days) * _DAY
        self.advance(0)

    def advance(self, minutes: float) -> None:
        """Advance the clock by some minutes."""
        self._now += minutes * 60
        self._cloudwatch.set_clock(timedelta(seconds=self._now - time.time()))

    def measure(self, minutes: float) -> None:
        """Put the queues' metrics, and advance the clock."""
        self._cloudwatch.sample()
        self.advance(minutes)

    def throttle_writes(self, table_name: str, writes: int) -> None:
        self._cloudwatch.throttle_writes(table_name, writes)

    def alarms(self) -> set[str]:
        """Evaluate the deployed alarms, and return the kinds of those in ALARM."""
        states = self._cloudwatch.evaluate(self._region)
        return {
            name.removeprefix("analytics-").removesuffix(self._suffix)
            for name, state in states.items()
            if state == "ALARM"
        }

    def close(self) -> None:
        self._cloudwatch.set_clock(timedelta())
