"""Take off the compression around an object, checked to its last byte and bounded while it streams.

The engine could read gzip and zstd by itself, but accepts wrong checksums and truncated streams.
"""

import bz2
import lzma
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol, cast

from backports import zstd
from isal import isal_zlib

from conversion.budget import Budget
from conversion.model import BLOCK_BYTES, MEBIBYTE, Limits, UnreadableError

_WINDOW_LOG_MAX = 27
"""128 MiB: the most memory that a stream's header can ask for. That of ``xz -9`` asks for half of it."""

MAGIC_BYTES = 10
"""So many bytes tell every compression."""

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
    return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: _WINDOW_LOG_MAX})


def _xz() -> _Decompressor:
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=1 << _WINDOW_LOG_MAX)


@dataclass(frozen=True)
class _Compression:
    magic: bytes
    decompressor: Callable[[], _Decompressor]
    padding: bytes = b""
    """What may stand between members: what tape and block writers leave."""
    skippable: bytes = b""
    """What frames that hold no data have from their second byte on."""
    blocks: tuple[bytes, ...] = (b"",)
    """What a stream has from its fifth byte on, where text may begin as the magic does."""
    windowed: bool = False
    """Whether a stream says how much memory it takes."""
    speed: float = 1.0
    """How fast an object is converted that is so compressed, as a share of what is usual."""

    def begins(self, member: bytes) -> bool:
        """Tell whether ``member``, which may be cut, begins as one does."""
        return member.startswith(self.magic[: len(member)]) or bool(
            self.skippable and member[1:].startswith(self.skippable[: len(member) - 1])
        )

    def damaged(self, name: str, before: int) -> str:
        """Say that a stream is damaged before its byte ``before``."""
        reason = f"damaged {name} stream before compressed byte {before}"
        if self.windowed:
            reason += f", or one that takes more than {1 << _WINDOW_LOG_MAX} bytes of memory to decompress"
        return reason


_COMPRESSIONS = {
    "gzip": _Compression(b"\x1f\x8b", _Gzip, padding=b"\0"),
    "zstd": _Compression(b"\x28\xb5\x2f\xfd", _zstd, skippable=b"\x2a\x4d\x18", windowed=True),
    # The digits of pi begin a block, those of its square root end a stream that has none.
    "bzip2": _Compression(b"BZh", bz2.BZ2Decompressor, blocks=(b"1AY&SY", b"\x17rE8P\x90"), speed=1 / 3),
    "xz": _Compression(b"\xfd7zXZ\x00", _xz, padding=b"\0", windowed=True),
}
_ERRORS = (
    cast("type[Exception]", isal_zlib.error),  # its type stub has an instance
    *(zstd.ZstdError, lzma.LZMAError, OSError, EOFError),
)


def compression_of(head: bytes) -> str:
    """Name the compression by a stream's first MAGIC_BYTES, ``none`` if it has none."""
    for name, compression in _COMPRESSIONS.items():
        if head.startswith(compression.magic) and head.startswith(compression.blocks, 4):
            return name
    return "none"


def speed_of(compression: str) -> float:
    """Give how fast an object is converted that is so compressed, as a share of what is usual."""
    return _COMPRESSIONS[compression].speed if compression in _COMPRESSIONS else 1.0


def unpacked_bytes_max(size: int, limits: Limits) -> int:
    """Give the most bytes that an object of ``size`` bytes may decompress to."""
    return min(limits.decompressed_bytes_max, max(int(size * limits.decompression_ratio_max), _SMALL_BYTES))


def unpacks_to_more(size: int, limits: Limits) -> UnreadableError:
    """Give the error for an object of ``size`` bytes that decompresses to more."""
    return UnreadableError(
        f"decompresses to more than {unpacked_bytes_max(size, limits)} bytes from {size}: beyond the limits "
        f"of {limits.decompressed_bytes_max} bytes or {limits.decompression_ratio_max:g} times the size"
    )


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
    total, largest = 0, unpacked_bytes_max(size, budget.limits)
    for piece in _members(chunks, compression, budget):
        total += len(piece)
        if total > largest:
            raise unpacks_to_more(size, budget.limits)
        yield piece


def _members(chunks: Iterator[bytes], name: str, budget: Budget) -> Iterator[bytes]:
    compression = _COMPRESSIONS[name]
    decompressor: _Decompressor | None = None
    consumed = 0
    for chunk in chunks:
        at, damaged = 0, compression.damaged(name, consumed + len(chunk))
        while at < len(chunk) or (decompressor is not None and not decompressor.needs_input):
            end = len(chunk)
            if decompressor is None:
                # Members may be empty, and a stream of them would go by without a piece.
                budget.check()
                at = _after(compression.padding, chunk, at)
                if at == end:
                    break
                if not compression.begins(chunk[at : at + MAGIC_BYTES]):
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
