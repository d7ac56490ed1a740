"""Take off the compression around an object, checked to its last byte and bounded while it streams.

The engine could read gzip and zstd by itself, but accepts wrong checksums and truncated streams.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from backports import zstd
from isal import isal_zlib

from conversion.budget import Budget
from conversion.model import BLOCK_BYTES, MEBIBYTE, UnreadableError

_ZSTD_WINDOW_LOG_MAX = 27
"""128 MiB: the most memory that a frame's header can ask for."""

_MAGIC_BYTES = 4
_FIRST_BYTES = 4096
"""What is given of a chunk to a new member at first."""

_SMALL_BYTES = 16 * MEBIBYTE
"""Up to this size any ratio is allowed: a small object may well be compressed to a hundredth."""


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    @property
    def needs_input(self) -> bool: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _Gzip:
    """gzip's decompressor under the interface that zstd's, bz2's and lzma's have. It checks the CRC."""

    def __init__(self) -> None:
        self._inner = isal_zlib.decompressobj(wbits=31)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    @property
    def needs_input(self) -> bool:
        return not self._inner.unconsumed_tail

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return self._inner.decompress(self._inner.unconsumed_tail + data, max_length)


def _zstd() -> _Decompressor:
    return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: _ZSTD_WINDOW_LOG_MAX})


@dataclass(frozen=True)
class _Compression:
    magic: bytes
    decompressor: Callable[[], _Decompressor]
    padding: bytes = b""
    """What may stand between members: what tape and block writers leave."""
    skippable: bytes = b""
    """What frames that hold no data have from their second byte on."""

    def begins(self, member: bytes) -> bool:
        """Tell whether ``member``, which may be cut, begins as one does."""
        return member.startswith(self.magic[: len(member)]) or bool(
            self.skippable and member[1:].startswith(self.skippable[: len(member) - 1])
        )


_COMPRESSIONS = {
    "gzip": _Compression(b"\x1f\x8b", _Gzip, padding=b"\0"),
    "zstd": _Compression(b"\x28\xb5\x2f\xfd", _zstd, skippable=b"\x2a\x4d\x18"),
}
_ERRORS = (isal_zlib.error, zstd.ZstdError, OSError, EOFError)


def compression_of(head: bytes) -> str:
    """Name the compression by the stream's first bytes, ``none`` if it has none."""
    for name, compression in _COMPRESSIONS.items():
        if head.startswith(compression.magic):
            return name
    return "none"


def decompressed(chunks: Iterator[bytes], compression: str, size: int, budget: Budget) -> Iterator[bytes]:
    """Yield the decompressed bytes of all members of the stream, in pieces of at most BLOCK_BYTES.

    Args:
        chunks: The stream.
        compression: Its name.
        size: The compressed size in bytes.
        budget: Its limits are held, and its clock is looked at.

    Raises:
        UnreadableError: The stream is damaged or truncated, or holds more than the limits allow.
    """
    if compression == "none":
        yield from chunks
        return
    limits = budget.limits
    largest = max(int(size * limits.decompression_ratio_max), _SMALL_BYTES)
    largest = min(largest, limits.decompressed_bytes_max)
    total = 0
    for piece in _members(chunks, compression, budget):
        total += len(piece)
        if total > largest:
            raise UnreadableError(
                f"decompresses to more than {largest} bytes from {size}: beyond the limits of "
                f"{limits.decompressed_bytes_max} bytes or {limits.decompression_ratio_max:g} times the size"
            )
        yield piece


def _members(chunks: Iterator[bytes], name: str, budget: Budget) -> Iterator[bytes]:
    compression = _COMPRESSIONS[name]
    decompressor: _Decompressor | None = None
    consumed = 0
    for chunk in chunks:
        at, damaged = 0, f"damaged {name} stream before compressed byte {consumed + len(chunk)}"
        while at < len(chunk) or (decompressor is not None and not decompressor.needs_input):
            end = len(chunk)
            if decompressor is None:
                # Members may be empty, and a stream of them would go by without a piece.
                budget.check()
                at = _after(compression.padding, chunk, at)
                if at == end:
                    break
                if not compression.begins(chunk[at : at + _MAGIC_BYTES]):
                    raise UnreadableError(damaged)
                decompressor = compression.decompressor()
                # What is left after a small member is copied.
                end = min(end, at + _FIRST_BYTES)
            try:
                piece = decompressor.decompress(chunk[at:end], BLOCK_BYTES)
            except _ERRORS:
                raise UnreadableError(damaged) from None
            at = end
            if piece:
                yield piece
            if decompressor.eof:
                at, decompressor = end - len(decompressor.unused_data), None
        consumed += len(chunk)
    if decompressor is not None:
        raise UnreadableError(f"truncated {name} stream: it ends at byte {consumed}, inside a member")


def _after(padding: bytes, chunk: bytes, at: int) -> int:
    while padding and chunk.startswith(padding, at):
        at += len(padding)
    return at
