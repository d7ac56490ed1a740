"""`errors`: the function's log lines that report errors."""

from argparse import Namespace
from datetime import UTC, datetime
from typing import Any

from ops import display, function_log
from ops.commands.options import add_command, chosen_stacks, past, positive
from terminal.console import Console
from terminal.machine import print_json


def add_parser(commands: Any) -> None:  # noqa: ANN401 - argparse does not export its type
    """Declare the command."""
    parser = add_command(
        commands, "errors", "the function's log lines that report errors, with dates, oldest first"
    )
    parser.add_argument("--since", type=past, default="1h", help="30m, 24h, 7d or ISO 8601 (default 1h)")
    parser.add_argument(
        "--limit", type=positive, default=100, help="newest lines of each stack (default 100)"
    )
    parser.set_defaults(run=run)


def run(arguments: Namespace) -> int:
    """Show the lines of each stack."""
    console = Console()
    for stack in chosen_stacks(arguments):
        lines = function_log.error_lines(stack, since=arguments.since, until=datetime.now(UTC))
        newest = lines[-arguments.limit :]
        if arguments.json:
            for when, line in newest:
                print_json({"stack": stack.name, "time": when.isoformat(), "message": line})
            continue
        console.say(display.heading(stack.name))
        if not lines:
            console.say("no errors")
        elif len(newest) < len(lines):
            console.say(f"These are the newest {len(newest)} of {len(lines):,} lines; --limit shows more.")
        function_log.show(console, newest)
    return 0
