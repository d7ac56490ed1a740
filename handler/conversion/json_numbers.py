"""What the engine takes for JSON though it is none, or changes as it reads: found in the bytes, in blocks."""

import re
from decimal import Decimal

_DIGITS_EXACT = 15
"""A double gives back any number of as many digits."""

_DIGITS_MAX = 17
"""A number of more says more than a double does."""

_ALIKE = bytes.maketrans(b"123456789]", b"000000000}")
"""All digits are one, and all ends of values."""

_LONG_RUN = b"0" * (_DIGITS_EXACT + 1)
_LONG = re.compile(rb'(?<![\d.])("?)(-?\d[\d.]{%d,}(?:[eE][-+]?\d+)?)' % _DIGITS_EXACT)
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*+"|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?')


class JsonScreen:
    """Fed with a file's blocks of lines, tells what is in it; in doubt, it says that it is there."""

    def __init__(self) -> None:
        self.keys = 0
        """At least as many keys as there are, at any depth; a colon first in a string may count for one."""
        self.trailing_commas = False
        """``[1,]`` and ``{"a":1,}``, which the engine takes for JSON."""
        self.long_integers = False
        """Integers that a double would not hold."""
        self.inexact = False
        """Numbers that a double does not hold, as which the engine reads every number with a fraction."""

    def feed(self, block: bytes) -> None:
        """Take the next block."""
        bare = block.translate(_ALIKE, b" \t\r\n.")
        self.keys += bare.count(b'":')
        self.trailing_commas = self.trailing_commas or b",}" in bare
        if _LONG_RUN in bare:
            self._look_at_numbers(block)

    def _look_at_numbers(self, block: bytes) -> None:
        for quote, token in _LONG.findall(block):
            if quote:
                continue
            if b"." in token or b"e" in token.lower():
                self.inexact = self.inexact or not is_exact(token)
            else:
                self.long_integers = True


def is_exact(token: bytes) -> bool:
    """Tell whether a double holds the number: whether, written with as many digits, it is the same."""
    text = token.decode()
    try:
        number = Decimal(text)
        digits = len(number.as_tuple().digits)
        return digits <= _DIGITS_MAX and Decimal(f"{float(text):.{digits - 1}e}") == number
    except (ArithmeticError, ValueError):
        return False


def with_inexact_as_text(line: bytes) -> bytes:
    """Give a line of JSON with each number that a double does not hold as a string."""

    def keep(match: re.Match[bytes]) -> bytes:
        token = match[0]
        whole = token.startswith(b'"') or not (b"." in token or b"e" in token.lower())
        return token if whole or is_exact(token) else b'"' + token + b'"'

    return _TOKEN.sub(keep, line)
