"""Every example of docs/reading.md, run and compared with its stated result."""

import ast
import re
import textwrap

import duckdb
import pytest

from tests.readers.published import publish
from tests.readers.test_folders import PAGE

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_RESULT = re.compile(r"(?:#|--) (\d+) rows$", re.MULTILINE)


def blocks(section):
    """Return the language and text of a section's code blocks."""
    text = PAGE.read_text().split(f"\n## {section}\n")[1].split("\n## ")[0]
    return _BLOCK.findall(text)


def lines(section, language):
    """Return the expressions in a section's code blocks of a language, each with its number of rows."""
    found = []
    for name, text in blocks(section):
        if name == language and (results := _RESULT.findall(text)):
            some = text.splitlines()
            assert len(some) == len(results)
            found += [
                (re.split(r" +(?:#|--) ", line)[0], int(n)) for line, n in zip(some, results, strict=True)
            ]
    assert found
    return found


@pytest.fixture(scope="session")
def days(folder):
    path = folder / "page"
    for day in (1, 2):
        data = f"id,day,amount,name\n{day}1,2024-01-0{day},1.50,a\n{day}2,2024-01-0{day},2.25,b\n"
        publish(data.encode(), path / f"{day}.csv.parquet", f"input/{day}.csv")
    return path


@pytest.mark.parametrize(
    ("section", "module"),
    [
        ("DuckDB", "duckdb"),
        ("pyarrow", "pyarrow"),
        ("pandas", "pandas"),
        ("polars", "polars"),
    ],
)
def test_examples_in_python(days, section, module):
    names = {module: __import__(module), "file": str(days / "1.csv.parquet"), "folder": str(days)}
    if module == "pyarrow":
        __import__("pyarrow.parquet")
        __import__("pyarrow.dataset")
    for expression, rows in lines(section, "python"):
        assert len(eval(expression, names)) == rows, expression


def test_examples_of_spark(spark, days):
    for expression, rows in lines("Spark", "python"):
        table = spark.run(expression, file=str(days / "1.csv.parquet"), folder=str(days))
        assert len(table.rows) == rows, expression


def test_examples_of_trino(trino, days):
    s3_folder = trino.upload(days, "page")
    trino.trino.create_database("readers")
    (create,) = [text for language, text in blocks("Trino and Athena") if language == "python"]
    exec(
        compile(ast.parse(textwrap.dedent(create)), "docs/reading.md", "exec"),
        {"glue": trino.trino.glue, "s3_folder": s3_folder},
    )
    for statement, rows in lines("Trino and Athena", "sql"):
        assert len(trino.trino.query(statement)) == rows, statement


# The statements of the page besides the examples.


@pytest.fixture(scope="session")
def growing(folder):
    """Two files of which the second has a column more."""
    path = folder / "growing"
    publish(b"id,v\n1,a\n", path / "1.parquet", "input/1.csv")
    publish(b"id,v,w\n2,b,c\n", path / "2.parquet", "input/2.csv")
    return path


def test_a_column_more(growing, spark, trino):
    pattern = f"{growing}/*.parquet"
    with duckdb.connect() as connection:
        assert connection.sql(f"FROM '{pattern}'").columns == ["id", "v"]
        by_name = connection.sql(f"FROM read_parquet('{pattern}', union_by_name = true)")
        assert by_name.columns == ["id", "v", "w"]
    import polars as pl
    import pyarrow as pa
    from pyarrow import dataset

    assert dataset.dataset(growing).to_table().column_names == ["id", "v"]
    schema = pa.schema([("id", pa.int64()), ("v", pa.string()), ("w", pa.string())])
    assert dataset.dataset(growing, schema=schema).to_table()["w"].to_pylist() == [None, "c"]
    with pytest.raises(pl.exceptions.PolarsError):
        pl.read_parquet(pattern)
    assert pl.scan_parquet(pattern, extra_columns="ignore").collect().columns == ["id", "v"]
    merged = spark.run("spark.read.option('mergeSchema', 'true').parquet(path)", path=str(growing))
    assert sorted(merged.names) == ["id", "v", "w"]
    read = trino.query(growing, [("id", "bigint"), ("w", "string")])
    assert sorted(map(tuple, read.rows)) == [(1, None), (2, "c")]


def test_json_is_text_to_duckdb(folder):
    path = publish(b'{"v":1}\n{"v":"x"}\n{"v":{"a":1}}\n', folder / "json.parquet", "input/json.ndjson")
    with duckdb.connect() as connection:
        rows = connection.execute(f"SELECT json_extract(v, '$.a') FROM '{path}'").fetchall()
    assert rows[-1] == ("1",)
