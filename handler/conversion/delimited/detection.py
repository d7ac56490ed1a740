"""Detect the dialect that explains most of the beginning of a delimited file.

Each delimiter is combined with each kind of quoting that the sample gives a reason for, and with each width
that its records have. The cost of a reading is what it leaves unexplained, in records. The cheapest reading
wins. Among equal costs, the one with more columns wins.

DuckDB's sniffer is not used. One bad row in its sample makes it choose a dialect in which all other rows are
bad.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from itertools import groupby
from operator import itemgetter

from conversion.delimited.cells import is_amount, is_usual_amount
from conversion.delimited.sample import LINE_END, Grammar, Record

DELIMITERS = (b"\x01", b"\t", b"|", b";", b",")
"""The delimiters in order of preference. The comma is last, because text and numbers often contain it."""

BESIDE_MAX = 10
"""The most lines of another width before or after a table. More of them are damaged rows."""

_NO_DELIMITER = (b",", b";", b"\t", b"|")
"""The nominal delimiters of a file with one column, in order of preference."""

_SEPARATOR_LINE = re.compile(rb"(\"?)sep=([^\w\"'\r\n\x80-\xff])\1[ \t]*(?:\r\n|\n|\r)", re.IGNORECASE)

_IN_TEXT = re.compile(rb"[,;] | \| ")

_SEQUENCE_ID = re.compile(
    rb"(?:gi|gb|emb|dbj|ref|sp|tr|pdb|pir|prf|pat|gnl|lcl|tp[ged]|bb[sm])(?:\|[^|\s]*)+"
)
"""An identifier of a sequence, such as ``gi|129295|sp|P01013|OVAX_CHICK``. BLAST writes these between tabs.
https://ncbi.github.io/cxx-toolkit/pages/ch_demo
"""

# The cost of a record, by what is left unexplained.
_DAMAGED = 1.0
"""Invalid quoting, or another width inside the table."""
_QUOTES_LEFT = 1.0
"""Quotes left around a value."""
_APOSTROPHE = 0.1
"""A ``'`` at one end of a value. Text often begins or ends with one."""
_QUOTES_AS_TEXT = 0.5
"""The same, if most records are invalid in every reading with quotes."""
_JOINED = 1.0
"""A line within a value that is a row if ``"`` is the quote."""
_DELIMITERS_LEFT = 0.5
"""Fields with another delimiter, as a share of the record's fields."""
_DELIMITERS_IN_TEXT = 0.2
"""The same, if a space follows the delimiter, as in prose."""
_TITLE = 0.1
"""A line with one field before the table, or one of a few after it. A header with one field more or less."""
_BESIDE_TABLE = 0.5
"""Such a line with more fields, but fewer than the table."""
_ONE_ROW = 0.5
"""A table of one record among others."""
_ESCAPES_LEFT = 0.5
"""Fields with a backslash that escapes nothing, as a share of the record's fields."""
_MARKER_LEFT = 0.01
"""A field ``\\N`` if backslashes do not escape. It suggests that they do."""

_SAMPLE_BYTES = 128 * 1024
RECORDS_MIN = 100
"""The minimum of records in a sample of _SAMPLE_BYTES. With fewer, the sample is the whole head."""
_QUOTED_MIN = 0.75
"""The share of a column's values in single quotes from which ``'`` is a quote."""
_QUOTED_VALUES_MIN = 3
"""The number of values in single quotes, some over several lines, from which ``'`` may be a quote."""
_WIDTHS_TRIED = 4
_PADDED_MIN = 10
"""Rows are padded if this many consecutive records have extra empty fields, and as many have none. Excel pads
each block of 16 rows to its own width. Fewer records may instead have a value with an unquoted delimiter."""
_WIDER_MAX = 0.05
"""The share of records of a padded table that may have extra fields with values. Those are damaged rows."""
_EVEN_MIN = 0.9
"""The share of records that must have the width of a table that its delimiter splits alike."""
_DECIMALS = 6


@dataclass(frozen=True)
class Detected:
    """The dialect of a sample, and its records."""

    grammar: Grammar
    width: int
    records: tuple[Record, ...]
    """The complete records, without extra empty fields and without the line ``sep=``."""
    separator_line: bytes
    """Excel's first line ``sep=`` with its line end; empty if there is none."""
    padded: bool = False
    """Whether extra delimiters may follow a row's last field."""

    @property
    def first(self) -> Record | None:
        """The first record, apart from comments."""
        return _first(self.records)

    @property
    def is_even(self) -> bool:
        """Whether nearly all records have the table's width. The first two do, and the first is no prose."""
        first, grammar = self.first, self.grammar
        if first is None or self.width == 1 or not grammar.quote or grammar.delimiter + b" " in first.raw:
            return False
        lines = [record.width == self.width for record in self.records if not record.is_comment]
        return all(lines[:2]) and sum(lines) >= _EVEN_MIN * len(lines)

    @property
    def begins_with_title(self) -> bool:
        """Whether the first record has one field, and the table several."""
        return self.first is not None and self.first.width == 1 < self.width


