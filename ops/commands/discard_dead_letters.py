"""`discard`: delete dead letters that nothing can make right."""

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
    parser = add_command(commands, "discard", "delete dead letters that nothing can make right")
    parser.add_argument("messages", nargs="+", metavar="MESSAGE", help="a message's id, by dead-letters")
    add_yes(parser)
    parser.set_defaults(run=run)


def run(arguments: Namespace) -> int:
    """Delete the messages, or say which of them are there.

    Raises:
        OpsError: when one of them is not there; the others are deleted all the same.
    """
    stack = chosen_stack(arguments)
    wanted = set(arguments.messages)
    there = dead_letters.discard(stack, wanted) if arguments.yes else dead_letters.present(stack, wanted)
    if arguments.json:
        print_json({"stack": stack.name, "messages": sorted(there), "deleted": arguments.yes})
    else:
        console = Console()
        if arguments.yes:
            console.say(f"{stack.name}: deleted {len(there)} dead letters")
        elif there:
            console.say(f"{stack.name}: would delete {len(there)} dead letters for good")
            console.say(f"do it with: {command_for(arguments, stack, 'discard', *sorted(there), '--yes')}")
    if missing := sorted(wanted - there):
        raise OpsError(f"{stack.name} has no dead letter {', '.join(map(shlex.quote, missing))}")
    return 0
