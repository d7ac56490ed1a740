"""The dashboard of one region, from top to bottom: health, flow, latency, cost drivers, failures."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from components.monitored_resources import MonitoredResources
from components.processing import METRICS_NAMESPACE

PERIOD = 300
PERCENTILES = ("p50", "p95", "p99")
WIDTH = 24
"""Columns of a CloudWatch dashboard."""

Widget = dict[str, Any]
Line = list[Any]


def dashboard_body(
    monitored: MonitoredResources, *, alarm_arns: pulumi.Input[Sequence[str]]
) -> pulumi.Output[str]:
    """Return the dashboard's JSON, every metric with its dimensions and every widget with its region."""
    rows = [
        [_alarms(monitored, alarm_arns)],
        _flow(monitored),
        _latency(monitored),
        _cost_drivers(monitored),
        _failures(monitored),
        [_last_failures(monitored)],
    ]
    return pulumi.Output.json_dumps({"start": "-PT12H", "widgets": _laid_out(rows)})


def _laid_out(rows: Sequence[Sequence[Widget]]) -> list[Widget]:
    """Widgets of a row share its width; a row is as high as its widgets are."""
    widgets: list[Widget] = []
    y = 0
    for row in rows:
        width = WIDTH // len(row)
        widgets += [{"x": x * width, "y": y, "width": width, **widget} for x, widget in enumerate(row)]
        y += max(widget["height"] for widget in row)
    return widgets


def _alarms(monitored: MonitoredResources, alarm_arns: pulumi.Input[Sequence[str]]) -> Widget:
    title = f"Health of {monitored.settings.region}"
    return {"type": "alarm", "height": 3, "properties": {"title": title, "alarms": alarm_arns}}


def _flow(monitored: MonitoredResources) -> list[Widget]:
    rule, queue = monitored.rule, monitored.queue
    return [
        _graph(
            monitored,
            "Objects: uploaded, queued, and by outcome",
            [
                _line("AWS/Events", "Invocations", rule, "Uploaded"),
                _line("AWS/SQS", "NumberOfMessagesSent", queue, "Queued"),
                _job_line(monitored, "JobsCompleted", "Completed"),
                _job_line(monitored, "JobsSkipped", "Skipped"),
                _job_line(monitored, "JobsSuperseded", "Superseded"),
                _job_line(monitored, "JobsFailed", "Failed"),
            ],
        ),
        _graph(
            monitored,
            "Rows: in, out, rejected",
            [
                _job_line(monitored, "RowsIn", "In"),
                _job_line(monitored, "RowsOut", "Out"),
                _job_line(monitored, "RowsRejected", "Rejected"),
            ],
        ),
        _graph(
            monitored,
            "Queue: waiting, in flight",
            [
                _line("AWS/SQS", "ApproximateNumberOfMessagesVisible", queue, "Waiting", stat="Maximum"),
                _line("AWS/SQS", "ApproximateNumberOfMessagesNotVisible", queue, "In flight", stat="Maximum"),
            ],
            threshold=("Too deep", monitored.settings.queue_depth_threshold),
        ),
    ]


def _latency(monitored: MonitoredResources) -> list[Widget]:
    queue, function = monitored.queue, monitored.function
    return [
        _graph(
            monitored,
            "From upload to Parquet, ms",
            [_job_line(monitored, "UploadToReadyLatency", stat, stat=stat) for stat in PERCENTILES],
        ),
        _graph(
            monitored,
            "Invocation, ms",
            [
                *(_line("AWS/Lambda", "Duration", function, stat, stat=stat) for stat in PERCENTILES),
                _line("AWS/Lambda", "Duration", function, "Longest", stat="Maximum"),
            ],
            threshold=("Timeout", monitored.settings.timeout * 1000),
        ),
        _graph(
            monitored,
            "Oldest message, s",
            [_line("AWS/SQS", "ApproximateAgeOfOldestMessage", queue, "Age", stat="Maximum")],
            threshold=("Visibility timeout", monitored.settings.visibility_timeout),
        ),
    ]


