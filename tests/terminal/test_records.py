"""Records fit the terminal, and details are not cut."""

import io

import pytest

from terminal.console import Console
from terminal.records import Records, print_pairs

KEY = "input/" + "a-long-name/" * 20 + "x.csv"
NUMBERS = ("rows in", "rows out", "rejected", "seconds")


def printed(records: Records, width: int) -> list[str]:
    console = Console()
    console.width = width
    console.file = io.StringIO()
    records.print(console)
    return console.file.getvalue().splitlines()


def records() -> Records:
    made = Records("status", "time (UTC)", *NUMBERS, numbers=NUMBERS)
    for rows in ("7", "999,999,999"):
        made.add(
            "COMPLETED", "2026-11-28 07:00:00", rows, rows, "0", "0.1", details={"key": KEY, "error": None}
        )
    return made


@pytest.mark.parametrize("width", [40, 60, 80, 120, 240])
def test_lines_fit_the_width(width: int) -> None:
    lines = printed(records(), width)
    assert all(len(line) <= width or KEY in line for line in lines)
    assert sum(line == f"  key  {KEY}" for line in lines) == 2


def test_what_does_not_fit_is_named_below() -> None:
    wide, narrow = printed(records(), 240), printed(records(), 50)
    assert wide[0].split() == ["status", "time", "(UTC)", "rows", "in", "rows", "out", "rejected", "seconds"]
    assert wide[1].split()[-4:] == ["7", "7", "0", "0.1"]
    assert narrow[0].split() == ["status", "time", "(UTC)", "rows", "in"]
    assert "  rows out 7  rejected 0  seconds 0.1" in narrow


def test_numbers_stand_on_the_right() -> None:
    lines = printed(records(), 240)
    few, many = lines[1].index(" 7 ") + len(" 7"), lines[3].index("999,999,999") + len("999,999,999")
    assert few == many


def test_wide_characters_keep_columns_in_line() -> None:
    made = Records("name", "n", numbers=("n",))
    made.add("表表", "1")
    made.add("abcd", "2")
    assert [line[-1] for line in printed(made, 80)] == ["n", "1", "2"]


def test_no_value_of_a_pair_is_cut() -> None:
    console = Console()
    console.width = 80
    console.file = io.StringIO()
    print_pairs(console, {"key": KEY, "status": "COMPLETED"})
    assert console.file.getvalue() == f"key     {KEY}\nstatus  COMPLETED\n"
