"""Generated contracts, files with known defects, and the rows that must be published of each file."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from tests.contracts.drafts import custom

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

MISFIT = object()
"""The value of a cell whose text does not fit its column."""

_INTEGERS = st.integers(-(2**53), 2**53)
"""Integers that are exact as floats. Beside nulls, pandas reads integers as floats (docs/reading.md)."""

_WORDS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc"), include_characters="\n\t,;|\"'"),
    min_size=1,
    max_size=8,
).filter(lambda word: word != "NA")
_DATES = st.dates(date(1900, 1, 1), date(2200, 12, 31))
_MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(2200, 12, 31)).map(
    lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000, fold=0)
)


@dataclass(frozen=True)
class Cell:
    """A value, and how it is written in a file.

    Attributes:
        raw: Text in a delimited file, or the value of a JSON member.
        value: The value to be read. None is null, and `MISFIT` means that the text does not fit.
    """

    raw: Any
    value: Any


@dataclass(frozen=True)
class Kind:
    """A type in a contract, with values that fit and values that do not fit."""

    declared: Mapping[str, Any]
    fitting: st.SearchStrategy[Cell]
    misfits: Sequence[Any]


def _cells(values: st.SearchStrategy[Any], write: Callable[[Any], Any]) -> st.SearchStrategy[Cell]:
    return values.map(lambda value: Cell(write(value), value))


def _decimals(precision: int, scale: int) -> st.SearchStrategy[Decimal]:
    most = 10**precision - 1
    return st.integers(-most, most).map(lambda number: Decimal(f"{number}E-{scale}"))


def _number(precision: int, scale: int) -> Kind:
    return Kind(
        {"logicalType": "number", "physicalType": f"decimal({precision},{scale})"},
        st.builds(
            lambda value, form: Cell(format(value, form), value),
            _decimals(precision, scale),
            st.sampled_from("fE"),
        ),
        ["dear", "1e-10", "0." + "0" * scale + "1", "1" + "0" * (precision - scale)],
    )


SCALARS: Mapping[str, Kind] = {
    "string": Kind({"logicalType": "string"}, _cells(_WORDS, str), []),
    "integer": Kind({"logicalType": "integer"}, _cells(_INTEGERS, str), ["1.5", "x", "9" * 19, "0x10"]),
    "money": _number(18, 2),
    "wide": _number(30, 9),
    "double": Kind(
        {"logicalType": "number", "physicalType": "double"},
        _cells(st.floats(allow_nan=False, allow_infinity=False), repr),
        ["nan", "inf", "1e999", "x"],
    ),
    "boolean": Kind(
        {"logicalType": "boolean"}, _cells(st.booleans(), lambda value: str(value).lower()), ["2", "yes"]
    ),
    "date": Kind(
        {"logicalType": "date"}, _cells(_DATES, date.isoformat), ["2026-02-30", "01.02.2026", "20260201"]
    ),
    "timestamp": Kind(
        {"logicalType": "timestamp"},
        _cells(_MOMENTS, datetime.isoformat),
        ["2026-01-01T00:00:00.0001", "2026-01-01T25:00:00", "noon"],
    ),
}
NESTED: Mapping[str, Kind] = {
    "struct": Kind(
        {
            "logicalType": "object",
            "properties": [
                {"name": "x", "logicalType": "integer"},
                {"name": "word", "logicalType": "string"},
            ],
        },
        st.tuples(st.none() | _INTEGERS, st.none() | _WORDS).map(
            lambda pair: Cell({"x": pair[0], "word": pair[1]}, {"x": pair[0], "word": pair[1]})
        ),
        [[1], "x", {"x": "y"}],
    ),
    "array": Kind(
        {"logicalType": "array", "items": {"logicalType": "number", "physicalType": "decimal(9,2)"}},
        _cells(
            st.lists(st.none() | _decimals(9, 2), max_size=3),
            list,
        ),
        [{"a": 1}, "x", ["1.005"]],
    ),
}


@dataclass(frozen=True)
class Upload:
    """A file of a dataset.

    Attributes:
        key: Its key, which begins with the dataset's prefix.
        data: Its content.
        rows: Values of the rows that must be published. `_rescued` is last if the table has it. None if the
            file must fail.
        rejected: Number of rows that must be rejected, unless the file fails.
    """

    key: str
    data: bytes
    rows: list[tuple[Any, ...]] | None
    rejected: int


@dataclass(frozen=True)
class Generated:
    """The draft of a contract, and the files of its dataset."""

    draft: dict[str, Any]
    uploads: list[Upload]


@dataclass(frozen=True, eq=False)
class _Column:
    name: str
    source: str
    kind: Kind
    required: bool


@dataclass(frozen=True)
class _Form:
    """The format of a dataset's files, and the handling of columns and values that do not fit."""

    is_json: bool
    delimiter: str
    comma: bool
    unexpected: str
    missing: str
    bad: str

    @property
    def rescues(self) -> bool:
        return "rescue" in (self.unexpected, self.bad)


