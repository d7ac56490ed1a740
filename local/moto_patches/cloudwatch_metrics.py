"""Metrics from log lines, reading of metrics, and storage of alarms."""

from __future__ import annotations

import itertools
import json
import math
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from moto.cloudwatch.models import CloudWatchBackend, Dimension, Statistics, cloudwatch_backends
from moto.cloudwatch.responses import CloudWatchResponse
from moto.logs.models import LogsBackend

from local.moto_patches.moto_account import ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def install() -> None:
    """Apply the patches; call this once, before the server handles requests."""
    _turn_embedded_metrics_into_metrics()
    _match_dimensions_exactly()
    _select_metrics_first()
    _list_metrics_of_one_point_each()
    _order_dimensions()
    _answer_percentiles()
    _keep_composite_alarms()
    _start_alarms_with_insufficient_data()


def _turn_embedded_metrics_into_metrics() -> None:
    """CloudWatch Logs extracts metrics from lines in the embedded metric format; moto does not."""
    put_log_events = LogsBackend.put_log_events

    def put(
        self: LogsBackend, log_group_name: str, log_stream_name: str, log_events: list[dict[str, Any]]
    ) -> Any:  # noqa: ANN401
        response = put_log_events(self, log_group_name, log_stream_name, log_events)
        for event in log_events:
            for namespace, metrics in embedded_metrics(event["message"]):
                put_metrics(self.region_name, namespace, metrics)
        return response

    LogsBackend.put_log_events = put


def embedded_metrics(line: str) -> Iterable[tuple[str, list[dict[str, Any]]]]:
    """Yield namespace and metric data for each directive of a line in the embedded metric format."""
    try:
        document = json.loads(line)
        directives = document["_aws"]["CloudWatchMetrics"]
    except (ValueError, TypeError, KeyError):
        return
    timestamp = datetime.fromtimestamp(document["_aws"]["Timestamp"] / 1000, tz=UTC).replace(tzinfo=None)
    for directive in directives:
        metrics = []
        for dimensions, metric in itertools.product(directive["Dimensions"], directive["Metrics"]):
            value = document[metric["Name"]]
            metrics.append(
                {
                    "MetricName": metric["Name"],
                    "Dimensions": [{"Name": name, "Value": str(document[name])} for name in dimensions],
                    "Unit": metric.get("Unit", "None"),
                    "Timestamp": timestamp,
                    "Values": value if isinstance(value, list) else [value],
                }
            )
        yield directive["Namespace"], metrics


@contextmanager
def _only(backend: CloudWatchBackend, points: Iterable[Any]) -> Iterator[None]:
    """Let a method of the backend see only these points."""
    everything = backend.metric_data
    backend.metric_data = list(points)
    try:
        yield
    finally:
        backend.metric_data = everything


def _match_dimensions_exactly() -> None:
    """Moto includes metrics with further dimensions; for CloudWatch they are different metrics."""
    get_metric_statistics = CloudWatchBackend.get_metric_statistics

    def get(self: CloudWatchBackend, *args: Any, dimensions: list[dict[str, str]], **kwargs: Any) -> Any:  # noqa: ANN401
        wanted = {(dimension["Name"], dimension["Value"]) for dimension in dimensions}
        points = (point for point in self.metric_data if set(_dimensions(point)) == wanted)
        with _only(self, points):
            return get_metric_statistics(self, *args, dimensions=dimensions, **kwargs)

    CloudWatchBackend.get_metric_statistics = get  # type: ignore[method-assign]


def _select_metrics_first() -> None:
    """Moto's GetMetricData reads the points of all metrics again for each period."""
    get_metric_data = CloudWatchBackend.get_metric_data

    def get(self: CloudWatchBackend, queries: list[dict[str, Any]], *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        metrics = [query["MetricStat"]["Metric"] for query in queries if "MetricStat" in query]
        names = {(metric["Namespace"], metric["MetricName"]) for metric in metrics}
        points = (point for point in self.metric_data if (point.namespace, point.name) in names)
        with _only(self, points):
            return get_metric_data(self, queries, *args, **kwargs)

    CloudWatchBackend.get_metric_data = get


def _list_metrics_of_one_point_each() -> None:
    """Moto's ListMetrics compares each point with all metrics that it has found so far."""
    list_metrics = CloudWatchBackend.list_metrics

    def list_(self: CloudWatchBackend, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        metrics = {(point.namespace, point.name, *_dimensions(point)): point for point in self.metric_data}
        with _only(self, metrics.values()):
            return list_metrics(self, *args, **kwargs)

    CloudWatchBackend.list_metrics = list_


def _dimensions(point: Any) -> list[tuple[str, str]]:  # noqa: ANN401 - moto's type
    return sorted((dimension.name, dimension.value) for dimension in point.dimensions)


def _order_dimensions() -> None:
    """Moto's GetMetricData compares sorted dimensions, but its order depends on their positions."""
    Dimension.__lt__ = lambda self, other: (self.name, self.value) < (other.name, other.value)


def _answer_percentiles() -> None:
    """CloudWatch has statistics like p99; moto has no percentiles."""
    known = Statistics.get_statistics_for_type

    def statistic(self: Statistics, stat: str) -> Any:  # noqa: ANN401 - moto's type
        if not stat.startswith("p"):
            return known(self, stat)
        values = sorted(self.metric_single_values_list)
        return values[max(0, math.ceil(len(values) * float(stat[1:]) / 100) - 1)]

    Statistics.get_statistics_for_type = statistic


def _keep_composite_alarms() -> None:
    """Moto's PutMetricAlarm also stores composite alarms, but moto has no PutCompositeAlarm."""
    CloudWatchResponse.put_composite_alarm = CloudWatchResponse.put_metric_alarm  # type: ignore[attr-defined]


def put_metrics(region: str, namespace: str, metrics: list[dict[str, Any]]) -> None:
    """Put metrics as a service of AWS does, without permissions."""
    cloudwatch_backends[ACCOUNT][region].put_metric_data(namespace, metrics)


def _start_alarms_with_insufficient_data() -> None:
    """A new alarm is INSUFFICIENT_DATA until it is evaluated, and a changed alarm keeps its state.

    In moto, both are OK (CloudWatch User Guide, "Alarm states"; CloudWatch API, PutMetricAlarm).
    """
    put_metric_alarm = CloudWatchBackend.put_metric_alarm

    def put(self: CloudWatchBackend, name: str, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - passed on
        known = self.alarms.get(name)
        alarm = put_metric_alarm(self, name, *args, **kwargs)
        alarm.state_value = known.state_value if known else "INSUFFICIENT_DATA"
        return alarm

    CloudWatchBackend.put_metric_alarm = put
