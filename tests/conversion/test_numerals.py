"""Proofs by length, against every text that could deceive them."""

import itertools
import random
import re

import duckdb
import pytest

from conversion.numerals import decimals, floats

CHARACTERS = "0159.eE+-_ "
LENGTH_MAX = 6

DECIMALS = [
    (f"DECIMAL(18,{scale})", proof, f"{sign}[1-9][0-9]*[.]{decimal_places}")
    for scale, decimal_places in ((1, "[1-9]"), (2, "[0-9][1-9]"), (3, "[0-9]{2}[1-9]"))
    for sign, proof in zip(("", "-"), decimals(f"DECIMAL(18,{scale})", scale, 18 - scale), strict=True)
]
FLOATS = [
    ("DOUBLE", *floats([f"{sign}{example}"]), f"{sign}{shape}")
    for sign in ("", "-")
    for example, shape in (
        ("0.25", "0[.](?!0)[0-9]*[1-9]"),
        ("1.25", "[1-9][.][0-9]*[1-9]"),
        ("10.5", "[1-9][0-9][.][0-9]*[1-9]"),
        ("999.5", "[1-9][0-9]{2}[.][0-9]*[1-9]"),
    )
]


@pytest.fixture(scope="module")
def texts():
    """All texts of up to LENGTH_MAX of CHARACTERS, in a table."""
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE characters AS SELECT unnest(?) AS c", [list(CHARACTERS)])
        connection.execute("CREATE TABLE texts AS SELECT c AS text FROM characters")
        for length in range(1, LENGTH_MAX):
            connection.execute(
                "INSERT INTO texts SELECT text || c FROM texts, characters WHERE strlen(text) = ?", [length]
            )
        yield connection


def proven(connection, table, type_, proof):
    # As a column, not as a condition: so each part of it is evaluated for every value.
    condition = proof.format(text="text", value="value")
    values = f"SELECT text, TRY_CAST(text AS {type_}) AS value FROM {table}"
    rows = connection.execute(
        f"SELECT CASE WHEN yes THEN text END FROM (SELECT text, {condition} AS yes FROM ({values}))"
    )
    return {text for (text,) in rows.fetchall()} - {None}


@pytest.mark.parametrize(("type_", "proof", "shape"), DECIMALS + FLOATS)
def test_of_all_texts_just_the_plain_numerals_are_proven(texts, type_, proof, shape):
    digits = [c for c in CHARACTERS if c.isdigit() or c in ".-"]
    plain = {
        text
        for length in range(1, LENGTH_MAX + 1)
        for text in map("".join, itertools.product(digits, repeat=length))
        if re.fullmatch(shape, text)
    }
    assert plain
    assert proven(texts, "texts", type_, proof) == plain


@pytest.mark.parametrize("sign", ["", "-"])
@pytest.mark.parametrize("before", range(6))
def test_floats_of_up_to_fifteen_digits_are_proven_exactly(sign, before):
    random_ = random.Random(before)
    numbers = set()
    for _ in range(20_000):
        whole = str(random_.randrange(10 ** (before - 1), 10**before)) if before else "0"
        places = random_.randint(1, 15 - len(whole) - len(sign))
        first = str(random_.randrange(1, 10))
        rest = first + "".join(random_.choices("0123456789", k=places - 1))
        numbers.add(f"{sign}{whole}.{rest.rstrip('0')}")
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE numbers AS SELECT unnest(?) AS text", [sorted(numbers)])
        assert proven(connection, "numbers", "DOUBLE", *floats([f"{sign}{'9' * before or 0}.5"])) == numbers


@pytest.mark.parametrize(
    "text",
    [
        "99.99999999999999",  # 16 digits
        "12.000000000000001",
        "1_000.5",
        " 10.5",
        "10.50",
        "1.05e1",
        "1050e-2",
        "0x10.8",
        "12.4999999999999999",
    ],
)
def test_others_are_left_to_other_proofs(text):
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE one AS SELECT ? AS text", [text])
        assert not proven(connection, "one", "DOUBLE", *floats(["10.5"]))
        for type_, proof, _ in DECIMALS:
            assert not proven(connection, "one", type_, proof)


def test_a_float_of_any_size_raises_nothing():
    values = ["1e308", "-1e308", "1e-320", "inf", "-inf", "nan", "0", "-0.0", "9" * 16, "9" * 400]
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE extremes AS SELECT unnest(?) AS text", [values])
        for type_, proof, _ in FLOATS:
            assert not proven(connection, "extremes", type_, proof)


def test_the_commonest_magnitudes_are_proven():
    values = ["1.5"] * 4 + ["-20.5"] * 3 + ["0.5"] * 2 + ["300.5"]
    assert floats(values) == tuple(floats([value])[0] for value in ("1.5", "-20.5", "0.5"))
    assert floats(["3", "1e5"]) == ()
