"""The records that no faithful reading takes, each with its place, the reason and its bytes as they were."""

import base64
import json
from collections.abc import Mapping
from pathlib import Path

from conversion.decode import not_text_reason


class Rejects:
    """Writes ``rejected.jsonl`` as records are found; there is no file until there is one.

    Each record names the job and the generation of its key. What is published for two generations with the
    same bad records must differ in its bytes: S3's conditional writes tell objects apart by their ETags.
    """

    def __init__(self, path: Path, provenance: Mapping[str, str]) -> None:
        self._path = path
        self._origin = {name: provenance[name] for name in ("job_id", "generation") if name in provenance}
        self._file = None
        self.count = 0
        self._first = ""
        self._not_text = ""

    @property
    def path(self) -> Path | None:
        """The file, if any record was rejected."""
        return self._path if self.count else None

    @property
    def summary(self) -> str:
        """Where the first one is and what it has, without its text; and the first byte that is no text."""
        more = self._not_text
        return self._first if more in self._first else f"{self._first}; {more}"

    def add(
        self, *, record: int, line: int, byte_offset: int, column: str | None, reason: str, raw: bytes
    ) -> None:
        """Write one record. ``record`` and ``line`` count from 1, ``byte_offset`` from 0."""
        if self._file is None:
            self._file = self._path.open("a", encoding="utf-8")
        if not self.count:
            self._first = f"the first at line {line}: {reason}"
        self._not_text = self._not_text or not_text_reason(raw, byte_offset) or ""
        self.count += 1
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
        self._file.write(json.dumps(place | text | self._origin, ensure_ascii=False) + "\n")

    def forget(self) -> None:
        """Begin anew, for a reading that finds them again."""
        self.close()
        self._path.unlink(missing_ok=True)
        self.count = 0
        self._first = self._not_text = ""

    def close(self) -> None:
        """Finish the file."""
        if self._file is not None:
            self._file.close()
            self._file = None
