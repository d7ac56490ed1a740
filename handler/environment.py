"""The function's settings, read from its environment variables."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeVar

from datasets import DATASETS_FILE, Datasets
from outputs import PREFIXES

_Number = TypeVar("_Number", int, float)

VERSION_FILE = "VERSION"
"""A file in the function's archive with the program's version. An environment variable would change seconds
before the code does."""


class SettingsError(Exception):
    """An environment variable is missing or has an invalid value."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """The function's settings, typed and checked."""

    bucket: str
    table: str
    region: str
    environment_suffix: str
    max_receive_count: int
    """Receives after which SQS moves a message to the dead-letter queue."""
    rejected_share_max: float
    """The share of rows, 0 to 1, above which rejected rows make the job FAILED."""
    decompressed_bytes_max: int
    decompression_ratio_max: float
    job_retention_days: int
    """Days until a job record expires; 0 keeps it for ever."""
    upload_prefixes: tuple[str, ...]
    """The prefixes of uploads; empty if every key outside the system's prefixes can be an upload."""
    system_prefixes: tuple[str, ...]
    """The prefixes that the system writes under."""
    datasets: Datasets
    """The datasets that contracts describe."""
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
            environment: The environment variables. Lambda sets `LAMBDA_TASK_ROOT` to the folder of the code.

        Raises:
            SettingsError: A variable or a file is missing or invalid. The text names it, its value and what
                is allowed.
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
    """Environment variables, read by type."""

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
            raise _wrong(name, "be a JSON array of strings", value)
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
