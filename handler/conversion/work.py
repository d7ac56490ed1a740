"""What each format's way through a conversion works with, and what it comes to."""

from collections.abc import Sequence
from dataclasses import dataclass

from conversion.budget import Budget
from conversion.model import Account, EmptyError, UnreadableError
from conversion.rejects import Rejects
from conversion.spool import Spool
from conversion.typed import Typed
from conversion.writer import Writer


@dataclass(frozen=True)
class Result:
    """A written table, and what it was read from."""

    format: str
    encoding: str
    sources: Sequence[str]
    """The columns' names in the source."""
    typed: Typed


class Work:
    """One object's conversion, on its way."""

    def __init__(self, key: str, spool: Spool, rejects: Rejects, budget: Budget, writer: Writer) -> None:
        self.key = key
        self.spool = spool
        self.rejects = rejects
        self.budget = budget
        self.writer = writer
        self._sound = 0

    def count(self, sound: int) -> None:
        """Take note that so many rows are sound and all others rejected.

        Raises EmptyError if there are none at all, UnreadableError if too many of them are rejected.
        """
        self._sound = sound
        rows = sound + self.rejects.count
        if rows == 0:
            raise EmptyError("the object has no rows")
        share = self.budget.limits.rejected_share_max
        if self.rejects.count > share * rows:
            self.rejects.close()
            raise self.unreadable(
                f"{self.rejects.count} of {rows} rows rejected, more than {share:.0%}; {self.rejects.summary}"
            )

    def account(self, rows_out: int) -> Account:
        """Give the account, ``rows_out`` being what the engine says it has written."""
        output = self.writer.output
        return Account(
            bytes_in=self.spool.bytes_in,
            bytes_decompressed=self.spool.bytes_decompressed,
            bytes_out=output.stat().st_size if output.exists() else 0,
            rows_in=self._sound + self.rejects.count,
            rows_out=rows_out,
            rows_rejected=self.rejects.count,
        )

    def unreadable(self, reason: str, rows_out: int = 0) -> UnreadableError:
        """Give the error for ``reason``, with the account as far as it has come."""
        account = self.account(rows_out) if self._sound or self.rejects.count else None
        return UnreadableError(reason, account=account, rejects=self.rejects.path)
