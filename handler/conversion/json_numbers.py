"""What the engine's JSON reader lets pass though it changes it or is no JSON: found in the bytes, in blocks."""

import json
import re
from decimal import Decimal

_DIGITS_EXACT = 15
"""A double gives back any number of as many digits."""

_TO_DIGITS = bytes(0x30 if 0x30 <= byte <= 0x39 else byte for byte in range(256))
_LONG = re.compile(rb'(?<![\d.])("?)(-?\d[\d.]{%d,}(?:[eE][-+]?\d+)?)' % _DIGITS_EXACT)
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*+"|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?')


class JsonScreen:
    """Fed with a file's blocks in order, tells what is in it. Where it is in doubt, it says that it is there."""

    def __init__(self) -> None:
        self.trailing_commas = False
        """``[1,]`` and ``{"a":1,}``, which the engine takes for JSON."""
        self.long_integers = False
        """Integers that a double would not hold."""
        self.inexact = False
        """Numbers that a double does not hold, as which the engine reads every number with a fraction."""
        self.keys = 0
        """How many keys there are, at any depth; -1 if they cannot be counted so."""

    def feed(self, block: bytes) -> None:
        """Take the next block, which ends with a line end."""
        if self.keys >= 0:
            unsure = any(mark in block for mark in (b" :", b"\t:", b"\r:", b'\\":'))
            self.keys = -1 if unsure else self.keys + block.count(b'":')
        if not self.trailing_commas:
            bare = (
                block.translate(None, b" \t\r\n")
                if b", " in block or b",\t" in block or b",\r" in block
                else block
            )
            self.trailing_commas = b",}" in bare or b",]" in bare
        if b"0" * (_DIGITS_EXACT + 1) in block.translate(_TO_DIGITS, b"."):
            self._look_at_numbers(block)

    def _look_at_numbers(self, block: bytes) -> None:
        for quote, token in _LONG.findall(block):
            if quote or (self.inexact and self.long_integers):
                continue
            if b"." in token or b"e" in token.lower():
                self.inexact = self.inexact or not is_exact(token)
            else:
                self.long_integers = True


def is_exact(token: bytes) -> bool:
    """Tell whether a double holds the number that is written so."""
    text = token.decode()
    try:
        return Decimal(repr(float(text))) == Decimal(text)
    except ArithmeticError:
        return False


def with_inexact_as_text(line: bytes) -> bytes:
    """Give a line of JSON with each number that a double does not hold as a string."""

    def keep(match: re.Match[bytes]) -> bytes:
        token = match[0]
        if token.startswith(b'"') or (b"." not in token and b"e" not in token.lower()) or is_exact(token):
            return token
        return b'"' + token + b'"'

    return _TOKEN.sub(keep, line)


def is_strict_object(line: bytes) -> bool:
    """Tell whether a line is one JSON object to the standard library too."""
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False
