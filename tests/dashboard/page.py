"""A dashboard as one HTML page, with graphs as inline SVG, without scripts and other files."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from tests.dashboard.widgets import Dashboard, Line, Widget

COLOURS = ("#1f77b4", "#2ca02c", "#ff7f0e", "#9467bd", "#17becf", "#d62728", "#8c564b", "#7f7f7f")
COLUMN, ROW = 64, 54
"""Width of a column and height of a row of the grid in pixels."""
HEADROOM = 96
"""Height of a widget's title and legend in pixels."""
LEFT, RIGHT, TOP, BOTTOM = 60, 12, 10, 22
"""Margins of a graph, for its scales."""

_STYLE = """
body { font: 13px/1.4 system-ui, sans-serif; margin: 16px; background: #f2f3f3; color: #16191f; }
h1 { font-size: 18px; } h1 small { color: #5f6b7a; font-weight: normal; }
main { display: grid; grid-template-columns: repeat(24, 1fr); grid-auto-rows: 46px; gap: 8px; }
section { background: #fff; border: 1px solid #d5dbdb; border-radius: 6px; padding: 6px 10px; }
section { overflow: hidden; }
h2 { font-size: 13px; margin: 0 0 4px; }
section { display: flex; flex-direction: column; }
svg { display: block; width: 100%; flex: 1 1 0; min-height: 0; }
svg text { font-size: 11px; fill: #5f6b7a; }
.legend { display: flex; flex-wrap: wrap; gap: 0 12px; margin: 0; padding: 0; }
.legend { list-style: none; font-size: 11px; flex: none; }
.legend i { display: inline-block; width: 10px; height: 3px; margin-right: 4px; vertical-align: middle; }
.alarms { display: flex; flex-wrap: wrap; gap: 6px; }
.alarm { border-left: 5px solid #7f7f7f; background: #f8f8f8; padding: 4px 8px; font-size: 12px; }
.alarm.OK { border-color: #2ca02c; } .alarm.ALARM { border-color: #d62728; background: #fdf0ed; }
table { border-collapse: collapse; width: 100%; font-size: 12px; }
th, td { text-align: left; padding: 2px 8px; border-bottom: 1px solid #eaeded; overflow-wrap: anywhere; }
.none { color: #5f6b7a; }
"""


