"""Evaluate the deployed alarms over their metrics, as CloudWatch does and moto does not.

Differences from AWS: alarms are evaluated on request and not each minute, only complete periods count, and
CloudWatch's longer evaluation range for missing data points is not implemented.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from local.metric_math import evaluate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.server import Server

OK, ALARM, INSUFFICIENT_DATA = "OK", "ALARM", "INSUFFICIENT_DATA"
_COMPARISONS = {
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
}


class CloudWatch:
    """The clock of the metrics, the queues' metrics, and the alarms of one server."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._offset = 0.0

    def set_clock(self, offset: timedelta) -> datetime:
        """Set the offset of the metrics' clock from real time, and return the clock's time."""
        self._offset = offset.total_seconds()
        return self._call("clock", {"offset": self._offset})

    def sample(self) -> datetime:
        """Put the queues' metrics, as SQS does each minute, and return their time."""
        return self._call("sample", {})

    def throttle_writes(self, table_name: str, writes: int) -> None:
        """Make DynamoDB refuse the next writes to the table."""
        self._call("throttle", {table_name: writes})

    def evaluate(self, region: str, now: datetime | None = None) -> dict[str, str]:
        """Set the states of the region's alarms as of `now`, and return them by the alarms' names."""
        cloudwatch = self._server.client("cloudwatch", region)
        at = now or datetime.now(UTC) + timedelta(seconds=self._offset)
        described = cloudwatch.describe_alarms(AlarmTypes=["MetricAlarm", "CompositeAlarm"])
        states = {
            alarm["AlarmName"]: metric_alarm_state(cloudwatch, alarm, at)
            for alarm in described["MetricAlarms"]
        }
        for alarm in described["CompositeAlarms"]:
            states[alarm["AlarmName"]] = composite_alarm_state(alarm["AlarmRule"], states)
        for alarm in described["MetricAlarms"] + described["CompositeAlarms"]:
            name = alarm["AlarmName"]
            if states[name] != alarm["StateValue"]:
                reason = f"evaluated at {at:%Y-%m-%dT%H:%M:%SZ}"
                cloudwatch.set_alarm_state(AlarmName=name, StateValue=states[name], StateReason=reason)
        return states

    def _call(self, what: str, body: Mapping[str, Any]) -> datetime:
        answer = self._server.steer(f"/_steering/{what}", body)
        return datetime.fromtimestamp(answer["now"], tz=UTC)


def metric_alarm_state(cloudwatch: Any, alarm: Mapping[str, Any], now: datetime) -> str:  # noqa: ANN401 - boto3
    """Return the state of a metric alarm by its last complete periods before `now`.

    (CloudWatch User Guide, "Alarm evaluation" and "Configuring how CloudWatch alarms treat missing data".)
    """
    periods = alarm["EvaluationPeriods"]
    needed = alarm.get("DatapointsToAlarm", periods)
    points = datapoints(cloudwatch, alarm, now)
    breaches = _COMPARISONS[alarm["ComparisonOperator"]]
    breaching = sum(value is not None and breaches(value, alarm["Threshold"]) for value in points)
    missing = sum(value is None for value in points)
    good = periods - breaching - missing
    match alarm.get("TreatMissingData", "missing"):
        case "breaching":
            breaching += missing
        case "notBreaching":
            good += missing
        case "missing" if missing == periods:
            return INSUFFICIENT_DATA
    if breaching >= needed:
        return ALARM
    if good > periods - needed:
        return OK
    return alarm["StateValue"]


def composite_alarm_state(rule: str, states: Mapping[str, str]) -> str:
    """Return the state of a composite alarm whose rule is `ALARM("a") OR ALARM("b") ...`.

    Raises:
        ValueError: The rule has another form.
    """
    terms = [re.fullmatch(r'\s*ALARM\("([^"]+)"\)\s*', term) for term in rule.split(" OR ")]
    if not all(terms):
        raise ValueError(f"composite alarm: cannot evaluate {rule!r}")
    return ALARM if any(states[term[1]] == ALARM for term in terms if term) else OK


def datapoints(cloudwatch: Any, alarm: Mapping[str, Any], now: datetime) -> list[float | None]:  # noqa: ANN401 - boto3
    """Return the values of the alarm's last complete periods, oldest first; None for missing data."""
    if "Metrics" not in alarm or not alarm["Metrics"]:
        metric = {name: alarm[name] for name in ("Namespace", "MetricName", "Dimensions")}
        stat = {"Metric": metric, "Period": alarm["Period"], "Stat": alarm.get("Statistic")}
        return _series(cloudwatch, stat, alarm["EvaluationPeriods"], now)
    series = {
        query["Id"]: _series(cloudwatch, query["MetricStat"], alarm["EvaluationPeriods"], now)
        for query in alarm["Metrics"]
        if "MetricStat" in query
    }
    (expression,) = (query["Expression"] for query in alarm["Metrics"] if "Expression" in query)
    return [
        evaluate(expression, dict(zip(series, values, strict=True)))
        for values in zip(*series.values(), strict=True)
    ]


def _series(
    cloudwatch: Any,  # noqa: ANN401 - boto3
    stat: Mapping[str, Any],
    periods: int,
    now: datetime,
) -> list[float | None]:
    period = stat["Period"]
    end = int(now.timestamp() // period * period)
    starts = range(end - period * periods, end, period)
    query = {"Id": "m", "MetricStat": {name: stat[name] for name in ("Metric", "Period", "Stat")}}
    answer = cloudwatch.get_metric_data(
        MetricDataQueries=[query],
        StartTime=datetime.fromtimestamp(starts[0], tz=UTC),
        EndTime=datetime.fromtimestamp(end, tz=UTC),
    )["MetricDataResults"][0]
    values = {
        int(at.timestamp()): value for at, value in zip(answer["Timestamps"], answer["Values"], strict=True)
    }
    return [values.get(start) for start in starts]
