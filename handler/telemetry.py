"""What the outside sees of a job: a log line and metrics, neither with anything of the data in it."""

from collections.abc import Collection, Mapping
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider

from environment import Settings
from job_records import Status
from s3_events import ObjectCreated

logger = Logger()

_OUTCOMES = {
    Status.COMPLETED: "JobsCompleted",
    Status.FAILED: "JobsFailed",
    Status.SKIPPED: "JobsSkipped",
    Status.SUPERSEDED: "JobsSuperseded",
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


def dataset(key: str, known: Collection[str]) -> str:
    """Return the dataset that a key belongs to: its first folder, below `input/` if it is there.

    Args:
        key: an object's key.
        known: the datasets that the stack knows. CloudWatch charges by the metric, and whoever uploads
            chooses the keys, so all other folders count as `other`.
    """
    folder, slash, _ = key.removeprefix("input/").partition("/")
    return folder if slash and folder in known else _OTHER


def report(
    settings: Settings,
    created: ObjectCreated,
    job_id: str,
    status: Status,
    facts: Mapping[str, Any],
    now: float,
) -> None:
    """Write a finished job's log line and its metrics."""
    shown = {name: value for name, value in facts.items() if name != "uploaded_at"}
    logger.info(
        "job finished",
        job_id=job_id,
        status=status.value,
        key=created.key,
        version_id=created.version_id,
        **shown,
    )
    amounts = dict(facts)
    if created.replay_id is None and status is Status.COMPLETED:
        amounts["latency_ms"] = max(0.0, now - facts["uploaded_at"]) * 1000
    emit(status, settings.environment_suffix, dataset(created.key, settings.datasets), amounts)


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
