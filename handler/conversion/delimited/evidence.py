"""The evidence that a row names the columns.

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


class Header(StrEnum):
    """The evidence for a header."""

    NONE = "none"
    TYPED = "typed"
    YEARS = "years"
    ASSUMED = "assumed"
    DECLARED = "declared"


WEAK, FAIR, STRONG = 1, 2, 3
"""How strong the evidence for a header is."""

_NAME = re.compile(r"(?:# ?)?[@$\[(<¿]?[^\W\d][\w \-./:%#&()\[\]+°$€£'\u2019>]{0,63}[?*]?")
"""A name: a letter or an underscore, then up to 63 letters, digits, spaces and signs. In a comment, after
``#``."""
_LABEL = re.compile(rf"{_NAME.pattern}(?:[,\\]{_NAME.pattern})*")
r"""One or more names, as in Eurostat's ``freq,unit,geo\TIME_PERIOD``."""

_IDENTIFIER = re.compile(r"[0-9a-f]{2}(?:[-:]?[0-9a-f]{2}){5,}\Z|[a-z][a-z0-9+.-]*://", re.IGNORECASE)
"""A URL, or bytes as hexadecimal digits: a UUID, a hash, a MAC address."""

_WORD = re.compile(r"[^\W\d_]|[^\x00-\x7f]")
"""A letter, or a character that numbers and dates do not contain."""

_MEASURE = re.compile(r"\W*\d(?!.*[^\W\d_]{4})", re.DOTALL)
"""Text that begins with a digit and has no word of four letters: ``5 kg``, but not ``2019 Revenue``."""

_YEAR = re.compile(r"19\d\d|20\d\d|2100")
_CLASS = re.compile(r"[0-9]{1,9}")
_LIKENESS_MIN = 0.95
"""The share of a column's values that must have a kind, for the column to have it."""
_SAME_SHAPE_MIN = 0.5
"""The share of a column's values that must have one shape, for the column to have codes."""
_NAMES_SURE = 3
"""The number of names above typed columns from which one cell may look like its column."""
_REPEATED_MAX = 0.5
"""How often a header of which only one cell is evidence may occur again, as a share of the rows."""
_YEARS_MIN = 2
_SEQUENCE_MIN = 3


def evidence(
    cells: tuple[str, ...], rows: Sequence[tuple[str, ...]], width: int, *, repeated: int, quoted: bool
) -> tuple[Header, tuple[str, ...], int]:
    """Return the evidence that ``cells`` name the columns, the names, and how strong the evidence is.

    It is STRONG if several cells are evidence. If only one is, it is WEAK, or FAIR if no cell above a column
    of text has the shape of its values.

    Args:
        cells: The values of the possible header.
        rows: The values of the rows below it.
        width: The number of columns.
        repeated: How often the possible header occurs again among the rows.
        quoted: Whether all of its cells are in quotes.
    """
    values = zip(*rows, strict=True) if rows else [()] * width
    columns = [_Column(tuple(column)) for column in values]
    names = _aligned(cells, columns, quoted=quoted)
    named = [_Cell(name, column) for name, column in zip(names, columns, strict=False)]
    if not names:
        return Header.NONE, names, WEAK
    if _names_typed(named):
        one = FAIR if _is_unlike_rows(named) else WEAK
        strength = STRONG if len(_above_typed(named)) > 1 else one
        is_state = strength == WEAK and _is_state(named, repeated, len(rows))
        return Header.NONE if is_state else Header.TYPED, names, strength
    if _names_years(named):
        return Header.YEARS, names, STRONG
    is_guess = _may_repeat(repeated, rows) and _names_text(named)
    return Header.ASSUMED if is_guess else Header.NONE, names, WEAK


def are_names(cells: Sequence[str]) -> bool:
    """Return whether all cells are names."""
    nothing = _Column(())
    return all(_Cell(cell, nothing).is_name for cell in cells)


def _may_repeat(count: int, rows: Sequence[tuple[str, ...]]) -> bool:
    """Return whether a header may occur ``count`` more times, as in concatenated files.

    It is more likely a row if other rows repeat too, or if there is only one column.
    """
    return not count or (count <= len(rows) and len(rows[0]) > 1 and len(set(rows)) == len(rows))


def _is_unlike_rows(cells: Sequence["_Cell"]) -> bool:
    """Return whether no cell above a column of text has the shape of its values, as ``id`` above ``K1``."""
    others = [cell for cell in cells if cell.text and not cell.column.kinds]
    return bool(others) and not any(cell.has_shape_of_column for cell in others)


