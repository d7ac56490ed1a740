"""What every command line does: print an error in one line, and return an exit status."""

import argparse
import io
import os
import sys
import traceback
from collections.abc import Callable
from typing import NoReturn

from terminal.characters import visible

NOT_DONE = 2
INTERRUPTED = 130
"""128 plus the number of SIGINT, as shells report it."""


class Parser(argparse.ArgumentParser):
    """An argument parser that reports an error in one line."""

    def error(self, message: str) -> NoReturn:
        """Print the error and exit with status 2."""
        self.exit(NOT_DONE, f"{visible(f'{self.prog}: {message}; see {self.prog} --help')}\n")


def run(name: str, command: Callable[[], int], explain: Callable[[Exception], str | None]) -> int:
    """Run a command and return its exit status.

    Args:
        name: Prefix of each error message.
        command: Does the work and returns the exit status.
        explain: Returns an error's message; None for an unexpected error, whose traceback is printed. An
            error of the operating system explains itself.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # as standard error does by default
    try:
        status = command()
        sys.stdout.flush()  # a broken pipe must be raised here, and not when Python exits
    except KeyboardInterrupt:
        print_error(f"{name}: stopped")
        return INTERRUPTED
    except BrokenPipeError:  # the reader closed the pipe: `... | head`
        _discard_output()
        return 0
    except OSError as error:
        print_error(f"{name}: {explain(error) or _describe(error)}")
        try:
            sys.stdout.flush()
        except OSError:  # the error was about the output: its disk is full
            _discard_output()
        return NOT_DONE
    except Exception as error:  # noqa: BLE001 - unexpected errors are printed with their traceback
        message = explain(error)
        if message is None:
            for line in traceback.format_exc().splitlines():
                print_error(line)
        else:
            print_error(f"{name}: {message}")
        return NOT_DONE
    return status


def _describe(error: OSError) -> str:
    reason = error.strerror or str(error)
    return f"{error.filename}: {reason}" if error.filename else reason


def _discard_output() -> None:
    """Discard what is left of the output, which Python would write when it exits."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def print_error(line: str) -> None:
    """Print one line to standard error."""
    print(visible(line), file=sys.stderr)
