"""NDJSON, and what is rewritten to it, from a spooled file to a table of JSON values."""

import json
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import duckdb

from conversion.budget import Budget
from conversion.dialect import LINE_DELIMITER, lines_dialect, newline_of
from conversion.encoding import FALLBACK, from_fallback, is_fallback
from conversion.engine import identifier, literal
from conversion.json_numbers import JsonScreen, is_strict_object, with_inexact_as_text
from conversion.json_shape import ShapesDisagreeError, merged
from conversion.json_values import to_lines
from conversion.model import MEBIBYTE
from conversion.names import column_names
from conversion.proof import BIGINT, BOOLEAN, DOUBLE, FLOAT_SHARE_SURE, Guess, Type, guess
from conversion.rejects import Rejects
from conversion.repair import Repair
from conversion.screen import RECORD_BYTES_MAX, Screen
from conversion.spool import Spool
from conversion.typed import TextTable

JSON = Type("JSON", "CAST({text} AS JSON)", "true")

_SAMPLE_LINES = 1000
_COLUMNS_MAX = 5000
_SHAPES_MAX = 1000
_FETCHED = 10_000
_CHECK_EVERY = 10_000
_INNER = "substring({text}, 2, length({text}) - 2)"
_STRING = Type(
    "VARCHAR",
    f"CASE WHEN contains({{text}}, '\\') THEN json_extract_string({{text}}, '$') ELSE {_INNER} END",
    "starts_with({text}, '\"')",
)


@dataclass(frozen=True)
class JsonLines:
    """A spooled file of one JSON value a line."""

    path: Path
    lines: int
    newline: bytes
    screen: JsonScreen
    encoding: str
    longest: int

    @property
    def relation(self) -> str:
        """SQL that gives each line as it is."""
        newline = self.newline.decode().replace("\r", "\\r").replace("\n", "\\n")
        longest = RECORD_BYTES_MAX + MEBIBYTE if self.longest > 2_000_000 else 2_000_000
        return (
            f"read_csv({literal(str(self.path))}, auto_detect = false, header = false, quote = '', escape = '', "
            f"delim = {literal(LINE_DELIMITER.decode())}, new_line = '{newline}', max_line_size = {longest}, "
            "columns = {'line': 'VARCHAR'})"
        )


def spool_lines(spool: Spool, kind: str, rejects: Rejects, budget: Budget) -> JsonLines:
    """Spool the file as one value a line and count the lines, taking out those that are no text."""
    dialect = lines_dialect(blank_lines=False, newline=newline_of(spool.head))
    screen, json_screen = Screen(dialect), JsonScreen()
    if kind == "values":
        for _ in spool.blocks():
            pass
        laid_out = spool.path.with_suffix(".values")
        spool.path.replace(laid_out)
        to_lines(laid_out, spool.path, rejects, budget)
        laid_out.unlink()
        dialect = lines_dialect(blank_lines=False, newline=b"\n")
        screen = Screen(dialect)
        _feed(spool.path, screen, json_screen, budget)
        return JsonLines(spool.path, screen.records, b"\n", json_screen, spool.encoding, screen.longest_wait)
    carry = b""
    for block in spool.blocks():
        screen.feed(block)
        data = carry + block
        cut = data.rfind(b"\n") + 1
        json_screen.feed(data[:cut])
        carry = data[cut:]
    screen.finish()
    json_screen.feed(carry)
    if screen.sound:
        return JsonLines(
            spool.path, screen.records, dialect.newline, json_screen, spool.encoding, screen.longest_wait
        )
    encoding = spool.encoding
    if encoding == "utf-8" and is_fallback(spool.path, budget):
        encoding = FALLBACK
        from_fallback(spool.path, budget)
    repair = Repair(
        spool.path, dialect, rejects, budget, ("line",), header=False, mark_bytes=spool.mark_bytes
    )
    repair.run()
    return JsonLines(spool.path, repair.records, b"\n", json_screen, encoding, repair.longest)


def _feed(path: Path, screen: Screen, json_screen: JsonScreen, budget: Budget) -> None:
    with path.open("rb") as file:
        while lines := file.readlines(MEBIBYTE):
            budget.check_time()
            block = b"".join(lines)
            screen.feed(block)
            json_screen.feed(block)
    screen.finish()


