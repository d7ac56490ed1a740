"""The types that a column of text can have, each with the check that its values come back as written.

A type is guessed from the beginning of a file and checked for every value, in the pass that converts it. SQL
of a type speaks of ``{text}``, a value as written, and ``{value}``, what the cast made of it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from conversion.published import within_years

NULL_MARKERS = ("", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "Null", "null", "None", "none", "#N/A", "\\N")
"""What stands for no value in a column that is otherwise typed. In a column of text it is text."""

FLOAT_SHARE_MIN = 0.01
"""Integers are floats when at least this share of the column's values has a fraction. Below it, a fraction is
one odd value among integers, and the column stays text."""

FLOAT_SHARE_SURE = 0.05
"""In a sample, the share that leaves no doubt of the share in the file."""


@dataclass(frozen=True)
class Type:
    """A type that a column of text may have."""

    name: str
    cast: str = "{text}"
    """SQL that makes a value of ``{text}``, or NULL."""
    check: str = ""
    """SQL, true if ``{value}`` is exactly what ``{text}`` says. Empty if there is nothing to check."""

    def holds(self, text: str) -> str:
        """Give SQL that is true if the value of ``text`` (SQL) comes back from this type as written."""
        return self.check.format(text=text, value=f"({self.cast.format(text=text)})")


TEXT = Type("VARCHAR")

NOTHING = Type("VARCHAR", check="{text} IS NULL")
"""What a column is taken for that has no value in the sample: one that has none at all, which is text."""

BOOLEAN = Type("BOOLEAN", "TRY_CAST({text} AS BOOLEAN)", "strlen({text}) + CAST({value} AS INTEGER) = 5")
"""Of what the engine takes for a boolean, ``true`` alone has four letters, ``false`` alone five."""

_SAME = "CAST({value} AS VARCHAR) = {text}"

BIGINT = Type("BIGINT", "TRY_CAST({text} AS BIGINT)", _SAME)
DATE = Type("DATE", "TRY_CAST({text} AS DATE)", f"{within_years('{value}', 'DATE')} AND {_SAME}")
TIME = Type("TIME", "TRY_CAST({text} AS TIME)", f"{{value}} < TIME '24:00:00' AND {_SAME}")

# A double holds any 15 significant digits. Of more, it is right if it is written the same: in its shortest
# form, or with 17 or 16 digits, as R and C write it (IEEE 754: 17 digits tell any two doubles apart).
_PLAIN_FLOAT = r"strlen({text}) <= 16 AND regexp_full_match({text}, '-?(0|[1-9][0-9]*)\.[0-9]+')"
_SAME_FLOAT = (
    "CAST({value} AS VARCHAR) IN ({text}, {text} || '.0') "
    "OR {text} IN (printf('%.17g', {value}), printf('%.16g', {value})) "
    "OR (strlen({text}) <= 16 AND "
    r"regexp_full_match({text}, '-?[1-9][0-9]*(\.[0-9]+)?[eE][-+]?0*[12]?[0-9]?[0-9]'))"
)
# The engine evaluates both sides of an OR for all values, but a CASE only for those that are left.
DOUBLE = Type(
    "DOUBLE",
    "nullif(TRY_CAST({text} AS DOUBLE), 'NaN')",
    f"isfinite({{value}}) AND CASE WHEN {_PLAIN_FLOAT} THEN true ELSE {_SAME_FLOAT} END",
)


def decimal(width: int, scale: int) -> Type:
    """Give the type of numbers that are all written with ``scale`` digits after the point."""
    name = f"DECIMAL({width},{scale})"
    return Type(name, f"TRY_CAST({{text}} AS {name})", _SAME)


def timestamp(separator: str, suffix: str, *, seconds: bool) -> Type:
    """Give the type of ISO timestamps with this separator and one offset from UTC (or none) throughout."""
    begin = f"substring({{text}}, 1, strlen({{text}}) - {len(suffix)})" if suffix else "{text}"
    plain = f"replace({begin}, 'T', ' ')" if separator == "T" else begin
    name, local = "TIMESTAMP", "{value}"
    cast = f"TRY_CAST({plain} AS TIMESTAMP)" if seconds else f"TRY_CAST({plain} || ':00' AS TIMESTAMP)"
    if suffix:
        name, local = "TIMESTAMP WITH TIME ZONE", "CAST({value} AS TIMESTAMP)"
        if minutes := _offset_minutes(suffix):
            cast = f"{cast} - INTERVAL '{minutes} minutes'"
            local = f"TRY({local} + INTERVAL '{minutes} minutes')"
        cast = f"CASE WHEN ends_with({{text}}, '{suffix}') THEN TRY(CAST({cast} AS TIMESTAMPTZ)) END"
    form = f"%Y-%m-%d{separator}%H:%M{':%S' if seconds else ''}"
    # The engine's own form, where it is that, is the cheapest to write.
    own = separator == " " and seconds and not suffix
    same = _SAME if own else f"strftime({local}, '{form}{suffix}') = {{text}}"
    if seconds:
        fraction = f"starts_with(strftime({local}, '{form}.%f'), {begin})"
        fraction = f"strlen({{text}}) >= {len('2024-01-31 10:00:00.1') + len(suffix)} AND {fraction}"
        same = f"CASE WHEN {same} THEN true ELSE {fraction} END"
    return Type(name, cast, f"{within_years('{value}', name)} AND {same}")


def written_date(order: str, separator: str, time: str) -> Type:
    """Give the type of dates in this order of ``%d``, ``%m`` and ``%Y``, with a time after them or none."""
    padded = separator.join(order.split()) + time
    bare = padded.replace("%d", "%-d").replace("%m", "%-m")
    name = "TIMESTAMP" if time else "DATE"
    return Type(
        name,
        f"CAST(try_strptime({{text}}, '{padded}') AS {name})",
        f"CASE WHEN strftime({{value}}, '{padded}') = {{text}} THEN true "
        f"ELSE strftime({{value}}, '{bare}') = {{text}} END",
    )


_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,18})")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_FIXED = re.compile(r"-?(0|[1-9][0-9]*)\.([0-9]+)")
_BOOLEAN = re.compile(r"true|false", re.IGNORECASE)
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_TIME = re.compile(r"\d\d:\d\d:\d\d")
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d([ T])\d\d:\d\d(:\d\d(?:\.\d{1,6})?)?(Z|[+-]\d\d(?::?\d\d)?)?")
_DAY_MONTH = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2\d{4}( \d\d:\d\d(?::\d\d)?)?")
_YEAR_FIRST = re.compile(r"\d{4}([/.])\d{1,2}\1\d{1,2}( \d\d:\d\d(?::\d\d)?)?")
_TIMES = {0: "", 6: " %H:%M", 9: " %H:%M:%S"}
_NARROW_DIGITS = 18
"""Of decimals of 64 bits."""
_DECIMAL_DIGITS_MAX = 38
_MONTHS = 12


@dataclass(frozen=True)
class Guess:
    """What a sample says of a column: its possible types, the likeliest first, none if only one will do."""

    types: tuple[Type, ...]
    fallback: Type = TEXT
    """The type of what no other holds."""
    certain: bool = True
    """Whether the first type may be tried at once; else the whole file must be asked which one it is."""
    exclusive: bool = False
    """Whether only one of the types must be possible, or else none is meant."""

    @property
    def first(self) -> Type | None:
        """The type to be tried at once, if one is to be."""
        if not self.certain:
            return None
        return self.types[0] if self.types else self.fallback

    def settled(self, holds: Mapping[Type, int], count: int) -> Type:
        """Choose a type, given how many of a column's ``count`` values come back from each as written."""
        possible = [type_ for type_ in self.types if holds[type_] == count]
        if not possible or not count or (self.exclusive and len(possible) > 1):
            return self.fallback
        few_fractions = BIGINT in holds and count - holds[BIGINT] < count * FLOAT_SHARE_MIN
        if possible[0] is DOUBLE and few_fractions:
            return self.fallback
        return possible[0]


