"""`smoke`: check that each region processes one small object."""

from argparse import Namespace
from typing import Any

from ops import smoke
from ops.commands.options import add_command, chosen_stacks, command_for, seconds
from terminal.console import INDENT, Console
from terminal.machine import print_json

FIRST_MINUTES = (
    "S3 sends no events for uploads in the first minutes after a first deployment. Process such uploads with"
)


def add_parser(commands: Any) -> None:  # noqa: ANN401 - argparse does not export its type
    """Declare the command."""
    parser = add_command(commands, "smoke", "process one small object to check that a region works")
    parser.add_argument(
        "--within",
        type=seconds,
        default=smoke.WITHIN_SECONDS,
        metavar="S",
        help="seconds to wait for the result (default 900)",
    )
    parser.set_defaults(run=run)


def run(arguments: Namespace) -> int:
    """Upload the object to each region and wait for its result."""
    console = Console()
    for stack in chosen_stacks(arguments):
        passed = smoke.check(stack, seconds=arguments.within)
        if arguments.json:
            print_json(
                {
                    "stack": stack.name,
                    "output": passed.output,
                    "seconds": round(passed.seconds, 1),
                    "uploads": passed.uploads,
                }
            )
        else:
            uploads = f" and {passed.uploads} uploads" if passed.uploads > 1 else ""
            console.say(f"{stack.name}: completed after {passed.seconds:.0f} s{uploads}")
            console.say(f"{INDENT}{passed.output}")
            replay = command_for(arguments, stack, "replay", "PREFIX", "--status", "MISSING")
            console.suggest(FIRST_MINUTES, replay)
    return 0
