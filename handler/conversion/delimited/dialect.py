"""How a delimited file is written, told from its beginning and pinned for the engine.

The engine's own sniffer is not asked: one bad row in its sample makes it choose a dialect in which every
other row is bad.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from conversion.encoding import is_text

DELIMITERS = (b"\t", b"|", b";", b",", b"\x01")
"""In order of preference: a comma is the likeliest to stand inside numbers and text."""

LINE_DELIMITER = b"\x1f"
"""Between the columns of a file of lines, which has one: no text holds this (ASCII's unit separator)."""

_SAMPLE_RECORDS = 1000
csv.field_size_limit(2**31 - 1)
_END = rb"(?:\r\n|\n|\r)"


@dataclass(frozen=True)
class Dialect:
    """The way in which records are written. ``quote`` and ``escape`` are empty when there are none."""

    delimiter: bytes
    width: int
    """Fields in a record."""
    quote: bytes = b'"'
    escape: bytes = b'"'
    newline: bytes = b"\n"
    escapes_outside: bool = False
    """Whether a backslash escapes outside quotes, too."""
    blank_lines: bool = False
    """Whether a blank line is a record."""

    # The patterns are possessive throughout: a record is matched in one pass or not at all.

    @cached_property
    def _quoted(self) -> bytes:
        return re.escape(self.quote) + self._quoted_body + re.escape(self.quote)

    @cached_property
    def _quoted_body(self) -> bytes:
        quote, escape = re.escape(self.quote), re.escape(self.escape)
        if self.escape == self.quote:
            return rb"(?:[^%b]++|%b%b)*+" % (quote, quote, quote)
        return rb"(?:[^%b%b]++|%b[%b%b])*+" % (quote, escape, escape, quote, escape)

    @cached_property
    def _field(self) -> bytes:
        delimiter = re.escape(self.delimiter)
        some = b"*+" if self.width > 1 or self.blank_lines else b"++"
        plain = rb"[^%b\r\n]" % delimiter + some
        if not self.quote:
            return plain
        return rb"(?:%b(?=[%b\r\n])|(?!%b)%b)" % (self._quoted, delimiter, re.escape(self.quote), plain)

    @cached_property
    def record(self) -> re.Pattern[bytes]:
        """One sound record with its line end."""
        rest = rb"(?:%b%b){%d}" % (re.escape(self.delimiter), self._field, self.width - 1)
        return re.compile(self._field + rest + _END)

    @cached_property
    def run(self) -> re.Pattern[bytes]:
        """As many sound records as follow one another."""
        return re.compile(rb"(?:%b)*+" % self.record.pattern)

    @cached_property
    def other_width(self) -> re.Pattern[bytes]:
        """A record that is well written but for the number of its fields, without its line end."""
        rest = rb"(?:%b%b)*+" % (re.escape(self.delimiter), self._field)
        return re.compile(self._field + rest + rb"(?=[\r\n])")

    @cached_property
    def open_quote(self) -> re.Pattern[bytes]:
        """The beginning of a record up to the end of what there is, inside a quoted field."""
        body = re.escape(self.quote) + self._quoted_body
        return re.compile(rb"(?:%b%b)*+%b\Z" % (self._field, re.escape(self.delimiter), body))

    @cached_property
    def fields(self) -> re.Pattern[bytes]:
        """As many complete fields, each with its delimiter, as follow one another."""
        return re.compile(rb"(?:%b%b)*+" % (self._field, re.escape(self.delimiter)))

    @cached_property
    def quoted_fields(self) -> re.Pattern[bytes]:
        """Each quoted field, in text that begins with a record; outside, delimiters are delimiters."""
        delimiter = re.escape(self.delimiter)
        return re.compile(rb"(?:(?<=[%b\r\n])|\A)%b(?=[%b\r\n]|\Z)" % (delimiter, self._quoted, delimiter))

    @cached_property
    def _quoted_or_spaced(self) -> re.Pattern[bytes]:
        delimiter, quote = re.escape(self.delimiter), re.escape(self.quote)
        spaced = rb" %b[^%b\r\n]*" % (quote, delimiter)
        begin = rb"(?:(?<=[%b\r\n])|\A)" % delimiter
        return re.compile(rb"%b(?:%b(?=[%b\r\n]|\Z)|%b)" % (begin, self._quoted, delimiter, spaced))

    def has_spaced_quote(self, data: bytes) -> bool:
        """Tell whether a field may begin with a space and a quote, which the engine takes for a quote."""
        spaced = b" " + self.quote
        # One byte is looked for far faster than two, and most blocks have no quote.
        return (
            self.quote in data
            and spaced in data
            and (
                data.startswith(spaced)
                or any(begin + spaced in data for begin in (self.delimiter, b"\n", b"\r"))
            )
        )

    def with_spaced_quoted(self, data: bytes) -> bytes:
        """Give whole records with each such field in quotes, its space and all."""
        quote = self.quote

        def quoted(match: re.Match[bytes]) -> bytes:
            field = match[0]
            return (
                field
                if field.startswith(quote)
                else quote + field.replace(quote, self.escape + quote) + quote
            )

        return self._quoted_or_spaced.sub(quoted, data)

    def without_quoted(self, data: bytes) -> bytes:
        """Give ``data`` without its quoted fields."""
        return self.quoted_fields.sub(b"", data) if self.quote and self.quote in data else data

    def values(self, record: bytes) -> list[str]:
        """Give the values of one sound record, as the standard library reads it."""
        reader = csv.reader(
            io.StringIO(record.decode(), newline=""),
            delimiter=self.delimiter.decode(),
            quotechar=self.quote.decode() or None,
            quoting=csv.QUOTE_MINIMAL if self.quote else csv.QUOTE_NONE,
            doublequote=self.escape == self.quote,
            escapechar=self.escape.decode() if self.escape not in (b"", self.quote) else None,
        )
        return next(reader, None) or [""]

    def sample(self, head: bytes) -> Iterator[list[str]]:
        """Yield the values of the sound records at the beginning of a file."""
        position = found = 0
        while position < len(head) and found < _SAMPLE_RECORDS:
            match = self.record.match(head, position)
            if match and is_text(match[0]):
                found += 1
                yield self.values(match[0])
            position = match.end() if match else _next_line(head, position)


def lines_dialect(*, blank_lines: bool, newline: bytes) -> Dialect:
    """Give the dialect in which each line is one record of one column."""
    return Dialect(LINE_DELIMITER, 1, b"", b"", newline, blank_lines=blank_lines)


def newline_of(head: bytes) -> bytes:
    """Give the line end of the first line: CR LF, or LF, into which all others are made."""
    end = head.find(b"\n")
    return b"\r\n" if end > 0 and head[end - 1] == ord("\r") else b"\n"


def detect(head: bytes) -> tuple[Dialect, float]:
    """Give the dialect that reads most of ``head``, and the share of its lines that it reads.

    ``head`` ends with a line end. The width is 1 when no delimiter makes the lines alike.
    """
    best: tuple[tuple[float, int, int], Dialect] | None = None
    for rank, delimiter in enumerate(DELIMITERS):
        if delimiter not in head:
            continue
        for quote, escape in _quotings(head, delimiter):
            dialect = Dialect(delimiter, 1, quote, escape)
            width, share = _width(dialect, head)
            if width > 1:
                # Quoting that is there must lose by a tenth to be taken for text.
                merit = (round(share + (0.1 if quote else 0.0), 3), -rank, bool(quote))
                if best is None or merit > best[0]:
                    best = merit, replace(dialect, width=width)
    newline = newline_of(head)
    if best is None:
        return Dialect(b",", 1, newline=newline), 1.0
    (share, _, _), dialect = best
    return replace(dialect, newline=newline), min(1.0, share - (0.1 if dialect.quote else 0.0))


def _quotings(head: bytes, delimiter: bytes) -> Iterator[tuple[bytes, bytes]]:
    yield b'"', b'"'
    if b'\\"' in head:
        yield b'"', b"\\"
    if b'"' in head:
        yield b"", b""
    elif re.search(
        rb"(?:\A|[\r\n%b])'[^'\r\n]*'[%b\r\n]" % (re.escape(delimiter), re.escape(delimiter)), head
    ):
        yield b"'", b"'"


def _width(dialect: Dialect, head: bytes) -> tuple[int, float]:
    """Give the commonest number of fields, and the share of the lines that have it and no broken quotes."""
    lines = [line for line in re.split(_END, dialect.without_quoted(head)) if line]
    if not lines:
        return 1, 0.0
    widths = Counter(line.count(dialect.delimiter) + 1 for line in lines)
    width = max(widths, key=lambda candidate: (widths[candidate], candidate))
    if not dialect.quote:
        return width, widths[width] / len(lines)
    broken = re.compile(rb"(?:\A|%b)%b" % (re.escape(dialect.delimiter), re.escape(dialect.quote)))
    sound = sum(
        line.count(dialect.delimiter) + 1 == width and not (dialect.quote in line and broken.search(line))
        for line in lines
    )
    return width, sound / len(lines)


def _next_line(data: bytes, position: int) -> int:
    match = re.compile(_END).search(data, position)
    return match.end() if match else len(data)
