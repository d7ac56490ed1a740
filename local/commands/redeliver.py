"""`python -m local redeliver`: make failed messages visible at once in the running embedded AWS.

A failed message stays hidden for its queue's visibility timeout, half an hour by default. This command
removes the wait, so that dead letters and a redrive can be practised.
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
"""The signal on which `serve` redelivers failed messages."""


def add_parser(commands: Any) -> None:  # noqa: ANN401 - argparse does not export its type
    """Declare the command."""
    parser = commands.add_parser(
        "redeliver",
        help="deliver failed messages again at once in the embedded AWS that `serve` runs",
        description="Makes failed messages visible at once instead of after the queue's visibility timeout. A"
        " message that has reached the stack's maximum receive count becomes a dead letter.",
    )
    parser.set_defaults(run=run)


def run(_: argparse.Namespace) -> int:
    """Send the signal to the process of `serve`."""
    state = state_file.read()
    os.kill(int(state["process"]), SIGNAL)
    console = Console()
    console.say(f"asked the embedded AWS at {state['endpoint_url']} to redeliver failed messages")
    console.say("`serve` prints the result in its terminal")
    return 0
