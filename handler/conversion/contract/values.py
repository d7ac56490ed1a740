"""SQL that casts text to a declared type, and is null if the text does not fit.

Fields of delimited files, cells and JSON values are all text first, so all formats have the same rules.
"""

import re
from dataclasses import dataclass, replace

from conversion.contract.model import Column, Reading, Type
from conversion.engine import literal
from conversion.published import within_years

_EXPONENT = r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)[eE][+-]?[0-9]{1,3}"
_FLOAT = r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,4})?"
_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_MOMENT = _DATE + r"[ T][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?"
_OFFSET = r"(?:Z|[+-](?:(?:0[0-9]|1[0-7])(?::?[0-5][0-9])?|18(?::?00)?))"
"""Offsets are at most 18 hours (Java SE, "ZoneOffset"), and Java writes none as ``Z``."""
_FINER_THAN_MILLISECONDS = r"\.[0-9]{3}0*[1-9]"

_DATED = ("spreadsheet", "parquet")
"""The formats that hold dates. Here their text is that of ISO 8601. A day of a spreadsheet has a time if
another cell of its column has one."""

_PARTS = re.compile(r"%-?[A-Za-z%]|[^%]+")
_WRITTEN = {
    "%Y": "[0-9]{4}", "%g": "[0-9]{3}", "%f": "[0-9]{6}", "%B": "[A-Za-z]+", "%b": "[A-Za-z]+",
    "%A": "[A-Za-z]+", "%a": "[A-Za-z]+", "%p": "[A-Za-z]+", "%z": _OFFSET, "%%": "%",
}  # fmt: skip
"""How a part of a date is written. Numbers have two digits, or one or two if the directive has a ``-``."""


@dataclass(frozen=True, kw_only=True)
class Value:
    """SQL of a value.

    Attributes:
        expression: The value; null if it is missing, or if it or something in it does not fit.
        given: Whether there is something that must fit. If the value is null then, it does not. Never null.
        unexpected: Whether an object in it has a member that the type does not have. Never null.
    """

    expression: str
    given: str = "false"
    unexpected: str = "false"


def column_value(text: str, column: Column, reading: Reading) -> Value:
    """Return the value of a column that is not nested.

    Args:
        text: SQL of its text. Null markers are already null.
        column: The column.
        reading: The notation of numbers.
    """
    given = "false" if column.type.kind == "string" else f"({text} IS NOT NULL)"
    return Value(expression=cast(text, column.type, column, reading), given=given)


def present(text: str, reading: Reading) -> str:
    """Return SQL of the text with null markers replaced by null."""
    if not reading.null_markers:
        return text
    # A nullif for each marker would double the text each time. A list of texts takes more memory.
    markers = "|".join("".join(map(_escaped, marker)) for marker in reading.null_markers)
    return f"CASE WHEN NOT regexp_full_match({text}, {literal(markers)}) THEN {text} END"


def cast(text: str, kind: Type, column: Column, reading: Reading) -> str:
    """Return SQL of a value that is not nested; null if it does not fit.

    Args:
        text: SQL of its text.
        kind: Its type.
        column: The column that it is in.
        reading: The notation of numbers.
    """
    if kind.kind == "string":
        return text
    given = _plain(text, reading) if kind.kind in ("bigint", "double", "decimal") else text
    # The text is bound to a name, since SQL that repeats it takes several times the memory.
    value = _cast("given", kind, column)
    if kind.kind in ("date", "timestamp") and reading.format in _DATED:
        typed = _cast(_dated("given", kind), kind, replace(column, format=None))
        value = f"coalesce({value}, {typed})" if column.format else typed
    return bound(given, "given", value)


def _dated(text: str, kind: Type) -> str:
    """Return SQL of the text of a date or a timestamp, with a time if the type has one."""
    if kind.kind == "timestamp":
        return f"regexp_replace({text}, '^({_DATE})$', '\\1 00:00:00')"
    return f"regexp_replace({text}, '^({_DATE}) 00:00:00$', '\\1')"


