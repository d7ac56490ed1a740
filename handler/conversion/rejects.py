"""The rejected records, each with its place, the reason and its exact bytes."""

import base64
from collections.abc import Mapping
from pathlib import Path

import msgspec

from conversion.decode import not_text_reason


class Rejects:
    """The file ``rejected.jsonl``. It is created with the first rejected record.

    Each record names the job and the generation of its key. S3's conditional writes compare ETags, so the
    files of two generations must differ even if their rejected records are the same.

    Attributes:
        encoding: The encoding of the object, as the current pass reads it.
    """

    def __init__(self, path: Path, provenance: Mapping[str, str]) -> None:
        self._path = path
        self._origin = {name: provenance[name] for name in ("job_id", "generation") if name in provenance}
        self._file = None
        self.encoding = "utf-8"
        self.count = 0
        self._first = ""
        self._not_text = ""

    @property
    def path(self) -> Path | None:
        """The file; None if no record was rejected."""
        return self._path if self.count else None

    @property
    def summary(self) -> str:
        """The place and the reason of the first damaged row, and the first byte that is not text."""
        more = self._not_text
        return self._first if more in self._first else f"{self._first}; {more}"

    def not_text_reason(self, data: bytes, offset: int) -> str | None:
        """Return why ``data``, which begins at ``offset``, is not text; None if it is."""
        return not_text_reason(data, offset, self.encoding)

    def add(
        self,
        *,
        record: int,
        line: int,
        byte_offset: int,
        column: str | None,
        reason: str,
        raw: bytes,
        is_damaged: bool = True,
    ) -> None:
        """Write one record.

        Args:
            record: Its number, from 1.
            line: Its first line, from 1.
            byte_offset: Its offset, from 0.
            column: The column that is to blame.
            reason: Why it is rejected.
            raw: Its bytes.
            is_damaged: Whether it is a damaged row, and not a comment or the header again.
        """
        if self._file is None:
            self._file = self._path.open("ab")
        self.count += 1
        if is_damaged:
            self._first = self._first or f"the first at line {line}: {reason}"
            self._not_text = self._not_text or self.not_text_reason(raw, byte_offset) or ""
        place = {
            "record": record,
            "line": line,
            "byte_offset": byte_offset,
            "column": column,
            "reason": reason,
        }
        try:
            text = {"raw": raw.decode()}
        except UnicodeDecodeError:
            text = {"raw_base64": base64.b64encode(raw).decode()}
        self._file.write(msgspec.json.encode(place | text | self._origin) + b"\n")

    def forget(self) -> None:
        """Delete the records before another pass."""
        self.close()
        self._path.unlink(missing_ok=True)
        self.count = 0
        self._first = self._not_text = ""

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None
