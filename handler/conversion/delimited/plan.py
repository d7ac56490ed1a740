"""The plan for delimited text, and for plain text as one column."""

from conversion.decode import Encoding
from conversion.delimited.dialect import Dialect
from conversion.delimited.layout import layout_of
from conversion.delimited.records import Records
from conversion.engine import literal
from conversion.findings import Findings
from conversion.model import HEAD_BYTES, RECORD_BYTES_MAX
from conversion.names import column_names
from conversion.passes import Resources
from conversion.plan import Plan
from conversion.roundtrip import Guess, guess

_LONG_HEAD_BYTES = RECORD_BYTES_MAX + 2 * HEAD_BYTES
"""The longest record, and as much before and after it as the usual beginning has."""

_NO_TEXT = "\x1e"
"""ASCII's record separator, which text does not contain."""


def delimited_plan(encoding: Encoding, findings: Findings, resources: Resources) -> Plan:
    """Return the plan for delimited text, or plain text."""
    source, budget = resources.source, resources.budget

    def read_on() -> tuple[bytes, bool]:
        more = source.head_of(_LONG_HEAD_BYTES)
        return encoding.head(more), len(more) < _LONG_HEAD_BYTES

    layout = layout_of(encoding.head(source.head), source.name, whole=source.whole, read_on=read_on)
    width = layout.dialect.width
    budget.check_columns(width)
    names = column_names(layout.names)
    columns = zip(*layout.sample, strict=True) if layout.sample else ((),) * width
    return Plan(
        format=layout.format,
        reader=Records(layout, names, findings, resources, mark_bytes=encoding.mark_bytes),
        relation=relation_of(layout.dialect, resources.pipe.sql, findings),
        names=names,
        sources=layout.names,
        guesses=(Guess(()),) if layout.is_text else tuple(guess(values) for values in columns),
        note=layout.note,
    )


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
