"""Records for people: one line of figures each, and below it what is long or is to be copied.

The line fits the terminal: columns that do not are named below it. What stands below is never cut or folded,
so that it can be copied.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.text import Text

from terminal.console import Console, plain

GAP = 2
INDENT = "  "


@dataclass(frozen=True, kw_only=True)
class _Record:
    cells: Sequence[Text]
    details: Mapping[str, Text]


class Records:
    """Records of one kind, printed together."""

    def __init__(self, *columns: str, numbers: Sequence[str] = ()) -> None:
        """Name the columns.

        Args:
            columns: Headings, the most important first.
            numbers: Those of the headings whose cells stand on the right.
        """
        self._columns = columns
        self._numbers = frozenset(numbers)
        self._records: list[_Record] = []

    def add(self, *cells: str | Text, details: Mapping[str, str | Text | None] | None = None) -> None:
        """Add one record.

        Args:
            cells: One for each column.
            details: What stands below, by its label; what is None or empty is left out.
        """
        self._records.append(
            _Record(
                cells=[_text(cell) for cell in cells],
                details={label: _text(detail) for label, detail in (details or {}).items() if detail},
            )
        )

    def print(self, console: Console) -> None:
        """Print the headings and every record."""
        widths = [
            max(cell_len(heading), *(record.cells[number].cell_len for record in self._records), 0)
            for number, heading in enumerate(self._columns)
        ]
        shown = _fitting(widths, console.width)
        headings = [Text(heading, "bold") for heading in self._columns]
        console.say(self._line(headings[:shown], widths))
        for record in self._records:
            console.say(self._line(record.cells[:shown], widths))
            for line in self._rest(record.cells, shown, console.width):
                console.say(line)
            longest = max(map(len, record.details), default=0)
            for label, detail in record.details.items():
                console.say(Text.assemble(INDENT, f"{label:<{longest}}{INDENT}" if label else "", detail))

    def _line(self, cells: Sequence[Text], widths: Sequence[int]) -> Text:
        padded = []
        for heading, cell, width in zip(self._columns, cells, widths, strict=False):
            space = " " * (width - cell.cell_len)
            padded.append(
                Text.assemble(space, cell) if heading in self._numbers else Text.assemble(cell, space)
            )
        line = Text(" " * GAP).join(padded)
        line.rstrip()
        return line

    def _rest(self, cells: Sequence[Text], shown: int, width: int) -> list[Text]:
        """Give the cells that did not fit, named, on as few lines as they need."""
        lines: list[Text] = []
        for heading, cell in zip(self._columns[shown:], cells[shown:], strict=True):
            if not cell.plain:
                continue
            piece = Text.assemble(f"{heading} ", cell)
            if lines and lines[-1].cell_len + GAP + piece.cell_len <= width:
                lines[-1] = Text.assemble(lines[-1], " " * GAP, piece)
            else:
                lines.append(Text.assemble(INDENT, piece))
        return lines


def print_pairs(console: Console, pairs: Mapping[str, str | Text]) -> None:
    """Print names and their values, one below the other; no value is cut."""
    longest = max(map(cell_len, map(str, pairs)), default=0)
    for name, value in pairs.items():
        shown = plain(name)
        console.say(Text.assemble(shown, " " * (longest - shown.cell_len + GAP), _text(value)))


def _text(value: str | Text) -> Text:
    return value if isinstance(value, Text) else plain(value)


def _fitting(widths: Sequence[int], width: int) -> int:
    """Count the columns that fit side by side; the first is shown however wide it is."""
    used = 0
    for number, column in enumerate(widths):
        used += column + (GAP if number else 0)
        if number and used > width:
            return number
    return len(widths)