def detect(head: bytes, *, whole: bool) -> Detected:
    """Return the dialect that explains most of the sample.

    Args:
        head: The beginning of a file.
        whole: Whether ``head`` is the whole file.
    """
    if len(head) > _SAMPLE_BYTES:
        detected = _detected(head[:_SAMPLE_BYTES], whole=False)
        if len(detected.records) >= RECORDS_MIN:
            return detected
    return _detected(head, whole=whole)


def _detected(head: bytes, *, whole: bool) -> Detected:
    separator = _SEPARATOR_LINE.match(head)
    start = separator.end() if separator else 0
    found: list[tuple[tuple[float, int, int], Detected]] = []
    is_even = False
    for preference, delimiter in enumerate([separator[2]] if separator else delimiters_of(head)):
        for reading in _readings(head, start, delimiter, whole=whole):
            for width, records, cost in reading.tables():
                rank = (round(cost, _DECIMALS), -width, preference)
                padded = records is not reading.records
                table = Detected(reading.grammar, width, records, head[:start], padded)
                found.append((rank, table))
                is_even = is_even or table.is_even
    # If one delimiter splits the lines alike, the first line is no title of a table with another one.
    likely = [(rank, table) for rank, table in found if not (is_even and table.begins_with_title)]
    return min(likely, key=itemgetter(0))[1]


def delimiters_of(head: bytes) -> Iterator[bytes]:
    """Yield the delimiters in ``head``, and one that it does not contain, for a file of one column."""
    yield from (delimiter for delimiter in DELIMITERS if delimiter in head)
    yield from [delimiter for delimiter in _NO_DELIMITER if delimiter not in head][:1]


@dataclass(frozen=True)
class _Reading:
    """The sample, read with one grammar."""

    grammar: Grammar
    records: tuple[Record, ...]
    other_quote: bytes
    """The other quote, which would be left around values."""
    lines: Mapping[int, int]
    """The offset and the width of each record in the usual reading."""

    def tables(self) -> Iterator[tuple[int, tuple[Record, ...], float]]:
        """Yield each possible width of the table, its records, and the cost of what is left unexplained."""
        left = list(map(self._left, self.records))
        others = [record for record in self.records if not record.is_comment] or self.records
        widths = Counter(record.width for record in others if record.fields)
        common = [width for width, _ in widths.most_common(_WIDTHS_TRIED)]
        # Padded rows may have many widths. The smallest one is the table's.
        least = [width for width, count in widths.items() if count >= _PADDED_MIN]
        for width in {1, *common, min(least, default=1)}:
            records = _without_padding(self.records, width)
            # A comment of another width is explained, whatever its text, unless its quoting is broken.
            table = [
                (record, cost + self._joined(record, width))
                for record, cost in zip(records, left, strict=True)
                if record.width == width or not (record.is_comment and record.fields)
            ]
            yield width, records, _cost(width, table)

    def _left(self, record: Record) -> float:
        """Return the cost of what is left unexplained in a record's fields."""
        grammar, raw, fields = self.grammar, record.raw, record.fields
        if not fields:
            return 0.0
        cost = 0.0
        if self.other_quote and self.other_quote in raw:
            cost = max(map(self._quotes_left, fields))
        if raw.translate(None, _but(_others(grammar.delimiter))):
            explained = self._is_amount if len(fields) == 1 else is_amount
            cost += sum(self._delimiters_left(field, explained) for field in fields) / len(fields)
        if b"\\" in raw:
            if grammar.escapes_outside:
                unexplained = sum(grammar.has_other_escapes(field) for field in fields)
                cost += _ESCAPES_LEFT * unexplained / len(fields)
            elif b"\\N" in fields:
                cost += _MARKER_LEFT
        return cost

    def _quotes_left(self, field: bytes) -> float:
        if self.grammar.is_quoted(field) or self.other_quote not in (field[:1], field[-1:]):
            return 0.0
        if self.other_quote == b"'" and not _in_single_quotes(field):
            return _APOSTROPHE if len(field) > 1 else 0.0
        return _QUOTES_LEFT if self.grammar.quote else _QUOTES_AS_TEXT

    def _joined(self, record: Record, width: int) -> float:
        """Return the cost of the lines within a record's values that are rows of this width."""
        if width == 1 or not self.lines:
            return 0.0  # Any line of text is a row of one column.
        ends = LINE_END.finditer(record.raw)
        return _JOINED * sum(self.lines.get(record.start + end.end()) == width for end in ends)

    @cached_property
    def _is_amount(self) -> Callable[[bytes], bool]:
        """Whether a record of one field is an amount, and not several fields with commas between.

        If the first record has a comma and is no amount, all records have several fields. If it is a usual
        amount, only usual amounts count.
        """
        first = _first(self.records)
        if first is None or b"," not in first.raw:
            return is_amount
        return is_usual_amount if is_usual_amount(first.raw) else lambda _: False

    def _delimiters_left(self, field: bytes, is_explained: Callable[[bytes], bool]) -> float:
        others = _others(self.grammar.delimiter)
        # Quotes after a space do not explain a delimiter. Otherwise text such as `` "a; b"`` would change.
        is_quoted = self.grammar.is_quoted(field) and not field.startswith(b" ")
        if is_quoted or not field.translate(None, _but(others)) or is_explained(field):
            return 0.0
        if self.grammar.delimiter == b"\t" and _SEQUENCE_ID.fullmatch(field):
            return 0.0
        if any(b'%c"' % other in field for other in others):
            return _QUOTES_LEFT
        bare = _IN_TEXT.sub(b"", field).translate(None, _but(others))
        return _DELIMITERS_LEFT if bare else _DELIMITERS_IN_TEXT


