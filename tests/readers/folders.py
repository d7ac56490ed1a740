"""Folders of two files whose columns differ in type, and what each engine reads from them."""

from __future__ import annotations

import json
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import duckdb

from tests.readers.engines import DuckDB, EngineError
from tests.readers.published import publish
from tests.readers.values import Table

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.readers.engines import Engine

PAIRS = {
    "whole amounts, then cents": ("id,v\n1,10\n2,20\n", "id,v\n3,10.50\n4,20.25\n"),
    "cents, then whole amounts": ("id,v\n3,10.50\n4,20.25\n", "id,v\n5,10\n6,20\n"),
    "one decimal, then two": ("id,v\n1,10.5\n2,20.1\n", "id,v\n3,10.50\n4,20.25\n"),
    "two decimals, then one": ("id,v\n1,10.50\n2,20.25\n", "id,v\n3,10.5\n4,20.1\n"),
    "decimals of 18 digits, then of 38": ("id,v\n1,10.50\n", "id,v\n2,12345678901234567890.25\n"),
    "one decimal, then floats": ("id,v\n1,10.5\n", "id,v\n2,20.123\n3,1e-7\n"),
    "whole numbers, then floats": ("id,v\n1,10\n", "id,v\n2,10.5\n3,20.125\n"),
    "whole numbers, then text": ("id,v\n1,10\n", "id,v\n2,x\n"),
    "nothing, then whole numbers": ("id,v\n1,\n", "id,v\n2,10\n"),
    "whole numbers, then timestamps": ("id,v\n1,10\n", "id,v\n2,2024-01-03 10:00:00\n"),
    "dates, then timestamps": ("id,v\n1,2024-01-01\n", "id,v\n2,2024-01-03 10:00:00\n"),
    "dates, then text": ("id,v\n1,2024-01-01\n", "id,v\n2,x\n"),
    "true and false, then text": ("id,v\n1,true\n", "id,v\n2,yes\n"),
    "timestamps, then with an offset": ("id,v\n1,2024-01-01 10:00:00\n", "id,v\n2,2024-01-03T10:00:00Z\n"),
    "null (JSON), then objects": ('{"id":1,"v":null}\n', '{"id":2,"v":{"a":1}}\n'),
    "empty lists, then lists": ('{"id":1,"v":[]}\n', '{"id":2,"v":[1]}\n'),
    "names `V`, then `v`": ("id,V\n1,a\n", "ID,v\n2,b\n"),
}
"""By the contents of the column `v`: the two uploads. Their `id` identifies the rows."""

RIGHT = "right"
ERROR = "error"


def write(folder: Path) -> dict[str, Path]:
    """Publish every pair to its own folder."""
    folders = {}
    for number, (name, uploads) in enumerate(PAIRS.items()):
        folders[name] = folder / f"pair-{number}"
        for file, text in zip(("a", "b"), uploads, strict=True):
            key = f"input/{file}.{'ndjson' if text.startswith('{') else 'csv'}"
            publish(text.encode(), folders[name] / f"{file}.parquet", key)
    return folders


def readers(engines: dict[str, Engine]) -> dict[str, Callable[[Path], Table]]:
    """Return the calls that read a folder, by engine. Engines that this machine cannot run are omitted."""
    found: dict[str, Callable[[Path], Table]] = {"DuckDB": DuckDB().read, "DuckDB, `union_by_name`": _by_name}
    for name, engine in engines.items():
        found[name] = engine.read
    return found


def _by_name(folder: Path) -> Table:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        try:
            relation = connection.sql(f"FROM read_parquet('{folder}/*.parquet', union_by_name = true)")
            return Table(relation.columns, relation.fetchall())
        except duckdb.Error as error:
            raise EngineError(str(error)) from None


def outcome(read: Callable[[Path], Table], pair: str, folder: Path) -> str:
    """Return "right", "error", or the first wrong value."""
    try:
        rows = read(folder).rows
    except EngineError:
        return ERROR
    got = {int(row[0]): _plain(row[1]) for row in rows if _plain(row[0]) is not None}
    wrong = [
        f"`{text}` as `{_shown(got.get(number))}`"
        for number, text in _expected(pair)
        if not _same(got.get(number), text)
    ]
    return wrong[0] if wrong else RIGHT


def _expected(pair: str) -> list[tuple[int, str | None]]:
    expected = []
    for text in PAIRS[pair]:
        for line in text.splitlines()[0 if text.startswith("{") else 1 :]:
            if line.startswith("{"):
                row = json.loads(line)
                expected.append((row["id"], None if row["v"] is None else json.dumps(row["v"])))
            else:
                number, _, value = line.partition(",")
                expected.append((int(number), value or None))
    return expected


def _plain(value: Any) -> Any:
    """Convert a value from numpy to Python, with None for every null."""
    if type(value).__module__ == "numpy":
        value = value.tolist()
    is_null = type(value).__name__ in ("NaTType", "NAType") or (isinstance(value, float) and value != value)
    return None if is_null else value


def _same(value: Any, text: str | None) -> bool:
    if value is None or text is None:
        return value is text
    shown = _shown(value)
    if shown in (text, f"{text} 00:00:00", text.replace("T", " ").removesuffix("Z")):
        return True
    with suppress(InvalidOperation):
        return Decimal(shown) == Decimal(text)
    return text.startswith(("{", "[")) and _as_json(value) == json.loads(text)


def _as_json(value: Any) -> Any:
    if isinstance(value, str):
        with suppress(ValueError):
            return json.loads(value)
    if isinstance(value, list):
        return [int(inner) if str(inner).isdigit() else inner for inner in value]
    return value


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    text = "null" if value is None else str(value)
    return text.removesuffix("+00:00").removesuffix(" UTC")
