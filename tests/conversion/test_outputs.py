import gzip
import hashlib
import json
import lzma
import zlib
from pathlib import Path

import duckdb
import pytest
from backports import zstd

from conversion import EmptyError
from conversion.budget import Budget
from conversion.engine import engine
from conversion.model import Limits
from tests.conversion.support import PROVENANCE, gzipped, refused, run

CSV = b"id,name,price,on,day\n" + b"".join(
    b"%d,name %d,%d.50,%b,2024-01-%02d\n" % (i, i % 10, i, b"true" if i % 2 else b"false", i % 28 + 1)
    for i in range(2000)
)


@pytest.mark.parametrize(
    ("data", "compression"),
    [
        (gzipped(CSV), "gzip"),
        (
            gzipped(CSV[:5000]) + gzipped(CSV[5000:]) + gzipped(b""),
            "gzip",
        ),
        (gzipped(CSV) + bytes(512), "gzip"),
        (zstd.compress(CSV), "zstd"),
        (zstd.compress(CSV[:5000]) + zstd.compress(CSV[5000:]), "zstd"),
        (CSV, "none"),
    ],
)
def test_compression(data, compression):
    converted = run(data, "data.csv")
    assert converted.result.compression == compression
    assert converted.account.rows_out == 2000
    assert converted.account.bytes_decompressed == len(CSV)


@pytest.mark.parametrize("data", [gzipped(b""), zstd.compress(b"")])
def test_nothing_compressed(data):
    with pytest.raises(EmptyError):
        run(data)


def test_text_after_a_compressed_member_is_damage():
    assert "damaged gzip" in refused(gzip.compress(CSV) + b"more").reason


@pytest.mark.parametrize(
    ("magic", "words"),
    [
        (b"PK\x03\x04", "ZIP"),
        (b"%PDF-1.7", "PDF"),
        (b"ORC", "ORC"),
        (b"\x89PNG\r\n", "PNG"),
        (b"Obj\x01\x02\x16avro.schema", "Avro"),
        (b"PARE", "encrypted"),
        (b"Rar!\x1a\x07\x01", "RAR"),
        (b"LZIP\x01\x17", "lzip"),
        (b"RDX3\nX\n", "objects of R"),
        (b"X\n\x00\x00\x00\x03\x00\x04", "an object of R"),
        (b"\x07\x2c\x1b\x5c\x00\x00\x00\x00DUCK", "DuckDB"),
        (b"a.csv" + bytes(252) + b"ustar", "tar"),
    ],
)
def test_formats_that_are_not_read_are_named(magic, words):
    assert words in refused(magic + bytes(100)).reason


@pytest.mark.parametrize(
    "data",
    [
        b"PARENT_ID,name\n1,a\n2,b\n",
        b"Obj\x01name\n1\x01a\n2\x01b\n",
        b"ORC,name\n1,a\n2,b\n",
        b"PAR1ID;name\r1;a\r2;b\r",
        b"id,word\n1," + b"x" * 246 + b"mustard\n2,b\n",
        b"id,bird\nDUCKLING,a\nSWAN,b\n",
        b"LZIP\x01name\n1\x01a\n2\x01b\n",
        b"RDX3\nx\ny\n",
    ],
)
def test_a_table_that_begins_as_another_format_is_a_table(data):
    assert len(run(data, "data.csv").rows) == 2


@pytest.mark.parametrize("compress", [lzma.compress, zlib.compress, lambda data: data[::-1]])
def test_binary_data_of_any_format_is_refused(compress):
    data = compress(hashlib.shake_256(b"").digest(100_000))[100:]
    assert "control characters" in refused(data, "data.log").reason


@pytest.mark.parametrize(
    "data",
    [
        b"caf\xe9\x02\n" * 2 + b"x\x1a",
        b"caf\xe9\n" * 40 + b"\x1a" * 100,
        b"caf\xe9\x01x\n" * 40,
        "é\x02x\n".encode() * 40,
        b"na\xefve\n" * 1000 + b"\x07" * 50,
    ],
)
def test_text_may_have_control_characters(data):
    assert run(data, "data.log").account.rows_rejected == 0


def test_any_format_compressed():
    assert run(gzip.compress(b'{"a":1}\n{"a":2}\n'), "x").types == {"a": "BIGINT"}


@pytest.fixture
def parquet(tmp_path):
    path = tmp_path / "source.parquet"
    with duckdb.connect() as connection:
        connection.sql(
            "SELECT i, i / 3 AS d, 's' || i AS s, [i] AS l, {'x': i} AS r, "
            "DATE '2024-01-01' + i::INTEGER AS day, "
            "(i / 7)::DECIMAL(9, 3) AS m, i % 2 = 0 AS b, NULL::VARCHAR AS n FROM range(3000) t(i)"
        ).write_parquet(str(path))
    return path


