"""Find the numbers of JSON that a double does not hold: the engine would read them as another number."""

import re
from decimal import Decimal

_DIGITS_EXACT = 15
"""A double gives back any number of as many digits (IEEE 754)."""

_DIGITS_MAX = 17
"""A number of more says more than a double does."""

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
"""Makes all digits one, and the point; leaves nothing else of a number but its exponent."""

_LONG = b"0" * (_DIGITS_EXACT + 1)
_SMALL = b"0e-"
"""What numbers look like, once alike, that may have too many digits for a double, or be too small."""

_APART = bytes(byte if byte in b'.0123456789eE+-"' else ord(" ") for byte in range(256))
"""Sets numbers apart, and leaves strings their quotes."""

_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*+"|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?')


def has_inexact(text: bytes) -> bool:
    """Tell whether a number in ``text``, which has a fraction or an exponent, is not held by a double."""
    alike = text.translate(_ALIKE)
    # Of so many digits in a row each fourth is one, which is sooner found.
    long = _LONG[::4] in alike[::4] and _LONG in alike
    small = _SMALL in alike
    if not (long or small):
        return False
    tokens = text.translate(_APART).split()
    found = [token for token in tokens if len(token) > _DIGITS_EXACT] if long else []
    if small:
        found += [token for token in tokens if b"e" in token or b"E" in token]
    numbers = [token for token in found if token[0] in b"-0123456789" and not token.endswith(b'"')]
    floats = [token for token in numbers if not _is_integer(token)]
    try:
        # As most programs write them, in the shortest form that is read as the same double.
        if " ".join(map(repr, map(float, floats))).encode() == b" ".join(floats):
            return False
    except ValueError:
        return True
    return not all(map(is_exact, floats))


def is_exact(token: bytes) -> bool:
    """Tell whether a double holds the number: whether, in short or with as many digits, it is the same."""
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
    """Give a line of JSON with each number that a double does not hold as a string."""

    def keep(match: re.Match[bytes]) -> bytes:
        token = match[0]
        whole = token.startswith(b'"') or _is_integer(token)
        return token if whole or is_exact(token) else b'"' + token + b'"'

    return _TOKEN.sub(keep, line)
