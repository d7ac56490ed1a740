"""Delimited text, and plain text as one column, from a spooled file to a table of text."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path, PurePosixPath

from conversion.blocks import blocks_of_lines
from conversion.budget import Budget
from conversion.csv_reader import LINE_BYTES, read_text
from conversion.dialect import Dialect, detect, lines_dialect, newline_of
from conversion.encoding import FALLBACK, from_fallback, is_fallback
from conversion.model import MEBIBYTE
from conversion.names import column_names
from conversion.proof import NULL_MARKERS, Guess, guess
from conversion.rejects import Rejects
from conversion.repair import Repair
from conversion.screen import Screen
from conversion.spool import Spool
from conversion.stream import UnsoundError
from conversion.typed import TextTable

_DELIMITED_SUFFIXES = {".csv", ".tsv", ".tab", ".psv", ".ssv", ".dsv"}
_LIKENESS_MIN = 0.8
"""The share of its first lines that must have the same number of fields, for a file to be delimited."""
_SAMPLE_PLACES = 4
_SAMPLE_BYTES = 64 * 1024


@dataclass(frozen=True)
class Layout:
    """What the beginning of a file says of it."""

    dialect: Dialect
    header: bool
    sources: tuple[str, ...]
    rows: tuple[Sequence[str], ...]
    """A sample of its records, the header not included."""

    @property
    def is_text(self) -> bool:
        """Whether it is plain text: each line, blank ones included, is a row of one column."""
        return self.dialect.blank_lines

    @property
    def format(self) -> str:
        """What it is called in the record."""
        return "text" if self.is_text else "delimited"

    def table(self, path: Path, longest: int, more: Iterable[Sequence[str]] = ()) -> TextTable:
        """Give the table that the engine reads from ``path``; ``more`` are further records of the sample."""
        width = self.dialect.width
        sample = [*self.rows, *more]
        columns = zip(*sample, strict=True) if sample else ((),) * width
        fields = [f"c{index}" for index in range(width)]
        return TextTable(
            relation=read_text(path, self.dialect, header=self.header, longest=longest, columns=fields),
            names=column_names(self.sources),
            guesses=(Guess(()),) if self.is_text else tuple(guess(values) for values in columns),
        )


@dataclass(frozen=True)
class Delimited:
    """A file of sound records only, and what they are."""

    table: TextTable
    layout: Layout
    records: int
    encoding: str


def layout_of(head: bytes, key: str) -> Layout:
    """Tell the layout by a file's beginning, and by its name where that leaves a choice."""
    head = _whole_lines(head)
    dialect = _dialect_of(head, key)
    if dialect.blank_lines:
        return Layout(dialect, header=False, sources=("line",), rows=())
    rows = list(dialect.sample(head))
    header = has_header(rows, dialect.width)
    sources = tuple(rows[0]) if header else ("",) * dialect.width
    return Layout(dialect, header, sources, tuple(rows[header:]))


def screened(blocks: Iterable[bytes], screen: Screen) -> Iterator[bytes]:
    """Yield ``blocks`` as long as ``screen`` proves them sound, and of records that the engine takes."""
    for block in blocks:
        screen.feed(block)
        if not screen.sound or screen.longest_wait > LINE_BYTES:
            raise UnsoundError
        yield block
    screen.finish()
    if not screen.sound:
        raise UnsoundError


def prepare(spool: Spool, key: str, layout: Layout, rejects: Rejects, budget: Budget) -> Delimited:
    """Spool the file, count its records, take out what is unsound, and say how the engine is to read it."""
    screen = Screen(layout.dialect)
    for block in spool.spooled():
        screen.feed(block)
    screen.finish()
    encoding = spool.encoding
    if not screen.sound and encoding == "utf-8" and is_fallback(spool.path, budget):
        encoding = FALLBACK
        from_fallback(spool.path, budget)
        with spool.path.open("rb") as file:
            layout = layout_of(file.read(MEBIBYTE), key)
        screen = Screen(layout.dialect)
        for block in blocks_of_lines(spool.path, budget):
            screen.feed(block)
        screen.finish()
    records, longest = screen.records, screen.longest_wait
    if not screen.sound:
        layout, records, longest = _repair(spool, layout, screen, rejects, budget)
    more = () if layout.is_text else _further_samples(spool.path, layout.dialect)
    return Delimited(layout.table(spool.path, longest, more), layout, records - layout.header, encoding)


def has_header(rows: Sequence[Sequence[str]], width: int) -> bool:
    """Tell whether the first row names the columns.

    It does not if a cell of it is of a type (a number, a date ...) that the column below has, or if it names
    a column twice as the data would. It does if a column below has a type that its cell does not have, or if
    every cell is a word that its column does not have again.
    """
    if not rows:
        return False
    first, below = rows[0], rows[1:]
    if not below:
        return not any(guess([cell]).types for cell in first if cell)
    votes = 0
    for index in range(width):
        values = [row[index] for row in below if row[index] not in NULL_MARKERS]
        types = guess(values).types if values else ()
        if types:
            own = guess([first[index]]).types if first[index] else ()
            votes += -1 if own and own[0].name.split("(")[0] in {t.name.split("(")[0] for t in types} else 1
    if votes:
        return votes > 0
    words = [cell for cell in first if cell]
    repeated = any(first[index] and first[index] == row[index] for row in below for index in range(width))
    return bool(words) and not repeated and not any(guess([cell]).types for cell in words)


def _dialect_of(head: bytes, key: str) -> Dialect:
    dialect, likeness = detect(head)
    suffixes = {suffix.lower() for suffix in PurePosixPath(key).suffixes}
    declared = bool(suffixes & _DELIMITED_SUFFIXES)
    if declared or (dialect.width > 1 and likeness >= _LIKENESS_MIN and head.count(b"\n") > 1):
        return dialect
    return lines_dialect(blank_lines=True, newline=newline_of(head))


def _repair(
    spool: Spool, layout: Layout, screen: Screen, rejects: Rejects, budget: Budget
) -> tuple[Layout, int, int]:
    # What is sound with CR LF is to have LF as what is repaired will.
    resume = layout.dialect.newline == b"\n"
    repair = Repair(
        spool.path,
        layout.dialect,
        rejects,
        budget,
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
            yield from islice(dialect.sample(_whole_lines(piece[piece.find(b"\n") + 1 :])), 1000)


def _whole_lines(data: bytes) -> bytes:
    """Give ``data`` up to its last line end; all of it, with one added, if that is its only line."""
    end = data.rfind(b"\n") + 1 or data.rfind(b"\r") + 1
    return data[:end] if end else data + b"\n"
