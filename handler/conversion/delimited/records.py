"""Read delimited text record by record, and reject invalid records.

Most blocks have only valid records, which is checked for a whole block at once. All bytes but delimiters,
line ends and quotes are deleted. In a valid block, the rest is one pattern repeated. Only other blocks are
split into records.
"""

import re
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, Mapping
from itertools import repeat

from conversion.budget import Budget
from conversion.decode import is_text, not_text_at, not_text_reason
from conversion.delimited.detection import BESIDE_MAX
from conversion.delimited.header import Header
from conversion.delimited.layout import Layout
from conversion.delimited.sample import COMMENT, line_ends
from conversion.model import BLOCK_BYTES, RECORD_BYTES_MAX, UnreadableError
from conversion.plan import RefutedError
from conversion.refused import NONE, Refused, column_and_reason
from conversion.rejects import Rejects

_END = re.compile(rb"\r\n|\n|\r")
_BLANK_AFTER_LINE = re.compile(rb"(?<=\n)[\r\n]++|\A[\r\n]++")
_CUTS_TRIED = 100
_LONE_CR = re.compile(rb"\r(?!\n)")
_BEFORE_HEADER = (b"\n", b"\r", BOM_UTF8)
_HEADER_AGAIN = "the header again"
_COMMENT = "a comment"


