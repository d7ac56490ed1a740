"""Options that several commands share, and the stacks that they select."""

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

_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
"""CloudWatch takes no earlier time."""
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def add_command(commands: Any, name: str, purpose: str) -> argparse.ArgumentParser:  # noqa: ANN401 - argparse does not export its type
    """Add a command with the options of every command: the stacks and JSON."""
    parser: argparse.ArgumentParser = commands.add_parser(name, help=purpose, description=purpose)
    parser.add_argument("--json", action="store_true", help="print lines of JSON, for programs")
    group = parser.add_argument_group("which stacks")
    group.add_argument("--stack", action="append", default=[], metavar="NAME", help="a stack (default: all)")
    group.add_argument(
        "--outputs",
        action="append",
        default=[],
        type=file,
        metavar="FILE",
        help="a file with the output of `pulumi stack output --json`; replaces the call of Pulumi",
    )
    group.add_argument("--local", action="store_true", help="the embedded AWS of `python -m local serve`")
    return parser


def add_yes(parser: argparse.ArgumentParser) -> None:
    """Add the option that a command needs to change something; without it, the command is a dry run."""
    parser.add_argument(
        "--yes", action="store_true", help="make the changes; without it, only show what would change"
    )


def refuse_beside(arguments: Namespace, option: str, *others: str) -> None:
    """Refuse options that would have no effect beside another one.

    Raises:
        OpsError: The command has the option, and one of the others.
    """

    def is_given(name: str) -> bool:
        value = getattr(arguments, name.removeprefix("--").replace("-", "_"))
        return value is not False and value not in (None, [])

    if is_given(option) and (useless := [other for other in others if is_given(other)]):
        raise OpsError(f"{' and '.join(useless)} must be left out beside {option}")


def deployment(arguments: Namespace) -> deployed_stacks.Deployment:
    """Return the selected stacks, and those of them that are not deployed."""
    refuse_beside(arguments, "--local", "--outputs")
    return deployed_stacks.find(names=arguments.stack, outputs_files=arguments.outputs, local=arguments.local)


def chosen_stacks(arguments: Namespace) -> list[Stack]:
    """Return the selected stacks, and report on standard error which are not deployed."""
    found = deployment(arguments)
    for name in found.undeployed:
        print_error(f"ops: stack {name} is not deployed")
    return list(found.stacks)


def chosen_stack(arguments: Namespace) -> Stack:
    """Return the selected stack.

    Raises:
        OpsError: Several stacks are selected.
    """
    found = chosen_stacks(arguments)
    if len(found) > 1:
        raise OpsError(f"which stack? name it with --stack: {', '.join(stack.name for stack in found)}")
    return found[0]


def command_for(arguments: Namespace, stack: Stack, *words: str) -> str:
    """Return a command for the stack that can be copied, with the options that selected the stack."""
    return shlex.join(["python", "-m", "ops", *words, "--stack", stack.name, *_place(arguments)])


def command(arguments: Namespace, *words: str) -> str:
    """Return a command that can be copied, with the options that selected the stacks."""
    names = [word for name in arguments.stack for word in ("--stack", name)]
    return shlex.join(["python", "-m", "ops", *words, *names, *_place(arguments)])


def _place(arguments: Namespace) -> list[str]:
    return ["--local"] if arguments.local else [f"--outputs={path}" for path in arguments.outputs]


def moment(text: str) -> datetime:
    """Parse a time: a duration before now, or ISO 8601."""
    try:
        if relative := re.fullmatch(r"(\d{1,6})([mhd])", text):
            read = datetime.now(UTC) - timedelta(**{_UNITS[relative[2]]: int(relative[1])})
        else:
            read = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"must be like 30m, 24h, 7d or 2030-12-31T23:59Z, got {text!r}"
        ) from None
    except OverflowError:  # before the year 1
        read = datetime.min
    read = read if read.tzinfo else read.replace(tzinfo=UTC)
    if read < _EARLIEST:
        raise argparse.ArgumentTypeError(f"must be {_EARLIEST:%Y-%m-%d} or later, got {text!r}")
    return read


def past(text: str) -> datetime:
    """Parse a time that is not in the future."""
    read = moment(text)
    if read > datetime.now(UTC):
        raise argparse.ArgumentTypeError(f"must be in the past, got {text!r}")
    return read


def positive(text: str, most: int = 999_999_999_999_999_999) -> int:
    """Parse a whole number of at least 1."""
    if not re.fullmatch(r"\d{1,18}", text) or not 1 <= int(text) <= most:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 to {most}, got {text!r}")
    return int(text)


def file(text: str) -> Path:
    """Parse the name of a file."""
    if not text:
        raise argparse.ArgumentTypeError("must be the name of a file, got ''")
    return Path(text)


def seconds(text: str) -> int:
    """Parse a number of seconds."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"must be a whole number of seconds, got {text!r}")
    return int(text)
