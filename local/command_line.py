"""The command line of `python -m local`."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from local.commands import COMMANDS
from local.errors import LocalError
from terminal import command_line

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return 0 for success, 1 for a file without a result, 2 for an error."""
    parser = command_line.Parser(
        prog="python -m local", description="Run the project's stacks on an embedded AWS."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", title="commands")
    for command in COMMANDS:
        command.add_parser(commands)
    parsed = parser.parse_args(arguments)
    logging.basicConfig(format="%(name)s: %(message)s")  # Pulumi logs the warnings of each stack
    return command_line.run(f"python -m local {parsed.command}", lambda: parsed.run(parsed), _explain)


def _explain(error: Exception) -> str | None:
    return str(error) if isinstance(error, LocalError) else None
