"""The output of `run` for people: the jobs and their results."""

from __future__ import annotations

import tempfile
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
from rich import box
from rich.cells import cell_len
from rich.table import Table

from local.errors import LocalError
from terminal.console import plain
from terminal.records import Records

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from local.cloud import Cloud
    from terminal.console import Console

PREVIEW_ROWS = 5
VALUE_WIDTH = 24
"""Maximum width of a value or a name in the preview; longer ones are cut."""
RESULTS = ("output_path", "rejected_path", "profile_path")
DELAYS = """
    SELECT carrier, count(*) AS flights, count(*) - count(arr_delay) AS without_arrival,
           round(avg(arr_delay), 1) AS mean_arrival_delay_minutes
    FROM flights GROUP BY carrier ORDER BY mean_arrival_delay_minutes DESC
"""
"""A query in Athena's SQL on the dataset's table."""

Rows = list[dict[str, Any]]


def print_summary(console: Console, cloud: Cloud, deployed_seconds: float) -> None:
    """Show what was deployed, and where it differs from AWS."""
    stacks = ", ".join(cloud.stacks)
    console.explain(
        f"Deployed {len(cloud.stacks)} stacks in {deployed_seconds:.1f} s, with IAM enforced: {stacks}"
    )
    if cloud.functions.substitutions:
        console.explain(
            "The deployed layers are built for another architecture. They were checked but not loaded: the"
            " functions ran with the same locked packages, built for this machine."
        )


def print_jobs(console: Console, stack: str, records: Sequence[Mapping[str, Any]]) -> None:
    """Show the job of each file of a stack."""
    numbers = ("rows in", "rows out", "rejected", "MB in", "MB out", "seconds", "MB/s")
    table = Records("status", *numbers, numbers=numbers)
    for record in records:
        seconds = float(record.get("duration_ms") or 0) / 1000
        megabytes = float(record.get("bytes_in") or 0) / 1e6
        table.add(
            record["status"],
            *(_count(record.get(name)) for name in ("rows_in", "rows_out", "rows_rejected")),
            f"{megabytes:,.2f}",
            f"{float(record.get('bytes_out') or 0) / 1e6:,.2f}",
            f"{seconds:,.2f}",
            f"{megabytes / seconds:,.1f}" if seconds else "-",
            details={
                "result": record.get("output_path"),
                "upload": None if record.get("output_path") else record["input_path"],
                "rejected rows": record.get("rejected_path"),
                "reason": record.get("error"),
            },
        )
    console.say()
    console.say(plain(stack, "bold underline"))
    table.print(console)


def keep_results(cloud: Cloud, stack: str, records: Sequence[Mapping[str, Any]], folder: Path) -> list[Path]:
    """Save a stack's results in the folder, under their keys, and return the files.

    Raises:
        LocalError: A file cannot be written.
    """
    kept = []
    for record in records:
        for key in filter(None, map(record.get, RESULTS)):
            path = folder / key
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(cloud.get(stack, key))
            except OSError as error:
                raise LocalError(f"{path} cannot be written: {error.strerror}") from None
            kept.append(path)
    return kept


def delays(cloud: Cloud) -> dict[str, Rows]:
    """Query the mean arrival delay by carrier in Athena, in the region of each stack."""
    return {stack: cloud.query(stack, "flights", DELAYS) for stack in cloud.stacks}


def print_delays(console: Console, found: Mapping[str, Rows]) -> None:
    """Show the results of `delays`: equal results once, with the stacks that have them."""
    answers: list[tuple[Rows, list[str]]] = []
    for stack, rows in found.items():
        same = next((stacks for known, stacks in answers if known == rows), None)
        if same is None:
            answers.append((rows, [stack]))
        else:
            same.append(stack)
    for rows, stacks in answers:
        console.say()
        console.explain(f"Mean arrival delay by carrier, queried in Athena in {', '.join(stacks)}:")
        _print_delays(console, rows)


def _print_delays(console: Console, rows: Rows) -> None:
    table = _table()
    table.add_column("Carrier")
    for heading in ("Flights", "No arrival", "Mean delay, min"):
        table.add_column(heading, justify="right")
    for row in rows:
        delay = row["mean_arrival_delay_minutes"]
        table.add_row(
            str(row["carrier"]),
            _count(row["flights"]),
            _count(row["without_arrival"]),
            "-" if delay is None else f"{float(delay):+.1f}",
        )
    console.print(table)


def print_preview(console: Console, cloud: Cloud, stack: str, records: Sequence[Mapping[str, Any]]) -> None:
    """Show the first rows of each result and the columns' types, as many columns as fit."""
    for record in records:
        if record["status"] != "COMPLETED":
            continue
        with tempfile.TemporaryDirectory() as folder:
            result = _download(cloud, stack, record["output_path"], Path(folder))
            columns = _query("DESCRIBE SELECT * FROM read_parquet($result)", result=str(result))
            rows = _query(
                "SELECT * FROM read_parquet($result) LIMIT $rows", result=str(result), rows=PREVIEW_ROWS
            )
        console.say()
        console.say(f"First rows in {stack} of {record['output_path']}")
        values = zip(*(row.values() for row in rows), strict=True) if rows else [()] * len(columns)
        cells = [
            [_short(column["column_name"]), _short(column["column_type"]), *map(_short, below)]
            for column, below in zip(columns, values, strict=True)
        ]
        shown = _fitting(cells, console.width)
        table = _table()
        for name, kind, *_ in cells[:shown]:
            table.add_column(f"{name}\n{kind}", no_wrap=True)
        for number in range(len(rows)):
            table.add_row(*(column[2 + number] for column in cells[:shown]))
        console.print(table)
        if shown < len(columns):
            console.say(f"and {len(columns) - shown:,} more columns")


def as_json_value(value: Any) -> Any:  # noqa: ANN401 - any value of DynamoDB or DuckDB
    """Return a number or a text for a value of a type that JSON does not have."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return str(value)


def _table() -> Table:
    return Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))


def _short(value: Any) -> str:  # noqa: ANN401 - any value of DuckDB
    text = "" if value is None else plain(value).plain
    return text if len(text) <= VALUE_WIDTH else f"{text[: VALUE_WIDTH - 1]}…"


def _fitting(cells: Sequence[Sequence[str]], width: int) -> int:
    """Return how many columns of the table fit side by side in the width; at least one."""
    used = 0
    for number, column in enumerate(cells):
        used += max(map(cell_len, column)) + 2
        if number and used > width:
            return number
    return len(cells)


def _download(cloud: Cloud, stack: str, key: str, folder: Path) -> Path:
    path = folder / "result.parquet"
    path.write_bytes(cloud.get(stack, key))
    return path


def _query(sql: str, **parameters: Any) -> list[Any]:  # noqa: ANN401 - any parameter of SQL
    with duckdb.connect() as connection:
        found = connection.execute(sql, parameters)
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _count(value: Any) -> str:  # noqa: ANN401 - a number or None
    return "-" if value is None else f"{int(value):,}"
