"""The engine can access one directory, and no other file, address or extension."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from conversion.budget import Budget
from conversion.engine import engine, identifier, literal
from conversion.model import Limits

HOSTILE_TEXTS = (
    "'; DROP TABLE jobs; --",
    "\"; SELECT * FROM read_text('/etc/passwd'); --",
    "../../etc/passwd",
    "a''b\"\"c",
    "new\nline\r\n\ttab",
    "\\",
    "$1 {x} %s",
    "日本語" * 341,
)


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    workdir = tmp_path / "workdir"
    workdir.mkdir()
    (workdir / "own.csv").write_text("a\n1\n")
    (tmp_path / "outside.csv").write_text("a\n1\n")
    with engine(workdir, Budget(Limits(), workdir)) as connection:
        yield connection


def test_engine_reads_and_writes_its_own_directory(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    own, copy = tmp_path / "workdir" / "own.csv", tmp_path / "workdir" / "copy.parquet"
    connection.execute(f"COPY (FROM read_csv('{own}')) TO '{copy}' (FORMAT parquet)")
    assert connection.execute(f"FROM read_parquet('{copy}')").fetchall() == [(1,)]


@pytest.mark.parametrize(
    "statement",
    [
        "FROM read_csv('{outside}/outside.csv')",
        "FROM read_csv('{outside}/workdir/../outside.csv')",
        "FROM read_text('/etc/passwd')",
        "FROM glob('/etc/*')",
        "FROM read_csv('https://example.com/a.csv')",
        "FROM read_parquet('s3://another-bucket/a.parquet')",
        "COPY (SELECT 1) TO '{outside}/stolen.csv'",
        "EXPORT DATABASE '{outside}/stolen'",
        "ATTACH '{outside}/stolen.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "LOAD '{outside}/any.duckdb_extension'",
        "CREATE SECRET (TYPE s3, PROVIDER credential_chain)",
        "SET enable_external_access = true",
        "SET allowed_directories = ['/']",
        "SET lock_configuration = false",
        "SET memory_limit = '100GB'",
        "SET autoload_known_extensions = true",
        "PRAGMA temp_directory = '/'",
        "RESET enable_external_access",
    ],
)
def test_engine_refuses_everything_else(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, statement: str
) -> None:
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(duckdb.Error) as refusal:
        connection.execute(statement.format(outside=tmp_path)).fetchall()
    # Refused for what it is, not because it is misspelt.
    assert not isinstance(refusal.value, duckdb.ParserException), refusal.value
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("text", HOSTILE_TEXTS, ids=range(len(HOSTILE_TEXTS)))
def test_text_stays_text(connection: duckdb.DuckDBPyConnection, text: str) -> None:
    (row,) = connection.execute(f"SELECT {literal(text)} AS {identifier(text)}").fetchall()
    assert row == (text,)
    assert connection.description
    assert connection.description[0][0] == text
