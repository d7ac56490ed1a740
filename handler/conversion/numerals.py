"""Prove by its length that a text is the plain numeral of its value: cheaper than to write the value again.

A text needs a digit for each digit of its number, but for zeros at the end, which an exponent can say or
rounding make. So a number whose last decimal is no zero takes its digits, a point and, if negative, a sign; a
text that is as long as that has no room for anything else: a space, a plus, a zero before, an underscore, an
exponent. What these proofs do not prove is left to others.

They are SQL that speaks of ``{text}`` and ``{value}``, and true only of what is proven; false or NULL says
nothing.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache

_LENGTH_MAX = 16
"""Of a float: a point and the 15 digits that any double keeps. Times its power of ten it is an integer below
10**15, to within 0.23 (two roundings of 2**-53 each), so what it rounds to is what was written."""

_MAGNITUDES_MAX = 3
"""So many magnitudes of a column's floats are told apart; looking for one takes its time for all others."""


@cache
def decimals(type_name: str, scale: int, digits: int) -> tuple[str, str]:
    """Give the proofs for decimals from 1 and to -1, with at most so many digits before the point."""
    last = f"{f'0.{1:0{scale - 1}}' if scale > 1 else 1}::{type_name}"
    proofs = []
    for sign, at_least in (("", ">="), ("-", "<=")):
        powers = [f"{sign}1{'0' * more}" for more in range(digits)]
        power = _by_length(len(sign) + 1 + scale, powers, type_name)
        proofs.append(f"{{value}} {at_least} {power} AND {{value}} % {last} <> 0")
    return proofs[0], proofs[1]


def floats(values: Iterable[str]) -> tuple[str, ...]:
    """Give the proofs for floats of the magnitudes that are the commonest among ``values`` (as written)."""
    magnitudes = Counter(_magnitude(value) for value in values if "." in value)
    return tuple(_floats_of(*magnitude) for magnitude, _ in magnitudes.most_common(_MAGNITUDES_MAX))


def _magnitude(value: str) -> tuple[str, int]:
    """Give the sign, and how many digits there are before the point, 0 counting for none."""
    sign, whole = ("-", value[1:]) if value.startswith("-") else ("", value)
    return sign, 0 if whole.startswith("0") else whole.index(".")


@cache
def _floats_of(sign: str, digits: int) -> str:
    before = len(sign) + (digits or 1) + 1
    power = _by_length(before, [f"1e{scale}" for scale in range(1, _LENGTH_MAX - before + 1)], "DOUBLE")
    low, high = sorted(float(f"{sign}1e{exponent}") for exponent in (digits - 1, digits))
    # A zero before the point is no digit of the number.
    begin, end = (f"{sign}1", f"{sign}:") if digits else (f"{sign}0.", f"{sign}0/")
    return (
        f"{{value}} BETWEEN {low}::DOUBLE AND {high}::DOUBLE "
        f"AND TRY_CAST({{value}} * {power} AS BIGINT) % 10 <> 0 "
        f"AND {{text}} >= '{begin}' AND {{text}} < '{end}'"
    )


def _by_length(shortest: int, numbers: Sequence[str], type_name: str) -> str:
    """Give SQL for the one of ``numbers`` that is for a text's length, the first for ``shortest + 1``."""
    return f"([{', '.join(['NULL'] * shortest + list(numbers))}]::{type_name}[])[strlen({{text}})]"