def _cast(text: str, kind: Type, column: Column) -> str:
    match kind.kind:
        case "bigint":
            return _exact(text, 0, "BIGINT")
        case "double":
            number = _matching(text, _FLOAT, "DOUBLE")
            return f"CASE WHEN isfinite({number}) THEN {number} END"
        case "decimal":
            return _exact(text, kind.scale, kind.duckdb)
        case "boolean":
            return _matching(text, "(?i)true|false", "BOOLEAN")
        case "date":
            return _date(text, column)
        case "timestamp":
            return f"CAST({_timestamp(text, column)} AS {kind.duckdb})"
        case other:
            raise ValueError(f"type of column {column.name}: got {other!r}")


def _matching(text: str, pattern: str, duckdb: str) -> str:
    return f"CASE WHEN regexp_full_match({text}, {literal(pattern)}) THEN TRY_CAST({text} AS {duckdb}) END"


def _exact(text: str, scale: int, duckdb: str) -> str:
    """Return SQL of a number with ``scale`` decimals; null if more of its digits are not zero.

    The cast would round those digits.
    """
    zero = r"0*\.?0*[eE][+-]?[0-9]{1,3}"
    plain = rf"[+-]?([0-9]+(\.[0-9]{{0,{scale}}}0*)?|\.[0-9]{{0,{scale}}}0*|{zero})"
    digits = f"replace(regexp_extract({text}, '[0-9.]+'), '.', '')"
    zeros = f"(length({digits}) - length(rtrim({digits}, '0')))"
    fraction = rf"length(regexp_extract({text}, '\.([0-9]*)', 1))"
    exponent = f"TRY_CAST(regexp_extract({text}, '[eE](.*)', 1) AS INTEGER)"
    # The cast of a number with an exponent does not check the width of 1.5e4. That of its digits does.
    written = f"CAST(TRY_CAST({text} AS DECIMAL(38,{scale})) AS VARCHAR)"
    return (
        f"CASE WHEN regexp_full_match({text}, {literal(plain)}) THEN TRY_CAST({text} AS {duckdb})"
        f" WHEN regexp_full_match({text}, {literal(_EXPONENT)})"
        f" AND {fraction} - {zeros} - {exponent} <= {scale} THEN TRY_CAST({written} AS {duckdb}) END"
    )


def _plain(text: str, reading: Reading) -> str:
    """Return the text of a number with a decimal point and without thousands separators."""
    decimal, thousands = reading.decimal_separator, reading.thousands_separator
    if thousands:
        mark = _escaped(thousands)
        grouped = rf"[+-]?[0-9]{{1,3}}({mark}[0-9]{{3}})+({_escaped(decimal)}[^{mark}]*)?"
        text = (
            f"CASE WHEN regexp_full_match({text}, {literal(grouped)})"
            f" THEN replace({text}, {literal(thousands)}, '') ELSE {text} END"
        )
    if decimal != ".":
        # A point is then not a decimal separator, so text with a point does not fit.
        text = f"translate({text}, {literal(decimal + '.')}, {literal('.x')})"
    return text


def _escaped(character: str) -> str:
    return rf"\x{{{ord(character):x}}}"


def _date(text: str, column: Column) -> str:
    if column.format is None:
        value = f"CASE WHEN regexp_full_match({text}, {literal(_DATE)}) THEN TRY_CAST({text} AS DATE) END"
        return _only(value, within_years("moment", "DATE"))
    local, _ = _written_moment(text, column.format)
    midnight = f"moment = date_trunc('day', moment) AND {within_years('moment', 'TIMESTAMP')}"
    return f"CAST({_only(local, midnight)} AS DATE)"


