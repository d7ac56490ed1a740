"""The plan for delimited text, and for plain text as one column."""

from functools import cached_property

from conversion.budget import Budget
from conversion.delimited.dialect import Dialect
from conversion.delimited.layout import layout_of
from conversion.delimited.records import Records
from conversion.delimited.tally import Tally
from conversion.engine import literal
from conversion.names import column_names
from conversion.plan import Findings, Table
from conversion.rejects import Rejects
from conversion.roundtrip import Guess, guess

_NO_TEXT = "\x1e"
"""ASCII's record separator, which text does not contain."""


class DelimitedPlan:
    """The plan for an object of delimited text that begins with ``head`` (UTF-8)."""

    def __init__(self, head: bytes, key: str, findings: Findings, budget: Budget, *, whole: bool) -> None:
        self.layout = layout_of(head, key, whole=whole)
        budget.check_columns(self.layout.dialect.width)
        self.format = self.layout.format
        self._names = column_names(self.layout.names)
        self._findings = findings

    @cached_property
    def table(self) -> Table:
        """What DuckDB reads and writes."""
        layout, width = self.layout, self.layout.dialect.width
        columns = zip(*layout.sample, strict=True) if layout.sample else ((),) * width
        return Table(
            relation=self._relation,
            names=self._names,
            sources=layout.names,
            guesses=(Guess(()),) if layout.is_text else tuple(guess(values) for values in columns),
            note=layout.note,
        )

    def _relation(self, path: str) -> str:
        return relation_of(self.layout.dialect, path, self._findings)

    def reader(self, rejects: Rejects, budget: Budget, *, mark_bytes: int) -> Records:
        """Return a reader for one pass."""
        tally = Tally(self.layout, self._names, rejects, budget, mark_bytes=mark_bytes)
        return Records(tally, line_bytes=self._findings.line_bytes)


def relation_of(dialect: Dialect, path: str, findings: Findings, *, empty_is_null: bool = True) -> str:
    """Return SQL that reads a delimited file with every option, so that DuckDB guesses nothing."""
    null = literal("" if empty_is_null else _NO_TEXT)
    line_bytes = findings.line_bytes
    types = ", ".join(f"c{index}: 'VARCHAR'" for index in range(dialect.width))
    newline = "\\r\\n" if dialect.newline == b"\r\n" else "\\n"
    quote = literal(dialect.quote.decode())
    # By default DuckDB buffers sixteen lines. That takes more memory, and the pipe runs empty meanwhile.
    return (
        f"read_csv({path}, auto_detect = false, header = false, "
        f"delim = {literal(dialect.delimiter.decode())}, quote = {quote}, escape = {quote}, "
        f"new_line = '{newline}', nullstr = {null}, allow_quoted_nulls = false, "
        f"max_line_size = {line_bytes}, "
        f"buffer_size = {line_bytes}, parallel = {not findings.strictly}, columns = {{{types}}})"
    )
