"""Checks across the parts of a contract, and across the contracts of a stack."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime

from components.contracts import java_dates
from components.contracts.model import Contract, Partition, Projection
from components.contracts.reader import RESCUED, UNIT_OF_LETTER

SMOKE_TEST_PREFIX = "input/_smoke/"
"""The prefix of the uploads of `ops smoke`, which must not belong to a dataset."""

PREFIX_BYTES_MAX = 700
"""S3 keys have up to 1,024 bytes. Folders, the file name and what the system adds need the rest."""

NAME_LENGTH_MAX = 64
"""The limit of a dataset's name. Names of workgroups and policies add project, region and suffix, and have up
to 128 characters (Athena and IAM API references, CreateWorkGroup and CreatePolicy)."""

PARTITIONS_MAX = 1_000_000
"""The limit for one query (Athena user guide, "Service quotas")."""

_NOW = re.compile(r"NOW(?:[+-](\d{1,12})(YEAR|MONTH|WEEK|DAY|HOUR|MINUTE)S?)?")
_HOURS = {"YEAR": 365 * 24, "MONTH": 30 * 24, "WEEK": 7 * 24, "DAY": 24, "HOUR": 1, "MINUTE": 1 / 60}
_YEARS_MAX = 1_000
"""The longest distance from NOW, so that all years of a range have four digits."""
_INTERVAL_MAX = 100_000_000
_VALUE = re.compile(r"[^%/\\: ]+")
_UNITS = ("YEARS", "MONTHS", "WEEKS", "DAYS", "HOURS", "MINUTES", "SECONDS")


def problems(contract: Contract) -> Iterator[str]:
    """Yield the problems of one contract. Each begins with the field."""
    if len(contract.name) > NAME_LENGTH_MAX:
        yield f"name: must have up to {NAME_LENGTH_MAX} characters, got {len(contract.name)}"
    yield from _prefix_problems(contract.prefix)
    names = [
        *(column.name for column in contract.columns),
        *(partition.name for partition in contract.partitions),
    ]
    for name, count in Counter(names).items():
        if count > 1:
            yield f"properties: must name each column once, got {name!r} {count} times"
    sources = Counter(column.source.casefold() for column in contract.columns)
    for source, count in sources.items():
        if count > 1:
            yield f"properties: must take each column of the source once, got {source!r} {count} times"
    if RESCUED in sources:
        yield f"properties: must not take {RESCUED} from the source, for the table has it already, got it"
    for partition in contract.partitions:
        for problem in _partition_problems(partition):
            yield f"properties: {partition.name}: projection: {problem}"
    if contract.keys and any(part.projection is Projection.INJECTED for part in contract.partitions):
        yield (
            "primaryKey: must be left out beside an injected partition, which each query must name,"
            " and the view of the newest rows cannot, got both"
        )


def problems_together(
    contracts: Sequence[Contract], *, system_prefixes: Sequence[str], upload_prefixes: Sequence[str]
) -> Iterator[str]:
    """Yield the problems of a stack's contracts together. Each begins with the contract's name."""
    tables = Counter(name for contract in contracts for name in table_names(contract))
    for name, count in tables.items():
        if count > 1:
            yield f"{name}: must be the name of one table or view, got it from {count} contracts"
    for contract in contracts:
        for prefix in system_prefixes:
            if contract.prefix.startswith(prefix) or prefix.startswith(contract.prefix):
                yield (
                    f"{contract.name}: keyPrefix must leave out the system's {prefix},"
                    f" got {contract.prefix!r}"
                )
        if upload_prefixes and not contract.prefix.startswith(tuple(upload_prefixes)):
            allowed = ", ".join(upload_prefixes)
            yield (
                f"{contract.name}: keyPrefix must lie under one of the setting uploadPrefixes"
                f" ({allowed}), got {contract.prefix!r}"
            )
        if SMOKE_TEST_PREFIX.startswith(contract.prefix):
            yield (
                f"{contract.name}: keyPrefix must leave out {SMOKE_TEST_PREFIX}, where the smoke test"
                f" uploads, got {contract.prefix!r}"
            )
        for other in contracts:
            if other is not contract and contract.prefix.startswith(other.prefix):
                yield (
                    f"{contract.name}: keyPrefix must not lie under that of {other.name} ({other.prefix}),"
                    f" whose table reads everything below, got {contract.prefix!r}"
                )


def table_names(contract: Contract) -> tuple[str, ...]:
    """Return the names of a contract's table and, if it has keys, its view."""
    return (contract.name, current_view(contract.name)) if contract.keys else (contract.name,)


def current_view(dataset: str) -> str:
    """Return the name of the view of the newest row of each key."""
    return f"{dataset}_current"


