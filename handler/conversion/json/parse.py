"""Parse single values of JSON strictly with the standard library, and report what is wrong."""

import json
import re
from collections.abc import Callable
from typing import Any

import msgspec

from conversion.json.exact import is_exact

_DIGITS_MAX = 19
"""The most digits of an integer of 64 bits."""
_INTEGER_MAX = 2**63

MALFORMED = (msgspec.MsgspecError, ValueError, RecursionError)
"""The errors of msgspec for text that it cannot decode."""


class ParseError(Exception):
    """The value cannot be read. The message says why, without its content."""

    def __init__(self, reason: str, *, malformed: bool = False) -> None:
        super().__init__(reason)
        self.malformed = malformed


UNFIT = object()
"""Replaces a number that no column type holds: an integer beyond 64 bits, or a float with too many digits."""


def parsed(text: bytes) -> Any:  # noqa: ANN401  (whatever JSON may be)
    """Return the value of ``text``, with UNFIT for each number that no type holds.

    Raises:
        ParseError: It is malformed, has a repeated key, or text that is not Unicode.
    """
    try:
        value = _decode_strictly(text.decode())
        # A lone surrogate is not text, although JSON can write it.
        if _ESCAPED.search(text) and _SURROGATE.search(json.dumps(value, ensure_ascii=False, default=str)):
            raise ParseError(_NOT_UNIQUE)
    except RecursionError:
        raise ParseError("nested too deeply") from None
    except ValueError:
        raise ParseError("malformed JSON", malformed=True) from None
    return value


def members(text: bytes) -> dict[str, Any]:
    """Return the members of an object, with the text of each number that no type holds.

    Raises:
        ParseError: As for ``parsed``.
    """
    parsed(text)
    return _decode_members(text.decode())


def _decode_strictly(text: str) -> Any:  # noqa: ANN401
    try:
        return _decode(text)
    except ParseError:
        _decode_members(text)  # What follows a repeated key may be malformed.
        raise


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ParseError(_NOT_UNIQUE)
    return found


def _integer(digits: str) -> object:
    if len(digits) > _DIGITS_MAX + 1:
        return UNFIT
    value = int(digits)
    return value if -_INTEGER_MAX <= value < _INTEGER_MAX else UNFIT


def _fraction(digits: str) -> object:
    return float(digits) if is_exact(digits) else UNFIT


def _constant(_: str) -> object:
    return UNFIT


_NOT_UNIQUE = "a repeated key, or text that is not Unicode"
_ESCAPED = re.compile(rb"\\u[dD][89a-fA-F]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")

# Created once. With these arguments json.loads would create a decoder for each value.
_decode = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_fraction, parse_constant=_constant
).decode


def _or_text(fitting: Callable[[str], object]) -> Callable[[str], object]:
    def number(digits: str) -> object:
        value = fitting(digits)
        return digits if value is UNFIT else value

    return number


_decode_members = json.JSONDecoder(
    parse_int=_or_text(_integer), parse_float=_or_text(_fraction), parse_constant=str
).decode
