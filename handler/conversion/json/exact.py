"""Find JSON numbers that a double cannot hold. DuckDB would round them."""

import re
from decimal import Decimal

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


def has_inexact(text: bytes) -> bool:
    """Return whether ``text`` has a number, other than an integer, that a double cannot hold."""
    alike = text.translate(_ALIKE)
    long = _LONG in alike
    small = alike.rfind(_SMALL) >= 0  # CPython's search from the end is twice as fast here.
    if not (long or small):
        return False
    tokens = text.translate(_APART).split()
    found = [token for token in tokens if len(token) > _DIGITS_EXACT] if long else []
    if small:
        found += [token for token in tokens if b"e" in token or b"E" in token]
    numbers = [token for token in found if token[0] in b"-0123456789" and not token.endswith(b'"')]
    floats = [token for token in numbers if not _is_integer(token)]
    try:
        # Most programs write floats in the shortest form.
        if " ".join(map(repr, map(float, floats))).encode() == b" ".join(floats):
            return False
    except ValueError:
        return True
    return not all(map(is_exact, floats))


def is_exact(token: bytes) -> bool:
    """Return whether a double holds the number.

    The double, in its shortest form or with as many digits, must be the same number.
    """
    text = token.decode()
    try:
        value, number = float(text), Decimal(text)
        digits = len(number.as_tuple().digits)
        return repr(value) == text or (digits <= _DIGITS_MAX and Decimal(f"{value:.{digits - 1}e}") == number)
    except (ArithmeticError, ValueError):
        return False


def _is_integer(token: bytes) -> bool:
    return b"." not in token and b"e" not in token and b"E" not in token


def with_inexact_as_text(line: bytes) -> bytes:
    """Return a line of JSON with each number that a double cannot hold as a string."""

    def keep(match: re.Match[bytes]) -> bytes:
        token = match[0]
        whole = token.startswith(b'"') or _is_integer(token)
        return token if whole or is_exact(token) else b'"' + token + b'"'

    return _TOKEN.sub(keep, line)
