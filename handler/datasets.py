"""The stack's datasets: the dataset of an object, and whether Athena would find the object's output.

The Pulumi program checks and compiles the contracts, and adds them to the function's archive.
"""

import json
import re
from calendar import monthrange
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from conversion import Assignment
from conversion.contract.model import Contract
from outputs import Output, output_key

DATASETS_FILE = "datasets.json"
"""The file with the compiled contracts in the function's archive."""

_NOW = re.compile(r"NOW(?:([+-]\d+)(YEAR|MONTH|WEEK|DAY|HOUR|MINUTE|SECOND)S?)?")
_INTEGER = re.compile(r"-?[0-9]{1,18}")
_STEPS = {
    "WEEKS": timedelta(weeks=1),
    "DAYS": timedelta(days=1),
    "HOURS": timedelta(hours=1),
    "MINUTES": timedelta(minutes=1),
    "SECONDS": timedelta(seconds=1),
}


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A dataset: its contract, the prefix of its uploads, and its partition columns."""

    contract: Contract
    prefix: str
    partitions: tuple[Mapping[str, Any], ...]

    def partition_values(self, key: str) -> Mapping[str, str]:
        """Return the partition values in a key; empty if its folders do not follow the contract."""
        folders = key.removeprefix(self.prefix).split("/")[:-1]
        pairs = [folder.partition("=") for folder in folders[: len(self.partitions)]]
        values = {name: value for name, _, value in pairs}
        return values if list(values) == [partition["name"] for partition in self.partitions] else {}

    def assignment(self, key: str) -> Assignment:
        """Return the contract and the partition values of an object."""
        values = self.partition_values(key)
        texts = {
            partition["name"]: _texts(partition, values[partition["name"]])
            for partition in self.partitions
            if partition["name"] in values
        }
        return Assignment(contract=self.contract, partitions=texts)

    def hidden_because(self, key: str, now: datetime) -> str | None:
        """Return why Athena would not find the output for a key; None if it would find it."""
        parts = key.removeprefix(self.prefix).split("/")
        if any(not part for part in parts):
            return "Athena does not read keys with an empty part (//)"
        if any(part.startswith(("_", ".")) for part in parts):
            return "Athena does not read keys with a part that begins with _ or ."
        expected = "".join(f"{partition['name']}=.../" for partition in self.partitions)
        values = self.partition_values(key)
        if self.partitions and not values:
            return f"the key must follow {self.prefix}{expected}, as the contract says"
        for partition in self.partitions:
            if not _is_projected(partition, values[partition["name"]], now):
                return f"the key's value of {partition['name']} is not one that the contract's projection has"
        folders = self.prefix + "".join(f"{name}={value}/" for name, value in values.items())
        if folders not in output_key(Output.PARQUET, key):
            return (
                f"the key has {len(key.encode())} bytes, so the name of its output would be cut within the"
                " folders of its partitions: use shorter values"
            )
        return None


class Datasets:
    """All datasets of the stack."""

    def __init__(self, compiled: Mapping[str, Any]) -> None:
        self._datasets = [
            Dataset(
                contract=Contract.of(dataset),
                prefix=dataset["prefix"],
                partitions=tuple(dataset["partitions"]),
            )
            for dataset in compiled["datasets"]
        ]

    @classmethod
    def load(cls, path: Path) -> "Datasets":
        """Return the datasets in a compiled file; no datasets if the file does not exist."""
        return cls(json.loads(path.read_bytes()) if path.exists() else {"datasets": []})

    def of(self, key: str) -> Dataset | None:
        """Return the dataset of a key; None if it has none. No dataset's prefix contains another's."""
        return next((dataset for dataset in self._datasets if key.startswith(dataset.prefix)), None)

    def __iter__(self) -> Iterator[Dataset]:
        return iter(self._datasets)


def _is_projected(partition: Mapping[str, Any], value: str, now: datetime) -> bool:
    """Return whether a value is projected (Athena user guide, "Supported types for partition projection")."""
    match partition["projection"]:
        case "injected":
            return value != ""
        case "enum":
            return value in partition["values"]
        case "integer":
            number = int(value) if _INTEGER.fullmatch(value) else None
            return (
                number is not None
                and f"{number:0{partition['digits']}d}" == value
                and partition["first"] <= number <= partition["last"]
                and (number - partition["first"]) % partition["interval"] == 0
            )
        case _:
            return _is_projected_date(partition, value, now)


def _texts(partition: Mapping[str, Any], value: str) -> tuple[str, ...]:
    """Return the texts that a file may have for a value: that of the key, and those of its number or date."""
    if partition["projection"] == "integer" and _INTEGER.fullmatch(value):
        return value, str(int(value))
    if partition["projection"] == "date" and (moment := _parsed(value, partition["format"])):
        day, time = f"{moment:%Y-%m-%d}", f"{moment:%H:%M:%S}"
        days = (day,) if time == "00:00:00" else ()
        return value, *days, f"{day} {time}", f"{day} {time}+00", f"{day}T{time}"
    return (value,)


def _is_projected_date(partition: Mapping[str, Any], value: str, now: datetime) -> bool:
    moment = _parsed(value, partition["format"])
    if moment is None:
        return False
    first, last = (_bound(partition[name], partition["format"], now) for name in ("first", "last"))
    if not first <= moment <= last:
        return False
    unit, interval = partition["interval_unit"], partition["interval"]
    if unit in _STEPS:
        return (moment - first) % (_STEPS[unit] * interval) == timedelta()
    months = (moment.year - first.year) * 12 + moment.month - first.month
    is_same_day = (moment.day, moment.time()) == (first.day, first.time())
    return is_same_day and months % (interval * (12 if unit == "YEARS" else 1)) == 0


def _parsed(value: str, pattern: str) -> datetime | None:
    """Return the time in a folder's name; None unless it is written exactly as the pattern says."""
    try:
        moment = datetime.strptime(value, pattern).replace(tzinfo=UTC)
    except ValueError:
        return None
    return moment if moment.strftime(pattern) == value else None


def _bound(text: str, pattern: str, now: datetime) -> datetime:
    """Return one end of a range. A relative end is truncated to the pattern, as in Trino."""
    if text.startswith("NOW"):
        text = _moved(text, now).strftime(pattern)
    return datetime.strptime(text, pattern).replace(tzinfo=UTC)


def _moved(text: str, now: datetime) -> datetime:
    relative = _NOW.fullmatch(text)
    amount, unit = (int(relative[1] or 0), relative[2]) if relative else (0, None)
    if unit in ("YEAR", "MONTH"):
        months = now.year * 12 + now.month - 1 + amount * (12 if unit == "YEAR" else 1)
        year, month = months // 12, months % 12 + 1
        # A month without the day ends earlier (Java SE, "LocalDateTime.plusMonths").
        return now.replace(year=year, month=month, day=min(now.day, monthrange(year, month)[1]))
    return now + amount * _STEPS[f"{unit}S"] if unit else now
