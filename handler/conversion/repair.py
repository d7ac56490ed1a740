"""Read a text file record by record, keep the sound ones in place, and write the others to the rejects.

What is left is a file that the engine reads in one way only: one line end, no blank lines, no record of
another width, no broken quotes, nothing that is not text. So nothing rests on how it treats bad rows.
"""

import re
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from conversion.blocks import RECORD_BYTES_MAX
from conversion.budget import Budget
from conversion.delimited.dialect import Dialect
from conversion.encoding import is_text, not_text_at, not_text_reason
from conversion.model import BLOCK_BYTES, UnreadableError
from conversion.rejects import Rejects

_END = re.compile(rb"\r\n|\n|\r")


@dataclass
class Repair:
    """One pass over the file from byte ``position``, up to which it has ``records`` sound ones."""

    path: Path
    dialect: Dialect
    rejects: Rejects
    budget: Budget
    names: tuple[str, ...]
    header: bool
    position: int = 0
    records: int = 0
    """Sound records, a header included."""
    longest: int = 0
    """No record that was kept is longer than this many bytes."""
    mark_bytes: int = 0
    """What preceded the file in the object, for the offsets."""

    def run(self) -> None:
        """Compact the file to its sound records, with LF as line end."""
        self._line = 1
        self._written = self.position
        self._copy: BinaryIO | None = None
        with ExitStack() as self._files:
            file = self._files.enter_context(self.path.open("r+b"))
            self._line += _count_in_file(file, self.position)
            file.seek(self.position)
            window, at_end, enough = b"", False, 0
            while not at_end or window:
                self.budget.check()
                more = file.read(BLOCK_BYTES)
                if more.endswith(b"\r"):
                    more += file.read(1)  # is it CR, or CR LF?
                at_end = not more
                window += more
                if at_end and window and not window.endswith((b"\n", b"\r")):
                    window += b"\n"
                if not at_end and len(window) < enough:
                    continue
                resume = file.tell()
                taken = self._take(file, window, at_end=at_end)
                file.seek(resume)
                self.position += taken
                window = window[taken:]
                # A record that goes on and on is looked at again when there is twice as much of it.
                enough = 0 if taken else min(2 * len(window), RECORD_BYTES_MAX + 1)
                if len(window) > RECORD_BYTES_MAX:
                    raise UnreadableError(
                        f"a record longer than {RECORD_BYTES_MAX} bytes "
                        f"at byte {self.position + self.mark_bytes}"
                    )
            if self._copy is None:
                file.truncate(self._written)
        if self._copy is not None:
            Path(self._copy.name).replace(self.path)

    def _take(self, file: BinaryIO, window: bytes, *, at_end: bool) -> int:
        """Deal with the records that are complete in ``window``; give how many bytes they are."""
        dialect, position = self.dialect, 0
        while position < len(window):
            if end := dialect.run.match(window, position):
                self._keep(file, window[position : end.end()], position)
                position = end.end()
            if position >= len(window):
                break
            if blank := _END.match(window, position):
                position = blank.end()
                self._line += 1
                continue
            stop = self._reject(window, position, at_end=at_end)
            if stop == position:
                break
            position = stop
        return position

    def _keep(self, file: BinaryIO, run: bytes, start: int) -> None:
        """Write a run of well-formed records, but for those that are not text."""
        if is_text(run):
            self._write(file, run)
            return
        for match in self.dialect.record.finditer(run):
            record = match[0]
            place = start + match.start()
            reason = not_text_reason(record, self.position + self.mark_bytes + place)
            if reason is None:
                self._write(file, record)
                continue
            before = self.dialect.without_quoted(record[: not_text_at(record)])
            index = before.count(self.dialect.delimiter)
            self._add(record, place, self._name(index), reason)

    def _write(self, file: BinaryIO, run: bytes) -> None:
        if not run:
            return
        structure = self.dialect.without_quoted(run)
        ends = structure.count(b"\n") + structure.count(b"\r") - structure.count(b"\r\n")
        self.records += ends
        self._line += _line_ends(run)
        if b"\r" in structure:
            run = self._with_lf(run)
        if self.dialect.quote and self.dialect.has_spaced_quote(run):
            run = self.dialect.with_spaced_quoted(run)
            self._copy = self._copy or self._copied(file)
        self.longest = max(self.longest, len(run) if ends == 1 else min(len(run), RECORD_BYTES_MAX))
        if self._copy is None:
            file.seek(self._written)
        self._written += (self._copy or file).write(run)

    def _copied(self, file: BinaryIO) -> BinaryIO:
        """Give a copy of what is written, to go on there: what grows would overtake what is to be read."""
        self.budget.check_second_copy(self.path)
        copy = self._files.enter_context(self.path.with_suffix(".repaired").open("wb"))
        file.seek(0)
        for start in range(0, self._written, BLOCK_BYTES):
            copy.write(file.read(min(BLOCK_BYTES, self._written - start)))
        return copy

    def _with_lf(self, run: bytes) -> bytes:
        if not self.dialect.quote or self.dialect.quote not in run:
            return _END.sub(b"\n", run)
        return b"".join(match[0].rstrip(b"\r\n") + b"\n" for match in self.dialect.record.finditer(run))

    def _reject(self, window: bytes, start: int, *, at_end: bool) -> int:
        """Reject the record at ``start``; give where the next begins, or ``start`` if more must be read."""
        dialect = self.dialect
        if other := dialect.other_width.match(window, start):
            end = _END.match(window, other.end())
            width = dialect.without_quoted(other[0]).count(dialect.delimiter) + 1
            self._add(
                window[start : other.end()], start, None, f"{width} fields where {dialect.width} are expected"
            )
            return end.end() if end else other.end()
        incomplete = not at_end and len(window) - start <= RECORD_BYTES_MAX
        end = _END.search(window, start)
        if end is None or (incomplete and dialect.quote and dialect.open_quote.match(window, start)):
            return start
        before = dialect.fields.match(window, start)
        index = dialect.without_quoted(before[0]).count(dialect.delimiter) if before else 0
        self._add(window[start : end.start()], start, self._name(index), "broken quoting")
        return end.end()

    def _name(self, index: int) -> str | None:
        return self.names[index] if index < len(self.names) else None

    def _add(self, raw: bytes, start: int, column: str | None, reason: str) -> None:
        raw = raw.rstrip(b"\r\n")
        header = self.header and self.records > 0
        self.rejects.add(
            record=self.records - header + self.rejects.count + 1,
            line=self._line,
            byte_offset=self.position + self.mark_bytes + start,
            column=column,
            reason=reason,
            raw=raw,
        )
        self._line += 1 + _line_ends(raw)


def _line_ends(data: bytes) -> int:
    return data.count(b"\n") + data.count(b"\r") - data.count(b"\r\n")


def _count_in_file(file: BinaryIO, length: int) -> int:
    count = 0
    while length and (block := file.read(min(length, BLOCK_BYTES))):
        count += block.count(b"\n")
        length -= len(block)
    return count
