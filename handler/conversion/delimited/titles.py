"""Tell titles and comments before a table from its rows and from a damaged header."""

from collections.abc import Sequence
from itertools import takewhile

from conversion.delimited.cells import kind_of, shape_of
from conversion.delimited.detection import DELIMITERS, Detected
from conversion.delimited.evidence import STRONG, WEAK, are_names
from conversion.delimited.sample import Record, line_ends

_COLUMNS_OF_PAIRS = 2
"""In a table of two columns, a record with one value is a row unless it is a title of several words."""


def is_sparse(table: Detected, index: int) -> bool:
    """Return whether at most half of a record's fields have a value, as in a title or in group headings.

    A number or a date and its label are a row nevertheless: ``5.50,Rent,,``.
    """
    record = table.records[index]
    is_row = _is_pair(record) and kind_of(table.grammar.value(record.fields[0])).typed
    return 2 * record.filled <= record.width > 1 and not is_row


def is_key(table: Detected, index: int) -> bool:
    """Return whether a record has a key with a colon, and its value: ``Site:,Lisbon,,``."""
    record = table.records[index]
    return _is_pair(record) and table.grammar.value(record.fields[0]).rstrip().endswith(":")


def _is_pair(record: Record) -> bool:
    """Return whether only the first two fields have a value."""
    return all(record.fields[:2]) and not any(record.fields[2:])


def is_apart(table: Detected, index: int) -> bool:
    """Return whether a record before the first row is no row: a title of another width, or a comment."""
    record = table.records[index]
    if record.width in (0, table.width):
        return record.width > 0 and record.is_comment and _begins_with_comments(table)
    return record.is_comment or _is_title(table, index)


def _begins_with_comments(table: Detected) -> bool:
    """Return whether all lines before the rows that begin as comments do are comments.

    One of them has another width than the rows, and no row begins as a comment does.
    """
    before = list(takewhile(lambda record: record.is_comment or record.width != table.width, table.records))
    rows = [record for record in table.records[len(before) :] if record.width == table.width]
    has_other_width = any(record.is_comment and record.width != table.width for record in before)
    return has_other_width and bool(rows) and not any(row.is_comment for row in rows)


def are_titles(table: Detected, before: Sequence[int], index: int) -> bool:
    """Return whether all records before a guessed header are titles.

    Args:
        table: The table.
        before: The indexes of the records before it, without comments.
        index: The index of the guessed header.
    """
    return (
        all(_is_title(table, title) for title in before)
        and not _is_damaged_alone(table, index)
        and not _has_row(table, before, index)
    )


def is_named(table: Detected, comment: int) -> bool:
    """Return whether a line that begins as a comment does may name the columns, or be a row."""
    record = table.records[comment]
    is_row = record.width == table.width > 1 and all(record.fields)
    return record.is_comment and is_row and b" " not in record.raw


def is_doubtful(table: Detected, before: Sequence[int], strength: int) -> bool:
    """Return whether a line before a header may be a row, or the damaged header.

    Args:
        table: The table.
        before: The indexes of the records before the header, without comments.
        strength: How strong the evidence for the header is.
    """
    near = _near(table, before)
    if not near or strength == STRONG:
        return False
    rows = [record for record in near if record.width == table.width == _COLUMNS_OF_PAIRS]
    if any(b" " not in row.raw or not row.fields[0] for row in rows):
        return True
    above = near[0]
    values = table.grammar.values(above)
    if above.width == 1:
        # All names may stand in one pair of quotes.
        return strength == WEAK and b" " not in above.raw and table.grammar.delimiter in above.raw
    while values and not values[-1]:
        values = values[:-1]  # A damaged header may be padded.
    is_near = above.width in (table.width - 1, table.width + 1) and len(values) > _COLUMNS_OF_PAIRS
    is_like_rows = strength == WEAK and len(values) > 1 and not _is_blank_below(table, before)
    return (is_near or is_like_rows) and are_names(values) and not _is_prose(table, above)


def _is_title(table: Detected, index: int) -> bool:
    """Return whether a record is a title: one field, padded with delimiters or not.

    It has several words, or a blank line follows it. It may be a damaged header if it has one word, another
    delimiter outside quotes, or as many words as the table below it has columns.
    """
    record = table.records[index]
    if record.width > 1 and not record.is_one_value:
        return False
    text = b"".join(record.fields)
    quoted = text[:1] in (b'"', b"'") and text[:1] == text[-1:]
    # A quote that is not closed in its line may hold rows.
    if (not quoted or line_ends(text)) and any(delimiter in text for delimiter in DELIMITERS):
        return False
    words = len(text.split())
    above_table = index + 1 < len(table.records) and table.records[index + 1].width == table.width
    damaged = words == 1 or (words == table.width and above_table and record.width == 1)
    return not damaged or _is_set_apart(table.records, index)


def _is_set_apart(records: Sequence[Record], index: int) -> bool:
    """Return whether a blank line follows a record, and none follows the next record."""
    if index + 2 >= len(records):
        return False
    record, following, third = records[index : index + 3]
    return record.end < following.start and following.end == third.start


def _is_damaged_alone(table: Detected, index: int) -> bool:
    """Return whether the only line before a guessed header may be the damaged one.

    Above two columns, it may be if it has one field, unless a blank line follows it.
    """
    first, header = table.records[0], table.records[index]
    if table.width > _COLUMNS_OF_PAIRS or index != 1 or first.width == table.width or first.is_comment:
        return False
    return first.end == header.start


def _has_row(table: Detected, before: Sequence[int], index: int) -> bool:
    """Return whether a padded title above a guessed header may be a row, unless an empty line follows it.

    It may be if its value is not the first one, or if that looks like the header's first one: ``Ann Smith``
    above ``Bob Lee``.
    """
    grammar, header = table.grammar, table.records[index]
    shapes = {"", shape_of(grammar.value(header.fields[0]))}
    padded = [title for title in _near(table, before) if title.width > 1]
    looks_like_row = any(shape_of(grammar.value(title.fields[0])) in shapes for title in padded)
    return looks_like_row and not _is_blank_below(table, before)


def _is_blank_below(table: Detected, before: Sequence[int]) -> bool:
    """Return whether a blank line follows the last of the records before a header."""
    last = before[-1]
    return table.records[last].end < table.records[last + 1].start


def _near(table: Detected, before: Sequence[int]) -> list[Record]:
    """Return the lines before a header, from the last one on, up to an empty one."""
    return list(
        takewhile(lambda record: any(record.fields), (table.records[index] for index in reversed(before)))
    )


def _is_prose(table: Detected, record: Record) -> bool:
    """Return whether a space follows each delimiter in a record, as in a sentence."""
    delimiter = table.grammar.delimiter
    return record.width > 1 and record.raw.count(delimiter) == record.raw.count(delimiter + b" ")
