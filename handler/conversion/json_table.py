"""Make a table of lines of JSON: a column for each key, of the type that all its values have."""

import json
from array import array
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb

from conversion.csv_reader import read_text
from conversion.engine import identifier, literal
from conversion.json_lines import JsonLines, JsonSpool
from conversion.json_shape import ShapesDisagreeError, merged
from conversion.model import MEBIBYTE
from conversion.names import column_names
from conversion.proof import BIGINT, BOOLEAN, DOUBLE, FLOAT_SHARE_SURE, Guess, Type, guess
from conversion.typed import TextTable

JSON = Type("JSON", "CAST({text} AS JSON)", "true")

_SAMPLE_LINES = 1000
_COLUMNS_MAX = 5000
_SHAPES_MAX = 1000
_FETCHED = 10_000
_INNER = "substring({text}, 2, length({text}) - 2)"
_STRING = Type(
    "VARCHAR",
    f"CASE WHEN contains({{text}}, '\\') THEN json_extract_string({{text}}, '$') ELSE {_INNER} END",
    "starts_with({text}, '\"')",
)


def flat_table(lines: JsonLines) -> tuple[TextTable, tuple[str, ...]] | None:
    """Give the table for lines that all have the same keys and no others inside, if that seems to be so.

    Then each line has every key once (the engine is strict), and there are no more keys than that in the file
    (they were counted): nothing can be lost.
    """
    sample = _sample(lines.path)
    keys = tuple(sample[0]) if sample else ()
    if not keys or lines.screen.keys != len(keys) * lines.lines or _clash(keys):
        return None
    return _table(lines, keys, sample, "json_transform_strict"), keys


def any_table(connection: duckdb.DuckDBPyConnection, spool: JsonSpool) -> tuple[TextTable, tuple[str, ...]]:
    """Give the table for lines of any keys, found in a pass over all; lines that are no objects go."""
    read = f"(SELECT line, TRY(json_keys(line)) AS keys FROM {_read(spool.lines)})"
    refused = _refused(connection, read)
    if refused:
        read = f"(SELECT line, json_keys(line) AS keys FROM {_read(spool.without(refused))})"
    found = connection.execute(
        f"SELECT key FROM (SELECT unnest(keys) AS key FROM {read}) GROUP BY key ORDER BY key "
        f"LIMIT {_COLUMNS_MAX + 1}"
    ).fetchall()
    lines = spool.lines
    sample = _sample(lines.path)
    keys = tuple(dict.fromkeys([*(key for row in sample for key in row), *(key for (key,) in found)]))
    if not keys or len(keys) > _COLUMNS_MAX:
        whole = f"(SELECT line AS c0 FROM {_read(lines)})"
        return TextTable(whole, ("value",), (Guess(()),), JSON), ("",)
    table = _table(lines, keys, sample, "json_transform")
    return _with_shapes(connection, table, lines, sample, keys), keys


def _read(lines: JsonLines) -> str:
    return read_text(lines.path, lines.dialect, header=False, longest=lines.longest, columns=("line",))


def _refused(connection: duckdb.DuckDBPyConnection, read: str) -> Sequence[int]:
    """Give the numbers of the lines that are no objects to the engine, or have a key twice."""
    unsound = "keys IS NULL OR NOT starts_with(ltrim(line), '{') OR len(keys) <> len(list_distinct(keys))"
    answer = connection.execute(
        f"SELECT number - 1 FROM (SELECT row_number() OVER () AS number, line, keys FROM {read}) "
        f"WHERE {unsound}"
    )
    numbers = array("q")
    while some := answer.fetchmany(_FETCHED):
        numbers.extend(number for (number,) in some)
    return numbers


