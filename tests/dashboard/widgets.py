"""Reads the body of a dashboard and fetches the data of its widgets, as CloudWatch's console does."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from local.metric_math import evaluate
from tests.dashboard.logs_insights import Query

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import timedelta

    from local.server import Server

POINTS = 60
"""Maximum points of a line: as in the console, the period grows with the displayed time."""
PERIODS = (1, 5, 10, 30, 60, 300, 900, 3600, 21600, 86400)
"""Periods of CloudWatch in seconds."""
_SEARCH = re.compile(
    r"SEARCH\('\{(?P<namespace>\w+),(?P<dimensions>[\w,]+)\} MetricName=\"(?P<metric>\w+)\""
    r" (?P<key>\w+)=\"(?P<value>[^\"]*)\"', '(?P<stat>\w+)', \d+\)"
)

Points = dict[datetime, float]


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of a graph."""

    label: str
    points: Points


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """An alarm as its widget shows it."""

    name: str
    state: str
    description: str


@dataclass(frozen=True, kw_only=True)
class Widget:
    """A widget with its place on the grid and its lines, alarms or table."""

    title: str
    x: int
    y: int
    width: int
    height: int
    lines: Sequence[Line] = ()
    thresholds: Mapping[str, float] = field(default_factory=dict)
    alarms: Sequence[Alarm] = ()
    columns: Sequence[str] = ()
    rows: Sequence[Mapping[str, str]] = ()


@dataclass(frozen=True, kw_only=True)
class Dashboard:
    """A dashboard with its data from `start` to `end`."""

    name: str
    start: datetime
    end: datetime
    widgets: Sequence[Widget]


def read(server: Server, region: str, name: str, shown: timedelta) -> Dashboard:
    """Read a deployed dashboard and fetch the data of its widgets for the time until now."""
    reader = _Reader(server, region, shown)
    body = json.loads(reader.cloudwatch.get_dashboard(DashboardName=name)["DashboardBody"])
    widgets = [reader.widget(widget) for widget in body["widgets"]]
    return Dashboard(name=name, start=reader.start, end=reader.end, widgets=widgets)


class _Reader:
    def __init__(self, server: Server, region: str, shown: timedelta) -> None:
        self._region = region
        self.cloudwatch = server.client("cloudwatch", region)
        self._logs = server.client("logs", region)
        seconds = shown.total_seconds()
        self._period = next(period for period in PERIODS if seconds / period <= POINTS)
        now = datetime.now(UTC).timestamp()
        self.start = datetime.fromtimestamp((now - seconds) // self._period * self._period, tz=UTC)
        self.end = datetime.fromtimestamp((now // self._period + 1) * self._period, tz=UTC)

    def widget(self, widget: Mapping[str, Any]) -> Widget:
        properties = widget["properties"]
        return Widget(
            title=properties["title"],
            **{name: widget[name] for name in ("x", "y", "width", "height")},
            **self._content(widget["type"], properties),
        )

    def _content(self, kind: str, properties: Mapping[str, Any]) -> dict[str, Any]:
        match kind:
            case "alarm":
                return {"alarms": self._alarms(properties["alarms"])}
            case "log":
                query = Query.parse(properties["query"])
                return {"columns": query.fields, "rows": self._rows(query)}
            case "metric":
                if properties["region"] != self._region:
                    raise ValueError(f"widget {properties['title']!r} is of region {properties['region']}")
                horizontal = properties.get("annotations", {}).get("horizontal", [])
                thresholds = {annotation["label"]: annotation["value"] for annotation in horizontal}
                return {"lines": self._lines(properties), "thresholds": thresholds}
            case other:
                raise ValueError(f"dashboard: cannot draw a widget of type {other!r}")

    def _alarms(self, arns: Sequence[str]) -> list[Alarm]:
        names = [arn.rpartition(":")[2] for arn in arns]
        found = self.cloudwatch.describe_alarms(
            AlarmNames=names, AlarmTypes=["MetricAlarm", "CompositeAlarm"]
        )
        by_name = {alarm["AlarmName"]: alarm for alarm in found["MetricAlarms"] + found["CompositeAlarms"]}
        return [
            Alarm(
                name=name,
                state=by_name[name]["StateValue"],
                description=by_name[name].get("AlarmDescription", ""),
            )
            for name in names
        ]

    def _rows(self, query: Query) -> list[dict[str, str]]:
        pages = self._logs.get_paginator("filter_log_events").paginate(logGroupName=query.log_group)
        return query.select(event for page in pages for event in page["events"])

    def _lines(self, properties: Mapping[str, Any]) -> list[Line]:
        lines: list[Line] = []
        by_id: dict[str, Points] = {}
        for metric in properties["metrics"]:
            *parts, options = metric
            if "expression" in options:
                lines += self._expression(options, by_id)
                continue
            namespace, name, *pairs = parts
            dimensions = dict(zip(pairs[::2], pairs[1::2], strict=True))
            points = self._points(namespace, name, dimensions, options.get("stat", properties["stat"]))
            if "id" in options:
                by_id[options["id"]] = points
            if options.get("visible", True):
                lines.append(Line(label=options["label"], points=points))
        return lines

    def _expression(self, options: Mapping[str, Any], by_id: Mapping[str, Points]) -> list[Line]:
        expression = options["expression"]
        if expression.startswith("SEARCH"):
            return self._search(expression)
        moments = sorted({moment for points in by_id.values() for moment in points})
        values = {
            moment: evaluate(expression, {key: points.get(moment) for key, points in by_id.items()})
            for moment in moments
        }
        points = {moment: value for moment, value in values.items() if value is not None}
        return [Line(label=options["label"], points=points)]

    def _search(self, expression: str) -> list[Line]:
        found = _SEARCH.fullmatch(expression)
        if found is None:
            raise ValueError(f"dashboard: cannot evaluate {expression!r}")
        wanted = set(found["dimensions"].split(","))
        metrics = self.cloudwatch.list_metrics(
            Namespace=found["namespace"],
            MetricName=found["metric"],
            Dimensions=[{"Name": found["key"], "Value": found["value"]}],
        )["Metrics"]
        matching = {
            tuple(sorted((pair["Name"], pair["Value"]) for pair in metric["Dimensions"]))
            for metric in metrics
        }
        return [
            Line(
                label=" ".join(value for key, value in pairs if key != found["key"]),
                points=self._points(found["namespace"], found["metric"], dict(pairs), found["stat"]),
            )
            for pairs in sorted(matching)
            if {key for key, _ in pairs} == wanted
        ]

    def _points(self, namespace: str, name: str, dimensions: Mapping[str, str], stat: str) -> Points:
        metric = {
            "Namespace": namespace,
            "MetricName": name,
            "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
        }
        answer = self.cloudwatch.get_metric_data(
            MetricDataQueries=[
                {"Id": "m", "MetricStat": {"Metric": metric, "Period": self._period, "Stat": stat}}
            ],
            StartTime=self.start,
            EndTime=self.end,
            ScanBy="TimestampAscending",
        )["MetricDataResults"][0]
        return dict(zip(answer["Timestamps"], answer["Values"], strict=True))
