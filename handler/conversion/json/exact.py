"""Find JSON numbers that a double cannot hold. DuckDB would round them."""

import re
from collections.abc import Sequence
from decimal import Decimal

import msgspec

_DIGITS_EXACT = 15
"""A double holds every number with this many digits (IEEE 754)."""

_DIGITS_MAX = 17
"""A number with more digits than this is more precise than a double."""

_ALIKE = bytes(
    ord("0")
    if byte in b".0123456789"
    else byte
    if byte in b"e-"
    else ord("e")
    if byte == ord("E")
    else ord(" ")
    for byte in range(256)
)
"""Maps all digits and the point to ``0``, and keeps the exponent."""

_LONG = b"0" * (_DIGITS_EXACT + 1)
_SMALL = b"0e-"
"""Mapped numbers that may have too many digits for a double, or be too small."""

_APART = bytes(byte if byte in b'.0123456789eE+-"' else ord(" ") for byte in range(256))
"""Maps all bytes to spaces but those of numbers and quotes."""

_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*+"|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?')

_numbers = msgspec.json.Decoder(list[float])


def has_inexact(text: bytes) -> bool:
    """Return whether ``text`` has a number, other than an integer, that a double cannot hold."""
    alike = text.translate(_ALIKE)
    # CPython's search from the end is twice as fast here.
    if _LONG not in alike and alike.rfind(_SMALL) < 0:
        return False
    tokens = text.translate(_APART).decode().split()
    some = [token for token in tokens if len(token) > _DIGITS_EXACT or _is_scientific(token)]
    numbers = [token for token in some if token[0] in "-0123456789" and token[-1] != '"']
    decimals = [token for token in numbers if "." in token and not _is_scientific(token)]
    if not (_are_shortest(decimals) or all(map(is_exact, decimals))):
        return True
    return not all(map(is_exact, filter(_is_scientific, numbers)))


def _is_scientific(number: str) -> bool:
    return "e" in number or "E" in number


def _are_shortest(decimals: Sequence[str]) -> bool:
    """Return whether numbers are in the shortest form of their doubles, as most programs write them."""
    array = f"[{','.join(decimals)}]".encode()
    try:
        return msgspec.json.encode(_numbers.decode(array)) == array
    except msgspec.DecodeError:
        return False


def is_exact(number: str) -> bool:
    """Return whether a double holds ``number``.

    The double, in its shortest form or with as many digits, must be the same number.
    """
    try:
        value = float(number)
        # The forms that most programs write need no further arithmetic.
        if number in (repr(value), f"{value:.17g}"):
            return True
        exact = Decimal(number)
        digits = len(exact.as_tuple().digits)
        return digits <= _DIGITS_MAX and Decimal(f"{value:.{digits - 1}e}") == exact
    except (ArithmeticError, ValueError):
        return False


def with_inexact_as_text(line: bytes) -> bytes:
    """Return a line of JSON with each number that a double cannot hold as a string."""

    def keep(match: re.Match[bytes]) -> bytes:
        if match[0].startswith(b'"'):
            return match[0]
        number = match[0].decode()
        is_float = "." in number or _is_scientific(number)
        return b'"%b"' % match[0] if is_float and not is_exact(number) else match[0]

    return _TOKEN.sub(keep, line)
