"""A small file of each format, all with the same rows."""

import gzip
import json
import sys
import tempfile
from pathlib import Path

import duckdb

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

NAMES = ("Ada", "Grace", "Käthe")
ROWS = 5000
"""More than one DuckDB vector, which has 2,048 rows."""


def expected() -> list[tuple[int, str, float]]:
    """Return the rows of each file."""
    return [(number, NAMES[number % len(NAMES)], number / 4) for number in range(ROWS)]


def files() -> dict[str, bytes]:
    """Return the files by name."""
    rows = expected()
    objects = [{"id": number, "name": name, "amount": amount} for number, name, amount in rows]
    comma = _delimited(",")
    return {
        "comma.csv": comma,
        "tab.tsv": _delimited("\t"),
        "lines.ndjson": b"".join(json.dumps(one).encode() + b"\n" for one in objects),
        "array.json": json.dumps(objects, indent=1).encode(),
        "table.parquet": _parquet(),
        "comma.csv.gz": gzip.compress(comma),
        "comma.csv.zst": zstd.compress(comma),
        "utf16.csv": comma.decode().encode("utf-16"),
    }


def _delimited(delimiter: str) -> bytes:
    lines = [("id", "name", "amount"), *expected()]
    return "".join(delimiter.join(map(str, line)) + "\n" for line in lines).encode()


def _parquet() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.parquet"
        duckdb.sql(
            f"COPY (SELECT range AS id, {list(NAMES)}[range % {len(NAMES)} + 1] AS name, range / 4 AS amount"
            f" FROM range({ROWS})) TO '{path}'"
        )
        return path.read_bytes()
