"""The plan for an object of JSON: its layout, the shape of its rows, and the SQL that reads them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from itertools import islice
from typing import Any

from conversion.decode import Encoding
from conversion.engine import identifier, literal
from conversion.findings import Findings, RefutedError
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
from conversion.passes import Resources
from conversion.plan import Plan
from conversion.roundtrip import FLOAT_SHARE_SURE, NULL_MARKERS, Guess, Type, guess

_SAMPLE_ROWS = 1000
_NOT_OF_STRINGS = ("BOOLEAN", "BIGINT", "DOUBLE", "DECIMAL")


def json_plan(layout: Layout, encoding: Encoding, findings: Findings, resources: Resources) -> Plan:
    """Return the plan for JSON whose values have this layout."""
    sample = list(islice(_rows(encoding.head(resources.source.head), layout), _SAMPLE_ROWS))
    shape: Shape = reduce(merged, map(shape_of, sample), {}) if findings.shape is None else findings.shape
    shape = fitted(shape, resources.budget.columns_max)
    types = column_types(shape)
    # Keys with so few floats in the sample that they may be exceptions among integers.
    unsure = tuple(key for key, type_ in types.items() if type_ == DOUBLE and not _is_sure(key, sample))
    mark_bytes = encoding.mark_bytes
    reader = Rows(layout, shape, findings, resources, mark_bytes=mark_bytes, unsure=unsure)
    keys = tuple(types)
    return Plan(
        format="json",
        reader=reader,
        relation=_columns(shape, resources.pipe.sql, findings.line_bytes),
        names=column_names(keys) or (VALUE,),
        sources=keys or ("",),
        guesses=tuple(_guess(types[key], key, sample) for key in keys) or (Guess((Type(JSON),)),),
        markers=False,
    )


def _is_sure(key: str, sample: Sequence[Mapping[str, Any]]) -> bool:
    numbers = [row[key] for row in sample if isinstance(row.get(key), float | int)]
    return sum(isinstance(number, float) for number in numbers) > len(numbers) * FLOAT_SHARE_SURE


def _guess(type_: str, key: str, sample: Sequence[Mapping[str, Any]]) -> Guess:
    """Return the possible types of a column. A string is never a number, and a null marker is text."""
    if type_ != VARCHAR:
        return Guess((Type(type_),))
    strings = [row[key] for row in sample if isinstance(row.get(key), str)]
    found = guess(strings)
    marked = not strings or any(value in NULL_MARKERS for value in strings)
    if marked or any(type_.name.startswith(_NOT_OF_STRINGS) for type_ in found.types):
        return Guess(())
    return found


def _columns(shape: Shape, path: str, line_bytes: int) -> str:
    """Return SQL that reads rows of this shape, with a column for each key."""
    types = column_types(shape)
    if not isinstance(shape, dict) or not types:
        return whole_rows(path, line_bytes)
    if clash(shape):
        # DuckDB ignores case, so read_json cannot tell these keys apart; a JSON pointer can. All pointers
        # in one call parse a row once.
        pointers = ", ".join(literal(f"/{token(key)}") for key in shape)
        calls = {"members": "json_extract", "texts": "json_extract_string"}
        members = ", ".join(f"{call}(c0, [{pointers}]) AS {name}" for name, call in calls.items())
        values = [_member(at, inner) for at, inner in enumerate(shape.values(), 1)]
        return f"(SELECT {_numbered(values)} FROM (SELECT {members} FROM {whole_rows(path, line_bytes)}))"
    columns = ", ".join(f"{identifier(key)}: {literal(type_)}" for key, type_ in types.items())
    values = [_without_null(identifier(key), type_) for key, type_ in types.items()]
    return f"(SELECT {_numbered(values)} FROM {_lines(path, line_bytes, columns, records='true')})"


def whole_rows(path: str, line_bytes: int) -> str:
    """Return SQL that reads each line of JSON as one value, ``c0``."""
    return f"(SELECT row AS c0 FROM {_lines(path, line_bytes, f'row: {literal(JSON)}', records='false')})"


def _lines(path: str, line_bytes: int, columns: str, *, records: str) -> str:
    return (
        f"read_json({path}, format = 'newline_delimited', records = '{records}', "
        f"maximum_object_size = {line_bytes}, columns = {{{columns}}})"
    )


def token(key: str) -> str:
    """Return a key as it is written in a JSON pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")


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
