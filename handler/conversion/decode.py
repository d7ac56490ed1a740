"""Decode text to UTF-8, the only encoding that DuckDB reads, block by block."""

import codecs
from collections.abc import Iterable, Iterator

from conversion.findings import Findings, RefutedError
from conversion.model import RECORD_BYTES_MAX, UnreadableError

FALLBACK = "windows-1252"
"""The encoding of text that is not UTF-8 and has no byte-order mark."""

_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32-le",  # before UTF-16, whose mark is its beginning
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
    codecs.BOM_UTF8: "utf-8",
}
_MARKED = ("utf-16", "utf-32")
"""The encodings whose order of bytes only a mark tells."""


class Encoding:
    """The encoding of an object, detected at its beginning and checked against the rest.

    Text without a byte-order mark is UTF-8. It is the fallback if more of its lines with other characters
    than ASCII are invalid as UTF-8 than valid. So one damaged line does not garble all others.
    """

    def __init__(self, head: bytes, findings: Findings, declared: str | None = None) -> None:
        """Detect the encoding.

        Args:
            head: The beginning of the object.
            findings: What earlier passes found.
            declared: The declared encoding. A byte-order mark has precedence.

        Raises:
            UnreadableError: The declared encoding needs a byte-order mark, and there is none.
        """
        self._declared = declared is not None
        self.mark = next((mark for mark in _MARKS if head.startswith(mark)), b"")
        self._known = findings.encoding is not None
        if self.mark:
            self.name = _MARKS[self.mark]
        elif declared in _MARKED:
            raise UnreadableError(
                f"no byte-order mark, which {declared} text begins with: without one, the contract must name "
                f"{declared}-le or {declared}-be as the encoding"
            )
        else:
            self.name = (
                declared or findings.encoding or (FALLBACK if _balance(head, cut=True) > 0 else "utf-8")
            )

    @property
    def mark_bytes(self) -> int:
        """The length of the mark if offsets count it. They are offsets in the text as UTF-8."""
        return len(self.mark) if self.name == "utf-8" else 0

    def head(self, head: bytes) -> bytes:
        """Return the beginning of the object as UTF-8, without the mark.

        In UTF-16 and UTF-32, a truncated character is omitted.
        """
        head = head[len(self.mark) :]
        if self.name == FALLBACK:
            return _from_fallback(head)
        if self.name == "utf-8":
            return head
        text = codecs.getincrementaldecoder(self.name)("replace").decode(head)
        return text.encode()

    def decoded(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """Yield ``blocks`` as UTF-8, without the mark.

        Invalid bytes stay as they are, because their rows are rejected one by one.

        Raises:
            RefutedError: The encoding is the fallback instead of UTF-8, or the other way round.
            UnreadableError: Bytes are not text in the encoding of the byte-order mark.
        """
        blocks = _without(self.mark, blocks)
        if self.name not in ("utf-8", FALLBACK):
            return _transcoded(blocks, self.name, len(self.mark))
        if self._declared:
            return map(_from_fallback, blocks) if self.name == FALLBACK else iter(blocks)
        return blocks if self.mark else self._balanced(blocks)

    def _balanced(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        balance, rest = 0, b""
        for block in blocks:
            if not rest and block.isascii():
                yield block
                continue
            # Only whole lines count. Half a line could be invalid, or count twice.
            end = block.rfind(b"\n") + 1
            if end or len(rest) > RECORD_BYTES_MAX:
                balance += _balance(rest + block[:end])
                rest = b""
                # An encoding that was corrected before is only refuted at the end, to avoid a loop.
                if not self._known:
                    self._check(balance)
            rest += block[end:]
            yield _from_fallback(block) if self.name == FALLBACK else block
        self._check(balance + _balance(rest))

    def _check(self, balance: int) -> None:
        if balance and (balance > 0) != (self.name == FALLBACK):
            raise RefutedError(encoding=FALLBACK if balance > 0 else "utf-8")


def _without(mark: bytes, blocks: Iterable[bytes]) -> Iterator[bytes]:
    left = len(mark)
    for block in blocks:
        yield block[left:]
        left = max(0, left - len(block))


def _transcoded(blocks: Iterable[bytes], encoding: str, offset: int) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)()
    for block in blocks:
        pending = len(decoder.getstate()[0])
        try:
            yield decoder.decode(block).encode()
        except UnicodeDecodeError as error:
            raise UnreadableError(f"not {encoding} text at byte {offset - pending + error.start}") from error
        offset += len(block)
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise UnreadableError(f"not {encoding} text: it ends inside a character at byte {offset}") from error


def _balance(lines: bytes, *, cut: bool = False) -> int:
    """Return how many more of ``lines`` are invalid as UTF-8 than valid. Lines of ASCII do not count.

    Args:
        lines: The lines.
        cut: Whether the last line may be truncated.
    """
    if lines.isascii():
        return 0
    some = [line for line in lines.splitlines() if not line.isascii()]
    invalid = sum(not _is_mostly_utf_8(line) for line in some)
    if cut and some and lines.endswith(some[-1]):
        invalid -= _begins_utf_8(some[-1]) and not _is_mostly_utf_8(some[-1])
    return 2 * invalid - len(some)


def _is_mostly_utf_8(line: bytes) -> bool:
    """Return whether a line has more characters that are valid as UTF-8, beyond ASCII, than invalid bytes.

    A line may be long: a whole array of JSON.
    """
    valid = line.decode("utf-8", "ignore")
    others = len(valid) - len(valid.encode("ascii", "ignore"))
    return others > len(line) - len(valid.encode())


def _from_fallback(block: bytes) -> bytes:
    if block.isascii():
        return block
    return block.decode("cp1252", "surrogateescape").encode("utf-8", "surrogateescape")


def _begins_utf_8(line: bytes) -> bool:
    """Return whether a line is UTF-8, up to a character that may be cut."""
    try:
        codecs.utf_8_decode(line, "strict", False)
    except UnicodeDecodeError:
        return False
    return True


def is_text(data: bytes) -> bool:
    """Return whether ``data`` is UTF-8 without NUL bytes. DuckDB cannot read NUL bytes."""
    return not_text_at(data) is None


def not_text_at(data: bytes) -> int | None:
    """Return the offset of the first byte of ``data`` that is not text, if there is one."""
    if not data.isascii():
        try:
            codecs.utf_8_decode(data, "strict", True)
        except UnicodeDecodeError as error:
            return error.start
    offset = data.find(b"\0")
    return None if offset < 0 else offset


def not_text_reason(data: bytes, offset: int, encoding: str) -> str | None:
    """Return a message with the first byte of ``data`` that is not text; None if there is none.

    Args:
        data: The bytes.
        offset: Where ``data`` begins in the object.
        encoding: The encoding of the object, in which the byte is not text.
    """
    at = not_text_at(data)
    if at is None:
        return None
    if data[at] == 0:
        return f"a NUL byte at byte {offset + at}"
    return f"0x{data[at]:02x} is not text in {encoding.replace('utf', 'UTF')} at byte {offset + at}"
