"""The dashboard of one region: health, flow, latency, cost drivers and failures, from top to bottom."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from components.metrics import Metric, MonitoredResources, resolve, used_by
from components.processing import METRICS_NAMESPACE
from components.settings import Settings

PERIOD = 300
PERCENTILES = ("p50", "p95", "p99")
WIDTH = 24
"""Columns of a CloudWatch dashboard."""

Widget = dict[str, Any]


@dataclass(frozen=True)
class Graph:
    """One graph.

    Attributes:
        title: The graph's title.
        lines: By label, a metric ("latency"), a metric with a statistic ("latency p99") or an expression.
        threshold: Label and value of a horizontal line.
    """

    title: str
    lines: Mapping[str, str]
    threshold: tuple[str, float] | None = None


def graphs(settings: Settings) -> list[list[Graph]]:
    """Return the rows of graphs."""
    outcomes = ("completed", "skipped", "superseded", "withdrawn", "failed")
    ended = {outcome.capitalize(): f"{outcome}_jobs" for outcome in outcomes}
    by_dataset = (
        f'SEARCH(\'{{{METRICS_NAMESPACE},Dataset,EnvironmentSuffix}} MetricName="JobsFailed"'
        f" EnvironmentSuffix=\"{settings.environment_suffix}\"', 'Sum', {PERIOD})"
    )
    return [
        [
            Graph(
                "Objects: uploaded, queued, and by outcome",
                {"Uploaded": "uploaded", "Queued": "queued"} | ended,
            ),
            Graph(
                "Rows: in, out, rejected", {"In": "rows_in", "Out": "rows_out", "Rejected": "rows_rejected"}
            ),
            Graph(
                "Queue: waiting, in flight",
                {"Waiting": "waiting", "In flight": "in_flight"},
                ("Too deep", settings.queue_depth_threshold),
            ),
        ],
        [
            Graph("From upload to Parquet, ms", {each: f"latency {each}" for each in PERCENTILES}),
            Graph(
                "Invocation, ms",
                {each: f"duration {each}" for each in PERCENTILES} | {"Longest": "longest"},
                ("Timeout", settings.timeout * 1000),
            ),
            Graph(
                "Oldest message, s", {"Age": "oldest"}, ("Visibility timeout", settings.visibility_timeout)
            ),
        ],
        [
            Graph("Bytes in and out", {"In": "bytes_in", "Out": "bytes_out"}),
            Graph("Compute, GB-seconds", {"GB-seconds": f"duration / 1000 * {settings.memory_size / 1024}"}),
            Graph(
                "Requests to queue and table",
                {
                    "Receives with messages": "receives",
                    "Empty receives": "empty_receives",
                    "Table write units": "table_writes",
                    "Index write units": "index_writes",
                    "Table read units": "table_reads",
                },
            ),
            Graph("Log bytes", {"Ingested": "log_bytes"}),
        ],
        [
            Graph(
                "Function: invocations, errors, throttles",
                {"Invocations": "invocations", "Errors": "errors", "Throttles": "throttles"},
            ),
            Graph(
                "Dead letters and failed deliveries",
                {
                    "Dead letters": "dead_letters",
                    "Undelivered events": "undelivered",
                    "Failed deliveries": "failed_deliveries",
                },
            ),
            Graph("Failed jobs by dataset", {"${PROP('Dim.Dataset')}": by_dataset}),
        ],
    ]


def dashboard_body(
    monitored: MonitoredResources, *, alarm_arns: pulumi.Input[Sequence[str]]
) -> pulumi.Output[str]:
    """Return the dashboard's body as JSON."""
    region, metrics = monitored.settings.region, resolve(monitored)
    failures = pulumi.Output.concat(
        "SOURCE '",
        monitored.processing.log_group_name,
        "' | fields @timestamp, key, error, job_id | filter status = 'FAILED'"
        " | sort @timestamp desc | limit 20",
    )
    rows = [
        [_widget("alarm", 3, title=f"Health of {region}", alarms=alarm_arns)],
        *([_graph_widget(graph, region, metrics) for graph in row] for row in graphs(monitored.settings)),
        [_widget("log", 7, title="Last failed jobs", region=region, query=failures, view="table")],
    ]
    return pulumi.Output.json_dumps({"start": "-PT12H", "widgets": _arrange(rows)})


def _arrange(rows: Sequence[Sequence[Widget]]) -> list[Widget]:
    """Place the widgets: those of a row share its width, and the highest sets the row's height."""
    widgets: list[Widget] = []
    y = 0
    for row in rows:
        width = WIDTH // len(row)
        widgets += [{"x": x * width, "y": y, "width": width, **widget} for x, widget in enumerate(row)]
        y += max(widget["height"] for widget in row)
    return widgets


def _graph_widget(graph: Graph, region: str, metrics: Mapping[str, Metric]) -> Widget:
    lines: list[list[Any]] = []
    for label, value in graph.lines.items():
        name, _, statistic = value.partition(" ")
        if name in metrics and (not statistic or statistic in PERCENTILES):
            lines.append(_line(metrics[name], {"stat": statistic or metrics[name].statistic, "label": label}))
            continue
        lines += [
            _line(metrics[key], {"stat": metrics[key].statistic, "id": key, "visible": False})
            for key in used_by(value)
        ]
        lines.append([{"expression": value, "label": label}])
    threshold = graph.threshold and {"label": graph.threshold[0], "value": graph.threshold[1]}
    return _widget(
        "metric",
        6,
        title=graph.title,
        region=region,
        view="timeSeries",
        stat="Sum",
        period=PERIOD,
        metrics=lines,
        yAxis={"left": {"min": 0}},
        **({"annotations": {"horizontal": [threshold]}} if threshold else {}),
    )


def _line(metric: Metric, options: dict[str, Any]) -> list[Any]:
    pairs = [part for dimension in metric.dimensions.items() for part in dimension]
    return [metric.namespace, metric.name, *pairs, options]


def _widget(kind: str, height: int, **properties: Any) -> Widget:  # noqa: ANN401 - JSON
    return {"type": kind, "height": height, "properties": properties}
