"""Inputs that some engine cannot read, or reads wrongly, if DuckDB writes them with its own types."""

from __future__ import annotations

import duckdb
import pytest

from tests.readers.engines import DuckDB, EngineError
from tests.readers.published import difference, publish, publish_query

DEEP = '{"id":1,"s":' + '{"a":' * 100 + "1" + "}" * 101 + "\n"

TEXTS = {
    "field-name-comma.ndjson": (
        '{"id":1,"s":{"a,b":1}}\n{"id":2,"s":{"a,b":2}}\n',
        ["BIGINT", "STRUCT(a_b BIGINT)"],
    ),
    "field-name-dash.ndjson": (
        '{"id":1,"s":{"a-b":1}}\n{"id":2,"s":{"a-b":2}}\n',
        ["BIGINT", "STRUCT(a_b BIGINT)"],
    ),
    "field-name-colon.ndjson": (
        '{"id":1,"s":{"dc:title":"x"}}\n{"id":2,"s":{"dc:title":"y"}}\n',
        ["BIGINT", "STRUCT(dc_title VARCHAR)"],
    ),
    "mixed.ndjson": ('{"id":1,"v":1}\n{"id":2,"v":"x"}\n{"id":3,"v":{"a":1}}\n', ["BIGINT", "VARCHAR"]),
    "all-null.ndjson": ('{"id":1,"v":null}\n{"id":2,"v":null}\n', ["BIGINT", "VARCHAR"]),
    "empty-object.ndjson": ('{"id":1,"v":{}}\n{"id":2,"v":{}}\n', ["BIGINT", "VARCHAR"]),
    "depth-100.ndjson": (DEEP, ["BIGINT", "VARCHAR"]),
    "name-capital-dotted-i.csv": ("İd,n\nfoo,1\nbar,2\n", ["VARCHAR", "BIGINT"]),
    "name-dollar-path.csv": ("$path,n\nfoo,1\nbar,2\n", ["VARCHAR", "BIGINT"]),
    "time.csv": ("t,n\n10:00:00,1\n23:59:59,2\n", ["VARCHAR", "BIGINT"]),
}
NAMES = {"name-capital-dotted-i.csv": ["Id", "n"], "name-dollar-path.csv": ["_path", "n"]}

UPLOADS = {
    "uint32": ("SELECT unnest([4294967295, 1])::UINTEGER AS v", ["BIGINT"]),
    "uint64": ("SELECT unnest([18446744073709551615, 1])::UBIGINT AS v", ["DECIMAL(20,0)"]),
    "variant": ("SELECT 1 AS id, 42::VARIANT AS v", ["INTEGER", "VARCHAR"]),
    "uuid": ("SELECT '6f1c1f8e-0000-4000-8000-000000000001'::UUID AS v", ["VARCHAR"]),
    "interval": ("SELECT INTERVAL '1 month 2 days' AS v", ["VARCHAR"]),
    "timestamp-nanoseconds": ("SELECT '2024-01-31 10:11:12.123456789'::TIMESTAMP_NS AS v", ["VARCHAR"]),
    "timestamp-infinity": ("SELECT unnest(['infinity', '2024-01-01'])::TIMESTAMP AS v", ["VARCHAR"]),
    "date-20000-and-44bc": ("SELECT unnest(['20000-01-01', '0044-03-15 (BC)'])::DATE AS v", ["VARCHAR"]),
    "field-names": (
        "SELECT {'a.b': 1, 'a,b': 2, 'a:b': 3} AS s",
        ['STRUCT("a.b" INTEGER, a_b INTEGER, a_b_2 INTEGER)'],
    ),
    "date-1500": (
        "SELECT DATE '1500-01-01' d, '1500-01-01 10:00'::TIMESTAMP t, '1500-01-01 10:00'::TIMESTAMPTZ z",
        ["DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE"],
    ),
    "names-apart-by-spaces": ('SELECT 1::BIGINT AS " a ", 2::BIGINT AS a', ["BIGINT", "BIGINT"]),
}


@pytest.mark.parametrize("name", TEXTS)
def test_text(engine, folder, name):
    data, types = TEXTS[name]
    path = folder / f"{name}.parquet"
    if not path.exists():
        publish(data.encode(), path, f"input/{name}")
    assert list(map(str, DuckDB.types(path))) == types
    assert list(DuckDB().read(path).names) == NAMES.get(name, list(DuckDB().read(path).names))
    assert difference(engine, path) is None


