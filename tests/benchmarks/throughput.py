"""The throughput of the conversion, by kind of object: regular ones, and those that need more work."""

import json
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import process_time

from tests.benchmarks import inputs

VCPU_SHARE = 1024 / 1769
"""The share of a vCPU of a function with 1024 MB (Lambda Developer Guide, "Configure Lambda function
memory")."""


def measure(directory: Path, megabytes: int) -> dict[str, float]:
    """Return decompressed megabytes per second of processor time, by kind of object."""
    return {name: _throughput(path) for name, path in _objects(directory, megabytes * inputs.MEGABYTE)}


def _objects(directory: Path, size: int) -> Iterator[tuple[str, Path]]:
    csv = inputs.write(directory, "csv", size).read_bytes()
    rows = csv.splitlines(keepends=True)
    yield "CSV", _written(directory, "regular.csv", csv)
    yield "CSV, 16- and 17-digit floats", _written(directory, "floats.csv", b"".join(_floats(size, "csv")))
    yield "CSV, its text in quotes", _written(directory, "quoted.csv", b"".join(map(_quoted, rows)))
    yield "CSV in windows-1252", _written(directory, "cp1252.csv", csv.replace(b"hotel", b"h\xf4tel"))
    yield (
        "CSV, 5 % of its rows rejected",
        _written(
            directory,
            "rejects.csv",
            b"".join(b"," + row if i % 20 == 19 else row for i, row in enumerate(rows)),
        ),
    )
    yield "CSV, its last row of other types", _written(directory, "late.csv", csv + b"x" + b"," * 15 + b"\n")
    ndjson = inputs.write(directory, "ndjson", size).read_bytes()
    yield "NDJSON", _written(directory, "flat.ndjson", ndjson)
    yield (
        "NDJSON, 16- and 17-digit floats",
        _written(directory, "floats.ndjson", b"".join(_floats(size, "json"))),
    )
    yield "NDJSON, its last line of another key", _written(directory, "late.ndjson", ndjson + b'{"new":1}\n')
    yield "NDJSON, objects and lists inside", _written(directory, "nested.ndjson", b"".join(_nested(size)))
    yield "JSON array", _written(directory, "array.json", b"[" + ndjson.strip().replace(b"\n", b",") + b"]")


def _written(directory: Path, name: str, data: bytes) -> Path:
    path = directory / name
    path.write_bytes(data)
    return path


def _quoted(row: bytes) -> bytes:
    fields = row.rstrip(b"\n").split(b",")
    texts = [inputs.NAMES.index(name) for name in ("carrier", "origin", "dest", "name", "note", "code")]
    return b",".join(b'"%b"' % field if at in texts else field for at, field in enumerate(fields)) + b"\n"


def _floats(size: int, format_: str) -> Iterator[bytes]:
    random_ = random.Random(1)
    written = number = 0
    if format_ == "csv":
        yield b"id,a,b,c\n"
    while written < size:
        row = {"id": number, "a": random_.random(), "b": random_.random(), "c": random_.random()}
        line = ",".join(map(str, row.values())) if format_ == "csv" else json.dumps(row)
        yield line.encode() + b"\n"
        written, number = written + len(line), number + 1


def _nested(size: int) -> Iterator[bytes]:
    written = number = 0
    while written < size:
        tags = [{"k": f"a{i}", "v": i} for i in range(3)]
        line = json.dumps({"id": number, "tags": tags, "at": {"x": 1.5, "y": number}, "name": "n" * 20})
        yield line.encode() + b"\n"
        written, number = written + len(line), number + 1


def _throughput(path: Path) -> float:
    from conversion import Limits, convert

    size = path.stat().st_size
    started = process_time()
    with tempfile.TemporaryDirectory(dir=path.parent) as workdir, path.open("rb") as source:
        convert(
            source,
            reopen=lambda: path.open("rb"),
            key=path.name,
            size=size,
            workdir=Path(workdir),
            limits=Limits(seconds=1000, disk_bytes=20 * 10**9),
            provenance={},
        )
    return size / inputs.MEGABYTE / (process_time() - started)
