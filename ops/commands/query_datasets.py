"""`query`: run a query on the datasets of a region in Athena."""

import csv
import io
import itertools
import sys
from argparse import Namespace
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ops import athena, display
from ops.athena import Answer
from ops.commands.options import add_command, chosen_stacks, positive, refuse_beside
from ops.deployed_stacks import Stack
from ops.operator_errors import OpsError
from terminal.characters import visible
from terminal.command_line import print_error
from terminal.console import Console, plain
from terminal.machine import print_json
from terminal.records import Records

ROWS = 100
"""The default of `--limit`."""


def add_parser(commands: Any) -> None:  # noqa: ANN401 - argparse does not export its type
    """Declare the command."""
    parser = add_command(commands, "query", "query the datasets in Athena: SELECT ... FROM flights")
    parser.add_argument("statement", metavar="SQL", help="the query, in Athena's SQL")
    parser.add_argument("--region", help="a region (default: the regions of all stacks)")
    parser.add_argument(
        "--dataset", help="the dataset whose workgroup runs the query (default: the first in the query)"
    )
    parser.add_argument("--csv", action="store_true", help="print CSV in UTF-8 with a header, for programs")
    parser.add_argument("--limit", type=positive, help=f"maximum number of rows in a table (default {ROWS})")
    parser.set_defaults(run=run)


def run(arguments: Namespace) -> int:
    """Run the query in each stack and show its result.

    Raises:
        OpsError: No stack is in the region, a query fails, or its columns do not fit the format.
    """
    refuse_beside(arguments, "--json", "--csv", "--limit")
    refuse_beside(arguments, "--csv", "--limit")
    stacks = chosen_stacks(arguments)
    if arguments.region is not None:
        known = ", ".join(sorted({stack.region for stack in stacks}))
        stacks = [stack for stack in stacks if stack.region == arguments.region]
        if not stacks:
            raise OpsError(f"no stack is in region {arguments.region!r}; the stacks are in {known}")
    table = _Csv(with_stack=len(stacks) > 1)
    for stack in stacks:
        workgroup = athena.workgroup_for(stack, arguments.statement, arguments.dataset)
        answer = _run_query(stack, arguments.statement, workgroup)
        if arguments.json:
            _print_json(stack, answer)
        elif arguments.csv:
            table.write(stack, answer)
        else:
            _show(stack, answer, arguments.limit or ROWS)
    return 0


def _run_query(stack: Stack, statement: str, workgroup: str) -> Answer:
    with display.progress() as bar:
        task = bar.add_task(f"{stack.name}: submitted", total=None)

        def on_progress(state: str, scanned: int) -> None:
            bar.update(task, description=f"{stack.name}: {state.lower()}, {display.size(scanned)} scanned")

        return athena.run_query(stack, statement, workgroup, on_progress)


def _show(stack: Stack, answer: Answer, limit: int) -> None:
    console = Console()
    console.say(display.heading(stack.name))
    rows = list(itertools.islice(answer.rows, limit + 1))
    numbers = [name for index, name in enumerate(answer.columns) if _is_number(rows, index)]
    records = Records(*answer.columns, numbers=numbers)
    for row in rows[:limit]:
        records.add(*(plain("NULL", "dim") if value is None else value for value in row))
    records.print(console)
    if len(rows) > limit:
        console.say(f"These are the first {limit} rows; --limit shows more, --csv all.")
    console.say(f"{display.size(answer.scanned_bytes)} scanned, about {answer.dollars:.6f} US dollars")


def _is_number(rows: Sequence[Sequence[str | None]], index: int) -> bool:
    values = [row[index] for row in rows if row[index] is not None]
    return bool(values) and all(_parses(float, value or "") for value in values)


def _parses(parse: Callable[[str], object], text: str) -> bool:
    try:
        parse(text)
    except ValueError:
        return False
    return True


def _print_json(stack: Stack, answer: Answer) -> None:
    names = ["stack", *answer.columns]
    for name, count in Counter(names).items():
        if count > 1:
            raise OpsError(
                f"--json needs names that differ, got {count} columns {name!r}: rename them with AS"
            )
    for row in answer.rows:
        print_json(dict(zip(names, [stack.name, *row], strict=True)))


@dataclass
class _Csv:
    """One table of CSV with the rows of all stacks; on a terminal, with control characters escaped."""

    with_stack: bool
    """Whether the first column is the stack's name."""
    columns: Sequence[str] | None = None

    def write(self, stack: Stack, answer: Answer) -> None:
        """Write the rows of a stack, and the header before those of the first."""
        shown = visible if sys.stdout.isatty() else str
        if isinstance(sys.stdout, io.TextIOWrapper) and not sys.stdout.isatty():
            sys.stdout.reconfigure(encoding="utf-8")  # another encoding might lack characters of the values
        writer = csv.writer(sys.stdout, lineterminator="\n")
        if self.columns is None:
            self.columns = answer.columns
            writer.writerow([*(["stack"] if self.with_stack else []), *map(shown, answer.columns)])
        if answer.columns != self.columns:
            raise OpsError(
                f"--csv needs the same columns in each stack, got {', '.join(answer.columns)} in"
                f" {stack.name}: choose a stack with --stack"
            )
        for row in answer.rows:
            values = ("" if value is None else shown(value) for value in row)
            writer.writerow([*([stack.name] if self.with_stack else []), *values])
        print_error(f"ops: {stack.name}: {display.size(answer.scanned_bytes)} scanned")
