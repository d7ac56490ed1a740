"""Read an object's stream once: off with the compression, into UTF-8, onto disk, block by block."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from conversion.budget import Budget
from conversion.compression import READ_BYTES, compression_of, decompressed
from conversion.encoding import as_utf8, encoding_of
from conversion.model import EmptyError

_MAGIC_BYTES = 4


class Spool:
    """An object on its way from the network to ``path``.

    ``head`` is its beginning (decompressed, UTF-8, READ_BYTES where there is as much), by which the format is
    told; ``blocks()`` then gives all of it, the head included, each block after it is on disk.
    """

    def __init__(self, source: BinaryIO, *, size: int, path: Path, budget: Budget) -> None:
        self.path = path
        self.bytes_in = 0
        self.bytes_decompressed = 0
        self._budget = budget
        if size:
            budget.check_size(size)
        stream = self._read(source)
        first = next(stream, b"")
        while 0 < len(first) < _MAGIC_BYTES and (more := next(stream, b"")):
            first += more
        self.compression = compression_of(first)
        pieces = self._counted(decompressed(chain([first], stream), self.compression, size, budget.limits))
        self.raw_head = _gather(pieces)
        if not self.raw_head:
            raise EmptyError("the object has no bytes")
        self.encoding, self.mark_bytes = encoding_of(self.raw_head)
        self._blocks = as_utf8(chain([self.raw_head], pieces), self.encoding, self.mark_bytes)
        self.head = next(self._blocks, b"")

    def blocks(self) -> Iterator[bytes]:
        """Write the object to ``path`` and yield it."""
        with self.path.open("wb") as file:
            for block in chain([self.head], self._blocks):
                self._budget.check()
                file.write(block)
                yield block

    def _read(self, source: BinaryIO) -> Iterator[bytes]:
        while chunk := source.read(READ_BYTES):
            self.bytes_in += len(chunk)
            yield chunk

    def _counted(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self.bytes_decompressed += len(piece)
            self._budget.check_size(self.bytes_decompressed)
            yield piece


def _gather(pieces: Iterator[bytes]) -> bytes:
    head = b""
    while len(head) < READ_BYTES and (piece := next(pieces, None)) is not None:
        head += piece
    return head
