"""Tell what an object holds by its first bytes; its name counts only where the bytes leave a choice."""

import json

from conversion.compression import compression_of
from conversion.model import UnreadableError

PARQUET_MAGIC = b"PAR1"

_FOREIGN = {
    b"PK\x03\x04": "a ZIP archive or an Office workbook: upload what is in it",
    b"\xd0\xcf\x11\xe0": "an old Office document: save it as CSV",
    b"%PDF-": "a PDF document",
    b"\x04\x22\x4d\x18": "compressed with LZ4: use gzip, zstd, bzip2 or xz",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive: use gzip, zstd, bzip2 or xz",
    b"Obj\x01": "an Avro file",
    b"ORC": "an ORC file",
    b"ARROW1": "an Arrow file",
    b"SQLite format 3\x00": "a SQLite database",
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF8": "a GIF image",
    b"\x7fELF": "a program",
}
_MARGIN = b" \t\r\n"
_LINES_TRIED = 50


def refuse_foreign(head: bytes) -> None:
    """Raise UnreadableError for formats that hold tables, or look as if, but are not read."""
    foreign = next((name for magic, name in _FOREIGN.items() if head.startswith(magic)), None)
    if compression_of(head) != "none":
        foreign = "compressed twice"
    if foreign:
        raise UnreadableError(f"not a format that is read, by its first bytes: {foreign}")


def json_kind(head: bytes) -> str | None:
    """Tell JSON by the beginning of a text: ``lines`` of objects, ``values`` laid out otherwise, or None."""
    start = head.lstrip(_MARGIN)
    if not start.startswith((b"{", b"[")):
        return None
    lines = [line for line in start.splitlines() if line.strip(_MARGIN)][:_LINES_TRIED]
    objects = sum(_is_object(line) for line in lines)
    if objects * 2 > len(lines):
        return "lines"
    return "values" if _begins_json(start) else None


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line, parse_int=str), dict)
    except (ValueError, RecursionError):
        return False


def _begins_json(start: bytes) -> bool:
    """Tell whether the text is JSON as far as one can see: up to its end, or up to where an error is."""
    text = start.decode(errors="replace")
    inner = text[1:].lstrip() if text.startswith("[") else text
    if inner.startswith("]"):
        return True
    try:
        json.JSONDecoder(parse_int=str).raw_decode(inner)
    except json.JSONDecodeError as error:
        # Cut off by the end of what was read, not wrong.
        return inner.startswith(("{", "[")) and error.pos >= len(inner.rstrip()) - 1
    except RecursionError:
        return True
    return inner.startswith(("{", "["))
