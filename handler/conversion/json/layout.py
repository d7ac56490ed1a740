"""Detect the layout of JSON from its beginning: lines, an array, or other values."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from conversion.json.parse import ParseError, parsed

_SPACE = " \t\r\n"
_LINES_TRIED = 50
_COLLECTION, _FEATURES = "FeatureCollection", "features"
_CUT_WITHIN = 8
"""An error so close to the end may only mean that the text is cut, for example inside ``false``."""
ELEMENTS_MIN = 100
"""The number of elements from which an array is long."""
_decode = json.JSONDecoder(parse_int=str).raw_decode


@dataclass(frozen=True)
class Layout:
    """The layout of values.

    Attributes:
        lines: Whether each line is a value.
        array_key: The member of the wrapping object that holds the array of rows.
        array_offset: The offset of that array in bytes.
        whole_values: Whether rows are arrays. Each is the value of the only column.
        carriage_returns: Whether lines end with CR alone.
        columns: The keys of rows in lower case, if a contract names them.
    """

    lines: bool = False
    array_key: str = ""
    array_offset: int | None = None
    whole_values: bool = False
    carriage_returns: bool = False
    columns: frozenset[str] | None = None


def layout_of(head: bytes, *, whole: bool) -> Layout | None:
    """Return the layout of JSON; None if the text is not JSON.

    Args:
        head: The beginning of the text, in UTF-8.
        whole: Whether ``head`` is the whole text.
    """
    start = head.lstrip(_SPACE.encode())
    if not start.startswith((b"{", b"[")):
        return None
    if lines := lines_layout(start, whole=whole):
        return lines
    text = start.decode(errors="replace")
    if not _begins(text, whole=whole):
        return None
    if wrapped := _wrapped(text):
        key, offset = wrapped
        return Layout(array_key=key, array_offset=len(head) - len(start) + len(text[:offset].encode()))
    inner = text[1:].lstrip(_SPACE)
    return Layout(whole_values=inner.startswith("["))


def lines_layout(head: bytes, *, whole: bool) -> Layout | None:
    """Return the layout of JSON if most of the first lines are objects, or arrays. Else return None."""
    lines = [line for line in head.split(b"\n") if line.strip()][: _LINES_TRIED + 1]
    if len(lines) < 2:
        return None
    complete = lines[:_LINES_TRIED] if whole or len(lines) > _LINES_TRIED else lines[:-1]
    kinds = [_kind(line) for line in complete]
    if kinds.count(dict) * 2 > len(kinds):
        return Layout(lines=True)
    if kinds.count(list) * 2 > len(kinds) and (len(kinds) > 1 or whole):
        return Layout(lines=True, whole_values=True)
    return None


def ends_lines_with_cr(head: bytes, *, whole: bool) -> bool:
    """Return whether the lines of a text with this beginning end with CR alone."""
    # A CR at the end may belong to CR LF.
    return b"\n" not in head and b"\r" in (head if whole else head[:-1])


def place_of_error(head: bytes) -> tuple[int, str]:
    """Return the offset in bytes of the first error in a text that is not JSON, and the error."""
    text = head.decode(errors="replace")
    at = _skipped(text, 0)
    try:
        _, end = _decode(text, at)
    except json.JSONDecodeError as error:
        at, what = error.pos, error.msg
    except RecursionError:
        what = "nested too deeply"
    else:
        what = "a value that is no object or array"
        if text.startswith(("{", "["), at):
            at, what = _skipped(text, end), "text after the end of the first value"
    return len(text[:at].encode()), what


def _kind(line: bytes) -> type | None:
    try:
        return type(parsed(line))
    except ParseError:
        return None


def _begins(text: str, *, whole: bool) -> bool:
    """Return whether the text is JSON, judged by its first value and what follows it."""
    try:
        _, end = _decode(text)
    except json.JSONDecodeError as error:
        return (not whole and _is_cut(error, text)) or _begins_array(text, whole=whole)
    except RecursionError:
        return True
    after = _skipped(text, end)
    if after == len(text):
        return True
    if "\n" in text[end:after]:
        return text.startswith(("{", "["), after)
    # Objects may follow one another on a line. Fields between tabs, or after an array, are a table's.
    return text.startswith("{", after) and "\t" not in text[end:after] and not text.startswith("[")


def _begins_array(text: str, *, whole: bool) -> bool:
    """Return whether a malformed array is JSON, judged by its first element.

    It must be an object or an array. Lines of a log or a table may begin with ``[17, main]`` or ``[1, 5)``.
    """
    start = _skipped(text, 1)
    if not text.startswith("[") or not text.startswith(("{", "["), start):
        return False
    try:
        _, end = _decode(text, start)
    except json.JSONDecodeError:
        return False
    rest = text[end:].lstrip(_SPACE)
    return rest.startswith(",") or (not rest and not whole)


def _is_cut(error: json.JSONDecodeError, text: str) -> bool:
    return error.msg.startswith("Unterminated string") or error.pos >= len(text.rstrip()) - _CUT_WITHIN


def _wrapped(text: str) -> tuple[str, int] | None:
    """Return the key and offset of the array of objects that an object may wrap.

    It is ``features`` if there is such an array, else the first one. The ``type`` that makes an object a
    GeoJSON FeatureCollection may follow at its end.
    """
    first: tuple[str, int] | None = None
    if not text.startswith("{"):
        return None
    at = 1
    while True:
        at = _skipped(text, at)
        try:
            key, at = _decode(text, at)
            at = _skipped(text, at)
            if not isinstance(key, str) or not text.startswith(":", at):
                return first
            at = _skipped(text, at + 1)
            if text.startswith("[", at) and text.startswith("{", _skipped(text, at + 1)):
                first = first or (key, at)
                if key == _FEATURES:
                    return key, at
            _, at = _decode(text, at)
        except (ValueError, RecursionError):
            return first
        at = _skipped(text, at)
        if not text.startswith(",", at):
            return first
        at += 1


def _skipped(text: str, at: int) -> int:
    while at < len(text) and text[at] in _SPACE:
        at += 1
    return at


def is_followed(text: bytes) -> bool:
    """Return whether another object follows the object that ``text`` begins with."""
    whole = text.decode(errors="replace").lstrip(_SPACE)
    try:
        _, end = _decode(whole)
    except (ValueError, RecursionError):
        return False
    return whole[end:].lstrip(_SPACE).startswith("{")


def is_wrapper(around: dict[str, Any], key: str, elements: int) -> bool:
    """Return whether an object wraps the array of objects that it holds.

    It does in three cases: it has no other member, as in CloudTrail's log files; it is a GeoJSON
    FeatureCollection (RFC 7946, section 3.3); its other members are scalars and the array is long.

    Args:
        around: The object.
        key: The member that holds the array.
        elements: The length of the array.
    """
    others = {name: value for name, value in around.items() if name != key}
    if not others or (others.get("type") == _COLLECTION and key == _FEATURES):
        return True
    return elements >= ELEMENTS_MIN and not any(isinstance(value, dict | list) for value in others.values())


def is_around_rows(around: Iterable[str], key: str, element: Iterable[str], columns: frozenset[str]) -> bool:
    """Return whether the rows of a contract are the elements of an array, and not the object around it.

    Args:
        around: The keys of the object.
        key: The key of the array.
        element: The keys of the array's first element.
        columns: The keys of rows, in lower case.
    """
    outer, inner = (len(columns.intersection(map(str.lower, keys))) for keys in (around, element))
    return key.lower() not in columns and (not outer or inner > outer)
