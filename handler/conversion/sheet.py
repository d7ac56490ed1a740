"""Write the one sheet of a workbook as CSV. ``conversion.workbook`` runs this program.

    python sheet.py WORKBOOK MEMORY_BYTES SHEET ROWS_SKIPPED > CSV

calamine holds a sheet as a rectangle of cells. Two cells that are far apart take gigabytes, and a failing
allocation ends the process. So a process of its own, with a memory limit, reads the sheet. To stay small, it
imports no other module of the package. ``conversion.workbook`` imports this module for its constants, so
calamine is imported only when the program runs.
"""

import re
import resource
import sys
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO
from xml.parsers import expat

if TYPE_CHECKING:
    from python_calamine import CalamineSheet, CalamineWorkbook

UNREADABLE = 3
"""The exit code for a workbook that cannot be read. Standard error has the reason."""

EMPTY = 4
"""The exit code for a workbook without data."""

TOO_LARGE = 5
"""The exit code for a workbook that needs more memory, unless a signal ended the process."""

ENCRYPTED = "an encrypted workbook: save it without a password"
"""The reason for a workbook that needs a password."""

_WHOLE_MAX = 2**53
"""Up to this, a double holds every whole number exactly."""

_NAMES_SHOWN = 5
_NAME_LENGTH_MAX = 60
_PIECE_BYTES = 256 * 1024
_CELL_BYTES_MAX = 256 * 1024
"""Of a longer cell, only the end is looked at. A formula has at most 8,192 characters."""

_SHEET = re.compile(rb"<(?:[\w.-]+:)?worksheet[\s>]|<office:document-content\s")
"""The root of a part that has cells. The part may have any name."""
_LAST_CELL = re.compile(rb".*(?=<(?:[\w.-]+:)?(?:c|(?:covered-)?table-cell)[\s/>])", re.DOTALL)
_ASIDE = re.compile(rb"<!(?:--.*?--|\[CDATA\[.*?\]\])>", re.DOTALL)
"""A comment, or a character data section. calamine reads neither."""
_UNCALCULATED = {
    ".xlsx": re.compile(
        rb"""<((?:[\w.-]+:)?)f(?:\s[^>]*)?(?:/>|>[^<]*</\1f\s*>)\s*
        (?:<\1v(?:\s[^>]*)?(?:/>|>\s*</\1v\s*>)\s*)?</\1c\s*>""",
        re.VERBOSE,
    ),
    ".ods": re.compile(
        rb"""table:formula\s*=[^<]*+
        (?:<(?:text:p\s*(?:/>|>\s*</text:p\s*>)|office:annotation\b.*?</office:annotation\s*>)\s*)*
        (?:</?table:|\Z)""",
        re.VERBOSE | re.DOTALL,
    ),
}
"""A formula in a cell without content, by the file's suffix."""
_VALUED = {
    ".xlsx": re.compile(rb"""<[^>]*\st\s*=\s*["']str["']"""),
    ".ods": re.compile(
        rb"""<(?:table:change-track-|[^<]*\soffice:(?:(?:[a-z]+-)?value\s*=|value-type\s*=\s*["']string))"""
    ),
}
"""The tag of such a cell if it is valid: it has the value, or it is in the list of changes. A value of type
``str`` may be empty (ECMA-376-1, 18.18.11)."""

_NEGATIVE = re.compile(
    rb"""<((?:[\w.-]+:)?)c\b[^<>]*?\sr\s*=\s*["']([A-Za-z]+)(\d+)["'][^<>]*>\s*
    (?:<\1f(?:\s[^>]*)?(?:/>|>[^<]*</\1f\s*>)\s*)?<\1v(?:\s[^>]*)?>-""",
    re.VERBOSE,
)
"""A cell of an .xlsx with a negative number: its column and its row."""

_ODS_PARTS = ("META-INF/manifest.xml", "content.xml")
"""The parts of an .ods that calamine reads as XML. The manifest names the parts that are encrypted."""
_CONTROL = bytes(set(range(0x20)) - set(b"\t\n\r"))


class _WorkbookError(Exception):
    """The workbook cannot be read. The message is the reason."""


