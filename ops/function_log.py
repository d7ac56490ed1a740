"""The function's log lines: search for a word or for errors, and show them with their times."""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from ops import display
from ops.deployed_stacks import Stack
from terminal.console import Console

MARGIN = timedelta(minutes=15)
"""Time before and after a job that may have its log lines: Lambda's maximum timeout of a function."""
_LEVEL = "ERROR"
ERROR_TERMS = (_LEVEL, "Task timed out", "Runtime exited")
"""Terms in lines that report errors: the level in the handler's lines, phrases in Lambda's lines."""

Line = tuple[datetime, str]


def lines_with(stack: Stack, word: str, *, since: datetime, until: datetime) -> list[Line]:
    """Return the lines that contain the word (the id of a job or a message), oldest first."""
    return sorted(_filter(stack, f'"{word}"', since=since - MARGIN, until=until + MARGIN), key=_moment)


def error_lines(stack: Stack, *, since: datetime, until: datetime) -> list[Line]:
    """Return the lines in which the handler or the runtime reports errors, oldest first."""
    terms = " ".join(f'?"{term}"' for term in ERROR_TERMS)
    found = _filter(stack, terms, since=since, until=until)
    return sorted((line for line in found if _reports_error(line[1])), key=_moment)


def _reports_error(line: str) -> bool:
    """Whether a line with one of the terms reports an error: keys in the handler's lines may have one too."""
    try:
        level = json.loads(line)["level"]
    except (ValueError, TypeError, KeyError):
        return True
    return level == _LEVEL


def show(console: Console, lines: Iterable[Line]) -> None:
    """Print lines with their dates; of structured lines, the level, the message and the error."""
    for moment, line in lines:
        first, *rest = _readable(line).split("\n")
        console.say(f"{display.time(moment)}  {first}")
        for continued in rest:
            console.say(f"  {continued}")


def _moment(line: Line) -> datetime:
    return line[0]


def _filter(stack: Stack, pattern: str, *, since: datetime, until: datetime) -> Iterator[Line]:
    pages = (
        stack.client("logs")
        .get_paginator("filter_log_events")
        .paginate(
            logGroupName=stack.log_group,
            filterPattern=pattern,
            startTime=int(since.timestamp() * 1000),
            endTime=int(until.timestamp() * 1000),
        )
    )
    for page in pages:
        for event in page["events"]:
            moment = datetime.fromtimestamp(event["timestamp"] / 1000, tz=UTC)
            yield moment, event["message"].rstrip("\n")


def _readable(line: str) -> str:
    """Return level, message and error of a structured line; any other line unchanged."""
    try:
        entry = json.loads(line)
        parts = [entry["level"], entry["message"], entry.get("error", entry.get("reason", ""))]
    except (ValueError, TypeError, KeyError):
        return line
    return "  ".join(str(part) for part in parts if part)