def _timestamp(text: str, column: Column) -> str:
    if column.format is not None:
        local, offset = _written_moment(text, column.format)
        zoned = f"timezone('UTC', TRY_CAST(CAST({local} AS VARCHAR) || {offset} AS TIMESTAMPTZ))"
        value = zoned if offset else _in_utc(local, column.time_zone)
        exact = "epoch_us(moment) % 1000 = 0"
        return _only(value, f"{exact} AND {within_years('moment', 'TIMESTAMP')}")
    exact = f"NOT regexp_matches({text}, {literal(_FINER_THAN_MILLISECONDS)})"
    local = f"TRY_CAST({text} AS TIMESTAMP)"
    value = (
        f"CASE WHEN regexp_full_match({text}, {literal(_MOMENT)}) AND {exact}"
        f" THEN {_in_utc(local, column.time_zone)}"
        f" WHEN regexp_full_match({text}, {literal(_MOMENT + _OFFSET)}) AND {exact}"
        f" THEN timezone('UTC', TRY_CAST({text} AS TIMESTAMPTZ)) END"
    )
    return _only(value, within_years("moment", "TIMESTAMP"))


def _only(value: str, condition: str) -> str:
    """Return SQL of a value that is null unless the condition on ``moment``, the value, is true."""
    return f"list_filter([{value}], lambda moment: {condition})[1]"


def _written_moment(text: str, format_: str) -> tuple[str, str]:
    """Return SQL of a local time and of its offset, which is empty if the format has none.

    The local time is null if the text is not exactly of the format. ``strptime`` alone accepts outer spaces,
    and numbers with fewer digits.
    """
    parts, given, offset = _PARTS.findall(format_), text, ""
    pattern = "".join(map(_pattern, parts))
    if "%z" in parts:
        around = _around(parts, "%z")
        offset = f"regexp_extract({text}, {around}, 2)"
        text = rf"regexp_replace({text}, {around}, '\1Z\3')"
        parts[parts.index("%z")] = "Z"
    if "%y" in parts:
        # Two digits are a year from 2000 (Java SE, "DateTimeFormatter"). strptime would read 70 as 1970.
        text = rf"regexp_replace({text}, {_around(parts, '%y')}, '\120\2\3')"
        parts[parts.index("%y")] = "%Y"
    local = f"try_strptime({text}, {literal(''.join(parts))})"
    # strptime ignores the day of the week.
    days = [
        f" AND contains(lower({given}), lower(strftime({local}, '{part}')))"
        for part in parts
        if part in ("%A", "%a")
    ]
    exact = f"regexp_full_match({given}, {literal(pattern)}){''.join(days)}"
    return f"CASE WHEN {exact} THEN {local} END", offset


def _around(parts: list[str], part: str) -> str:
    """Return SQL of a pattern with three groups: the text before a part, of this part, and after it."""
    index = parts.index(part)
    before, after = ("".join(map(_pattern, some)) for some in (parts[:index], parts[index + 1 :]))
    return literal(f"^({before})({_pattern(part)})({after})$")


def _pattern(part: str) -> str:
    if not part.startswith("%"):
        return re.escape(part)
    return _WRITTEN.get(part, "[0-9]{1,2}" if part.startswith("%-") else "[0-9]{2}")


def _in_utc(local: str, zone: str) -> str:
    """Return a local time in UTC; null if a change of the zone's offset skipped or repeated it.

    A skipped time is not the local time of its instant. Of a repeated time, DuckDB takes the later instant
    (ICU's Calendar, UCAL_WALLTIME_LAST). The change is then less than a day before, and the earlier instant
    is earlier by what the change moved the clock. No change moved one by more (IANA time zone database).
    """
    if zone == "UTC":
        return local

    def at(instant: str) -> str:
        return f"timezone({literal(zone)}, {instant})"

    instant, day = at("local_time"), "INTERVAL 24 HOURS"
    moved = f"({at(f'{instant} - {day}')} - (local_time - {day}))"
    once = (
        f"{at(instant)} = local_time AND"
        f" ({moved} = INTERVAL 0 HOURS OR {at(f'{instant} - {moved}')} <> local_time)"
    )
    unique = f"CASE WHEN {once} THEN timezone('UTC', {instant}) END"
    return bound(local, "local_time", unique)


def bound(value: str, name: str, expression: str) -> str:
    """Return SQL of an expression in which ``name`` is a value that is computed once."""
    return f"list_transform([{value}], lambda {name}: {expression})[1]"
