"""The object: opened as often as needed, off with its compression, in blocks, within the limits."""

from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from conversion import archive, workbook
from conversion.budget import Budget
from conversion.compression import MAGIC_BYTES, compression_of, decompressed, speed_of
from conversion.model import BLOCK_BYTES, HEAD_BYTES, EmptyError


class Source:
    """An object, read from its beginning as often as needed.

    ``source`` is read the first time and belongs to the caller; ``reopen`` gives the object anew. What must
    be read from its end, an archive or a workbook, is put on the disk beside ``path`` first.

    Attributes:
        head: The first HEAD_BYTES of the object, decompressed, or of what is in it.
        whole: Whether ``head`` is all there is.
        compression: ``none``, ``gzip``, ``zstd``, ``bzip2``, ``xz`` or ``zip``.
        workbook: ``xlsx``, ``xls`` or ``ods``; empty if the object is none.
        name: The name of the file in an archive, or of a sheet as CSV; empty otherwise.
        bytes_in: Bytes read of the object in this reading.
        bytes_decompressed: Bytes that they decompress to.
    """

    def __init__(
        self, source: BinaryIO, reopen: Callable[[], BinaryIO], *, size: int, path: Path, budget: Budget
    ) -> None:
        self.size = size
        self.workbook = self.name = ""
        self._path = path
        self._archive = path.with_suffix(".archive")
        self._reopen = reopen
        self._reopened: BinaryIO | None = None
        self._budget = budget
        self._begun = False
        budget.check_time(size)
        self._open(source)
        if not self.head:
            raise EmptyError("the object has no bytes")

    def blocks(self) -> Iterator[bytes]:
        """Yield the object from its beginning, decompressed, in blocks."""
        if self._begun and not self.whole:
            self.close()
            if self._archive.exists():
                self._begin(self._contents())
            else:
                self._reopened = self._reopen()
                self._open(self._reopened)
        self._begun = True
        begin = (self.head[at : at + BLOCK_BYTES] for at in range(0, len(self.head), BLOCK_BYTES))
        for block in chain(begin, () if self.whole else self._rest):
            self._budget.check()
            yield block

    def spool(self) -> Path:
        """Give the object as a file: for formats that are not read from end to end."""
        self._write(self.blocks(), self._path)
        return self._path

    def close(self) -> None:
        """Close what was opened here."""
        if self._reopened:
            self._reopened.close()

    def _open(self, source: BinaryIO) -> None:
        self.bytes_in = 0
        stream = self._read(source)
        first = next(stream, b"")
        while 0 < len(first) < MAGIC_BYTES and (more := next(stream, b"")):
            first += more
        self.compression = compression_of(first)
        pieces = decompressed(chain([first], stream), self.compression, self.size, self._budget)
        self._begin(pieces)
        if self.head.startswith((*archive.MAGIC, workbook.OLD_MAGIC)):
            self._write(chain([self.head], self._rest), self._archive)
            self._begin(self._contents())

    def _contents(self) -> Iterator[bytes]:
        """Yield what is in the archive or workbook on the disk."""
        if kind := workbook.workbook_kind(self._archive):
            self.workbook, self.name = kind, "sheet.csv"
            return workbook.sheet_text(self._archive, kind, self._budget)
        self.compression, self.name = "zip", archive.the_member(self._archive).filename
        return archive.opened(self._archive, self._budget)

    def _begin(self, pieces: Iterator[bytes]) -> None:
        self.bytes_decompressed = 0
        pieces = self._counted(pieces)
        gathered = _gather(pieces)
        self.head, rest = gathered[:HEAD_BYTES], gathered[HEAD_BYTES:]  # wherever the stream was cut
        self.whole = len(gathered) < HEAD_BYTES
        self._rest = chain([rest] if rest else [], pieces)

    def _write(self, blocks: Iterator[bytes], path: Path) -> None:
        self._budget.check_disk(self.size)
        written = 0
        with path.open("wb") as file:
            for block in blocks:
                self._budget.check()
                written += file.write(block)
                self._budget.check_disk(written)

    def _read(self, source: BinaryIO) -> Iterator[bytes]:
        while chunk := source.read(BLOCK_BYTES):
            self.bytes_in += len(chunk)
            yield chunk
        if self.bytes_in != self.size:
            raise OSError(f"the object ended at byte {self.bytes_in} of {self.size}")

    def _counted(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        speed = speed_of(self.compression)
        for piece in pieces:
            self.bytes_decompressed += len(piece)
            self._budget.check_time(self.bytes_decompressed, speed)
            yield piece


def _gather(pieces: Iterator[bytes]) -> bytes:
    head = bytearray()
    while len(head) < HEAD_BYTES and (piece := next(pieces, None)) is not None:
        head += piece
    return bytes(head)
