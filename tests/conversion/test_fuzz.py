"""Any bytes end in a result or a reason. ``run`` checks the account."""

import gzip
import io
import tempfile
from pathlib import Path

import duckdb
import pytest
from backports import zstd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conversion import EmptyError, UnreadableError
from tests.conversion.support import Converted, outcome, run

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]
MANY = settings(max_examples=200, deadline=None, suppress_health_check=SLOW)
FEW = settings(max_examples=60, deadline=None, suppress_health_check=SLOW)
NAMES = st.sampled_from(
    ["data.csv", "data.txt", "data.json", "data", "data.parquet", "data.csv.gz", "ü '\"\n;--.csv"]
)
ALPHABET = [
    *[
        b",",
        b";",
        b"\t",
        b"|",
        b'"',
        b'""',
        b"'",
        b"\\",
        b"\n",
        b"\r\n",
        b"\r",
        b"\n\n",
        b" ",
        b"#",
        b"-",
        b":",
    ],
    *[b"a", b"1", b"1.5", b"true", b"NA", b"null", b"2024-01-01", b"1/2/2024", b"0x1F", b"%s", "é".encode()],
    *[b"{", b"}", b"[", b"]", b'{"a":1}\n', b'"a":'],
    *[b"\xef\xbb\xbf", b"\xff", b"\0", b"\x1f", b"\x01"],
]


def check(data, name):
    result = outcome(data, name)
    assert isinstance(result, Converted | UnreadableError | EmptyError)
    if isinstance(result, UnreadableError):
        assert 0 < len(str(result)) < 400


@MANY
@given(st.lists(st.sampled_from(ALPHABET), max_size=60).map(b"".join), NAMES)
def test_text_of_awkward_pieces(data, name):
    check(data, name)


@FEW
@given(st.binary(max_size=300), NAMES)
def test_any_bytes(data, name):
    check(data, name)


@FEW
@given(
    st.sampled_from([b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PAR1", b"PK\x03\x04", b"\xff\xfe", b"\xfe\xff"]),
    st.binary(max_size=200),
    NAMES,
)
def test_any_bytes_behind_a_magic_number(magic, data, name):
    check(magic + data, name)


def originals():
    rows = b"id,name,price\n" + b"".join(b'%d,"n %d",%d.5\n' % (i, i, i) for i in range(50))
    parquet = io.BytesIO()
    with tempfile.TemporaryDirectory() as directory, duckdb.connect() as connection:
        path = Path(directory) / "original.parquet"
        connection.sql("SELECT i, 's' || i AS s, [i] AS l FROM range(50) t(i)").write_parquet(str(path))
        parquet.write(path.read_bytes())
    lines = b"".join(b'{"id":%d,"name":"n","deep":{"x":[%d]}}\n' % (i, i) for i in range(50))
    return [
        rows,
        lines,
        b"[" + lines.replace(b"\n", b",")[:-1] + b"]",
        gzip.compress(rows),
        zstd.compress(rows),
        parquet.getvalue(),
    ]


ORIGINALS = originals()


@FEW
@given(st.sampled_from(ORIGINALS), st.data(), NAMES)
def test_damaged_files(original, data, name):
    damaged = bytearray(original)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(damaged) - 1))
        action = data.draw(st.sampled_from(["change", "cut", "insert", "drop"]))
        if action == "change":
            damaged[at] = data.draw(st.integers(0, 255))
        elif action == "cut":
            del damaged[max(at, 1) :]
        elif action == "insert":
            damaged[at:at] = data.draw(st.sampled_from(ALPHABET))
        elif len(damaged) > 1:
            del damaged[at]
    check(bytes(damaged), name)


@FEW
@given(st.text(max_size=1024))
def test_any_key_is_only_data(key):
    converted = run(b"id,name\n1,a\n2,b\n", key.encode("utf-8", "ignore").decode())
    assert converted.metadata["source_key"] == key.encode("utf-8", "ignore").decode()


@pytest.mark.parametrize(
    "word", ["'); DROP TABLE x; --", '"; SELECT 1; "', "a'b\"c", "../../etc/passwd", "\\", "{0}", "%s", "$1"]
)
def test_column_names_are_only_data(word):
    name = word.replace('"', '""')
    converted = run(f'id,"{name}"\n1,x\n2,y\n'.encode())
    assert list(converted.types) == ["id", word]
