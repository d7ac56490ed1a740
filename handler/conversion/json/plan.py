"""The plan for an object of JSON: its layout, the shape of its rows, and the SQL that reads them."""

import json
from collections.abc import Iterable, Mapping
from functools import cached_property
from itertools import islice
from typing import Any

from conversion.budget import Budget
from conversion.engine import identifier, literal
from conversion.json.layout import Layout
from conversion.json.parse import ParseError, parsed
from conversion.json.rows import VALUE, Rows
from conversion.json.shape import (
    DOUBLE,
    JSON,
    VARCHAR,
    Shape,
    clash,
    column_type,
    column_types,
    fitted,
    merged,
    shape_of,
    structure,
)
from conversion.json.values import Values
from conversion.model import UnreadableError
from conversion.names import column_names
from conversion.plan import Findings, RefutedError, Table
from conversion.rejects import Rejects
from conversion.roundtrip import FLOAT_SHARE_SURE, NULL_MARKERS, Guess, Type, guess

_SAMPLE_ROWS = 1000
_NOT_OF_STRINGS = ("BOOLEAN", "BIGINT", "DOUBLE", "DECIMAL")


class JsonPlan:
    """The plan for an object with this layout that begins with ``head`` (UTF-8)."""

    format = "json"

    def __init__(self, head: bytes, layout: Layout, findings: Findings, columns_max: int) -> None:
        self._layout = layout
        self._sample = list(islice(_rows(head, layout), _SAMPLE_ROWS))
        self._findings = findings
        self._shape: Shape = {} if findings.shape is None else findings.shape
        if findings.shape is None:
            for row in self._sample:
                self._shape = merged(self._shape, shape_of(row))
        self._shape = fitted(self._shape, columns_max)

    @cached_property
    def table(self) -> Table:
        """What DuckDB reads and writes."""
        keys = tuple(self._types)
        if not keys:
            guesses = (Guess((Type(JSON),)),)
            return Table(
                relation=self._whole_rows, names=(VALUE,), sources=("",), guesses=guesses, markers=False
            )
        return Table(
            relation=self._columns,
            names=column_names(keys),
            sources=keys,
            guesses=tuple(map(self._guess, keys)),
            markers=False,
        )

    def reader(self, rejects: Rejects, budget: Budget, *, mark_bytes: int) -> Rows:
        """Return a reader for one pass."""
        return Rows(
            self._layout,
            self._shape,
            rejects,
            budget,
            self._findings,
            mark_bytes=mark_bytes,
            unsure=self._unsure,
        )

    @cached_property
    def _types(self) -> Mapping[str, str]:
        return column_types(self._shape)

    @property
    def _unsure(self) -> tuple[str, ...]:
        """Keys with so few floats in the sample that they may be exceptions among integers."""
        return tuple(key for key, type_ in self._types.items() if type_ == DOUBLE and not self._is_sure(key))

    def _is_sure(self, key: str) -> bool:
        numbers = [row[key] for row in self._sample if isinstance(row.get(key), float | int)]
        return sum(isinstance(number, float) for number in numbers) > len(numbers) * FLOAT_SHARE_SURE

    def _guess(self, key: str) -> Guess:
        """Return the possible types of a column. A string is never a number, and a null marker is text."""
        type_ = self._types[key]
        if type_ != VARCHAR:
            return Guess((Type(type_),))
        strings = [row[key] for row in self._sample if isinstance(row.get(key), str)]
        found = guess(strings)
        marked = not strings or any(value in NULL_MARKERS for value in strings)
        if marked or any(type_.name.startswith(_NOT_OF_STRINGS) for type_ in found.types):
            return Guess(())
        return found

    def _columns(self, path: str) -> str:
        if isinstance(self._shape, dict) and clash(self._shape):
            # DuckDB ignores case, so read_json cannot tell these keys apart; a JSON pointer can. All pointers
            # in one call parse a row once.
            pointers = ", ".join(map(pointer, self._shape))
            calls = {"members": "json_extract", "texts": "json_extract_string"}
            members = ", ".join(f"{call}(c0, [{pointers}]) AS {name}" for name, call in calls.items())
            values = [_member(at, shape) for at, shape in enumerate(self._shape.values(), 1)]
            return f"(SELECT {_numbered(values)} FROM (SELECT {members} FROM {self._whole_rows(path)}))"
        types = ", ".join(f"{identifier(key)}: {literal(type_)}" for key, type_ in self._types.items())
        values = [_without_null(identifier(key), type_) for key, type_ in self._types.items()]
        lines = _lines(path, self._findings.line_bytes, types, records="true")
        return f"(SELECT {_numbered(values)} FROM {lines})"

    def _whole_rows(self, path: str) -> str:
        return whole_rows(path, self._findings.line_bytes)


def whole_rows(path: str, line_bytes: int) -> str:
    """Return SQL that reads each line of JSON as one value, ``c0``."""
    return f"(SELECT row AS c0 FROM {_lines(path, line_bytes, f'row: {literal(JSON)}', records='false')})"


def _lines(path: str, line_bytes: int, columns: str, *, records: str) -> str:
    return (
        f"read_json({path}, format = 'newline_delimited', records = '{records}', "
        f"maximum_object_size = {line_bytes}, columns = {{{columns}}})"
    )


def pointer(key: str) -> str:
    """Return the JSON pointer (RFC 6901) to a member, as SQL."""
    return literal("/" + key.replace("~", "~0").replace("/", "~1"))


def _member(place: int, shape: Shape) -> str:
    """Return SQL of a member's value. ``place`` is its place, from 1, in ``members`` and ``texts``."""
    type_ = column_type(shape)
    if type_ == JSON:
        return _without_null(f"members[{place}]", type_)
    if isinstance(shape, dict | list):
        # A cast would refuse an object that lacks one of the struct's fields.
        return f"json_transform(members[{place}], {literal(json.dumps(structure(shape)))})"
    return f"CAST(texts[{place}] AS {type_})"


def _without_null(value: str, type_: str) -> str:
    return f"CAST(nullif(CAST({value} AS VARCHAR), 'null') AS JSON)" if type_ == JSON else value


def _numbered(values: Iterable[str]) -> str:
    return ", ".join(f"{value} AS c{index}" for index, value in enumerate(values))


def _rows(head: bytes, layout: Layout) -> Any:  # noqa: ANN401
    """Yield the readable rows at the beginning of a text."""
    try:
        for piece in Values(layout, 0).pieces([head]):
            for value, _, _ in piece.lines():
                try:
                    row = parsed(value)
                except ParseError:
                    continue
                if layout.whole_values:
                    yield {VALUE: row}
                elif isinstance(row, dict):
                    yield row
    except (UnreadableError, RefutedError):
        return
