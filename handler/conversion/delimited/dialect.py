"""The dialect of a delimited file, and the patterns that match its records.

All patterns are possessive, so they match a record in one pass or not at all.
"""

import re
from dataclasses import dataclass
from functools import cached_property

from conversion.delimited.sample import Grammar

LINE_DELIMITER = b"\x1f"
"""The nominal delimiter of plain text, ASCII's unit separator. Text does not contain it."""

_END = rb"(?:\r\n|\n|\r)"


@dataclass(frozen=True, kw_only=True)
class Dialect(Grammar):
    """The grammar of a file and the form of its table.

    Attributes:
        width: The number of fields in a record.
        newline: The line end that DuckDB gets: CR LF or LF.
        blank_lines: Whether a blank line is a record.
        padded: Whether extra delimiters may follow a row's last field.
    """

    width: int
    newline: bytes = b"\n"
    blank_lines: bool = False
    padded: bool = False

    @cached_property
    def record(self) -> re.Pattern[bytes]:
        """A record of the table's width, with its line end."""
        return re.compile(rb"(?![\r\n])%b%b" % (self._row, _END))

    @cached_property
    def padded_record(self) -> re.Pattern[bytes]:
        """A record of the table's width (group 1), then extra delimiters and its line end."""
        return re.compile(rb"(%b)(?:%b)++%b" % (self._row, re.escape(self.delimiter), _END))

    @cached_property
    def run(self) -> re.Pattern[bytes]:
        """Consecutive records of the table's width, and blank lines."""
        return re.compile(rb"(?:%b|[\r\n])*+" % self.record.pattern)

    @cached_property
    def other_width(self) -> re.Pattern[bytes]:
        """A valid record with any number of fields, without its line end."""
        rest = rb"(?:%b%b)*+" % (re.escape(self.delimiter), self._field)
        return re.compile(self._field + rest + rb"(?=[\r\n])")

    @cached_property
    def fields(self) -> re.Pattern[bytes]:
        """Consecutive complete fields, each with its delimiter."""
        return re.compile(rb"(?:%b%b)*+" % (self._field, re.escape(self.delimiter)))

    @cached_property
    def _quoted_field(self) -> re.Pattern[bytes]:
        delimiter, quote = re.escape(self.delimiter), re.escape(self.quote)
        # A pattern that begins with the quote is found seven times as fast as one that looks before it.
        begin = rb"%b(?<![^%b\r\n]%b)" % (quote, delimiter, quote)
        return re.compile(rb"%b%b%b(?=[%b\r\n]|\Z)" % (begin, self._in_quotes, quote, delimiter))

    @cached_property
    def _spaced_field(self) -> re.Pattern[bytes]:
        """A quoted field, after spaces or none. Group 1 is the field."""
        delimiter, quote = re.escape(self.delimiter), re.escape(self.quote)
        begin, field = rb"(?:(?<=[%b\r\n])|\A)" % delimiter, quote + self._in_quotes + quote
        return re.compile(rb"%b *+(%b)(?=[%b\r\n]|\Z)" % (begin, field, delimiter))

    @cached_property
    def _special_field(self) -> re.Pattern[bytes]:
        """A field that DuckDB may misread: quoted, escaped, or with a quote after a space."""
        delimiter, quote = re.escape(self.delimiter), re.escape(self.quote)
        begin, end = rb"(?:(?<=[%b\r\n])|\A)" % delimiter, rb"(?=[%b\r\n]|\Z)" % delimiter
        fields = []
        if quote:
            fields += [self._open_quoted + quote + end, rb"(?= %b)%b" % (quote, self._plain)]
        if self.escapes_outside:
            fields.append(rb"(?=[^%b\r\n\\]*+\\)%b" % (delimiter, self._plain))
        return re.compile(rb"%b(?:%b)" % (begin, rb"|".join(fields)))

    @cached_property
    def _needs_quotes(self) -> re.Pattern[bytes]:
        return re.compile(rb"[%b%b\r\n]" % (re.escape(self.delimiter), re.escape(self.quote)))

    @cached_property
    def _no_value(self) -> re.Pattern[bytes]:
        delimiter = re.escape(self.delimiter)
        return re.compile(rb"\\N(?<![^%b\r\n]\\N)(?=[%b\r\n])" % (delimiter, delimiter))

    @cached_property
    def _row(self) -> bytes:
        """The fields of a record of the table's width."""
        return rb"%b(?:%b%b){%d}" % (self._field, re.escape(self.delimiter), self._field, self.width - 1)

    def without_quoted(self, records: bytes) -> bytes:
        """Remove the quoted fields, so that all remaining delimiters separate fields."""
        return self._quoted_field.sub(b"", records) if self.quote and self.quote in records else records

    def has_escapes(self, records: bytes) -> bool:
        """Return whether ``records`` may have escapes that DuckDB does not read: all but doubled quotes."""
        return b"\\" in records and (self.escapes_outside or self.escape == b"\\")

    def without_spaces_in(self, records: bytes) -> bytes:
        """Remove the spaces before quoted fields that are no part of their values."""
        if not self.spaced or b" " + self.quote not in records:
            return records
        return self._spaced_field.sub(rb"\1", records)

    def has_spaced_quote(self, records: bytes) -> bool:
        """Return whether a field may begin with a space and a quote. DuckDB would ignore the space."""
        spaced = b" " + self.quote
        # Searching one byte is much faster than two, and most blocks have no quote.
        return (
            bool(self.quote)
            and self.quote in records
            and spaced in records
            and (
                records.startswith(spaced)
                or any(begin + spaced in records for begin in (self.delimiter, b"\n", b"\r"))
            )
        )

    def is_special(self, records: bytes) -> bool:
        """Return whether DuckDB may misread ``records``, so that they must be rewritten."""
        return self.has_escapes(records) or self.has_spaced_quote(records)

    def rewritten(self, record: bytes) -> bytes:
        """Return a valid record in the form that DuckDB reads."""
        bare = self.without_spaces_in(record)
        return self._special_field.sub(self._rewritten, bare) if self.is_special(bare) else bare

    def _rewritten(self, match: re.Match[bytes]) -> bytes:
        written, quote = match[0], self.quote
        if self.is_quoted(written) and not self.has_escapes(written):
            return written
        value = self.unescaped(written)
        if self.is_quoted(written) or self._needs_quotes.search(value):
            return quote + value.replace(quote, quote * 2) + quote
        return value

    def without_markers(self, records: bytes) -> bytes:
        r"""Replace the fields ``\N`` of records without quotes by empty fields."""
        return self._no_value.sub(b"", records) if self.escapes_outside else records


def lines_dialect(newline: bytes) -> Dialect:
    """Return the dialect of plain text: each line is a record of one column."""
    return Dialect(
        delimiter=LINE_DELIMITER, quote=b"", escape=b"", width=1, newline=newline, blank_lines=True
    )
