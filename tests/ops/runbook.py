"""Parse docs/runbook.md: its sections, their parts, and the commands in each part."""

import re
from pathlib import Path
from string import Template

PAGE = Path(__file__).resolve().parents[2] / "docs" / "runbook.md"
LOOK, DO, OVER = "Look at", "Do.", "It is over when"


def sections() -> dict[str, str]:
    """Return each section's text by its heading."""
    _, *parts = re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {heading: text for heading, _, text in (part.partition("\n") for part in parts)}


def commands(section: str, part: str) -> list[list[str]]:
    """Return the arguments of the `python -m ops` commands in one part, with their variables."""
    _, *parts = re.split(r"^\*\*(.+?)\*\*", sections()[section], flags=re.MULTILINE)
    text = dict(zip(parts[::2], parts[1::2], strict=True))[part]
    blocks = re.findall(r"```sh\n(.*?)```", text, flags=re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    assert all(line.startswith("python -m ops ") for line in lines), lines
    return [line.split()[3:] for line in lines]


def filled(command: list[str], **variables: str) -> list[str]:
    return [Template(argument).substitute(variables) for argument in command]
