"""Text becomes exactly the declared type, or does not fit."""

import json
from typing import Any

import pytest

from conversion.contract.model import Column, Reading, Type
from conversion.contract.nested import json_value, members
from conversion.contract.values import Value, column_value, present
from tests.conversion.support import connection

READING = Reading(
    format="delimited", delimiter=",", quote='"', escape='"', header=True, skip_lines=0, encoding="utf-8",
    null_markers=("", "NA"), decimal_separator=".", thousands_separator="", sheet="",
)  # fmt: skip
STRING, BIGINT, DOUBLE = (
    Type(kind="string", duckdb="VARCHAR"),
    Type(kind="bigint", duckdb="BIGINT"),
    Type(kind="double", duckdb="DOUBLE"),
)
DECIMAL = Type(kind="decimal", duckdb="DECIMAL(9,2)", scale=2)
UNITS = Type(kind="decimal", duckdb="DECIMAL(4,0)")
WIDE = Type(kind="decimal", duckdb="DECIMAL(38,0)")
BOOLEAN, DATE = Type(kind="boolean", duckdb="BOOLEAN"), Type(kind="date", duckdb="DATE")
TIMESTAMP = Type(kind="timestamp", duckdb="TIMESTAMP_MS")
MISFIT = object()


def column(kind: Type, *, format_: str | None = None, time_zone: str = "UTC") -> Column:
    return Column(name="c", source="c", type=kind, required=False, format=format_, time_zone=time_zone)


def asked(text: str | None, value: Value) -> Any:
    with connection() as connected:
        result, given = connected.execute(
            f"SELECT ({value.expression})::VARCHAR, {value.given} FROM (SELECT ?::VARCHAR AS t)", [text]
        ).fetchall()[0]
    return MISFIT if given and result is None else result


