"""Detect an object's format by its content. Its name counts only where the content leaves a choice."""

from dataclasses import replace
from itertools import chain
from pathlib import PurePosixPath

from conversion.compression import compression_of
from conversion.decode import FALLBACK, Encoding
from conversion.findings import Findings
from conversion.json.layout import (
    Layout,
    ends_lines_with_cr,
    is_followed,
    layout_of,
    lines_layout,
    place_of_error,
)
from conversion.model import UnreadableError
from conversion.parquet import MAGIC
from conversion.source import Source

_FOREIGN = {
    b"PK\x03\x04": "an archive or a workbook in another archive: upload it by itself",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "a workbook in an archive: upload it by itself",
    b"%PDF-": "a PDF document",
    b"\x04\x22\x4d\x18": "compressed with LZ4: use gzip, zstd, bzip2 or xz",
    b"\x89LZO\x00\r\n\x1a\n": "compressed with LZO: use gzip, zstd, bzip2 or xz",
    b"\xff\x06\x00\x00sNaPpY": "compressed with Snappy: use gzip, zstd, bzip2 or xz",
    b"\x1f\x9d": "compressed with compress: use gzip, zstd, bzip2 or xz",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive: use gzip, zstd, bzip2 or xz",
    b"Rar!\x1a\x07": "a RAR archive: use gzip, zstd, bzip2 or xz",
    b"MSCF\x00\x00\x00\x00": "a CAB archive: use gzip, zstd, bzip2 or xz",
    b"xar!\x00\x1c\x00\x01": "a XAR archive: use gzip, zstd, bzip2 or xz",
    b"ARROW1\x00\x00": "an Arrow file",
    b"SQLite format 3\x00": "a SQLite database",
    b"\x00\x01\x00\x00Standard ": "an Access database",
    b"X\n\x00\x00\x00\x02\x00": "an object of R",
    b"X\n\x00\x00\x00\x03\x00": "an object of R",
    b"\x89PNG\r\n": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"\x7fELF": "a program",
}
"""The first bytes of other formats that no text begins with."""

_FOREIGN_BINARY = {
    b"ORC": "an ORC file",
    b"GIF8": "a GIF image",
    b"Obj\x01": "an Avro file",
    b"PARE": "a Parquet file whose footer is encrypted",
    b"LZIP\x01": "compressed with lzip: use gzip, zstd, bzip2 or xz",
    b"RDX": "objects of R",
}
"""The same for bytes that text may begin with. Bytes that are not text must follow."""

_FOREIGN_INSIDE = {(8, b"DUCK"): "a DuckDB database", (257, b"ustar"): "a tar archive"}
"""The same for bytes at an offset."""

_CONTROL = bytes({*range(0x02, 0x09), *range(0x0E, 0x1A), *range(0x1C, 0x1F), 0x7F})
"""The control characters that text does not have. Damaged text has long runs of NUL, and DOS ends text with
0x1a."""
_CONTROL_SHARE_MAX = 0.01
"""Compressed data has 9 %."""
_CONTROL_MAX = 5
"""Up to this number is allowed, however short the text is."""
_LINES = {".ndjson", ".jsonl"}
"""The suffixes of names that say that each line is a value of JSON."""
_JSON_SUFFIXES = {".json", ".geojson", *_LINES}


def refuse_foreign(head: bytes) -> None:
    """Refuse formats that are not read.

    Raises:
        UnreadableError: The object has one of them. The reason names it.
    """
    foreign = next((name for magic, name in _FOREIGN.items() if head.startswith(magic)), None)
    if foreign is None and not _is_text(head):
        begins = (name for magic, name in _FOREIGN_BINARY.items() if head.startswith(magic))
        inside = (name for (at, magic), name in _FOREIGN_INSIDE.items() if head.startswith(magic, at))
        foreign = next(chain(begins, inside), None)
    if compression_of(head) != "none":
        foreign = "compressed twice"
    if foreign:
        raise UnreadableError(f"unsupported format, by its first bytes: {foreign}")


def refuse_binary(head: bytes, encoding: str) -> None:
    """Refuse binary data. Nearly any bytes can be decoded in the encoding of text that is not UTF-8.

    Args:
        head: The beginning of the object.
        encoding: Its encoding.

    Raises:
        UnreadableError: Too many bytes are control characters.
    """
    if encoding != FALLBACK:
        return
    found = len(head) - len(head.translate(None, _CONTROL))
    if found > max(_CONTROL_MAX, _CONTROL_SHARE_MAX * len(head)):
        raise UnreadableError(
            f"unsupported format: binary data. Of the first {len(head)} bytes, {found} are control "
            "characters that text does not have"
        )


def is_parquet(head: bytes) -> bool:
    """Return whether the object is Parquet. Lines of text may begin with the same letters."""
    return head.startswith(MAGIC) and not (_is_text(head) and (b"\n" in head or b"\r" in head))


def _is_text(head: bytes) -> bool:
    return not any(byte < 0x20 and byte not in b"\t\n\r\x01\x1b\x0c" for byte in head[:512])


def json_layout(source: Source, encoding: Encoding, findings: Findings) -> Layout | None:
    """Return the layout of an object of JSON; None if it is not JSON.

    Args:
        source: The object.
        encoding: Its encoding.
        findings: What earlier passes found.

    Raises:
        UnreadableError: The name says that it is JSON, and the content is not.
    """
    head, whole = encoding.head(source.head), source.whole
    carriage_returns = ends_lines_with_cr(head, whole=whole)
    head = head.replace(b"\r", b"\n") if carriage_returns else head
    layout = _json_layout(head, source.name, findings, whole=whole)
    if layout is None and _is_named(source.name, _JSON_SUFFIXES):
        offset, what = place_of_error(head)
        line, at = 1 + head.count(b"\n", 0, offset), encoding.mark_bytes + offset
        raise UnreadableError(f"malformed JSON at line {line}, byte {at}: {what}")
    return layout and replace(layout, carriage_returns=carriage_returns)


def _json_layout(head: bytes, key: str, findings: Findings, *, whole: bool) -> Layout | None:
    if findings.arrays_in_lines:
        return Layout(lines=True, whole_values=True)
    layout = layout_of(head, whole=whole)
    in_one_line = not whole and head.lstrip().startswith(b"{") and b"\n" not in head.strip()
    if in_one_line and _is_named(key, _LINES) and not (layout and (layout.array_key or is_followed(head))):
        return Layout(lines=True)  # The first value is longer than the beginning, or malformed.
    if layout is None and _is_named(key, _LINES):
        layout = lines_layout(head, whole=whole)  # The first line is damaged.
    if layout is None and _is_named(key, _JSON_SUFFIXES) and head.lstrip().startswith(b"["):
        return Layout()  # The reader reports what is wrong with the array.
    return Layout() if layout and findings.one_value else layout


def _is_named(key: str, suffixes: set[str]) -> bool:
    return any(suffix.lower() in suffixes for suffix in PurePosixPath(key).suffixes)
