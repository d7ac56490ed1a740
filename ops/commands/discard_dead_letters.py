"""`discard`: delete dead letters that cannot be processed."""

import shlex
from argparse import Namespace
from typing import Any

from ops import dead_letters
from ops.commands.options import add_command, add_yes, chosen_stack, command_for
from ops.operator_errors import OpsError
from terminal.console import Console
from terminal.machine import print_json


def add_parser(commands: Any) -> None:  # noqa: ANN401 - argparse does not export its type
    """Declare the command."""
    parser = add_command(commands, "discard", "delete dead letters that cannot be processed")
    parser.add_argument(
        "messages", nargs="+", metavar="MESSAGE", help="a message's id, as `dead-letters` shows it"
    )
    add_yes(parser)
    parser.set_defaults(run=run)


def run(arguments: Namespace) -> int:
    """Delete the messages, or show what would be deleted.

    Raises:
        OpsError: A message does not exist. The other messages are deleted nevertheless.
    """
    stack = chosen_stack(arguments)
    wanted = set(arguments.messages)
    found = dead_letters.discard(stack, wanted) if arguments.yes else dead_letters.present(stack, wanted)
    if arguments.json:
        print_json({"stack": stack.name, "messages": sorted(found), "deleted": arguments.yes})
    else:
        console = Console()
        if arguments.yes:
            console.say(f"{stack.name}: deleted {len(found)} dead letters")
        elif found:
            console.say(f"{stack.name}: would permanently delete {len(found)} dead letters")
            again = command_for(arguments, stack, "discard", *sorted(found), "--yes")
            console.suggest("Delete them with", again)
    if missing := sorted(wanted - found):
        raise OpsError(f"{stack.name} has no dead letter {', '.join(map(shlex.quote, missing))}")
    return 0
