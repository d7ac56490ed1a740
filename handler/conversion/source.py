"""The object, decompressed, in blocks, from its beginning as often as needed."""

from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from conversion import archive, workbook
from conversion.budget import Budget
from conversion.compression import MAGIC_BYTES, compression_of, decompressed, speed_of
from conversion.model import BLOCK_BYTES, HEAD_BYTES, EmptyError


class Source:
    """An object that can be read from its beginning as often as needed.

    The first pass reads ``source``, which the caller closes. Later passes call ``reopen``. A ZIP archive or a
    workbook is written to ``path``, and the table in it is read. In a workbook, that is the sheet named
    ``sheet``, or the only sheet with data, after its first ``sheet_skipped`` rows.

    Attributes:
        head: The first HEAD_BYTES of the object, decompressed.
        whole: Whether ``head`` is the whole object.
        name: The object's key. For an archive, the name of its file follows. For a workbook, ``sheet.csv``.
        size: The object's size in bytes.
        compression: ``none``, ``gzip``, ``zstd``, ``bzip2``, ``xz`` or ``zip``.
            A compressed archive is ``zip in gzip``, for example.
        workbook: ``xlsx``, ``xls`` or ``ods`` for a workbook.
        bytes_in: Bytes of the object read in this pass. For an archive or a workbook, all of them.
        bytes_decompressed: Decompressed bytes read in this pass.
    """

    def __init__(
        self,
        source: BinaryIO,
        reopen: Callable[[], BinaryIO],
        *,
        key: str,
        size: int,
        path: Path,
        budget: Budget,
        sheet: str = "",
        sheet_skipped: int = 0,
    ) -> None:
        self.name = key
        self.workbook: str | None = None
        self.size = size
        self._path = path
        self._sheet = sheet, sheet_skipped
        self._inside: Callable[[], Iterator[bytes]] | None = None
        self._reopen = reopen
        self._reopened: BinaryIO | None = None
        self._budget = budget
        self._begun = False
        budget.check_time(size)
        self._open(source)
        if not self.head:
            raise EmptyError("the object has no bytes")
        if self.head.startswith((*archive.MAGIC, workbook.OLD_MAGIC)):
            self._look_inside()

    def blocks(self) -> Iterator[bytes]:
        """Yield the object from its beginning, decompressed, in blocks."""
        if self._begun and not self.whole:
            self._open_again()
        self._begun = True
        begin = (self.head[at : at + BLOCK_BYTES] for at in range(0, len(self.head), BLOCK_BYTES))
        for block in chain(begin, () if self.whole else self._rest):
            self._budget.check()
            yield block

    def head_of(self, size: int) -> bytes:
        """Return the first ``size`` bytes of the object, decompressed, before ``blocks`` reads them."""
        if self._begun and not self.whole:
            self._open_again()
            self._begun = False
        pieces, length = [self.head], len(self.head)
        while length < size and (piece := next(self._rest, None)) is not None:
            pieces.append(piece)
            length += len(piece)
        self._rest = chain(pieces[1:], self._rest)
        return b"".join(pieces)[:size]

    def spool(self, path: Path) -> None:
        """Write the object, decompressed, to ``path``. Some formats cannot be read as a stream."""
        self._budget.check_disk(self.size)
        written = 0
        with path.open("wb") as file:
            for block in self.blocks():
                written += file.write(block)
                self._budget.check_disk(written)

    def close(self) -> None:
        """Close what ``reopen`` opened."""
        if self._reopened:
            self._reopened.close()

    def _look_inside(self) -> None:
        """Read the table in an archive or a workbook from now on."""
        path, budget = self._path, self._budget
        self.spool(path)
        self.workbook = kind = workbook.workbook_kind(path)
        if kind:
            text = workbook.sheet_text(path, kind, budget, *self._sheet)
            self.name = "sheet.csv"
            self._inside = lambda: _blocks_of(text)
        else:
            member = archive.the_member(path)
            self.name += f"/{member.filename}"
            self.compression = "zip" if self.compression == "none" else f"zip in {self.compression}"
            self._inside = lambda: archive.opened(path, budget)
        self._open_again()
        self._begun = False

    def _open_again(self) -> None:
        self.bytes_decompressed = 0
        if self._inside:
            self._begin(self._counted(self._inside()))
            return
        self.close()
        self._reopened = self._reopen()
        self._open(self._reopened)

    def _open(self, source: BinaryIO) -> None:
        self.bytes_in = self.bytes_decompressed = 0
        stream = self._read(source)
        first = next(stream, b"")
        while len(first) < MAGIC_BYTES and (more := next(stream, b"")):
            first += more
        self.compression = compression_of(first)
        pieces = self._counted(
            decompressed(chain([first], stream), self.compression, self.size, self._budget)
        )
        self._begin(pieces)

    def _begin(self, pieces: Iterator[bytes]) -> None:
        gathered = _gather(pieces)
        self.head, rest = gathered[:HEAD_BYTES], gathered[HEAD_BYTES:]  # independent of the pieces
        self.whole = len(gathered) < HEAD_BYTES
        self._rest = chain([rest] if rest else [], pieces)

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


def _blocks_of(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            yield block


def _gather(pieces: Iterator[bytes]) -> bytes:
    head = bytearray()
    while len(head) < HEAD_BYTES and (piece := next(pieces, None)) is not None:
        head += piece
    return bytes(head)
