"""Take off the compression around an object, checked to its last byte and capped while it streams.

The engine could read gzip and zstd by itself, but accepts wrong checksums and truncated streams.
"""

import bz2
import lzma
import re
import zlib
from collections.abc import Callable, Iterator
from typing import Protocol

from backports import zstd

from conversion.model import BLOCK_BYTES, MEBIBYTE, Limits, UnreadableError

_WINDOW_BYTES_MAX = 128 * MEBIBYTE
"""The most memory that a stream's header may ask for: twice what ``xz -9`` does."""


MAGIC_BYTES = 10
"""So many bytes tell every compression."""

_FREE_BYTES = 16 * MEBIBYTE
"""An object may decompress to this whatever its ratio: a small one may well be a hundred-fold."""


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


def compression_of(head: bytes) -> str:
    """Name the compression by a stream's first MAGIC_BYTES; ``none`` if it has none that is known."""
    return next((name for name, (magic, _) in _COMPRESSIONS.items() if magic.match(head)), "none")


def unpacked_bytes_max(size: int, limits: Limits) -> int:
    """Give the most bytes that an object of ``size`` bytes may decompress to."""
    return min(limits.decompressed_bytes_max, max(int(size * limits.decompression_ratio_max), _FREE_BYTES))


def unpacks_to_more(size: int, limits: Limits) -> UnreadableError:
    """Give the error for an object of ``size`` bytes that decompresses to more."""
    return UnreadableError(
        f"decompresses to more than {unpacked_bytes_max(size, limits)} bytes from {size}: beyond the limits "
        f"of {limits.decompressed_bytes_max} bytes or {limits.decompression_ratio_max:g} times the size"
    )


def decompressed(chunks: Iterator[bytes], compression: str, size: int, limits: Limits) -> Iterator[bytes]:
    """Yield the decompressed bytes of all members of the stream, in pieces of at most BLOCK_BYTES.

    Raises UnreadableError for a damaged or truncated stream, and once the output exceeds the caps on
    decompressed bytes or on their ratio to ``size``.
    """
    if compression == "none":
        pieces, largest = chunks, limits.decompressed_bytes_max
    else:
        pieces, largest = _members(chunks, compression), unpacked_bytes_max(size, limits)
    total = 0
    for piece in pieces:
        total += len(piece)
        if total > largest:
            raise unpacks_to_more(size, limits)
        yield piece


def _members(chunks: Iterator[bytes], compression: str) -> Iterator[bytes]:
    decompressor: _Decompressor | None = None
    consumed = 0
    for chunk in chunks:
        pending = chunk
        while pending or (decompressor is not None and not _needs_input(decompressor)):
            if decompressor is None:
                if compression in _PADDED:
                    pending = pending.lstrip(b"\0")
                if not pending:
                    break
                decompressor = _COMPRESSIONS[compression][1]()
            try:
                piece = decompressor.decompress(pending, BLOCK_BYTES)
            except (zlib.error, zstd.ZstdError, lzma.LZMAError, OSError):
                # OSError is how bz2 says it.
                place = f"before compressed byte {consumed + len(chunk)}{_or_large(compression)}"
                raise UnreadableError(f"damaged {compression} stream {place}") from None
            pending = b""
            if piece:
                yield piece
            if decompressor.eof:
                pending, decompressor = decompressor.unused_data, None
        consumed += len(chunk)
    if decompressor is not None:
        raise UnreadableError(f"truncated {compression} stream: it ends at byte {consumed}, inside a member")


def _or_large(compression: str) -> str:
    if compression not in _WINDOWED:
        return ""
    return f", or one that takes more than {_WINDOW_BYTES_MAX} bytes of memory to decompress"


def _needs_input(decompressor: _Decompressor) -> bool:
    return getattr(decompressor, "needs_input", True)


class _Gzip:
    """zlib's decompressor under the interface that zstd's (and bz2's, lzma's) has; it checks the CRC."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(wbits=31)

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


def _zstd() -> zstd.ZstdDecompressor:
    return zstd.ZstdDecompressor(
        options={zstd.DecompressionParameter.window_log_max: _WINDOW_BYTES_MAX.bit_length() - 1}
    )


def _xz() -> lzma.LZMADecompressor:
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_WINDOW_BYTES_MAX)


_COMPRESSIONS: dict[str, tuple[re.Pattern[bytes], Callable[[], _Decompressor]]] = {
    "gzip": (re.compile(rb"\x1f\x8b"), _Gzip),
    "zstd": (re.compile(rb"\x28\xb5\x2f\xfd"), _zstd),
    # The digits of pi begin a block, those of its square root end a stream without any.
    "bzip2": (re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)"), bz2.BZ2Decompressor),
    "xz": (re.compile(rb"\xfd7zXZ\x00"), _xz),
}
_WINDOWED = {"zstd", "xz"}
"""Those whose streams say how much memory they take."""

_PADDED = {"gzip", "xz"}
"""Those after whose members tape and block writers, and the format itself, leave zero bytes."""
