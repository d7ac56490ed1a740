"""What `run` shows of the real tables fits 80 columns."""

import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest

from local import report
from terminal.console import Console
from tests.terminal.width import WIDTH

STACKS: tuple[str, ...] = (
    "ap-southeast-1",
    "eu-west-1",
    "us-east-1",
    "us-east-1-production",
    "eu-central-1-development",
)


@pytest.fixture
def console() -> Console:
    made = Console()
    made.width = WIDTH
    made.file = io.StringIO()
    return made


def printed(console: Console) -> list[str]:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def test_the_summary_names_every_stack(console: Console) -> None:
    functions = SimpleNamespace(substitutions=["layer analytics-etl is for arm64 and python3.13"])
    cloud: Any = SimpleNamespace(stacks=STACKS, functions=functions)
    report.print_summary(console, cloud, 123.45)
    lines = printed(console)
    assert all(len(line) <= WIDTH for line in lines)
    assert all(stack in " ".join(lines) for stack in STACKS)


def test_delays_are_shown_once_for_all_stacks_that_have_them(console: Console) -> None:
    rows: report.Rows = [
        {"carrier": carrier, "flights": "685", "without_arrival": "4", "mean_arrival_delay_minutes": delay}
        for carrier, delay in (("F9", "21.9"), ("EV", None))
    ]
    found: dict[str, report.Rows] = dict.fromkeys(STACKS[:3], rows) | dict.fromkeys(STACKS[3:], rows[:1])
    report.print_delays(console, found)
    lines = printed(console)
    assert all(len(line) <= WIDTH for line in lines)
    assert sum("F9" in line for line in lines) == 2
    assert sum("EV" in line for line in lines) == 1
    assert all(sum(stack in line.split(": ")[0] for line in lines) >= 1 for stack in STACKS)


def test_jobs_fit_and_their_keys_are_whole(console: Console) -> None:
    key = "input/" + "a-long-folder/" * 10 + "x.csv"
    record = {
        "status": "COMPLETED",
        "rows_in": 1_234_567_890,
        "rows_out": 1_234_567_890,
        "rows_rejected": 12_345_678,
        "bytes_in": 123_456_789_012,
        "bytes_out": 12_345_678_901,
        "duration_ms": 890_123,
        "input_path": key,
        "output_path": f"processed/{key}.parquet",
        "rejected_path": f"rejected/{key}.jsonl",
    }
    report.print_jobs(console, STACKS[3], [record])
    long = [line for line in printed(console) if len(line) > WIDTH]
    assert [line.split()[-1] for line in long] == [f"processed/{key}.parquet", f"rejected/{key}.jsonl"]


def test_first_rows_show_any_type(console: Console, tmp_path: Path) -> None:
    result = tmp_path / "result.parquet"
    duckdb.execute(
        "COPY (SELECT TIMESTAMPTZ '2024-01-31 10:00:00+00' AS moment, DATE '2024-01-31' AS day,"
        " [1, 2] AS parts, {'a': 1} AS inside, 1.50 AS price, NULL AS nothing) TO $path (FORMAT parquet)",
        {"path": str(result)},
    )
    cloud: Any = SimpleNamespace(get=lambda _stack, _key: result.read_bytes())
    console.width = 200
    report.print_preview(console, cloud, "eu-west-1", [{"status": "COMPLETED", "output_path": "result"}])
    row = printed(console)[-2]
    assert all(text in row for text in ("2024-01-31", "[1, 2]", "1.50"))