def _cost_drivers(monitored: MonitoredResources) -> list[Widget]:
    queue, function, table = monitored.queue, monitored.function, monitored.table
    index = monitored.index
    return [
        _graph(
            monitored,
            "Bytes in and out",
            [_job_line(monitored, "BytesIn", "In"), _job_line(monitored, "BytesOut", "Out")],
        ),
        _graph(
            monitored,
            "Compute, GB-seconds",
            [
                _hidden(_line("AWS/Lambda", "Duration", function, "Billed"), key="duration"),
                [
                    {
                        "expression": f"duration / 1000 * {monitored.settings.memory_size / 1024}",
                        "label": "GB-seconds",
                    }
                ],
            ],
        ),
        _graph(
            monitored,
            "Requests to queue and table",
            [
                _line("AWS/SQS", "NumberOfMessagesReceived", queue, "Receives with messages"),
                _line("AWS/SQS", "NumberOfEmptyReceives", queue, "Empty receives"),
                _line("AWS/DynamoDB", "ConsumedWriteCapacityUnits", table, "Table write units"),
                _line("AWS/DynamoDB", "ConsumedWriteCapacityUnits", index, "Index write units"),
                _line("AWS/DynamoDB", "ConsumedReadCapacityUnits", table, "Table read units"),
            ],
        ),
        _graph(
            monitored,
            "Log bytes",
            [_line("AWS/Logs", "IncomingBytes", monitored.log_group, "Ingested")],
        ),
    ]


def _failures(monitored: MonitoredResources) -> list[Widget]:
    function, rule = monitored.function, monitored.rule
    failed_by_dataset = (
        f'SEARCH(\'{{{METRICS_NAMESPACE},Dataset,EnvironmentSuffix}} MetricName="JobsFailed"'
        f" EnvironmentSuffix=\"{monitored.settings.environment_suffix}\"', 'Sum', {PERIOD})"
    )
    return [
        _graph(
            monitored,
            "Function: errors and throttles",
            [
                _line("AWS/Lambda", "Errors", function, "Errors"),
                _line("AWS/Lambda", "Throttles", function, "Throttles"),
            ],
        ),
        _graph(
            monitored,
            "Dead letters and failed deliveries",
            [
                _line(
                    "AWS/SQS",
                    "ApproximateNumberOfMessagesVisible",
                    monitored.dead_letter_queue,
                    "Dead letters",
                    stat="Maximum",
                ),
                _line(
                    "AWS/SQS",
                    "ApproximateNumberOfMessagesVisible",
                    monitored.delivery_dead_letter_queue,
                    "Undelivered events",
                    stat="Maximum",
                ),
                _line("AWS/Events", "FailedInvocations", rule, "Failed deliveries"),
            ],
        ),
        _graph(
            monitored,
            "Failed jobs by dataset",
            [[{"expression": failed_by_dataset, "label": "${PROP('Dim.Dataset')}"}]],
        ),
    ]


def _last_failures(monitored: MonitoredResources) -> Widget:
    query = pulumi.Output.concat(
        "SOURCE '",
        monitored.processing.log_group_name,
        "' | fields @timestamp, key, error, job_id | filter status = 'FAILED'"
        " | sort @timestamp desc | limit 20",
    )
    return {
        "type": "log",
        "height": 7,
        "properties": {
            "title": "Last failed jobs",
            "region": monitored.settings.region,
            "query": query,
            "view": "table",
        },
    }


def _graph(
    monitored: MonitoredResources,
    title: str,
    lines: Sequence[Line],
    *,
    threshold: tuple[str, float] | None = None,
) -> Widget:
    properties: dict[str, Any] = {
        "title": title,
        "region": monitored.settings.region,
        "view": "timeSeries",
        "stat": "Sum",
        "period": PERIOD,
        "metrics": lines,
        "yAxis": {"left": {"min": 0}},
    }
    if threshold:
        label, value = threshold
        properties["annotations"] = {"horizontal": [{"label": label, "value": value}]}
    return {"type": "metric", "height": 6, "properties": properties}


def _line(
    namespace: str, metric_name: str, dimensions: Mapping[str, Any], label: str, *, stat: str = "Sum"
) -> Line:
    pairs = [part for dimension in dimensions.items() for part in dimension]
    return [namespace, metric_name, *pairs, {"stat": stat, "label": label}]


def _job_line(monitored: MonitoredResources, metric_name: str, label: str, *, stat: str = "Sum") -> Line:
    dimensions = monitored.jobs_of_this_stack
    return _line(METRICS_NAMESPACE, metric_name, dimensions, label, stat=stat)


def _hidden(line: Line, *, key: str) -> Line:
    """Return the same metric, for an expression to use and not to draw."""
    *metric, options = line
    return [*metric, {**options, "id": key, "visible": False}]
