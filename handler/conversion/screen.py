"""Count a text file's records by their bytes alone, and prove them sound, as fast as they arrive.

Nine of ten files are sound from end to end. What this pass cannot prove in whole blocks is left to
``conversion.repair``, which reads record by record.
"""

from conversion.blocks import RECORD_BYTES_MAX
from conversion.delimited.dialect import Dialect
from conversion.encoding import is_text

_CUT_ATTEMPTS = 100


class Screen:
    """Fed with a file's blocks in order; ``sound_bytes`` and ``records`` then tell how far it is sound.

    Sound means: valid text, the dialect's line end throughout, no blank lines, and in every record the
    dialect's number of fields and whole quotes. ``records`` includes a header.
    """

    def __init__(self, dialect: Dialect) -> None:
        self.records = 0
        self.sound_bytes = 0
        self.sound = True
        self.longest_wait = 0
        """No record is longer than this many bytes."""
        self._dialect = dialect
        self._carry = b""
        structure = dialect.delimiter + b"\r\n" + dialect.quote
        self._rest = bytes(set(range(256)) - set(structure))
        self._record = dialect.delimiter * (dialect.width - 1) + dialect.newline

    def feed(self, block: bytes) -> None:
        """Take the next block."""
        if not self.sound:
            return
        data = self._carry + block
        self.longest_wait = max(self.longest_wait, len(data))
        cut = self._end_of_records(data)
        self._carry = data[cut:]
        self._take(data[:cut])
        self.sound = self.sound and len(self._carry) <= RECORD_BYTES_MAX

    def finish(self) -> None:
        """Take what is left, the last record, which may lack its line end."""
        if self.sound and self._carry:
            self._take(self._carry, self._carry + self._dialect.newline)

    def _take(self, data: bytes, records: bytes | None = None) -> None:
        count = self._count(data if records is None else records)
        if count is None:
            self.sound = False
        else:
            self.records += count
            self.sound_bytes += len(data)

    def _end_of_records(self, data: bytes) -> int:
        """Give the end of the last complete record, taking a line end between paired quotes for one."""
        cut = data.rfind(b"\n") + 1
        quote = self._dialect.quote
        if not quote or quote not in data:
            return cut
        open_quotes = data.count(quote, 0, cut) % 2
        for _ in range(_CUT_ATTEMPTS):
            if not (open_quotes and cut):
                break
            before = data.rfind(b"\n", 0, cut - 1) + 1
            open_quotes ^= data.count(quote, before, cut) % 2
            cut = before
        return cut

    def _count(self, data: bytes) -> int | None:
        """Give the number of records in ``data``, or None unless every one of them is sound."""
        if not is_text(data):
            return None
        dialect = self._dialect
        if (
            dialect.width == 1
            and not dialect.blank_lines
            and (data.startswith(b"\n") or b"\n\n" in data or b"\n\r" in data)
        ):
            return None
        if dialect.width == 1 and not dialect.quote and dialect.newline == b"\n":
            return None if b"\r" in data or dialect.delimiter in data else data.count(b"\n")
        if dialect.quote and dialect.has_spaced_quote(data):
            return None
        # What is left of sound records is the delimiters and line ends, in the same pattern over and over.
        structure = dialect.without_quoted(data).translate(None, self._rest)
        count = len(structure) // len(self._record)
        return count if structure == self._record * count else None
