"""`query`: ask Athena about the datasets of a region."""

import csv
import itertools
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from typing import Any

from rich.table import Table

from ops import athena, display
from ops.athena import Answer
from ops.commands.options import add_command, chosen_stacks, positive
from ops.deployed_stacks import Stack
from ops.operator_errors import OpsError
from terminal.characters import visible
from terminal.command_line import print_error
from terminal.console import Console, plain
from terminal.machine import print_json


def add_parser(commands: Any) -> None:  # noqa: ANN401 - argparse does not export its type
    """Declare the command."""
    parser = add_command(commands, "query", "ask Athena about the datasets: SELECT ... FROM flights")
    parser.add_argument("statement", metavar="SQL", help="the query, in Athena's SQL")
    parser.add_argument("--region", help="a region, by default each of the stacks'")
    parser.add_argument("--dataset", help="whose workgroup to use; by default the first that the query names")
    parser.add_argument("--csv", action="store_true", help="CSV with a header, for programs")
    parser.add_argument("--limit", type=positive, default=100, help="rows that a table shows (default 100)")
    parser.set_defaults(run=run)


def run(arguments: Namespace) -> int:
    """Ask each stack and show its answer."""
    stacks = chosen_stacks(arguments)
    if arguments.region is not None:
        known = ", ".join(stack.region for stack in stacks)
        stacks = [stack for stack in stacks if stack.region == arguments.region]
        if not stacks:
            raise OpsError(f"no stack is in region {arguments.region!r}; there is {known}")
    for stack in stacks:
        workgroup = athena.workgroup_for(stack, arguments.statement, arguments.dataset)
        answer = _asked(stack, arguments.statement, workgroup)
        if arguments.json:
            for row in answer.rows:
                print_json({"stack": stack.name, **dict(zip(answer.columns, row, strict=True))})
        elif arguments.csv:
            _write_csv(stack, answer, with_stack=len(stacks) > 1)
        else:
            _show(stack, answer, arguments.limit)
    return 0


def _asked(stack: Stack, statement: str, workgroup: str) -> Answer:
    with display.progress() as bar:
        task = bar.add_task(f"{stack.region}: sent", total=None)

        def on_progress(state: str, scanned: int) -> None:
            bar.update(task, description=f"{stack.region}: {state.lower()}, {display.size(scanned)} scanned")

        return athena.ask(stack, statement, workgroup, on_progress)


def _show(stack: Stack, answer: Answer, limit: int) -> None:
    console = Console()
    console.say(display.heading(stack.name))
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    rows = list(itertools.islice(answer.rows, limit + 1))
    for index, name in enumerate(answer.columns):
        table.add_column(
            plain(name, "bold"), justify="right" if _is_number(rows, index) else "left", overflow="fold"
        )
    for row in rows[:limit]:
        table.add_row(*("" if value is None else plain(value) for value in row))
    console.print(table)
    if len(rows) > limit:
        console.say(f"the first {limit} rows; --limit shows more, --csv all")
    scanned = f"{display.size(answer.scanned_bytes)} scanned, about {answer.dollars:.6f} dollars"
    console.say(plain(scanned, "dim"))


def _is_number(rows: Sequence[Sequence[str | None]], index: int) -> bool:
    values = [row[index] for row in rows if row[index] is not None]
    return bool(values) and all(_parses(float, value or "") for value in values)


def _parses(parse: Callable[[str], object], text: str) -> bool:
    try:
        parse(text)
    except ValueError:
        return False
    return True


def _write_csv(stack: Stack, answer: Answer, *, with_stack: bool) -> None:
    """Write CSV as programs read it; where a person looks on, with what a terminal acts on made visible."""
    shown = visible if sys.stdout.isatty() else str
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow([*(["stack"] if with_stack else []), *map(shown, answer.columns)])
    for row in answer.rows:
        values = ("" if value is None else shown(value) for value in row)
        writer.writerow([*([stack.name] if with_stack else []), *values])
    print_error(f"ops: {stack.name}: {display.size(answer.scanned_bytes)} scanned")
