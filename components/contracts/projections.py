"""Checks of the partitions of a contract: projections that Athena refuses, misreads or finds empty.

Athena user guide, "Supported types for partition projection":
https://docs.aws.amazon.com/athena/latest/ug/partition-projection-supported-types.html
"""

import math
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from components.contracts import java_dates
from components.contracts.model import Partition, Projection
from components.contracts.reader import unit_of

PARTITIONS_MAX = 1_000_000
"""The limit for one query (Athena user guide, "Service quotas")."""

_NOW = re.compile(r"NOW(?:([+-][0-9]{1,12})(YEAR|MONTH|WEEK|DAY|HOUR|MINUTE)S?)?")
_HOURS = {
    "YEAR": 365 * 24, "MONTH": 30 * 24, "WEEK": 7 * 24, "DAY": 24, "HOUR": 1, "MINUTE": 1 / 60,
    "SECOND": 1 / 3600,
}  # fmt: skip
_YEARS_MAX = 1_000
"""The longest distance from NOW, so that all years of a range have four digits."""
_INTERVAL_MAX = 100_000_000
_UNITS = ("YEARS", "MONTHS", "WEEKS", "DAYS", "HOURS", "MINUTES", "SECONDS")
_RESERVED = frozenset("%/\\:, ${}")
"""Characters of keys, of the template of locations and of the list of an enum's values."""


def problems(partitions: Sequence[Partition]) -> Iterator[str]:
    """Yield the problems of a contract's partitions. Each begins with the field."""
    now = datetime.now(UTC)
    found = [
        f"properties: {partition.name}: projection: {problem}"
        for partition in partitions
        for problem in _problems(partition, now)
    ]
    yield from found
    count = 0 if found else math.prod(map(_count, partitions))
    if count > PARTITIONS_MAX:
        yield (
            f"properties: must have up to {PARTITIONS_MAX:,} partitions together, the most that a query can"
            f" read, got {count:,}"
        )


def _problems(partition: Partition, now: datetime) -> Iterator[str]:
    if not 1 <= partition.interval <= _INTERVAL_MAX:
        yield f"interval must be 1 to {_INTERVAL_MAX:,}, got {partition.interval}"
    match partition.projection:
        case Projection.ENUM:
            yield from _enum_problems(partition.values)
        case Projection.INTEGER:
            yield from _integer_problems(partition)
        case Projection.DATE:
            yield from _date_problems(partition, now)
        case Projection.INJECTED:
            pass


def _enum_problems(values: Sequence[str]) -> Iterator[str]:
    if not values or len(set(values)) != len(values):
        yield f"values must be different texts, at least one, got {list(values)}"
    for value in values:
        if not value or not value.isprintable() or not _RESERVED.isdisjoint(value):
            yield (
                "values must be visible characters, without %, /, \\, :, $, braces, comma and space,"
                f" got {value!r}"
            )


def _integer_problems(partition: Partition) -> Iterator[str]:
    bounds = (partition.first, partition.last)
    if not all(re.fullmatch(r"-?[0-9]{1,18}", bound) for bound in bounds):
        yield f"first and last must be integers in quotes, got {bounds}"
    elif int(partition.first) > int(partition.last):
        yield f"first must be no greater than last, got {bounds}"
    if not 0 <= partition.digits <= 18:
        yield f"digits must be 0 to 18, got {partition.digits}"


