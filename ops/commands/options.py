"""Options that several commands have, and the stacks that they choose."""

import argparse
import re
import shlex
from argparse import Namespace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ops import deployed_stacks
from ops.deployed_stacks import Stack
from ops.operator_errors import OpsError
from terminal.command_line import print_error

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def add_command(commands: Any, name: str, purpose: str) -> argparse.ArgumentParser:  # noqa: ANN401 - argparse does not export its type
    """Add a command with the options that all have: which stacks, and JSON."""
    parser: argparse.ArgumentParser = commands.add_parser(name, help=purpose, description=purpose)
    parser.add_argument("--json", action="store_true", help="lines of JSON, for programs")
    group = parser.add_argument_group("which stacks")
    group.add_argument("--stack", action="append", default=[], metavar="NAME", help="a stack, by default all")
    group.add_argument(
        "--outputs",
        action="append",
        default=[],
        type=Path,
        metavar="FILE",
        help="what `pulumi stack output --json` printed; used instead of asking Pulumi",
    )
    group.add_argument("--local", action="store_true", help="the embedded AWS of `python -m local serve`")
    return parser


def add_yes(parser: argparse.ArgumentParser) -> None:
    """Add the option without which a command that changes something only says what it would do."""
    parser.add_argument("--yes", action="store_true", help="do it; otherwise only say what would be done")


def deployment(arguments: Namespace) -> deployed_stacks.Deployment:
    """Find the stacks that were asked for, and those of them that are not deployed."""
    return deployed_stacks.find(names=arguments.stack, outputs_files=arguments.outputs, local=arguments.local)


def chosen_stacks(arguments: Namespace) -> list[Stack]:
    """Find the stacks that were asked for, and say on stderr which are not deployed."""
    found = deployment(arguments)
    for name in found.undeployed:
        print_error(f"ops: stack {name} is not deployed")
    return list(found.stacks)


def chosen_stack(arguments: Namespace) -> Stack:
    """Find the one stack that was asked for.

    Raises:
        OpsError: when it may be one of several.
    """
    found = chosen_stacks(arguments)
    if len(found) > 1:
        raise OpsError(f"which region? name it with --stack: {', '.join(stack.name for stack in found)}")
    return found[0]


def command_for(arguments: Namespace, stack: Stack, *words: str) -> str:
    """Write a command for the stack, to be copied: with the options by which this one found the stack."""
    where = ["--local"] if arguments.local else [f"--outputs={path}" for path in arguments.outputs]
    return shlex.join(["python", "-m", "ops", *words, "--stack", stack.name, *where])


def moment(text: str) -> datetime:
    """Read a time: so long ago, or ISO 8601."""
    if relative := re.fullmatch(r"(\d{1,6})([mhd])", text):
        return datetime.now(UTC) - timedelta(**{_UNITS[relative[2]]: int(relative[1])})
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"must be like 30m, 24h, 7d or 2030-12-31T23:59Z, got {text!r}"
        ) from None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def positive(text: str) -> int:
    """Read a whole number from 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1, got {text!r}")
    return int(text)


def seconds(text: str) -> int:
    """Read a number of seconds."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"must be a whole number of seconds, got {text!r}")
    return int(text)