def _first(records: Sequence[Record]) -> Record | None:
    return next((record for record in records if not record.is_comment), None)


def _without_padding(records: tuple[Record, ...], width: int) -> tuple[Record, ...]:
    """Return the records without extra empty fields if the table is padded, else the records themselves."""
    widths = [record.width for record in records if not record.is_comment]
    blocks = [(block, len(list(same))) for block, same in groupby(widths)]
    exact = max((count for block, count in blocks if block == width), default=0)
    padded = max((count for block, count in blocks if block > width), default=0)
    if min(exact, padded) < _PADDED_MIN:
        return records
    bare = tuple(record.without_padding(width) for record in records)
    widths = [record.width for record in bare if not record.is_comment]
    wider = [index for index, other in enumerate(widths) if other > width]
    # A wider record before the first row would be the header of a wider table.
    is_wider = widths.index(width) > min(wider, default=len(widths))
    return records if is_wider or len(wider) > _WIDER_MAX * len(widths) else bare


def _cost(width: int, costed: Sequence[tuple[Record, float]]) -> float:
    """Return the cost of a table of this width.

    Args:
        width: The number of fields in a row.
        costed: The records, each with the cost of what is left unexplained in its fields.
    """
    rows = [index for index, (record, _) in enumerate(costed) if record.width == width]
    if not rows:
        return _DAMAGED * len(costed)
    before, inside, after = costed[: rows[0]], rows[-1] + 1 - rows[0], costed[rows[-1] + 1 :]
    footer = len(after) <= min(BESIDE_MAX, len(rows))
    return (
        sum(costed[index][1] for index in rows)
        + sum(left for _, left in before)
        + sum(_beside_table(record, width) for record, _ in before[:-1])
        + sum(min(_beside_table(record, width), _header(record, width)) for record, _ in before[-1:])
        + _DAMAGED * (inside - len(rows))
        + sum(_beside_table(record, width) if footer else _DAMAGED for record, _ in after)
        + (_ONE_ROW if len(rows) == 1 < len(costed) else 0.0)
    )


@cache
def _others(delimiter: bytes) -> bytes:
    return b"".join(other for other in DELIMITERS if other != delimiter)


@cache
def _but(kept: bytes) -> bytes:
    return bytes(set(range(256)) - set(kept))


def _header(record: Record, width: int) -> float:
    return _TITLE if record.fields and width > 1 and abs(record.width - width) == 1 else _DAMAGED


def _beside_table(record: Record, width: int) -> float:
    if not 0 < record.width < width:
        return _DAMAGED
    return _TITLE if record.is_one_value else _BESIDE_TABLE


