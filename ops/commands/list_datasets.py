"""`datasets`: what each dataset holds, and which objects its contract has not converted."""

from argparse import Namespace
from dataclasses import asdict
from typing import Any

from ops import datasets, display
from ops.commands.options import add_command, chosen_stacks, command_for
from terminal.console import Console
from terminal.machine import print_json
from terminal.records import Records


def add_parser(commands: Any) -> None:  # noqa: ANN401 - argparse does not export its type
    """Declare the command."""
    parser = add_command(commands, "datasets", "objects, rows and newest upload of each dataset")
    parser.set_defaults(run=run)


def run(arguments: Namespace) -> int:
    """Show the datasets of each stack."""
    console = Console()
    for stack in chosen_stacks(arguments):
        found = list(datasets.states(stack))
        if arguments.json:
            for state in found:
                print_json(asdict(state))
            continue
        console.say(display.heading(stack.name))
        if not found:
            console.explain("no datasets: the setting regional-analytics:datasets names those to deploy")
            continue
        figures = ("objects", "rows", "rejected", "failed")
        records = Records("dataset", "contract", *figures, "newest (UTC)", numbers=figures)
        for state in found:
            replay = command_for(arguments, stack, "replay", state.prefix)
            records.add(
                state.dataset,
                state.version,
                f"{state.objects:,}",
                f"{state.rows:,}",
                display.alert(state.rejected),
                display.alert(state.failed),
                "" if state.newest is None else display.time(state.newest),
                details={
                    "uploads": f"s3://{stack.bucket}/{state.prefix}",
                    "outdated": f"{state.outdated:,} objects not converted by this contract; queries may fail"
                    if state.outdated
                    else None,
                    "convert": replay if state.outdated else None,
                },
            )
        records.print(console)
        if days := found[0].retention_days:
            console.explain(
                f"Job records expire after {days} days (jobRetentionDays). Objects whose record has expired"
                " are in none of the counts."
            )
    return 0
