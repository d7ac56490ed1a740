"""Find the row that names the columns, on evidence; without any, the columns are numbered.

A header that is kept as a row is seen. A row that is taken for a header is lost. So a row is a header only

- if a cell of it is text where its column is typed (``typed``),
- or if its numbers are years from 1900 to 2100 in equal steps, and its other cells are names (``years``),
- or if all columns are text, and its cells are distinct names (``assumed``): a guess, and said to be one.

A cell that looks as its column does speaks against it: a number over numbers, a date over dates, a null
marker over either, and, against a guess, ``K0`` over ``K1`` and ``K2``.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from itertools import pairwise

from conversion.delimited.cells import Kind, form_of, kind_of, shape_of
from conversion.delimited.detection import COMMENT, DELIMITERS
from conversion.delimited.sample import Grammar, Record


class Header(StrEnum):
    """On what evidence a row was taken for the header."""

    NONE = "none"
    TYPED = "typed"
    YEARS = "years"
    ASSUMED = "assumed"
    DECLARED = "declared"


@dataclass(frozen=True)
class Begin:
    """Where a table begins: its header, if there is one, and its first row."""

    header: Header
    names: tuple[str, ...]
    """The columns' names, as the header says them; empty where it says none."""
    index: int | None
    """Which of the records is the header."""
    body: int
    """Which of the records is the first row. Those before it are the header, titles and comments."""


_NAME = re.compile(r"[^\W\d][\w \-./:%#&()\[\]+°$€£]{0,63}")
"""A name: it begins with a letter or an underscore, and has up to 64 letters, digits, spaces and signs."""

_WORD = re.compile(r"[^\W\d_]|[^\x00-\x7f]")
"""A letter, or a sign that numbers and dates are not written with."""

_YEAR = re.compile(r"19\d\d|20\d\d|2100")
_CLASS = re.compile(r"[0-9]{1,9}")
_ROWS_MIN, _ROWS_MAX, _CELLS_MAX = 10, 200, 40_000
"""So many rows tell what a column holds; of a wide table, as many as have so many cells."""
_COLUMNS_MAX = 50_000
"""No table with more columns is converted, so its header is not looked for."""
_BEFORE_MAX = 50
"""So many lines of titles and comments are looked through for a header."""
_LIKENESS_MIN = 0.95
"""The share of a column's values that must look the same, for the column to look so."""
_YEARS_MIN = 2
_SEQUENCE_MIN = 3


def find_header(grammar: Grammar, records: Sequence[Record], width: int) -> Begin:
    """Find the header of a table of ``width`` columns, and its first row.

    Args:
        grammar: How the records are written.
        records: Those at the beginning of the file.
        width: How many fields the table's rows have.
    """
    if width > _COLUMNS_MAX:
        return Begin(Header.NONE, ("",) * width, None, 0)
    header = _in_one_column(grammar, records) if width == 1 else None
    header = header or _searched(grammar, records, width)
    if header is not None:
        return header
    body = 0
    while body < len(records) and _is_apart(records[body], width):
        body += 1
    return Begin(Header.NONE, ("",) * width, None, body)


def _in_one_column(grammar: Grammar, records: Sequence[Record]) -> Begin | None:
    """Find the last line of text before a typed column, if all before it are titles."""
    titles = 0
    while titles < min(len(records), _BEFORE_MAX) and _has_words(grammar, records[titles]):
        titles += 1
    for index in (titles, titles - 1):
        if 0 < index < len(records) and records[index].fields:
            found = _found(grammar, records, index, 1)
            if found.header is Header.TYPED:
                return found
    return None


def _has_words(grammar: Grammar, record: Record) -> bool:
    if record.width != 1:
        return False
    text = grammar.value(record.fields[0])
    return len(text.split()) > 1 and kind_of(text) is Kind.TEXT


