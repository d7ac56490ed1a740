"""Tables for people."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.filesize import decimal
from rich.markup import escape
from rich.table import Table

from ops.jobs import StoredObject
from ops.messages import DeadLetter
from ops.replay import Candidate
from ops.stacks import Stack
from ops.status import Status

PIPE_WIDTH = 240
"""Columns where no terminal says how many there are: enough to cut nothing short."""
COLOURS = {"COMPLETED": "green", "FAILED": "red", "STARTED": "yellow"}


def console() -> Console:
    """Return the console that tables are printed to."""
    found = Console(highlight=False)
    return found if found.is_terminal else Console(highlight=False, width=PIPE_WIDTH)


def size(count: int) -> str:
    """Return a number of bytes as people read it."""
    return decimal(count)


def statuses(states: Sequence[Status]) -> Table:
    """Return one line for each region."""
    table = _table("region", "health", "completed", "failed", "skipped", "rows out", "rejected")
    for heading in ("waiting", "in flight", "oldest", "dead letters", "undelivered"):
        table.add_column(heading, justify="right")
    table.add_column("alarms")
    for state in states:
        table.add_row(
            state.region,
            _health(state),
            f"{state.completed:,}",
            _alert(state.failed),
            f"{state.skipped:,}",
            f"{state.rows_out:,}",
            f"{state.rows_rejected:,}",
            f"{state.waiting:,}",
            f"{state.in_flight:,}",
            "-" if state.oldest_seconds is None else f"{state.oldest_seconds} s",
            _alert(state.dead_letters),
            _alert(state.undelivered),
            " ".join(state.alarms),
        )
    return table


def _health(state: Status) -> str:
    if state.alarms:
        return "[red]ALARM[/]"
    return "[yellow]not known yet[/]" if state.undecided else "[green]well[/]"


def jobs(found: Mapping[Stack, Sequence[Mapping[str, Any]]]) -> Table:
    """Return one line for each job."""
    table = _table("region", "time (UTC)", "status", "key", "bytes", "rows in", "rows out", "rejected")
    for heading in ("seconds", "job", "error"):
        table.add_column(heading, justify="right" if heading == "seconds" else "left", overflow="fold")
    for stack, records in found.items():
        for job in records:
            table.add_row(
                stack.region,
                _time(job["timestamp"]),
                _status(job["status"]),
                escape(str(job.get("input_path", ""))),
                *(_number(job.get(name)) for name in ("bytes_in", "rows_in", "rows_out", "rows_rejected")),
                "" if job.get("duration_ms") is None else f"{float(job['duration_ms']) / 1000:,.1f}",
                job["job_id"],
                escape(str(job.get("error", ""))),
            )
    return table


def job(
    target: Console,
    stack: Stack,
    record: Mapping[str, Any],
    objects: Sequence[StoredObject],
    rejects: Sequence[Mapping[str, Any]],
) -> None:
    """Print a job record, its objects and the first of its rejected rows."""
    table = _table("job", record["job_id"])
    table.add_row("region", stack.region)
    table.add_row("status", _status(record["status"]))
    for name, value in sorted(record.items()):
        if name in ("timestamp", "uploaded_at"):
            table.add_row(name, _time(value))
        elif name not in ("job_id", "region", "status"):
            table.add_row(name, escape(_plain(value)))
    target.print(table)
    stored = _table("object", "bytes", "uri")
    for item in objects:
        there = "[red]not there[/]" if item.size is None else f"{item.size:,}"
        stored.add_row(item.role, there, escape(item.uri))
    target.print(stored)
    for item in objects:
        target.print(escape(item.console_url), soft_wrap=True)
    for row in rejects:
        target.print(f"rejected  {escape(json.dumps(row, ensure_ascii=False))}", soft_wrap=True)


def log(target: Console, lines: Iterable[tuple[datetime, str]]) -> None:
    """Print log lines, structured ones by what matters in them."""
    for moment, line in lines:
        target.print(f"{moment:%H:%M:%S}  {escape(_log_line(line))}", soft_wrap=True)


def dead_letters(found: Mapping[Stack, Sequence[DeadLetter]]) -> Table:
    """Return one line for each message."""
    table = _table("region", "sent (UTC)", "failed at", "key", "reason", "receives", "message")
    for stack, letters in found.items():
        for letter in letters:
            table.add_row(
                stack.region,
                f"{letter.sent_at:%Y-%m-%d %H:%M:%S}",
                "delivery" if letter.delivery else "function",
                escape(letter.key or "(no object)"),
                escape(letter.reason),
                str(letter.receives),
                letter.message_id,
            )
    return table


def candidates(shown: Sequence[Candidate], *, of: int) -> Table:
    """Return some of the objects that would be replayed."""
    table = _table("key", "bytes", "uploaded (UTC)", "job so far")
    for candidate in shown:
        table.add_row(
            escape(candidate.key),
            f"{candidate.size:,}",
            f"{candidate.modified_at.astimezone(UTC):%Y-%m-%d %H:%M:%S}",
            _status(candidate.status()),
        )
    if of > len(shown):
        table.add_row(f"... and {of - len(shown):,} more", "", "", "")
    return table


def _table(*headings: str) -> Table:
    numbers = {"rows in", "rows out", "rejected", "completed", "failed", "skipped", "bytes", "receives"}
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading, justify="right" if heading in numbers else "left", overflow="fold")
    return table


def _alert(count: int) -> str:
    return f"[red]{count:,}[/]" if count else "0"


def _status(name: str) -> str:
    return f"[{COLOURS[name]}]{name}[/]" if name in COLOURS else name


def _time(seconds: Any) -> str:  # noqa: ANN401 - DynamoDB's number
    return f"{datetime.fromtimestamp(float(seconds), tz=UTC):%Y-%m-%d %H:%M:%S}"


def _number(value: Any) -> str:  # noqa: ANN401 - DynamoDB's number
    return "" if value is None else f"{int(value):,}"


def _plain(value: Any) -> str:  # noqa: ANN401 - what a record holds
    return (
        json.dumps(value, default=str, ensure_ascii=False) if isinstance(value, list | dict) else str(value)
    )


def _log_line(line: str) -> str:
    """Return a structured line as level, message and the error; any other as it is."""
    try:
        entry = json.loads(line)
        parts = [entry["level"], entry["message"], entry.get("error", entry.get("reason", ""))]
    except (ValueError, TypeError, KeyError):
        return line
    return "  ".join(str(part) for part in parts if part)
