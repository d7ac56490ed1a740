"""What the function is deployed for, read from its environment."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeVar

from datasets import DATASETS_FILE, Datasets
from outputs import PREFIXES

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
    upload_prefixes: tuple[str, ...]
    """What keys of uploads begin with; empty for any key that is not the system's."""
    system_prefixes: tuple[str, ...]
    """What keys begin with that the system writes."""
    datasets: Datasets
    """Folders that a contract describes."""
    program_version: str

    def __post_init__(self) -> None:
        for prefix in PREFIXES:
            if not prefix.startswith(self.system_prefixes):
                raise _wrong(
                    "SYSTEM_PREFIXES", f"hold {prefix}, which the function writes", self.system_prefixes
                )
        for prefix in self.upload_prefixes:
            if prefix.startswith(self.system_prefixes):
                raise _wrong("UPLOAD_PREFIXES", "be apart from SYSTEM_PREFIXES", self.upload_prefixes)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read the settings.

        Args:
            environment: of the function; Lambda sets `LAMBDA_TASK_ROOT` to the folder of the function's code.

        Raises:
            SettingsError: naming the variable or the file, its value and what would be right.
        """
        variables = _Variables(environment)
        archive = Path(variables.text("LAMBDA_TASK_ROOT"))
        return cls(
            bucket=variables.text("BUCKET_NAME"),
            table=variables.text("TABLE_NAME"),
            region=variables.text("REGION"),
            environment_suffix=variables.text("ENVIRONMENT_SUFFIX"),
            max_receive_count=variables.number("MAX_RECEIVE_COUNT", int, 1, 1000),
            rejected_share_max=variables.number("REJECTED_SHARE_MAX", float, 0.0, 1.0),
            decompressed_bytes_max=variables.number("MAX_DECOMPRESSED_BYTES", int, 1, 2**50),
            decompression_ratio_max=variables.number("MAX_DECOMPRESSION_RATIO", float, 1.0, 1e9),
            job_retention_days=variables.number("JOB_RETENTION_DAYS", int, 0, 36500),
            upload_prefixes=variables.texts("UPLOAD_PREFIXES"),
            system_prefixes=variables.texts("SYSTEM_PREFIXES"),
            datasets=Datasets.load(archive / DATASETS_FILE),
            program_version=_version(archive / VERSION_FILE),
        )


class _Variables:
    """Environment variables by type."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def text(self, name: str) -> str:
        value = self._environment.get(name)
        if not value:
            raise SettingsError(f"environment variable {name} is not set")
        return value

    def number(self, name: str, kind: Callable[[str], _Number], low: _Number, high: _Number) -> _Number:
        value = self.text(name)
        try:
            parsed = kind(value)
        except ValueError:
            parsed = None
        if parsed is None or not low <= parsed <= high:
            raise _wrong(name, f"be {low} to {high}", value)
        return parsed

    def texts(self, name: str) -> tuple[str, ...]:
        value = self.text(name)
        try:
            parsed = json.loads(value)
        except ValueError:
            parsed = None
        if not isinstance(parsed, list) or not all(isinstance(item, str) and item for item in parsed):
            raise _wrong(name, "be a JSON array of texts", value)
        return tuple(parsed)


def _wrong(name: str, right: str, value: object) -> SettingsError:
    return SettingsError(f"environment variable {name} must {right}, got {value!r}")


def _version(path: Path) -> str:
    try:
        version = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingsError(f"{path} must hold the program's version, got {error.strerror}") from None
    if not version:
        raise SettingsError(f"{path} must hold the program's version, got an empty file")
    return version
