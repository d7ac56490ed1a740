"""Records for people: one line of short values each, and details below it.

The line fits the terminal. Columns that do not fit are printed below it, with their names. Details are never
cut or broken, so that they can be copied.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.text import Text

from terminal.console import INDENT, Console, plain

GAP = 2

Detail = str | Text | tuple[str, ...] | None


@dataclass(frozen=True, kw_only=True)
class _Record:
    cells: Sequence[Text]
    details: Mapping[str, Text | Sequence[Text]]


class Records:
    """Records with the same columns, printed as a table."""

    def __init__(self, *columns: str, numbers: Sequence[str] = ()) -> None:
        """Name the columns.

        Args:
            columns: Headings, the most important first.
            numbers: Headings of the columns that are aligned on the right.
        """
        self._headings = [plain(column, "bold") for column in columns]
        self._on_the_right = [column in numbers for column in columns]
        self._records: list[_Record] = []

    def add(self, *cells: str | Text, details: Mapping[str, Detail] | None = None) -> None:
        """Add one record.

        Args:
            cells: One for each column.
            details: Printed below the line, by label. None and empty values are left out. A tuple of words
                takes as many lines as it needs.
        """
        self._records.append(
            _Record(
                cells=[_text(cell) for cell in cells],
                details={label: _detail(detail) for label, detail in (details or {}).items() if detail},
            )
        )

    def print(self, console: Console) -> None:
        """Print the headings and every record."""
        widths = [
            max(heading.cell_len, *(record.cells[number].cell_len for record in self._records), 0)
            for number, heading in enumerate(self._headings)
        ]
        shown = _fitting(widths, console.width)
        console.say(self._line(self._headings[:shown], widths))
        for record in self._records:
            console.say(self._line(record.cells[:shown], widths))
            rest = self._rest(record.cells, shown)
            for line in _lines(rest, console.width - len(INDENT)):
                console.say(Text.assemble(INDENT, line))
            longest = max(map(len, record.details), default=0)
            for label, detail in record.details.items():
                margin = f"{INDENT}{label:<{longest}}{INDENT}" if label else INDENT
                lines = [detail] if isinstance(detail, Text) else _lines(detail, console.width - len(margin))
                for line in lines:
                    console.say(Text.assemble(margin, line))
                    margin = " " * len(margin)

    def _line(self, cells: Sequence[Text], widths: Sequence[int]) -> Text:
        padded = []
        for on_the_right, cell, width in zip(self._on_the_right, cells, widths, strict=False):
            space = " " * (width - cell.cell_len)
            padded.append(Text.assemble(space, cell) if on_the_right else Text.assemble(cell, space))
        line = Text(" " * GAP).join(padded)
        line.rstrip()
        return line

    def _rest(self, cells: Sequence[Text], shown: int) -> list[Text]:
        """Return the cells that do not fit in the line, each with its heading."""
        rest = zip(self._headings[shown:], cells[shown:], strict=True)
        return [Text.assemble(f"{heading.plain} ", cell) for heading, cell in rest if cell.plain]


def print_pairs(console: Console, pairs: Mapping[str, str | Text]) -> None:
    """Print a line for each name and its value; no value is cut."""
    longest = max(map(cell_len, map(str, pairs)), default=0)
    for name, value in pairs.items():
        shown = plain(name)
        console.say(Text.assemble(shown, " " * (longest - shown.cell_len + GAP), _text(value)))


def _text(value: str | Text) -> Text:
    return value if isinstance(value, Text) else plain(value)


def _detail(value: Detail) -> Text | Sequence[Text]:
    return tuple(map(plain, value)) if isinstance(value, tuple) else _text(value or "")


def _lines(pieces: Iterable[Text], width: int) -> list[Text]:
    """Put pieces side by side on as few lines as they need; no piece is broken."""
    lines: list[Text] = []
    for piece in pieces:
        if lines and lines[-1].cell_len + GAP + piece.cell_len <= width:
            lines[-1] = Text.assemble(lines[-1], " " * GAP, piece)
        else:
            lines.append(piece)
    return lines


def _fitting(widths: Sequence[int], width: int) -> int:
    """Return how many columns fit side by side; the first one counts, however wide it is."""
    used = 0
    for number, column in enumerate(widths):
        used += column + (GAP if number else 0)
        if number and used > width:
            return number
    return len(widths)
