"""Read on if the beginning of a delimited file is one long record, or has an unclosed quote."""

import re
from dataclasses import replace

from conversion.delimited.detection import RECORDS_MIN, Detected, delimiters_of

_BLANK = re.compile(rb"[\r\n]*+")
_UNREADABLE = b"\0"
"""A record that is not text, so that it is never the header, and has no width."""


def unfinished_at(head: bytes, detected: Detected) -> int | None:
    """Return the offset of a record that fills half of the sample and does not end in it, if there is one.

    Args:
        head: The beginning of a file, but not the whole file.
        detected: The dialect of ``head``.
    """
    if len(detected.records) >= RECORDS_MIN:
        return None
    end = detected.records[-1].end if detected.records else len(detected.separator_line)
    blank = _BLANK.match(head, end)
    start = blank.end() if blank else end
    return start if len(head) - start > len(head) // 2 else None


def without_unfinished(
    head: bytes, start: int, detected: Detected, more: bytes, *, whole: bool
) -> tuple[bytes, bool]:
    """Return a sample that shows the layout of the records after an unfinished one.

    An unreadable record takes the place of one that ends in ``more``. If it does not end, its quote is a
    stray one. Then the sample is read as if it were the whole file, where an unclosed quote costs one line.

    Args:
        head: The beginning of a file.
        start: The offset of the unfinished record in it.
        detected: The dialect of ``head``.
        more: A longer beginning of the same file.
        whole: Whether ``more`` is the whole file.

    Returns:
        The sample, and whether its last record is complete.
    """
    delimiters = {detected.grammar.delimiter, *delimiters_of(head)}
    grammars = [replace(detected.grammar, delimiter=delimiter) for delimiter in delimiters]
    ends = [grammar.end_of_record(more, start, whole=whole) for grammar in grammars]
    end = min((end for end in ends if end >= len(head)), default=None)
    if end is None:
        lines = max(head.rfind(b"\n"), head.rfind(b"\r")) + 1
        return (head[:lines], True) if lines > start else (head, False)
    newline = b"\r\n" if more.endswith(b"\r\n", 0, end) else b"\n"
    rest = more[end : end + len(head)]
    return head[:start] + _UNREADABLE + newline + rest, whole and end + len(rest) == len(more)
