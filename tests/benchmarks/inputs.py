"""The objects of the benchmarks: 16 columns of common kinds, about 114 bytes a row as CSV."""

import gzip
import json
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

MEGABYTE = 1_000_000
FORMATS = {"csv": "data.csv", "csv.gz": "data.csv.gz", "ndjson": "data.ndjson"}

NAMES = [
    "id",
    "created_at",
    "day",
    "carrier",
    "origin",
    "dest",
    "amount",
    "price",
    "lat",
    "lon",
    "count",
    "delay",
    "flag",
    "name",
    "note",
    "code",
]
_WORDS = ["alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel"]
_NUMBERS = {"id", "amount", "price", "lat", "lon", "count", "delay", "flag"}
_BLOCK_ROWS = 20_000


def write(directory: Path, format_: str, size: int) -> Path:
    """Write ``size`` bytes, before compression, of the format's object into ``directory``."""
    path = directory / FORMATS[format_]
    with gzip.open(path, "wb", 6) if format_.endswith("gz") else path.open("wb") as file:
        written = 0 if format_ == "ndjson" else file.write((",".join(NAMES) + "\n").encode())
        for rows in _blocks():
            if written >= size:
                return path
            written += file.write(_json(rows) if format_ == "ndjson" else _csv(rows))
    return path


def _blocks() -> Iterator[list[list[str]]]:
    """Yield rows of text without end, the same in each run."""
    random_ = random.Random(1)
    start = datetime(2024, 1, 1)
    number = 0
    while True:
        rows = []
        for _ in range(_BLOCK_ROWS):
            number += 1
            moment = start + timedelta(seconds=number * 7)
            rows.append(
                [
                    str(number),
                    f"{moment:%Y-%m-%d %H:%M:%S}",
                    f"{moment:%Y-%m-%d}",
                    random_.choice("ABCDEFG") + "A",
                    random_.choice(_WORDS)[:3],
                    random_.choice(_WORDS),
                    f"{random_.randrange(10**6) / 100:.2f}",
                    f"{random_.random() * 100:.6g}",
                    _degrees(random_.uniform(-90, 90)),
                    _degrees(random_.uniform(-180, 180)),
                    str(random_.randrange(1000)),
                    random_.choice(["", "1", "-5", "12"]),
                    random_.choice(["true", "false"]),
                    f"{random_.choice(_WORDS)} {random_.choice(_WORDS)}",
                    "" if number % 3 else "ok",
                    f"{number % 977:05}",
                ]
            )
        yield rows


def _degrees(value: float) -> str:
    """Return degrees with four decimals, without -0.0000: with it, the file is read again."""
    return f"{value:.4f}".replace("-0.0000", "0.0000")


def _csv(rows: list[list[str]]) -> bytes:
    return "".join(",".join(row) + "\n" for row in rows).encode()


def _json(rows: list[list[str]]) -> bytes:
    def value(name: str, text: str) -> str:
        return (text or "null") if name in _NUMBERS else json.dumps(text or None)

    lines = (
        "{" + ",".join(f'"{n}":{value(n, t)}' for n, t in zip(NAMES, row, strict=True)) + "}\n"
        for row in rows
    )
    return "".join(lines).encode()
