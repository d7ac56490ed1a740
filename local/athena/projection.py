"""Partition projection: the keys that belong to a table, and the partition values in them."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from local.athena.catalog import QueryFailedError, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_UNITS = {
    "WEEK": timedelta(weeks=1),
    "DAY": timedelta(days=1),
    "HOUR": timedelta(hours=1),
    "MINUTE": timedelta(minutes=1),
    "SECOND": timedelta(seconds=1),
}
"""The units of relative bounds and of steps. Months and years follow the calendar."""

_JAVA = {"yyyy": "%Y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S"}
"""The fields of a date that the program's contracts may have."""


@dataclass(frozen=True, kw_only=True)
class File:
    """An object of a table, and the values of its partition columns."""

    key: str
    values: Mapping[str, str]


def files(table: Table, keys: Iterable[str], now: datetime) -> list[File]:
    """Return the files that Athena reads for a table, given the keys of its bucket.

    As in Athena, these keys are omitted without an error: keys with a part that begins with `_` or `.`, keys
    that do not follow the template, and keys with values that are not in the projection.
    """
    _, _, prefix = table.location.removeprefix("s3://").partition("/")
    if not table.partitions:
        return [File(key=key, values={}) for key in keys if key.startswith(prefix) and _visible(key, prefix)]
    if table.parameters.get("projection.enabled") != "true":
        return []
    template = table.parameters.get("storage.location.template", "")
    pattern = _pattern(table, template)
    domains = {name: _domain(table, name, now) for name in table.partitions}
    found = []
    for key in keys:
        match = pattern.match(key)
        if match and _visible(key, prefix) and all(domains[name](match[name]) for name in table.partitions):
            found.append(File(key=key, values=match.groupdict()))
    return found


def injected(table: Table) -> list[str]:
    """Return the partition columns that each query must compare with a value."""
    return [
        name for name in table.partitions if table.parameters.get(f"projection.{name}.type") == "injected"
    ]


def _visible(key: str, prefix: str) -> bool:
    return not any(part.startswith(("_", ".")) for part in key.removeprefix(prefix).split("/"))


def _pattern(table: Table, template: str) -> re.Pattern[str]:
    _, _, path = template.removeprefix("s3://").partition("/")
    if not template.endswith("/") or any(f"${{{name}}}" not in path for name in table.partitions):
        raise QueryFailedError(
            f"HIVE_METASTORE_ERROR: storage.location.template of {table.name}: {template!r}"
        )
    text = re.escape(path)
    for name in table.partitions:
        text = text.replace(re.escape(f"${{{name}}}"), f"(?P<{name}>[^/]+)")
    return re.compile(text)


def _domain(table: Table, name: str, now: datetime) -> Callable[[str], bool]:
    """Return a function that tells whether a value is in the column's projection."""

    def of(parameter: str, default: str = "") -> str:
        return table.parameters.get(f"projection.{name}.{parameter}", default)

    match of("type"):
        case "enum":
            values = set(of("values").split(","))
            return lambda value: value in values
        case "injected":
            return lambda _: True
        case "integer":
            first, last = map(int, of("range").split(","))
            width, step = int(of("digits", "0")), int(of("interval", "1"))
            return lambda value: (
                re.fullmatch(r"-?\d+", value) is not None
                and f"{int(value):0{width}d}" == value
                and first <= int(value) <= last
                and (int(value) - first) % step == 0
            )
        case "date":
            java_format = of("format")
            finest = "DAY" if "d" in java_format else "MONTH"
            unit = of("interval.unit", finest).removesuffix("S").upper()
            return _dates(of("range"), java_format, now, (int(of("interval", "1")), unit))
    raise QueryFailedError(f"HIVE_METASTORE_ERROR: column {name} of {table.name} has no projection type")


def _dates(bounds: str, java_format: str, now: datetime, step: tuple[int, str]) -> Callable[[str], bool]:
    fields = [field[0] for field in re.finditer(r"([A-Za-z'])\1*", java_format)]
    if not fields or not set(fields) <= _JAVA.keys() or len(set(fields)) < len(fields):
        raise QueryFailedError(
            f"NOT_SUPPORTED: the embedded Athena has only dates of {', '.join(_JAVA)}, got {java_format!r}"
        )
    pattern = re.sub("|".join(_JAVA), lambda match: _JAVA[match[0]], java_format)

    def parse(value: str) -> datetime | None:
        try:
            moment = datetime.strptime(value, pattern).replace(tzinfo=UTC)
        except ValueError:
            return None
        return moment if moment.strftime(pattern) == value else None

    def bound(text: str) -> datetime:
        relative = re.fullmatch(r"NOW(?:([+-]\d+)(YEAR|MONTH|WEEK|DAY|HOUR|MINUTE)S?)?", text)
        if relative:
            moved = _moved(now, int(relative[1]), relative[2]) if relative[1] else now
            # Trino first formats a relative bound with the pattern, which truncates it.
            text = moved.strftime(pattern)
        moment = parse(text)
        if moment is None:
            raise QueryFailedError(f"HIVE_METASTORE_ERROR: {text!r} is no date as {java_format!r}")
        return moment

    first, last = (bound(text.strip()) for text in bounds.split(","))
    return lambda value: (
        (moment := parse(value)) is not None and first <= moment <= last and _is_step(first, moment, *step)
    )


def _moved(now: datetime, amount: int, unit: str) -> datetime:
    if unit not in ("YEAR", "MONTH"):
        return now + amount * _UNITS[unit]
    months = now.year * 12 + now.month - 1 + amount * (12 if unit == "YEAR" else 1)
    year, month = months // 12, months % 12 + 1
    # A month without the day ends earlier (Java SE, "LocalDateTime.plusMonths").
    return now.replace(year=year, month=month, day=min(now.day, monthrange(year, month)[1]))


def _is_step(first: datetime, moment: datetime, interval: int, unit: str) -> bool:
    """Return whether the time from first to moment is a whole number of steps."""
    if unit in ("YEAR", "MONTH"):
        months = (moment.year - first.year) * 12 + moment.month - first.month
        is_same_day = (moment.day, moment.time()) == (first.day, first.time())
        return is_same_day and months % (interval * (12 if unit == "YEAR" else 1)) == 0
    return (moment - first) % (interval * _UNITS[unit]) == timedelta()
