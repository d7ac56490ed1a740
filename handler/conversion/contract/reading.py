"""One pass over an object with a contract: write the rows that fit, or find the rows that do not fit."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import duckdb

from conversion import parquet
from conversion.contract.model import Contract
from conversion.contract.plan import ContractPlan, columns, parquet_fields
from conversion.contract.query import PROBLEM, accepted, checked, refused, warnings
from conversion.decode import Encoding
from conversion.engine import literal
from conversion.findings import Findings, RefutedError, read_strictly_after_errors
from conversion.formats import is_parquet, json_layout
from conversion.json.layout import Layout, is_around_rows
from conversion.json.parse import ParseError, members
from conversion.model import EmptyError, UnreadableError
from conversion.output import write
from conversion.passes import Resources, Result
from conversion.refused import Refused, column_and_reason
from conversion.source import Source

_ROWS = 10_000
"""The number of refused rows that are fetched at once."""


@dataclass(frozen=True, kw_only=True)
class Assignment:
    """The contract of an object, and the texts that its rows may hold in each partition column."""

    contract: Contract
    partitions: Mapping[str, tuple[str, ...]]


def read(assignment: Assignment, resources: Resources, findings: Findings) -> Result:
    """Write the rows that the contract accepts.

    Raises:
        RefutedError: Rows do not fit. The next pass rejects them.
        UnreadableError: The file does not match the contract.
    """
    return (
        _read_parquet(assignment, resources)
        if assignment.contract.reading.format == "parquet"
        else _read_text(assignment, resources, findings)
    )


def _read_text(assignment: Assignment, resources: Resources, findings: Findings) -> Result:
    source, contract = resources.source, assignment.contract
    expects_json = contract.reading.format == "json"
    if source.workbook:
        contract = replace(contract, reading=contract.reading.of_sheet())
    encoding = Encoding(source.head, findings, declared=contract.reading.encoding)
    resources.rejects.encoding = encoding.name
    head = encoding.head(source.head)
    layout = None
    if expects_json:
        layout = _json_layout(source, encoding, contract, findings)
        if layout is None:
            raise UnreadableError(f"not JSON, which the contract {contract.name} {contract.version} expects")
    plan = ContractPlan(contract, head, findings, layout, whole=source.whole)
    resources.budget.check_columns(plan.width)
    mark_bytes = encoding.mark_bytes
    fields = plan.fields(resources.pipe.sql)
    records = checked(contract, replace(fields, partitions=assignment.partitions))
    metadata = _metadata(assignment, resources, source.workbook or plan.format, encoding.name)

    def blocks() -> Iterator[bytes]:
        return reader.read(encoding.decoded(source.blocks()))

    reader = plan.reader(resources, mark_bytes=mark_bytes)
    relation, published = f"({accepted(contract, records)})", columns(contract)
    with read_strictly_after_errors(findings):
        rows_out, written = resources.pipe.feed(
            blocks(),
            resources.connection,
            lambda: write(resources.connection, resources.output, relation, published, metadata),
        )
    if rows_out < reader.rows:
        reader = plan.reader(resources, mark_bytes=mark_bytes)
        found = resources.pipe.feed(
            blocks(), resources.connection, lambda: _find(resources.connection, records)
        )
        raise RefutedError(refused=found)
    return Result(
        format=source.workbook or plan.format,
        encoding=encoding.name,
        facts={**reader.facts, **_broken(contract, resources)},
        columns=written,
        rows=reader.rows,
        rows_out=rows_out,
        beside=reader.beside,
    )


def _json_layout(source: Source, encoding: Encoding, contract: Contract, findings: Findings) -> Layout | None:
    """Return the layout of JSON. Rows are objects with the contract's columns.

    Raises:
        EmptyError: The only object wraps an array without rows.
    """
    layout = json_layout(source, encoding, findings)
    columns = frozenset(column.source.lower() for column in contract.columns)
    is_undivided = layout is not None and not layout.lines and layout.array_offset is None
    if is_undivided and source.whole and _wraps_no_rows(encoding.head(source.head), columns):
        raise EmptyError("the object has no rows")
    return layout and replace(layout, whole_values=False, columns=columns)


def _wraps_no_rows(text: bytes, columns: frozenset[str]) -> bool:
    """Return whether a text is one object around an empty array of rows."""
    if not text.lstrip().startswith(b"{"):
        return False
    try:
        around = members(text)
    except ParseError:
        return False
    arrays = [key for key, value in around.items() if isinstance(value, list)]
    return bool(arrays) and all(
        not around[key] and is_around_rows(around, key, (), columns) for key in arrays
    )


def _read_parquet(assignment: Assignment, resources: Resources) -> Result:
    contract = assignment.contract
    if not is_parquet(resources.source.head):
        raise UnreadableError(f"not Parquet, which the contract {contract.name} {contract.version} expects")
    path = resources.output.with_name("data")
    resources.source.spool(path)
    upload = parquet.Upload(resources.connection, path, resources.budget)
    file = resources.connection.sql(f"FROM {upload.relation}")
    fields = parquet_fields(file, upload.relation, [name for name, _ in upload.names])
    records = checked(contract, replace(fields, partitions=assignment.partitions))
    metadata = _metadata(assignment, resources, "parquet", "binary")
    relation = f"({accepted(contract, records)})"
    rows_out, written = write(resources.connection, resources.output, relation, columns(contract), metadata)
    if rows_out < upload.rows:
        # A column's name would have precedence over the alias of the row. No column has a name this long.
        row = "_" * (1 + max(map(len, file.columns)))
        _reject(resources, records, f"SELECT to_json({row}) AS raw FROM {upload.relation} AS {row}")
    return Result(
        format="parquet",
        encoding="binary",
        facts=_broken(contract, resources),
        columns=written,
        rows=upload.rows - resources.rejects.count,
        rows_out=rows_out,
    )


def _broken(contract: Contract, resources: Resources) -> dict[str, object]:
    """Return how many published rows break each warning rule. Rules that no row breaks are omitted."""
    query = warnings(contract, f"read_parquet({literal(str(resources.output))})")
    if query is None:
        return {}
    result = resources.connection.execute(query)
    names = [column[0] for column in result.description or ()]
    broken = {name: count for name, count in zip(names, result.fetchall()[0], strict=True) if count}
    return {"rules_broken": broken} if broken else {}


def _metadata(assignment: Assignment, resources: Resources, format_: str, encoding: str) -> dict[str, str]:
    contract = assignment.contract
    return {
        **resources.metadata,
        "format": format_,
        "encoding": encoding,
        "dataset": contract.name,
        "contract_version": contract.version,
    }


def _find(connection: duckdb.DuckDBPyConnection, records: str) -> Refused:
    return Refused(_fetched(connection.execute(refused(records))))


def _reject(resources: Resources, records: str, raws: str) -> None:
    """Reject the rows of a Parquet file that do not fit. ``raws`` selects each row as JSON, ``raw``."""
    problems = f"SELECT {PROBLEM} AS problem FROM ({records})"
    numbered = f"SELECT *, row_number() OVER () AS number FROM ({problems}) POSITIONAL JOIN ({raws})"
    query = f"SELECT number, problem, CAST(raw AS VARCHAR) FROM ({numbered}) WHERE problem IS NOT NULL"
    for number, problem, raw in _fetched(resources.connection.execute(query)):
        column, reason = column_and_reason(problem, number)
        resources.rejects.add(
            record=number, line=number, byte_offset=0, column=column, reason=reason, raw=raw.encode()
        )


def _fetched(result: duckdb.DuckDBPyConnection) -> Iterator[tuple]:
    while rows := result.fetchmany(_ROWS):
        yield from rows
