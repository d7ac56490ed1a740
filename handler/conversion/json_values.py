"""Rewrite JSON that is not one object a line (an array, or values over many lines) as one object a line."""

import codecs
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from conversion.blocks import RECORD_BYTES_MAX
from conversion.budget import Budget
from conversion.model import MEBIBYTE, UnreadableError
from conversion.rejects import Rejects

_SPACE = re.compile(r"[ \t\r\n]*")
_LINE_ENDS = str.maketrans("\r\n", "  ")


def to_lines(source: Path, target: Path, rejects: Rejects, budget: Budget) -> None:
    """Write each element of the array, or each value, of ``source`` as a line of ``target``.

    Those that are no objects are rejected. There is no place to start again after an error in JSON, so an
    error makes the whole of it unreadable.
    """
    records = 0
    with source.open("rb") as file, target.open("wb") as lines:
        text = _Text(file, budget)
        for value in _values(text):
            if value.startswith("{"):
                # A line end inside a string would be escaped; any other is space.
                lines.write(value.translate(_LINE_ENDS).encode() + b"\n")
                records += 1
            else:
                rejects.add(
                    record=records + rejects.count + 1,
                    line=text.line,
                    byte_offset=text.offset,
                    column=None,
                    reason="not a JSON object",
                    raw=value.encode(),
                )


def _values(text: "_Text") -> Iterator[str]:
    in_array = text.peek() == "["
    if in_array:
        text.skip(1)
    while char := text.peek():
        if in_array and char == "]":
            text.skip(1)
            if text.peek():
                raise text.error("text after the end of the array")
            return
        value = text.value()
        yield value
        text.skip(len(value))
        if in_array and text.peek() == ",":
            text.skip(1)
            if text.peek() == "]":
                raise text.error("a comma before the end of the array")
        elif in_array and text.peek() not in ("]", ""):
            raise text.error("no comma between elements")
    if in_array:
        raise text.error("it ends inside the array")


class _Text:
    """A file's text as far as it is needed; ``offset`` (bytes) and ``line`` tell where in it we are."""

    def __init__(self, file: BinaryIO, budget: Budget) -> None:
        self.offset = 0
        self.line = 1
        self._file = file
        self._budget = budget
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._parse = json.JSONDecoder(parse_int=str).raw_decode
        self._text = ""
        self._position = 0
        self._at_end = False

    def peek(self) -> str:
        """Give the next character that is no space, or nothing at the end."""
        while True:
            match = _SPACE.match(self._text, self._position)
            if match and match[0]:
                self.skip(len(match[0]))
            if self._position < len(self._text) or self._at_end:
                return self._text[self._position : self._position + 1]
            self._read(MEBIBYTE)

    def value(self) -> str:
        """Give the JSON value that begins here."""
        while True:
            try:
                _, end = self._parse(self._text, self._position)
            except json.JSONDecodeError:
                end = None
            except RecursionError:
                raise self.error("nested too deeply") from None
            # What ends with the text read so far may go on: 12 may become 123.
            if end is not None and (end < len(self._text) or self._at_end):
                return self._text[self._position : end]
            size = len(self._text) - self._position
            if self._at_end or size > RECORD_BYTES_MAX:
                raise self.error("no value, or a longer one than is read")
            self._read(max(size, MEBIBYTE))

    def skip(self, length: int) -> None:
        """Go on by ``length`` characters."""
        skipped = self._text[self._position : self._position + length]
        self._position += length
        self.offset += len(skipped.encode())
        self.line += skipped.count("\n")

    def error(self, what: str) -> UnreadableError:
        """Give the error for malformed JSON here."""
        return UnreadableError(f"malformed JSON at line {self.line}, byte {self.offset}: {what}")

    def _read(self, size: int) -> None:
        self._budget.check()
        block = self._file.read(size)
        self._at_end = not block
        try:
            decoded = self._decoder.decode(block, final=self._at_end)
        except UnicodeDecodeError:
            raise self.error("not text in UTF-8 soon after") from None
        self._text = self._text[self._position :] + decoded
        self._position = 0
