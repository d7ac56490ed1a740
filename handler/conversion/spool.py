"""Read an object's stream: off with the compression, into UTF-8, block by block, and onto disk if need be."""

from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from conversion.budget import Budget
from conversion.compression import MAGIC_BYTES, compression_of, decompressed
from conversion.encoding import as_utf8, encoding_of
from conversion.model import BLOCK_BYTES, HEAD_BYTES, EmptyError


class Spool:
    """An object, read as often as needed; ``path`` is where ``spooled`` puts it.

    ``head`` is its beginning (decompressed, UTF-8, HEAD_BYTES where there is as much), by which the format is
    told. ``source`` is read the first time and belongs to the caller; ``reopen`` gives the object anew.
    """

    def __init__(
        self, source: BinaryIO, reopen: Callable[[], BinaryIO], *, size: int, path: Path, budget: Budget
    ) -> None:
        self.path = path
        self.size = size
        self._reopen = reopen
        self._reopened: BinaryIO | None = None
        self._budget = budget
        self._begun = False
        budget.check_time(size)
        self._open(source)
        if not self.raw_head:
            raise EmptyError("the object has no bytes")

    @property
    def whole(self) -> bool:
        """Whether ``head`` is all there is."""
        return len(self.raw_head) < HEAD_BYTES

    def blocks(self) -> Iterator[bytes]:
        """Yield the object from its beginning."""
        if self._begun and self.whole:
            self._decode(iter(()))
        elif self._begun:
            self.close()
            self._reopened = self._reopen()
            self._open(self._reopened)
        self._begun = True
        begin = (self.head[at : at + BLOCK_BYTES] for at in range(0, len(self.head), BLOCK_BYTES))
        for block in chain(begin, self._blocks):
            self._budget.check()
            yield block

    def spooled(self) -> Iterator[bytes]:
        """Yield the object from its beginning; each block is in ``path`` before it is yielded."""
        self._budget.check_disk(self.size)
        with self.path.open("wb") as file:
            for block in self.blocks():
                self._budget.check_disk(self.bytes_decompressed)
                file.write(block)
                yield block

    def spool(self) -> None:
        """Put the object into ``path``."""
        for _ in self.spooled():
            pass

    def close(self) -> None:
        """Close what was opened here."""
        if self._reopened:
            self._reopened.close()

    def _open(self, source: BinaryIO) -> None:
        self.bytes_in = 0
        self.bytes_decompressed = 0
        stream = self._read(source)
        first = next(stream, b"")
        while 0 < len(first) < MAGIC_BYTES and (more := next(stream, b"")):
            first += more
        self.compression = compression_of(first)
        pieces = self._counted(
            decompressed(chain([first], stream), self.compression, self.size, self._budget.limits)
        )
        gathered = _gather(pieces)
        self.raw_head = gathered[:HEAD_BYTES]  # wherever the stream was cut
        self._decode(chain([gathered[HEAD_BYTES:]], pieces))

    def _decode(self, rest: Iterator[bytes]) -> None:
        self.encoding, self.mark_bytes = encoding_of(self.raw_head)
        self._blocks = as_utf8(chain([self.raw_head], rest), self.encoding, self.mark_bytes)
        self.head = next(self._blocks, b"")

    def _read(self, source: BinaryIO) -> Iterator[bytes]:
        while chunk := source.read(BLOCK_BYTES):
            self.bytes_in += len(chunk)
            yield chunk
        if self.bytes_in != self.size:
            raise OSError(f"the object ended at byte {self.bytes_in} of {self.size}")

    def _counted(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self.bytes_decompressed += len(piece)
            self._budget.check_time(self.bytes_decompressed)
            yield piece


def _gather(pieces: Iterator[bytes]) -> bytes:
    head = b""
    while len(head) < HEAD_BYTES and (piece := next(pieces, None)) is not None:
        head += piece
    return head
