"""Folders: files with the same columns, and the pairs in the table of docs/reading.md."""

from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from tests.readers.folders import ERROR, PAIRS, RIGHT, outcome, readers, write
from tests.readers.published import difference, publish

PAGE = Path(__file__).parents[2] / "docs" / "reading.md"
SAFE = ("Spark 3.5", "Spark 4.0", "Trino")
"""The engines that must read a folder right or fail. A wrong value without an error is worse."""
UNSAFE = {
    "whole numbers, then timestamps": SAFE,
    "one decimal, then two": ("Trino",),
}
"""The exceptions, which the page names."""


@pytest.fixture(scope="session")
def pairs(folder):
    return write(folder)


def table_of_the_page() -> dict[str, dict[str, str]]:
    """Return the page's table, by pair and engine."""
    lines = PAGE.read_text().split("## Two files of different types")[1].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    header, _, *body = rows
    return {row[0]: dict(zip(header[1:], row[1:], strict=True)) for row in body}


@pytest.mark.parametrize("pair", PAIRS)
def test_a_pair_in_duckdb(pairs, pair):
    said = table_of_the_page()[pair]
    for name, read in readers({}).items():
        assert outcome(read, pair, pairs[pair]) == said[name].replace("**", "")


@pytest.mark.parametrize("pair", PAIRS)
def test_a_pair(engine, pairs, pair):
    result = outcome(engine.read, pair, pairs[pair])
    assert result == table_of_the_page()[pair][engine.name].replace("**", "")
    if engine.name in SAFE and engine.name not in UNSAFE.get(pair, ()):
        assert result in (RIGHT, ERROR)


def test_the_page_has_no_other_pairs():
    assert list(table_of_the_page()) == list(PAIRS)


def test_trino_reads_all_decimals_by_the_largest_scale(trino, pairs):
    columns = [("id", "bigint"), ("v", "decimal(38,9)")]
    for pair in ("one decimal, then two", "two decimals, then one"):
        assert outcome(lambda path: trino.query(path, columns), pair, pairs[pair]) == RIGHT


def test_duckdb_unites_decimals_of_38_digits_with_loss():
    """The reason why decimals are published with 19 digits before the point, and no more."""
    with duckdb.connect() as connection:
        query = "SELECT 10.5::DECIMAL({},1) UNION ALL SELECT 20.25::DECIMAL({},2)"
        assert connection.execute(query.format(38, 38)).fetchall()[1] != (Decimal("20.25"),)
        assert connection.execute(query.format(20, 21)).fetchall()[1] == (Decimal("20.25"),)


def test_files_of_the_same_columns(engine, folder):
    days = folder / "days"
    if not days.exists():
        for day in (1, 2):
            data = f"id,day,amount,name\n{day}1,2024-01-0{day},1.50,a\n{day}2,2024-01-0{day},2.25,b\n"
            publish(data.encode(), days / f"{day}.csv.parquet", f"input/{day}.csv")
    assert difference(engine, days) is None