@st.composite
def datasets(draw: st.DrawFn) -> Generated:
    """Draw a contract and its files."""
    is_json = draw(st.booleans())
    form = _Form(
        is_json=is_json,
        delimiter=draw(st.sampled_from(",;\t|")),
        comma=not is_json and draw(st.booleans()),
        unexpected=draw(st.sampled_from(["rescue", "drop", "fail"])),
        missing=draw(st.sampled_from(["asNull", "asNull", "fail"])),
        bad=draw(st.sampled_from(["reject", "rescue", "fail"])),
    )
    kinds = {**SCALARS, **NESTED} if is_json else SCALARS
    names = draw(st.lists(st.sampled_from(sorted(kinds)), min_size=1, max_size=5))
    columns = [
        _Column(
            name=f"c{index}",
            source=draw(st.sampled_from([f"c{index}", f"Column {index}", f"größe.{index}"])),
            kind=kinds[name],
            required=draw(st.sampled_from([False, False, True])),
        )
        for index, name in enumerate(names)
    ]
    columns.insert(0, _Column("id", "id", SCALARS["integer"], required=True))
    uploads = [_upload(draw, form, columns, index) for index in range(draw(st.integers(1, 4)))]
    return Generated(_draft(form, columns), uploads)


def _draft(form: _Form, columns: Sequence[_Column]) -> dict[str, Any]:
    reading = (
        {}
        if form.is_json
        else {
            "delimiter": form.delimiter,
            "nullMarkers": ["", "NA"],
            "decimalSeparator": "," if form.comma else ".",
        }
    )
    return {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": "sales",
        "version": "1.0.0",
        "status": "active",
        "schema": [
            {
                "name": "sales",
                "logicalType": "object",
                "customProperties": [
                    custom("keyPrefix", "input/sales/"),
                    custom("format", "json" if form.is_json else "delimited"),
                    custom("reading", reading),
                    custom(
                        "handling",
                        {
                            "unexpectedColumns": form.unexpected,
                            "missingColumns": form.missing,
                            "badValues": form.bad,
                            "rejectedShareMax": 1,
                        },
                    ),
                ],
                "properties": [
                    {
                        "name": column.name,
                        **column.kind.declared,
                        "required": column.required,
                        "customProperties": [custom("sourceName", column.source)],
                    }
                    for column in columns
                ],
            }
        ],
    }


def _upload(draw: st.DrawFn, form: _Form, columns: Sequence[_Column], index: int) -> Upload:
    held = [
        column
        for column in columns
        if column.name == "id" or draw(st.integers(0, 9)) or (column.required and draw(st.booleans()))
    ]
    has_extra = draw(st.integers(0, 3)) == 0
    order = draw(st.permutations([*held, None] if has_extra else held))
    records = [_record(draw, form, order) for _ in range(draw(st.integers(1, 8)))]
    # The first lines decide whether a file is JSON. A damaged line after them is rejected.
    damageable = range(2 if form.is_json else 0, len(records))
    if damageable and draw(st.integers(0, 2)) == 0:
        number = draw(st.sampled_from(damageable))
        records[number] = _Record(records[number].cells, damaged=True)
    if form.is_json:
        data = b"".join(_json_line(record) for record in records)
    else:
        header = ["extra" if column is None else column.source for column in order]
        data = _line(form, header) + b"".join(_delimited_line(form, record) for record in records)
    rows, rejected = _expected(form, columns, held, records, has_extra=has_extra)
    return Upload(
        f"input/sales/{index}.{'ndjson' if form.is_json else 'csv'}",
        data,
        rows,
        0 if rows is None else rejected,
    )