def read(text: str | None, kind: Type, reading: Reading = READING, **options: Any) -> Any:
    return asked(text, column_value(present("t", reading), column(kind, **options), reading))


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        (STRING, "Zürich", "Zürich"),
        (STRING, " a ", " a "),
        (STRING, "NA", None),
        (STRING, "", None),
        (STRING, None, None),
        (BIGINT, "10", "10"),
        (BIGINT, "-7", "-7"),
        (BIGINT, "007", "7"),
        (BIGINT, "9223372036854775807", "9223372036854775807"),
        (BIGINT, "9223372036854775808", MISFIT),
        (BIGINT, "10.0", "10"),
        (BIGINT, "9007199254740993.0", "9007199254740993"),
        (BIGINT, "10.5", MISFIT),
        (BIGINT, "1e3", "1000"),
        (BIGINT, "1500e-2", "15"),
        (BIGINT, "15e-1", MISFIT),
        (BIGINT, "0x1F", MISFIT),
        (BIGINT, "1_000", MISFIT),
        (BIGINT, " 1", MISFIT),
        (BIGINT, "true", MISFIT),
        (BIGINT, "NA", None),
        (DOUBLE, "10.5", "10.5"),
        (DOUBLE, "1e3", "1000.0"),
        (DOUBLE, ".5", "0.5"),
        (DOUBLE, "nan", MISFIT),
        (DOUBLE, "Infinity", MISFIT),
        (DOUBLE, "1e999", MISFIT),
        (DOUBLE, "1,5", MISFIT),
        (DECIMAL, "10", "10.00"),
        (DECIMAL, "10.5", "10.50"),
        (DECIMAL, "10.50000", "10.50"),
        (DECIMAL, "10.505", MISFIT),
        (DECIMAL, "1e1", "10.00"),
        (DECIMAL, "-1.005E+2", "-100.50"),
        (DECIMAL, "1e-2", "0.01"),
        (DECIMAL, "1.5e-2", MISFIT),
        (DECIMAL, "150e-2", "1.50"),
        (DECIMAL, ".5", "0.50"),
        (DECIMAL, "-.5", "-0.50"),
        (DECIMAL, ".5e1", "5.00"),
        (DECIMAL, ".", MISFIT),
        (DECIMAL, "0E-10", "0.00"),
        (DECIMAL, "0.00e-7", "0.00"),
        (DECIMAL, "0e-999", "0.00"),
        (DECIMAL, "1e8", MISFIT),
        (DECIMAL, "12.75078550E6", MISFIT),
        (DECIMAL, "1.275078550E6", "1275078.55"),
        (UNITS, "1.5e4", MISFIT),
        (UNITS, "1.5e3", "1500"),
        (UNITS, "99990e-1", "9999"),
        (WIDE, "1.5e38", MISFIT),
        (WIDE, "1.5e37", "15000000000000000000000000000000000000"),
        (DECIMAL, "1e999", MISFIT),
        (DECIMAL, "e1", MISFIT),
        (DECIMAL, "12345678.00", MISFIT),
        (BOOLEAN, "TRUE", "true"),
        (BOOLEAN, "false", "false"),
        (BOOLEAN, "yes", MISFIT),
        (BOOLEAN, "1", MISFIT),
        (DATE, "2026-02-28", "2026-02-28"),
        (DATE, "2026-02-29", MISFIT),
        (DATE, "2026-2-8", MISFIT),
        (DATE, "2026-02-28 10:00:00", MISFIT),
        (DATE, "infinity", MISFIT),
        (DATE, "0000-12-31", MISFIT),
        (DATE, "0001-01-01", "0001-01-01"),
        (TIMESTAMP, "2026-02-28 10:00", "2026-02-28 10:00:00"),
        (TIMESTAMP, "2026-02-28T10:00:00.123", "2026-02-28 10:00:00.123"),
        (TIMESTAMP, "2026-02-28T10:00:00.123000", "2026-02-28 10:00:00.123"),
        (TIMESTAMP, "2026-02-28T10:00:00.1234", MISFIT),
        (TIMESTAMP, "2026-02-28T10:00:00Z", "2026-02-28 10:00:00"),
        (TIMESTAMP, "2026-02-28T10:00:00+02:00", "2026-02-28 08:00:00"),
        (TIMESTAMP, "2026-02-28T10:00:00-0130", "2026-02-28 11:30:00"),
        (TIMESTAMP, "2026-02-28T25:00:00", MISFIT),
        (TIMESTAMP, "2026-02-28", MISFIT),
        (TIMESTAMP, "now", MISFIT),
        (TIMESTAMP, "2026-01-01T10:00-18:00", "2026-01-02 04:00:00"),
        (TIMESTAMP, "2026-01-01T10:00+18:01", MISFIT),
        (TIMESTAMP, "2026-01-01T10:00+99:00", MISFIT),
        (TIMESTAMP, "2026-01-01T10:00+02:99", MISFIT),
        (TIMESTAMP, "9999-12-31T23:00-12:00", MISFIT),
        (TIMESTAMP, "9999-12-31T23:00", "9999-12-31 23:00:00"),
        (TIMESTAMP, "0001-01-01T00:00+14:00", MISFIT),
    ],
)
def test_text_becomes_its_value_or_does_not_fit(kind: Type, text: str | None, expected: Any) -> None:
    assert read(text, kind) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.234.567,89", "1234567.89"),
        ("1234,5", "1234.50"),
        ("-1.234", "-1234.00"),
        ("1.23", MISFIT),
        ("1.2345,00", MISFIT),
        ("12.34.567", MISFIT),
        ("1,234.56", MISFIT),
        ("1.234,5.6", MISFIT),
        ("1.234,567.89", MISFIT),
    ],
)
def test_separators_are_those_of_the_contract(text: str, expected: Any) -> None:
    reading = Reading(**{**vars_of(READING), "decimal_separator": ",", "thousands_separator": "."})

    assert read(text, DECIMAL, reading) == expected


@pytest.mark.parametrize(
    ("separator", "text"), [("'", "1'234.5"), (" ", "1 234.5"), ("\u202f", "1\u202f234.5")]
)
def test_any_character_may_separate_thousands(separator: str, text: str) -> None:
    reading = Reading(**{**vars_of(READING), "thousands_separator": separator})

    assert read(text, DOUBLE, reading) == "1234.5"


