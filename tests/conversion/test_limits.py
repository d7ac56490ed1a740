import gzip
import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from threading import current_thread, main_thread

import duckdb
import pytest

import conversion.budget
import conversion.delimited.records
import conversion.engine
import conversion.writer
from conversion import DeadlineExceededError, UnreadableError, largest_object_bytes
from tests.conversion.measured import measure
from tests.conversion.support import read_rejects, refused, run

MEGABYTE = 1_000_000
SIXTEEN = (
    b"%d,2024-01-01 10:00:00,2024-01-01,AA,JFK,LAX,%d.50,0.%d,1.5,-71.25,12,,true,some words,note,00%d\n"
)


def sixteen_columns(directory: Path, size: int) -> Path:
    path = directory / "sixteen.csv"
    with path.open("wb") as file:
        file.write(b",".join(b"c%d" % i for i in range(16)) + b"\n")
        number = 0
        while file.tell() < size:
            rows = [SIXTEEN % (i, i % 977, i + 1, i % 100) for i in range(number, number + 5000)]
            file.write(b"".join(rows))
            number += 5000
    return path


def offset_timestamp(number: int) -> str:
    return f"2024-01-31T10:00:{number % 60:02}+02:00"


def wide_table(directory: Path, value: Callable[[int], str], width: int) -> Path:
    path = directory / "wide.csv"
    header = b",".join(b"c%d" % number for number in range(width)) + b"\n"
    row = ",".join(map(value, range(width))).encode() + b"\n"
    path.write_bytes(header + row * (25 * MEGABYTE // len(row)))
    return path


def test_memory_of_a_plain_table(tmp_path):
    taken = measure(sixteen_columns(tmp_path, 60 * MEGABYTE))
    assert taken["rows_out"] > 500_000
    assert taken["resident_bytes"] < 450 * MEGABYTE


@pytest.mark.parametrize(
    ("value", "width"),
    [
        (lambda i: f"{i * 7919}" if i % 2 else f"word {i}", 1000),
        # For these, DuckDB reserves twice the memory that it uses.
        (offset_timestamp, 600),
        (lambda i: repr(math.sin(i)), 1000),
        (lambda i: f"{i - 500}.125", 1000),
    ],
    ids=["integers and text", "timestamps with an offset", "floats of 17 digits", "decimals"],
)
def test_memory_of_many_columns(tmp_path, value, width):
    taken = measure(wide_table(tmp_path, value, width))
    assert taken.get("rows_out", 0) > 900, taken
    assert taken["resident_bytes"] < 700 * MEGABYTE


def test_columns_that_turn_out_to_need_too_much_memory(tmp_path):
    taken = measure(wide_table(tmp_path, offset_timestamp, 1300))
    assert taken["reason"].startswith("needs more memory than there is: split its columns")
    assert taken["resident_bytes"] < 734 * MEGABYTE


def test_memory_that_python_lacks(monkeypatch):
    def no_memory(_: bytes) -> bool:
        raise MemoryError

    monkeypatch.setattr(conversion.delimited.records, "is_text", no_memory)
    assert refused(b"id,name\n1,a\n").reason.startswith("needs more memory than there is")


@pytest.mark.parametrize("line", [b"," * 500_000, b'"a",' * 250_000])
def test_memory_of_more_columns_than_fit(tmp_path, line):
    path = tmp_path / "wide.csv"
    path.write_bytes((line + b"\n") * 2)
    taken = measure(path)
    assert taken["reason"].startswith("too wide for the memory")
    assert taken["resident_bytes"] < 250 * MEGABYTE


def test_memory_of_a_thousand_keys(tmp_path):
    path = tmp_path / "wide.ndjson"
    line = json.dumps({f"c{i}": math.sin(i + 1) for i in range(1000)}).encode() + b"\n"
    path.write_bytes(line * (25 * MEGABYTE // len(line)))
    taken = measure(path)
    assert taken["rows_out"] > 700
    assert taken["resident_bytes"] < 700 * MEGABYTE


KEYS = [json.dumps({f"k{number}": 1 for number in range(width)}).encode() for width in (200, 2500)]


@pytest.mark.parametrize(
    "data",
    [
        KEYS[1] + b"\n" + b"{}\n" * 20_000,
        b"[%b%b]" % (KEYS[1], b",{}" * 20_000),
        b'{"b":1,"a":[%b]}\n' % KEYS[0] * 3 + b'{"b":1,"a":[%b{}]}\n' % (b"{}," * 1_000_000),
    ],
    ids=["lines", "elements", "one line"],
)
def test_memory_of_objects_with_few_of_many_keys(tmp_path, data):
    path = tmp_path / "sparse.json"
    path.write_bytes(data)
    assert measure(path)["resident_bytes"] < 734 * MEGABYTE


def test_memory_is_returned_for_the_next_object(tmp_path):
    wide, long_lines = wide_table(tmp_path, offset_timestamp, 800), tmp_path / "long.csv"
    with long_lines.open("wb") as file:
        file.write(b"id,text\n")
        for number in range(8):
            file.write(b"%d," % number + bytes([97 + number]) * 10 * MEGABYTE + b"\n")
    taken = measure(long_lines, after=[wide])
    assert taken["rows_out"] == 8
    assert taken["resident_bytes"] < 700 * MEGABYTE


def test_memory_of_many_rejects(tmp_path):
    path = tmp_path / "bad.csv"
    path.write_bytes(b"id,name\n" + b"1,a\n" * 300_000 + b"1,a,b\n" * 1_000_000 + b"2,b\n")
    taken = measure(path)
    assert (taken["rows_out"], taken["rows_rejected"]) == (300_001, 1_000_000)
    assert taken["resident_bytes"] < 450 * MEGABYTE


def test_memory_of_a_bomb(tmp_path):
    path = tmp_path / "bomb.csv.gz"
    with gzip.GzipFile(path, "wb", 9) as file:
        for _ in range(300):
            file.write((b"0" * 1023 + b"\n") * 1024)
    taken = measure(path)
    assert "decompresses to more than" in taken["reason"]
    assert taken["resident_bytes"] < 450 * MEGABYTE


def test_the_watchdog_stops_what_grows(monkeypatch):
    def resident_bytes() -> int:
        # Only the watchdog runs in another thread.
        return 0 if current_thread() is main_thread() else 10**12

    monkeypatch.setattr(conversion.budget, "resident_bytes", resident_bytes)
    monkeypatch.setattr(conversion.engine, "resident_bytes", lambda: 0)
    data = b"id,name\n" + b"".join(b"%d,name %d\n" % (i, i) for i in range(400_000))
    assert "needs more than the memory limit" in refused(data).reason


def test_too_large_for_the_time_is_refused_at_once():
    largest = largest_object_bytes(10)
    started = time.monotonic()
    with pytest.raises(UnreadableError, match=f"too large for the time: {largest + 1} bytes"):
        run(b"1", size=largest + 1, seconds=10)
    assert time.monotonic() - started < 1


SQUARES = b"".join(b"%d,%d\n" % (i, i * i) for i in range(200_000))


def test_what_need_not_lie_on_the_disk_may_be_larger():
    account = run(SQUARES, disk_bytes=2 * MEGABYTE).account
    assert account.bytes_in > 2 * MEGABYTE > account.bytes_out


def test_what_must_lie_on_the_disk_and_is_too_large_for_it(tmp_path):
    path = tmp_path / "large.parquet"
    with duckdb.connect() as connection:
        connection.sql("SELECT i, hash(i) AS h FROM range(300_000) t(i)").write_parquet(str(path))
    data = path.read_bytes()
    assert f"too large for the disk: {len(data)} bytes" in refused(data, disk_bytes=len(data)).reason


def test_decompressed_size_is_capped():
    rows = b"".join(b"%d,%d\n" % (i, i * i) for i in range(200_000))
    assert (
        "decompresses to more than 1000000 bytes"
        in refused(gzip.compress(rows), decompressed_bytes_max=MEGABYTE).reason
    )


def test_no_time_left_is_no_fault_of_the_data(monkeypatch):
    clock = iter([0, *range(100, 10_000)])
    monkeypatch.setattr(conversion.budget, "monotonic", lambda: next(clock))
    with pytest.raises(DeadlineExceededError):
        run(b"id,name\n" + b"1,a\n" * 100, seconds=10)


def test_rejects_above_the_share_are_written_and_the_object_refused():
    data = b"id,name\n" + b"1,a\n" * 80 + b"1\n" * 20
    error = refused(data)
    assert error.reason.startswith("20 of 100 rows rejected, more than 10%")
    assert error.account is not None
    assert (error.account.rows_in, error.account.rows_out, error.account.rows_rejected) == (100, 0, 20)
    assert len(read_rejects(error.rejects)) == 20
    assert run(data, rejected_share_max=0.2).account.rows_rejected == 20


@pytest.mark.parametrize("lost", [1, -1])
def test_a_lost_or_invented_row_is_detected(monkeypatch, lost):
    write = conversion.writer.write

    def miscounting(*arguments):
        rows, columns = write(*arguments)
        return rows - lost, columns

    monkeypatch.setattr(conversion.writer, "write", miscounting)
    error = refused(b"id,name\n" + b"1,a\n" * 50)
    assert error.reason == f"50 rows in, but {50 - lost} rows out and 0 rejected"


def test_an_object_that_was_not_read_to_its_end_has_no_account(monkeypatch):
    def failing(*_):
        raise duckdb.OutOfMemoryException

    monkeypatch.setattr(conversion.writer, "write", failing)
    error = refused(b"id,name\n" + b"1,a\n" * 80 + b"1\n" * 5)
    assert error.reason.startswith("needs more memory")
    assert (error.account, error.rejects) == (None, None)


def test_reasons_do_not_quote_the_data():
    canary = b"canary-7c1e"
    for data in (
        b"id,name\n" + b"1,a\n" * 5 + b'"' + canary + b"\n" * 3,
        b'[{"a":1},{"' + canary + b'":}]',
        b'{"a":"' + canary + b'"}{',
        b"PAR1" + canary * 20 + b"PAR1",
        gzip.compress(canary * 50)[:-3],
        canary + b"\0\0\0",
    ):
        assert canary.decode() not in str(refused(data))
