"""What the engine takes for JSON though it is none, or changes as it reads: found in the bytes, in blocks."""

import re
from collections.abc import Sequence
from decimal import Decimal

_DIGITS_EXACT = 15
"""A double gives back any number of as many digits."""

_DIGITS_MAX = 17
"""A number of more says more than a double does."""

_ALIKE = bytes.maketrans(b".123456789E+,]}", b'0000000000e-"""')
_NOT_ALIKE = bytes(set(range(256)) - set(b'.0123456789eE+-,:]}" '))

_LONG = b"0" * (_DIGITS_EXACT + 1)
_SMALL = b"0e-"
_LARGE = b"0e0"
"""What numbers look like, once alike, that may have more digits or a larger exponent than a double holds of
any number."""

_APART = bytes(byte if byte in b'.0123456789eE+-"' else ord(" ") for byte in range(256))
"""Sets numbers apart, and leaves strings their quotes."""

_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*+"|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?')


class JsonScreen:
    """Fed with a file's blocks of lines, tells what is in it; in doubt, it says that it is there."""

    def __init__(self) -> None:
        self.objects = 0
        """At least as many objects as there are, at any depth; a brace in a string counts for one."""
        self.trailing_commas = False
        """``[1,]`` and ``{"a":1,}``, which the engine takes for JSON."""
        self.long_integers = False
        """Integers that a double would not hold."""
        self.inexact = False
        """Numbers that a double does not hold, as which the engine reads every number with a fraction."""

    def feed(self, block: bytes) -> None:
        """Take the next block."""
        bare = block.translate(None, b" \t\r\n")
        self.objects += bare.count(b"{")
        self.trailing_commas = self.trailing_commas or b",}" in bare or b",]" in bare
        numbers = _suspicious(block, alike(block), _SMALL, _LARGE)
        self.long_integers = self.long_integers or any(map(_is_integer, numbers))
        self.inexact = self.inexact or _any_inexact(numbers)


def alike(block: bytes) -> bytes:
    """Give what numbers are made of and what stands around them, and make all digits one, and the point."""
    return block.translate(_ALIKE, _NOT_ALIKE)


def has_inexact(block: bytes, alike: bytes) -> bool:
    """Tell whether the engine reads a number, or what looks like one, as a double that does not hold it.

    Numbers that are too large for any double it leaves as they are written.
    """
    return _any_inexact(_suspicious(block, alike, _SMALL))


def is_exact(token: bytes) -> bool:
    """Tell whether a double holds the number: whether, in short or with as many digits, it is the same."""
    text = token.decode()
    try:
        value, number = float(text), Decimal(text)
        digits = len(number.as_tuple().digits)
        return repr(value) == text or (digits <= _DIGITS_MAX and Decimal(f"{value:.{digits - 1}e}") == number)
    except (ArithmeticError, ValueError):
        return False


def _suspicious(block: bytes, alike: bytes, *signs: bytes) -> list[bytes]:
    """Give the numbers that a double may not hold: long ones and, given any of ``signs``, with exponents."""
    long, exponent = _LONG in alike, any(sign in alike for sign in signs)
    if not (long or exponent):
        return []
    tokens = block.translate(_APART).split()
    found = [token for token in tokens if len(token) > _DIGITS_EXACT] if long else []
    if exponent:
        found += [token for token in tokens if b"e" in token or b"E" in token]
    return [token for token in found if token[0] in b"-0123456789" and not token.endswith(b'"')]


def _is_integer(token: bytes) -> bool:
    return b"." not in token and b"e" not in token and b"E" not in token


def _any_inexact(numbers: Sequence[bytes]) -> bool:
    floats = [token for token in numbers if not _is_integer(token)]
    try:
        # As most programs write them, in the shortest form that is read as the same double.
        if " ".join(map(repr, map(float, floats))).encode() == b" ".join(floats):
            return False
    except ValueError:
        return True
    return not all(map(is_exact, floats))


def with_inexact_as_text(line: bytes) -> bytes:
    """Give a line of JSON with each number that a double does not hold as a string."""

    def keep(match: re.Match[bytes]) -> bytes:
        token = match[0]
        whole = token.startswith(b'"') or _is_integer(token)
        return token if whole or is_exact(token) else b'"' + token + b'"'

    return _TOKEN.sub(keep, line)
