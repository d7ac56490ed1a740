"""Tell an object's text encoding and turn it into UTF-8, which is all that the engine reads."""

import codecs
from collections.abc import Iterator
from pathlib import Path

from conversion.blocks import blocks_of_lines
from conversion.budget import Budget
from conversion.model import BLOCK_BYTES, UnreadableError

FALLBACK = "windows-1252"
"""What text that is not UTF-8 and has no byte-order mark is declared to be."""

_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32-le",  # before UTF-16's, with which it begins
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
    codecs.BOM_UTF8: "utf-8",
}


def encoding_of(head: bytes) -> tuple[str, int]:
    """Give the encoding that a byte-order mark announces, ``utf-8`` without one, and the mark's length."""
    for mark, encoding in _MARKS.items():
        if head.startswith(mark):
            return encoding, len(mark)
    return "utf-8", 0


def as_utf8(pieces: Iterator[bytes], encoding: str, mark: int) -> Iterator[bytes]:
    """Yield ``pieces`` as UTF-8 without the mark; UTF-8 itself passes as it is, to be checked row by row."""
    if encoding == "utf-8":
        first = next(pieces, b"")
        yield first[mark:]
        yield from pieces
        return
    decoder = codecs.getincrementaldecoder(encoding)()
    offset = 0
    for piece in pieces:
        data = piece if offset else piece[mark:]
        offset = offset or mark
        pending = len(decoder.getstate()[0])
        try:
            yield decoder.decode(data).encode()
        except UnicodeDecodeError as error:
            raise UnreadableError(f"not {encoding} text at byte {offset - pending + error.start}") from error
        offset += len(data)
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise UnreadableError(f"not {encoding} text: it ends inside a character at byte {offset}") from error


def is_text(data: bytes) -> bool:
    """Tell whether ``data`` is UTF-8 without NUL, which no text holds and the engine does not carry."""
    return not_text_at(data) is None


def not_text_at(data: bytes) -> int | None:
    """Give the offset of the first byte of ``data`` that is no text, if there is one."""
    if not data.isascii():
        try:
            codecs.utf_8_decode(data, "strict", True)
        except UnicodeDecodeError as error:
            return error.start
    offset = data.find(b"\0")
    return None if offset < 0 else offset


def not_text_reason(data: bytes, offset: int) -> str | None:
    """Say which byte of ``data``, which begins at ``offset``, is no text, if there is one."""
    at = not_text_at(data)
    if at is None:
        return None
    if data[at] == 0:
        return f"a NUL byte at byte {offset + at}"
    return f"0x{data[at]:02x} is not text in UTF-8 at byte {offset + at}"


def is_fallback(path: Path, budget: Budget) -> bool:
    """Tell whether the file reads better as the fallback than as UTF-8.

    It does if more of the lines that hold other than ASCII are invalid as UTF-8 than valid: one damaged line
    in a UTF-8 file does not turn all others to garbage.
    """
    balance = 0
    for block in blocks_of_lines(path, budget):
        if not block.isascii():
            lines = (line for line in block.splitlines() if not line.isascii())
            balance += sum(1 if not_text_at(line) is not None else -1 for line in lines)
    return balance > 0


def from_fallback(path: Path, budget: Budget) -> None:
    """Rewrite the file from the fallback encoding to UTF-8.

    The five bytes that the fallback leaves undefined stay as they are, for their rows to be rejected.
    """
    budget.check_second_copy(path)
    decoded = path.with_suffix(".decoded")
    with path.open("rb") as source, decoded.open("wb") as target:
        while block := source.read(BLOCK_BYTES):
            budget.check()
            target.write(block.decode("cp1252", "surrogateescape").encode("utf-8", "surrogateescape"))
    decoded.replace(path)
