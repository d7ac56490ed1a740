"""The monitoring of one region, as the program defines it."""

import functools
from typing import Any

from local.deployer import _whole_numbers
from tests.program.evaluation import Evaluation, evaluate

SUFFIX = "dev"


@functools.cache
def evaluated(region: str, freshness_hours: int, subscribers: str = "[]") -> Evaluation:
    return evaluate(
        region,
        {
            "regional-analytics:freshnessHours": str(freshness_hours),
            "regional-analytics:alarmSubscribers": subscribers,
        },
    )


def evaluate_monitoring(region: str = "us-east-1", freshness_hours: int = 0) -> dict[str, dict[str, Any]]:
    """The inputs of each alarm, including the composite one, by its kind."""
    evaluation = evaluated(region, freshness_hours)
    alarms = evaluation.all("aws:cloudwatch/metricAlarm:MetricAlarm")
    composite = evaluation.all("aws:cloudwatch/compositeAlarm:CompositeAlarm")
    inputs = [_whole_numbers(alarm.inputs) for alarm in alarms + composite]
    return {kind(alarm.get("name") or alarm["alarmName"], region): alarm for alarm in inputs}


def kind(name: str, region: str) -> str:
    """`dead-letters` of `analytics-dead-letters-us-east-1-dev`."""
    assert name.startswith("analytics-")
    assert name.endswith(f"-{region}-{SUFFIX}")
    return name.removeprefix("analytics-").removesuffix(f"-{region}-{SUFFIX}")