def _searched(grammar: Grammar, records: Sequence[Record], width: int) -> Begin | None:
    commented = not all(record.raw.startswith(COMMENT) for record in records)
    only_titles = True
    comment: int | None = None
    padded: Begin | None = None
    for index, record in enumerate(records[:_BEFORE_MAX]):
        if not record.fields:
            break  # What cannot be read may be the header, so no other row is.
        if commented and record.raw.startswith(COMMENT):
            comment = index
            continue
        found = _found(grammar, records, index, width)
        if _is_padded(record):
            # A header that names one column alone is likelier a title.
            padded = padded or (found if found.header is Header.TYPED else None)
            only_titles = only_titles and _is_title(record)
            continue
        if found.header not in (Header.TYPED, Header.YEARS) and comment is not None and width > 1:
            # The last comment may be the header.
            of_comment = _found(grammar, records, comment, width)
            if of_comment.header is not Header.NONE:
                return of_comment
        if found.header is Header.ASSUMED and not (only_titles and _is_begin(records[: index + 1], width)):
            break
        if found.header is not Header.NONE:
            return found
        if record.width == width:
            break
        only_titles = only_titles and _is_title(record)
    return padded


def _is_begin(records: Sequence[Record], width: int) -> bool:
    """Tell whether the last of ``records`` may be guessed to be a header, the others being titles.

    One line of one field over two columns may itself be the header, and damaged, unless a blank line follows.
    """
    *titles, header = records
    if width > 2 or len(titles) != 1 or titles[0].width == width or titles[0].raw.startswith(COMMENT):
        return True
    return titles[0].end < header.start


def _is_apart(record: Record, width: int) -> bool:
    """Tell whether a record before the first row is no row: a title or a comment of another width."""
    if record.width in (0, width):
        return False
    return _is_title(record) or record.raw.startswith(COMMENT)


def _is_padded(record: Record) -> bool:
    """Tell whether a record has one field, and delimiters up to the table's width."""
    return record.width > 1 and sum(map(bool, record.fields)) <= 1


def _is_title(record: Record) -> bool:
    """Tell whether a record is a title: one field, of some words, padded or not.

    One word, or one with another delimiter, may be a header that is damaged.
    """
    if record.width > 1 and not _is_padded(record):
        return False
    text = b"".join(record.fields)
    return not text or (len(text.split()) > 1 and not any(delimiter in text for delimiter in DELIMITERS))