def _prefix_problems(prefix: str) -> Iterator[str]:
    parts = prefix.split("/")
    if not prefix.endswith("/") or len(parts) < 2 or any(not part for part in parts[:-1]):
        yield f"keyPrefix: must be folders that each end with /, such as input/flights/, got {prefix!r}"
    elif any(part.startswith(("_", ".")) for part in parts[:-1]):
        yield (
            "keyPrefix: must have no folder that begins with _ or ., which Athena does not see,"
            f" got {prefix!r}"
        )
    if re.search(r"[^A-Za-z0-9_.=/-]", prefix) or len(prefix.encode()) > PREFIX_BYTES_MAX:
        yield (f"keyPrefix: must be up to {PREFIX_BYTES_MAX} letters, digits and _ . = - /, got {prefix!r}")


def _partition_problems(partition: Partition) -> Iterator[str]:
    if partition.projection is Projection.ENUM:
        if not partition.values or len(set(partition.values)) != len(partition.values):
            yield f"values must be different texts, at least one, got {list(partition.values)}"
        for value in partition.values:
            if not _VALUE.fullmatch(value) or "," in value:
                yield f"values must hold no %, /, \\, :, comma or space, got {value!r}"
    elif partition.projection is Projection.INTEGER:
        yield from _integer_problems(partition)
    elif partition.projection is Projection.DATE:
        yield from _date_problems(partition)
    if partition.interval < 1:
        yield f"interval must be 1 or more, got {partition.interval}"


def _integer_problems(partition: Partition) -> Iterator[str]:
    bounds = (partition.first, partition.last)
    if not all(re.fullmatch(r"-?\d{1,18}", bound) for bound in bounds):
        yield f"first and last must be integers in quotes, got {bounds}"
    elif int(partition.first) > int(partition.last):
        yield f"first must be no greater than last, got {bounds}"
    elif (int(partition.last) - int(partition.first)) // max(1, partition.interval) >= PARTITIONS_MAX:
        yield f"first and last must span fewer than {PARTITIONS_MAX:,} values, got {bounds}"
    if not 0 <= partition.digits <= 18:
        yield f"digits must be 0 to 18, got {partition.digits}"


def _date_problems(partition: Partition) -> Iterator[str]:
    try:
        pattern = java_dates.to_strptime(partition.format)
    except ValueError as error:
        yield f"format {error}"
        return
    if not set("%/\\: ").isdisjoint(re.sub("%-?[A-Za-z]", "", pattern)):
        yield f"format must give a folder's name, without %, /, \\, : and space, got {partition.format!r}"
    if partition.interval_unit not in _UNITS:
        yield f"intervalUnit must be one of {', '.join(_UNITS)}, got {partition.interval_unit!r}"
    elif _finer_than_written(partition):
        yield (
            f"intervalUnit must be no finer than what the format writes ({partition.format}), or Athena has"
            f" each folder many times, got {partition.interval_unit!r}"
        )
    if partition.interval > _INTERVAL_MAX:
        yield f"interval must be up to {_INTERVAL_MAX:,} {partition.interval_unit}, got {partition.interval}"
    yield from _range_problems(partition, pattern)


def _range_problems(partition: Partition, pattern: str) -> Iterator[str]:
    for name, value in (("first", partition.first), ("last", partition.last)):
        if not _NOW.fullmatch(value) and not _is_date(value, pattern):
            yield f"{name} must be a date as {partition.format}, NOW or NOW+1DAY, got {value!r}"
        elif _is_far(value):
            yield f"{name} must be within {_YEARS_MAX:,} years of NOW, got {value!r}"
    if all(_is_date(text, pattern) for text in (partition.first, partition.last)) and (
        _parsed(partition.first, pattern) > _parsed(partition.last, pattern)
    ):
        yield f"first must be no later than last, got {partition.first!r} and {partition.last!r}"
    if partition.last == "NOW":
        yield "last must be NOW+1DAY, for NOW is in UTC and other zones are a day ahead, got 'NOW'"


def _is_far(bound: str) -> bool:
    relative = _NOW.fullmatch(bound)
    return bool(
        relative and relative[2] and int(relative[1]) * _HOURS[relative[2]] > _YEARS_MAX * _HOURS["YEAR"]
    )


def _finer_than_written(partition: Partition) -> bool:
    finest = next((unit for letter, unit in UNIT_OF_LETTER.items() if letter in partition.format), "DAYS")
    return _UNITS.index(partition.interval_unit) > _UNITS.index(finest)


def _is_date(text: str, pattern: str) -> bool:
    try:
        _parsed(text, pattern)
    except ValueError:
        return False
    return True


def _parsed(text: str, pattern: str) -> datetime:
    return datetime.strptime(text, pattern.replace("%-", "%").replace("%g", "%f"))