def vars_of(reading: Reading) -> dict[str, Any]:
    return {name: getattr(reading, name) for name in reading.__dataclass_fields__}


@pytest.mark.parametrize(
    ("text", "format_", "kind", "expected"),
    [
        ("28.02.2026", "%d.%m.%Y", DATE, "2026-02-28"),
        ("2/28/2026", "%-m/%-d/%Y", DATE, "2026-02-28"),
        ("28.02.2026 10:00", "%d.%m.%Y %H:%M", DATE, MISFIT),
        ("30.02.2026", "%d.%m.%Y", DATE, MISFIT),
        ("28.02.2026 10:30", "%d.%m.%Y %H:%M", TIMESTAMP, "2026-02-28 10:30:00"),
        ("28.02.2026 10:30 +0100", "%d.%m.%Y %H:%M %z", TIMESTAMP, "2026-02-28 09:30:00"),
        ("2026-02-28 10:30:00.123456", "%Y-%m-%d %H:%M:%S.%f", TIMESTAMP, MISFIT),
        ("2026-02-28 10:30:00.123000", "%Y-%m-%d %H:%M:%S.%f", TIMESTAMP, "2026-02-28 10:30:00.123"),
        ("2026-02-28", "%d.%m.%Y", DATE, MISFIT),
        ("28.02.26", "%d.%m.%Y", DATE, MISFIT),
        ("28.2.2026", "%d.%m.%Y", DATE, MISFIT),
        (" 28.02.2026", "%d.%m.%Y", DATE, MISFIT),
        ("28.02.2026 ", "%d.%m.%Y", DATE, MISFIT),
        ("31.12.0000", "%d.%m.%Y", DATE, MISFIT),
        ("02/8/2026", "%-m/%-d/%Y", DATE, "2026-02-08"),
        ("1.2.70", "%-d.%-m.%y", DATE, "2070-02-01"),
        ("1.2.2026", "%-d.%-m.%y", DATE, MISFIT),
        ("29.02.72 00:30 +0100", "%d.%m.%y %H:%M %z", TIMESTAMP, "2072-02-28 23:30:00"),
        ("01.01.00 00:30 +0100", "%d.%m.%y %H:%M %z", TIMESTAMP, "1999-12-31 23:30:00"),
        ("20260102030405", "%Y%m%d%H%M%S", TIMESTAMP, "2026-01-02 03:04:05"),
        ("2026010203040", "%Y%m%d%H%M%S", TIMESTAMP, MISFIT),
        ("2026-02-28 10:30:00.5", "%Y-%m-%d %H:%M:%S.%g", TIMESTAMP, MISFIT),
        ("2026-02-28T10:30Z", "%Y-%m-%dT%H:%M%z", TIMESTAMP, "2026-02-28 10:30:00"),
        ("2026-02-28T10:30-02:30", "%Y-%m-%dT%H:%M%z", TIMESTAMP, "2026-02-28 13:00:00"),
        ("Z 2026-02-28 10:30", "%z %Y-%m-%d %H:%M", TIMESTAMP, "2026-02-28 10:30:00"),
        ("2026-02-28T10:30+18:30", "%Y-%m-%dT%H:%M%z", TIMESTAMP, MISFIT),
        ("9999-12-31T23:00-02:00", "%Y-%m-%dT%H:%M%z", TIMESTAMP, MISFIT),
        ("Mon, 02 Feb 2026", "%a, %d %b %Y", DATE, "2026-02-02"),
        ("Tue, 02 Feb 2026", "%a, %d %b %Y", DATE, MISFIT),
        ("100% 2026-02-28", "100%% %Y-%m-%d", DATE, "2026-02-28"),
    ],
)
def test_dates_are_read_as_the_contract_writes_them(
    text: str, format_: str, kind: Type, expected: Any
) -> None:
    assert read(text, kind, format_=format_) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-31 10:00:00", "2026-01-31 09:00:00"),
        ("2026-07-31 10:00:00", "2026-07-31 08:00:00"),
        ("2026-07-31 10:00:00Z", "2026-07-31 10:00:00"),
        ("2026-03-29 02:30:00", MISFIT),  # the clock went from 2:00 to 3:00
        ("2026-10-25 02:30:00", MISFIT),  # the clock went from 3:00 to 2:00
        ("2026-10-25 03:30:00", "2026-10-25 02:30:00"),
        ("2026-10-25 01:30:00", "2026-10-24 23:30:00"),
    ],
)
def test_local_times_are_published_in_utc_unless_the_clock_was_set(text: str, expected: Any) -> None:
    assert read(text, TIMESTAMP, time_zone="Europe/Paris") == expected


