"""Find the row that names the columns, on evidence. Without evidence the columns are numbered.

Users can see a header that was kept as a row, but not a row that was taken as the header. So a row is the
header only

- if a cell is text and its column is typed (``typed``),
- or if its numbers are years from 1900 to 2100 in equal steps, and its other cells are names (``years``),
- or if all columns are text, and its cells are distinct names (``assumed``, a guess).

A cell that looks like its column is evidence against a header: a number above numbers, a date above dates, a
null marker above either. Against ``years`` and a guess, so is ``K0`` above ``K1`` and ``K2``.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from itertools import pairwise

from conversion.delimited.cells import Kind, form_of, kind_of, shape_of
from conversion.delimited.detection import BESIDE_MAX, DELIMITERS
from conversion.delimited.sample import Grammar, Record


class Header(StrEnum):
    """The evidence for a header."""

    NONE = "none"
    TYPED = "typed"
    YEARS = "years"
    ASSUMED = "assumed"
    DECLARED = "declared"


@dataclass(frozen=True)
class Begin:
    """The beginning of a table: its header, if there is one, and its first row."""

    header: Header
    names: tuple[str, ...]
    """The column names in the header; empty for columns without a name."""
    index: int | None
    """The index of the header among the records."""
    body: int
    """The index of the first row. The records before it are the header, titles and comments."""


_NAME = re.compile(r"[@$\[(<¿]?[^\W\d][\w \-./:%#&()\[\]+°$€£'\u2019>]{0,63}[?*]?")
"""A name: a letter or an underscore, then up to 63 letters, digits, spaces and signs."""
_LABEL = re.compile(rf"{_NAME.pattern}(?:[,\\]{_NAME.pattern})*")
r"""One or more names, as in Eurostat's ``freq,unit,geo\TIME_PERIOD``."""

_WORD = re.compile(r"[^\W\d_]|[^\x00-\x7f]")
"""A letter, or a character that numbers and dates do not contain."""

_MEASURE = re.compile(r"\W*\d(?!.*[^\W\d_]{4})", re.DOTALL)
"""Text that begins with a digit and has no word of four letters: ``5 kg``, but not ``2019 Revenue``."""

_YEAR = re.compile(r"19\d\d|20\d\d|2100")
_CLASS = re.compile(r"[0-9]{1,9}")
_ROWS_MIN, _ROWS_MAX, _CELLS_MAX = 10, 200, 40_000
"""The number of rows that decide what a column holds. Wide tables use fewer: at most _CELLS_MAX cells."""
_COLUMNS_MAX = 50_000
"""Wider tables are never converted, so their header is not searched."""
_BEFORE_MAX = 50
"""The most lines of titles before a header."""
_LIKENESS_MIN = 0.95
"""The share of a column's values that must have a kind, for the column to have it."""
_PAIR_WIDTH = 3
"""A record with at most this many fields is no key with its value."""
_SAME_SHAPE_MIN = 0.5
"""The share of a column's values that must have one shape, for the column to have codes."""
_NAMES_SURE = 3
"""The number of names above typed columns from which one cell may look like its column."""
_YEARS_MIN = 2
_SEQUENCE_MIN = 3


def find_header(grammar: Grammar, records: Sequence[Record], width: int) -> Begin:
    """Find the header of a table of ``width`` columns, and its first row.

    Args:
        grammar: The grammar of the records.
        records: The records at the beginning of the file.
        width: The number of fields in a row.
    """
    if width > _COLUMNS_MAX:
        return Begin(Header.NONE, ("",) * width, None, 0)
    header = _in_one_column(grammar, records) if width == 1 else None
    header = header or _searched(grammar, records, width)
    if header is not None:
        return header
    body = 0
    while body < len(records) and _is_apart(records, body, width):
        body += 1
    return Begin(Header.NONE, ("",) * width, None, body)


