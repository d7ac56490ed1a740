"""Read a ZIP archive that holds one table."""

import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from conversion.budget import Budget
from conversion.compression import unpacked_bytes_max, unpacks_to_more
from conversion.model import BLOCK_BYTES, MEBIBYTE, EmptyError, UnreadableError

MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
"""The first bytes of an archive: those of its first file, or of its end if it is empty."""

_DIRECTORY_BYTES_MAX = MEBIBYTE
"""The directory at an archive's end takes about 16 times its size in memory."""

# Where the last records of an archive have the size of its directory (PKWARE APPNOTE.TXT, 4.3.14 to 4.3.16).
_END, _END_BYTES, _END_SIZE = b"PK\x05\x06", 22, slice(12, 16)
_LOCATOR_64, _LOCATOR_BYTES = b"PK\x06\x07", 20
_END_64, _END_64_SIZE = b"PK\x06\x06", slice(40, 48)
_TAIL_BYTES = _END_BYTES + 0xFFFF + 2 * 1024

_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2}
"""The methods whose memory the archive does not choose."""

_ENCRYPTED = 0x1
_NAMES_SHOWN = 5
_NAME_LENGTH_MAX = 60


def members(path: Path) -> list[zipfile.ZipInfo]:
    """Return the files in an archive without those that operating systems add.

    Raises:
        UnreadableError: The archive is damaged, or its directory is too large.
    """
    size = _directory_bytes(path)
    if size > _DIRECTORY_BYTES_MAX:
        raise UnreadableError(
            f"a ZIP archive with a directory of {size} bytes, more than {_DIRECTORY_BYTES_MAX} bytes: "
            "upload each file by itself"
        )
    try:
        with zipfile.ZipFile(path) as archive:
            return [info for info in archive.infolist() if not _is_added(info)]
    except (zipfile.BadZipFile, ValueError, OverflowError, NotImplementedError):
        raise _damaged() from None


def opened(path: Path, budget: Budget) -> Iterator[bytes]:
    """Yield the one file in an archive in blocks of at most BLOCK_BYTES, and check its checksum.

    Raises:
        EmptyError: There is no file.
        UnreadableError: There are several, it cannot be read, or it is too large when decompressed.
    """
    info = the_member(path)
    size, limits = path.stat().st_size, budget.limits
    # zipfile reads at most the size in the directory.
    if info.file_size > unpacked_bytes_max(size, limits):
        raise unpacks_to_more(size, limits)
    try:
        with zipfile.ZipFile(path) as archive, archive.open(info) as member:
            while block := member.read(BLOCK_BYTES):
                budget.check()
                yield block
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError):
        raise _damaged() from None


def the_member(path: Path) -> zipfile.ZipInfo:
    """Return the one file in an archive.

    Raises:
        EmptyError: There is no file.
        UnreadableError: There are several, or it cannot be read.
    """
    found = members(path)
    if not found:
        raise EmptyError("the ZIP archive has no files")
    if len(found) > 1:
        raise UnreadableError(
            f"a ZIP archive of {len(found)} files, and only one is read: "
            f"{shown(info.filename for info in found)}. Upload each by itself"
        )
    if found[0].flag_bits & _ENCRYPTED:
        raise UnreadableError("an encrypted ZIP archive: upload it without a password")
    if found[0].compress_type not in _METHODS:
        raise UnreadableError(
            f"a ZIP archive compressed by method {found[0].compress_type}: stored, deflate and bzip2 are read"
        )
    return found[0]


def shown(names: Iterable[str]) -> str:
    """Return the first few of ``names`` for a message."""
    listed = [repr(name[:_NAME_LENGTH_MAX]) for name in names]
    more = len(listed) - _NAMES_SHOWN
    return ", ".join(listed[:_NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _is_added(info: zipfile.ZipInfo) -> bool:
    """Return whether an entry is a folder, or a file that macOS or Windows added."""
    name = info.filename.rpartition("/")[2].lower()  # Windows writes them in any case.
    return not name or name.startswith(("._", ".ds_store")) or name in ("thumbs.db", "desktop.ini")


def _directory_bytes(path: Path) -> int:
    """Return the size of the directory, which is read at once, as the archive's end states it."""
    with path.open("rb") as file:
        file.seek(max(0, file.seek(0, 2) - _TAIL_BYTES))
        tail = file.read()
    ends = {len(tail) - _END_BYTES, tail.rfind(_END)}
    sizes = [
        size for end in ends if end >= 0 and tail.startswith(_END, end) for size in _announced(tail, end)
    ]
    if not sizes:
        raise _damaged()
    return max(sizes)


def _announced(tail: bytes, end: int) -> list[int]:
    if not tail.startswith(_LOCATOR_64, end - _LOCATOR_BYTES):
        return [int.from_bytes(tail[end:][_END_SIZE], "little")]
    sizes, at = [], tail.find(_END_64)
    while at >= 0:
        sizes.append(int.from_bytes(tail[at:][_END_64_SIZE], "little"))
        at = tail.find(_END_64, at + 1)
    return sizes


def _damaged() -> UnreadableError:
    return UnreadableError("a damaged or truncated ZIP archive")