def guess(values: Sequence[str]) -> Guess:
    """Say what types a column may have that has these values (in a sample of its rows)."""
    some = [value for value in values if value not in NULL_MARKERS]
    if not some:
        nothing = (NOTHING,) if not any(values) else ()
        types = (BOOLEAN, BIGINT, DOUBLE, DATE, timestamp(" ", "", seconds=True))
        return Guess((*nothing, *types), certain=bool(nothing))
    for types in (_boolean, _integer, _decimal, _time, _date, _timestamp):
        if found := types(some):
            return Guess(found)
    if _all(_NUMBER, some):
        integers = sum(bool(_INTEGER.fullmatch(value)) for value in some)
        sure = len(some) - integers > len(some) * FLOAT_SHARE_SURE
        return Guess((DOUBLE,) if sure else (BIGINT, DOUBLE), certain=sure)
    if found := _written_dates(some):
        return Guess(found, certain=len(found) == 1, exclusive=True)
    return Guess(())


def _all(pattern: re.Pattern[str], values: Sequence[str]) -> bool:
    return all(pattern.fullmatch(value) for value in values)


def _boolean(values: Sequence[str]) -> tuple[Type, ...]:
    return (BOOLEAN,) if _all(_BOOLEAN, values) else ()


def _integer(values: Sequence[str]) -> tuple[Type, ...]:
    return (BIGINT, DOUBLE) if _all(_INTEGER, values) else ()


