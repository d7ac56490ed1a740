"""The dashboard of one region, from top to bottom: health, flow, latency, cost drivers, failures."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from components.watched import METRICS_NAMESPACE, Watched

PERIOD = 300
PERCENTILES = ("p50", "p95", "p99")
WIDTH = 24
"""Columns of a CloudWatch dashboard."""

Widget = dict[str, Any]
Line = list[Any]


def dashboard_body(watched: Watched, *, alarm_arns: pulumi.Input[Sequence[str]]) -> pulumi.Output[str]:
    """Return the dashboard's JSON, every metric with its dimensions and every widget with its region."""
    rows = [
        [_alarms(watched, alarm_arns)],
        _flow(watched),
        _latency(watched),
        _cost_drivers(watched),
        _failures(watched),
        [_last_failures(watched)],
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


def _alarms(watched: Watched, alarm_arns: pulumi.Input[Sequence[str]]) -> Widget:
    title = f"Health of {watched.region}"
    return {"type": "alarm", "height": 3, "properties": {"title": title, "alarms": alarm_arns}}


def _flow(watched: Watched) -> list[Widget]:
    rule, queue = _rule(watched), _queue(watched)
    return [
        _graph(
            watched,
            "Objects: uploaded, queued, processed, rejected",
            [
                _line("AWS/Events", "Invocations", rule, "Uploaded"),
                _line("AWS/SQS", "NumberOfMessagesSent", queue, "Queued"),
                _job_line(watched, "JobsCompleted", "Completed"),
                _job_line(watched, "JobsSkipped", "Skipped"),
                _job_line(watched, "JobsSuperseded", "Superseded"),
                _job_line(watched, "JobsFailed", "Failed"),
            ],
        ),
        _graph(
            watched,
            "Rows: in, out, rejected",
            [
                _job_line(watched, "RowsIn", "In"),
                _job_line(watched, "RowsOut", "Out"),
                _job_line(watched, "RowsRejected", "Rejected"),
            ],
        ),
        _graph(
            watched,
            "Queue: waiting, in flight",
            [
                _line("AWS/SQS", "ApproximateNumberOfMessagesVisible", queue, "Waiting", stat="Maximum"),
                _line("AWS/SQS", "ApproximateNumberOfMessagesNotVisible", queue, "In flight", stat="Maximum"),
            ],
            threshold=("Too deep", watched.queue_depth_threshold),
        ),
    ]


def _latency(watched: Watched) -> list[Widget]:
    queue, function = _queue(watched), _function(watched)
    return [
        _graph(
            watched,
            "From upload to Parquet, ms",
            [_job_line(watched, "UploadToReadyLatency", stat, stat=stat) for stat in PERCENTILES],
        ),
        _graph(
            watched,
            "Invocation, ms",
            [
                *(_line("AWS/Lambda", "Duration", function, stat, stat=stat) for stat in PERCENTILES),
                _line("AWS/Lambda", "Duration", function, "Longest", stat="Maximum"),
            ],
            threshold=("Timeout", watched.function_timeout * 1000),
        ),
        _graph(
            watched,
            "Oldest message, s",
            [_line("AWS/SQS", "ApproximateAgeOfOldestMessage", queue, "Age", stat="Maximum")],
            threshold=("Visibility timeout", watched.visibility_timeout),
        ),
    ]


def _cost_drivers(watched: Watched) -> list[Widget]:
    queue, function, table = _queue(watched), _function(watched), {"TableName": watched.table_name}
    index = {**table, "GlobalSecondaryIndexName": watched.index_name}
    return [
        _graph(
            watched,
            "Bytes in and out",
            [_job_line(watched, "BytesIn", "In"), _job_line(watched, "BytesOut", "Out")],
        ),
        _graph(
            watched,
            "Compute, GB-seconds",
            [
                _hidden(_line("AWS/Lambda", "Duration", function, "Billed"), key="duration"),
                [{"expression": f"duration / 1000 * {watched.memory_size / 1024}", "label": "GB-seconds"}],
            ],
        ),
        _graph(
            watched,
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
            watched,
            "Log bytes",
            [_line("AWS/Logs", "IncomingBytes", {"LogGroupName": watched.log_group_name}, "Ingested")],
        ),
    ]


def _failures(watched: Watched) -> list[Widget]:
    function, rule = _function(watched), _rule(watched)
    failed_by_dataset = (
        f'SEARCH(\'{{{METRICS_NAMESPACE},Dataset,EnvironmentSuffix}} MetricName="JobsFailed"'
        f" EnvironmentSuffix=\"{watched.environment_suffix}\"', 'Sum', {PERIOD})"
    )
    return [
        _graph(
            watched,
            "Function: errors and throttles",
            [
                _line("AWS/Lambda", "Errors", function, "Errors"),
                _line("AWS/Lambda", "Throttles", function, "Throttles"),
            ],
        ),
        _graph(
            watched,
            "Dead letters and failed deliveries",
            [
                _line(
                    "AWS/SQS",
                    "ApproximateNumberOfMessagesVisible",
                    {"QueueName": watched.dead_letter_queue_name},
                    "Dead letters",
                    stat="Maximum",
                ),
                _line(
                    "AWS/SQS",
                    "ApproximateNumberOfMessagesVisible",
                    {"QueueName": watched.delivery_dead_letter_queue_name},
                    "Undelivered events",
                    stat="Maximum",
                ),
                _line("AWS/Events", "FailedInvocations", rule, "Failed deliveries"),
            ],
        ),
        _graph(
            watched,
            "Failed jobs by dataset",
            [[{"expression": failed_by_dataset, "label": "${PROP('Dim.Dataset')}"}]],
        ),
    ]


def _last_failures(watched: Watched) -> Widget:
    query = pulumi.Output.concat(
        "SOURCE '",
        watched.log_group_name,
        "' | fields @timestamp, key, error, job_id | filter status = 'FAILED'"
        " | sort @timestamp desc | limit 20",
    )
    return {
        "type": "log",
        "height": 7,
        "properties": {
            "title": "Last failed jobs",
            "region": watched.region,
            "query": query,
            "view": "table",
        },
    }


def _graph(
    watched: Watched, title: str, lines: Sequence[Line], *, threshold: tuple[str, float] | None = None
) -> Widget:
    properties: dict[str, Any] = {
        "title": title,
        "region": watched.region,
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


def _job_line(watched: Watched, metric_name: str, label: str, *, stat: str = "Sum") -> Line:
    dimensions = {"EnvironmentSuffix": watched.environment_suffix}
    return _line(METRICS_NAMESPACE, metric_name, dimensions, label, stat=stat)


def _hidden(line: Line, *, key: str) -> Line:
    """Return the same metric, for an expression to use and not to draw."""
    *metric, options = line
    return [*metric, {**options, "id": key, "visible": False}]


def _queue(watched: Watched) -> dict[str, Any]:
    return {"QueueName": watched.queue_name}


def _function(watched: Watched) -> dict[str, Any]:
    return {"FunctionName": watched.function_name}


def _rule(watched: Watched) -> dict[str, Any]:
    return {"RuleName": watched.rule_name}
