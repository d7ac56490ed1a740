"""The types that a column of text can have, each with its round-trip check.

A type is guessed from the beginning of a file. The pass that converts the file checks every value. In the SQL
of a type, ``{text}`` is the original text, and ``{value}`` is the result of the cast.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from conversion.published import within_years

NULL_MARKERS = ("", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "Null", "null", "None", "none", "#N/A", "\\N")
"""The null markers. They are null in a typed column, and text in a text column."""

FLOAT_SHARE_MIN = 0.01
"""The share of values with a fraction from which a column of numbers is DOUBLE. With fewer, it stays text."""

FLOAT_SHARE_SURE = 0.05
"""The share in a sample from which the file is assumed to reach FLOAT_SHARE_MIN."""


@dataclass(frozen=True)
class Type:
    """A type that a column of text may have."""

    name: str
    cast: str = "{text}"
    """SQL that casts ``{text}`` to a value, or to NULL."""
    check: str = ""
    """SQL that is true if ``{value}`` is exactly ``{text}``. Empty if there is nothing to check."""
    padded: bool = False
    """Whether spaces around the text do not count."""

    def text_of(self, column: str) -> str:
        """Return SQL of the text of a column that is cast and checked."""
        return f"trim({column})" if self.padded else column

    def holds(self, column: str) -> str:
        """Return SQL that is true if a column's text passes the round-trip check of this type."""
        text = self.text_of(column)
        return self.check.format(text=text, value=f"({self.cast.format(text=text)})")


TEXT = Type("VARCHAR")

NOTHING = Type("VARCHAR", check="{text} IS NULL")
"""The type of a column without values, which is text. It is guessed if the sample has no value."""

BOOLEAN = Type("BOOLEAN", "TRY_CAST({text} AS BOOLEAN)", "strlen({text}) + CAST({value} AS INTEGER) = 5")
"""Of the texts that DuckDB casts to BOOLEAN, only ``true`` has four letters and only ``false`` five."""

_SAME = "CAST({value} AS VARCHAR) = {text}"

BIGINT = Type("BIGINT", "TRY_CAST({text} AS BIGINT)", _SAME)
DATE = Type("DATE", "TRY_CAST({text} AS DATE)", f"{within_years('{value}', 'DATE')} AND {_SAME}")
TIME = Type("TIME", "TRY_CAST({text} AS TIME)", f"{{value}} < TIME '24:00:00' AND {_SAME}")

# A double holds any 15 significant digits (IEEE 754). A number with more digits must be equal to a text of
# the double: the shortest one, or that with 16 or 17 digits, which R and C write.
_PLAIN_FLOAT = r"strlen({text}) <= 16 AND regexp_full_match({text}, '-?(0|[1-9][0-9]*)?\.[0-9]+')"
_SAME_FLOAT = (
    "CAST({value} AS VARCHAR) IN ({text}, {text} || '.0') "
    "OR {text} IN (printf('%.17g', {value}), printf('%.16g', {value})) "
    "OR (strlen({text}) <= 16 AND "
    r"regexp_full_match({text}, '-?[1-9][0-9]*(\.[0-9]+)?[eE][-+]?0*[12]?[0-9]?[0-9]'))"
)
# DuckDB evaluates both sides of an OR for all values, but a branch of CASE only for the remaining ones.
DOUBLE = Type(
    "DOUBLE",
    "nullif(TRY_CAST({text} AS DOUBLE), 'NaN')",
    f"isfinite({{value}}) AND CASE WHEN {_PLAIN_FLOAT} THEN true ELSE {_SAME_FLOAT} END",
)


def decimal(width: int, scale: int) -> Type:
    """Return the type of numbers with ``scale`` digits after the point."""
    name = f"DECIMAL({width},{scale})"
    return Type(name, f"TRY_CAST({{text}} AS {name})", _SAME)


