"""Reproducible zip archives: the same files give the same bytes on every machine.

`zipfile` compresses with the machine's zlib, whose output differs between builds. Here members are stored
uncompressed, or copied in compressed form from a wheel.
"""

import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

LOCAL_HEADER = struct.Struct("<4s5H3I2H")
CENTRAL_HEADER = struct.Struct("<4s6H3I5H2I")
END_OF_DIRECTORY = struct.Struct("<4s4H2IH")
"""APPNOTE.TXT, sections 4.3.7, 4.3.12 and 4.3.16."""

VERSION_NEEDED = 20
UNIX = 3 << 8
READABLE_BY_ALL = 0o100644 << 16
NAMES_ARE_UTF8 = 1 << 11
FIRST_DAY = (1 << 5) | 1
"""1 January 1980, the format's earliest date: the build time must not change the bytes."""


@dataclass(frozen=True, kw_only=True)
class Member:
    """A file of an archive.

    Attributes:
        name: Path in the archive, with slashes.
        method: `zipfile.ZIP_STORED` or `zipfile.ZIP_DEFLATED`.
        checksum: CRC-32 of the file.
        size: Bytes of the file.
        data: The file's bytes, compressed with the method.
    """

    name: str
    method: int
    checksum: int
    size: int
    data: bytes


def stored(name: str, content: bytes) -> Member:
    """Return an uncompressed member."""
    return Member(
        name=name,
        method=zipfile.ZIP_STORED,
        checksum=zlib.crc32(content),
        size=len(content),
        data=content,
    )


def members(path: Path) -> Iterator[Member]:
    """Yield the files of an archive in their compressed form.

    Raises:
        zipfile.BadZipFile: The file is not a zip archive, or uses a method that Lambda does not support.
    """
    with zipfile.ZipFile(path) as archive, path.open("rb") as file:
        for entry in archive.infolist():
            if entry.is_dir():
                continue
            if entry.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
                raise zipfile.BadZipFile(f"{path.name}: {entry.filename} must be deflated or stored")
            file.seek(entry.header_offset)
            *_, name_length, extra_length = LOCAL_HEADER.unpack(file.read(LOCAL_HEADER.size))
            file.seek(name_length + extra_length, 1)
            yield Member(
                name=entry.filename,
                method=entry.compress_type,
                checksum=entry.CRC,
                size=entry.file_size,
                data=file.read(entry.compress_size),
            )


def pack(packed: Iterable[Member]) -> bytes:
    """Return an archive of the members, sorted by name and readable by all users."""
    body, directory = bytearray(), bytearray()
    ordered = sorted(packed, key=lambda member: member.name)
    for member in ordered:
        name = member.name.encode()
        common = (
            *(VERSION_NEEDED, NAMES_ARE_UTF8, member.method, 0, FIRST_DAY),
            *(member.checksum, len(member.data), member.size, len(name), 0),
        )
        offset = len(body)
        body += LOCAL_HEADER.pack(b"PK\3\4", *common) + name + member.data
        made_by = UNIX | VERSION_NEEDED
        directory += CENTRAL_HEADER.pack(b"PK\1\2", made_by, *common, 0, 0, 0, READABLE_BY_ALL, offset) + name
    count = len(ordered)
    end = END_OF_DIRECTORY.pack(b"PK\5\6", 0, 0, count, count, len(directory), len(body), 0)
    return bytes(body + directory + end)
