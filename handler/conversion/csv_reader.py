"""How the engine is told to read a text file: everything said, nothing for it to guess."""

from collections.abc import Sequence
from pathlib import Path

from conversion.blocks import RECORD_BYTES_MAX
from conversion.delimited.dialect import Dialect
from conversion.engine import literal
from conversion.model import MEBIBYTE

LINE_BYTES = 1_000_000
"""The longest record the engine reads unless told otherwise; it takes memory in proportion."""


def read_text(path: Path, dialect: Dialect, *, header: bool, longest: int, columns: Sequence[str]) -> str:
    """Give SQL that reads the file into ``columns`` of text; no record is longer than ``longest`` bytes."""
    types = ", ".join(f"{literal(column)}: 'VARCHAR'" for column in columns)
    newline = "\\r\\n" if dialect.newline == b"\r\n" else "\\n"
    line_bytes = RECORD_BYTES_MAX + MEBIBYTE if longest > LINE_BYTES else LINE_BYTES
    # Unless told, the engine takes buffers of sixteen such lines: more memory, and a pipe runs dry meanwhile.
    return (
        f"read_csv({literal(str(path))}, auto_detect = false, header = {str(header).lower()}, "
        f"delim = {literal(dialect.delimiter.decode())}, quote = {literal(dialect.quote.decode())}, "
        f"escape = {literal(dialect.escape.decode())}, new_line = '{newline}', allow_quoted_nulls = false, "
        f"max_line_size = {line_bytes}, buffer_size = {line_bytes}, columns = {{{types}}})"
    )
