"""The plan for a file of a dataset. Only the column names are read from the file."""

from collections.abc import Sequence
from functools import cached_property

import duckdb
from duckdb.sqltypes import DuckDBPyType

from conversion.contract.model import RESCUED, Contract
from conversion.contract.query import Fields
from conversion.delimited.dialect import Dialect
from conversion.delimited.evidence import Header
from conversion.delimited.layout import Layout, newline_of
from conversion.delimited.plan import relation_of
from conversion.delimited.records import Records
from conversion.delimited.sample import Grammar, Record, line_ends
from conversion.engine import identifier, literal
from conversion.findings import Findings
from conversion.json.layout import Layout as JsonLayout
from conversion.json.plan import whole_rows
from conversion.json.rows import Rows
from conversion.json.shape import JSON
from conversion.model import EmptyError, UnreadableError
from conversion.names import column_names
from conversion.passes import Resources
from conversion.published import Published, children_of, is_too_deep


class ContractPlan:
    """The plan for a text object that has a contract."""

    def __init__(
        self,
        contract: Contract,
        head: bytes,
        findings: Findings,
        json_layout: JsonLayout | None,
        *,
        whole: bool,
    ) -> None:
        self._contract = contract
        self._findings = findings
        self._json_layout = json_layout
        self._head = head
        self._whole = whole

    @property
    def is_json(self) -> bool:
        """Whether the records are JSON."""
        return self._json_layout is not None

    @property
    def width(self) -> int:
        """The number of columns that DuckDB reads."""
        return 1 if self.is_json else len(self._layout.names)

    @property
    def format(self) -> str:
        """The name of the format in the job record."""
        return "json" if self.is_json else "delimited"

    def fields(self, path: str) -> Fields:
        """Return the fields that DuckDB reads from a path (an SQL literal)."""
        if self.is_json:
            return Fields(whole_rows(path, self._findings.line_bytes), json="c0")
        texts = {name: f"c{index}" for index, name in enumerate(self._layout.names)}
        has_nulls = "" in self._contract.reading.null_markers
        relation = relation_of(self._layout.dialect, path, self._findings, empty_is_null=has_nulls)
        return Fields(relation, texts)

    def reader(self, resources: Resources, *, mark_bytes: int) -> Records | Rows:
        """Return a reader for one pass."""
        if self._json_layout is not None:
            return Rows(self._json_layout, JSON, self._findings, resources, mark_bytes=mark_bytes)
        layout = self._layout
        return Records(layout, layout.names, self._findings, resources, mark_bytes=mark_bytes)

    @cached_property
    def _layout(self) -> Layout:
        reading, head = self._contract.reading, self._head
        quote = reading.quote.encode()
        grammar = Grammar(
            delimiter=reading.delimiter.encode(),
            quote=quote,
            escape=b"\\" if reading.escape == "\\" else quote,
        )
        start = _after_lines(head, reading.skip_lines)
        if start == len(head) and not self._whole:
            raise UnreadableError(
                f"skipLines: the first {reading.skip_lines} lines are longer than {start} bytes"
            )
        names, header = tuple(column.source for column in self._contract.columns), None
        if reading.header:
            header = self._header(grammar, start)
            names, start = grammar.values(header), header.end
        names = distinct(names)
        return Layout(
            dialect=Dialect(
                delimiter=grammar.delimiter,
                width=len(names),
                quote=grammar.quote,
                escape=grammar.escape,
                newline=newline_of(head),
            ),
            names=names,
            header=Header.DECLARED if header else Header.NONE,
            header_record=header.raw if header else b"",
            repeats=grammar.spellings(header) if header else (),
            header_line=header.line if header else None,
            body_offset=start,
            body_line=1 + line_ends(head[:start]),
        )

    def _header(self, grammar: Grammar, start: int) -> Record:
        """Return the header, which begins at ``start`` or after blank lines."""
        header = next(grammar.records(self._head, start=start, whole=self._whole), None)
        if header is None and self._whole:
            raise EmptyError("the object has no rows")
        if header is None:
            raise UnreadableError(
                f"the header does not end within the first {len(self._head)} bytes: a quote may be open"
            )
        if not header.width:
            raise UnreadableError(f"the header at line {header.line} cannot be read")
        return header


