"""What the outside sees of a job: a log line and metrics, neither with anything of the data in it."""

import re
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider

from jobs import Status

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

_FOLDER = re.compile(r"[A-Za-z][A-Za-z_-]{0,31}")
_DATASETS_MAX = 20
"""Per process: each data set is a metric of its own, and CloudWatch charges by the metric."""
_OTHER = "other"
_datasets: set[str] = set()


def dataset(key: str) -> str:
    """The data set that a key belongs to: its first folder, below `input/` if it is there.

    Names with digits (dates, ids) and those beyond the first few are counted together as "other".
    """
    folder, slash, _ = key.removeprefix("input/").partition("/")
    if not slash or not _FOLDER.fullmatch(folder):
        return _OTHER
    if folder not in _datasets and len(_datasets) >= _DATASETS_MAX:
        return _OTHER
    _datasets.add(folder)
    return folder


def emit(status: Status, key: str, environment_suffix: str, amounts: Mapping[str, Any]) -> None:
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
    metrics.add_dimension("Dataset", dataset(key))
    metrics.add_metric(outcome, MetricUnit.Count, 1)
    metrics.flush_metrics()