def _in_one_column(grammar: Grammar, records: Sequence[Record]) -> Begin | None:
    """Return the last line of text before a typed column, if all lines before it are titles."""
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
    commented = not all(record.is_comment for record in records)
    only_titles, others = True, 0
    comment: int | None = None
    padded: Begin | None = None
    lines = 0
    for index, record in enumerate(records):
        if not record.fields or lines == _BEFORE_MAX:
            break  # An unreadable record may be the header, so no other row is.
        if commented and record.is_comment:
            comment = index
            continue
        lines += 1
        found = _found(grammar, records, index, width)
        if _is_padded(record) or _is_pair(record):
            # A record that names only one or two columns is more likely a title.
            padded = padded or (found if found.header is Header.TYPED else None)
            only_titles = only_titles and _is_title(records, index, width)
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
        others += record.width > 1
        if record.width == width or others > BESIDE_MAX:
            break
        only_titles = only_titles and _is_title(records, index, width)
    return padded


def _is_begin(records: Sequence[Record], width: int) -> bool:
    """Return whether the last of ``records`` may be the header by a guess, and the others titles.

    One line with one field above two columns may be the damaged header, unless a blank line follows it.
    """
    *titles, header = records
    if width > 2 or len(titles) != 1 or titles[0].width == width or titles[0].is_comment:
        return True
    return titles[0].end < header.start


def _is_apart(records: Sequence[Record], index: int, width: int) -> bool:
    """Return whether a record before the first row is no row: a title or a comment of another width."""
    record = records[index]
    if record.width in (0, width):
        return False
    return _is_title(records, index, width) or record.is_comment


def _is_padded(record: Record) -> bool:
    """Return whether a record has one value and is padded with delimiters."""
    return record.width > 1 and sum(map(bool, record.fields)) <= 1


def _is_pair(record: Record) -> bool:
    """Return whether a record has a key and its value, and is padded with delimiters."""
    return record.width > _PAIR_WIDTH and not any(record.fields[2:])


def _is_title(records: Sequence[Record], index: int, width: int) -> bool:
    """Return whether a record is a title: one field, padded with delimiters or not.

    It has several words, or a blank line follows it. It may be a damaged header if it has one word, another
    delimiter outside quotes, or as many words as the table below it has columns.
    """
    record = records[index]
    if record.width > 1 and not _is_padded(record):
        return False
    text = b"".join(record.fields)
    quoted = text[:1] in (b'"', b"'") and text[:1] == text[-1:]
    if not quoted and any(delimiter in text for delimiter in DELIMITERS):
        return False
    words = len(text.split())
    above_table = index + 1 < len(records) and records[index + 1].width == width
    damaged = words == 1 or (words == width and above_table and record.width == 1)
    return not damaged or _is_set_apart(records, index)


def _is_set_apart(records: Sequence[Record], index: int) -> bool:
    """Return whether a blank line follows a record, and none follows the next record."""
    if index + 2 >= len(records):
        return False
    record, following, third = records[index : index + 3]
    return record.end < following.start and following.end == third.start


