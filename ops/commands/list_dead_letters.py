"""`dead-letters`: show the dead letters without removing them."""

from argparse import Namespace
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from ops import dead_letters, display
from ops.commands.options import add_command, chosen_stacks, command_for, positive
from ops.dead_letters import DeadLetter
from terminal.console import Console
from terminal.machine import print_json
from terminal.records import Records


def add_parser(commands: Any) -> None:  # noqa: ANN401 - argparse does not export its type
    """Declare the command."""
    parser = add_command(commands, "dead-letters", "show the dead letters without removing them")
    parser.add_argument("--limit", type=positive, default=50, help="messages of each queue (default 50)")
    parser.set_defaults(run=run)


def run(arguments: Namespace) -> int:
    """Show the messages in the dead-letter queues and why they failed."""
    console = Console()
    for stack in chosen_stacks(arguments):
        letters = dead_letters.peek(stack, limit=arguments.limit)
        if arguments.json:
            for letter in letters:
                print_json({"stack": stack.name, **asdict(letter)})
            continue
        console.say(display.heading(stack.name))
        if not letters:
            console.say("no dead letters")
            continue
        _table(letters).print(console)
        for delivery in sorted({letter.delivery for letter in letters}):
            which = ("redrive", *(["--delivery"] if delivery else []))
            what = "undelivered events" if delivery else "failed messages"
            purpose = f"Send the {what} to the queue again with"
            console.suggest(purpose, command_for(arguments, stack, *which))
    return 0


def _table(letters: Sequence[DeadLetter]) -> Records:
    records = Records("failed at", "sent (UTC)", "receives", numbers=("receives",))
    for letter in letters:
        records.add(
            "delivery" if letter.delivery else "function",
            display.time(letter.sent_at),
            str(letter.receives),
            details={
                "key": letter.key or "(no object)",
                "event": letter.event,
                "reason": letter.reason,
                "message": letter.message_id,
            },
        )
    return records
