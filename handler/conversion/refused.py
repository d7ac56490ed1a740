"""Rows that were written well and are refused all the same: found in one reading, rejected in the next."""

from array import array
from bisect import bisect_left
from collections.abc import Iterable

from conversion.model import UnreadableError

FAILS_FILE = "file: "
"""How a reason begins for which the whole file is refused."""


class Refused:
    """The numbers of refused rows, from 1, in the order in which the engine reads them, and why.

    Numbers and reasons are kept as integers: a file may have millions of them.
    """

    def __init__(self, rows: Iterable[tuple[int, str]] = ()) -> None:
        """Take pairs of number and reason, in the order of their numbers."""
        self._numbers = array("Q")
        self._reasons = array("L")
        self._texts: dict[str, int] = {}
        for number, reason in rows:
            self._numbers.append(number)
            self._reasons.append(self._texts.setdefault(reason, len(self._texts)))
        self._known = list(self._texts)

    def __len__(self) -> int:
        return len(self._numbers)

    def is_any(self, before: int, count: int) -> bool:
        """Tell whether one of ``count`` rows after the first ``before`` is refused."""
        at = bisect_left(self._numbers, before + 1)
        return at < len(self._numbers) and self._numbers[at] <= before + count

    def reason(self, number: int) -> str | None:
        """Return why a row is refused; None if it is not."""
        at = bisect_left(self._numbers, number)
        if at == len(self._numbers) or self._numbers[at] != number:
            return None
        return self._known[self._reasons[at]]


NONE = Refused()


def told(reason: str, line: int) -> tuple[str, str]:
    """Return the column, or rule, and the reason that a rejected row is told with.

    Raises:
        UnreadableError: The reason is one for which the whole file is refused.
    """
    if reason.startswith(FAILS_FILE):
        raise UnreadableError(f"line {line}: {reason.removeprefix(FAILS_FILE)}")
    column, _, what = reason.partition(": ")
    return column, what