class Records:
    """One pass over a delimited object.

    The yielded records have one kind of line end, the table's width, valid quoting and valid text. Blank
    lines are removed unless they are records. So it does not matter how DuckDB treats damaged rows.

    Attributes:
        rows: Records yielded so far.
    """

    def __init__(
        self,
        layout: Layout,
        names: tuple[str, ...],
        rejects: Rejects,
        budget: Budget,
        *,
        mark_bytes: int,
        line_bytes: int,
        refused: Refused = NONE,
    ) -> None:
        self.rows = 0
        self._refused = refused
        self._dropped = 0
        """Refused rows so far."""
        self._beside = 0
        """Repeated headers and comments."""
        self._after = 0
        """Records of another width since the last valid record."""
        self._rows_before = 0
        self._layout = layout
        self._dialect = dialect = layout.dialect
        self._names = names
        self._rejects = rejects
        self._budget = budget
        self._line_bytes = line_bytes
        self._offset = mark_bytes + layout.body_offset
        self._line = layout.body_line
        structure = dialect.delimiter + b"\r\n" + dialect.quote
        self._rest = bytes(set(range(256)) - set(structure))
        self._record = dialect.delimiter * (dialect.width - 1) + dialect.newline

    @property
    def beside(self) -> int:
        """Rejected records that are not damaged rows: the header again, comments, lines after the table."""
        after = self._after if self._rows_before == self.rows else 0
        return self._beside + (after if after <= min(BESIDE_MAX, self.rows) else 0)

    @property
    def facts(self) -> Mapping[str, object]:
        """The layout, for the profile."""
        layout = self._layout
        if layout.is_text:
            return {}
        dialect = layout.dialect
        facts: dict[str, object] = {
            "delimiter": dialect.delimiter.decode(),
            "quote": dialect.quote.decode(),
            "escape": dialect.escape.decode(),
            "header": layout.header.value,
        }
        if layout.header is not Header.NONE:
            facts["header_record"] = layout.header_record.decode(errors="replace")
            facts["header_line"] = layout.header_line
        if layout.preamble:
            facts["preamble"] = list(layout.preamble)
        return facts

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
            raise UnreadableError(
                f"a record longer than {RECORD_BYTES_MAX} bytes at line {self._line}, byte {self._offset}"
            )
        # The rest of one block and the next block may be one record.
        if length > self._line_bytes - BLOCK_BYTES:
            raise RefutedError(long_records=True)

    def _read(self, window: bytes, *, at_end: bool) -> tuple[bytes, int]:
        """Return the valid records of ``window``, and how many of its bytes were processed."""
        dialect = self._dialect
        cut = len(window) if at_end else self._cut(window)
        records = window[:cut]
        count = self._count(records) if cut else None
        if count is not None and not self._refused.is_any(self._seen, count):
            self.rows += count
            quoted = dialect.quote and dialect.quote in records
            self._line += line_ends(records) if quoted else count
            self._offset += cut
            return records, cut
        if not at_end and window.endswith(b"\r"):
            window = window[:-1]  # The next byte decides between CR and CR LF.
        if dialect.quote and dialect.quote in window:
            return self._matched(window, at_end=at_end)
        if self._refused and self._refused.is_any(self._seen, line_ends(window)):
            return self._matched(window, at_end=at_end)
        lines = window[: max(window.rfind(b"\n"), window.rfind(b"\r")) + 1]
        if (clean := self._without_blank(lines)) is not None:
            return clean, len(lines)
        if dialect.has_escapes(dialect.without_markers(lines)):
            return self._matched(window, at_end=at_end)
        return self._split(lines), len(lines)

    def _without_blank(self, lines: bytes) -> bytes | None:
        """Return lines without quotes and without blank lines; None unless all others are valid records."""
        if self._dialect.blank_lines or not _has_blank(lines):
            return None
        clean = _BLANK_AFTER_LINE.sub(b"", lines)
        count = self._count(clean)
        if count is not None:
            self.rows += count
            self._line += line_ends(lines)
            self._offset += len(lines)
        return None if count is None else clean

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
        if not is_text(data) or dialect.is_special(data):
            return None
        if self._has_header(data):
            return None
        if dialect.width == 1 and not dialect.blank_lines and _has_blank(data):
            return None
        if dialect.newline == b"\r\n" and _LONE_CR.search(data):
            return None
        if dialect.width == 1 and not dialect.quote and dialect.newline == b"\n":
            return None if b"\r" in data or dialect.delimiter in data else data.count(b"\n")
        # The structure of valid records is one pattern of delimiters and a line end, repeated.
        structure = dialect.without_quoted(data).translate(None, self._rest)
        count = len(structure) // len(self._record)
        return count if structure == self._record * count else None

    def _has_header(self, data: bytes) -> bool:
        header = self._layout.header_record
        return (
            bool(header)
            and header in data
            and (data.startswith(header) or any(before + header in data for before in _BEFORE_HEADER))
        )

    def _is_header(self, record: bytes) -> bool:
        """Return whether a record repeats the header, as in concatenated files."""
        header = self._layout.header_record
        return bool(header) and record.removeprefix(BOM_UTF8) == header

    def _split(self, data: bytes) -> bytes:
        """Return the valid records of lines without quotes and escapes, which only need to be split."""
        lines = data.splitlines(keepends=True)
        kept, done = [], 0
        for index in self._odd(data, lines):
            kept += lines[done:index]
            self._pass(lines[done:index])
            done = index + 1
            bare = lines[index].rstrip(b"\r\n")
            if padded := self._padded(lines[index], 0):
                kept.append(padded[1] + b"\n")
                self.rows += 1
            elif bare or self._dialect.blank_lines:
                self._add(bare, *self._reason(bare))
            self._line += 1
            self._offset += len(lines[index])
        kept += lines[done:]
        self._pass(lines[done:])
        return self._dialect.without_markers(self._with_newline(b"".join(kept)))

    def _odd(self, data: bytes, lines: list[bytes]) -> list[int]:
        """Return the indexes of the lines that are not valid records."""
        delimiter, delimiters = self._dialect.delimiter, self._dialect.width - 1
        counts = map(bytes.count, lines, repeat(delimiter))
        odd = [index for index, count in enumerate(counts) if count != delimiters]
        more: list[int] = []
        if not delimiters and not self._dialect.blank_lines:
            more += [index for index, line in enumerate(lines) if line in (b"\n", b"\r", b"\r\n")]
        if not is_text(data):
            more += [index for index, line in enumerate(lines) if not is_text(line)]
        if self._has_header(data):
            more += [index for index, line in enumerate(lines) if self._is_header(line.rstrip(b"\r\n"))]
        return sorted({*odd, *more}) if more else odd

    def _pass(self, lines: list[bytes]) -> None:
        self.rows += len(lines)
        self._line += len(lines)
        self._offset += sum(map(len, lines))

    def _padded(self, window: bytes, start: int) -> re.Match[bytes] | None:
        """Return the padded row that begins at ``start``, if there is one. Group 1 has its fields."""
        found = self._dialect.padded_record.match(window, start) if self._dialect.padded else None
        bare = found and self._bare(found[0])
        return found if bare and is_text(bare) and not self._is_header(bare) else None

    def _reason(self, record: bytes) -> tuple[str | None, str]:
        """Return the column and the reason for rejecting a record with valid quoting."""
        dialect = self._dialect
        if self._is_header(record):
            return None, _HEADER_AGAIN
        bare = dialect.without_quoted(record)
        if (width := bare.count(dialect.delimiter) + 1) != dialect.width:
            return None, f"{width} fields where {dialect.width} are expected"
        reason = not_text_reason(record, self._offset)
        if reason is None:
            return None, "broken quoting"
        before = dialect.without_quoted(record[: not_text_at(record)])
        return self._name(before.count(dialect.delimiter)), reason

    def _matched(self, window: bytes, *, at_end: bool) -> tuple[bytes, int]:
        """Return the valid records of a window with quotes or escapes, which are matched one by one."""
        start, position = self._offset, 0
        kept: list[bytes] = []
        while position < len(window):
            self._offset = start + position
            end = self._dialect.run.match(window, position)
            if end and end.end() > position:
                self._keep(window[position : end.end()], kept)
                position = end.end()
                continue
            if padded := self._padded(window, position):
                kept.append(self._dialect.rewritten(padded[1] + self._dialect.newline))
                self.rows += 1
                self._line += line_ends(padded[0])
                position = padded.end()
                continue
            stop = self._reject(window, position, at_end=at_end)
            if stop == position:
                break
            position = stop
        self._offset = start + position
        return b"".join(kept), position

    def _keep(self, run: bytes, kept: list[bytes]) -> None:
        """Add a run of records of the table's width to ``kept``, without those that are not text."""
        dialect = self._dialect
        if self._is_clean(run):
            structure = dialect.without_quoted(run)
            if (
                b"\r" in structure
                or dialect.newline == b"\r\n"
                or _has_blank(structure)
                or dialect.is_special(run)
            ):
                records = [self._bare(match[0]) + dialect.newline for match in dialect.record.finditer(run)]
                self.rows += len(records)
                kept += map(dialect.rewritten, records)
            else:
                self.rows += structure.count(b"\n")
                kept.append(run)
            self._line += line_ends(run)
            return
        start, done = self._offset, 0
        for match in dialect.record.finditer(run):
            record = self._bare(match[0])
            self._offset = start + match.start()
            self._line += line_ends(run[done : match.start()])
            if not is_text(record) or self._is_header(record):
                self._add(record, *self._reason(record))
            elif refusal := self._refused.reason(self._seen + 1):
                self._dropped += 1
                self._add(record, *column_and_reason(refusal, self._line))
            else:
                kept.append(dialect.rewritten(record + dialect.newline))
                self.rows += 1
            self._line += line_ends(match[0])
            done = match.end()
        self._line += line_ends(run[done:])

    @property
    def _seen(self) -> int:
        """The number of rows that the previous pass had passed to DuckDB at this point."""
        return self.rows + self._dropped

    def _is_clean(self, run: bytes) -> bool:
        """Return whether no record of a run is rejected."""
        refused = self._refused and self._refused.is_any(self._seen, line_ends(run))
        return is_text(run) and not self._has_header(run) and not refused

    @staticmethod
    def _bare(record: bytes) -> bytes:
        return record[: -2 if record.endswith(b"\r\n") else -1]

    def _with_newline(self, lines: bytes) -> bytes:
        if b"\r" in lines:
            lines = lines.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return lines if self._dialect.newline == b"\n" else lines.replace(b"\n", b"\r\n")

    def _reject(self, window: bytes, start: int, *, at_end: bool) -> int:
        """Reject the record at ``start``.

        An unclosed quote costs no other row. A record is the shortest run of lines that is valid. If there is
        none, only its first line is rejected.

        Returns:
            Where the next record begins, or ``start`` if more text is needed.
        """
        self._budget.check()
        dialect = self._dialect
        if other := dialect.other_width.match(window, start):
            end = _END.match(window, other.end())
            self._add(other[0], *self._reason(other[0]))
            self._line += line_ends(other[0]) + 1
            return end.end() if end else other.end()
        may_go_on = not at_end and len(window) - start <= RECORD_BYTES_MAX
        end = _END.search(window, start)
        if end is None or (may_go_on and dialect.incomplete.match(window, start)):
            return start
        before = dialect.fields.match(window, start)
        index = dialect.without_quoted(before[0]).count(dialect.delimiter) if before else 0
        self._add(window[start : end.start()], self._name(index), "broken quoting")
        self._line += 1
        return end.end()

    def _name(self, index: int) -> str | None:
        return self._names[index] if index < len(self._names) else None

    def _add(self, raw: bytes, column: str | None, reason: str) -> None:
        if self._layout.comments and raw.startswith(COMMENT):
            column, reason = None, _COMMENT
        if reason in (_HEADER_AGAIN, _COMMENT):
            self._beside += 1
        elif reason.endswith("are expected"):
            self._after = self._after + 1 if self._rows_before == self.rows else 1
            self._rows_before = self.rows
        self._rejects.add(
            record=self.rows + self._rejects.count + 1,
            line=self._line,
            byte_offset=self._offset,
            column=column,
            reason=reason,
            raw=raw,
        )


def _has_blank(data: bytes) -> bool:
    # Searching one byte is much faster than two.
    return data.startswith((b"\n", b"\r")) or b"\n\n" in data or (b"\r" in data and b"\n\r" in data)
