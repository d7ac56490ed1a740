"""Find the row that names the columns. Without evidence for one, the columns are numbered."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from conversion.delimited.cells import Kind, kind_of
from conversion.delimited.detection import BESIDE_MAX, Detected
from conversion.delimited.evidence import STRONG, WEAK, Header, evidence
from conversion.delimited.sample import is_again
from conversion.delimited.titles import are_titles, is_apart, is_doubtful, is_key, is_named, is_sparse


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
    strength: int = WEAK
    """How strong the evidence for the header is: WEAK, FAIR or STRONG."""


_ROWS_MIN, _ROWS_MAX, _CELLS_MAX = 10, 200, 40_000
"""The number of rows that decide what a column holds. Wide tables use fewer: at most _CELLS_MAX cells."""
_COLUMNS_MAX = 50_000
"""Wider tables are never converted, so their header is not searched."""
_BEFORE_MAX = 50
"""The most lines before a header: titles, and keys with their values. Up to BESIDE_MAX may be others."""


def find_header(table: Detected) -> Begin:
    """Find the header of a table, and its first row."""
    unnamed = ("",) * table.width
    if table.width > _COLUMNS_MAX:
        return Begin(Header.NONE, unnamed, None, 0)
    header = _in_one_column(table) if table.width == 1 else None
    header = header or _searched(table)
    if header is not None:
        return header
    body = 0
    while body < len(table.records) and is_apart(table, body):
        body += 1
    titles = sum(not record.is_comment for record in table.records[:body])
    return Begin(Header.NONE, unnamed, None, body if titles <= BESIDE_MAX else 0)


def _in_one_column(table: Detected) -> Begin | None:
    """Return the last line of text before a typed column, if all lines before it are titles."""
    titles = 0
    while titles < min(len(table.records), _BEFORE_MAX) and _has_words(table, titles):
        titles += 1
    for index in (titles, titles - 1):
        if 0 < index < len(table.records) and table.records[index].fields:
            found = _found(table, index)
            if found.header is Header.TYPED:
                return found
    return None


def _has_words(table: Detected, index: int) -> bool:
    record = table.records[index]
    if record.width != 1:
        return False
    text = table.grammar.value(record.fields[0])
    return len(text.split()) > 1 and kind_of(text) is Kind.TEXT


def _searched(table: Detected) -> Begin | None:
    before: list[int] = []
    sparse: Begin | None = None
    for index, comment in islice(_candidates(table), _BEFORE_MAX):
        found, record = _found(table, index), table.records[index]
        # Years and a guess name each column with values.
        names_all = found.header in (Header.YEARS, Header.ASSUMED) and not record.is_one_value
        if is_sparse(table, index) and not names_all:
            # It is more likely a title, or names groups of columns.
            is_likely = found.header is Header.TYPED and (found.strength == STRONG or not before)
            sparse = sparse or (found if is_likely else None)
            before.append(index)
            continue
        if found.header is Header.TYPED and is_doubtful(table, before, found.strength):
            return None
        if found.header in (Header.TYPED, Header.YEARS):
            return found
        if comment is not None and table.width > 1 and (of_comment := _in_comment(table, comment, before)):
            return of_comment
        if found.header is Header.ASSUMED:
            is_guess = are_titles(table, before, index) and not (
                comment is not None and is_named(table, comment)
            )
            return found if is_guess else sparse
        before.append(index)
    return sparse


def _in_comment(table: Detected, comment: int, before: Sequence[int]) -> Begin | None:
    """Return the header in the last comment before a row, if it has one.

    By a guess, it has one only if it is the only comment that may name the columns.
    """
    found = _found(table, comment)
    if found.header is Header.ASSUMED:
        others = any(is_named(table, index) for index in range(comment))
        titles = [title for title in before if title < comment]
        if others or not (is_named(table, comment) and are_titles(table, titles, comment)):
            return None
    return found if found.header is not Header.NONE else None


def _candidates(table: Detected) -> Iterator[tuple[int, int | None]]:
    """Yield the index of each record that may be the header, and that of the last comment before it."""
    has_rows = not all(record.is_comment for record in table.records)
    comment: int | None = None
    others = 0
    for index, record in enumerate(table.records):
        if not record.fields:
            return  # An unreadable record may be the header, so no other row is.
        if has_rows and record.is_comment:
            comment = index
            continue
        yield index, comment
        others += not (record.is_one_value or is_key(table, index))
        if others > BESIDE_MAX or (record.width == table.width and not is_sparse(table, index)):
            return


def _found(table: Detected, index: int) -> Begin:
    """Return the evidence that the record with this index is the header."""
    grammar, record, width = table.grammar, table.records[index], table.width
    rows, repeated = [], 0
    enough = max(_ROWS_MIN, min(_ROWS_MAX, _CELLS_MAX // width))
    spellings = grammar.spellings(record)
    for row in table.records[index + 1 :]:
        if is_again(row.raw, spellings):
            repeated += 1
        elif row.width == width:
            rows.append(grammar.values(row))
            if len(rows) == enough:
                break
    header, names, strength = evidence(
        grammar.values(record),
        rows,
        width,
        repeated=repeated,
        quoted=all(map(grammar.is_quoted, record.fields)),
        in_comment=record.is_comment and bool(rows) and not any(row[0].startswith("#") for row in rows),
    )
    return Begin(header, names, index, index + 1, strength)