def _found(grammar: Grammar, records: Sequence[Record], index: int, width: int) -> Begin:
    """Say on what evidence the record of this index is the header, if on any."""
    record = records[index]
    rows, repeated = [], 0
    enough = max(_ROWS_MIN, min(_ROWS_MAX, _CELLS_MAX // width))
    for row in records[index + 1 :]:
        if row.is_again(record):
            repeated += 1
        elif row.width == width:
            rows.append([grammar.value(field) for field in row.fields])
            if len(rows) == enough:
                break
    values = zip(*rows, strict=True) if rows else [()] * width
    columns = [_Column(tuple(column)) for column in values]
    names = _aligned([grammar.value(field) for field in record.fields], columns)
    cells = [_Cell(name, column) for name, column in zip(names, columns, strict=False)]
    if not names:
        header = Header.NONE
    elif _names_typed(cells):
        header = Header.TYPED
    elif _names_years(cells):
        header = Header.YEARS
    else:
        header = Header.ASSUMED if repeated <= len(rows) and _names_text(cells) else Header.NONE
    return Begin(header, names, index, index + 1)


@dataclass(frozen=True)
class _Column:
    """What the rows have in one column."""

    values: tuple[str, ...]

    @cached_property
    def kinds(self) -> frozenset[Kind]:
        """What nearly all of its values look like; nothing if they look like text."""
        kinds = Counter(map(kind_of, self.values))
        some = sum(count for kind, count in kinds.items() if kind not in (Kind.EMPTY, Kind.NULL))
        typed = {kind: count for kind, count in kinds.items() if kind.typed}
        return frozenset(typed) if some and sum(typed.values()) >= _LIKENESS_MIN * some else frozenset()

    def is_of_code(self, cell: str) -> bool:
        """Tell whether its values are codes, as ``K1`` and ``K2`` are, and ``cell`` is one of them."""
        for pattern_of in (form_of, shape_of):
            patterns = Counter(pattern_of(value) for value in self.values if value)
            pattern, count = patterns.most_common(1)[0] if patterns else ("", 0)
            if "9" in pattern and count >= _LIKENESS_MIN * patterns.total():
                return pattern == pattern_of(cell)
        return False

    @cached_property
    def is_empty(self) -> bool:
        """Whether it has no value."""
        return not any(self.values)

    @cached_property
    def is_distinct(self) -> bool:
        """Whether each row has a value of its own."""
        return all(self.values) and len(set(self.values)) == len(self.values)

    @cached_property
    def is_index(self) -> bool:
        """Whether it numbers the rows, from 0 or from 1, as R and pandas do."""
        start = 0 if self.values[:1] == ("0",) else 1
        return bool(self.values) and all(
            value == str(number) for number, value in enumerate(self.values, start)
        )

    @cached_property
    def is_of_years(self) -> bool:
        """Whether nearly all of its values are years."""
        years = sum(bool(_YEAR.fullmatch(value)) for value in self.values)
        return bool(years) and years >= _LIKENESS_MIN * sum(map(bool, self.values))


@dataclass(frozen=True)
class _Cell:
    """A cell of what may be the header, over its column."""

    text: str
    column: _Column

    @cached_property
    def kind(self) -> Kind:
        return kind_of(self.text)

    @property
    def is_name(self) -> bool:
        return self.kind is Kind.TEXT and bool(_NAME.fullmatch(self.text.strip()))

    @property
    def has_words(self) -> bool:
        """Whether it is text, and no number or date that is badly written."""
        return self.kind is Kind.TEXT and bool(_WORD.search(self.text))

    @property
    def is_year(self) -> bool:
        return bool(_YEAR.fullmatch(self.text)) and not self.column.is_of_years

    @property
    def is_left_out(self) -> bool:
        """Whether it is empty because its column needs no name: it is empty too, or numbers the rows."""
        return self.kind is Kind.EMPTY and (self.column.is_empty or self.column.is_index)

    @property
    def is_like_column(self) -> bool:
        """Whether it is a value as its column has them, which is typed."""
        return bool(self.column.kinds) and (self.kind in self.column.kinds or self.kind is Kind.NULL)


def _aligned(cells: list[str], columns: Sequence[_Column]) -> tuple[str, ...]:
    """Give each column its cell of a header, which may have one more or less of them than there are columns.

    Rows may end with a delimiter where the header does not, or the other way round. R leaves out the name of
    the first column, which has the rows' names. What cannot be aligned has no cells.
    """
    if len(cells) == len(columns):
        return tuple(cells)
    if len(cells) == len(columns) + 1 and not cells[-1]:
        return tuple(cells[:-1])
    if len(cells) != len(columns) - 1:
        return ()
    if columns[-1].is_empty:
        return (*cells, "")
    rows = columns[0]
    rows_named = rows.is_distinct if len(cells) > 1 else rows.is_index and len(cells[0].split()) == 1
    return ("", *cells) if rows_named else ()


def _names_typed(cells: Sequence[_Cell]) -> bool:
    """Tell whether a cell is text where its column is typed, and none is a value.

    Numbers over numbers are no values if they are in order, as years and classes are.
    """
    if not any(cell.has_words and cell.column.kinds for cell in cells):
        return False
    values = [cell for cell in cells if cell.is_like_column]
    return all(cell.is_year for cell in values) or (
        len(values) >= _SEQUENCE_MIN and _is_rising([cell.text for cell in values])
    )


def _names_years(cells: Sequence[_Cell]) -> bool:
    """Tell whether the numbers are years in equal steps, and the other cells names."""
    numbers = [cell for cell in cells if cell.kind is Kind.NUMBER]
    others = [cell for cell in cells if cell.kind is not Kind.NUMBER and not cell.is_left_out]
    if not all(cell.is_year for cell in numbers) or len(numbers) < (_YEARS_MIN if others else _SEQUENCE_MIN):
        return False
    steps = {int(after.text) - int(before.text) for before, after in pairwise(numbers)}
    in_equal_steps = len(steps) == 1 and 0 not in steps
    return in_equal_steps and all(cell.is_name and not cell.is_like_column for cell in others)


def _names_text(cells: Sequence[_Cell]) -> bool:
    """Tell whether all columns are text, and the cells distinct names that their columns do not have."""
    named = [cell for cell in cells if not cell.is_left_out]
    return (
        bool(named)
        and len({cell.text for cell in named}) == len(named)
        and all(
            cell.is_name
            and not cell.column.kinds
            and not cell.column.is_of_code(cell.text)
            and cell.text not in cell.column.values
            for cell in named
        )
    )


def _is_rising(texts: Sequence[str]) -> bool:
    if not all(_CLASS.fullmatch(text) for text in texts):
        return False
    return all(int(before) < int(after) for before, after in pairwise(texts))
