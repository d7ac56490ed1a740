"""NDJSON, and what is rewritten to it: spooled, its lines counted, those taken out that are no objects."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conversion.blocks import RECORD_BYTES_MAX, blocks_of_lines
from conversion.budget import Budget
from conversion.delimited.dialect import Dialect, lines_dialect, newline_of
from conversion.encoding import FALLBACK, from_fallback, is_fallback, not_text_reason
from conversion.json_numbers import JsonScreen, with_inexact_as_text
from conversion.json_values import to_lines
from conversion.model import HEAD_BYTES, UnreadableError
from conversion.rejects import Rejects
from conversion.screen import Screen
from conversion.spool import Spool

_CHECK_EVERY = 10_000
_BLANK = re.compile(rb"^[ \t]+$", re.MULTILINE)
_SAMPLE_LINES = 1000
_DIGITS_READ = 20


@dataclass
class JsonLines:
    """A spooled file of JSON; ``path`` holds one value a line, ``lines`` of them."""

    path: Path
    dialect: Dialect
    encoding: str
    lines: int
    longest: int
    screen: JsonScreen

    def sample(self) -> list[dict[str, Any]]:
        """Give the first of the lines that are objects."""
        with self.path.open("rb") as file:
            return sample_of(file.read(HEAD_BYTES))


class JsonSpool:
    """Spools an object of JSON, and keeps it until it is known which of its lines are no objects."""

    def __init__(self, spool: Spool, kind: str, rejects: Rejects, budget: Budget) -> None:
        self._rejects = rejects
        self._budget = budget
        self._original = spool.path
        self._encoding = spool.encoding
        self._mark_bytes = spool.mark_bytes if spool.encoding == "utf-8" else 0
        newline = newline_of(spool.head)
        spool.spool()
        if kind == "values":
            newline = b"\n"
            budget.check_second_copy(spool.path)
            self._original = spool.path.with_suffix(".values")
            to_lines(spool.path, self._original, rejects, budget)
            spool.path.unlink()
        self._already_rejected = rejects.count
        self._strictly = False
        self.lines = self._screened(self._original, newline)

    def without(self, refused: Iterable[int]) -> JsonLines:
        """Take out the lines of these numbers (from 0, rising, in ``lines``), which the engine refuses."""
        self._rejects.forget(self._already_rejected)
        self.lines = self._rewritten(iter(refused))
        return self.lines

    def with_a_key_twice(self) -> Iterator[int]:
        """Yield the numbers of the lines that have two keys of one name in one object, at any depth."""
        number = 0
        for block in blocks_of_lines(self.lines.path, self._budget):
            lines = block.splitlines()
            if _has_a_key_twice(b"[%b]" % b",".join(lines), if_malformed=True):
                yield from (number + i for i, line in enumerate(lines) if _has_a_key_twice(line))
            number += len(lines)

    def _screened(self, path: Path, newline: bytes) -> JsonLines:
        dialect = lines_dialect(blank_lines=False, newline=newline)
        screen, json_screen = Screen(dialect), JsonScreen()
        blank = False
        for block in blocks_of_lines(path, self._budget):
            screen.feed(block)
            json_screen.feed(block)
            blank = blank or bool(_BLANK.search(block))
        screen.finish()
        lines = JsonLines(path, dialect, self._encoding, screen.records, screen.longest_wait, json_screen)
        if screen.sound and not (blank or json_screen.trailing_commas or json_screen.inexact):
            return lines
        if not screen.sound and self._encoding == "utf-8" and is_fallback(path, self._budget):
            self._encoding = FALLBACK
            from_fallback(path, self._budget)
        self.lines = lines
        self._strictly = True
        return self._rewritten(iter(()))

    def _rewritten(self, refused: Iterator[int]) -> JsonLines:
        """Write what is sound of the original to a file of its own.

        Every line is parsed if the first such pass did so: what it took out has no number among ``refused``.
        """
        self._budget.check_second_copy(self._original)
        target = self._original.with_suffix(".lines")
        screen = self.lines.screen
        next_refused = next(refused, None)
        kept = numbered = offset = record = longest = 0
        with self._original.open("rb") as source, target.open("wb") as file:
            for number, line in enumerate(iter(lambda: source.readline(RECORD_BYTES_MAX + 1), b"")):
                if number % _CHECK_EVERY == 0:
                    self._budget.check()
                if len(line) > RECORD_BYTES_MAX:
                    raise UnreadableError(f"a line longer than {RECORD_BYTES_MAX} bytes at byte {offset}")
                text = line.strip(b" \t\r\n")
                start, offset = offset, offset + len(line)
                if not text:
                    continue
                record += 1
                reason = not_text_reason(text, start + self._mark_bytes + line.find(text))
                if reason is None and (self._strictly or b"\r" in text or screen.trailing_commas):
                    reason = reason_of(text)
                if reason is None:
                    if numbered == next_refused:
                        next_refused = next(refused, None)
                        reason = reason_of(text) or "a key twice in one object, or text that is not Unicode"
                    numbered += 1
                if reason is None:
                    whole = text.replace(b"\r", b" ")
                    longest = max(longest, len(whole))
                    file.write((with_inexact_as_text(whole) if screen.inexact else whole) + b"\n")
                    kept += 1
                    continue
                self._rejects.add(
                    record=record + self._already_rejected,
                    line=number + 1,
                    byte_offset=start + self._mark_bytes,
                    column=None,
                    reason=reason,
                    raw=line.rstrip(b"\r\n"),
                )
        dialect = lines_dialect(blank_lines=False, newline=b"\n")
        return JsonLines(target, dialect, self._encoding, kept, longest, screen)


def sample_of(head: bytes) -> list[dict[str, Any]]:
    """Give the first of the lines in a file's beginning that are objects."""
    rows: list[dict[str, Any]] = []
    for line in head.splitlines()[:_SAMPLE_LINES]:
        try:
            row = json.loads(line, parse_int=_whole)
        except (ValueError, RecursionError):
            continue
        if isinstance(row, dict):
            rows.append(row)
    return rows


class _TwiceError(Exception):
    pass


def _has_a_key_twice(text: bytes, *, if_malformed: bool = False) -> bool:
    try:
        _decode(text.decode())
    except _TwiceError:
        return True
    except (ValueError, RecursionError):
        return if_malformed
    return False


def _once(pairs: list[tuple[str, object]]) -> None:
    if len(dict(pairs)) < len(pairs):
        raise _TwiceError


# Made once: json.loads would make one for each line that it is to read in another way than its own.
_decode = json.JSONDecoder(object_pairs_hook=_once, parse_int=str).decode
_parse = json.JSONDecoder(parse_int=str).decode


def _whole(digits: str) -> int:
    """Give an integer for the kind that it is; Python takes its time for those of thousands of digits."""
    return int(digits[:_DIGITS_READ])


def reason_of(line: bytes) -> str | None:
    """Say why a line is no JSON object to the standard library, if it is none."""
    try:
        value = _parse(line.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return "malformed JSON"
    return None if isinstance(value, dict) else "not a JSON object"
