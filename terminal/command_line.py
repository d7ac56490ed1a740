"""The frame of each command line: one line instead of a traceback, and an exit status that tells."""

import argparse
import os
import sys
import traceback
from collections.abc import Callable
from typing import NoReturn

from terminal.characters import visible

NOT_DONE = 2
INTERRUPTED = 130
"""128 and the number of SIGINT, as shells have it."""


class Parser(argparse.ArgumentParser):
    """Says in one line what is wrong with the arguments."""

    def error(self, message: str) -> NoReturn:
        """Say it, and end with status 2."""
        self.exit(NOT_DONE, f"{visible(f'{self.prog}: {message}; see {self.prog} --help')}\n")


def run(name: str, command: Callable[[], int], explain: Callable[[Exception], str | None]) -> int:
    """Run a command and return its exit status.

    Args:
        name: What stands before each error.
        command: Does the work and returns the exit status.
        explain: Says in one line what an error means; None for one that nobody expected, whose traceback
            is shown.
    """
    try:
        status = command()
        sys.stdout.flush()  # while a broken pipe can still be told from an error
    except KeyboardInterrupt:
        print_error(f"{name}: stopped")
        return INTERRUPTED
    except BrokenPipeError:  # the reader has seen enough: `... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001 - those that nobody expected are shown whole
        said = explain(error)
        if said is None:
            for line in traceback.format_exc().splitlines():
                print_error(line)
        else:
            print_error(f"{name}: {said}")
        return NOT_DONE
    return status


def print_error(line: str) -> None:
    """Print one line to standard error."""
    print(visible(line), file=sys.stderr)