@pytest.mark.parametrize(
    ("zone", "text", "expected"),
    [
        ("Australia/Lord_Howe", "2026-04-05 01:15:00", "2026-04-04 14:15:00"),
        ("Australia/Lord_Howe", "2026-04-05 01:45:00", MISFIT),  # half an hour was repeated
        ("Australia/Lord_Howe", "2026-10-04 02:15:00", MISFIT),  # half an hour was skipped
        ("Antarctica/Troll", "2026-10-25 01:30:00", MISFIT),  # two hours were repeated
        ("Antarctica/Troll", "2026-10-25 02:30:00", MISFIT),
        ("Antarctica/Troll", "2026-10-25 03:00:00", "2026-10-25 03:00:00"),
        ("Pacific/Kwajalein", "1969-09-30 12:00:00", MISFIT),  # almost the whole day was repeated
        ("Pacific/Apia", "2011-12-30 12:00:00", MISFIT),  # the whole day was skipped
        ("Pacific/Apia", "2011-12-31 00:00:00", "2011-12-30 10:00:00"),
    ],
)
def test_a_change_of_the_clock_may_be_of_any_length(zone: str, text: str, expected: Any) -> None:
    assert read(text, TIMESTAMP, time_zone=zone) == expected


C = f"({members('t::JSON', ['c'])}[1])"
LINES = Type(
    kind="array",
    duckdb='STRUCT("sku" VARCHAR, "price" DECIMAL(9,2))[]',
    items=Type(
        kind="struct",
        duckdb='STRUCT("sku" VARCHAR, "price" DECIMAL(9,2))',
        fields=(("sku", STRING), ("price", DECIMAL)),
    ),
)


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        ("x", STRING, "x"),
        (10115, STRING, "10115"),
        ({"a": 1}, STRING, '{"a":1}'),
        (None, STRING, None),
        (12, BIGINT, "12"),
        ("12", BIGINT, "12"),
        (12.5, BIGINT, MISFIT),
        (True, BIGINT, MISFIT),
        ([1], BIGINT, MISFIT),
        (True, BOOLEAN, "true"),
        (10.505, DECIMAL, MISFIT),
        ("2026-01-31T10:00:00Z", TIMESTAMP, "2026-01-31 10:00:00"),
        ([], LINES, "[]"),
        ([{"sku": "a", "price": 1.5}], LINES, "[{'sku': a, 'price': 1.50}]"),
        (
            [{"sku": "a", "price": 1.5}, {"price": None}],
            LINES,
            "[{'sku': a, 'price': 1.50}, {'sku': NULL, 'price': NULL}]",
        ),
        ([{"sku": "a", "price": "dear"}], LINES, MISFIT),
        ([1], LINES, MISFIT),
        ({}, LINES, MISFIT),
        (None, LINES, None),
        ([None], LINES, "[NULL]"),
    ],
)
def test_json_becomes_its_value_or_does_not_fit(value: Any, kind: Type, expected: Any) -> None:
    document = json.dumps({"c": value})

    assert asked(document, json_value(C, column(kind), READING)) == expected


def test_a_key_that_is_missing_is_null() -> None:
    assert asked("{}", json_value(C, column(LINES), READING)) is None
