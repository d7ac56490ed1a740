"""JSON, in lines or laid out otherwise, to a table: flat lines by the fast way, all others by one for any."""

import duckdb

from conversion.blocks import blocks_of_lines
from conversion.csv_reader import LINE_BYTES
from conversion.json_flat import FlatScreen, flat_table
from conversion.json_lines import JsonLines, JsonSpool, sample_of
from conversion.json_table import any_table
from conversion.stream import UnsoundError, whole_lines
from conversion.work import Result, Work

_FORMAT = "json"
_NEWLINE = b"\n"


def convert(work: Work, kind: str) -> Result:
    """Write the object, of the kind that ``formats.json_kind`` tells."""
    return (_streamed(work) if kind == "lines" else None) or _from_disk(work, kind)


def _streamed(work: Work) -> Result | None:
    spool = work.spool
    flat = flat_table(work.writer.pipe, _NEWLINE, LINE_BYTES, sample_of(spool.head))
    if flat is None:
        return None
    screen = FlatScreen(len(flat.keys), _NEWLINE)
    blocks = screen.screened(whole_lines(spool.blocks()))
    typed = work.writer.stream(
        blocks,
        flat.table,
        _FORMAT,
        spool.encoding,
        flat.keys,
        is_whole=lambda typed: flat.is_proven(screen, typed),
    )
    if typed is None:
        return None
    work.count(screen.lines)
    return Result(_FORMAT, spool.encoding, flat.keys, typed)


def _from_disk(work: Work, kind: str) -> Result:
    json_spool = JsonSpool(work.spool, kind, work.rejects, work.budget)
    work.count(json_spool.lines.lines)
    same_again = work.writer.misread and json_spool.lines.path == work.spool.path
    if not same_again and (result := _flat_from_disk(work, json_spool.lines)):
        return result
    table, keys = any_table(work.writer.connection, json_spool)
    work.count(json_spool.lines.lines)
    encoding = json_spool.lines.encoding
    return Result(_FORMAT, encoding, keys, work.writer.write(table, _FORMAT, encoding, keys))


def _flat_from_disk(work: Work, lines: JsonLines) -> Result | None:
    newline = lines.dialect.newline
    flat = flat_table(lines.path, newline, lines.longest, lines.sample())
    if flat is None:
        return None
    screen = FlatScreen(len(flat.keys), newline)
    try:
        for _ in screen.screened(blocks_of_lines(lines.path, work.budget)):
            pass
        typed = work.writer.write(flat.table, _FORMAT, lines.encoding, flat.keys)
    except (UnsoundError, duckdb.InvalidInputException):
        return None
    return Result(_FORMAT, lines.encoding, flat.keys, typed) if flat.is_proven(screen, typed) else None
