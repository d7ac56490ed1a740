"""The embedded CloudWatch evaluates alarms and expressions as CloudWatch documents it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from local.alarms import composite_alarm_state, metric_alarm_state
from local.metric_math import evaluate
from tests.dashboard.logs_insights import Query

NOW = datetime(2030, 1, 1, 12, 0, 30, tzinfo=UTC)


class Metrics:
    """Replaces GetMetricData: values of complete minutes before NOW, oldest first."""

    def __init__(self, *values: float | None) -> None:
        self._values = values

    def get_metric_data(self, *, MetricDataQueries: Any, StartTime: datetime, EndTime: datetime) -> Any:  # noqa: N803
        assert int((EndTime - StartTime).total_seconds()) == 60 * len(self._values)
        start = int(StartTime.timestamp())
        found = {start + 60 * number: value for number, value in enumerate(self._values) if value is not None}
        timestamps = [datetime.fromtimestamp(moment, tz=UTC) for moment in found]
        return {"MetricDataResults": [{"Timestamps": timestamps, "Values": list(found.values())}]}


# Three of three periods count; a value of 1 exceeds the threshold.
@pytest.mark.parametrize(
    ("values", "missing", "breaching", "not_breaching", "ignore"),
    [
        ((0, 0, None), "OK", "OK", "OK", "OK"),
        ((1, 1, 1), "ALARM", "ALARM", "ALARM", "ALARM"),
        ((None, None, None), "INSUFFICIENT_DATA", "ALARM", "OK", "before"),
        ((1, 1, None), "before", "ALARM", "OK", "before"),
    ],
)
def test_missing_data_is_treated_as_the_alarm_says(
    values: tuple[float | None, ...], missing: str, breaching: str, not_breaching: str, ignore: str
) -> None:
    expected = {"missing": missing, "breaching": breaching, "notBreaching": not_breaching, "ignore": ignore}
    for treatment, state in expected.items():
        alarm = {
            "Namespace": "n",
            "MetricName": "m",
            "Dimensions": [],
            "Period": 60,
            "Statistic": "Sum",
            "EvaluationPeriods": 3,
            "ComparisonOperator": "GreaterThanThreshold",
            "Threshold": 0,
            "StateValue": "before",
            "TreatMissingData": treatment,
        }
        assert metric_alarm_state(Metrics(*values), alarm, NOW) == state


@pytest.mark.parametrize(("values", "state"), [((1, 0, 1), "ALARM"), ((0, 0, 1), "OK")])
def test_two_of_three_are_enough_where_the_alarm_says_so(values: tuple[float, ...], state: str) -> None:
    alarm = {
        "Namespace": "n",
        "MetricName": "m",
        "Dimensions": [],
        "Period": 60,
        "Statistic": "Sum",
        "EvaluationPeriods": 3,
        "DatapointsToAlarm": 2,
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": 0,
        "StateValue": "before",
    }
    assert metric_alarm_state(Metrics(*values), alarm, NOW) == state


def test_composite_alarm_is_in_alarm_with_any_of_its_parts() -> None:
    rule = 'ALARM("a") OR ALARM("b")'
    assert composite_alarm_state(rule, {"a": "OK", "b": "ALARM"}) == "ALARM"
    assert composite_alarm_state(rule, {"a": "OK", "b": "INSUFFICIENT_DATA"}) == "OK"
    with pytest.raises(ValueError, match="cannot evaluate"):
        composite_alarm_state('NOT ALARM("a")', {"a": "OK"})


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("FILL(a, 0) + FILL(b, 0)", 3.0),
        ("a + b", None),
        ("IF(a > 0, c / a, 0)", 2.0),
        ("IF(zero > 0, c / zero, 0)", 0.0),
        ("c / 1000 * 0.5", 0.003),
    ],
)
def test_metric_math(expression: str, value: float | None) -> None:
    assert evaluate(expression, {"a": 3.0, "b": None, "c": 6.0, "zero": 0.0}) == value


@pytest.mark.parametrize("expression", ["__import__('os')", "a.b", "SUM(a)", "unknown"])
def test_metric_math_refuses_unknown_functions(expression: str) -> None:
    with pytest.raises(ValueError, match="cannot evaluate"):
        evaluate(expression, {"a": 1.0})


def test_insights_query_selects_filters_sorts_and_limits() -> None:
    query = Query.parse(
        "SOURCE 'group' | fields @timestamp, key | filter status = 'FAILED' | sort @timestamp desc | limit 1"
    )
    events = [
        {"timestamp": 1000, "message": '{"status": "FAILED", "key": "old"}'},
        {"timestamp": 2000, "message": '{"status": "FAILED", "key": "new"}'},
        {"timestamp": 3000, "message": '{"status": "COMPLETED", "key": "other"}'},
        {"timestamp": 4000, "message": "no JSON"},
    ]
    assert query.log_group == "group"
    assert query.select(events) == [{"@timestamp": "1970-01-01 00:00:02.000", "key": "new"}]
    with pytest.raises(ValueError, match="cannot evaluate"):
        Query.parse("SOURCE 'group' | stats count()")
