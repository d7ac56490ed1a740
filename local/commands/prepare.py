"""`python -m local prepare`: install what the other commands and the tests would otherwise download."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.embedded_lambda.host_layer import LOCK, PROJECT, host_layer
from terminal.console import Console

if TYPE_CHECKING:
    import argparse


def add_parser(commands: Any) -> None:  # noqa: ANN401 - argparse does not export its type
    """Declare the command."""
    parser = commands.add_parser(
        "prepare",
        help="install the layer's packages for this machine",
        description=f"Installs {LOCK.relative_to(PROJECT)} for this machine into .build, unless it is there."
        " The functions use it when the deployed layer is built for another architecture.",
    )
    parser.set_defaults(run=run)


def run(_: argparse.Namespace) -> int:
    """Install."""
    Console().say(f"{host_layer().relative_to(PROJECT)}: {LOCK.name} for this machine")
    return 0