def _decimal(values: Sequence[str]) -> tuple[Type, ...]:
    matches = [_FIXED.fullmatch(value) for value in values]
    if not all(matches):
        return ()
    parts = [(len(match[1]), len(match[2])) for match in matches if match]
    scale = parts[0][1]
    digits = max(before for before, _ in parts) + scale
    if any(after != scale for _, after in parts) or digits > _DECIMAL_DIGITS_MAX:
        return ()
    return decimal(_NARROW_DIGITS if digits <= _NARROW_DIGITS else _DECIMAL_DIGITS_MAX, scale), DOUBLE


def _time(values: Sequence[str]) -> tuple[Type, ...]:
    return (TIME,) if _all(_TIME, values) else ()


def _date(values: Sequence[str]) -> tuple[Type, ...]:
    return (DATE,) if _all(_DATE, values) else ()


def _timestamp(values: Sequence[str]) -> tuple[Type, ...]:
    forms = {
        (match[1], match[3] or "", bool(match[2])) if (match := _TIMESTAMP.fullmatch(value)) else None
        for value in values
    }
    form = forms.pop()
    if forms or form is None:
        return ()
    separator, suffix, seconds = form
    return (timestamp(separator, suffix, seconds=seconds),)


def _written_dates(values: Sequence[str]) -> tuple[Type, ...]:
    forms = {
        (match[1], len(match[2] or "")) if (match := _YEAR_FIRST.fullmatch(value)) else None
        for value in values
    }
    if len(forms) == 1 and (form := forms.pop()):
        return (written_date("%Y %m %d", form[0], _TIMES[form[1]]),)
    matches = [_DAY_MONTH.fullmatch(value) for value in values]
    if not all(matches):
        return ()
    pairs = [(int(match[1]), int(match[3])) for match in matches if match]
    styles = {(match[2], len(match[4] or "")) for match in matches if match}
    if len(styles) > 1:
        return ()
    separator, time = styles.pop()
    found: list[Type] = []
    if all(month <= _MONTHS for _, month in pairs):
        found.append(written_date("%d %m %Y", separator, _TIMES[time]))
    if all(month <= _MONTHS for month, _ in pairs):
        found.append(written_date("%m %d %Y", separator, _TIMES[time]))
    return tuple(found)


def _offset_minutes(suffix: str) -> int:
    if suffix == "Z":
        return 0
    digits = suffix[1:].replace(":", "")
    minutes = int(digits[:2]) * 60 + int(digits[2:] or 0)
    return -minutes if suffix[0] == "-" else minutes