def _date_problems(partition: Partition, now: datetime) -> Iterator[str]:
    try:
        pattern = java_dates.of_folder(partition.format)
    except ValueError as error:
        yield f"format {error}"
        return
    if partition.interval_unit not in _UNITS:
        yield f"intervalUnit must be one of {', '.join(_UNITS)}, got {partition.interval_unit!r}"
    elif _finer_than_written(partition):
        yield (
            f"intervalUnit must be no finer than what the format writes ({partition.format}), or Athena has"
            f" each folder many times, got {partition.interval_unit!r}"
        )
    bounds = {"first": partition.first, "last": partition.last}
    wrong = [
        f"{name} {problem}, got {bound!r}"
        for name, bound in bounds.items()
        if (problem := _bound_problem(bound, partition.format, pattern))
    ]
    yield from wrong
    if wrong:
        return
    first, last = (_moment(bound, pattern, now) for bound in bounds.values())
    if first >= last:  # Trino, on which Athena is based, refuses an equal end too (its DateProjection)
        yield (
            "first must be earlier than last (a single value is an enum),"
            f" got {partition.first!r} and {partition.last!r}"
        )
    yield from _step_problems(partition, first)
    if (shift := _shift_hours(partition.last)) is not None and shift < _HOURS["DAY"]:
        yield (
            "last must be NOW+1DAY or later, for NOW is in UTC and other zones are a day ahead,"
            f" got {partition.last!r}"
        )


def _step_problems(partition: Partition, first: datetime) -> Iterator[str]:
    """Yield the problem of the first value, from which Athena counts the steps."""
    unit = partition.interval_unit
    is_relative = _shift_hours(partition.first) is not None
    if is_relative and (partition.interval > 1 or unit != unit_of(partition.format)):
        yield (
            "first must be a date if the steps leave out values. Relative to NOW, it would change from day to"
            f" day which values are read, got {partition.first!r}"
        )
    if not is_relative and (
        (unit == "MONTHS" and first.day > 28) or (unit == "YEARS" and (first.month, first.day) == (2, 29))
    ):
        yield (
            "first must be on a day that every step has, such as one up to the 28th, because a shorter month"
            f" would move all later values, got {partition.first!r}"
        )


def _finer_than_written(partition: Partition) -> bool:
    return _UNITS.index(partition.interval_unit) > _UNITS.index(unit_of(partition.format))


def _bound_problem(bound: str, java_format: str, pattern: str) -> str | None:
    """Return what a bound of a range must be; None if it is valid."""
    shift = _shift_hours(bound)
    if shift is None:
        return None if _is_written(bound, pattern) else f"must be a date as {java_format}, NOW or NOW+1DAY"
    is_far = abs(shift) > _YEARS_MAX * _HOURS["YEAR"]
    return f"must be within {_YEARS_MAX:,} years of NOW" if is_far else None


def _is_written(bound: str, pattern: str) -> bool:
    """Return whether a date is written as the pattern. ``strptime`` alone accepts fewer digits."""
    try:
        return _written(bound, pattern).strftime(pattern) == bound
    except ValueError:
        return False


def _written(bound: str, pattern: str) -> datetime:
    return datetime.strptime(bound, pattern).replace(tzinfo=UTC)


def _shift_hours(bound: str) -> float | None:
    """Return the distance of a bound from NOW; None if it is not relative to NOW."""
    relative = _NOW.fullmatch(bound)
    if relative is None:
        return None
    return int(relative[1]) * _HOURS[relative[2]] if relative[1] else 0


def _moment(bound: str, pattern: str, now: datetime) -> datetime:
    shift = _shift_hours(bound)
    return _written(bound, pattern) if shift is None else now + timedelta(hours=shift)


def _count(partition: Partition) -> int:
    """Return the number of values of a partition.

    A range that ends by NOW grows, and no deployment may fail because time has passed. So it counts as one
    value, as does an injected partition, whose values the query names.
    """
    match partition.projection:
        case Projection.ENUM:
            return len(partition.values)
        case Projection.INTEGER:
            return (int(partition.last) - int(partition.first)) // partition.interval + 1
        case Projection.DATE if _shift_hours(partition.first) is _shift_hours(partition.last) is None:
            pattern = java_dates.of_folder(partition.format)
            first, last = (_written(bound, pattern) for bound in (partition.first, partition.last))
            hours = partition.interval * _HOURS[partition.interval_unit.removesuffix("S")]
            return int((last - first) / timedelta(hours=1) / hours) + 1
        case _:
            return 1
