"""Read a workbook (.xlsx, .xls, .ods) that has one sheet with data, as CSV."""

import os
import re
import subprocess
import sys
from mmap import ACCESS_READ, mmap
from pathlib import Path
from zipfile import ZipInfo

from conversion import sheet
from conversion.archive import members
from conversion.budget import Budget, resident_bytes
from conversion.compression import unpacked_bytes_max, unpacks_to_more
from conversion.model import EmptyError, UnreadableError

OLD_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""The first bytes of an .xls and of other old Office documents (MS-CFB, 2.2)."""

_ENCRYPTED = re.compile(
    re.escape("EncryptedPackage".encode("utf-16-le"))
    + rb"|\x09\x08\x10\x00\x00\x06\x05\x00.{12}(?:\x86\x00\x00\x00)?\x2f\x00",
    re.DOTALL,
)
"""The mark of an encrypted workbook. An .xlsx has a stream with this name (MS-OFFCRYPTO, 2.3.4.4). An .xls
has the record FilePass after the record BOF (MS-XLS, 2.4.117)."""

_HELD = {
    "xlsx": re.compile(r"worksheets/|sheet[^/]*\.xml$|sharedStrings\.xml$", re.IGNORECASE),
    "ods": re.compile(r"^content\.xml$"),
}
"""The names of the parts that calamine holds in memory. An .xlsx may have them in any folder."""

_OTHERS = {
    "xl/workbook.bin": "an Excel binary workbook: save it as .xlsx",
    "word/document.xml": "a Word document: upload its table as .xlsx or CSV",
    "ppt/presentation.xml": "a PowerPoint document: upload its table as .xlsx or CSV",
}

# The peak memory of a sheet, in multiples of the XML of an .xlsx or .ods, and of the size of an .xls.
# Measured with a million cells (VmHWM): .xlsx 1.6 to 2.2 (text, numbers, shared text), .ods 0.8, .xls 10.7.
_XML_FACTOR = 2.5
_XLS_FACTOR = 11
_POLL_SECONDS = 0.05


def workbook_kind(path: Path) -> str | None:
    """Return the kind of a workbook: ``xlsx``, ``ods`` or ``xls``; None for any other ZIP archive.

    Raises:
        UnreadableError: The file is damaged, or another Office document.
    """
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as content:
        if content[: len(OLD_MAGIC)] == OLD_MAGIC:
            if _ENCRYPTED.search(content):
                raise UnreadableError(sheet.ENCRYPTED)
            return "xls"
    names = {_name(info) for info in members(path)}
    for name, description in _OTHERS.items():
        if name in names:
            raise UnreadableError(f"unsupported format, by its content: {description}")
    if any(name.rpartition("/")[2] == "workbook.xml" for name in names):
        return "xlsx"
    # LibreOffice may encrypt all parts as one.
    return "ods" if "mimetype" in names and names & {"content.xml", "encrypted-package"} else None


def sheet_text(path: Path, kind: str, budget: Budget, wanted: str = "", skipped: int = 0) -> Path:
    """Write the one sheet of a workbook as CSV beside it, in UTF-8 with quoted text and LF.

    Args:
        path: The workbook.
        kind: The result of ``workbook_kind``.
        budget: The limits.
        wanted: The sheet's name. Empty for the only sheet with data.
        skipped: The first rows of the sheet that are left out, blank or not.

    Returns:
        The path of the CSV.

    Raises:
        EmptyError: No sheet has data.
        UnreadableError: Several sheets have data, or the workbook cannot be read, or not in this memory.
    """
    available = budget.memory_bytes - resident_bytes()
    needed = _needed_bytes(path, kind, budget)
    if needed > available:
        raise _too_large(f"about {needed} bytes, and {available} bytes are left")
    # calamine detects the kind by the name.
    named, text = path.with_suffix(f".{kind}"), path.with_suffix(".sheet")
    path.rename(named)
    _read(named, text, available, budget, wanted, skipped)
    named.unlink()
    return text


def _needed_bytes(path: Path, kind: str, budget: Budget) -> int:
    """Return the memory that a workbook takes, in bytes, without decompressing it."""
    size = path.stat().st_size
    if kind == "xls":
        return size * _XLS_FACTOR
    found = members(path)
    if sum(info.file_size for info in found) > unpacked_bytes_max(size, budget.limits):
        raise unpacks_to_more(size, budget.limits)
    held = sum(info.file_size for info in found if _HELD[kind].search(_name(info)))
    return int(held * _XML_FACTOR)


def _name(info: ZipInfo) -> str:
    """Return the name of a part. Some writers on Windows separate folders by backslashes."""
    return info.filename.replace("\\", "/")


def _read(path: Path, text: Path, memory: int, budget: Budget, wanted: str, skipped: int) -> None:
    program = [sys.executable, "-P", sheet.__file__, str(path), str(memory), wanted, str(skipped)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with (
        text.open("wb") as output,
        subprocess.Popen(program, stdout=output, stderr=subprocess.PIPE, env=environment) as process,
    ):
        try:
            reason = _awaited(process, text, budget)
        except BaseException:
            process.kill()
            raise
    if process.returncode == sheet.EMPTY:
        raise EmptyError("the workbook has no data")
    if process.returncode == sheet.UNREADABLE:
        raise UnreadableError(reason.decode().splitlines()[-1])
    if process.returncode < 0 or process.returncode == sheet.TOO_LARGE:
        # In Rust a failing allocation aborts the process.
        raise _too_large(f"more than the {memory} bytes that are left")
    if process.returncode:
        raise OSError(f"calamine ended with exit code {process.returncode}: {reason.decode()[-500:]}")


def _awaited(process: subprocess.Popen[bytes], text: Path, budget: Budget) -> bytes:
    """Wait for the program within the limits, and return its standard error."""
    while True:
        try:
            return process.communicate(timeout=_POLL_SECONDS)[1]
        except subprocess.TimeoutExpired:
            budget.check()
            budget.check_disk(text.stat().st_size)


def _too_large(what: str) -> UnreadableError:
    return UnreadableError(
        f"a workbook that needs too much memory: {what}. Its cells may be far apart: save the sheet as CSV, "
        "or raise the function's memory"
    )
