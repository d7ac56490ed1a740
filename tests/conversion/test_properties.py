"""Any table in any dialect, with some rows corrupted: all values of the other rows come back."""

import csv
import io
import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conversion import oracle
from tests.conversion.support import run

FEW = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)

WORDS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc"), include_characters="\n\t,;|\"' "),
    max_size=12,
)
CELLS = {
    "word": WORDS,
    "integer": st.integers(-(2**70), 2**70).map(str),
    "small integer": st.integers(-100, 100).map(str),
    "padded": st.integers(0, 99).map("{:03}".format),
    "money": st.decimals(-1000, 1000, places=2, allow_nan=False).map(lambda number: f"{number:.2f}"),
    "float": st.floats(allow_nan=False, allow_infinity=False).map(repr),
    "date": st.dates().map(str),
    "european date": st.dates().map("{:%d/%m/%Y}".format),
    "timestamp": st.datetimes().map(lambda moment: str(moment.replace(microsecond=0))),
    "boolean": st.sampled_from(["true", "false"]),
    "sparse": st.sampled_from(["", "", "NA", "5"]),
}


@st.composite
def tables(draw):
    """A table of two or more columns. In each, most cells have one kind."""
    kinds = draw(st.lists(st.sampled_from(sorted(CELLS)), min_size=2, max_size=6))
    odd = draw(st.sampled_from([None, "word", "float", "integer"]))
    rows = draw(st.lists(st.tuples(*(CELLS[kind] for kind in kinds)), min_size=20, max_size=40))
    if odd:
        place = draw(st.integers(0, len(rows) - 1))
        column = draw(st.integers(0, len(kinds) - 1))
        rows[place] = (*rows[place][:column], draw(CELLS[odd]), *rows[place][column + 1 :])
    return [f"column {i}" for i in range(len(kinds))], [list(row) for row in rows]


def written(rows, delimiter, newline, quoting):
    """The rows as the standard library writes them, one by one."""
    for row in rows:
        text = io.StringIO()
        csv.writer(text, delimiter=delimiter, lineterminator=newline, quoting=quoting).writerow(row)
        yield text.getvalue().encode()


CORRUPTIONS = {
    "a field too few": lambda record, end, d: record[: record.rindex(d)] + end,
    "a field too many": lambda record, end, d: record[: -len(end)] + d + b"extra" + end,
    "text after quotes": lambda record, _end, d: b'"a"b' + d + record,
    "an open quote": lambda record, end, d: record[: -len(end)] + d + b'"open' + end,
    "no text": lambda record, _end, _d: b"\xff" + record,
    "NUL": lambda record, _end, _d: b"\0" + record,
}


@FEW
@given(
    tables(),
    st.sampled_from(",;\t|"),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.booleans(),
)
def test_any_table_comes_back(table, delimiter, newline, quoting, last_line_end):
    header, rows = table
    data = b"".join(written([header, *rows], delimiter, newline, quoting))
    if not last_line_end:
        data = data[: -len(newline)]
    expected = oracle.read_delimited(data, delimiter, '"')[1:]
    assert expected == rows
    converted = run(data)
    assert list(converted.types) == header
    types = list(converted.source_types.values())
    got = converted.query("FROM data")
    assert len(got) == len(rows)
    for texts, values in zip(rows, got, strict=True):
        for text, type_, value in zip(texts, types, values, strict=True):
            assert oracle.same(text, type_, value), (text, type_, value)


@FEW
@given(st.data())
def test_corrupted_rows_are_rejected_and_no_others(data):
    count = data.draw(st.integers(40, 80))
    quoting = data.draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    delimiter = data.draw(st.sampled_from(",;\t|"))
    newline = data.draw(st.sampled_from(["\n", "\r\n"]))
    rows = [[str(i), f"größe {i}{delimiter}", f"word {i % 3}", f"{i}.50"] for i in range(count)]
    records = list(written([["id", "text", "word", "price"], *rows], delimiter, newline, quoting))
    bad = data.draw(
        st.dictionaries(st.integers(1, count), st.sampled_from(sorted(CORRUPTIONS)), min_size=1, max_size=4)
    )
    for number, corruption in bad.items():
        records[number] = CORRUPTIONS[corruption](records[number], newline.encode(), delimiter.encode())
    whole = b"".join(records)
    converted = run(whole, rejected_share_max=0.2)
    assert [reject["record"] for reject in converted.rejects] == sorted(bad)
    assert [reject["line"] for reject in converted.rejects] == [number + 1 for number in sorted(bad)]
    for reject in converted.rejects:
        assert reject["byte_offset"] == sum(map(len, records[: reject["record"]]))
    expected = [tuple(row) for number, row in enumerate(rows, 1) if number not in bad]
    assert converted.rows == expected
    assert converted.types == {"id": "BIGINT", "text": "VARCHAR", "word": "VARCHAR", "price": "DECIMAL(21,2)"}


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=10),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)
JSON_ROWS = st.lists(
    st.dictionaries(st.sampled_from(["a", "b", "key c", "é"]) | st.text(max_size=4), VALUES, max_size=4),
    min_size=1,
    max_size=20,
)


def plain(value):
    """A value without what a table cannot represent: nulls in objects, and 1 as opposed to 1.0."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value) if abs(value) < 2**53 else value
    return value


@FEW
@given(JSON_ROWS, st.booleans())
def test_any_json_comes_back(rows, as_array):
    data = json.dumps(rows).encode() if as_array else "".join(json.dumps(row) + "\n" for row in rows).encode()
    encodable = json.dumps(rows, ensure_ascii=False)
    if any(0xD800 <= ord(character) < 0xE000 for character in encodable):
        return
    if len(rows) == 1 and not as_array:
        rows = elements_of(rows[0]) or rows
    converted = run(data, "data.json")
    sources = [column.source_name for column in converted.result.columns]
    got = converted.query("SELECT to_json(COLUMNS(*))::VARCHAR FROM data")
    assert len(got) == len(rows)
    for row, values in zip(rows, got, strict=True):
        read = {
            column.source_name: as_in_the_source(json.loads(value), column)
            for column, value in zip(converted.result.columns, values, strict=True)
            if value not in (None, "null")
        }
        if list(converted.types) == ["value"] and sources == [""]:
            read = read.get("", {})
        if not row:
            assert plain(read) == {}
        else:
            assert comparable(read) == comparable(row)


def elements_of(row):
    """The rows of an object whose only member is an array of objects."""
    values = list(row.values())
    wraps = len(values) == 1 and isinstance(values[0], list)
    return values[0] if wraps and all(isinstance(inner, dict) for inner in values[0]) else []


def as_in_the_source(value, column):
    """A published value as in the source: JSON text is parsed, and fields have their own names."""
    if column.source_type == "JSON":
        return json.loads(value)
    sources = {renamed.field: renamed.source_name for renamed in column.renamed_fields}

    def named(value, path):
        if isinstance(value, dict):
            return {
                sources.get((*path, name), name): named(inner, (*path, name)) for name, inner in value.items()
            }
        return [named(inner, path) for inner in value] if isinstance(value, list) else value

    return named(value, (column.name,))


def comparable(row):
    """A row for comparison. Dates and long numbers come back as JSON text or as strings."""
    return {
        key: json.dumps(plain(value), sort_keys=True).strip('"')
        for key, value in row.items()
        if value is not None
    }
