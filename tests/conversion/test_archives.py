"""ZIP archives: the one table in them, damaged archives, and decompression bombs."""

import io
import struct
import tempfile
import zipfile
from contextlib import suppress
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversion import EmptyError, Limits, UnreadableError
from conversion.archive import opened
from conversion.budget import Budget
from tests.conversion.support import gzipped, refused, run
from tests.conversion.workbooks import zipped

TABLE = b"id,name\n" + b"".join(b"%d,name %d\n" % (i, i) for i in range(20_000))


def read(data: bytes, **limits) -> bytes:
    path = Path(tempfile.mkdtemp()) / "data"
    path.write_bytes(data)
    return b"".join(opened(path, Budget(Limits(**limits), path.parent)))


def unreadable(data: bytes, **limits) -> str:
    with pytest.raises(UnreadableError) as caught:
        read(data, **limits)
    return str(caught.value)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_the_one_file(method):
    assert read(zipped({"folder/data.csv": TABLE}, method)) == TABLE


def test_what_operating_systems_add_does_not_count():
    files = {"data/": b"", "data/a.csv": TABLE, "__MACOSX/data/._a.csv": b"x", ".DS_Store": b"x"}
    assert read(zipped({**files, "data/Thumbs.db": b"x", "Desktop.ini": b"x"})) == TABLE


def test_several_files_are_named():
    reason = unreadable(zipped({f"{number}.csv": TABLE for number in range(7)}))
    assert "7 files, and only one is read: '0.csv', '1.csv', '2.csv', '3.csv', '4.csv' and 2 more" in reason


def test_a_file_without_a_name_does_not_count():
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("a.csv", b"id\n1\n")
        archive.writestr(zipfile.ZipInfo(""), b"")
    assert run(data.getvalue(), "a.zip").rows == [("1",)]


@pytest.mark.parametrize("files", [{}, {"folder/": b""}])
def test_no_file(files):
    with pytest.raises(EmptyError):
        read(zipped(files))


def test_a_method_whose_memory_the_archive_chooses():
    assert "compressed by method 14" in unreadable(zipped({"a.csv": TABLE}, zipfile.ZIP_LZMA))


def test_encryption():
    data = bytearray(zipped({"a.csv": TABLE}))
    directory = data.rfind(b"PK\x01\x02")
    data[6] |= 1
    data[directory + 8] |= 1
    assert "encrypted" in unreadable(bytes(data))


def test_a_bomb_is_refused_before_it_is_unpacked():
    reason = unreadable(zipped({"a.csv": b"1,2,3\n" * 8_000_000}))
    assert reason.startswith("decompresses to more than")


def test_a_file_that_is_longer_than_the_directory_says():
    data = bytearray(zipped({"a.csv": b"1,2,3\n" * 8_000_000}))
    directory = data.rfind(b"PK\x01\x02")
    for at in (22, directory + 24):
        data[at : at + 4] = struct.pack("<I", 1000)
    assert unreadable(bytes(data)) == "a damaged or truncated ZIP archive"


def test_the_limit_on_decompressed_bytes():
    assert "more than 1000 bytes" in unreadable(zipped({"a.csv": TABLE}), decompressed_bytes_max=1000)


def test_a_directory_that_is_too_large_is_not_read():
    reason = unreadable(zipped({f"{'n' * 200}{number}": b"" for number in range(6000)}))
    assert "a directory of" in reason
    assert "more than 1048576 bytes" in reason


def test_a_large_directory_that_only_the_second_end_announces():
    data = zipped({f"{'n' * 200}{number}": b"" for number in range(6000)})
    end = len(data) - 22
    size, offset = struct.unpack("<II", data[end + 12 : end + 20])
    end_64 = struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, 6000, 6000, size, offset)
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, end, 1)
    small = data[end : end + 12] + struct.pack("<II", 100, offset) + data[end + 20 :]
    archive = data[:end] + end_64 + locator + small
    assert len(zipfile.ZipFile(io.BytesIO(archive)).infolist()) == 6000
    assert "more than 1048576 bytes" in unreadable(archive)


@pytest.mark.parametrize("end", [10, 1000, -1, -30])
def test_truncated(end):
    assert unreadable(zipped({"a.csv": TABLE})[:end]) == "a damaged or truncated ZIP archive"


def test_a_damaged_checksum():
    data = bytearray(zipped({"a.csv": TABLE}))
    directory = data.rfind(b"PK\x01\x02")
    data[directory + 16] ^= 1
    assert unreadable(bytes(data)) == "a damaged or truncated ZIP archive"


@pytest.mark.parametrize(
    ("name", "content", "format_"),
    [
        ("data.csv", TABLE, "delimited"),
        ("data.ndjson", b'{"id":1,"name":"a"}\n' * 20_000, "json"),
        ("notes.txt", b"id, name\n" * 20_000, "delimited"),
    ],
)
def test_the_table_in_an_archive(name, content, format_):
    converted = run(zipped({name: content}), "input/data.zip")
    assert (converted.result.format, converted.result.compression) == (format_, "zip")
    assert converted.account.rows_out in (20_000, 19_999)
    assert converted.account.bytes_decompressed == len(content)
    assert converted.metadata["source_key"] == "input/data.zip"


def test_parquet_in_an_archive(tmp_path):
    path = tmp_path / "table.parquet"
    with duckdb.connect() as connection:
        connection.sql("SELECT i FROM range(1000) t(i)").write_parquet(str(path))
    converted = run(zipped({"table.parquet": path.read_bytes()}))
    assert (converted.result.format, converted.account.rows_out) == ("parquet", 1000)


def test_a_table_in_an_archive_that_is_read_twice():
    assert run(zipped({"a.csv": TABLE + b"x,y\n"})).types == {"id": "VARCHAR", "name": "VARCHAR"}


def test_the_name_in_an_archive_says_what_it_holds():
    one_column = b"name\nOslo\nLima\n"
    assert run(zipped({"data.csv": one_column}), "data.zip").types == {"name": "VARCHAR"}
    assert run(zipped({"data.txt": one_column}), "data.zip").types == {"line": "VARCHAR"}


def test_an_archive_in_an_archive():
    reason = refused(zipped({"a.zip": zipped({"a.csv": TABLE})})).reason
    assert "an archive or a workbook in another archive" in reason


def test_what_is_compressed_in_an_archive():
    assert "compressed twice" in refused(zipped({"a.csv.gz": gzipped(TABLE)})).reason


def test_an_archive_that_the_disk_does_not_hold():
    data = zipped({"a.csv": TABLE}, zipfile.ZIP_STORED)
    assert "too large for the disk" in refused(data, disk_bytes=len(data)).reason


SMALL = zipped({"data.csv": TABLE[:2000]})


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_damaged_archives(data):
    damaged = bytearray(SMALL)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(damaged) - 1))
        if data.draw(st.booleans()):
            damaged[at] = data.draw(st.integers(0, 255))
        else:
            del damaged[at : at + data.draw(st.integers(1, 60))]
        damaged = damaged.ljust(1)
    with suppress(UnreadableError, EmptyError):
        assert read(bytes(damaged)) == TABLE[:2000]
