"""Parquet uploads: types and names that DuckDB cannot write, and files that are refused.

The files were written by pyarrow 26, without compression and without the Arrow schema.
"""

import base64
import json
import struct
import time

import duckdb
import pytest

from conversion import EmptyError
from tests.conversion.support import refused, run

INT96 = base64.b64decode(
    "UEFSMRUEFRgVHEwVAhUAEgAADCwVb+pi/UgAAJWFJQAVABUSFRYsFQIVEBUGFQYcAAAACSACAAAAAgEBAgAVBBksNQAYBnNjaGVtYRUC"
    "ABUGJQIYAXQAFgIZHBkcJgAcFQYZNQAGEBkYAXQVAhYCFmwWdCZAJggpLBUEFQAVAgAVABUQFQIAPCkGGSYAAgAAABZsFgImCBZ0ABkc"
    "GAxBUlJPVzpzY2hlbWEYoAEvLy8vLzNBQUFBQVFBQUFBQUFBS0FBd0FCZ0FGQUFnQUNnQUFBQUFCQkFBTUFBQUFDQUFJQUFBQUJBQUlB"
    "QUFBQkFBQUFBRUFBQUFVQUFBQUVBQVVBQWdBQmdBSEFBd0FBQUFRQUJBQUFBQUFBQUVLRUFBQUFCZ0FBQUFFQUFBQUFBQUFBQUVBQUFC"
    "MEFBWUFDQUFHQUFZQUFBQUFBQU1BABggcGFycXVldC1jcHAtYXJyb3cgdmVyc2lvbiAyNi4wLjEZHBwAAAA4AQAAUEFSMQ=="
)
"""One timestamp of 96 bits: 2020-06-28 22:17:33.123456789."""

TWINS = base64.b64decode(
    "UEFSMRUAFSAVICwVAhUAFQYVBhwAAAACAAAAAgACAAAAAgQBAAAAFQAVIBUgLBUCFQAVBhUGHAAAAAIAAAACAAIAAAACBAIAAAAVBBls"
    "NQAYBnNjaGVtYRUCADUCGAFzFQIVBkw8AAAANQQYBGxpc3QVAgA1AhgHZWxlbWVudBUEABUCJQIYAWEAFQIlAhgBQQAWAhkcGSwmABwV"
    "AhklBgAZSAFzBGxpc3QHZWxlbWVudAFhFQAWAhZGFkYmCEkcFQAVABUCADwpJgIAGVYAAAAAAgAAACYAHBUCGSUGABlIAXMEbGlzdAdl"
    "bGVtZW50AUEVABYCFkYWRiZOSRwVABUAFQIAPCkmAgAZVgAAAAACAAAAFowBFgImCBaMAQAoIHBhcnF1ZXQtY3BwLWFycm93IHZlcnNp"
    "b24gMjYuMC4xGSwcAAAcAAAAAAEAAFBBUjE="
)
"""A list of a struct with the fields ``a`` and ``A``: [{"a": 1, "A": 2}]."""

