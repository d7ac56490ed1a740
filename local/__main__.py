"""`python -m local`: the embedded AWS on the command line."""

from __future__ import annotations

import argparse
import sys
from typing import NoReturn

from local.commands import COMMANDS
from local.errors import LocalError


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Say what is wrong in one line."""
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def main(arguments: list[str] | None = None) -> int:
    """Run one command; give its exit status."""
    parser = _Parser(prog="python -m local", description="The project's three regions on an embedded AWS.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add_parser(commands)
    parsed = parser.parse_args(arguments)
    try:
        return parsed.run(parsed)
    except LocalError as error:
        print(f"python -m local {parsed.command}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
