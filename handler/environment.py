"""What the function is deployed for, read from its environment."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeVar

_Number = TypeVar("_Number", int, float)

VERSION_FILE = "VERSION"
"""In the function's archive: the program's version. It changes with the code, not seconds before it, as an
environment variable does."""


class SettingsError(Exception):
    """An environment variable is missing or has a value that cannot be used."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """The function's environment, typed and checked."""

    bucket: str
    table: str
    region: str
    environment_suffix: str
    max_receive_count: int
    """Receives after which SQS moves a message to the dead-letter queue."""
    rejected_share_max: float
    """Share of rows (0 to 1) that may be rejected before the object counts as unreadable."""
    decompressed_bytes_max: int
    decompression_ratio_max: float
    job_retention_days: int
    """Days until a job record expires; 0 keeps it for ever."""
    datasets: tuple[str, ...]
    """Names that metrics tell apart; every other key counts as `other`."""
    program_version: str

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read the settings.

        Args:
            environment: of the function; Lambda sets `LAMBDA_TASK_ROOT` to the folder of the function's code.

        Raises:
            SettingsError: naming the variable or the file, its value and what would be right.
        """

        def text(name: str) -> str:
            value = environment.get(name, "")
            if not value:
                raise SettingsError(f"environment variable {name} is not set")
            return value

        def number(name: str, kind: Callable[[str], _Number], low: _Number, high: _Number) -> _Number:
            value = text(name)
            try:
                parsed = kind(value)
            except ValueError:
                parsed = None
            if parsed is None or not low <= parsed <= high:
                raise SettingsError(f"environment variable {name} must be {low} to {high}, got {value!r}")
            return parsed

        def texts(name: str) -> tuple[str, ...]:
            value = environment.get(name) or "[]"
            try:
                parsed = json.loads(value)
            except ValueError:
                parsed = None
            if not isinstance(parsed, list) or not all(isinstance(item, str) and item for item in parsed):
                raise SettingsError(
                    f"environment variable {name} must be a JSON array of texts, got {value!r}"
                )
            return tuple(parsed)

        return cls(
            bucket=text("BUCKET_NAME"),
            table=text("TABLE_NAME"),
            region=text("REGION"),
            environment_suffix=text("ENVIRONMENT_SUFFIX"),
            max_receive_count=number("MAX_RECEIVE_COUNT", int, 1, 1000),
            rejected_share_max=number("REJECTED_SHARE_MAX", float, 0.0, 1.0),
            decompressed_bytes_max=number("MAX_DECOMPRESSED_BYTES", int, 1, 2**50),
            decompression_ratio_max=number("MAX_DECOMPRESSION_RATIO", float, 1.0, 1e9),
            job_retention_days=number("JOB_RETENTION_DAYS", int, 0, 36500),
            datasets=texts("DATASETS"),
            program_version=_version(Path(text("LAMBDA_TASK_ROOT")) / VERSION_FILE),
        )


def _version(path: Path) -> str:
    try:
        version = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingsError(f"{path} must hold the program's version, got {error.strerror}") from None
    if not version:
        raise SettingsError(f"{path} must hold the program's version, got an empty file")
    return version
