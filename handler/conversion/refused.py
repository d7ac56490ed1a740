"""Valid rows that a contract refuses: found in one pass, rejected in the next."""

from array import array
from bisect import bisect_left
from collections.abc import Iterable

from conversion.model import UnreadableError

FAILS_FILE = "\0"
"""The prefix of a reason that refuses the whole file. No column and no rule has such a name."""


class Refused:
    """The numbers of refused rows, from 1 and in the order in which DuckDB reads them, with reasons.

    Numbers and reasons are stored as integers, because a file may have millions of refused rows.
    """

    def __init__(self, rows: Iterable[tuple[int, str]] = ()) -> None:
        """Store pairs of number and reason, sorted by number."""
        self._numbers = array("Q")
        self._reasons = array("L")
        self._texts: dict[str, int] = {}
        for number, reason in rows:
            self._numbers.append(number)
            self._reasons.append(self._texts.setdefault(reason, len(self._texts)))
        self._known = list(self._texts)

    def is_any(self, before: int, count: int) -> bool:
        """Return whether one of the ``count`` rows after the first ``before`` rows is refused."""
        at = bisect_left(self._numbers, before + 1)
        return at < len(self._numbers) and self._numbers[at] <= before + count

    def reason(self, number: int) -> str | None:
        """Return why a row is refused; None if it is accepted."""
        at = bisect_left(self._numbers, number)
        if at == len(self._numbers) or self._numbers[at] != number:
            return None
        return self._known[self._reasons[at]]


NO_REFUSALS = Refused()


def column_and_reason(reason: str, line: int) -> tuple[str, str]:
    """Return the column or rule, and the reason, that the rejected row is listed with.

    Raises:
        UnreadableError: The reason refuses the whole file.
    """
    if reason.startswith(FAILS_FILE):
        raise UnreadableError(f"line {line}: {reason.removeprefix(FAILS_FILE)}")
    # A rule's name may contain the separator. A reason does not.
    column, _, what = reason.rpartition(": ")
    return column, what