def timestamp(separator: str, suffix: str, *, seconds: bool) -> Type:
    """Return the type of ISO timestamps with this separator, and with this UTC offset or none."""
    name = "TIMESTAMP WITH TIME ZONE" if suffix else "TIMESTAMP"
    begin = f"substring({{text}}, 1, strlen({{text}}) - {len(suffix)})" if suffix else "{text}"
    written = "{text}" if seconds else f"{begin} || ':00'"
    cast, local = f"TRY_CAST({written} AS TIMESTAMP)", "{value}"
    if suffix:
        # This cast ignores the offset. A cast from one type to the other is slow.
        offset = f"INTERVAL '{_offset_minutes(suffix)} minutes'"
        cast = f"make_timestamptz(epoch_us(TRY({cast} - {offset})))"
        local = f"make_timestamp(epoch_us({{value}})) + {offset}"
    form = f"%Y-%m-%d{separator}%H:%M{':%S' if seconds else ''}"
    # DuckDB's own format is the fastest to compare with.
    own = separator == " " and seconds and not suffix
    same = _SAME if own else f"strftime({local}, '{form}{suffix}') = {{text}}"
    if seconds:
        fraction = f"starts_with(strftime({local}, '{form}.%f'), {begin}) AND ends_with({{text}}, '{suffix}')"
        fraction = f"strlen({{text}}) >= {len('2024-01-31 10:00:00.1') + len(suffix)} AND {fraction}"
        same = f"CASE WHEN {same} THEN true ELSE {fraction} END"
    return Type(name, cast, f"CASE WHEN {within_years('{value}', name)} THEN {same} END")


def written_date(order: str, separator: str, time: str) -> Type:
    """Return the type of dates with ``%d``, ``%m`` and ``%Y`` in this order, and with this time or none."""
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
_NUMBER = re.compile(r"-?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?|\.[0-9]+)")
_FIXED = re.compile(r"-?(0|[1-9][0-9]*)\.([0-9]+)")
_BOOLEAN = re.compile(r"true|false", re.IGNORECASE)
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_TIME = re.compile(r"\d\d:\d\d:\d\d")
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d([ T])\d\d:\d\d(:\d\d(?:\.\d{1,6})?)?(Z|[+-]\d\d(?::?\d\d)?)?")
_DAY_MONTH = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2\d{4}( \d\d:\d\d(?::\d\d)?)?")
_YEAR_FIRST = re.compile(r"\d{4}([/.])\d{1,2}\1\d{1,2}( \d\d:\d\d(?::\d\d)?)?")
_TIMES = {0: "", 6: " %H:%M", 9: " %H:%M:%S"}
_NARROW_DIGITS = 18
"""The most digits of a decimal of 64 bits."""
_DECIMAL_DIGITS_MAX = 38
_MONTHS = 12


@dataclass(frozen=True)
class Guess:
    """The possible types of a column by a sample, the likeliest first. If empty, it is text."""

    types: tuple[Type, ...]
    certain: bool = True
    """Whether to write with the first type optimistically. Otherwise, query the whole file first."""
    exclusive: bool = False
    """Whether it is text if several types are possible, because the values are ambiguous."""

    @property
    def first(self) -> Type | None:
        """The type to write with optimistically; None if the file must be queried first."""
        if not self.certain:
            return None
        return self.types[0] if self.types else TEXT

    def without(self, refuted: Type, share: float = 1.0) -> Type | None:
        """Return the type of a column that does not have a type; None if the file must be queried.

        Args:
            refuted: The type that it does not have.
            share: The largest possible share of values that do not pass the type's round-trip check.
        """
        few_fractions = refuted.name == BIGINT.name and share < FLOAT_SHARE_MIN
        return TEXT if few_fractions or self.types == (refuted,) else None

    def settled(self, holds: Mapping[Type, int], count: int) -> Type:
        """Choose a type.

        Args:
            holds: How many values pass the round-trip check of each type.
            count: How many values the column has.
        """
        possible = [type_ for type_ in self.types if holds[type_] == count]
        if not possible or not count or (self.exclusive and len(possible) > 1):
            return TEXT
        few_fractions = any(
            type_.name == BIGINT.name and count - number < count * FLOAT_SHARE_MIN
            for type_, number in holds.items()
        )
        if possible[0].name == DOUBLE.name and few_fractions:
            return TEXT
        return possible[0]


def guess(values: Sequence[str]) -> Guess:
    """Return the possible types of a column with these values in a sample of its rows.

    Some programs write a space after each delimiter, or align numbers with spaces. So spaces around values do
    not count if every value has them.
    """
    bare = [value.strip(" ") for value in values]
    pairs = zip(values, bare, strict=True)
    if any(bare) and all(value != text for value, text in pairs if text not in NULL_MARKERS):
        return _padded(_guess(bare))
    return _guess(values)


def _padded(guess: Guess) -> Guess:
    types = tuple(replace(type_, padded=True) for type_ in guess.types)
    return replace(guess, types=types)


def _guess(values: Sequence[str]) -> Guess:
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
