"""Turn text of any promised encoding into UTF-8, which is all that the engine reads, block by block."""

import codecs
from collections.abc import Iterable, Iterator

from conversion.model import RECORD_BYTES_MAX, UnreadableError
from conversion.plan import Findings, RefutedError

FALLBACK = "windows-1252"
"""What text that is not UTF-8 and has no byte-order mark is declared to be."""

_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32-le",  # before UTF-16's, with which it begins
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
    codecs.BOM_UTF8: "utf-8",
}


class Encoding:
    """The encoding of an object, told from its beginning and held against the rest of it.

    Without a byte-order mark a text is UTF-8, or the fallback if more of its lines that are not ASCII are
    invalid as UTF-8 than valid: one damaged line in a UTF-8 file does not turn all others to garbage.
    """

    def __init__(self, head: bytes, findings: Findings, declared: str | None = None) -> None:
        """Tell the encoding.

        Args:
            head: The beginning of the object.
            findings: What readings of it have found.
            declared: The encoding that it is declared to have, if it has no byte-order mark.
        """
        self._declared = declared is not None
        self.mark = next((mark for mark in _MARKS if head.startswith(mark)), b"")
        self._known = findings.encoding is not None
        if self.mark:
            self.name = _MARKS[self.mark]
        else:
            self.name = (
                declared or findings.encoding or (FALLBACK if _balance(head, cut=True) > 0 else "utf-8")
            )

    def head(self, head: bytes) -> bytes:
        """Give the beginning of the object as UTF-8, without the mark and without a character that is cut."""
        head = head[len(self.mark) :]
        if self.name == FALLBACK:
            return _from_fallback(head)
        if self.name == "utf-8":
            return head
        text = codecs.getincrementaldecoder(self.name)("replace").decode(head)
        return text.encode()

    def decoded(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """Yield ``blocks`` as UTF-8, without the mark.

        Bytes that are not text in UTF-8, or that the fallback leaves undefined, stay as they are: their
        rows are rejected one by one.

        Raises:
            RefutedError: The other of UTF-8 and the fallback is the encoding.
            UnreadableError: Bytes are no text in the encoding that the mark announces.
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
            # Whole lines are judged: a line cut in two would count twice, or as damaged.
            end = block.rfind(b"\n") + 1
            if end or len(rest) > RECORD_BYTES_MAX:
                balance += _balance(rest + block[:end])
                rest = b""
                # Once: an encoding that has been corrected before is refuted only at the end.
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
    """Give how many more of ``lines``, those of ASCII apart, are invalid as UTF-8 than valid.

    ``cut`` says that the last line may lack its end.
    """
    if lines.isascii():
        return 0
    some = [line for line in lines.splitlines() if not line.isascii()]
    invalid = sum(not _is_utf_8(line) for line in some)
    if cut and some and lines.endswith(some[-1]):
        invalid -= _is_utf_8(some[-1], cut=True) and not _is_utf_8(some[-1])
    return 2 * invalid - len(some)


def _from_fallback(block: bytes) -> bytes:
    if block.isascii():
        return block
    return block.decode("cp1252", "surrogateescape").encode("utf-8", "surrogateescape")


def _is_utf_8(line: bytes, *, cut: bool = False) -> bool:
    try:
        codecs.utf_8_decode(line, "strict", not cut)
    except UnicodeDecodeError:
        return False
    return True


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
