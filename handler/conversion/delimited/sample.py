"""Read the beginning of a delimited file with one grammar, with records of any width."""

import re
from codecs import BOM_UTF8
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from conversion.decode import is_text

COMMENT = b"#"
"""The first byte of a comment."""

NO_VALUE = b"\\N"
"""A field that is null if backslashes escape outside quotes."""

LINE_END = re.compile(rb"\r\n|\n|\r")


@dataclass(frozen=True)
class Record:
    """One record of a sample."""

    start: int
    """The offset in the sample."""
    end: int
    """The offset after its line end."""
    line: int
    """Its first line, from 1."""
    raw: bytes
    """The bytes without the line end."""
    fields: tuple[bytes, ...] = ()
    """The raw fields; empty if the record cannot be read."""

    @property
    def width(self) -> int:
        """The number of fields; 0 if the record cannot be read."""
        return len(self.fields)

    @property
    def filled(self) -> int:
        """The number of fields that are not empty."""
        return sum(map(bool, self.fields))

    @property
    def is_one_value(self) -> bool:
        """Whether all of its fields but one are empty."""
        return self.filled <= 1

    @property
    def is_comment(self) -> bool:
        """Whether it begins as a comment does."""
        return self.raw.startswith(COMMENT)

    def without_padding(self, width: int) -> "Record":
        """Return the record with only its first ``width`` fields if the others are empty, else itself."""
        is_padded = self.width > width and not any(self.fields[width:])
        return replace(self, fields=self.fields[:width]) if is_padded else self


