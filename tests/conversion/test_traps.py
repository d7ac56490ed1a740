"""Cases where DuckDB alone loses or changes data, and the conversion does not.

Some tests also show what DuckDB alone does with the same bytes. They fail when a new version does better.
"""

import gzip
import json

import duckdb
import pytest
from backports import zstd

from tests.conversion.support import refused, run


def alone(data: bytes, directory, arguments: str = ""):
    """What DuckDB alone reads from ``data``."""
    path = directory / "alone"
    path.write_bytes(data)
    with duckdb.connect() as connection:
        return connection.execute(f"FROM read_csv('{path}' {arguments})").fetchall()


def test_1_a_row_with_text_after_its_quotes_does_not_end_the_scan(tmp_path):
    rows = [f'{i},"name {i}"' for i in range(99_813)]
    rows[3000] = '3000,"abc"def'
    data = ("id,name\n" + "\n".join(rows) + "\n").encode()
    with duckdb.connect() as connection:
        (tmp_path / "alone").write_bytes(data)
        count = connection.execute(
            f"SELECT count(*) FROM read_csv('{tmp_path}/alone', ignore_errors = true, auto_detect = false, "
            "header = true, columns = {'id': 'BIGINT', 'name': 'VARCHAR'})"
        ).fetchall()
    assert count == [(3000,)]
    converted = run(data)
    assert converted.account.rows_out == 99_812
    assert [(r["record"], r["column"], r["reason"], r["raw"]) for r in converted.rejects] == [
        (3001, "name", "broken quoting", '3000,"abc"def')
    ]


def test_2_a_long_run_of_bad_rows_does_not_end_it():
    good = [f"{i},{i}" for i in range(150_000)]
    bad = [f"{i},{i},{i}" for i in range(200_000)]
    data = "\n".join(["a,b", *good, *bad, *good, ""]).encode()
    converted = run(data, rejected_share_max=0.9)
    assert (converted.account.rows_out, converted.account.rows_rejected) == (300_000, 200_000)
    assert converted.rejects[-1]["record"] == 350_000
    assert converted.rejects[-1]["raw"] == "199999,199999,199999"


def test_3_a_value_of_another_type_neither_fails_nor_drops_its_row():
    data = b"id,n\n" + b"".join(b"%d,%d\n" % (i, i) for i in range(30_000)) + b"30000,many\n"
    converted = run(data)
    assert converted.types == {"id": "BIGINT", "n": "VARCHAR"}
    assert converted.account.rows_out == 30_001
    assert converted.rows[-1] == ("30000", "many")


@pytest.mark.parametrize(
    "odd", ["1.7", "0x1F", "1_000", "007", "+5", "1e3", "12345678901234567890", "-0", " 5"]
)
def test_4_values_after_the_sample_are_not_changed(odd):
    data = b"id,n\n" + b"".join(b"%d,%d\n" % (i, i) for i in range(30_000)) + b"30000," + odd.encode() + b"\n"
    converted = run(data)
    assert converted.types == {"id": "BIGINT", "n": "VARCHAR"}
    assert converted.rows[-1] == ("30000", odd)


def test_4_the_engine_alone_changes_them(tmp_path):
    data = b"n\n" + b"".join(b"%d\n" % i for i in range(30_000)) + b"1.7\n"
    rows = alone(data, tmp_path, ", columns = {'n': 'BIGINT'}, header = true")
    assert rows[-1] == (2,)


@pytest.mark.parametrize("odd", ["1.7", "true", '"7"'])
def test_4_nor_in_json(odd):
    data = b"".join(b'{"n":%d}\n' % i for i in range(30_000)) + b'{"n":' + odd.encode() + b"}\n"
    converted = run(data, "data.json")
    assert (converted.types, converted.source_types) == ({"n": "VARCHAR"}, {"n": "JSON"})
    assert json.loads(converted.rows[-1][0]) == json.loads(odd)


def test_4_day_and_month_are_not_guessed():
    converted = run(b"id,d\n1,01/02/2024\n2,03/04/2024\n3,05/06/2024\n")
    assert converted.types["d"] == "VARCHAR"
    unambiguous = run(b"id,d\n" + b"1,01/02/2024\n" * 30_000 + b"3,13/06/2024\n")
    assert unambiguous.types["d"] == "DATE"
    assert [row[1] for row in unambiguous.rows[-2:]] == ["2024-02-01", "2024-06-13"]