ENCRYPTED = base64.b64decode(
    "UEFSMS8AAADUid8j7U5d7k+BNx3fmpMi9rj9PYwKVPCR9Au8HRFtc5TPI8ZefpLyGPPwxh8ArSoAAADUd7O/tZodQUw6Lr1GKTh3GkNA"
    "EWGZwo5AGDhZ7k3iETJDT0DE/rSlnmMVBBksNQAYBnNjaGVtYRUCABUEJQIYAWEAFgIZHBkcJgAcFQQZJQYAGRgBYRUAFgIWggEWwgEm"
    "CHwpBhkmAAIAAFwsGRgBYRiSAnsia2V5TWF0ZXJpYWxUeXBlIjoiUEtNVDEiLCJpbnRlcm5hbFN0b3JhZ2UiOnRydWUsImlzRm9vdGVy"
    "S2V5IjpmYWxzZSwibWFzdGVyS2V5SUQiOiJjIiwid3JhcHBlZERFSyI6Im50Q2s3OWZFc2NuN1E2YkthSlNiOUZ3SmFxcm9IZUpUQ0xV"
    "aFlpREtsSi8vbmtCL0xETXkvWHcyMDZrPSIsImRvdWJsZVdyYXBwaW5nIjp0cnVlLCJrZXlFbmNyeXB0aW9uS2V5SUQiOiJZemlieDdD"
    "VGcrMWZjTk9GTFNtaGF3PT0iLCJ3cmFwcGVkS0VLIjoib3BGTXF5L1lNUzhRcWRrdDBqYkF2Zz09In0AABhIRAAAAM004l2bK1PZ/BXp"
    "pftIiOR0PknQ84bsxYKt9qaZX4WYgtXTXeNaRlY8yHUmEeNUQxPyQaeEz4wkGfPvHZWj7rLhLAMrABaCARYCJggWwgEUAAAoIHBhcnF1"
    "ZXQtY3BwLWFycm93IHZlcnNpb24gMjYuMC4xGRwcAAAcHCgIA/jRNXwgApgSAAAYxgJ7ImtleU1hdGVyaWFsVHlwZSI6IlBLTVQxIiwi"
    "aW50ZXJuYWxTdG9yYWdlIjp0cnVlLCJpc0Zvb3RlcktleSI6dHJ1ZSwia21zSW5zdGFuY2VJRCI6IkRFRkFVTFQiLCJrbXNJbnN0YW5j"
    "ZVVSTCI6IkRFRkFVTFQiLCJtYXN0ZXJLZXlJRCI6ImYiLCJ3cmFwcGVkREVLIjoiUit2ditXc25nS2R0VkRHaThFVStUOXVDeHNkQUww"
    "amczN255eFlYQW4rcU90N2I3YUhnRlNUZ2dvSjg9IiwiZG91YmxlV3JhcHBpbmciOnRydWUsImtleUVuY3J5cHRpb25LZXlJRCI6InIx"
    "Sk41NzJIYWRxbzZYb3cxVWtWVGc9PSIsIndyYXBwZWRLRUsiOiI5Y2xXcjcxdzVMMlpzY240a204Q1VRPT0ifQCKn7kINSCWZtDjRV1f"
    "gbRvzHWUVi+sTpxlqoOeUgMAAFBBUjE="
)
"""A footer that is not encrypted, and an encrypted column."""

NO_COLUMNS = base64.b64decode(
    "UEFSMRUEGRw1ABgGc2NoZW1hFQAAFgAZHBkMFgAWACYAFgAAKCBwYXJxdWV0LWNwcC1hcnJvdyB2ZXJzaW9uIDI2LjAuMRkMAEUAAABQ"
    "QVIx"
)
"""A table without columns."""


def parquet(tmp_path, query: str) -> bytes:
    path = tmp_path / "upload.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")
    return path.read_bytes()


def test_timestamps_of_96_bits_keep_their_nanoseconds():
    converted = run(INT96, "data.parquet")
    assert converted.source_types == {"t": "TIMESTAMP_NS"}
    assert converted.rows == [("2020-06-28 22:17:33.123456789",)]


@pytest.mark.parametrize(
    ("day", "nanoseconds", "type_", "value"),
    [
        (2459029, 1_000, "TIMESTAMP", "2020-06-28 00:00:00.000001"),
        (5373484, 0, "TIMESTAMP", "9999-12-31 00:00:00"),
        (5373484, 123, "VARCHAR", "9999-12-31 00:00:00.000000123"),
        (2268924, 86_399_999_999_999, "VARCHAR", "1500-01-01 23:59:59.999999999"),
        (2147483647, 0, "VARCHAR", "5874898-06-03 00:00:00"),
    ],
)
def test_timestamps_of_96_bits_are_exact_in_any_year(day, nanoseconds, type_, value):
    stored = struct.pack("<qi", 80_253_123_456_789, 2459029)
    assert INT96.count(stored) == 1
    converted = run(INT96.replace(stored, struct.pack("<qi", nanoseconds, day)), "data.parquet")
    assert (converted.types, converted.rows) == ({"t": type_}, [(value,)])


@pytest.mark.parametrize(("nanoseconds", "day"), [(0, -1), (2**62, 2459029)])
def test_a_timestamp_of_96_bits_that_duckdb_cannot_hold_is_refused(nanoseconds, day):
    """Spark wrote the year 290000 in this way (int96_from_spark.parquet of apache/parquet-testing)."""
    stored = struct.pack("<qi", 80_253_123_456_789, 2459029)
    data = INT96.replace(stored, struct.pack("<qi", nanoseconds, day))
    assert "a timestamp of 96 bits" in refused(data, "data.parquet").reason


def test_fields_that_differ_by_case_alone_are_renamed_and_listed():
    converted = run(TWINS, "data.parquet")
    assert converted.types == {"s": "STRUCT(a INTEGER, A_2 INTEGER)[]"}
    assert converted.rows == [("[{'a': 1, 'A_2': 2}]",)]
    listed = [{"field": ["s", "A_2"], "source_name": "A"}]
    assert json.loads(converted.metadata["renamed_fields"]) == listed
    assert converted.profile["columns"][0]["renamed_fields"] == listed


