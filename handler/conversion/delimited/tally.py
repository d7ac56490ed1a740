"""Count the records of one pass over delimited text, and list the rejected ones."""

from codecs import BOM_UTF8

from conversion.decode import not_text_at
from conversion.delimited.detection import BESIDE_MAX
from conversion.delimited.layout import Layout
from conversion.delimited.sample import COMMENT, is_again
from conversion.passes import Resources
from conversion.refused import Refused, column_and_reason

_HEADER_AGAIN = "the header again"
_COMMENT = "a comment"
_BROKEN = "broken quoting"
_BEFORE_HEADER = (b"\n", b"\r", BOM_UTF8)


class Tally:
    """The place that a pass has reached, and its counts.

    Attributes:
        layout: The layout of the object.
        rows: Valid records so far.
        line: The line of the next record, from 1.
        offset: The offset of the next record in the object.
    """

    def __init__(
        self,
        layout: Layout,
        names: tuple[str, ...],
        refused: Refused,
        resources: Resources,
        *,
        mark_bytes: int,
    ) -> None:
        self.rows = 0
        self.line = layout.body_line
        self.offset = mark_bytes + layout.body_offset
        self.layout = layout
        self._names = names
        self._rejects = resources.rejects
        self._budget = resources.budget
        self._refused = refused
        self._dropped = 0
        """Refused rows so far."""
        self._beside = 0
        """Repeated headers and comments."""
        self._after = 0
        """Records of another width since the last valid record."""
        self._rows_before = 0
        """Valid records before the last record of another width."""

    @property
    def beside(self) -> int:
        """Rejected records that are not damaged rows: the header again, comments, lines after the table."""
        after = self._after if self._rows_before == self.rows else 0
        return self._beside + (after if after <= min(BESIDE_MAX, self.rows) else 0)

    def count(self, *, rows: int, lines: int, size: int) -> None:
        """Count ``rows`` valid records on ``lines`` lines of ``size`` bytes."""
        self.rows += rows
        self.line += lines
        self.offset += size

    def has_header(self, data: bytes) -> bool:
        """Return whether a line of ``data`` may begin with the header again."""
        return any(record in data and _begins_line(record, data) for record in self.layout.repeats)

    def is_header(self, record: bytes) -> bool:
        """Return whether a record repeats the header, as in concatenated files."""
        return is_again(record, self.layout.repeats)

    def is_any_refused(self, rows: int) -> bool:
        """Return whether the contract refuses one of the next ``rows`` rows."""
        return self._refused.is_any(self._seen, rows)

    def refuse(self, record: bytes) -> bool:
        """Reject a valid record if the contract refuses it, and return whether it does."""
        refusal = self._refused.reason(self._seen + 1)
        if not refusal:
            return False
        self._dropped += 1
        self._reject(record, *column_and_reason(refusal, self.line))
        return True

    def reject_invalid(self, record: bytes) -> None:
        """Reject a record with valid quoting that is no row."""
        dialect = self.layout.dialect
        width = len(dialect.split(record))
        if self.is_header(record):
            self._beside += 1
            self._reject(record, None, _HEADER_AGAIN, is_damaged=False)
        elif self._is_comment(record):
            self._reject_comment(record)
        elif width != dialect.width:
            self._after = self._after + 1 if self._rows_before == self.rows else 1
            self._rows_before = self.rows
            self._reject(record, None, f"{width} fields where {dialect.width} are expected")
        else:
            at = not_text_at(record)
            reason = self._rejects.not_text_reason(record, self.offset) or _BROKEN
            self._reject(record, None if at is None else self._column(record[:at]), reason)

    def reject_broken(self, record: bytes) -> None:
        """Reject a record with broken quoting."""
        if self._is_comment(record):
            self._reject_comment(record)
        else:
            self._reject(record, self._column(record), _BROKEN)

    def _is_comment(self, record: bytes) -> bool:
        return self.layout.comments and record.startswith(COMMENT)

    def _reject_comment(self, record: bytes) -> None:
        self._beside += 1
        self._reject(record, None, _COMMENT, is_damaged=False)

    def _reject(self, raw: bytes, column: str | None, reason: str, *, is_damaged: bool = True) -> None:
        """List the next record as rejected, without counting its line and its bytes."""
        self._budget.check()
        self._rejects.add(
            record=self.rows + self._rejects.count + 1,
            line=self.line,
            byte_offset=self.offset,
            column=column,
            reason=reason,
            raw=raw,
            is_damaged=is_damaged,
        )

    @property
    def _seen(self) -> int:
        """The number of rows that the previous pass had passed to DuckDB at this point."""
        return self.rows + self._dropped

    def _column(self, record: bytes) -> str | None:
        """Return the column of the first field that is not complete."""
        dialect = self.layout.dialect
        complete = dialect.fields.match(record)
        index = len(dialect.split(complete[0])) - 1 if complete else 0
        return self._names[index] if index < len(self._names) else None


def _begins_line(record: bytes, data: bytes) -> bool:
    return data.startswith(record) or any(before + record in data for before in _BEFORE_HEADER)