def test_5_a_wrong_checksum_and_a_truncated_stream_are_noticed(tmp_path):
    data = b"a,b\n" + b"".join(b"%d,%d\n" % (i, i * i) for i in range(50_000))
    damaged = bytearray(gzip.compress(data))
    damaged[-6] ^= 1
    (tmp_path / "alone.csv.gz").write_bytes(damaged)
    with duckdb.connect() as connection:
        assert len(connection.execute(f"FROM read_csv('{tmp_path}/alone.csv.gz')").fetchall()) == 50_000
    assert "damaged gzip" in refused(bytes(damaged)).reason
    assert "truncated gzip" in refused(gzip.compress(data)[:-9]).reason
    assert "truncated zstd" in refused(zstd.compress(data)[:-9]).reason


def test_6_a_bad_row_at_the_start_does_not_decide_the_dialect():
    rows = [f'{i},"a, b","{i}"' for i in range(30_000)]
    rows[5] = '5,"a "b", c'
    converted = run(("id,text,n\n" + "\n".join(rows) + "\n").encode())
    assert converted.account.rows_rejected == 1
    assert converted.account.rows_out == 29_999
    assert converted.rows[6] == ("7", "a, b", "7")


@pytest.mark.parametrize("text", ["plain", '"quoted"', '"quoted, with ""quotes"""'])
def test_7_an_open_quote_takes_no_other_row_with_it(text):
    rows = [f"{i},{text}" for i in range(30_000)]
    rows[9_999] = '9999,"open'
    converted = run(("id,text\n" + "\n".join(rows) + "\n").encode())
    assert [(r["record"], r["line"], r["raw"]) for r in converted.rejects] == [(10_000, 10_001, '9999,"open')]
    assert converted.account.rows_out == 29_999


def test_8_rejects_hold_their_bytes_exactly_and_their_place():
    long = b"x" * 20_000
    data = (
        b"id,text\n"
        + b'1,"a\nb"\n' * 20
        + b"2,"
        + long
        + b",z\n"
        + b"3,\xff\xfe\n"
        + b'4,"ok"\n'
        + "5,ß\n".encode() * 9
    )
    converted = run(data)
    first, second = converted.rejects
    assert first["raw"].encode() == b"2," + long + b",z"
    assert (first["record"], first["line"]) == (21, 42)
    assert second["raw_base64"] == "Myz//g=="
    assert (second["record"], second["line"]) == (22, 43)
    for reject, start in ((first, b"2,x"), (second, b"3,\xff")):
        assert data[reject["byte_offset"] :].startswith(start)


def test_9_utf_16_is_text():
    assert run("id,text\n1,größe\n".encode("utf-16")).rows == [("1", "größe")]


def test_9_mixed_line_ends_are_read():
    assert run(b"a,b\n1,2\r\n3,4\n").account.rows_out == 2


def test_9_equal_names_are_numbered_and_mapped():
    converted = run(b"id,id\n1,2\n")
    assert json.loads(converted.metadata["column_names"]) == {"id": "id", "id_2": "id"}


def test_10_a_malformed_line_of_json_is_rejected_not_a_row_of_nulls():
    good = [json.dumps({"a": i, **({"b": "x"} if i % 2 else {})}) for i in range(2000)]
    bad = ['{"a": 1', '{"a": 1} {"a": 2}', "{'a': 1}", '{"a":1,}', "[1]", "3", '{"a":1,"a":2}']
    lines = [*good[:1000], *bad, *good[1000:]]
    data = "\n".join(lines).encode()
    converted = run(data, "data.json")
    assert [reject["raw"] for reject in converted.rejects] == bad
    assert [reject["line"] for reject in converted.rejects] == list(range(1001, 1008))
    assert [reject["record"] for reject in converted.rejects] == list(range(1001, 1008))
    for reject in converted.rejects:
        assert data[reject["byte_offset"] :].startswith(reject["raw"].encode())
    assert converted.rows == [(str(i), "x" if i % 2 else None) for i in range(2000)]


def test_11_a_bomb_of_one_line_is_refused():
    assert "decompresses to more than" in refused(gzip.compress(bytes(40_000_000))).reason


def test_11_a_bomb_of_many_rows_is_refused():
    assert "decompresses to more than" in refused(zstd.compress(b"1,2,3\n" * 8_000_000)).reason
