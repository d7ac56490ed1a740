"""The command line of `python -m ops`."""

from collections.abc import Sequence

from ops.commands import COMMANDS
from ops.operator_errors import explain
from terminal import command_line


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return 0 for success, 1 for a finding such as an unhealthy region, 2 for an error."""
    parser = command_line.Parser(prog="python -m ops", description="Operate the deployed regions.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", title="commands")
    for command in COMMANDS:
        command.add_parser(commands)
    parsed = parser.parse_args(arguments)
    return command_line.run("ops", lambda: parsed.run(parsed), explain)
