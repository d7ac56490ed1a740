"""Check the width of output: lines fit 80 columns, and text that is to be copied is not cut."""

import re
from collections.abc import Iterable

from rich.cells import cell_len

WIDTH = 80
_COMMAND = re.compile(r"  (?:export \w+=|aws |python -m )")
_REASON = re.compile(r"  (?:error|reason) +")
_LOG_LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  ")


def check_width(output: str, copied: Iterable[str] = ()) -> None:
    """Fail if a line without text to copy is longer than 80 columns, or if text is cut.

    Args:
        output: What a command printed.
        copied: Keys, names, addresses and other values that must not be cut. Commands, reasons and log lines
            need not be given.
    """
    values = sorted(filter(None, copied), key=len, reverse=True)
    for line in output.splitlines():
        assert "…" not in line, f"cut: {line!r}"
        if _COMMAND.match(line) or _REASON.match(line) or _LOG_LINE.match(line):
            continue
        rest = line
        for value in values:
            rest = rest.replace(value, "")
        assert cell_len(line if rest == line else rest) <= WIDTH, line


def suggested(output: str) -> list[str]:
    """Return the commands that an output suggests."""
    return [line.strip() for line in output.splitlines() if _COMMAND.match(line)]