def _table(
    lines: JsonLines, keys: Sequence[str], sample: Sequence[dict[str, Any]], transform: str
) -> TextTable:
    clash = _clash(keys)
    structure = {key: "JSON" for key in keys if key not in clash}
    columns = ", ".join(
        f"CAST(json_extract(line, {literal(_pointer(key))}) AS VARCHAR) AS c{index}"
        if key in clash
        else f"CAST(s.{identifier(key)} AS VARCHAR) AS c{index}"
        for index, key in enumerate(keys)
    )
    transformed = (
        f"{transform}(line, {literal(json.dumps(structure, ensure_ascii=False))})" if structure else "NULL"
    )
    values = f"(SELECT line, {transformed} AS s FROM {_read(lines)})"
    return TextTable(
        relation=f"(SELECT {columns} FROM {values})",
        names=column_names(keys),
        guesses=tuple(_guess([row[key] for row in sample if row.get(key) is not None]) for key in keys),
        fallback=JSON,
    )


def _with_shapes(
    connection: duckdb.DuckDBPyConnection,
    table: TextTable,
    lines: JsonLines,
    sample: Sequence[dict[str, Any]],
    keys: Sequence[str],
) -> TextTable:
    """Find the types of nested columns, from all the shapes they have in the file."""
    nested = [
        index
        for index, key in enumerate(keys)
        if any(isinstance(row.get(key), dict | list) for row in sample)
    ]
    if not nested or lines.screen.long_integers:
        return table
    guesses = list(table.guesses)
    for index in nested:
        shapes = connection.execute(
            f"SELECT DISTINCT json_structure(c{index}) FROM {table.relation} WHERE c{index} IS NOT NULL "
            f"LIMIT {_SHAPES_MAX}"
        ).fetchall()
        if len(shapes) == _SHAPES_MAX:
            continue
        try:
            structure = merged(json.loads(shape) for (shape,) in shapes)
        except ShapesDisagreeError:
            continue
        text = literal(json.dumps(structure, ensure_ascii=False)).replace("{", "{{").replace("}", "}}")
        guesses[index] = Guess((Type("STRUCT", f"json_transform({{text}}, {text})", "true"),))
    return replace(table, guesses=tuple(guesses))


def _guess(values: Sequence[Any]) -> Guess:
    """Say what types a column of JSON may have, from values of it. A string is never a number."""
    kinds = {bool if value is True or value is False else type(value) for value in values}
    if not kinds:
        strings = tuple(_quoted(type_) for type_ in guess([]).types if type_ not in (BOOLEAN, BIGINT, DOUBLE))
        return Guess((BOOLEAN, BIGINT, DOUBLE, *strings, _STRING), certain=False)
    if kinds == {bool}:
        return Guess((BOOLEAN,))
    if kinds <= {int, float}:
        share = sum(isinstance(value, float) for value in values) / len(values)
        return Guess(
            (BIGINT, DOUBLE)
            if kinds == {int}
            else (DOUBLE,)
            if share > FLOAT_SHARE_SURE
            else (BIGINT, DOUBLE),
            certain=kinds == {int} or share > FLOAT_SHARE_SURE,
        )
    if kinds == {str}:
        found = guess(values)
        types = () if found.markers else found.types
        if set(types) & {BOOLEAN, BIGINT, DOUBLE} or any(type_.name.startswith("DECIMAL") for type_ in types):
            types = ()
        return Guess(
            (*(_quoted(type_) for type_ in types), _STRING), certain=found.certain, exclusive=found.exclusive
        )
    return Guess(())


def _quoted(type_: Type) -> Type:
    """Give the type for values that stand in quotes."""
    inner = _INNER.format(text="{text}")
    return Type(
        type_.name,
        type_.cast.replace("{text}", inner),
        f"starts_with({{text}}, '\"') AND ({type_.proof.replace('{text}', inner)})",
    )


def _sample(path: Path) -> list[dict[str, Any]]:
    with path.open("rb") as file:
        lines = file.readlines(MEBIBYTE)[:_SAMPLE_LINES]
    rows: list[dict[str, Any]] = []
    for line in lines:
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(row, dict):
            rows.append(row)
    return rows


def _clash(keys: Sequence[str]) -> set[str]:
    """Give the keys that the engine, which makes no difference of case, would not tell from another."""
    seen: set[str] = set()
    clash = set()
    for key in keys:
        if key.casefold() in seen or not key:
            clash.add(key)
        seen.add(key.casefold())
    return clash


def _pointer(key: str) -> str:
    return "/" + key.replace("~", "~0").replace("/", "~1")