def columns(contract: Contract) -> tuple[Published, ...]:
    """Return the published form of each column, which depends only on the contract."""
    types = [(column.name, column.source, column.type.duckdb) for column in contract.columns]
    rescued = [(RESCUED, RESCUED, "VARCHAR")] if contract.rescues else []
    return tuple(
        Published(name=name, source_name=source, expression=identifier(name), type=kind, source_type=kind)
        for name, source, kind in types + rescued
    )


def parquet_fields(file: duckdb.DuckDBPyRelation, relation: str, names: Sequence[str]) -> Fields:
    """Return the fields that DuckDB reads from a Parquet file.

    Args:
        file: The file as a DuckDB relation.
        relation: SQL that reads the file.
        names: The names of its columns.
    """
    texts, exact = {}, {}
    for index, (name, kind) in enumerate(zip(distinct(names), file.types, strict=True)):
        value = f"c{index}"
        texts[name] = _text_of(value, kind)
        if kind.id == "float":
            exact[texts[name]] = f"CAST(CAST({value} AS DOUBLE) AS VARCHAR)"
    aliases = ", ".join(f"c{index}" for index in range(len(file.columns)))
    return Fields(f"{relation} AS t({aliases})", texts, exact)


def _text_of(value: str, kind: DuckDBPyType) -> str:
    """Return SQL of the exact text of a Parquet value. That of a nested value is JSON."""
    if children_of(kind):
        json = f"to_json({value})" if is_too_deep(kind) else _json_of(value, kind, depth=0)
        return f"CAST({json} AS VARCHAR)"
    return _exact(value, kind, "CAST({} AS VARCHAR)")


def _json_of(value: str, kind: DuckDBPyType, depth: int) -> str:
    """Return SQL of the JSON of a value, in which DuckDB alone would change numbers and bytes."""
    inner = children_of(kind)
    element = identifier(f"element_{depth}")
    match kind.id:
        case "struct":
            members = (
                f"{literal(name)}, {_json_of(f'struct_extract_at({value}, {place})', part, depth)}"
                for place, ((name, _), part) in enumerate(zip(kind.children, inner, strict=True), 1)
            )
            return f"CASE WHEN {value} IS NOT NULL THEN json_object({', '.join(members)}) END"
        case "list" | "array":
            item = _json_of(element, inner[0], depth + 1)
            return f"to_json(list_transform({value}, lambda {element}: {item}))"
        case "map":
            item = _json_of(element, inner[1], depth + 1)
            values = f"list_transform(map_values({value}), lambda {element}: {item})"
            return f"CASE WHEN {value} IS NOT NULL THEN to_json(map(map_keys({value}), {values})) END"
        case "decimal":
            return f"to_json(CAST({value} AS VARCHAR))"
        case _:
            return _exact(value, kind, "to_json({})")


def _exact(value: str, kind: DuckDBPyType, written: str) -> str:
    """Return SQL of a value that is written exactly. ``written`` is SQL that writes ``{}``."""
    if kind.id in ("float", "double"):
        # The text of a large whole number has only the digits that distinguish it from other doubles.
        is_large = f"abs({value}) BETWEEN 1e6 AND 1e38 AND {value} = trunc({value})"
        whole = written.format(f"CAST({value} AS HUGEINT)")
        return f"CASE WHEN {is_large} THEN {whole} ELSE {written.format(value)} END"
    # Some programs write text without saying that it is text.
    text = f"coalesce(TRY(decode({value})), CAST({value} AS VARCHAR))" if kind.id == "blob" else value
    return written.format(text)


def _after_lines(head: bytes, count: int) -> int:
    """Return the offset after the first ``count`` lines."""
    position = 0
    for _ in range(count):
        ends = [end for mark in (b"\n", b"\r") if (end := head.find(mark, position)) >= 0]
        if not ends:
            return len(head)
        position = min(ends) + (2 if head[min(ends) :].startswith(b"\r\n") else 1)
    return position


def distinct(names: Sequence[str]) -> tuple[str, ...]:
    """Return names that tell the columns apart. A blank one is replaced by its place, as in ``column_3``.

    Raises:
        UnreadableError: Two names differ only in case or in the spaces around them.
    """
    places = column_names(names)
    known = tuple(name if name.strip() else place for name, place in zip(names, places, strict=True))
    if len({name.strip().casefold() for name in known}) < len(known):
        raise UnreadableError("the file names a column twice, so the contract is ambiguous")
    return known
