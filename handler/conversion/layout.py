"""How a delimited file is laid out, told by its beginning: dialect, header, names, a sample of records."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from conversion.csv_reader import read_text
from conversion.delimited.dialect import Dialect, detect, lines_dialect, newline_of
from conversion.names import column_names
from conversion.proof import NULL_MARKERS, Guess, guess
from conversion.typed import TextTable

_DELIMITED_SUFFIXES = {".csv", ".tsv", ".tab", ".psv", ".ssv", ".dsv"}
_LIKENESS_MIN = 0.8
"""The share of its first lines that must have the same number of fields, for a file to be delimited."""


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


def layout_of(head: bytes, key: str) -> Layout:
    """Tell the layout by a file's beginning, and by its name where that leaves a choice."""
    head = complete_lines(head)
    dialect = _dialect_of(head, key)
    if dialect.blank_lines:
        return Layout(dialect, header=False, sources=("line",), rows=())
    rows = list(dialect.sample(head))
    header = has_header(rows, dialect.width)
    sources = tuple(rows[0]) if header else ("",) * dialect.width
    return Layout(dialect, header, sources, tuple(rows[header:]))


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


def complete_lines(data: bytes) -> bytes:
    """Give ``data`` up to its last line end; all of it, with one added, if that is its only line."""
    end = data.rfind(b"\n") + 1 or data.rfind(b"\r") + 1
    return data[:end] if end else data + b"\n"
