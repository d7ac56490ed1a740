"""The commands, and one line instead of a traceback when something is wrong."""

from collections.abc import Sequence

from ops.commands import COMMANDS
from ops.operator_errors import explain
from terminal import command_line


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0 is done, 1 is done and not well, 2 is not done."""
    parser = command_line.Parser(prog="python -m ops", description="Operate the deployed regions.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", title="commands")
    for command in COMMANDS:
        command.add_parser(commands)
    parsed = parser.parse_args(arguments)
    return command_line.run("ops", lambda: parsed.run(parsed), explain)
