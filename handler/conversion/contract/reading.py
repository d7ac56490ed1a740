"""One pass over an object with a contract: write the rows that fit, or find the rows that do not fit."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import duckdb

from conversion import parquet
from conversion.contract.model import Contract
from conversion.contract.plan import ContractPlan, columns, parquet_fields, sources
from conversion.contract.query import Fields, accepted, checked, column_names, refused, warnings
from conversion.decode import Encoding
from conversion.engine import copy, literal
from conversion.formats import is_parquet, json_layout
from conversion.model import UnreadableError
from conversion.passes import Result, Workplace
from conversion.plan import Findings, RefutedError, read_strictly_after_errors
from conversion.refused import Refused, column_and_reason

_ROWS = 10_000
"""The number of refused rows that are fetched at once."""


@dataclass(frozen=True, kw_only=True)
class Assignment:
    """The contract of an object, and the partition values in its key."""

    contract: Contract
    partitions: Mapping[str, str]


def read(by: Assignment, at: Workplace, findings: Findings) -> Result:
    """Write the rows that the contract accepts.

    Raises:
        RefutedError: Rows do not fit. The next pass rejects them.
        UnreadableError: The file does not match the contract.
    """
    return _read_parquet(by, at) if by.contract.reading.format == "parquet" else _read_text(by, at, findings)


def _read_text(by: Assignment, at: Workplace, findings: Findings) -> Result:
    source, contract = at.source, by.contract
    encoding = Encoding(source.head, findings, declared=contract.reading.encoding)
    head = encoding.head(source.head)
    layout = None
    if contract.reading.format == "json":
        layout = json_layout(head, source.name, findings, whole=source.whole)
    plan = ContractPlan(contract, head, findings, layout, whole=source.whole)
    at.budget.check_columns(plan.width)
    mark_bytes = len(encoding.mark) if encoding.name == "utf-8" else 0
    fields = plan.fields(literal(str(at.pipe.path)))
    records = checked(contract, Fields(fields.relation, fields.texts, fields.json, by.partitions))
    metadata = _metadata(by, at, source.workbook or plan.format, encoding.name)

    def blocks() -> Iterator[bytes]:
        return reader.read(encoding.decoded(source.blocks()))

    reader = plan.reader(at.rejects, at.budget, mark_bytes=mark_bytes)
    query = accepted(contract, records)
    with read_strictly_after_errors(findings):
        written = at.pipe.feed(
            blocks(), at.connection, lambda: copy(at.connection, query, at.output, metadata)
        )
    if written.rows < reader.rows:
        reader = plan.reader(at.rejects, at.budget, mark_bytes=mark_bytes)
        found = at.pipe.feed(blocks(), at.connection, lambda: _find(at.connection, records))
        raise RefutedError(refused=found)
    return Result(
        format=source.workbook or plan.format,
        encoding=encoding.name,
        facts={**reader.facts, **_broken(contract, at)},
        sources=sources(contract),
        published=columns(contract),
        written=written,
        rows=reader.rows,
        beside=reader.beside,
    )


def _read_parquet(by: Assignment, at: Workplace) -> Result:
    contract = by.contract
    if not is_parquet(at.source.head):
        raise UnreadableError(f"not Parquet, which the contract {contract.name} {contract.version} expects")
    path = at.output.with_name("data")
    at.source.spool(path)
    upload = parquet.Upload(at.connection, path, at.budget)
    fields = parquet_fields(at.connection.sql(f"FROM {upload.relation}"), upload.relation)
    records = checked(contract, Fields(fields.relation, fields.texts, fields.json, by.partitions))
    metadata = _metadata(by, at, "parquet", "binary")
    written = copy(at.connection, accepted(contract, records), at.output, metadata)
    if written.rows < upload.rows:
        _reject(at, records, upload.relation)
    return Result(
        format="parquet",
        encoding="binary",
        facts=_broken(contract, at),
        sources=sources(contract),
        published=columns(contract),
        written=written,
        rows=upload.rows - at.rejects.count,
    )


def _broken(contract: Contract, at: Workplace) -> dict[str, object]:
    """Return how many published rows break each warning rule. Rules that no row breaks are omitted."""
    query = warnings(contract, f"read_parquet({literal(str(at.output))})")
    if query is None:
        return {}
    result = at.connection.execute(query)
    names = [column[0] for column in result.description or ()]
    broken = {name: count for name, count in zip(names, result.fetchall()[0], strict=True) if count}
    return {"rules_broken": broken} if broken else {}


def _metadata(by: Assignment, at: Workplace, format_: str, encoding: str) -> dict[str, str]:
    contract = by.contract
    names = dict(zip(column_names(contract), sources(contract), strict=True))
    return {
        **at.metadata,
        "format": format_,
        "encoding": encoding,
        "dataset": contract.name,
        "contract_version": contract.version,
        "column_names": json.dumps(names, ensure_ascii=False),
    }


def _find(connection: duckdb.DuckDBPyConnection, records: str) -> Refused:
    return Refused(_fetched(connection.execute(refused(records))))


def _reject(at: Workplace, records: str, relation: str) -> None:
    """Reject the rows of a Parquet file that do not fit, with JSON as their raw text."""
    raws = f"SELECT CAST(to_json(t) AS VARCHAR) AS raw FROM {relation} AS t"
    numbered = f"SELECT *, row_number() OVER () AS number FROM ({records}) POSITIONAL JOIN ({raws})"
    query = f"SELECT number, _problem, raw FROM ({numbered}) WHERE _problem IS NOT NULL"
    for number, problem, raw in _fetched(at.connection.execute(query)):
        column, reason = column_and_reason(problem, number)
        at.rejects.add(
            record=number, line=number, byte_offset=0, column=column, reason=reason, raw=raw.encode()
        )


def _fetched(result: duckdb.DuckDBPyConnection) -> Iterator[tuple]:
    while rows := result.fetchmany(_ROWS):
        yield from rows
