"""Turn JSON text, however it is laid out, into lines of one value each, on the way.

Where a value ends is told by its brackets alone; whether it is well formed is for others to check.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conversion.json.layout import Layout, is_wrapper
from conversion.json.parse import ParseError, parsed
from conversion.model import RECORD_BYTES_MAX, UnreadableError
from conversion.plan import RefutedError

_SPACE = re.compile(rb"[ \t\r\n]*+")
_BRACKET = re.compile(rb'(?:[^"{}\[\]]++|"(?:[^"\\]++|\\.)*+")*+([{}\[\]])', re.DOTALL)
_SCALAR = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[^\s,\[\]{}"]++', re.DOTALL)
_AROUND_BYTES_MAX = 65_536


@dataclass(frozen=True)
class Piece:
    """Some values, as they follow one another in ``raw``, which begins at ``offset`` and ``line``.

    ``starts`` says where each begins. Without it they are the lines of ``raw``.
    """

    raw: bytes
    offset: int
    line: int
    values: tuple[bytes, ...] = ()
    starts: tuple[int, ...] = ()

    def lines(self) -> Iterator[tuple[bytes, int, int]]:
        """Yield each value with its line and its offset; blank lines are none."""
        if self.values:
            line, done = self.line, 0
            for value, start in zip(self.values, self.starts, strict=True):
                line += self.raw.count(b"\n", done, start)
                done = start
                yield value, line, self.offset + start
            return
        offset = self.offset
        for number, line in enumerate(self.raw.split(b"\n"), self.line):
            if bare := line.strip(b" \t\r"):
                yield bare, number, offset + line.find(bare[:1])
            offset += len(line) + 1


class Values:
    """Tells the values of one text apart.

    Attributes:
        around: The members of the object around the array of rows, but for the array.
    """

    def __init__(self, layout: Layout, offset: int) -> None:
        self.around: Mapping[str, Any] = {}
        self._layout = layout
        self._offset = offset
        self._line = 1
        self._buffer = b""
        self._before = b""
        self._in_array = self._after_array = self._after_value = self._after_comma = False
        self._scanned = self._depth = 0
        """Of the value at the beginning of the buffer: how far it has been looked at, and how deep it is."""
        self._elements = 0

    def pieces(self, text: Iterable[bytes]) -> Iterator[Piece]:
        """Yield the values of ``text``.

        Raises:
            UnreadableError: They cannot be told apart.
            RefutedError: An object was taken for a wrapper of rows, and is none.
        """
        if self._layout.lines:
            yield from self._lines(text)
            return
        enough = 0
        for block in text:
            self._buffer += block
            if len(self._buffer) < enough:
                continue
            if piece := self._piece(at_end=False):
                yield piece
            # A value that goes on and on is looked at again when there is twice as much of it.
            enough = 2 * len(self._buffer)
            if len(self._buffer) > RECORD_BYTES_MAX:
                raise self.error(f"a value longer than {RECORD_BYTES_MAX} bytes")
        if piece := self._piece(at_end=True):
            yield piece
        if self._in_array:
            raise self.error("it ends inside the array")
        if self._layout.array_offset is not None:
            self.around = self._unwrapped()
        elif self._buffer.strip():
            raise self.error("it ends inside a value")

    def error(self, what: str, at: int = 0) -> UnreadableError:
        """Give the error for what is malformed at this place in the buffer."""
        line = self._line + self._buffer.count(b"\n", 0, at)
        return UnreadableError(f"malformed JSON at line {line}, byte {self._offset + at}: {what}")

    def _lines(self, text: Iterable[bytes]) -> Iterator[Piece]:
        for block in text:
            end = block.rfind(b"\n") + 1
            if end:
                yield self._passed(self._buffer + block[:end])
                self._buffer = b""
            self._buffer += block[end:]
            if len(self._buffer) > RECORD_BYTES_MAX:
                raise UnreadableError(
                    f"a line longer than {RECORD_BYTES_MAX} bytes at line {self._line}, byte {self._offset}"
                )
        if self._buffer:
            yield self._passed(self._buffer + b"\n")

    def _passed(self, raw: bytes, values: Sequence[bytes] = (), starts: Sequence[int] = ()) -> Piece:
        piece = Piece(raw, self._offset, self._line, tuple(values), tuple(starts))
        self._offset += len(raw)
        self._line += raw.count(b"\n")
        return piece

    def _piece(self, *, at_end: bool) -> Piece | None:
        """Give the values that are complete in the buffer, and take them out of it."""
        buffer, at = self._buffer, 0
        if self._layout.array_offset is not None and not self._before:
            if len(buffer) <= self._layout.array_offset:
                return None
            at = self._layout.array_offset
            self._before = buffer[:at]
        values: list[bytes] = []
        starts: list[int] = []
        while True:
            at = _end(_SPACE, buffer, at)
            if at == len(buffer) or (self._after_array and self._layout.array_offset is not None):
                break
            if self._is_structure(buffer, at):
                at += 1
                continue
            end = self._value_end(buffer, at, at_end=at_end)
            if end is None:
                break
            values.append(buffer[at:end])
            starts.append(at)
            at = end
            self._after_value, self._after_comma = self._in_array, False
        self._buffer = buffer[at:]
        self._elements += len(values)
        piece = self._passed(buffer[:at], values, starts)
        return piece if values else None

    def _is_structure(self, buffer: bytes, at: int) -> bool:
        """Tell whether a bracket of the array or a comma stands here, not a value."""
        char = buffer[at : at + 1]
        if self._after_array:
            raise self.error("text after the end of the array", at)
        if not self._in_array:
            self._in_array = char == b"[" and not self._elements and not self._layout.lines
            return self._in_array
        if char == b"]":
            if self._after_comma:
                raise self.error("a comma before the end of the array", at)
            self._in_array, self._after_array = False, True
            return True
        if self._after_value and char != b",":
            raise self.error("no comma between elements", at)
        if char == b"," and not self._after_value:
            raise self.error("no value before the comma", at)
        if char == b",":
            self._after_value, self._after_comma = False, True
            return True
        return False

    def _value_end(self, buffer: bytes, at: int, *, at_end: bool) -> int | None:
        """Give the end of the value that begins here, or None if it is not all there."""
        if buffer[at] not in b"{[":
            end = _end(_SCALAR, buffer, at)
            if end == at and at_end:
                raise self.error("no value", at)
            return end if at < end and (end < len(buffer) or at_end) else None
        scanned, depth = max(self._scanned, at), self._depth
        while bracket := _BRACKET.match(buffer, scanned):
            scanned = bracket.end()
            depth += 1 if buffer[scanned - 1] in b"{[" else -1
            if depth == 0:
                self._scanned = self._depth = 0
                return scanned
        if at_end:
            raise self.error("it ends inside a value", at)
        # What is left of the buffer begins with this value.
        self._scanned, self._depth = scanned - at, depth
        return None

    def _unwrapped(self) -> Mapping[str, Any]:
        """Give what is around the array.

        Raises:
            RefutedError: The object does not stand for the elements of its array.
        """
        after, key = self._buffer, self._layout.array_key
        try:
            around = parsed(self._before + b"null" + after)
        except ParseError as error:
            raise self.error(str(error)) from None
        small = len(self._before) + len(after) <= _AROUND_BYTES_MAX
        if not (small and isinstance(around, dict) and is_wrapper(around, key, self._elements)):
            raise RefutedError(one_value=True)
        return {name: value for name, value in around.items() if name != key}


def _end(pattern: re.Pattern[bytes], data: bytes, at: int) -> int:
    found = pattern.match(data, at)
    return found.end() if found else at
