"""Split JSON text of any layout into values.

Only brackets decide where a value ends. The caller checks whether it is well-formed.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import msgspec

from conversion.findings import RefutedError
from conversion.json.layout import Layout, is_around_rows, is_followed, is_wrapper
from conversion.json.parse import MALFORMED, ParseError, members
from conversion.model import RECORD_BYTES_MAX, UnreadableError

_SPACE = re.compile(rb"[ \t\r\n]*+")
_BRACKET = re.compile(rb'(?:[^"{}\[\]]++|"(?:[^"\\]++|\\.)*+")*+([{}\[\]])', re.DOTALL)
_SCALAR = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[^\s,\[\]{}"]++', re.DOTALL)
_BETWEEN_VALUES = re.compile(rb"(?<=[}\]])[ \t]*+\r[ \t\r]*+(?=[{\[])")
"""White space with a CR, and without LF, that no value of JSON has inside."""
_FIRST_KEY = re.compile(rb'\{[ \t\r\n]*"[^"\\]*"')
_ENDS_TRIED = 10
"""The most places that are tried as the end of an element."""
_decoder = msgspec.json.Decoder(list[msgspec.Raw])
_AROUND_BYTES_MAX = 65_536


@dataclass(frozen=True)
class Piece:
    """A sequence of values in ``raw``, which begins at ``offset`` and ``line`` and has ``line_ends``.

    ``first`` is the position of the first value in ``raw``. Without ``values``, each line of ``raw`` is a
    value, and ends with LF. Otherwise lines end with ``line_end``.
    """

    raw: bytes
    offset: int
    line: int
    line_ends: int
    values: Sequence[bytes] = ()
    first: int = 0
    line_end: bytes = b"\n"

    def lines(self) -> Iterator[tuple[bytes, int, int]]:
        """Yield each value with its line and its offset, without blank lines."""
        if self.values:
            line, done, at = self.line, 0, self.first
            for value in self.values:
                # Only white space and commas separate them.
                at = self.raw.index(value, at)
                line += self.raw.count(self.line_end, done, at)
                yield value, line, self.offset + at
                done = at
                at += len(value)
            return
        offset = self.offset
        for number, line in enumerate(self.raw.split(b"\n"), self.line):
            if bare := line.strip(b" \t\r"):
                yield bare, number, offset + line.find(bare[:1])
            offset += len(line) + 1

    def halves(self) -> Sequence["Piece"]:
        """Return two pieces with the values of this one; none if it has one value."""
        half, middle = len(self.values) // 2, len(self.raw) // 2
        if half:
            _, _, offset = next(islice(self.lines(), half, None))
            at = offset - self.offset
        elif self.values:
            return ()
        else:
            at = self.raw.rfind(b"\n", 0, middle) + 1 or self.raw.find(b"\n", middle) + 1
        before, after = self.raw[:at], self.raw[at:]
        if not after:
            return ()
        line_ends = before.count(self.line_end)
        return (
            replace(self, raw=before, line_ends=line_ends, values=self.values[:half]),
            replace(
                self,
                raw=after,
                offset=self.offset + at,
                line=self.line + line_ends,
                line_ends=self.line_ends - line_ends,
                values=self.values[half:],
                first=0,
            ),
        )


class Values:
    """Splits one text into values.

    Attributes:
        around: The members of the object that wraps the array of rows, without the array.
    """

    def __init__(self, layout: Layout, offset: int) -> None:
        self.around: Mapping[str, Any] = {}
        self._layout = layout
        self._offset = offset
        self._line = 1
        self._line_end = b"\r" if layout.carriage_returns and not layout.lines else b"\n"
        self._buffer = b""
        self._before = b""
        self._in_array = self._after_array = self._after_value = self._after_comma = False
        self._scanned = self._depth = 0
        """For the value at the beginning of the buffer: the position and depth that were reached."""
        self._elements = 0
        self._first = b""
        """The first element."""
        self._first_line = self._last_line = 0
        """The lines on which the array begins and ends."""

    def pieces(self, text: Iterable[bytes]) -> Iterator[Piece]:
        """Yield the values of ``text``.

        Raises:
            UnreadableError: They cannot be separated.
            RefutedError: An object does not wrap its array, or arrays are on lines of their own.
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
            # An incomplete value is only scanned again when the buffer has doubled.
            enough = min(2 * len(self._buffer), RECORD_BYTES_MAX + 1)
            self._check_length()
        if piece := self._piece(at_end=True):
            yield piece
        if self._in_array:
            raise self._error("it ends inside the array")
        if self._layout.array_offset is not None:
            self.around = self._unwrapped()

    def _check_length(self) -> None:
        is_too_long = len(self._buffer) > RECORD_BYTES_MAX
        is_around = self._layout.array_offset is not None and self._after_array
        if is_around and (is_too_long or len(self._buffer.rstrip()) > _AROUND_BYTES_MAX):
            raise RefutedError(one_value=True)
        if is_too_long:
            raise self._error(f"a value longer than {RECORD_BYTES_MAX} bytes")

    def _error(self, what: str, at: int = 0) -> UnreadableError:
        """Return the error for malformed JSON at this position of the buffer."""
        return UnreadableError(
            f"malformed JSON at line {self._line_at(at)}, byte {self._offset + at}: {what}"
        )

    def _line_at(self, at: int) -> int:
        return self._line + self._buffer.count(self._line_end, 0, at)

    def _lines(self, text: Iterable[bytes]) -> Iterator[Piece]:
        for block in text:
            if self._layout.carriage_returns:
                block = block.replace(b"\r", b"\n")  # noqa: PLW2901
            end = block.rfind(b"\n") + 1
            if end:
                yield self._passed(_without_lone_cr(self._buffer + block[:end]))
                self._buffer = b""
            self._buffer += block[end:]
            if len(self._buffer) > RECORD_BYTES_MAX:
                raise UnreadableError(
                    f"a line longer than {RECORD_BYTES_MAX} bytes at line {self._line}, byte {self._offset}"
                )
        if self._buffer:
            yield self._passed(_without_lone_cr(self._buffer + b"\n"))

    def _passed(self, raw: bytes, values: Sequence[bytes] = (), first: int = 0) -> Piece:
        line_ends = raw.count(self._line_end)
        piece = Piece(raw, self._offset, self._line, line_ends, values, first, self._line_end)
        self._offset += len(raw)
        self._line += piece.line_ends
        return piece

    def _piece(self, *, at_end: bool) -> Piece | None:
        """Remove the complete values from the buffer, and return them."""
        buffer, at = self._buffer, 0
        if self._layout.array_offset is not None and not self._before:
            if len(buffer) <= self._layout.array_offset:
                return None
            at = self._layout.array_offset
            self._before = buffer[:at]
        values: list[bytes] = []
        first, together = 0, True
        while True:
            at = _end(_SPACE, buffer, at)
            if at == len(buffer) or (self._after_array and self._layout.array_offset is not None):
                break
            if self._take_structure(buffer, at, is_first=not values):
                at += 1
                continue
            found, end = [], None
            if together and self._in_array and not self._scanned:
                found, end = _objects(buffer, at)
                together = bool(found)
            if not found and (end := self._value_end(buffer, at, at_end=at_end)):
                found = [buffer[at:end]]
            if end is None:
                break
            first = first if values else at
            values += found
            at = end
            self._after_value, self._after_comma = self._in_array, False
        self._buffer = buffer[at:]
        self._first = self._first or (values[0] if values else b"")
        self._elements += len(values)
        piece = self._passed(buffer[:at], values, first)
        return piece if values else None

    def _take_structure(self, buffer: bytes, at: int, *, is_first: bool) -> bool:
        """Take the bracket or comma at this position, and return whether there was one."""
        char = buffer[at : at + 1]
        if self._after_array:
            if char == b"[" and self._line_at(at) > self._last_line == self._first_line:
                raise RefutedError(arrays_in_lines=True)
            raise self._error("text after the end of the array", at)
        if not self._in_array:
            if char == b"[" and is_first and not self._elements:
                self._in_array, self._first_line = True, self._line_at(at)
            return self._in_array
        if char == b"]":
            if self._after_comma:
                raise self._error("a comma before the end of the array", at)
            self._in_array, self._after_array = False, True
            self._last_line = self._line_at(at)
            return True
        if self._after_value and char != b",":
            raise self._error("no comma between elements", at)
        if char == b"," and not self._after_value:
            raise self._error("no value before the comma", at)
        if char == b",":
            self._after_value, self._after_comma = False, True
            return True
        return False

    def _value_end(self, buffer: bytes, at: int, *, at_end: bool) -> int | None:
        """Return the end of the value that begins at this position; None if it is incomplete."""
        if buffer[at] not in b"{[":
            end = _end(_SCALAR, buffer, at)
            if end == at and at_end:
                raise self._error("no value", at)
            return end if at < end and (end < len(buffer) or at_end) else None
        scanned, depth = max(self._scanned, at), self._depth
        while bracket := _BRACKET.match(buffer, scanned):
            scanned = bracket.end()
            depth += 1 if buffer[scanned - 1] in b"{[" else -1
            if depth == 0:
                self._scanned = self._depth = 0
                return scanned
        if at_end:
            raise self._error("it ends inside a value", at)
        # The rest of the buffer will begin with this value.
        self._scanned, self._depth = scanned - at, depth
        return None

    def _unwrapped(self) -> Mapping[str, Any]:
        """Return the members around the array.

        Raises:
            RefutedError: The object does not wrap its array.
        """
        key, text = self._layout.array_key, self._before + b"null" + self._buffer
        if len(text.strip()) > _AROUND_BYTES_MAX or is_followed(text):
            raise RefutedError(one_value=True)
        try:
            around = members(text)
        except ParseError as error:
            raise self._error(str(error)) from None
        if not self._wraps(around):
            raise RefutedError(one_value=True)
        return {name: value for name, value in around.items() if name != key}

    def _wraps(self, around: dict[str, Any]) -> bool:
        key, columns = self._layout.array_key, self._layout.columns
        if columns is None:
            return is_wrapper(around, key, self._elements)
        element: dict[str, Any] = {}
        with suppress(ParseError):
            element = members(self._first)
        return is_around_rows(around, key, element, columns)