def _is_state(cells: Sequence["_Cell"], repeated: int, rows: int) -> bool:
    """Return whether a possible header that occurs again is rather a row, such as ``pump,idle``.

    It occurs again often, and so do the values of another column of text, if there is one.
    """
    texts = [cell.column for cell in cells if not cell.column.kinds]
    return repeated > _REPEATED_MAX * rows and not any(column.is_distinct for column in texts)


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
        return all(value == str(number) for number, value in enumerate(self.values, start))

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
        is_tag = self.text.startswith("#") and any(value.startswith("#") for value in self.column.values)
        return self._is(_NAME) and not is_tag

    @property
    def is_label(self) -> bool:
        """Whether it is a name, or several."""
        return self._is(_LABEL)

    def _is(self, pattern: re.Pattern[str]) -> bool:
        return self.kind is Kind.TEXT and bool(pattern.fullmatch(_without_marks(self.text.strip())))

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
    def is_identifier(self) -> bool:
        """Whether it is an identifier, and so is a value of its column."""
        return bool(_IDENTIFIER.match(self.text)) and any(map(_IDENTIFIER.match, self.column.values))

    @property
    def is_code(self) -> bool:
        """Whether it is a code like its column's values."""
        return self.column.is_of_code(self.text.strip())

    @property
    def has_shape_of_column(self) -> bool:
        """Whether half of its column's values have its shape: ``Ann`` above ``Bob``."""
        shapes = Counter(shape_of(value.strip()) for value in self.column.values if value)
        return shapes[shape_of(self.text.strip())] >= _SAME_SHAPE_MIN * max(1, shapes.total())

    @property
    def is_left_out(self) -> bool:
        """Whether it is empty, and its column needs no name because it is empty or numbers the rows."""
        return self.kind is Kind.EMPTY and (self.column.is_empty or self.column.is_index)

    @property
    def is_like_column(self) -> bool:
        """Whether it looks like a value of its typed column, or is one of its column's values."""
        is_typed = bool(self.column.kinds) and (self.kind in self.column.kinds or self.kind is Kind.NULL)
        return is_typed or (bool(self.text) and self.text in self.column.values)


def _aligned(cells: tuple[str, ...], columns: Sequence[_Column], *, quoted: bool) -> tuple[str, ...]:
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
    return ("", *cells) if _omits_first(cells, columns, quoted=quoted) else ()


def _omits_first(cells: tuple[str, ...], columns: Sequence[_Column], *, quoted: bool) -> bool:
    """Return whether a header omits the name of the first column, and not that of the last one.

    R puts the names in quotes. Without quotes, more names must be evidence than for the other alignment.
    """
    rows = columns[0]
    if len(cells) == 1:
        return rows.is_index and len(cells[0].split()) == 1
    if not all(columns[-1].values):
        return False  # Only some rows have a value after the last delimiter.
    unshifted = [_Cell(cell, column) for cell, column in zip(cells, columns[:-1], strict=True)]
    shifted = [_Cell(cell, column) for cell, column in zip(cells, columns[1:], strict=True)]
    typed = len(_above_typed(shifted))
    if rows.is_index:
        return quoted or typed > 0
    # The cells of a row that lacks its last field look like the columns below them.
    is_row = any(cell.is_like_column or cell.is_code for cell in unshifted)
    return rows.is_distinct and not is_row and (quoted or typed > len(_above_typed(unshifted)))


def _names_typed(cells: Sequence[_Cell]) -> bool:
    """Return whether a cell is text above a typed column, and no cell looks like its column.

    Rising numbers above numbers are allowed, because years and classes may be names. One word such as ``inf``
    or ``treatment`` is allowed beside several names.
    """
    names = _above_typed(cells)
    values = [cell for cell in cells if cell.is_like_column]
    if not names:
        return False
    if len(names) >= _NAMES_SURE and len(values) == 1 and values[0].is_word:
        return True
    return all(cell.is_year for cell in values) or (
        len(values) >= _SEQUENCE_MIN and _is_rising([cell.text for cell in values])
    )


def _above_typed(cells: Sequence[_Cell]) -> set[str]:
    """Return the cells that are text above typed columns."""
    return {cell.text for cell in cells if cell.has_words and cell.column.kinds}


def _names_years(cells: Sequence[_Cell]) -> bool:
    """Return whether all numbers are years in equal steps, and all other cells are names."""
    numbers = [cell for cell in cells if cell.kind is Kind.NUMBER]
    # The column that names the rows needs no name.
    corner = cells[0].column
    is_corner = cells[0].kind is Kind.EMPTY and corner.is_distinct and not corner.kinds
    others = [cell for cell in cells[is_corner:] if cell.kind is not Kind.NUMBER and not cell.is_left_out]
    enough = _YEARS_MIN if others or is_corner else _SEQUENCE_MIN
    if not all(cell.is_year for cell in numbers) or len(numbers) < enough:
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
            cell.is_name
            and not cell.column.kinds
            and not (cell.is_code or cell.is_identifier or cell.is_like_column)
            for cell in named
        )
    )


def _is_rising(texts: Sequence[str]) -> bool:
    if not all(_CLASS.fullmatch(text) for text in texts):
        return False
    return all(int(before) < int(after) for before, after in pairwise(texts))
