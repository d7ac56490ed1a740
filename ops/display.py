"""Formats of values for people, the same in every command."""

from datetime import UTC, datetime
from typing import Any

from rich.filesize import decimal
from rich.progress import Progress
from rich.text import Text

from terminal.console import Console, plain

COLOURS = {"COMPLETED": "green", "FAILED": "red", "STARTED": "yellow"}


def size(count: Any) -> str:  # noqa: ANN401 - DynamoDB's number, or None
    """Return a number of bytes with its unit."""
    return "" if count is None else decimal(int(count))


def number(value: Any) -> str:  # noqa: ANN401 - DynamoDB's number, or None
    """Return a whole number with separators."""
    return "" if value is None else f"{int(value):,}"


def alert(count: int) -> Text:
    """Return a number, in red unless it is 0."""
    return plain(f"{count:,}", "red" if count else "")


def status(name: str) -> Text:
    """Return a job's status in its colour."""
    return plain(name, COLOURS.get(name, ""))


def time(moment: Any) -> str:  # noqa: ANN401 - seconds since the epoch, as DynamoDB's number; or a datetime
    """Return a time in UTC."""
    if not isinstance(moment, datetime):
        moment = datetime.fromtimestamp(float(moment), tz=UTC)
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def heading(text: str) -> Text:
    """Return the heading of a stack's output."""
    return plain(text, "bold underline")


def progress() -> Progress:
    """Return a progress bar, which is shown on a terminal only."""
    console = Console(stderr=True)
    return Progress(console=console, transient=True, disable=not console.is_terminal)