def page(dashboards: Sequence[Dashboard]) -> str:
    """Return the page's HTML, the dashboards one below the other."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(', '.join(dashboard.name for dashboard in dashboards))}</title>"
        f"<style>{_STYLE}</style></head>\n<body>\n{''.join(map(_dashboard, dashboards))}</body></html>\n"
    )


def _dashboard(dashboard: Dashboard) -> str:
    shown = f"{dashboard.start:%Y-%m-%d %H:%M:%S} to {dashboard.end:%H:%M:%S} UTC"
    widgets = "\n".join(_widget(widget, dashboard) for widget in dashboard.widgets)
    return f"<h1>{escape(dashboard.name)} <small>{shown}</small></h1>\n<main>\n{widgets}\n</main>\n"


def _widget(widget: Widget, dashboard: Dashboard) -> str:
    place = (
        f"grid-column: {widget.x + 1} / span {widget.width}; grid-row: {widget.y + 1} / span {widget.height}"
    )
    if widget.alarms:
        content = _alarms(widget)
    elif widget.columns:
        content = _table(widget)
    else:
        content = _graph(widget, dashboard)
    return f'<section style="{place}"><h2>{escape(widget.title)}</h2>{content}</section>'


def _alarms(widget: Widget) -> str:
    boxes = (
        f'<div class="alarm {alarm.state}" title="{escape(alarm.description)}">'
        f"<b>{alarm.state}</b> {escape(alarm.name)}</div>"
        for alarm in widget.alarms
    )
    return f'<div class="alarms">{"".join(boxes)}</div>'


def _table(widget: Widget) -> str:
    if not widget.rows:
        return '<p class="none">No rows</p>'
    head = "".join(f"<th>{escape(column)}</th>" for column in widget.columns)
    rows = (
        "<tr>" + "".join(f"<td>{escape(row[column])}</td>" for column in widget.columns) + "</tr>"
        for row in widget.rows
    )
    return f"<table><tr>{head}</tr>{''.join(rows)}</table>"


def _graph(widget: Widget, dashboard: Dashboard) -> str:
    legend = "".join(_legend(line, colour) for line, colour in zip(widget.lines, _colours(), strict=False))
    if not any(line.points for line in widget.lines):
        return f'<ul class="legend">{legend}</ul><p class="none">No data in this time</p>'
    highest = max(value for line in widget.lines for value in line.points.values()) or 1.0
    # A threshold far above what was measured would press the lines flat: then its name in the legend must do.
    near = {label: value for label, value in widget.thresholds.items() if value <= 2 * highest}
    far = {label: value for label, value in widget.thresholds.items() if label not in near}
    legend += "".join(f"<li>{escape(label)}: {_figure(value)}</li>" for label, value in far.items())
    scale = _Scale(widget, dashboard, max([highest, *near.values()]))
    parts = [
        scale.axes(),
        *(scale.threshold(label, value) for label, value in near.items()),
        *(
            scale.line(line, colour)
            for line, colour in zip(widget.lines, _colours(), strict=False)
            if line.points
        ),
    ]
    return (
        f'<svg viewBox="0 0 {scale.width} {scale.height}" role="img">{"".join(parts)}</svg>'
        f'<ul class="legend">{legend}</ul>'
    )


def _colours() -> Sequence[str]:
    return COLOURS * 3


def _legend(line: Line, colour: str) -> str:
    shown = f"≤ {_figure(max(line.points.values()))}" if line.points else "no data"
    return f'<li><i style="background: {colour}"></i>{escape(line.label)}: {shown}</li>'


def _figure(value: float) -> str:
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value:.3g}"


class _Scale:
    """Places times and values on a graph."""

    def __init__(self, widget: Widget, dashboard: Dashboard, highest: float) -> None:
        self.width, self.height = widget.width * COLUMN, widget.height * ROW - HEADROOM
        self._start, self._end, self._highest = dashboard.start, dashboard.end, highest * 1.1

    def x(self, moment: datetime) -> float:
        share = (moment - self._start) / (self._end - self._start)
        return LEFT + share * (self.width - LEFT - RIGHT)

    def y(self, value: float) -> float:
        return self.height - BOTTOM - value / self._highest * (self.height - TOP - BOTTOM)

    def axes(self) -> str:
        levels = [self._highest * share for share in (0, 0.5, 1)]
        lines = "".join(
            f'<line x1="{LEFT}" x2="{self.width - RIGHT}" y1="{self.y(level):.1f}" y2="{self.y(level):.1f}"'
            f' stroke="#eaeded"/><text x="{LEFT - 6}" y="{self.y(level) + 4:.1f}" text-anchor="end">'
            f"{_figure(level)}</text>"
            for level in levels
        )
        moments = [self._start, self._start + (self._end - self._start) / 2, self._end]
        anchors = ("start", "middle", "end")
        return lines + "".join(
            f'<text x="{self.x(moment):.1f}" y="{self.height - 6}" text-anchor="{anchor}">'
            f"{moment:%H:%M:%S}</text>"
            for moment, anchor in zip(moments, anchors, strict=True)
        )

    def threshold(self, label: str, value: float) -> str:
        y = self.y(value)
        return (
            f'<line x1="{LEFT}" x2="{self.width - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#d62728"'
            f' stroke-dasharray="4 3"/><text x="{self.width - RIGHT}" y="{y - 4:.1f}" text-anchor="end">'
            f"{escape(label)}: {_figure(value)}</text>"
        )

    def line(self, line: Line, colour: str) -> str:
        places = [(self.x(moment), self.y(value)) for moment, value in sorted(line.points.items())]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{colour}"/>' for x, y in places)
        return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>{dots}'
