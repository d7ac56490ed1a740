"""How JSON is laid out, told from the beginning of a text: in lines, in an array, or otherwise."""

import json
from dataclasses import dataclass
from typing import Any

from conversion.json.parse import ParseError, parsed

_SPACE = " \t\r\n"
_LINES_TRIED = 50
_CUT_WITHIN = 8
"""An error so many characters before the end may come of where the text was cut: inside ``false``, say."""
_decode = json.JSONDecoder(parse_int=str).raw_decode


@dataclass(frozen=True)
class Layout:
    """How values are laid out.

    Attributes:
        lines: Whether each line is a value.
        array_key: The member of the one object that holds the array whose elements are the rows.
        array_offset: Where that array begins, in bytes.
        whole_values: Whether rows are arrays: each is the value of one column.
    """

    lines: bool = False
    array_key: str = ""
    array_offset: int | None = None
    whole_values: bool = False


def layout_of(head: bytes, *, whole: bool) -> Layout | None:
    """Tell how the JSON that begins with ``head`` is laid out; None if it is no JSON.

    Args:
        head: The beginning of a text, in UTF-8.
        whole: Whether it is all of it.
    """
    start = head.lstrip(_SPACE.encode())
    if not start.startswith((b"{", b"[")):
        return None
    lines = [line for line in start.splitlines() if line.strip()][: _LINES_TRIED + 1]
    if len(lines) > 1:
        complete = lines[:_LINES_TRIED] if whole or len(lines) > _LINES_TRIED else lines[:-1]
        kinds = [_kind(line) for line in complete]
        if kinds.count(dict) * 2 > len(kinds):
            return Layout(lines=True)
        if kinds.count(list) * 2 > len(kinds) and (len(kinds) > 1 or whole):
            return Layout(lines=True, whole_values=True)
    text = start.decode(errors="replace")
    if not _begins(text, whole=whole):
        return None
    if wrapped := _wrapped(text):
        key, offset = wrapped
        return Layout(array_key=key, array_offset=len(head) - len(start) + len(text[:offset].encode()))
    inner = text[1:].lstrip(_SPACE)
    return Layout(whole_values=text.startswith("[") and inner.startswith("["))


def place_of_error(head: bytes) -> tuple[int, str]:
    """Say where a text that is no JSON stops being it: the offset in bytes, and what is wrong."""
    text = head.decode(errors="replace")
    try:
        _, end = _decode(text, len(text) - len(text.lstrip(_SPACE)))
    except json.JSONDecodeError as error:
        return len(text[: error.pos].encode()), error.msg
    except RecursionError:
        return 0, "nested too deeply"
    rest = text[end:].lstrip(_SPACE)
    return len(text.encode()) - len(rest.encode()), "no JSON object or array"


def _kind(line: bytes) -> type | None:
    try:
        return type(parsed(line))
    except ParseError:
        return None


def _begins(text: str, *, whole: bool) -> bool:
    """Tell whether the text is JSON as far as one can see: its first value, and what follows that."""
    in_array = text.startswith("[")
    at = len(text) - len(text[1:].lstrip(_SPACE)) if in_array else 0
    if text.startswith("]", at):
        return True
    try:
        _, end = _decode(text, at)
    except json.JSONDecodeError as error:
        return not whole and _is_cut(error, text)
    except RecursionError:
        return True
    rest = text[end:].lstrip(_SPACE)
    return rest.startswith((",", "]") if in_array else ("{", "[")) or (
        not rest and (not in_array or not whole)
    )


def _is_cut(error: json.JSONDecodeError, text: str) -> bool:
    return error.msg.startswith("Unterminated string") or error.pos >= len(text.rstrip()) - _CUT_WITHIN


def _wrapped(text: str) -> tuple[str, int] | None:
    """Find the first array of objects in an object whose members before it are none: its key and offset."""
    if not text.startswith("{"):
        return None
    at = 1
    while True:
        at = _skipped(text, at)
        try:
            key, at = _decode(text, at)
            at = _skipped(text, at)
            if not isinstance(key, str) or not text.startswith(":", at):
                return None
            at = _skipped(text, at + 1)
            if text.startswith("[", at):
                inner = text[_skipped(text, at + 1) :][:1]
                return (key, at) if inner == "{" else None
            _, at = _decode(text, at)
        except (ValueError, RecursionError):
            return None
        at = _skipped(text, at)
        if not text.startswith(",", at):
            return None
        at += 1


def _skipped(text: str, at: int) -> int:
    while at < len(text) and text[at] in _SPACE:
        at += 1
    return at


def is_wrapper(around: dict[str, Any], key: str, elements: int) -> bool:
    """Tell whether an object that holds an array of objects, ``around`` it, stands for its elements.

    It does if it holds nothing else (as CloudTrail's log files), if it is a GeoJSON FeatureCollection
    (RFC 7946, section 3.3), or if its other members are plain values and the array is long.
    """
    others = {name: value for name, value in around.items() if name != key}
    if not others or (others.get("type") == "FeatureCollection" and key == "features"):
        return True
    return elements >= ELEMENTS_MIN and not any(isinstance(value, dict | list) for value in others.values())


ELEMENTS_MIN = 100
"""An array of so many elements is long."""