def main() -> int:
    """Write the sheet to standard output within the given memory."""
    path, memory = Path(sys.argv[1]), int(sys.argv[2])
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    memory = memory if most == resource.RLIM_INFINITY else min(memory, most)
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding="utf-8")
    try:
        return _write(path, sys.stdout, sys.argv[3], int(sys.argv[4]))
    except _WorkbookError as error:
        print(error, file=sys.stderr)
        return UNREADABLE
    except OverflowError:
        print("a cell has a duration of more than 999999999 days", file=sys.stderr)
        return UNREADABLE
    except MemoryError:
        return TOO_LARGE


def _write(path: Path, output: TextIO, wanted: str, skipped: int) -> int:
    sheet = _opened(path, wanted)
    if sheet is None:
        return EMPTY
    columns = _columns(sheet, skipped)
    _refuse_negative_dates(path, sheet, columns[time])
    with_time = columns[datetime]
    for row in islice(sheet.iter_rows(), skipped, None):
        fields = [_WRITTEN[type(value)](value) for value in row]
        for index in with_time:
            if type(row[index]) is date:
                fields[index] += " 00:00:00"
        if any(fields):
            output.write(",".join(fields) + "\n")
    return 0


def _opened(path: Path, wanted: str) -> "CalamineSheet | None":
    """Open the workbook, refuse formulas without a value, and return its sheet; None if none has data."""
    import python_calamine as calamine

    # zipfile raises a RuntimeError for parts that are encrypted, or compressed by an unknown method.
    damaged = (
        calamine.CalamineError,
        zipfile.BadZipFile,
        zlib.error,
        OSError,
        EOFError,
        ValueError,
        RuntimeError,
        expat.ExpatError,
    )
    try:
        _check_xml(path)
        sheet = _the_sheet(calamine.load_workbook(str(path)), wanted)
        uncalculated = _uncalculated(path)
    except _WorkbookError:
        raise
    except calamine.PasswordError:
        raise _WorkbookError(ENCRYPTED) from None
    except BaseException as error:
        if isinstance(error, calamine.CalamineError) and "limit exceeded" in str(error):
            raise MemoryError from None
        # A panic in calamine is a BaseException, not an Exception.
        if isinstance(error, damaged) or type(error).__module__ == "pyo3_runtime":
            raise _WorkbookError("a damaged workbook, or not a workbook") from None
        raise
    if uncalculated:
        raise _WorkbookError(
            f"{uncalculated} formulas have no calculated value: open the workbook in a spreadsheet program "
            "and save it"
        )
    return sheet


def _check_xml(path: Path) -> None:
    """Check that the XML of an .ods is well-formed. calamine never stops searching for a missing end tag.

    XML allows no control characters. They are left out of the check, because calamine reads them.

    Raises:
        expat.ExpatError: It is not well-formed.
        _WorkbookError: It is encrypted.
    """
    if path.suffix != ".ods":
        return
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        for name in filter(names.__contains__, _ODS_PARTS):
            parser = expat.ParserCreate()
            if name != "content.xml":
                parser.StartElementHandler = _refuse_encryption
            with archive.open(name) as part:
                while piece := part.read(_PIECE_BYTES):
                    parser.Parse(piece.translate(None, _CONTROL))
            parser.Parse(b"", True)


def _refuse_encryption(element: str, _: Mapping[str, str]) -> None:
    if element.rpartition(":")[2] == "encryption-data":
        raise _WorkbookError(ENCRYPTED)


def _the_sheet(workbook: "CalamineWorkbook", wanted: str) -> "CalamineSheet | None":
    """Return the sheet that is wanted, or else the one that has data; None if none has."""
    if wanted and wanted not in workbook.sheet_names:
        there = _shown(workbook.sheet_names)
        raise _WorkbookError(
            f"no sheet {wanted[:_NAME_LENGTH_MAX]!r}, which the contract names. The sheets are {there}"
        )
    if wanted:
        return workbook.get_sheet_by_name(wanted)
    found: CalamineSheet | None = None
    names = []
    for metadata in workbook.sheets_metadata:
        if str(metadata.typ) != "SheetTypeEnum.WorkSheet":
            continue
        sheet = workbook.get_sheet_by_name(metadata.name)
        if any(value != "" for row in sheet.iter_rows() for value in row):
            names.append(metadata.name)
            found = found or sheet
    if len(names) > 1:
        raise _WorkbookError(
            f"{len(names)} sheets with data, and only one is read: {_shown(names)}. Save each as a workbook"
        )
    return found