@pytest.mark.parametrize(("lists", "is_read"), [(16, True), (17, False), (26, False)])
def test_lists_that_take_too_long_are_refused_before_they_are_read(tmp_path, lists, is_read):
    data = parquet(tmp_path, f"SELECT {'[' * lists}1{']' * lists} AS x")
    started = time.monotonic()
    if is_read:
        assert run(data, "data.parquet").types == {"x": "INTEGER" + "[]" * lists}
    else:
        assert refused(data, "data.parquet").reason.startswith("column x has 17 lists in one another")
    assert time.monotonic() - started < 10


def test_rows_are_counted_from_the_row_groups(tmp_path):
    data = parquet(tmp_path, "SELECT i FROM range(300_000) t(i)")
    assert run(data, "data.parquet").account.rows_in == 300_000


def test_what_unpacks_to_more_than_the_limit_by_its_footer(tmp_path):
    data = parquet(tmp_path, "SELECT hash(i) AS h FROM range(100_000) t(i)")
    assert "decompresses to" in refused(data, "data.parquet", decompressed_bytes_max=500_000).reason


def with_statistic(data: bytes, right: bytes, wrong: bytes) -> bytes:
    """The file with another statistic of the same length in its footer."""
    footer = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    assert right in data[footer:]
    return data[:footer] + data[footer:].replace(right, wrong)


def test_a_wrong_number_of_nulls_in_the_statistics_hides_no_null(tmp_path):
    """Arrow 4.0.1 writes 0 for columns with a dictionary: ``h2oai_group_small.parquet`` of DuckDB's tests."""
    query = "SELECT CASE WHEN i >= 1234 THEN 's' || i % 7 END AS s FROM range(5000) t(i)"
    # The field null_count of Thrift's compact protocol: its tag, and 1234 and 0 as zigzag of two bytes.
    data = with_statistic(parquet(tmp_path, query), b"\x16\xa4\x13", b"\x16\x80\x00")
    converted = run(data, "data.parquet")
    assert converted.query("SELECT count(*), count(s) FROM data") == [(5000, 3766)]
    assert converted.profile["columns"][0]["nulls"] == 1234


def test_a_wrong_maximum_in_the_statistics_hides_no_value_that_does_not_fit(tmp_path):
    first = 2932897  # the days from 1970 to 10000-01-01, which most engines cannot read
    query = f"SELECT DATE '1970-01-01' + CASE WHEN i = 7 THEN {first} ELSE 9 END AS d FROM range(50) t(i)"
    right, wrong = (days.to_bytes(4, "little") for days in (first, 9))
    converted = run(with_statistic(parquet(tmp_path, query), right, wrong), "data.parquet")
    assert converted.types == {"d": "VARCHAR"}
    assert converted.rows[6:8] == [("1970-01-10",), ("10000-01-01",)]


def test_an_encrypted_file_is_named(tmp_path):
    path = tmp_path / "secret.parquet"
    with duckdb.connect() as connection:
        connection.execute("SET force_mbedtls_unsafe = 'true'")
        connection.execute("PRAGMA add_parquet_key('k', '0123456789112345')")
        connection.execute(f"COPY (SELECT 1 AS i) TO '{path}' (ENCRYPTION_CONFIG {{footer_key: 'k'}})")
    assert "encrypted" in refused(path.read_bytes(), "data.parquet").reason


def test_encrypted_columns_are_named():
    assert "encrypted columns" in refused(ENCRYPTED, "data.parquet").reason


def test_a_table_without_columns_is_empty():
    with pytest.raises(EmptyError):
        run(NO_COLUMNS, "data.parquet")


@pytest.mark.parametrize("end", [9, -1, -8])
def test_a_truncated_file_is_damaged(tmp_path, end):
    data = parquet(tmp_path, "SELECT i FROM range(100) t(i)")[:end]
    assert "damaged or truncated" in refused(data, "data.parquet").reason


def test_a_whole_file_whose_footer_cannot_be_read_may_have_another_schema(tmp_path):
    """As ``map_no_value.parquet`` of parquet-testing."""
    data = parquet(tmp_path, "SELECT MAP {i: i} AS m FROM range(9) t(i)")
    # The group of key and value: its name, two children, and its type.
    start = data.index(b"\x18\x09key_value\x15\x04")
    data = data[:start] + data[start:].replace(b"\x15\x04", b"\x15\x02", 1)
    assert "damaged, or of a schema that is not supported" in refused(data, "data.parquet").reason


def test_text_that_begins_as_parquet_does_is_text():
    assert run(b"PAR1,n\nx,1\n").rows == [("x", "1")]
