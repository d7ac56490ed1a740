"""Rewrite JSON that is not one object a line (an array, or pretty-printed values) as one object a line."""

import codecs
import json
import re
from collections.abc import Iterator
from pathlib import Path

from conversion.budget import Budget
from conversion.model import MEBIBYTE, UnreadableError
from conversion.rejects import Rejects
from conversion.screen import RECORD_BYTES_MAX

_SPACE = re.compile(r"[ \t\r\n]*")
_NEWLINES = str.maketrans("\r\n", "  ")


def to_lines(source: Path, target: Path, rejects: Rejects, budget: Budget) -> int:
    """Write each element of the array, or each value, of ``source`` as a line of ``target``; give their number.

    Those that are no objects are rejected. JSON has no place to start again after an error in it, so an error
    makes the whole object unreadable.
    """
    records = 0
    with target.open("wb") as file:
        for offset, text in _values(source, budget):
            if text.startswith("{"):
                file.write(
                    text.translate(_NEWLINES).encode() + b"\n"
                )  # inside a string they would be escaped
                records += 1
            else:
                rejects.add(
                    record=records + rejects.count + 1,
                    line=0,
                    byte_offset=offset,
                    column=None,
                    reason="not a JSON object",
                    raw=text.encode(),
                )
    return records


def _values(source: Path, budget: Budget) -> Iterator[tuple[int, str]]:
    """Yield each value's byte offset and text."""
    decoder = json.JSONDecoder()
    decode = codecs.getincrementaldecoder("utf-8")()
    text, position, consumed = "", 0, 0
    in_array = False
    first, at_end, wanted = True, False, MEBIBYTE
    with source.open("rb") as file:
        while True:
            budget.check_time()
            block = file.read(wanted)
            at_end = not block
            consumed += len(text[:position].encode())
            try:
                text = text[position:] + decode.decode(block, final=at_end)
            except UnicodeDecodeError as error:
                raise UnreadableError(f"not UTF-8 text in JSON after byte {consumed}") from error
            position = 0
            while True:
                position = _skip(text, position)
                if first and text[position : position + 1] == "[":
                    in_array, position = True, position + 1
                    position = _skip(text, position)
                if position >= len(text):
                    break
                first = False
                if in_array and text[position] == "]":
                    if text[position + 1 :].strip() or file.read(1).strip():
                        raise UnreadableError(
                            f"JSON goes on after its array ends at byte {consumed + position}"
                        )
                    return
                try:
                    _, end = decoder.raw_decode(text, position)
                except json.JSONDecodeError as error:
                    if at_end:
                        raise UnreadableError(
                            f"malformed JSON after byte {consumed + len(text[: error.pos].encode())}"
                        ) from error
                    break
                except RecursionError as error:
                    raise UnreadableError(f"JSON too deeply nested after byte {consumed}") from error
                following = _skip(text, end)
                if following >= len(text) and not at_end:
                    break  # it may go on: 12 may become 123
                yield consumed + len(text[:position].encode()), text[position:end]
                if in_array and following < len(text):
                    if text[following] == ",":
                        following += 1
                        if text[_skip(text, following) : _skip(text, following) + 1] == "]":
                            raise UnreadableError(
                                f"malformed JSON after byte {consumed}: a comma before the array's end"
                            )
                    elif text[following] != "]":
                        raise UnreadableError(
                            f"malformed JSON after byte {consumed}: no comma between elements"
                        )
                position = following
            if len(text) - position > RECORD_BYTES_MAX:
                raise UnreadableError(
                    f"malformed JSON, or a value longer than {RECORD_BYTES_MAX} bytes, after byte {consumed}"
                )
            if at_end:
                if in_array:
                    raise UnreadableError(f"truncated JSON: the array does not end, at byte {consumed}")
                return


def _skip(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position
