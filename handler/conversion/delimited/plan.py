"""Delimited text, and plain text as one column, to a table: sound records as they come, all others mended."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

from conversion.blocks import blocks_of_lines
from conversion.csv_reader import LINE_BYTES
from conversion.delimited.dialect import Dialect
from conversion.encoding import FALLBACK, from_fallback, is_fallback
from conversion.layout import Layout, complete_lines, layout_of
from conversion.model import HEAD_BYTES, MEBIBYTE, EmptyError
from conversion.names import column_names
from conversion.repair import Repair
from conversion.screen import Screen
from conversion.stream import UnsoundError
from conversion.work import Result, Work

_SAMPLE_PLACES = 4
_SAMPLE_BYTES = 64 * 1024


def convert(work: Work) -> Result:
    """Write the object."""
    spool = work.spool
    if spool.whole and not spool.head.strip():
        raise EmptyError("the object has nothing but space")
    layout = layout_of(spool.head, work.key)
    return _streamed(work, layout) or _from_disk(work, layout)


def _streamed(work: Work, layout: Layout) -> Result | None:
    screen, encoding = Screen(layout.dialect), work.spool.encoding
    table = layout.table(work.writer.pipe, LINE_BYTES)
    blocks = _screened(work.spool.blocks(), screen)
    typed = work.writer.stream(
        blocks,
        table,
        layout.format,
        encoding,
        layout.sources,
        is_whole=lambda typed: typed.written.rows == screen.records - layout.header,
    )
    if typed is None:
        return None
    work.count(typed.written.rows)
    return Result(layout.format, encoding, layout.sources, typed)


def _screened(blocks: Iterable[bytes], screen: Screen) -> Iterator[bytes]:
    """Yield ``blocks`` as long as ``screen`` proves them sound."""
    for block in blocks:
        screen.feed(block)
        if not screen.sound:
            raise UnsoundError
        yield block
    screen.finish()
    if not screen.sound:
        raise UnsoundError


def _from_disk(work: Work, layout: Layout) -> Result:
    """Put the object on disk, count its records, take out what is unsound, and write the rest."""
    spool, encoding = work.spool, work.spool.encoding
    screen = _fed(layout, spool.spooled())
    if not screen.sound and encoding == "utf-8" and is_fallback(spool.path, work.budget):
        encoding = FALLBACK
        from_fallback(spool.path, work.budget)
        with spool.path.open("rb") as file:
            layout = layout_of(file.read(HEAD_BYTES), work.key)
        screen = _fed(layout, blocks_of_lines(spool.path, work.budget))
    records, longest = screen.records, screen.longest_wait
    if not screen.sound:
        layout, records, longest = _repair(work, layout, screen)
    work.count(records - layout.header)
    more = () if layout.is_text else _further_samples(spool.path, layout.dialect)
    table = layout.table(spool.path, longest, more)
    typed = work.writer.write(table, layout.format, encoding, layout.sources)
    return Result(layout.format, encoding, layout.sources, typed)


def _fed(layout: Layout, blocks: Iterable[bytes]) -> Screen:
    screen = Screen(layout.dialect)
    for block in blocks:
        screen.feed(block)
    screen.finish()
    return screen


def _repair(work: Work, layout: Layout, screen: Screen) -> tuple[Layout, int, int]:
    # What is sound with CR LF is to have LF as what is repaired will.
    resume = layout.dialect.newline == b"\n"
    spool = work.spool
    repair = Repair(
        spool.path,
        layout.dialect,
        work.rejects,
        work.budget,
        column_names(layout.sources),
        layout.header,
        position=screen.sound_bytes if resume else 0,
        records=screen.records if resume else 0,
        longest=screen.longest_wait,
        mark_bytes=spool.mark_bytes if spool.encoding == "utf-8" else 0,
    )
    repair.run()
    repaired = replace(layout, dialect=replace(layout.dialect, newline=b"\n"))
    return repaired, repair.records, repair.longest


def _further_samples(path: Path, dialect: Dialect) -> Iterator[list[str]]:
    """Sample what the beginning does not show, so that fewer guesses fail; nothing rests on it."""
    size = path.stat().st_size
    if size < _SAMPLE_PLACES * MEBIBYTE:
        return
    with path.open("rb") as file:
        for place in range(1, _SAMPLE_PLACES + 1):
            file.seek(min(size * place // _SAMPLE_PLACES, size - _SAMPLE_BYTES))
            piece = file.read(_SAMPLE_BYTES)
            yield from islice(dialect.sample(complete_lines(piece[piece.find(b"\n") + 1 :])), 1000)
