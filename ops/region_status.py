"""The state of a region: its alarms, throughput, failures, and the age of waiting messages."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from ops.deployed_stacks import Stack
from ops.operator_errors import OpsError

NAMESPACE = "RegionalAnalytics"
RECENT = timedelta(minutes=15)
"""Time range in which the newest value of the oldest message's age is searched."""
PERIODS = {timedelta(days=63): 300, timedelta(days=455): 3600}
"""The period of counts in seconds, by the greatest age of their beginning. CloudWatch keeps no shorter ones:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricStat.html"""
_QUEUE_COUNTS = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")


@dataclass(frozen=True, kw_only=True)
class Status:
    """A region's current state, and its counts over a time range."""

    stack: str
    region: str
    alarms: tuple[str, ...]
    """Kinds of the alarms in ALARM (`dead-letters`, ...), which are section titles of the runbook."""
    undecided: tuple[str, ...]
    """Kinds of the alarms in INSUFFICIENT_DATA, such as the alarms of a new stack."""
    completed: int
    failed: int
    skipped: int
    rows_out: int
    rows_rejected: int
    waiting: int
    in_flight: int
    oldest_seconds: int | None
    """Age of the oldest message; None if CloudWatch has no value."""
    dead_letters: int
    undelivered: int
    code_changed: bool | None
    """Whether the function's code differs from the deployed code; None if the stack has no hash of it."""

    @property
    def healthy(self) -> bool:
        """Whether every alarm of the region is OK and its code is the deployed code."""
        return not self.alarms and not self.undecided and not self.code_changed


def read_status(stack: Stack, *, since: datetime) -> Status:
    """Read the state of a region from CloudWatch and SQS, with counts from `since` to now.

    Raises:
        OpsError: CloudWatch keeps no metrics for so long.
    """
    sums = _sums(stack, since)
    waiting, in_flight = _counts(stack, stack.queue_url)
    dead_letters, _ = _counts(stack, stack.dead_letter_queue_url)
    undelivered, _ = _counts(stack, stack.delivery_dead_letter_queue_url)
    alarms = _alarms(stack)
    return Status(
        stack=stack.name,
        region=stack.region,
        alarms=alarms["ALARM"],
        undecided=alarms["INSUFFICIENT_DATA"],
        completed=sums["JobsCompleted"],
        failed=sums["JobsFailed"],
        skipped=sums["JobsSkipped"],
        rows_out=sums["RowsOut"],
        rows_rejected=sums["RowsRejected"],
        waiting=waiting,
        in_flight=in_flight,
        oldest_seconds=_oldest(stack) if waiting or in_flight else None,
        dead_letters=dead_letters,
        undelivered=undelivered,
        code_changed=_code_changed(stack),
    )


def _code_changed(stack: Stack) -> bool | None:
    if stack.code_sha256 is None:
        return None
    return stack.function_configuration()["CodeSha256"] != stack.code_sha256


def _alarms(stack: Stack) -> dict[str, tuple[str, ...]]:
    """Return the kinds of the stack's alarms, by state."""
    begin, end = "analytics-", stack.physical("").removeprefix("analytics-")
    pages = (
        stack.client("cloudwatch")
        .get_paginator("describe_alarms")
        .paginate(AlarmNamePrefix=begin, AlarmTypes=["MetricAlarm"])
    )
    alarms = [alarm for page in pages for alarm in page["MetricAlarms"] if alarm["AlarmName"].endswith(end)]
    return {
        state: tuple(
            sorted(
                alarm["AlarmName"].removeprefix(begin).removesuffix(end)
                for alarm in alarms
                if alarm["StateValue"] == state
            )
        )
        for state in ("ALARM", "INSUFFICIENT_DATA")
    }


def _sums(stack: Stack, since: datetime) -> dict[str, int]:
    names = ("JobsCompleted", "JobsFailed", "JobsSkipped", "RowsOut", "RowsRejected")
    dimensions = {"EnvironmentSuffix": stack.environment_suffix}
    period = next((period for age, period in PERIODS.items() if datetime.now(UTC) - since < age), None)
    if period is None:
        raise OpsError(f"CloudWatch keeps metrics for {max(PERIODS).days} days, got since {since:%Y-%m-%d}")
    queries = [_query(name, NAMESPACE, dimensions, stat="Sum", period=period) for name in names]
    values = _metric_values(stack, queries, since)
    return {name: round(sum(values.get(name.lower(), []))) for name in names}


def _oldest(stack: Stack) -> int | None:
    query = _query(
        "ApproximateAgeOfOldestMessage",
        "AWS/SQS",
        {"QueueName": stack.queue_url.rpartition("/")[2]},
        stat="Maximum",
        period=60,
    )
    newest_first = _metric_values(stack, [query], datetime.now(UTC) - RECENT).get(query["Id"], [])
    return round(newest_first[0]) if newest_first else None


def _query(
    name: str, namespace: str, dimensions: Mapping[str, str], *, stat: str, period: int
) -> dict[str, Any]:
    metric = {
        "Namespace": namespace,
        "MetricName": name,
        "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
    }
    return {"Id": name.lower(), "MetricStat": {"Metric": metric, "Period": period, "Stat": stat}}


def _metric_values(stack: Stack, queries: list[dict[str, Any]], since: datetime) -> dict[str, list[float]]:
    pages = (
        stack.client("cloudwatch")
        .get_paginator("get_metric_data")
        .paginate(
            MetricDataQueries=queries,
            StartTime=since,
            EndTime=datetime.now(UTC) + timedelta(minutes=1),
            ScanBy="TimestampDescending",
        )
    )
    values: dict[str, list[float]] = {}
    for page in pages:
        for result in page["MetricDataResults"]:
            values.setdefault(result["Id"], []).extend(result["Values"])
    return values


def _counts(stack: Stack, queue_url: str) -> tuple[int, int]:
    answer = stack.client("sqs").get_queue_attributes(QueueUrl=queue_url, AttributeNames=list(_QUEUE_COUNTS))
    waiting, in_flight = (int(answer["Attributes"][name]) for name in _QUEUE_COUNTS)
    return waiting, in_flight
