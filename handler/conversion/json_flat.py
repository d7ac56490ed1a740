"""NDJSON whose lines all have the same keys, none of them with an object inside: nearly all NDJSON is so.

What is proven of such lines, and by what:

- Each has every key, once, and no other. The engine, being strict, fails where a key is missing or there
  twice, and the bytes hold no more keys than that makes.
- What was read as a string is one. The engine reads anything as text without a word; but a list or an object
  begins with a bracket, and of numbers and the like the bytes hold two quotes less than of as many strings.
- All other values are of their column's type, by the proof that each type has.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from conversion.csv_reader import read_text
from conversion.delimited.dialect import lines_dialect
from conversion.encoding import is_text
from conversion.engine import identifier, literal
from conversion.json_numbers import alike, has_inexact
from conversion.names import column_names
from conversion.proof import (
    BIGINT,
    BOOLEAN,
    FLOAT_SHARE_SURE,
    NOTHING,
    NULL_MARKERS,
    Guess,
    Type,
    double,
    guess,
)
from conversion.stream import UnsoundError
from conversion.typed import TextTable, Typed

NUMBER = double("strlen({text}) <= 15", "contains({text}, '.')", "contains({text}, 'e')")
"""A float of JSON: unless it is an integer, the engine has read it as one and written it anew."""

JSON = Type("JSON", "CAST({text} AS JSON)", "true")
_TEXT = Type(
    "VARCHAR",
    "{text}",
    "CASE WHEN {text} < '[' OR {text} >= chr(124) THEN true ELSE {text} >= chr(92) AND {text} < chr(123) END",
)
"""A string, which begins with no bracket; the engine gives lists and objects as text, too."""

_NOTHING = Type(JSON.name, JSON.cast, NOTHING.proof)
_LINE_ENDS = ("',}'", "' }'", "chr(9) || '}'")
"""What the engine takes for the end of an object though JSON does not, or may hide it."""


@dataclass(frozen=True)
class FlatTable:
    """A table of such lines."""

    table: TextTable
    keys: tuple[str, ...]
    strings: frozenset[str]
    """The names of the columns that were read as strings."""

    def is_proven(self, screen: "FlatScreen", typed: Typed) -> bool:
        """Tell whether what ``screen`` counted is what such lines and no others have."""
        written = typed.written
        values = sum(written.rows - written.nulls(name) for name in self.strings)
        return (
            # A column of text may hold lists, and one of any JSON strings.
            all(type_.proof != "true" for type_ in typed.types)
            and written.rows == screen.lines
            and screen.keys == len(self.keys) * screen.lines
            and screen.quotes == 2 * (screen.keys + values)
        )


class FlatScreen:
    """Counts, in a file's lines, what flat ones of so many ``keys`` have."""

    def __init__(self, keys: int, newline: bytes) -> None:
        self._keys = keys
        self._newline = newline
        self.lines = 0
        self.keys = 0
        """At least as many keys as there are, at any depth; a colon first in a string may count for one."""
        self.quotes = 0
        """Those that begin and end strings, keys included."""

    def screened(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """Yield ``blocks`` of whole lines, or raise UnsoundError."""
        for block in blocks:
            some = alike(block)
            if not is_text(block) or self._has_other_ends(block) or has_inexact(block, some):
                raise UnsoundError
            self._count(block, some)
            yield block

    def _has_other_ends(self, block: bytes) -> bool:
        if self._newline == b"\n":
            return b"\r" in block
        return not block.count(b"\r") == block.count(b"\n") == block.count(self._newline)

    def _count(self, block: bytes, some: bytes) -> None:
        lines = block.count(b"\n") + (not block.endswith(b"\n"))
        self.lines += lines
        self.quotes += block.count(b'"')
        if b"\\" in block:
            self.quotes -= block.replace(b"\\\\", b"").count(b'\\"')
        # In ``some`` of the bytes, neighbours may be none in truth, but those that are stay so: there are no
        # more keys than this, and counting takes its time for each byte.
        keys = some.count(b'":')
        if b" :" in some or b"\t" in block:
            keys = block.translate(None, b" \t").count(b'":')
        elif keys != self._keys * lines:
            keys = block.count(b'":')
        self.keys += keys


def flat_table(
    path: Path, newline: bytes, longest: int, sample: Sequence[Mapping[str, Any]]
) -> FlatTable | None:
    """Give the table for the lines of ``path``, if their sample is flat."""
    keys = tuple(sample[0]) if sample else ()
    if (
        not keys
        or clash(keys)
        or not _is_unicode(keys)
        or any(row.keys() != sample[0].keys() for row in sample)
    ):
        return None
    columns = [_column([row[key] for row in sample]) for key in keys]
    guesses = tuple(column.guess for column in columns if column)
    if len(guesses) < len(keys):
        return None
    structure = {key: column.read_as for key, column in zip(keys, columns, strict=True) if column}
    names = column_names(keys)
    values = ", ".join(f"CAST(s.{identifier(key)} AS VARCHAR) AS c{index}" for index, key in enumerate(keys))
    dialect = lines_dialect(blank_lines=False, newline=newline)
    lines = read_text(path, dialect, header=False, longest=longest, columns=("line",))
    bad_end = " OR ".join(f"ends_with(line, {end})" for end in _LINE_ENDS)
    transformed = f"json_transform_strict(line, {literal(json.dumps(structure, ensure_ascii=False))})"
    relation = (
        f"(SELECT {values} FROM (SELECT {transformed} AS s FROM {lines} "
        f"WHERE CASE WHEN ends_with(line, '}}') AND NOT ({bad_end}) THEN true ELSE error('not flat') END))"
    )
    return FlatTable(
        table=TextTable(relation, names, guesses, markers=False),
        keys=keys,
        strings=frozenset(
            name for name, type_ in zip(names, structure.values(), strict=True) if type_ == "VARCHAR"
        ),
    )


@dataclass(frozen=True)
class _Column:
    read_as: str
    """VARCHAR, or JSON: the value as it is written."""
    guess: Guess


def _column(values: Sequence[Any]) -> _Column | None:
    """Tell how a column of these values is to be read; None if it has values of several kinds, or objects."""
    some = [value for value in values if value is not None]
    nulls = frozenset({""}) if len(some) < len(values) else frozenset()
    kinds = {type(value) for value in some}
    if kinds == {str}:
        found = string_guess(some)
        return _Column("VARCHAR", replace(found, types=(*found.types, _TEXT), nulls=nulls))
    if kinds <= {int, float} and float in kinds:
        floats = sum(isinstance(value, float) for value in some)
        sure = floats > len(some) * FLOAT_SHARE_SURE
        return _Column("JSON", Guess((NUMBER,), JSON, nulls=nulls)) if sure else None
    types = {frozenset(): (_NOTHING,), frozenset({bool}): (BOOLEAN,), frozenset({int}): (BIGINT, NUMBER)}
    found = types.get(frozenset(kinds))
    return _Column("JSON", Guess(found, JSON, nulls=nulls)) if found else None


def _is_unicode(keys: Iterable[str]) -> bool:
    try:
        "".join(keys).encode()
    except UnicodeEncodeError:
        return False
    return True


def clash(keys: Iterable[str]) -> set[str]:
    """Give the keys that the engine, which makes no difference of case, would not tell from another."""
    seen: set[str] = set()
    clashing = set()
    for key in keys:
        if key.casefold() in seen or not key:
            clashing.add(key)
        seen.add(key.casefold())
    return clashing


def string_guess(values: Sequence[str]) -> Guess:
    """Say what types a column of strings may have. A string is never a number, nor a null marker null."""
    found = guess(values)
    numeric = any(
        type_.name in ("BOOLEAN", "BIGINT", "DOUBLE") or "DECIMAL" in type_.name for type_ in found.types
    )
    if numeric or any(value in NULL_MARKERS for value in values):
        return Guess(())
    return found
