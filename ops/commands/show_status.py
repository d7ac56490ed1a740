"""`status`: the health of each region, its throughput, and its waiting messages."""

import time
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from ops import display, region_status
from ops.commands.options import add_command, deployment, past, seconds
from ops.region_status import Status
from terminal.console import Console, plain
from terminal.machine import print_json
from terminal.records import Records

POLL_SECONDS = 5


def add_parser(commands: Any) -> None:  # noqa: ANN401 - argparse does not export its type
    """Declare the command."""
    parser = add_command(commands, "status", "all regions at once; exit status 1 if one is not healthy")
    parser.add_argument("--since", type=past, default="24h", help="count jobs since then (default 24h)")
    parser.add_argument(
        "--wait",
        type=seconds,
        default=0,
        metavar="S",
        help="wait up to S seconds until all regions are healthy",
    )
    parser.set_defaults(run=run)


def run(arguments: Namespace) -> int:
    """Show each region; return 1 if one of them is not healthy."""
    found = deployment(arguments)
    deadline = time.monotonic() + arguments.wait
    while True:
        states = [region_status.read_status(stack, since=arguments.since) for stack in found.stacks]
        healthy = all(state.healthy for state in states)
        if healthy or time.monotonic() >= deadline:
            break
        time.sleep(POLL_SECONDS)
    if arguments.json:
        for state in states:
            print_json({"deployed": True, **asdict(state), "healthy": state.healthy})
        for name in found.undeployed:
            print_json({"deployed": False, "stack": name})
    else:
        _show(states, found.undeployed)
    return 0 if healthy else 1


def _show(states: Sequence[Status], undeployed: Sequence[str]) -> None:
    console = Console()
    numbers = ("completed", "failed", "skipped", "waiting", "in flight", "oldest", "dead letters")
    more = ("undelivered", "rows out", "rejected")
    records = Records("stack", "health", *numbers, *more, numbers=(*numbers, *more))
    for state in states:
        records.add(
            state.stack,
            _health(state),
            f"{state.completed:,}",
            display.alert(state.failed),
            f"{state.skipped:,}",
            f"{state.waiting:,}",
            f"{state.in_flight:,}",
            "-" if state.oldest_seconds is None else f"{state.oldest_seconds} s",
            display.alert(state.dead_letters),
            display.alert(state.undelivered),
            f"{state.rows_out:,}",
            f"{state.rows_rejected:,}",
            details={
                "region": state.region if state.region != state.stack else None,
                "alarms": state.alarms,
                "insufficient data": state.undecided,
                "code": "changed by hand: it is not the code that the stack deployed"
                if state.code_changed
                else None,
            },
        )
    for name in undeployed:
        records.add(name, "not deployed", *[""] * (len(numbers) + len(more)))
    records.print(console)


def _health(state: Status) -> Any:  # noqa: ANN401 - rich's Text
    if state.alarms:
        return plain("ALARM", "red")
    if state.code_changed:
        return plain("CHANGED", "red")
    return plain("not known yet", "yellow") if state.undecided else plain("healthy", "green")
