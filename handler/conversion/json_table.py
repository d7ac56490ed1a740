"""Make a table of lines of JSON of any keys: a column for each key, of the type that all its values have."""

import json
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import duckdb
from duckdb.sqltypes import DuckDBPyType

from conversion.csv_reader import read_text
from conversion.engine import identifier, literal
from conversion.json_flat import JSON, clash, string_guess
from conversion.json_lines import JsonLines, JsonSpool
from conversion.json_shape import Shape, ShapesDisagreeError, merged
from conversion.names import column_names
from conversion.proof import BIGINT, BOOLEAN, DOUBLE, FLOAT_SHARE_SURE, Guess, Type, guess
from conversion.published import is_too_deep
from conversion.typed import TextTable

_COLUMNS_MAX = 5000
_SHAPES_MAX = 1000
_FETCHED = 10_000
_INNER = "substring({text}, 2, length({text}) - 2)"
_STRING = Type(
    "VARCHAR",
    f"CASE WHEN contains({{text}}, '\\') THEN json_extract_string({{text}}, '$') ELSE {_INNER} END",
    "starts_with({text}, '\"')",
)


def any_table(connection: duckdb.DuckDBPyConnection, spool: JsonSpool) -> tuple[TextTable, tuple[str, ...]]:
    """Give the table and its keys, found in a pass over all lines; those that are no objects go."""
    read = f"(SELECT line, TRY(json_keys(line)) AS keys FROM {_read(spool.lines)})"
    refused = _refused(connection, read, spool)
    if refused:
        read = f"(SELECT line, json_keys(line) AS keys FROM {_read(spool.without(refused))})"
    found = connection.execute(
        f"SELECT key FROM (SELECT unnest(keys) AS key FROM {read}) GROUP BY key ORDER BY key "
        f"LIMIT {_COLUMNS_MAX + 1}"
    ).fetchall()
    lines = spool.lines
    sample = lines.sample()
    keys = tuple(dict.fromkeys([*(key for row in sample for key in row), *(key for (key,) in found)]))
    if not keys or len(keys) > _COLUMNS_MAX:
        whole = f"(SELECT line AS c0 FROM {_read(lines)})"
        return TextTable(whole, ("value",), (Guess((), JSON),), markers=False), ("",)
    table = _table(lines, keys, sample)
    return _with_shapes(connection, table, lines, sample, keys), keys


def _read(lines: JsonLines) -> str:
    return read_text(lines.path, lines.dialect, header=False, longest=lines.longest, columns=("line",))


def _refused(connection: duckdb.DuckDBPyConnection, read: str, spool: JsonSpool) -> Sequence[int]:
    """Give the numbers of the lines that are no objects to the engine, or have a key twice."""
    unsound = "keys IS NULL OR NOT starts_with(ltrim(line), '{') OR len(keys) <> len(list_distinct(keys))"
    answer = connection.execute(
        f"SELECT number - 1 FROM (SELECT row_number() OVER () AS number, line, keys FROM {read}) "
        f"WHERE {unsound}"
    )
    numbers = array("q")
    while some := answer.fetchmany(_FETCHED):
        numbers.extend(number for (number,) in some)
    # Of two keys of one name in an object inside another, the engine would keep one.
    if spool.lines.screen.objects > spool.lines.lines:
        numbers = array("q", sorted({*numbers, *spool.with_a_key_twice()}))
    return numbers


def _table(lines: JsonLines, keys: Sequence[str], sample: Sequence[Mapping[str, Any]]) -> TextTable:
    clashing = clash(keys)
    structure = {key: "JSON" for key in keys if key not in clashing}
    columns = ", ".join(
        f"nullif(CAST(json_extract(line, {literal(_pointer(key))}) AS VARCHAR), 'null') AS c{index}"
        if key in clashing
        else f"CAST(s.{identifier(key)} AS VARCHAR) AS c{index}"
        for index, key in enumerate(keys)
    )
    transformed = (
        f"json_transform(line, {literal(json.dumps(structure, ensure_ascii=False))})" if structure else "NULL"
    )
    values = f"(SELECT line, {transformed} AS s FROM {_read(lines)})"
    return TextTable(
        relation=f"(SELECT {columns} FROM {values})",
        names=column_names(keys),
        guesses=tuple(_guess([row[key] for row in sample if row.get(key) is not None]) for key in keys),
        markers=False,
    )


def _with_shapes(
    connection: duckdb.DuckDBPyConnection,
    table: TextTable,
    lines: JsonLines,
    sample: Sequence[Mapping[str, Any]],
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
        type_ = _type_of(connection, structure)
        if not is_too_deep(type_):
            guesses[index] = Guess((Type(str(type_), f"json_transform({{text}}, {text})", "true"),), JSON)
    return replace(table, guesses=tuple(guesses))


def _type_of(connection: duckdb.DuckDBPyConnection, structure: Shape) -> DuckDBPyType:
    """Give the type of what json_transform makes of this structure."""
    text = literal(json.dumps(structure, ensure_ascii=False))
    return connection.sql(f"SELECT json_transform(value, {text}) FROM (SELECT '{{}}' AS value)").types[0]


def _guess(values: Sequence[Any]) -> Guess:
    """Say what types a column of values as JSON writes them may have."""
    kinds = {bool if value is True or value is False else type(value) for value in values}
    if kinds == {bool}:
        return Guess((BOOLEAN,), JSON)
    if kinds == {str}:
        return _quoted_guess(string_guess(values))
    if kinds and kinds <= {int, float}:
        floats = sum(isinstance(value, float) for value in values)
        if floats > len(values) * FLOAT_SHARE_SURE:
            return Guess((DOUBLE,), JSON)
        return Guess((BIGINT, DOUBLE), JSON, certain=not floats)
    if kinds:
        return Guess((), JSON)
    strings = [type_ for type_ in guess(["NA"]).types if type_ not in (BOOLEAN, BIGINT, DOUBLE)]
    return Guess((BOOLEAN, BIGINT, DOUBLE, *map(_quoted, strings), _STRING), JSON, certain=False)


def _quoted_guess(found: Guess) -> Guess:
    return replace(found, types=(*map(_quoted, found.types), _STRING), fallback=JSON)


def _quoted(type_: Type) -> Type:
    """Give the type for values that stand in quotes."""
    inner = _INNER.format(text="{text}")
    return Type(
        type_.name,
        type_.cast.replace("{text}", inner),
        f"starts_with({{text}}, '\"') AND ({type_.proof.replace('{text}', inner)})",
    )


def _pointer(key: str) -> str:
    return "/" + key.replace("~", "~0").replace("/", "~1")
