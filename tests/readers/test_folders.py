"""Folders: files of the same columns, and the pairs of docs/reading.md, whose table is held."""

from pathlib import Path

import pytest

from tests.readers.folders import ERROR, PAIRS, RIGHT, outcome, ways, write
from tests.readers.published import difference, publish

PAGE = Path(__file__).parents[2] / "docs" / "reading.md"
SAFE = ("Spark 3.5", "Spark 4.0", "Trino")
"""Those that read a folder right, or fail: a wrong value without an error is worse than none."""


@pytest.fixture(scope="session")
def pairs(folder):
    return write(folder)


def table_of_the_page() -> dict[str, dict[str, str]]:
    """Give what the page says: by pair and engine."""
    lines = PAGE.read_text().split("## Two files of different types")[1].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    header, _, *body = rows
    return {row[0]: dict(zip(header[1:], row[1:], strict=True)) for row in body}


@pytest.mark.parametrize("pair", PAIRS)
def test_a_pair_in_duckdb(pairs, pair):
    said = table_of_the_page()[pair]
    for name, read in ways({}).items():
        assert outcome(read, pair, pairs[pair]) == said[name].replace("**", "")


@pytest.mark.parametrize("pair", PAIRS)
def test_a_pair(engine, pairs, pair):
    result = outcome(engine.read, pair, pairs[pair])
    assert result == table_of_the_page()[pair][engine.name].replace("**", "")
    if engine.name in SAFE:
        assert result in (RIGHT, ERROR)


def test_the_page_has_no_other_pairs():
    assert list(table_of_the_page()) == list(PAIRS)


def test_files_of_the_same_columns(engine, folder):
    days = folder / "days"
    if not days.exists():
        for day in (1, 2):
            data = f"id,day,amount,name\n{day}1,2024-01-0{day},1.50,a\n{day}2,2024-01-0{day},2.25,b\n"
            publish(data.encode(), days / f"{day}.csv.parquet", f"input/{day}.csv")
    assert difference(engine, days) is None