def _readings(head: bytes, start: int, delimiter: bytes, *, whole: bool) -> Iterator[_Reading]:
    """Read ``head`` with each kind of quoting that it gives a reason for."""

    def read(grammar: Grammar, other_quote: bytes, lines: Mapping[int, int] | None = None) -> _Reading:
        records = grammar.records(head, start=start, whole=whole)
        # Concatenated files have the line sep= again.
        return _Reading(
            grammar,
            tuple(record for record in records if record.raw != separator_line),
            other_quote,
            lines or {},
        )

    separator_line = head[:start].rstrip(b"\r\n")
    usual = read(Grammar(delimiter), b"")
    pattern = _single_quoted(delimiter)
    single_quoted = pattern.findall(head) if b"'" in head else []
    in_lines = [field for field in single_quoted if b"\n" not in field and b"\r" not in field]
    certain = bool(single_quoted) and (
        any(b"''" in field for field in in_lines)
        or _has_quoted_delimiter(usual, pattern)
        or _has_quoted_column(usual.records)
    )
    # A reading without their quotes splits such values, so it does not show the column.
    split = any(delimiter in field for field in in_lines) or (
        len(in_lines) < len(single_quoted) and len(single_quoted) >= _QUOTED_VALUES_MIN
    )
    is_spaced = b' "' in head and bool(re.search(re.escape(delimiter) + rb' +"', head)) and delimiter != b" "
    lines = {record.start: record.width for record in usual.records}
    single = read(Grammar(delimiter, b"'", b"'"), b'"', lines) if certain or split else None
    if single and not certain and not _has_quoted_column(single.records):
        single = None
    other_quote = b"'" if single else b""
    yield replace(usual, other_quote=other_quote)
    escaped: list[Grammar] = []
    if b'\\"' in head:
        escaped.append(Grammar(delimiter, escape=b"\\"))
    if any(b"\\" + sign in head for sign in (delimiter, b"N", b"\n", b"\r")):
        escaped.append(Grammar(delimiter, escape=b"\\", escapes_outside=True))
    for grammar in escaped:
        yield read(grammar, other_quote)
    if single:
        yield single
    if b"\\'" in head and single_quoted:
        yield read(Grammar(delimiter, b"'", b"\\"), b'"', lines)
    broken = sum(not record.fields for record in usual.records)
    if broken * 2 > len(usual.records) and broken > 2 * len(_quoted_line(delimiter).findall(head)):
        yield read(Grammar(delimiter, b"", b""), b'"')
    # Of readings that cost the same, the first wins. So spaces stay if they explain no less.
    for grammar in [usual.grammar, *escaped] if is_spaced else []:
        yield read(replace(grammar, spaced=True), other_quote, lines)


def _has_quoted_delimiter(usual: _Reading, pattern: re.Pattern[bytes]) -> bool:
    """Return whether a delimiter in single quotes gives a record another width than nearly all have."""
    widths = Counter(record.width for record in usual.records)
    common = {width for width, count in widths.items() if count >= _QUOTED_MIN * len(usual.records)}
    return any(
        usual.grammar.delimiter in value
        for record in usual.records
        if record.width not in common and b"'" in record.raw
        for value in pattern.findall(record.raw)
    )


def _has_quoted_column(records: Sequence[Record]) -> bool:
    """Return whether the first record, or most of a column, is in single quotes.

    Single quotes around a few values only are text.
    """
    widths = Counter(record.width for record in records if record.fields)
    for width, _ in widths.most_common(_WIDTHS_TRIED):
        first, *rows = [record.fields for record in records if record.width == width]
        if all(map(_in_single_quotes, first)) or any(
            sum(map(_in_single_quotes, column)) >= _QUOTED_MIN * sum(map(bool, column)) > 0
            for column in zip(*rows, strict=True)
        ):
            return True
    return False


def _in_single_quotes(field: bytes) -> bool:
    return len(field) > 1 and field.startswith(b"'") and field.endswith(b"'")


def _quoted_line(delimiter: bytes) -> re.Pattern[bytes]:
    """A line with a field that begins and ends with a quote, also if spaces follow."""
    around = re.escape(delimiter)
    field = rb'(?:(?<=[\r\n%b])|\A)"(?:[^"\r\n]|"")*+"[ \t]*(?=[\r\n%b]|\Z)' % (around, around)
    return re.compile(rb"%b[^\r\n]*" % field)


def _single_quoted(delimiter: bytes) -> re.Pattern[bytes]:
    around = re.escape(delimiter)
    body = rb"'((?:[^'\\]++|\\[\s\S]|'')*+)'"
    return re.compile(rb"(?:(?<=[\r\n%b])|\A)%b(?=[\r\n%b]|\Z)" % (around, body, around))