@dataclass(frozen=True)
class _Record:
    """A record: the cell of each column (None is the unexpected column), and whether its line is damaged."""

    cells: Sequence[tuple[_Column | None, Cell]]
    damaged: bool


def _record(draw: st.DrawFn, form: _Form, order: Sequence[_Column | None]) -> _Record:
    cells = []
    for column in order:
        if column is None:
            cells.append((None, draw(_cells(st.sampled_from(["more", "x,;|\ty", 'a"b']), str))))
            continue
        what = draw(st.integers(0, 11))
        if what == 0 and not (column.required and draw(st.integers(0, 3))):
            null = None if form.is_json else draw(st.sampled_from(["", "NA"]))
            cells.append((column, Cell(null, None)))
        elif what == 1 and column.kind.misfits:
            cells.append((column, Cell(draw(st.sampled_from(column.kind.misfits)), MISFIT)))
        else:
            cell = _written(form, draw(column.kind.fitting))
            is_literal = form.is_json and isinstance(cell.value, bool | int | float | Decimal)
            cells.append(
                (column, Cell(cell.value, cell.value) if is_literal and draw(st.booleans()) else cell)
            )
    return _Record(cells, damaged=False)


def _written(form: _Form, cell: Cell) -> Cell:
    if form.comma and isinstance(cell.value, Decimal | float):
        return Cell(cell.raw.replace(".", ","), cell.value)
    return cell


def _json_line(record: _Record) -> bytes:
    members = {"extra" if column is None else column.source: cell.raw for column, cell in record.cells}
    return (f"damaged {_json(members)}" if record.damaged else _json(members)).encode() + b"\n"


def _json(value: Any) -> str:
    """Return a value as JSON. A decimal is a number with all its digits."""
    match value:
        case Decimal():
            return format(value, "f")
        case dict():
            return f"{{{', '.join(f'{json.dumps(name)}: {_json(inner)}' for name, inner in value.items())}}}"
        case list():
            return f"[{', '.join(map(_json, value))}]"
    return json.dumps(value, ensure_ascii=False)


def _delimited_line(form: _Form, record: _Record) -> bytes:
    fields = [cell.raw for _, cell in record.cells]
    return _line(form, [*fields, "surplus"] if record.damaged else fields)


def _line(form: _Form, fields: Sequence[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=form.delimiter, lineterminator="\n").writerow(fields)
    return text.getvalue().encode()


def _expected(
    form: _Form,
    columns: Sequence[_Column],
    held: Sequence[_Column],
    records: Sequence[_Record],
    *,
    has_extra: bool,
) -> tuple[list[tuple[Any, ...]] | None, int]:
    """Return the published rows (None if the file fails) and the number of rejected rows."""
    missing = [column for column in columns if column not in held]
    whole = [record for record in records if not record.damaged]
    if form.missing == "fail" and missing and (whole or not form.is_json):
        return None, 0
    if not form.is_json and any(column.required for column in missing):
        return None, 0
    if has_extra and form.unexpected == "fail" and (whole or not form.is_json):
        return None, 0
    rows = []
    for record in whole:
        cells = dict(record.cells)
        misfits = [column for column, cell in record.cells if column and cell.value is MISFIT]
        if misfits and form.bad == "fail":
            return None, 0
        values = {
            column: None if cell.value is MISFIT else cell.value for column, cell in record.cells if column
        }
        if (misfits and form.bad == "reject") or any(
            column.required and values.get(column) is None for column in columns
        ):
            continue
        row = [values.get(column) for column in columns]
        if form.rescues:
            rescued = {column.source: cells[column].raw for column in misfits if form.bad == "rescue"}
            if has_extra and form.unexpected == "rescue":
                rescued["extra"] = cells[None].raw
            row.append(dict(sorted(rescued.items())) or None)
        rows.append(tuple(row))
    return rows, len(records) - len(rows)
