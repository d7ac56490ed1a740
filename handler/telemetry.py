"""What is told of a job: a log line and metrics, neither with anything of the data in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider

from environment import Settings
from job_records import Status
from outcome import Outcome
from s3_events import Kind, ObjectEvent

logger = Logger()

_OUTCOMES = {
    Status.COMPLETED: "JobsCompleted",
    Status.FAILED: "JobsFailed",
    Status.SKIPPED: "JobsSkipped",
    Status.SUPERSEDED: "JobsSuperseded",
    Status.WITHDRAWN: "JobsWithdrawn",
}
_AMOUNTS = {
    "bytes_in": ("BytesIn", MetricUnit.Bytes),
    "bytes_out": ("BytesOut", MetricUnit.Bytes),
    "rows_in": ("RowsIn", MetricUnit.Count),
    "rows_out": ("RowsOut", MetricUnit.Count),
    "rows_rejected": ("RowsRejected", MetricUnit.Count),
    "duration_ms": ("Duration", MetricUnit.Milliseconds),
    "latency_ms": ("UploadToReadyLatency", MetricUnit.Milliseconds),
}

_OTHER = "other"
"""The dataset of every upload that no contract describes: whoever uploads chooses the keys, and CloudWatch
charges by the metric."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """What there is to tell of a job that has ended."""

    event: ObjectEvent
    job_id: str
    version_id: str
    outcome: Outcome
    facts: Mapping[str, Any]
    """What its record says."""
    now: float
    """Seconds since the epoch."""


def report(settings: Settings, told: Report) -> None:
    """Write a job's log line, and its metrics unless an earlier delivery has counted it."""
    outcome, key = told.outcome, told.event.key
    shown = {"version_id": told.version_id, **told.facts}
    shown.pop("uploaded_at", None)
    logger.info(
        "job finished" if not outcome.stands else "the object was not read: the earlier result stands",
        job_id=told.job_id,
        status=outcome.status.value,
        cause=told.event.kind.value,
        key=key,
        **shown,
    )
    if outcome.stands or not outcome.listed:
        return
    amounts = dict(told.facts)
    created = told.event.kind is Kind.CREATED and told.event.replay_id is None
    if created and outcome.status is Status.COMPLETED:
        amounts["latency_ms"] = max(0.0, told.now - amounts["uploaded_at"]) * 1000
    count(settings, outcome.status, key, amounts)


def count(settings: Settings, status: Status, key: str, amounts: Mapping[str, Any] | None = None) -> None:
    """Count a job that has ended so, and what it amounts to."""
    dataset = settings.datasets.of(key)
    emit(status, settings.environment_suffix, dataset.contract.name if dataset else _OTHER, amounts or {})


def emit(status: Status, environment_suffix: str, dataset: str, amounts: Mapping[str, Any]) -> None:
    """Write a finished job's metrics, in CloudWatch's embedded metric format, to standard output."""
    outcome = _OUTCOMES[status]
    # An empty service keeps Powertools from adding a dimension of its own to each metric.
    metrics = AmazonCloudWatchEMFProvider(service="")
    metrics.add_dimension("EnvironmentSuffix", environment_suffix)
    metrics.add_metric(outcome, MetricUnit.Count, 1)
    for name, (metric, unit) in _AMOUNTS.items():
        if name in amounts:
            metrics.add_metric(metric, unit, amounts[name])
    metrics.flush_metrics()
    metrics = AmazonCloudWatchEMFProvider(service="")
    metrics.add_dimension("EnvironmentSuffix", environment_suffix)
    metrics.add_dimension("Dataset", dataset)
    metrics.add_metric(outcome, MetricUnit.Count, 1)
    metrics.flush_metrics()
