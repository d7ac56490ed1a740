"""The metrics of one region, defined once for the alarms and the dashboard."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from components.ingestion import Ingestion
from components.jobs import INDEX_NAME, JobTable
from components.processing import METRICS_NAMESPACE, Processing
from components.settings import Settings

METRICS: Mapping[str, tuple[str, str, str]] = {
    "uploaded": ("rule", "Invocations", "Sum"),
    "failed_deliveries": ("rule", "FailedInvocations", "Sum"),
    "dead_lettered": ("rule", "InvocationsSentToDlq", "Sum"),
    "lost": ("rule", "InvocationsFailedToBeSentToDlq", "Sum"),
    "queued": ("queue", "NumberOfMessagesSent", "Sum"),
    "waiting": ("queue", "ApproximateNumberOfMessagesVisible", "Maximum"),
    "waiting_on_average": ("queue", "ApproximateNumberOfMessagesVisible", "Average"),
    "in_flight": ("queue", "ApproximateNumberOfMessagesNotVisible", "Maximum"),
    "oldest": ("queue", "ApproximateAgeOfOldestMessage", "Maximum"),
    "receives": ("queue", "NumberOfMessagesReceived", "Sum"),
    "empty_receives": ("queue", "NumberOfEmptyReceives", "Sum"),
    # NumberOfMessagesSent does not count messages that SQS moved to a dead-letter queue.
    "dead_letters": ("dead-letter queue", "ApproximateNumberOfMessagesVisible", "Maximum"),
    "undelivered": ("delivery dead-letter queue", "ApproximateNumberOfMessagesVisible", "Maximum"),
    "invocations": ("function", "Invocations", "Sum"),
    "errors": ("function", "Errors", "Sum"),
    "throttles": ("function", "Throttles", "Sum"),
    "duration": ("function", "Duration", "Sum"),
    "longest": ("function", "Duration", "Maximum"),
    "log_bytes": ("log group", "IncomingBytes", "Sum"),
    "table_reads": ("table", "ConsumedReadCapacityUnits", "Sum"),
    "table_writes": ("table", "ConsumedWriteCapacityUnits", "Sum"),
    "index_writes": ("index", "ConsumedWriteCapacityUnits", "Sum"),
    "throttled_reads": ("table", "ReadThrottleEvents", "Sum"),
    "throttled_writes": ("table", "WriteThrottleEvents", "Sum"),
    # The table's events do not include the index's, and a throttled index throttles the table's writes.
    "throttled_index_writes": ("index", "WriteThrottleEvents", "Sum"),
    **{
        # The handler writes these in the embedded metric format: completed_jobs is JobsCompleted.
        f"{outcome}_jobs": ("handler", f"Jobs{outcome.capitalize()}", "Sum")
        for outcome in ("completed", "skipped", "superseded", "withdrawn", "failed")
    },
    "rows_in": ("handler", "RowsIn", "Sum"),
    "rows_out": ("handler", "RowsOut", "Sum"),
    "rows_rejected": ("handler", "RowsRejected", "Sum"),
    "bytes_in": ("handler", "BytesIn", "Sum"),
    "bytes_out": ("handler", "BytesOut", "Sum"),
    "latency": ("handler", "UploadToReadyLatency", "Sum"),
}
"""By name in expressions: the resource, CloudWatch's name of the metric, the statistic."""


@dataclass(frozen=True, kw_only=True)
class MonitoredResources:
    """The resources that alarms and dashboard show, and the settings with their limits."""

    settings: Settings
    ingestion: Ingestion
    processing: Processing
    jobs: JobTable


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A CloudWatch metric. CloudWatch separates metrics by region, so the region is not a dimension."""

    namespace: str
    name: str
    dimensions: Mapping[str, pulumi.Input[str]]
    statistic: str


def resolve(monitored: MonitoredResources) -> dict[str, Metric]:
    """Return each metric of `METRICS` with the dimensions of the monitored resources."""
    ingestion, processing = monitored.ingestion, monitored.processing
    table = {"TableName": monitored.jobs.name}
    sources: dict[str, tuple[str, dict[str, pulumi.Input[str]]]] = {
        "rule": ("AWS/Events", {"RuleName": ingestion.rule.name}),
        "queue": ("AWS/SQS", {"QueueName": ingestion.queue.name}),
        "dead-letter queue": ("AWS/SQS", {"QueueName": ingestion.dead_letter_queue.name}),
        "delivery dead-letter queue": ("AWS/SQS", {"QueueName": ingestion.delivery_dead_letter_queue.name}),
        "function": ("AWS/Lambda", {"FunctionName": processing.function_name}),
        "log group": ("AWS/Logs", {"LogGroupName": processing.log_group_name}),
        "table": ("AWS/DynamoDB", {**table}),
        "index": ("AWS/DynamoDB", {**table, "GlobalSecondaryIndexName": INDEX_NAME}),
        "handler": (METRICS_NAMESPACE, {"EnvironmentSuffix": monitored.settings.environment_suffix}),
    }
    return {
        key: Metric(
            namespace=sources[source][0], name=name, dimensions=sources[source][1], statistic=statistic
        )
        for key, (source, name, statistic) in METRICS.items()
    }


def used_by(expression: str) -> list[str]:
    """Return the names of the metrics in an expression; a SEARCH expression has none."""
    if expression.startswith("SEARCH("):
        return []
    return [word for word in dict.fromkeys(re.findall(r"\b[a-z_]+\b", expression)) if word in METRICS]
