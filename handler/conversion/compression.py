"""Decompress a stream in blocks, check it to its last byte, and bound its size.

DuckDB could read gzip and zstd by itself, but accepts wrong checksums and truncated streams.
"""

import bz2
import lzma
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol, cast

from backports import zstd
from isal import igzip_lib

from conversion.budget import Budget
from conversion.model import BLOCK_BYTES, MEBIBYTE, Limits, UnreadableError

_WINDOW_LOG_MAX = 27
"""128 MiB, the most memory that a stream's header may ask for. ``xz -9`` asks for half of it."""

MAGIC_BYTES = 10
"""The number of bytes that identify every compression."""

_FIRST_BYTES = 4096
"""The first piece of a chunk that a new member gets."""

_SMALL_BYTES = 16 * MEBIBYTE
"""Up to this decompressed size any ratio is allowed. Small files often compress to a hundredth."""


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    @property
    def needs_input(self) -> bool: ...
    def decompress(self, data: bytes, /, max_length: int) -> bytes: ...


def _gzip() -> _Decompressor:
    return igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)


def _zstd() -> _Decompressor:
    return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: _WINDOW_LOG_MAX})


def _xz() -> _Decompressor:
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=1 << _WINDOW_LOG_MAX)


@dataclass(frozen=True)
class _Compression:
    magic: bytes
    decompressor: Callable[[], _Decompressor]
    padding: bytes = b""
    """The padding that may follow a member. Writers to tapes and block devices add it."""
    skippable: bytes = b""
    """The bytes of a frame without data, from its second byte on."""
    blocks: tuple[bytes, ...] = (b"",)
    """The bytes of a stream from its fifth byte on, because text may begin with the magic number."""
    windowed: bool = False
    """Whether a stream's header asks for memory."""
    speed: float = 1.0
    """The share of the usual throughput that such an object reaches."""

    def begins(self, member: bytes) -> bool:
        """Return whether ``member``, which may be cut, is the beginning of a member."""
        return member.startswith(self.magic[: len(member)]) or bool(
            self.skippable and member[1:].startswith(self.skippable[: len(member) - 1])
        )

    def damaged(self, name: str, before: int) -> str:
        """Return the reason for a stream that is damaged before its byte ``before``."""
        reason = f"damaged {name} stream before compressed byte {before}"
        if self.windowed:
            reason += f", or one that needs more than {1 << _WINDOW_LOG_MAX} bytes of memory"
        return reason


_COMPRESSIONS = {
    "gzip": _Compression(b"\x1f\x8b", _gzip, padding=b"\0"),
    "zstd": _Compression(b"\x28\xb5\x2f\xfd", _zstd, skippable=b"\x2a\x4d\x18", windowed=True),
    # A block begins with the digits of pi, and an empty stream ends with those of its square root.
    "bzip2": _Compression(b"BZh", bz2.BZ2Decompressor, blocks=(b"1AY&SY", b"\x17rE8P\x90"), speed=1 / 3),
    "xz": _Compression(b"\xfd7zXZ\x00", _xz, padding=b"\0", windowed=True),
}
_ERRORS = (
    cast("type[Exception]", igzip_lib.error),  # its type stub has an instance
    *(zstd.ZstdError, lzma.LZMAError, OSError, EOFError),
)


def compression_of(head: bytes) -> str:
    """Return the compression's name, given a stream's first MAGIC_BYTES. ``none`` for other streams."""
    for name, compression in _COMPRESSIONS.items():
        skips = bool(compression.skippable) and head[1:].startswith(compression.skippable)
        if skips or (head.startswith(compression.magic) and head[4:].startswith(compression.blocks)):
            return name
    return "none"


def speed_of(compression: str) -> float:
    """Return the share of the usual throughput that an object with this compression reaches."""
    return _COMPRESSIONS[compression].speed if compression in _COMPRESSIONS else 1.0


def unpacked_bytes_max(size: int, limits: Limits) -> int:
    """Return the most bytes that an object of ``size`` bytes may decompress to."""
    return min(limits.decompressed_bytes_max, max(int(size * limits.decompression_ratio_max), _SMALL_BYTES))


def unpacks_to_more(size: int, limits: Limits) -> UnreadableError:
    """Return the error for an object of ``size`` bytes that decompresses to more."""
    return UnreadableError(
        f"decompresses to more than {unpacked_bytes_max(size, limits)} bytes from {size} bytes: the limits "
        f"are {limits.decompressed_bytes_max} bytes and {limits.decompression_ratio_max:g} times the size"
    )


def decompressed(chunks: Iterator[bytes], compression: str, size: int, budget: Budget) -> Iterator[bytes]:
    """Yield the decompressed bytes of all members of the stream, in pieces of at most BLOCK_BYTES.

    Args:
        chunks: The stream.
        compression: The compression's name.
        size: The compressed size in bytes.
        budget: The limits and the deadline.

    Raises:
        UnreadableError: The stream is damaged or truncated, or decompresses to more than the limits allow.
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
                # A stream of empty members yields no piece, so the deadline is checked here.
                budget.check()
                at = _after(compression.padding, chunk, at)
                if at == end:
                    break
                if not compression.begins(chunk[at : at + MAGIC_BYTES]):
                    raise UnreadableError(damaged)
                decompressor = compression.decompressor()
                # zstd and bz2 copy what follows a small member.
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
