"""The evidence that a row names the columns.

Users can see a header that was kept as a row, but not a row that was taken as the header. So a row is the
header only

- if a cell is text and its column is typed (``typed``),
- or if its numbers are years from 1900 to 2100 in equal steps, and its other cells begin as names do
  (``years``),
- or if all columns are text, and its cells are distinct names (``assumed``, a guess).

A cell that looks like its column is evidence against a header: a number above numbers, a date above dates, a
null marker above either. Against ``years`` and a guess, so is ``K0`` above ``K1`` and ``K2``.
"""

import re
from collections.abc import Sequence
from enum import StrEnum
from itertools import pairwise

from conversion.delimited.cells import Kind
from conversion.delimited.heading import Cell, Column


class Header(StrEnum):
    """The evidence for a header."""

    NONE = "none"
    TYPED = "typed"
    YEARS = "years"
    ASSUMED = "assumed"
    DECLARED = "declared"


WEAK, FAIR, STRONG = 1, 2, 3
"""How strong the evidence for a header is."""

_CLASS = re.compile(r"[0-9]{1,9}")
_NAMES_SURE = 3
"""The number of names above typed columns for each word that may look like its column."""
_REPEATED_MAX = 0.5
"""How often a header of which only one cell is evidence may occur again, as a share of the rows."""
_YEARS_MIN = 2
_SEQUENCE_MIN = 3


def evidence(
    cells: tuple[str, ...],
    rows: Sequence[tuple[str, ...]],
    width: int,
    *,
    repeated: int,
    quoted: bool,
    in_comment: bool,
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
        in_comment: Whether they are in a comment. Its ``#`` is no part of the first name.
    """
    values = zip(*rows, strict=True) if rows else [()] * width
    columns = [Column(tuple(column)) for column in values]
    names = _aligned(cells, columns, quoted=quoted)
    named = [Cell(name, column) for name, column in zip(names, columns, strict=False)]
    if not names:
        return Header.NONE, names, WEAK
    if in_comment and named[0].kind is Kind.TEXT:
        named[0] = Cell(named[0].text.removeprefix("#"), named[0].column)
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
    nothing = Column(())
    return all(Cell(cell, nothing).is_name for cell in cells)


def _may_repeat(count: int, rows: Sequence[tuple[str, ...]]) -> bool:
    """Return whether a header may occur ``count`` more times, as in concatenated files.

    It is more likely a row if other rows repeat too, or if there is only one column.
    """
    return not count or (count <= len(rows) and len(rows[0]) > 1 and len(set(rows)) == len(rows))


def _is_unlike_rows(cells: Sequence[Cell]) -> bool:
    """Return whether no cell above a column of text has the shape of its values, as ``id`` above ``K1``."""
    others = [cell for cell in cells if cell.text and not cell.column.kinds]
    return bool(others) and not any(cell.has_shape_of_column for cell in others)


def _is_state(cells: Sequence[Cell], repeated: int, rows: int) -> bool:
    """Return whether a possible header that occurs again is rather a row, such as ``pump,idle``.

    It occurs again often, and so do the values of another column of text, if there is one.
    """
    texts = [cell.column for cell in cells if not cell.column.kinds]
    return repeated > _REPEATED_MAX * rows and not any(column.is_distinct for column in texts)


def _aligned(cells: tuple[str, ...], columns: Sequence[Column], *, quoted: bool) -> tuple[str, ...]:
    """Return the header's cell for each column; empty if they cannot be aligned.

    Rows may end with delimiters although the header does not, so that the last columns are empty. The header
    may also have one cell more or less than the rows: it ends with a delimiter, or R omits the name of the
    first column, which names the rows.
    """
    if len(cells) == len(columns):
        return cells
    if len(cells) == len(columns) + 1 and not cells[-1]:
        return cells[:-1]
    beyond = columns[len(cells) :]
    if beyond and all(column.is_empty for column in beyond):
        return (*cells, *("" for _ in beyond))
    is_shifted = len(beyond) == 1 and _omits_first(cells, columns, quoted=quoted)
    return ("", *cells) if is_shifted else ()


def _omits_first(cells: tuple[str, ...], columns: Sequence[Column], *, quoted: bool) -> bool:
    """Return whether a header omits the name of the first column, and not that of the last one.

    R puts the names in quotes. Without quotes, more names must be evidence than for the other alignment. If
    they are at least two, as many are enough.
    """
    rows = columns[0]
    if len(cells) == 1:
        return rows.is_index and len(cells[0].split()) == 1
    if not quoted and not all(columns[-1].values):
        return False  # Only some rows have a value after the last delimiter.
    unshifted = [Cell(cell, column) for cell, column in zip(cells, columns[:-1], strict=True)]
    shifted = [Cell(cell, column) for cell, column in zip(cells, columns[1:], strict=True)]
    typed, others = len(_above_typed(shifted)), len(_above_typed(unshifted))
    if rows.is_index:
        return quoted or typed > 0
    # The cells of a row that lacks its last field look like the columns below them.
    is_row = any(cell.is_like_column or cell.is_code for cell in unshifted)
    # Row numbers with gaps, as after a filter, are typed too. That is one more name for the other alignment.
    is_filtered = rows.values[0] in ("0", "1") and _is_rising(rows.values)
    is_enough = typed > others or (typed > 1 and typed >= others - is_filtered)
    return rows.is_distinct and not is_row and (quoted or is_enough)


def _names_typed(cells: Sequence[Cell]) -> bool:
    """Return whether a cell is text above a typed column, and no cell looks like its column.

    Rising numbers above numbers are allowed, because years and classes may be names. For each three names, a
    word such as ``inf`` or ``treatment`` is allowed.
    """
    values = [cell for cell in cells if cell.is_like_column]
    names = _above_typed([cell for cell in cells if not cell.is_like_column])
    if not names:
        return False
    if len(names) >= _NAMES_SURE * len(values) and all(cell.is_word for cell in values):
        return True
    return all(cell.is_year for cell in values) or (
        len(values) >= _SEQUENCE_MIN and _is_rising([cell.text for cell in values])
    )


def _above_typed(cells: Sequence[Cell]) -> set[str]:
    """Return the cells that are text above typed columns."""
    return {cell.text for cell in cells if cell.has_words and cell.column.kinds}


def _names_years(cells: Sequence[Cell]) -> bool:
    """Return whether all numbers are years in equal steps, and all other cells are labels."""
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


def _names_text(cells: Sequence[Cell]) -> bool:
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