def _found(grammar: Grammar, records: Sequence[Record], index: int, width: int) -> Begin:
    """Return the evidence that the record with this index is the header."""
    record = records[index]
    rows, repeated = [], 0
    enough = max(_ROWS_MIN, min(_ROWS_MAX, _CELLS_MAX // width))
    for row in records[index + 1 :]:
        if row.is_again(record):
            repeated += 1
        elif row.width == width:
            rows.append(grammar.values(row))
            if len(rows) == enough:
                break
    values = zip(*rows, strict=True) if rows else [()] * width
    columns = [_Column(tuple(column)) for column in values]
    names = _aligned(grammar.values(record), columns)
    cells = [_Cell(name, column) for name, column in zip(names, columns, strict=False)]
    if not names:
        header = Header.NONE
    elif _names_typed(cells):
        header = Header.TYPED
    elif _names_years(cells):
        header = Header.YEARS
    else:
        header = Header.ASSUMED if _may_repeat(repeated, rows) and _names_text(cells) else Header.NONE
    return Begin(header, names, index, index + 1)


def _may_repeat(count: int, rows: Sequence[tuple[str, ...]]) -> bool:
    """Return whether a header may occur ``count`` more times, as in concatenated files.

    It is more likely a row if other rows repeat too, or if there is only one column.
    """
    return not count or (count <= len(rows) and len(rows[0]) > 1 and len(set(rows)) == len(rows))


@dataclass(frozen=True)
class _Column:
    """The values of one column."""

    values: tuple[str, ...]

    @cached_property
    def kinds(self) -> frozenset[Kind]:
        """The kinds of nearly all of its values; empty if they look like text."""
        kinds = Counter(map(kind_of, self.values))
        some = sum(count for kind, count in kinds.items() if kind not in (Kind.EMPTY, Kind.NULL))
        typed = {kind: count for kind, count in kinds.items() if kind.typed}
        return frozenset(typed) if some and sum(typed.values()) >= _LIKENESS_MIN * some else frozenset()

    def is_of_code(self, cell: str) -> bool:
        """Return whether its values are codes, such as ``K1`` and ``K2``, and ``cell`` is one too."""
        values = [value.strip() for value in self.values if kind_of(value) not in (Kind.EMPTY, Kind.NULL)]
        for pattern_of, share_min in ((form_of, _LIKENESS_MIN), (shape_of, _SAME_SHAPE_MIN)):
            patterns = Counter(map(pattern_of, values))
            pattern, count = patterns.most_common(1)[0] if patterns else ("", 0)
            if "9" in pattern and count >= share_min * len(values):
                return pattern == pattern_of(cell)
        return False

    @cached_property
    def is_empty(self) -> bool:
        """Whether it has no value."""
        return not any(self.values)

    @cached_property
    def is_distinct(self) -> bool:
        """Whether every row has a unique value."""
        return all(self.values) and len(set(self.values)) == len(self.values)

    @cached_property
    def is_index(self) -> bool:
        """Whether it numbers the rows from 0 or 1, as R and pandas do."""
        start = 0 if self.values[:1] == ("0",) else 1
        return bool(self.values) and all(
            value == str(number) for number, value in enumerate(self.values, start)
        )

    @cached_property
    def is_of_years(self) -> bool:
        """Whether nearly all of its values are years."""
        years = sum(bool(_YEAR.fullmatch(value)) for value in self.values)
        return bool(years) and years >= _LIKENESS_MIN * sum(map(bool, self.values))


def _without_marks(text: str) -> str:
    r"""Remove combining accents and vowel signs, which ``\w`` does not match."""
    return "".join(char for char in text if not unicodedata.category(char).startswith("M"))


@dataclass(frozen=True)
class _Cell:
    """A cell of a possible header, and its column."""

    text: str
    column: _Column

    @cached_property
    def kind(self) -> Kind:
        return kind_of(self.text)

    @property
    def is_name(self) -> bool:
        return self.kind is Kind.TEXT and bool(_NAME.fullmatch(_without_marks(self.text.strip())))

    @property
    def is_label(self) -> bool:
        """Whether it is a name, or several."""
        return self.kind is Kind.TEXT and bool(_LABEL.fullmatch(_without_marks(self.text.strip())))

    @property
    def has_words(self) -> bool:
        """Whether it is text, and not a number or date with an error or a unit."""
        return self.kind is Kind.TEXT and bool(_WORD.search(self.text)) and not _MEASURE.match(self.text)

    @property
    def is_word(self) -> bool:
        """Whether it is a word such as ``NA`` or ``inf``, with letters and no digits, but no boolean."""
        has_letters, has_digits = any(map(str.isalpha, self.text)), any(map(str.isdigit, self.text))
        return has_letters and not has_digits and self.kind is not Kind.BOOLEAN

    @property
    def is_year(self) -> bool:
        return bool(_YEAR.fullmatch(self.text.strip())) and not self.column.is_of_years

    @property
    def is_code(self) -> bool:
        """Whether it is a code like its column's values."""
        return self.column.is_of_code(self.text.strip())

    @property
    def is_left_out(self) -> bool:
        """Whether it is empty, and its column needs no name because it is empty or numbers the rows."""
        return self.kind is Kind.EMPTY and (self.column.is_empty or self.column.is_index)

    @property
    def is_like_column(self) -> bool:
        """Whether it looks like a value of its typed column, or is one of its column's values."""
        is_typed = bool(self.column.kinds) and (self.kind in self.column.kinds or self.kind is Kind.NULL)
        return is_typed or (bool(self.text) and self.text in self.column.values)


def _aligned(cells: tuple[str, ...], columns: Sequence[_Column]) -> tuple[str, ...]:
    """Return the header's cell for each column; empty if they cannot be aligned.

    The header may have one cell more or less than the rows. Rows may end with a delimiter although the header
    does not, or the other way round. R omits the name of the first column, which names the rows.
    """
    if len(cells) == len(columns):
        return cells
    if len(cells) == len(columns) + 1 and not cells[-1]:
        return cells[:-1]
    if len(cells) != len(columns) - 1:
        return ()
    if columns[-1].is_empty:
        return (*cells, "")
    rows = columns[0]
    if len(cells) == 1:
        rows_named = rows.is_index and len(cells[0].split()) == 1
    else:
        # The cells of a row that lacks its last field look like the columns below them.
        unshifted = [_Cell(cell, column) for cell, column in zip(cells, columns[:-1], strict=True)]
        is_row = any(cell.is_like_column or cell.is_code for cell in unshifted)
        rows_named = rows.is_index or (rows.is_distinct and not is_row)
    return ("", *cells) if rows_named else ()


def _names_typed(cells: Sequence[_Cell]) -> bool:
    """Return whether a cell is text above a typed column, and no cell looks like its column.

    Rising numbers above numbers are allowed, because years and classes may be names. One word such as ``inf``
    or ``treatment`` is allowed beside several names.
    """
    names = {cell.text for cell in cells if cell.has_words and cell.column.kinds}
    values = [cell for cell in cells if cell.is_like_column]
    if not names:
        return False
    if len(names) >= _NAMES_SURE and len(values) == 1 and values[0].is_word:
        return True
    return all(cell.is_year for cell in values) or (
        len(values) >= _SEQUENCE_MIN and _is_rising([cell.text for cell in values])
    )


def _names_years(cells: Sequence[_Cell]) -> bool:
    """Return whether all numbers are years in equal steps, and all other cells are names."""
    numbers = [cell for cell in cells if cell.kind is Kind.NUMBER]
    others = [cell for cell in cells if cell.kind is not Kind.NUMBER and not cell.is_left_out]
    if not all(cell.is_year for cell in numbers) or len(numbers) < (_YEARS_MIN if others else _SEQUENCE_MIN):
        return False
    steps = {int(after.text) - int(before.text) for before, after in pairwise(numbers)}
    in_equal_steps = len(steps) == 1 and 0 not in steps
    return in_equal_steps and all(
        cell.is_label and not cell.is_like_column and not cell.is_code for cell in others
    )


def _names_text(cells: Sequence[_Cell]) -> bool:
    """Return whether all columns are text, and the cells are distinct names that do not occur below."""
    named = [cell for cell in cells if not cell.is_left_out]
    return (
        bool(named)
        and len({cell.text for cell in named}) == len(named)
        and all(
            cell.is_name and not cell.column.kinds and not cell.is_code and not cell.is_like_column
            for cell in named
        )
    )


def _is_rising(texts: Sequence[str]) -> bool:
    if not all(_CLASS.fullmatch(text) for text in texts):
        return False
    return all(int(before) < int(after) for before, after in pairwise(texts))
