"""`python -m local redeliver`: make failed messages visible now, in the embedded AWS that is served here.

A message that failed stays hidden for its queue's visibility timeout, half an hour by default. Nobody who
practises with dead letters wants to wait for that three times.
"""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

from local import state_file
from terminal.console import Console

if TYPE_CHECKING:
    import argparse

SIGNAL = signal.SIGUSR1
"""What `serve` takes for the wish to redeliver."""


def add_parser(commands: Any) -> None:  # noqa: ANN401 - argparse does not export its type
    """Declare the command."""
    parser = commands.add_parser(
        "redeliver",
        help="deliver failed messages again at once, in what `serve` keeps running",
        description="Makes the messages that failed visible now, not after the queue's visibility timeout. A"
        " message that has been received as often as the stack allows becomes a dead letter instead.",
    )
    parser.set_defaults(run=run)


def run(_: argparse.Namespace) -> int:
    """Ask the process that serves."""
    state = state_file.read()
    os.kill(int(state["process"]), SIGNAL)
    Console().say(f"asked the embedded AWS at {state['endpoint_url']}; its terminal says what became of it")
    return 0