@pytest.mark.parametrize("name", UPLOADS)
def test_parquet(engine, folder, name):
    query, types = UPLOADS[name]
    path = folder / f"{name}.parquet"
    if not path.exists():
        publish_query(query, path)
    assert list(map(str, DuckDB.types(path))) == types
    assert difference(engine, path) is None


def test_dates_before_1582_need_the_key_in_the_metadata(spark, folder):
    """Without the key, Spark 3.5 refuses the file, and 4.0 reads it."""
    path = folder / "no-key.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"COPY (SELECT DATE '0001-01-01' AS d) TO '{path}'")
    if spark.version.startswith("3"):
        with pytest.raises(EngineError, match="ANCIENT"):
            spark.read(path)
    else:
        assert difference(spark, path) is None


def test_the_first_day_of_all_is_too_early_for_python_in_spark(spark, folder):
    """Spark reads it. Python needs the day before when it converts an instant to a datetime."""
    path = folder / "first-day.parquet"
    if not path.exists():
        publish_query("SELECT TIMESTAMPTZ '0001-01-01 00:00:00+00' AS v", path)
    with pytest.raises(EngineError, match="year 0"):
        spark.read(path)
    text = spark.run("spark.read.parquet(path).selectExpr('CAST(v AS STRING)')", path=str(path))
    assert text.rows == [("0001-01-01 00:00:00",)]


# Differences that the file cannot prevent. docs/reading.md names them.

MICROSECONDS = b"t,n\n2024-01-01 10:00:00.000001,1\n2024-01-01 10:00:00.999999,2\n"
LARGE = "SELECT unnest([9007199254740993, NULL])::BIGINT AS v"


def test_microseconds_are_rounded_to_milliseconds_by_trino_alone(engine, folder):
    path = folder / "microseconds.parquet"
    if not path.exists():
        publish(MICROSECONDS, path, "input/microseconds.csv")
    if engine.name != "Trino":
        assert difference(engine, path) is None
        return
    assert sorted(str(row[0]) for row in engine.read(path).rows) == [
        "2024-01-01 10:00:00",
        "2024-01-01 10:00:01",
    ]


def test_integers_with_nulls_are_floats_in_pandas_alone(engine, folder):
    path = folder / "large.parquet"
    if not path.exists():
        publish_query(LARGE, path)
    if engine.name != "pandas":
        assert difference(engine, path) is None
        return
    import pandas as pd

    assert engine.read(path).rows[0][0] == 9007199254740992.0
    assert pd.read_parquet(path, dtype_backend="pyarrow")["v"].tolist()[0] == 9007199254740993


HIDDEN = ("_begins-with-underscore.csv", ".begins-with-a-point.csv", "_folder/in-it.csv", ".folder/in-it.csv")
BLIND = ("pyarrow", "pandas", "Spark 3.5", "Spark 4.0", "Trino")
"""The engines that skip such files and folders."""


@pytest.mark.parametrize("name", HIDDEN)
def test_hidden_files_of_a_folder(engine, folder, name):
    lake = folder / f"hidden-{HIDDEN.index(name)}"
    if not lake.exists():
        publish(b"id,v\n1,a\n", lake / "seen.csv.parquet", "input/seen.csv")
        publish(b"id,v\n2,b\n", lake / f"{name}.parquet", f"input/{name}")
    rows = {row[0] for row in engine.read(lake).rows}
    seen = engine.name not in BLIND and "/" not in name  # a pattern for files is none for folders
    assert rows == ({1, 2} if seen else {1})


@pytest.mark.parametrize("name", HIDDEN[:2])
def test_hidden_files_by_their_own_names(engine, folder, name):
    """Trino cannot read a single file."""
    path = folder / "hidden" / f"{name}.parquet"
    if not path.exists():
        publish(b"id,v\n1,a\n2,b\n", path, f"input/{name}")
    if engine.name.startswith("Spark"):
        with pytest.raises(EngineError):
            engine.read(path)
    elif engine.name != "Trino":
        assert difference(engine, path) is None


def test_a_colon_in_a_name(engine, folder):
    path = folder / "colon" / "has:colon.csv.parquet"
    if not path.exists():
        publish(b"id,v\n1,a\n2,b\n", path, "input/has:colon.csv")
    if engine.name.startswith("Spark"):
        with pytest.raises(EngineError, match="URI"):
            engine.read(path)
    else:
        assert difference(engine, path) is None
