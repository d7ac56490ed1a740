"""Take off the compression around an object, checked to its last byte and capped while it streams.

The engine could read gzip and zstd by itself, but accepts wrong checksums and truncated streams.
"""

import zlib
from collections.abc import Iterator
from typing import Protocol

from backports import zstd

from conversion.model import BLOCK_BYTES, MEBIBYTE, Limits, UnreadableError

_GZIP_MAGIC = b"\x1f\x8b"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_ZSTD_WINDOW_LOG_MAX = 27
"""128 MiB: the most memory that a frame's header can ask for."""


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


def compression_of(head: bytes) -> str:
    """Name the compression by the stream's first bytes: ``gzip``, ``zstd`` or ``none``."""
    if head.startswith(_GZIP_MAGIC):
        return "gzip"
    if head.startswith(_ZSTD_MAGIC):
        return "zstd"
    return "none"


def decompressed(chunks: Iterator[bytes], compression: str, size: int, limits: Limits) -> Iterator[bytes]:
    """Yield the decompressed bytes of all members of the stream, in pieces of at most BLOCK_BYTES.

    Raises UnreadableError for a damaged or truncated stream, and once the output exceeds the caps on
    decompressed bytes or on their ratio to ``size``.
    """
    pieces = chunks if compression == "none" else _members(chunks, compression)
    largest = limits.decompressed_bytes_max
    if compression != "none":
        # A small object may well be a hundred-fold; what the ratio guards against is large.
        largest = min(largest, max(int(size * limits.decompression_ratio_max), 16 * MEBIBYTE))
    total = 0
    for piece in pieces:
        total += len(piece)
        if total > largest:
            raise UnreadableError(
                f"decompresses to more than {largest} bytes from {size}: beyond the limits of "
                f"{limits.decompressed_bytes_max} bytes or {limits.decompression_ratio_max:g} times the size"
            )
        yield piece


def _members(chunks: Iterator[bytes], compression: str) -> Iterator[bytes]:
    decompressor: _Decompressor | None = None
    consumed = 0
    for chunk in chunks:
        pending = chunk
        while pending or (decompressor is not None and not _needs_input(decompressor)):
            if decompressor is None:
                if compression == "gzip":
                    pending = pending.lstrip(b"\0")  # the padding that tape and block writers leave
                if not pending:
                    break
                decompressor = _Gzip() if compression == "gzip" else _zstd()
            try:
                piece = decompressor.decompress(pending, BLOCK_BYTES)
            except (zlib.error, zstd.ZstdError):
                raise UnreadableError(
                    f"damaged {compression} stream before compressed byte {consumed + len(chunk)}"
                ) from None
            pending = b""
            if piece:
                yield piece
            if decompressor.eof:
                pending, decompressor = decompressor.unused_data, None
        consumed += len(chunk)
    if decompressor is not None:
        raise UnreadableError(f"truncated {compression} stream: it ends at byte {consumed}, inside a member")


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
    return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: _ZSTD_WINDOW_LOG_MAX})
