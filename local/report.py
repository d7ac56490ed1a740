"""What the main job shows to people: the jobs, and the data that came out."""

from __future__ import annotations

import tempfile
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
from rich import box
from rich.table import Table

from local.tables import airlines_file

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

    from local.cloud import Cloud

PLAIN_WIDTH = 110
"""Columns of the tables where there is no terminal to ask."""
PREVIEW_ROWS = 5
PREVIEW_COLUMNS = 8
FLIGHTS = "processed/input/flights.csv.parquet"
DELAYS = """
    SELECT flights.carrier, airlines.name AS airline, count(*) AS flights,
           count(*) FILTER (arr_delay IS NULL) AS without_arrival,
           round(avg(arr_delay), 1) AS mean_arrival_delay_minutes
    FROM read_parquet($flights) AS flights LEFT JOIN read_csv($airlines) AS airlines USING (carrier)
    GROUP BY ALL ORDER BY mean_arrival_delay_minutes DESC
"""

Rows = list[dict[str, Any]]


def print_summary(console: Console, cloud: Cloud, deployed_seconds: float) -> None:
    """Say what was deployed, and what of it is not as on AWS."""
    regions = ", ".join(cloud.regions)
    console.print(
        f"Deployed {len(cloud.regions)} regions in {deployed_seconds:.1f} s, IAM enforced: {regions}"
    )
    if cloud.functions.substitutions:
        console.print(
            "The deployed layers are for another machine (checked, not loaded): the functions ran with the"
            " same locked packages, built for this one."
        )


def jobs_table(region: str, records: Sequence[Mapping[str, Any]]) -> Table:
    """One line per file of a region; narrow enough for a terminal of 80 columns."""
    table = Table(
        title=region, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0)
    )
    table.add_column("Output key", overflow="fold")
    table.add_column("Status", no_wrap=True)
    for heading in ("Rows in", "Rows out", "Rejected", "MB in", "MB out", "s", "MB/s"):
        table.add_column(heading, justify="right", no_wrap=True)
    for record in records:
        seconds = float(record.get("duration_ms") or 0) / 1000
        megabytes = float(record.get("bytes_in") or 0) / 1e6
        table.add_row(
            record.get("output_path") or f"none of {record['input_path']}",
            record["status"],
            *(_count(record.get(name)) for name in ("rows_in", "rows_out", "rows_rejected")),
            f"{megabytes:,.2f}",
            f"{float(record.get('bytes_out') or 0) / 1e6:,.2f}",
            f"{seconds:,.2f}",
            f"{megabytes / seconds:,.1f}" if seconds else "-",
        )
    return table


def delays(cloud: Cloud, region: str) -> Rows:
    """Ask the flights' Parquet for the mean arrival delay by carrier; nothing if it did not come out."""
    if FLIGHTS not in cloud.keys(region, FLIGHTS):
        return []
    with tempfile.TemporaryDirectory() as folder:
        flights = _download(cloud, region, FLIGHTS, Path(folder))
        return _query(DELAYS, flights=str(flights), airlines=str(airlines_file()))


def delays_table(rows: Rows, region: str) -> Table:
    """Show what `delays` found."""
    title = f"Mean arrival delay by carrier\nfrom {FLIGHTS} in {region}"
    table = Table(
        title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0)
    )
    for heading in ("Carrier", "Airline"):
        table.add_column(heading)
    for heading in ("Flights", "No arrival", "Mean delay, min"):
        table.add_column(heading, justify="right")
    for row in rows:
        delay = row["mean_arrival_delay_minutes"]
        table.add_row(
            row["carrier"],
            row["airline"],
            _count(row["flights"]),
            _count(row["without_arrival"]),
            "-" if delay is None else f"{delay:+.1f}",
        )
    return table


def print_preview(console: Console, cloud: Cloud, region: str, records: Sequence[Mapping[str, Any]]) -> None:
    """Show the first rows of each result, with the columns' types."""
    for record in records:
        if record["status"] != "COMPLETED":
            continue
        with tempfile.TemporaryDirectory() as folder:
            result = _download(cloud, region, record["output_path"], Path(folder))
            columns = _query("DESCRIBE SELECT * FROM read_parquet($result)", result=str(result))
            rows = _query(
                "SELECT * FROM read_parquet($result) LIMIT $rows", result=str(result), rows=PREVIEW_ROWS
            )
        table = Table(
            title=f"First rows of {record['output_path']} in {region}",
            title_justify="left",
            box=box.SIMPLE_HEAD,
        )
        for column in columns[:PREVIEW_COLUMNS]:
            table.add_column(f"{column['column_name']}\n{column['column_type']}", overflow="fold")
        for row in rows:
            table.add_row(
                *("" if value is None else str(value) for value in list(row.values())[:PREVIEW_COLUMNS])
            )
        console.print(table)
        if len(columns) > PREVIEW_COLUMNS:
            console.print(f"and {len(columns) - PREVIEW_COLUMNS} more columns")


def plain(value: Any) -> Any:  # noqa: ANN401 - whatever DynamoDB and DuckDB give
    """Give a number or text for what JSON has no form for."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return str(value)


def _download(cloud: Cloud, region: str, key: str, folder: Path) -> Path:
    path = folder / "result.parquet"
    cloud.client("s3", region).download_file(cloud.outputs[region]["bucketName"], key, str(path))
    return path


def _query(sql: str, **parameters: Any) -> Rows:  # noqa: ANN401 - whatever SQL takes
    with duckdb.connect() as connection:
        found = connection.execute(sql, parameters)
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _count(value: Any) -> str:  # noqa: ANN401 - a number or None
    return "-" if value is None else f"{int(value):,}"