def test_parquet_keeps_its_types_and_values(parquet: Path):
    converted = run(parquet.read_bytes(), "data.parquet")
    with duckdb.connect() as connection:
        source = connection.read_parquet(str(parquet))
        types = dict(zip(source.columns, map(str, source.types), strict=True))
        assert converted.types == types | {"m": "DECIMAL(22,3)"}
        assert converted.query("FROM data") == source.fetchall()
    assert (converted.result.format, converted.result.encoding) == ("parquet", "binary")


@pytest.fixture
def odd_parquet(tmp_path):
    """Names and types that not every engine reads."""
    path = tmp_path / "odd.parquet"
    with duckdb.connect() as connection:
        connection.sql(
            f"""
            SELECT TIME '10:11:12.5' AS " t ", 4294967295::UINTEGER AS t, 'infinity'::TIMESTAMP AS "$path",
                [{{'x0': DATE '20000-01-01', 'a-b': 1}}] AS x0, DATE '2024-01-01' AS İd, 5 AS "{"名" * 90}"
            """
        ).write_parquet(str(path))
    return path


def test_parquet_is_published_in_types_and_names_that_all_engines_read(odd_parquet):
    converted = run(odd_parquet.read_bytes(), "data.parquet")
    assert converted.types == {
        "t_2": "VARCHAR",
        "t": "BIGINT",
        "_path": "VARCHAR",
        "x0": "STRUCT(x0 VARCHAR, a_b INTEGER)[]",
        "Id": "DATE",
        "名" * 85: "INTEGER",
    }
    assert converted.rows == [
        ("10:11:12.5", "4294967295", "infinity", "[{'x0': 20000-01-01, 'a_b': 1}]", "2024-01-01", "5")
    ]
    names = [column.source_name for column in converted.result.columns]
    assert names == [" t ", "t", "$path", "x0", "İd", "名" * 90]
    assert list(json.loads(converted.metadata["column_names"]).values()) == names
    assert json.loads(converted.metadata["renamed_fields"]) == [
        {"field": ["x0", "a_b"], "source_name": "a-b"}
    ]
    profile = {column["name"]: column for column in converted.profile["columns"]}
    assert profile["t_2"]["source_type"] == "TIME"
    assert profile["x0"]["renamed_fields"] == [{"field": ["x0", "a_b"], "source_name": "a-b"}]


def test_damaged_parquet(parquet: Path):
    data = parquet.read_bytes()
    assert "DuckDB cannot read" in refused(data[:-20]).reason
    assert "DuckDB cannot read" in refused(data[:200] + bytes(300) + data[500:]).reason


def test_the_layout_is_ours():
    path = str(run(CSV).result.parquet)
    with duckdb.connect() as connection:
        codecs = connection.execute("SELECT DISTINCT compression FROM parquet_metadata(?)", [path]).fetchall()
    assert codecs == [("ZSTD",)]


def test_provenance():
    metadata = run(CSV, "in/put 'quoted' ü.csv").metadata
    assert metadata["source_key"] == "in/put 'quoted' ü.csv"
    assert PROVENANCE.items() <= metadata.items()
    assert {"format", "encoding", "compression", "column_names"} <= metadata.keys()
    assert metadata["org.apache.spark.version"] == "3.5.0"


@pytest.mark.parametrize(
    "data", [CSV, b'{"a":1,"b":"x"}\n' * 100, gzipped(CSV), CSV.replace(b"5,", b"5,x,", 3)]
)
def test_same_in_same_out(data):
    one, other = run(data).result, run(data).result
    assert one.parquet.read_bytes() == other.parquet.read_bytes()
    assert one.profile.read_bytes() == other.profile.read_bytes()
    assert (one.rejects and one.rejects.read_bytes()) == (other.rejects and other.rejects.read_bytes())


def test_order_is_the_sources():
    rows = b"id,n\n" + b"".join(b"%d,x\n" % (i * 7919 % 200_003) for i in range(200_000))
    assert [row[0] for row in run(rows).query("SELECT id FROM data")] == [
        i * 7919 % 200_003 for i in range(200_000)
    ]


def test_profile():
    profile = run(CSV).profile
    counted = {"bytes_decompressed": len(CSV), "rows_in": 2000, "rows_out": 2000, "rows_rejected": 0}
    assert counted.items() <= profile["account"].items()
    columns = {column["name"]: column for column in profile["columns"]}
    assert columns["id"]["min"] == "0"
    assert columns["id"]["max"] == "1999"
    assert columns["price"]["type"] == "DECIMAL(21,2)"
    assert columns["day"]["max"] == "2024-01-28"
    assert all(column["nulls"] == 0 for column in profile["columns"])


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "COPY (SELECT 1) TO '/tmp/elsewhere.parquet'",
        "SET enable_external_access = true",
        "SET memory_limit = '10GB'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "ATTACH '/tmp/elsewhere.db'",
        "SELECT * FROM read_csv('https://example.com/x.csv')",
    ],
)
def test_the_engine_reaches_nothing_but_the_working_directory(tmp_path, statement):
    with engine(tmp_path, Budget(Limits(), tmp_path)) as connection, pytest.raises(duckdb.Error):
        connection.execute(statement)