def mend(
    lines: JsonLines, rejects: Rejects, budget: Budget, unsound: Sequence[int] | None = None
) -> JsonLines:
    """Rewrite the file without the lines that are no JSON objects; give what is left.

    ``unsound`` are the numbers (from 0, rising) of the lines that the engine refuses; without it, the lines that
    it takes though they are no JSON, or whose numbers it changes, are looked for.
    """
    target = lines.path.with_suffix(".mended")
    refused = iter(unsound or ())
    next_refused = next(refused, None)
    kept = offset = 0
    before = rejects.count
    with lines.path.open("rb") as source, target.open("wb") as file:
        for number, line in enumerate(source):
            if number % _CHECK_EVERY == 0:
                budget.check_time()
            if number == next_refused:
                next_refused = next(refused, None)
                reason = _reason(line)
            else:
                reason = None if unsound is not None or is_strict_object(line) else _reason(line)
            if reason is None:
                file.write(with_inexact_as_text(line) if lines.screen.inexact and unsound is None else line)
                kept += 1
            else:
                rejects.add(
                    record=number + before + 1,
                    line=number + before + 1,
                    byte_offset=offset,
                    column=None,
                    reason=reason,
                    raw=line.rstrip(b"\r\n"),
                )
            offset += len(line)
    target.replace(lines.path)
    return replace(lines, lines=kept)


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


def any_table(
    connection: duckdb.DuckDBPyConnection, lines: JsonLines, rejects: Rejects, budget: Budget
) -> tuple[TextTable, tuple[str, ...], JsonLines]:
    """Give the table for lines of any keys, found in a pass over all of them; lines that are no objects go."""
    read = f"(SELECT line, TRY(json_keys(line)) AS keys FROM {lines.relation})"
    refused = "keys IS NULL OR NOT starts_with(ltrim(line), '{') OR len(keys) <> len(list_distinct(keys))"
    unsound = connection.execute(
        f"SELECT number - 1 FROM (SELECT row_number() OVER () AS number, line, keys FROM {read}) WHERE {refused}"
    )
    numbers = array("q")
    while some := unsound.fetchmany(_FETCHED):
        numbers.extend(row[0] for row in some)
    if numbers:
        lines = mend(lines, rejects, budget, numbers)
    if lines.lines == 0:
        return TextTable(lines.relation, (), (), JSON), (), lines
    found = connection.execute(
        f"SELECT key, min(place) FROM (SELECT unnest(keys) AS key, unnest(range(len(keys))) AS place FROM {read}) "
        f"GROUP BY key ORDER BY min(place), key LIMIT {_COLUMNS_MAX + 1}"
    ).fetchall()
    sample = _sample(lines.path)
    first = dict.fromkeys(key for row in sample for key in row)
    keys = tuple(dict.fromkeys([*(key for key in first), *(key for key, _ in found)]))
    if not keys or len(keys) > _COLUMNS_MAX:
        whole = f"(SELECT line AS c0 FROM {lines.relation})"
        return TextTable(whole, ("value",), (Guess(()),), JSON), ("",), lines
    table = _table(lines, keys, sample, "json_transform")
    return _with_shapes(connection, table, lines, sample, keys), keys, lines


def _table(
    lines: JsonLines, keys: Sequence[str], sample: Sequence[dict[str, Any]], transform: str
) -> TextTable:
    clash = _clash(keys)
    structure = json.dumps({key: "JSON" for key in keys if key not in clash}, ensure_ascii=False)
    columns = ", ".join(
        f"CAST(json_extract(line, {literal(_pointer(key))}) AS VARCHAR) AS c{index}"
        if key in clash
        else f"CAST(s.{identifier(key)} AS VARCHAR) AS c{index}"
        for index, key in enumerate(keys)
    )
    values = f"(SELECT line, {transform}(line, {literal(structure)}) AS s FROM {lines.relation})"
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
            f"SELECT DISTINCT json_structure(c{index}) FROM {table.relation} WHERE c{index} IS NOT NULL LIMIT {_SHAPES_MAX}"
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
    """Say what types a column of JSON may have, from values of it. A string that looks like a number is none."""
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
        lines = list(islice(file, _SAMPLE_LINES))
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


def _reason(line: bytes) -> str:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return "malformed JSON"
    return (
        "a key that the object has twice, or text that is not Unicode"
        if isinstance(value, dict)
        else "not a JSON object"
    )