@dataclass(frozen=True)
class Grammar:
    """The form of records, without the number of their fields.

    ``escape`` precedes a quote inside quotes. It is the quote itself or a backslash.
    """

    delimiter: bytes
    quote: bytes = b'"'
    escape: bytes = b'"'
    escapes_outside: bool = False
    """Whether a backslash also escapes outside quotes."""
    spaced: bool = False
    """Whether spaces may precede a quoted field. They are no part of its value."""

    def records(self, head: bytes, *, start: int = 0, whole: bool) -> Iterator[Record]:
        """Yield the records of ``head`` from ``start`` on, without blank lines.

        Args:
            head: The beginning of a file.
            start: The offset of the first record.
            whole: Whether ``head`` is the whole file. Otherwise its last record may be truncated, and is
                omitted.
        """
        text = is_text(head)
        position, line = start, 1 + line_ends(head[:start])
        while position < len(head):
            if blank := LINE_END.match(head, position):
                position, line = blank.end(), line + 1
                continue
            match = self._record.match(head, position)
            if match is None and not whole and self.incomplete.match(head, position):
                return
            stop = match.end() if match else self._line_end(head, position)
            end = LINE_END.match(head, stop)
            if end is None and not whole:
                return
            raw = head[position:stop]
            readable = match is not None and (text or is_text(raw))
            record = Record(
                position, end.end() if end else stop, line, raw, self.split(raw) if readable else ()
            )
            yield record
            line += 1 + (line_ends(raw) if match else 0)
            position = record.end

    def end_of_record(self, text: bytes, start: int, *, whole: bool) -> int:
        """Return the offset after the record at ``start`` and its line end; -1 if it does not end.

        Args:
            text: The beginning of a file.
            start: The offset of the record.
            whole: Whether ``text`` is the whole file, so that its end ends a record too.
        """
        match = self._record.match(text, start)
        if match is None or (match.end() == len(text) and not whole):
            return -1
        end = LINE_END.match(text, match.end())
        return end.end() if end else match.end()

    def split(self, raw: bytes) -> tuple[bytes, ...]:
        """Split a valid record into its raw fields."""
        if not (self.quote and self.quote in raw) and not (self.escapes_outside and b"\\" in raw):
            return tuple(raw.split(self.delimiter))
        return tuple(self._next_field.findall(raw + self.delimiter))

    def values(self, record: Record) -> tuple[str, ...]:
        """Return the values of a record's fields."""
        if (self.quote and self.quote in record.raw) or b"\\" in record.raw:
            return tuple(map(self.value, record.fields))
        return tuple([field.decode(errors="replace") for field in record.fields])

    def spellings(self, record: Record) -> tuple[bytes, ...]:
        """Return a record as it is written, and with all or none of its fields in quotes."""
        values = list(map(self.unescaped, record.fields))
        bare = self.delimiter.join(map(self.without_spaces, record.fields))
        special = (self.delimiter, self.quote, b"\n", b"\r", b"\\")
        if not values or not self.quote or any(sign in value for value in values for sign in special):
            return tuple({record.raw, bare})
        quoted = [self.quote + value + self.quote for value in values]
        return tuple({record.raw, bare, self.delimiter.join(values), self.delimiter.join(quoted)})

    def value(self, written: bytes) -> str:
        """Return the value of a raw field."""
        return self.unescaped(written).decode(errors="replace")

    def unescaped(self, written: bytes) -> bytes:
        """Return a raw field without its quotes and escapes."""
        text, quoted = self.without_spaces(written), self.is_quoted(written)
        if self.escapes_outside and written == NO_VALUE:
            return b""
        if quoted:
            text = text[1:-1].replace(self.quote * 2, self.quote)
        if b"\\" in text and (self.escapes_outside or (quoted and self.escape == b"\\")):
            text = self._escaped.sub(rb"\1", text)
        return text

    def is_quoted(self, written: bytes) -> bool:
        """Return whether a raw field is quoted."""
        return bool(self.quote) and self.without_spaces(written).startswith(self.quote)

    def without_spaces(self, written: bytes) -> bytes:
        """Return a raw field without the spaces before its quotes."""
        if not self.spaced:
            return written
        bare = written.lstrip(b" ")
        return bare if bare.startswith(self.quote) else written

    def has_other_escapes(self, written: bytes) -> bool:
        """Return whether a raw field has a backslash that escapes nothing."""
        return written != NO_VALUE and b"\\" in self._escaped.sub(b"", written)

    def _line_end(self, head: bytes, position: int) -> int:
        end = LINE_END.search(head, position)
        return end.start() if end else len(head)

    # All patterns are possessive, so they match a record in one pass or not at all.

    @cached_property
    def _field(self) -> bytes:
        quote = re.escape(self.quote)
        if not quote:
            return self._plain
        return rb"(?:%b%b|(?!%b%b)%b)" % (self._open_quoted, quote, self._spaces, quote, self._plain)

    @cached_property
    def _plain(self) -> bytes:
        """A field without quotes."""
        delimiter = re.escape(self.delimiter)
        if self.escapes_outside:
            return rb"(?:[^%b\r\n\\]++|\\(?:\r\n|[\s\S])?+)*+" % delimiter
        return rb"[^%b\r\n]*+" % delimiter

    @cached_property
    def _open_quoted(self) -> bytes:
        return self._spaces + re.escape(self.quote) + self._in_quotes

    @property
    def _spaces(self) -> bytes:
        """The spaces before a quote that are no part of the value."""
        return b" *+" if self.spaced else b""

    @cached_property
    def _in_quotes(self) -> bytes:
        quote = re.escape(self.quote)
        if self.escape == self.quote:
            return rb"[^%b]*+(?:%b%b[^%b]*+)*+" % (quote, quote, quote, quote)
        return rb"[^%b\\]*+(?:(?:\\[\s\S]|%b%b)[^%b\\]*+)*+" % (quote, quote, quote, quote)

    @cached_property
    def _record(self) -> re.Pattern[bytes]:
        return re.compile(
            rb"%b(?:%b%b)*+(?=[\r\n]|\Z)" % (self._field, re.escape(self.delimiter), self._field)
        )

    @cached_property
    def incomplete(self) -> re.Pattern[bytes]:
        """A record that may continue after the end of the text."""
        before = rb"(?:%b%b)*+" % (self._field, re.escape(self.delimiter))
        last = rb"%b\Z" % self._field
        if self.quote:
            # A backslash at the end may escape what follows.
            last = rb"(?:%b(?:%b|\\)?+\Z|%b)" % (self._open_quoted, re.escape(self.quote), last)
        return re.compile(before + last)

    @cached_property
    def _next_field(self) -> re.Pattern[bytes]:
        return re.compile(rb"(%b)%b" % (self._field, re.escape(self.delimiter)))

    @cached_property
    def _escaped(self) -> re.Pattern[bytes]:
        return re.compile(rb"\\(%b|%b|\\|\r\n|[\r\n])" % (re.escape(self.delimiter), re.escape(self.quote)))


def line_ends(data: bytes) -> int:
    """Count the line ends in ``data``: CR, LF and CR LF."""
    ends = data.count(b"\n")
    # Searching one byte is much faster than two.
    return ends + data.count(b"\r") - data.count(b"\r\n") if b"\r" in data else ends


def is_again(record: bytes, spellings: Sequence[bytes]) -> bool:
    """Return whether a record is one of ``spellings``, also after a byte-order mark."""
    return record.removeprefix(BOM_UTF8) in spellings
