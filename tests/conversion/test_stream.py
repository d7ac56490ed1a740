"""Streaming: what is read once, what is read twice, and how errors end both sides of the pipe."""

import gzip
import io
import json
import threading
from contextlib import closing
from decimal import Decimal
from itertools import count, repeat
from pathlib import Path

import duckdb
import pytest

from conversion.budget import Budget
from conversion.engine import engine, literal
from conversion.model import HEAD_BYTES, Limits
from conversion.output import write
from conversion.pipe import Pipe
from conversion.published import Published
from tests.conversion.support import run

ROWS = 150_000
LINE_BYTES = 1_000_000
"""DuckDB's buffer for a record at first."""
CSV = b"id,name,price\n" + b"".join(b"%d,name %d,%d.25\n" % (i, i % 977, i) for i in range(ROWS))
LINES = b"".join(b'{"id":%d,"name":"name %d","price":%d.5}\n' % (i, i % 977, i) for i in range(ROWS))


QUOTED = b"id,name\n" + b"".join(b'%d,"a ""b"",\n%d"\n' % (i, i) for i in range(ROWS))


class Openings:
    """Reopens the object, and counts how often."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.count = 0

    def __call__(self) -> io.BytesIO:
        self.count += 1
        return io.BytesIO(self.data)


def openings(data: bytes, key: str, rows: int = ROWS) -> int:
    reopen = Openings(data)
    assert run(data, key, reopen=reopen).account.rows_out == rows
    return reopen.count


@pytest.mark.parametrize(
    ("data", "key"),
    [
        (CSV, "a.csv"),
        (CSV.replace(b"\n", b"\r\n"), "a.csv"),
        (CSV.rstrip(), "a.csv"),
        (gzip.compress(CSV, 1), "a.csv.gz"),
        (CSV.decode().encode("utf-16"), "a.csv"),
        (QUOTED, "a.csv"),
        (LINES, "a.json"),
        (LINES.replace(b'":', b'": ').replace(b',"', b', "'), "a.json"),
    ],
)
def test_an_object_that_fits_its_plan_is_read_once_and_not_from_the_disk(data, key):
    converted = run(data, key, reopen=unwanted)
    assert converted.account.rows_out == ROWS
    left = {path.name for path in converted.result.parquet.parent.iterdir()}
    assert left == {"output.parquet", "profile.json"}


@pytest.mark.parametrize(
    ("data", "key"),
    [(CSV + b"1,2\n", "a.csv"), (gzip.compress(CSV + b"1,2\n", 1), "a.csv.gz"), (LINES + b"{\n", "a.json")],
)
def test_a_record_that_is_rejected_costs_no_second_reading(data, key):
    assert openings(data, key) == 0


def unwanted() -> io.BytesIO:
    raise AssertionError("opened again")


@pytest.mark.parametrize(
    ("data", "key", "rows"),
    [
        (CSV + b"x,y,z\n", "a.csv", ROWS + 1),
        (CSV + b"1," + b"n" * LINE_BYTES + b",2.25\n", "a.csv", ROWS + 1),
        (CSV + "1,größe,2.25\n".encode("cp1252"), "a.csv", ROWS + 1),
        (LINES + b'{"new":1}\n', "a.json", ROWS + 1),
        (LINES + b'{"id":1,"name":"%b","price":2.5}\n' % (b"n" * LINE_BYTES), "a.json", ROWS + 1),
    ],
)
def test_an_object_that_refutes_its_plan_is_read_twice(data, key, rows):
    assert openings(data, key, rows) == 1


@pytest.mark.parametrize("value", [b'"\n"', b'"\naaaa"', b'"a\n\nb\n"'])
def test_one_column_of_values_over_lines_is_read_whole(value):
    """In parallel, DuckDB cannot tell where the records begin in its second buffer."""
    rows = 400_000
    converted = run(b"c\n" + (value + b"\n") * rows)
    assert converted.account.rows_out == rows + (list(converted.types) != ["c"])
    last = converted.query(f"FROM data OFFSET {converted.account.rows_out - 1}")
    assert last == [(value.decode().strip('"'),)]


def test_a_small_object_is_read_once_whatever_it_is():
    assert openings(b"a,b\n" + b"1,2\n" * 2000 + b"x,1\n", "a.csv", 2001) == 0


@pytest.mark.parametrize("late", [b"1,2\n", b"2,x,3.25\n"])
def test_a_second_reading_comes_to_the_same(late):
    fast = run(CSV)
    slow = run(CSV + late)
    assert slow.types == fast.types
    assert slow.rows[:ROWS] == fast.rows


def test_how_the_stream_is_cut_does_not_matter():
    class Trickle(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(min(size or 1, 7))

    data = gzip.compress(CSV[:50_000])
    converted = run(data, source=Trickle(data), reopen=lambda: Trickle(data))
    assert converted.result.parquet.read_bytes() == run(data).result.parquet.read_bytes()


class Broken(io.BytesIO):
    """Fails in the middle, as a connection may."""

    def read(self, size: int | None = -1) -> bytes:
        if self.tell() > len(self.getvalue()) // 2:
            raise OSError("connection reset")
        return super().read(size)


@pytest.mark.parametrize("data", [CSV, LINES])
def test_a_network_error_is_raised_unchanged(data):
    with pytest.raises(OSError, match="connection reset"):
        run(data, "a.csv" if data is CSV else "a.json", source=Broken(data))
    assert {thread.name for thread in threading.enumerate()}.isdisjoint(
        {"conversion-watchdog", "conversion-engine_0"}
    )


def test_an_error_of_reopening_is_raised_unchanged():
    class GoneError(Exception): ...

    def gone() -> io.BytesIO:
        raise GoneError

    with pytest.raises(GoneError):
        run(CSV + b"x,y,z\n", reopen=gone)


def test_an_engine_that_ends_early_leaves_no_block_waiting():
    def work() -> int:
        raise ValueError("ended")

    with closing(Pipe()) as pipe, duckdb.connect() as connection, pytest.raises(ValueError, match="ended"):
        pipe.feed(repeat(bytes(HEAD_BYTES)), connection, work)


def test_blocks_that_fail_end_the_engine():
    def blocks():
        for number in count():
            if number == 1_000_000:
                raise ValueError("ended")
            yield b"%d\n" % number

    with closing(Pipe()) as pipe, duckdb.connect() as connection, pytest.raises(ValueError, match="ended"):
        pipe.feed(
            blocks(),
            connection,
            lambda: connection.execute(f"SELECT count(*) FROM read_csv('{pipe.path}')").fetchall(),
        )


def test_no_descriptor_is_left_open():
    run(CSV + b"x,y,z\n")
    before = len(list(Path("/proc/self/fd").iterdir()))
    for data in (CSV[: HEAD_BYTES // 2], CSV, CSV + b"x,y,z\n"):
        run(data)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


FLAT = b'{"n":1,"x":1.5,"s":"a","t":"b"}\n' * 2000


@pytest.mark.parametrize(
    "lines",
    [
        [b'{"n":2,"x":2.5,"s":5,"t":"d"}'],  # a number for a string
        [b'{"n":2,"x":2.5,"s":3,"t":"c"}', b'{"n":"4","x":2.5,"s":"d","t":"e"}'],  # and the other way round
        [b'{"n":2,"x":"2.5","s":3,"t":"c"}'],
        [b'{"n":2,"x":2.5,"s":"c","t":"d","u":1}'],  # a key more
        [b'{"n":2,"x":2.5,"s":"c"}', b'{"n":2,"x":2.5,"s":"c","t":"d","u":1}'],  # and a key less
        [b'{"n":2,"x":2.5,"s":"c"}', b'{"n":2,"x":2.5,"s":"c","t":"d","u":null}'],
        [b'{"n":2,"x":2.5,"s":5,"t":"d","u" : 1}'],  # a key that is not written like the others
        [b'{"n":2,"x":2.5,"s":5,"t":"d","u"\t:1}'],
        [b'{"n":2,"x":2.5,"s":5,"t":"d", "u"\t :1}'],
        [b'{"n":2,"x":2.5,"s":"\\":","t":5,"u" :1}'],
        [b'{"n":2,"x":2.5,"s":[3],"t":"c"}'],
        [b'{"n":2,"x":2.5,"s":["a"],"t":"c"}'],  # as many quotes as a string has
        [b'{"n":2,"x":2.5,"s":5,"t":"c"}', b'{"n":2,"x":2.5,"s":["a","b"],"t":"c"}'],
        [b'{"n":2,"x":2.5,"s":"[a","t":"{b"}'],
        [b'{"n":2,"x":2.5,"s":5,"t":"d","u"  :1}'],
        [b'{"n":2,"x":2.5,"s":{"x"  :1},"t":"d"}'],
        [b'{"n":2,"x":2.5,"s":{"x":"y"},"t":"c"}'],
        [b'{"n":2,"x":2.5,"s":true,"t":"c"}', b'{"n":false,"x":2.5,"s":"e","t":"c"}'],
        [b'{"n":2,"x":2.5,"s":"c","t":"d"}', b'{"n":2.5,"x":2.5,"s":"c","t":"d"}'],
        [b'{"n":2,"x":1e-400,"s":"c","t":"d"}'],
        [b'{"n":2,"x":1e400,"s":"c","t":"d"}'],
        [b'{"n":2,"x":1.00000000000000000001,"s":"c","t":"d"}'],
        [b'{"n":2,"x":123456789012345678901,"s":"c","t":"d"}'],
        [b'{"n":2,"x":2.5,"s":"10:30","t":"http://x"}', b'{"n":2,"x":2.5,"s":"\\"","t":"\\\\"}'],
    ],
)
def test_later_lines_of_another_shape_lose_nothing(lines):
    converted = run(FLAT + b"\n".join(lines) + b"\n", "a.json")
    for line, row in zip(lines, converted.rows[2000:], strict=True):
        kept = {
            name: (type_, value)
            for (name, type_), value in zip(converted.source_types.items(), row, strict=True)
            if value is not None
        }
        for name, value in json.loads(line, parse_float=Decimal).items():
            if value is not None:
                assert says(*kept.pop(name), value), (line, row)
        assert not kept


def says(type_: str, text: str, value: object) -> bool:
    """Whether ``text``, in a column of this type, represents ``value``."""
    if type_ == "VARCHAR":
        return text == value
    read = json.loads(text, parse_float=Decimal)
    # Numbers that a double cannot hold are kept as text.
    return read == value or (isinstance(read, str) and Decimal(read) == value)


def test_a_source_that_ends_early_is_an_error():
    with pytest.raises(OSError, match=f"ended at byte {len(CSV) // 2} of {len(CSV)}"):
        run(CSV, source=io.BytesIO(CSV[: len(CSV) // 2]), size=len(CSV))


class Severed(io.BytesIO):
    """Fails in the middle with the error of a broken pipe."""

    def read(self, size: int | None = -1) -> bytes:
        if self.tell() > len(self.getvalue()) // 2:
            raise BrokenPipeError
        return super().read(size)


@pytest.mark.parametrize(("data", "key"), [(CSV, "a.csv"), (LINES, "a.json")])
def test_a_broken_pipe_of_the_source_is_not_the_engines(data, key):
    with pytest.raises(BrokenPipeError):
        run(data, key, source=Severed(data))


def test_a_copy_that_fails_never_hangs(tmp_path):
    """Asynchronous writers of DuckDB deadlock in about one of ten such copies."""
    rows = tmp_path / "rows.csv"
    rows.write_bytes(b"id,n\n" + b"".join(b"%d,t%d\n" % (i, i) for i in range(150_000)) + b"x,y\n")
    relation = f"read_csv({literal(str(rows))}, all_varchar = true)"
    failing = Published(name="id", expression="CAST(id AS BIGINT)", type="BIGINT", source_type="BIGINT")
    text = Published(name="n", expression="n", type="VARCHAR", source_type="VARCHAR")
    for _ in range(40):
        with (
            engine(tmp_path, Budget(Limits(), tmp_path)) as connection,
            pytest.raises(duckdb.ConversionException),
        ):
            write(connection, tmp_path / "rows.parquet", relation, [failing, text], {})
