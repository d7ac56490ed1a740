"""Find the row that names the columns. Without evidence for one, the columns are numbered."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile

from conversion.delimited.cells import Kind, kind_of, shape_of
from conversion.delimited.detection import BESIDE_MAX, DELIMITERS
from conversion.delimited.evidence import STRONG, WEAK, Header, are_names, evidence
from conversion.delimited.sample import Grammar, Record, is_again, line_ends


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


_COLUMNS_OF_PAIRS = 2
"""In a table of two columns, a record with one value is a row unless it is a title of several words."""
_ROWS_MIN, _ROWS_MAX, _CELLS_MAX = 10, 200, 40_000
"""The number of rows that decide what a column holds. Wide tables use fewer: at most _CELLS_MAX cells."""
_COLUMNS_MAX = 50_000
"""Wider tables are never converted, so their header is not searched."""
_BEFORE_MAX = 50
"""The most lines of titles before a header."""
_PAIR_WIDTH = 3
"""A record with at most this many fields is no key with its value."""


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
        if (
            0 < index < len(records)
            and records[index].fields
            and records[index].raw != records[index - 1].raw
        ):
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
    before: list[int] = []
    padded: Begin | None = None

    def is_below_titles(index: int) -> bool:
        titles = [title for title in before if title < index]
        return (
            all(_is_title(records, title, width) for title in titles)
            and _is_begin(records[: index + 1], width)
            and not _has_row(grammar, records, titles, index)
        )

    for index, comment in islice(_candidates(records, width), _BEFORE_MAX):
        found = _found(grammar, records, index, width)
        if _is_padded(records[index]) or _is_pair(records[index]):
            # A record that names only one or two columns is more likely a title.
            is_likely = found.header is Header.TYPED and (found.strength == STRONG or not before)
            padded = padded or (found if is_likely else None)
            before.append(index)
            continue
        if found.header is Header.TYPED and _is_doubtful(grammar, records, before, width, found.strength):
            return None
        if found.header in (Header.TYPED, Header.YEARS):
            return found
        named = comment is not None and _is_named(grammar, records[comment], width)
        if comment is not None and (width > 1 or named):
            # The last comment may be the header.
            of_comment = _found(grammar, records, comment, width)
            is_guess = of_comment.header is Header.ASSUMED
            is_likely = named and b" " not in records[comment].raw
            is_first = not any(_is_named(grammar, record, width) for record in records[:comment])
            is_header = of_comment.header is not Header.NONE and is_below_titles(comment)
            if is_header and (not is_guess or (is_likely and is_first)):
                return of_comment
        if found.header is Header.ASSUMED:
            return found if is_below_titles(index) and not named else padded
        before.append(index)
    return padded


def _candidates(records: Sequence[Record], width: int) -> Iterator[tuple[int, int | None]]:
    """Yield the index of each record that may be the header, and that of the last comment before it."""
    has_rows = not all(record.is_comment for record in records)
    comment: int | None = None
    others = 0
    for index, record in enumerate(records):
        if not record.fields:
            return  # An unreadable record may be the header, so no other row is.
        if has_rows and record.is_comment:
            comment = index
            continue
        yield index, comment
        if _is_padded(record) or _is_pair(record):
            continue
        others += record.width > 1
        if record.width == width or others > BESIDE_MAX:
            return


def _is_begin(records: Sequence[Record], width: int) -> bool:
    """Return whether the last of ``records`` may be the header by a guess, and the others titles.

    One line with one field above two columns may be the damaged header, unless a blank line follows it.
    """
    *titles, header = records
    if width > 2 or len(titles) != 1 or titles[0].width == width or titles[0].is_comment:
        return True
    return titles[0].end < header.start


def _is_named(grammar: Grammar, record: Record, width: int) -> bool:
    """Return whether a line that begins as a comment does may name the columns, or be a row."""
    is_one_word = width > 1 or b" " not in record.raw
    return record.is_comment and record.width == width and is_one_word and not _is_prose(grammar, record)


def _has_row(grammar: Grammar, records: Sequence[Record], before: Sequence[int], index: int) -> bool:
    """Return whether a padded title may be a row, unless an empty line follows it.

    It may be in a table of two columns, if its value is not the first one, or if that looks like a cell below
    it: ``Ann Smith`` above ``Bob Lee``.
    """
    below = [record for record in records[index:][:_ROWS_MIN] if record.fields]
    shapes = {shape_of(grammar.value(record.fields[0])) for record in below}
    return any(
        title.width == _COLUMNS_OF_PAIRS or shape_of(grammar.value(title.fields[0])) in shapes | {""}
        for title in _near(records, before)
        if title.width > 1
    )


def _near(records: Sequence[Record], before: Sequence[int]) -> list[Record]:
    """Return the lines before a possible header, from the last one on, up to an empty one."""
    return list(takewhile(lambda record: any(record.fields), (records[index] for index in reversed(before))))


def _is_apart(records: Sequence[Record], index: int, width: int) -> bool:
    """Return whether a record before the first row is no row: a title or a comment of another width."""
    record = records[index]
    if record.width in (0, width):
        return False
    return _is_title(records, index, width) or record.is_comment


def _is_padded(record: Record) -> bool:
    """Return whether a record has one value and is padded with delimiters."""
    return record.width > 1 and record.is_one_value


def _is_pair(record: Record) -> bool:
    """Return whether a record has a key and its value, and is padded with delimiters."""
    return record.width > _PAIR_WIDTH and not any(record.fields[2:])


def _is_doubtful(
    grammar: Grammar, records: Sequence[Record], before: Sequence[int], width: int, strength: int
) -> bool:
    """Return whether a line before a possible header may be a row, or the damaged header."""
    near = _near(records, before)
    if not near or strength == STRONG:
        return False
    rows = [record for record in near if record.width == width == _COLUMNS_OF_PAIRS]
    if any(b" " not in row.raw or not row.fields[0] for row in rows):
        return True
    above = near[0]
    if _is_prose(grammar, above):
        return False
    is_near = above.width in (width - 1, width + 1) and above.width > _COLUMNS_OF_PAIRS
    if is_near and are_names(grammar.values(above)):
        return True
    is_apart = above.end < records[before[-1] + 1].start or (above.is_one_value and b" " in above.raw)
    return strength == WEAK and not is_apart


def _is_prose(grammar: Grammar, record: Record) -> bool:
    """Return whether a space follows each delimiter in a record, as in a sentence."""
    delimiter = grammar.delimiter
    return record.width > 1 and record.raw.count(delimiter) == record.raw.count(delimiter + b" ")


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
    # A quote that is not closed in its line may hold rows.
    if (not quoted or line_ends(text)) and any(delimiter in text for delimiter in DELIMITERS):
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
    spellings = grammar.spellings(record)
    for row in records[index + 1 :]:
        if is_again(row.raw, spellings):
            repeated += 1
        elif row.width == width:
            rows.append(grammar.values(row))
            if len(rows) == enough:
                break
    quoted = all(map(grammar.is_quoted, record.fields))
    header, names, strength = evidence(grammar.values(record), rows, width, repeated=repeated, quoted=quoted)
    return Begin(header, names, index, index + 1, strength)