def _without_lone_cr(lines: bytes) -> bytes:
    """Replace each CR between two objects or arrays by LF."""
    if b"\r" not in lines or lines.count(b"\r") == lines.count(b"\r\n"):
        return lines
    return _BETWEEN_VALUES.sub(lambda between: between[0].replace(b"\r", b"\n"), lines)


def _end(pattern: re.Pattern[bytes], data: bytes, at: int) -> int:
    found = pattern.match(data, at)
    return found.end() if found else at


def _objects(buffer: bytes, at: int) -> tuple[list[bytes], int | None]:
    """Split the objects that begin at this position and are separated by commas.

    msgspec is many times as fast as patterns, but the text must end with a complete object. Such an object
    likely ends before another one with the same first key.

    Returns:
        The objects, and the end of the last one. If no end is found, an empty list and None.
    """
    if begin := _FIRST_KEY.match(buffer, at):
        end = len(buffer)
        for _ in range(_ENDS_TRIED):
            end = buffer.rfind(begin[0], at + 1, end)
            if end < 0:
                break
            text = buffer[at:end].rstrip()
            if text.endswith(b","):
                with suppress(*MALFORMED):
                    return list(map(bytes, _decoder.decode(b"[%b]" % text[:-1]))), at + len(text) - 1
    return [], None
