"""Read delimited text block by block, so that DuckDB gets valid records only.

Most blocks have only valid records, which is checked for a whole block at once. All bytes but delimiters,
line ends and quotes are deleted. In a valid block, the rest is one pattern repeated. Only other blocks are
split into records.
"""

import re
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, Mapping

from conversion.decode import is_text
from conversion.delimited import salvage
from conversion.delimited.layout import Layout
from conversion.delimited.sample import line_ends
from conversion.delimited.tally import Tally
from conversion.findings import Findings, RefutedError
from conversion.model import BLOCK_BYTES, RECORD_BYTES_MAX, UnreadableError
from conversion.passes import Resources

_BLANK_AFTER_LINE = re.compile(rb"(?<=\n)[\r\n]++|\A[\r\n]++")
_CUTS_TRIED = 100
_LONE_CR = re.compile(rb"\r(?!\n)")


class Records:
    """One pass over a delimited object.

    The yielded records have one kind of line end, the table's width, valid quoting and valid text. Blank
    lines are removed unless they are records. So it does not matter how DuckDB treats damaged rows.
    """

    def __init__(
        self,
        layout: Layout,
        names: tuple[str, ...],
        findings: Findings,
        resources: Resources,
        *,
        mark_bytes: int,
    ) -> None:
        """Prepare a pass.

        Args:
            layout: The layout of the object.
            names: The names of its columns, for the rejected records.
            findings: What earlier passes found.
            resources: The resources of the conversion.
            mark_bytes: The length of the byte-order mark before the text.
        """
        self._tally = Tally(layout, names, findings.refused, resources, mark_bytes=mark_bytes)
        self._layout = layout
        self._dialect = dialect = layout.dialect
        self._line_bytes = findings.line_bytes
        structure = dialect.delimiter + b"\r\n" + dialect.quote
        self._deleted = bytes(set(range(256)) - set(structure))
        self._structure = dialect.delimiter * (dialect.width - 1) + dialect.newline

    @property
    def rows(self) -> int:
        """Records yielded so far."""
        return self._tally.rows

    @property
    def beside(self) -> int:
        """Rejected records that are not damaged rows."""
        return self._tally.beside

    @property
    def facts(self) -> Mapping[str, object]:
        """The layout, for the profile."""
        return self._layout.facts

    def read(self, text: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the valid records of ``text``, which is the whole object.

        Raises:
            RefutedError: A record is longer than DuckDB's buffer.
            UnreadableError: A record is longer than RECORD_BYTES_MAX.
        """
        blocks = self._blocks(text)
        first = next(blocks, b"")
        # DuckDB drops a byte-order mark, which is text here, so it gets another one before it.
        yield BOM_UTF8 + first if first.startswith(BOM_UTF8) else first
        del first  # It may be long.
        yield from blocks

    def _blocks(self, text: Iterable[bytes]) -> Iterator[bytes]:
        window, skip, enough = b"", self._layout.body_offset, 0
        for block in text:
            window += block[skip:]
            skip = max(0, skip - len(block))
            if len(window) < enough:
                continue
            clean, taken = self._read(window, at_end=False)
            if clean:
                yield clean
            window = window[taken:]
            # An incomplete record is only scanned again when the window has doubled. A record that ends in
            # the next block must still fit into DuckDB's buffer.
            largest = min(RECORD_BYTES_MAX + 1, self._line_bytes - BLOCK_BYTES)
            enough = 0 if taken else min(2 * len(window), largest)
            self._check_length(len(window))
        window = self._ended(window)
        while window:
            clean, taken = self._read(window, at_end=True)
            if clean:
                yield clean
            window = window[taken:]

    def _ended(self, window: bytes) -> bytes:
        """Return the end of the text with a line end that is not escaped."""
        bare = window[:-1] if window.endswith((b"\n", b"\r")) else window
        escapes = self._dialect.escapes_outside and (len(bare) - len(bare.rstrip(b"\\"))) % 2
        if not window or (bare != window and not escapes):
            return window
        # A backslash that escapes nothing is text, so it must not escape the new line end.
        return window + (b"\\" if escapes and bare == window else b"") + self._dialect.newline

    def _check_length(self, length: int) -> None:
        if length > RECORD_BYTES_MAX:
            at = f"line {self._tally.line}, byte {self._tally.offset}"
            raise UnreadableError(f"a record longer than {RECORD_BYTES_MAX} bytes at {at}")
        # The rest of one block and the next block may be one record.
        if length > self._line_bytes - BLOCK_BYTES:
            raise RefutedError(long_records=True)

    def _read(self, window: bytes, *, at_end: bool) -> tuple[bytes, int]:
        """Return the valid records of ``window``, and how many of its bytes were processed."""
        dialect, tally = self._dialect, self._tally
        cut = len(window) if at_end else self._cut(window)
        records = window[:cut]
        clean = dialect.without_spaces_in(records)
        count = self._count(clean) if cut else None
        if count is not None and not tally.is_any_refused(count):
            quoted = dialect.quote and dialect.quote in records
            tally.count(rows=count, lines=line_ends(records) if quoted else count, size=cut)
            return clean, cut
        if not at_end and window.endswith(b"\r"):
            window = window[:-1]  # The next byte decides between CR and CR LF.
        if (dialect.quote and dialect.quote in window) or tally.is_any_refused(line_ends(window)):
            return salvage.matched(window, tally, at_end=at_end)
        lines = window[: max(window.rfind(b"\n"), window.rfind(b"\r")) + 1]
        if (clean := self._without_blank(lines)) is not None:
            return clean, len(lines)
        if dialect.has_escapes(dialect.without_markers(lines)):
            return salvage.matched(window, tally, at_end=at_end)
        return salvage.split(lines, tally), len(lines)

    def _without_blank(self, lines: bytes) -> bytes | None:
        """Return lines without quotes and without blank lines; None unless all others are valid records."""
        if self._dialect.blank_lines or not salvage.has_blank(lines):
            return None
        clean = _BLANK_AFTER_LINE.sub(b"", lines)
        count = self._count(clean)
        if count is None:
            return None
        self._tally.count(rows=count, lines=line_ends(lines), size=len(lines))
        return clean

    def _cut(self, data: bytes) -> int:
        """Return the end of the last complete record, assuming that all quotes come in pairs."""
        cut = data.rfind(b"\n") + 1
        quote = self._dialect.quote
        if not quote or quote not in data:
            return cut
        open_quotes = data.count(quote, 0, cut) % 2
        for _ in range(_CUTS_TRIED):
            if not (open_quotes and cut):
                break
            before = data.rfind(b"\n", 0, cut - 1) + 1
            open_quotes ^= data.count(quote, before, cut) % 2
            cut = before
        return cut

    def _count(self, data: bytes) -> int | None:
        """Return the number of records in ``data``; None unless all of them can be passed on unchanged."""
        dialect = self._dialect
        if not is_text(data) or dialect.is_special(data) or self._tally.has_header(data):
            return None
        if dialect.width == 1 and not dialect.blank_lines and salvage.has_blank(data):
            return None
        if dialect.newline == b"\r\n" and _LONE_CR.search(data):
            return None
        # The structure of valid records is one pattern of delimiters and a line end, repeated.
        structure = dialect.without_quoted(data).translate(None, self._deleted)
        count = len(structure) // len(self._structure)
        return count if structure == self._structure * count else None
