"""The log line and the metrics of a job, without any value of the data."""

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
"""The dataset of every upload that no contract describes. The key is not used: uploaders choose the keys, and
CloudWatch charges for each metric."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FinishedJob:
    """A job that has ended."""

    event: ObjectEvent
    job_id: str
    version_id: str
    outcome: Outcome
    facts: Mapping[str, Any]
    """The attributes of its record."""
    now: float
    """Seconds since the epoch."""


def report(settings: Settings, job: FinishedJob) -> None:
    """Write a job's log line, and its metrics unless an earlier delivery has counted it."""
    outcome, key = job.outcome, job.event.key
    shown = {"version_id": job.version_id, **job.facts}
    shown.pop("uploaded_at", None)
    logger.info(
        "the object was not read: the earlier result stays" if outcome.stands else "job finished",
        job_id=job.job_id,
        status=outcome.status.value,
        cause=job.event.kind.value,
        key=key,
        **shown,
    )
    if outcome.stands or not outcome.listed:
        return
    amounts = dict(job.facts)
    created = job.event.kind is Kind.CREATED and job.event.replay_id is None
    if created and outcome.status is Status.COMPLETED:
        amounts["latency_ms"] = max(0.0, job.now - amounts["uploaded_at"]) * 1000
    count(settings, outcome.status, key, amounts)


def count(settings: Settings, status: Status, key: str, amounts: Mapping[str, Any] | None = None) -> None:
    """Count a job that has ended with a status, and its amounts of bytes, rows and time."""
    dataset = settings.datasets.of(key)
    emit(status, settings.environment_suffix, dataset.contract.name if dataset else _OTHER, amounts or {})


def emit(status: Status, environment_suffix: str, dataset: str, amounts: Mapping[str, Any]) -> None:
    """Write a finished job's metrics, in CloudWatch's embedded metric format, to standard output."""
    outcome = _OUTCOMES[status]
    # With an empty service, Powertools adds no dimension of its own.
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
