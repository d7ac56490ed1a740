"""`redrive`: send the dead letters back to be processed."""

from argparse import Namespace
from functools import partial
from typing import Any

from ops import dead_letters, display
from ops.commands.options import add_command, add_yes, chosen_stack, command_for, positive, refuse_beside
from ops.deployed_stacks import Stack
from terminal.console import Console
from terminal.machine import print_json


def add_parser(commands: Any) -> None:  # noqa: ANN401 - argparse does not export its type
    """Declare the command."""
    parser = add_command(commands, "redrive", "send the dead letters back to be processed")
    parser.add_argument("--delivery", action="store_true", help="the events that the rule could not deliver")
    parser.add_argument(
        "--per-second",
        type=partial(positive, most=dead_letters.RATE_MAX),
        help=f"maximum number of messages per second (1 to {dead_letters.RATE_MAX}); not with --delivery",
    )
    add_yes(parser)
    parser.set_defaults(run=run)


def run(arguments: Namespace) -> int:
    """Send dead letters back, or show how many there are."""
    refuse_beside(arguments, "--delivery", "--per-second")  # SQS moves no such messages, so it sets no rate
    stack = chosen_stack(arguments)
    queue_url = stack.delivery_dead_letter_queue_url if arguments.delivery else stack.dead_letter_queue_url
    waiting = dead_letters.count(stack, queue_url)
    moved = _move(arguments, stack, waiting) if waiting and arguments.yes else 0
    if arguments.json:
        print_json({"stack": stack.name, "waiting": waiting, "moved": moved})
        return 0
    console = Console()
    if not waiting:
        console.say(f"{stack.name}: no dead letters")
    elif arguments.yes:
        console.say(f"{stack.name}: sent {moved} dead letters back")
        console.suggest("Follow them with", command_for(arguments, stack, "status"))
    else:
        console.say(f"{stack.name}: would send {waiting} dead letters back to be processed")
        console.suggest("Send them with", command_for(arguments, stack, *_words(arguments), "--yes"))
    return 0


def _words(arguments: Namespace) -> list[str]:
    words = ["redrive"]
    if arguments.delivery:
        words.append("--delivery")
    if arguments.per_second:
        words += ["--per-second", str(arguments.per_second)]
    return words


def _move(arguments: Namespace, stack: Stack, waiting: int) -> int:
    moves = (
        dead_letters.redeliver(stack)
        if arguments.delivery
        else dead_letters.redrive(stack, per_second=arguments.per_second)
    )
    moved = 0
    with display.progress() as progress:
        task = progress.add_task("redriving", total=waiting)
        for move in moves:
            moved = move.moved
            progress.update(task, completed=move.moved, total=max(waiting, move.total))
    return moved