def _shown(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name[:_NAME_LENGTH_MAX]) for name in names[:_NAMES_SHOWN])
    return f"{shown} and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else shown


def _columns(sheet: "CalamineSheet", skipped: int) -> Mapping[type, set[int]]:
    """Return the columns that have values of each type."""
    rows = islice(sheet.iter_rows(), skipped, None)
    columns = defaultdict[type, set[int]](set)
    for index, type_ in {(index, type(value)) for row in rows for index, value in enumerate(row)}:
        columns[type_].add(index)
    return columns


def _refuse_negative_dates(path: Path, sheet: "CalamineSheet", columns: set[int]) -> None:
    """Refuse negative numbers in cells with a date format. calamine reads -1.5 as the time 12:00:00.

    Args:
        path: The workbook.
        sheet: Its sheet.
        columns: The columns of the sheet that have times.
    """
    if not columns or path.suffix != ".xlsx":
        return
    before = (sheet.start or (0, 0))[1]  # calamine leaves out empty columns before the first.
    with zipfile.ZipFile(path) as archive:
        negative = {
            (int(row) - 1, index): f"{letters.decode()}{row.decode()}"
            for part in archive.infolist()
            for cells in _whole_cells(archive, part)
            for _, letters, row in _NEGATIVE.findall(cells)
            if (index := _column(letters) - before) in columns
        }
    for number, row in enumerate(sheet.iter_rows()):
        times = (negative.get((number, at)) for at in columns if type(row[at]) is time)
        if cell := next(filter(None, times), None):
            raise _WorkbookError(
                f"a negative number with a date format in cell {cell} of sheet "
                f"{sheet.name[:_NAME_LENGTH_MAX]!r} or of another sheet: give it the format of a number"
            )


def _column(letters: bytes) -> int:
    """Return the index of the column with these letters: 0 for A, 26 for AA."""
    index = 0
    for letter in letters.upper():
        index = 26 * index + letter - ord("A") + 1
    return index - 1


def _text(value: str) -> str:
    return '"' + value.replace('"', '""') + '"' if value else ""


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < _WHOLE_MAX else repr(value)


def _duration(value: timedelta) -> str:
    """Format a duration as ``[h]:mm:ss`` does."""
    sign, value = ("-", -value) if value < timedelta() else ("", value)
    minutes, seconds = divmod(value.days * 86400 + value.seconds, 60)
    fraction = f".{value.microseconds:06}" if value.microseconds else ""
    return f"{sign}{minutes // 60:02}:{minutes % 60:02}:{seconds:02}{fraction}"


_WRITTEN: dict[type, Callable[[Any], str]] = {
    str: _text,
    float: _number,
    int: str,
    bool: lambda value: "true" if value else "false",
    date: date.isoformat,
    datetime: lambda value: value.isoformat(" "),
    time: time.isoformat,
    timedelta: _duration,
}


def _uncalculated(path: Path) -> int:
    """Count the formulas that no program has calculated. calamine reads them as empty cells."""
    if path.suffix not in _UNCALCULATED:
        return 0
    uncalculated, valued = _UNCALCULATED[path.suffix], _VALUED[path.suffix]
    with zipfile.ZipFile(path) as archive:
        return sum(
            not valued.match(cells, cells.rfind(b"<", 0, found.start()), found.end())
            for part in archive.infolist()
            for cells in _whole_cells(archive, part)
            for found in uncalculated.finditer(cells)
        )


def _whole_cells(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield the XML of a sheet, cut between cells; nothing for any other part."""
    with archive.open(part) as file:
        rest = file.read(_PIECE_BYTES)
        if not _SHEET.search(rest):
            return
        while piece := file.read(_PIECE_BYTES):
            rest += piece
            if last := _LAST_CELL.match(rest):
                yield _ASIDE.sub(b"", rest[: last.end()])
                rest = rest[last.end() :]
            rest = rest[-_CELL_BYTES_MAX:]
        yield _ASIDE.sub(b"", rest)


if __name__ == "__main__":
    sys.exit(main())
