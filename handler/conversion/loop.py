"""The conversion loop: plan, read, write, account and profile, again if the object refutes the plan."""

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO

import duckdb

from conversion import parquet
from conversion.budget import Budget
from conversion.contract import reading
from conversion.contract.reading import Assignment
from conversion.decode import Encoding
from conversion.delimited.plan import delimited_plan
from conversion.engine import described, engine
from conversion.formats import is_parquet, json_layout, refuse_binary, refuse_foreign
from conversion.json.plan import json_plan
from conversion.model import Account, Column, Conversion, EmptyError, Limits, UnreadableError
from conversion.passes import Resources, Result
from conversion.pipe import Pipe
from conversion.plan import Findings, Plan, RefutedError, read_strictly_after_errors
from conversion.profile import write_profile
from conversion.rejects import Rejects
from conversion.source import Source
from conversion.writer import Writer

_PASSES_MAX = 12
"""The most passes over an object. Each pass finds at least one fact that the previous passes did not."""


def convert(
    source: BinaryIO,
    *,
    reopen: Callable[[], BinaryIO],
    key: str,
    size: int,
    workdir: Path,
    limits: Limits,
    provenance: Mapping[str, str],
    assignment: Assignment | None = None,
) -> Conversion:
    """Convert an object to files.

    The files depend only on the object's bytes, its key, the provenance and the limits.

    Args:
        source: Reads the object.
        reopen: Opens the object again, if a second pass is needed. The conversion closes what it opens.
        key: The object's name.
        size: Its size in bytes.
        workdir: A fresh, empty directory.
        limits: What the conversion may use.
        provenance: More entries for the Parquet metadata.
        assignment: The contract of the object. None to detect everything.

    Raises:
        UnreadableError: The object cannot be read as data.
        EmptyError: The object has no rows.
        DeadlineExceededError: The time was not enough.
        Exception: Any error of ``source`` and ``reopen``.
    """
    budget = Budget(limits, workdir)
    with (
        closing(
            Source(
                source,
                reopen,
                key=key,
                size=size,
                path=workdir / "object",
                budget=budget,
                sheet=assignment.contract.reading.sheet if assignment else "",
                sheet_skipped=assignment.contract.reading.skip_lines if assignment else 0,
            )
        ) as opened,
        closing(Rejects(workdir / "rejected.jsonl", provenance)) as rejects,
        closing(Pipe()) as pipe,
        engine(workdir, budget, pipe.path) as connection,
    ):
        metadata = {"source_key": key, **provenance, "compression": opened.compression}
        resources = Resources(
            source=opened,
            rejects=rejects,
            budget=budget,
            connection=connection,
            pipe=pipe,
            output=workdir / "output.parquet",
            metadata=metadata,
        )
        attempt = _Attempt(resources, assignment)
        result = attempt.converted()
        rejects.close()
        account, columns = attempt.account(result), _columns(resources, result)
        description = {
            "key": key,
            "provenance": dict(provenance),
            "format": result.format,
            "encoding": result.encoding,
            "compression": opened.compression,
            **result.facts,
            "account": asdict(account),
        }
        return Conversion(
            parquet=resources.output,
            rejects=rejects.path,
            profile=write_profile(workdir / "profile.json", description, columns, result),
            account=account,
            columns=columns,
            format=result.format,
            encoding=result.encoding,
            compression=opened.compression,
            facts=result.facts,
        )


class _Attempt:
    """The passes over one object, each from its beginning."""

    def __init__(self, resources: Resources, assignment: Assignment | None) -> None:
        self._resources = resources
        self._assignment = assignment
        self._rows = 0

    def converted(self) -> Result:
        """Write the object with a plan that it does not refute."""
        findings = Findings()
        try:
            refuse_foreign(self._resources.source.head)
            for _ in range(_PASSES_MAX):
                try:
                    return self._read(findings)
                except RefutedError as refuted:
                    findings = findings.with_more(refuted.facts)
                    self._resources.rejects.forget()
        except RecursionError:
            raise self._unreadable("nested too deeply") from None
        except (duckdb.OutOfMemoryException, MemoryError):
            # One process has one limit. Whether DuckDB or Python reaches it first is chance.
            raise self._unreadable(
                "needs more memory than there is: split its columns or long values, or raise the function's "
                "memory"
            ) from None
        except duckdb.Error as error:
            if self._resources.budget.exceeded:
                raise self._resources.budget.exceeded from None
            if is_parquet(self._resources.source.head) and parquet.is_encryption_error(error):
                raise self._unreadable("a Parquet file with encrypted columns") from None
            # DuckDB's message may quote the data.
            raise self._unreadable(f"DuckDB cannot read it ({type(error).__name__})") from None
        raise self._unreadable(f"no plan fits it after {_PASSES_MAX} passes")

    def _read(self, findings: Findings) -> Result:
        if self._assignment:
            result = reading.read(self._assignment, self._resources, findings)
            self._count(result.rows, result.beside, result.facts.get("header_line"))
            return result
        if is_parquet(self._resources.source.head):
            return self._read_parquet()
        return self._read_text(findings)

    def _read_text(self, findings: Findings) -> Result:
        resources, source = self._resources, self._resources.source
        encoding = Encoding(source.head, findings)
        refuse_binary(source.head, encoding.name)
        resources.rejects.encoding = encoding.name
        plan = self._planned(encoding, findings)
        reader, format_ = plan.reader, source.workbook or plan.format
        metadata = {**resources.metadata, "format": format_, "encoding": encoding.name}
        blocks = reader.read(encoding.decoded(source.blocks()))
        writer = Writer(resources.connection, resources.pipe, plan, findings, resources.budget)
        with read_strictly_after_errors(findings):
            written, published, markers = writer.write(
                blocks, resources.output, metadata, lambda: source.bytes_in / source.size
            )
        if written.rows != reader.rows and not findings.strictly:
            raise RefutedError(strictly=True)
        self._count(reader.rows, reader.beside, reader.facts.get("header_line"))
        return Result(
            format=format_,
            encoding=encoding.name,
            facts=reader.facts,
            sources=plan.sources,
            published=published,
            written=written,
            rows=reader.rows,
            beside=reader.beside,
            markers=markers,
            note=plan.note,
        )

    def _planned(self, encoding: Encoding, findings: Findings) -> Plan:
        resources, source = self._resources, self._resources.source
        head = encoding.head(source.head)
        if source.whole and not head.strip():
            raise EmptyError("the object has only white space")
        if layout := json_layout(source, encoding, findings):
            return json_plan(head, layout, findings, resources, encoding.mark_bytes)
        return delimited_plan(head, findings, resources, encoding.mark_bytes, encoding.head)

    def _read_parquet(self) -> Result:
        resources = self._resources
        path = resources.output.with_name("data")
        resources.source.spool(path)
        upload = parquet.Upload(resources.connection, path, resources.budget)
        self._count(upload.rows)
        metadata = {**resources.metadata, "format": "parquet", "encoding": "binary"}
        written, published = upload.rewrite(resources.output, metadata)
        return Result(
            format="parquet",
            encoding="binary",
            facts={},
            sources=upload.sources,
            published=published,
            written=written,
            rows=upload.rows,
        )

    def _count(self, rows: int, beside: int = 0, header: object = None) -> None:
        """Record how many rows the output must have, and check the share of rejected rows.

        Args:
            rows: Rows that were not rejected.
            beside: Rejected records that are not damaged rows. They do not count in the share.
            header: The line of the header, if there is one.

        Raises:
            EmptyError: There are no rows at all.
            UnreadableError: Too many rows are rejected.
        """
        self._rows = rows
        rejects, share = self._resources.rejects, self._resources.budget.limits.rejected_share_max
        damaged = rejects.count - beside
        if not rows + damaged:
            below = f" below line {header}, which was read as its header" if header else ""
            raise EmptyError(f"the object has no rows{below}")
        if damaged > share * (rows + damaged):
            rejects.close()
            counts = f"{damaged} of {rows + damaged} rows rejected, more than {share:.0%}"
            raise self._unreadable(f"{counts}; {rejects.summary}")

    def account(self, result: Result) -> Account:
        """Return the account of the written table.

        Raises:
            UnreadableError: Rows in are not rows out plus rows rejected.
        """
        account = self._account(result.written.rows)
        if account.rows_in != account.rows_out + account.rows_rejected:
            raise self._unreadable(
                f"{account.rows_in} rows in, but {account.rows_out} rows out "
                f"and {account.rows_rejected} rejected",
                account.rows_out,
            )
        return account

    def _account(self, rows_out: int) -> Account:
        """Return the account. ``rows_out`` is the number of rows that DuckDB reports as written."""
        source, output, rejected = (
            self._resources.source,
            self._resources.output,
            self._resources.rejects.count,
        )
        return Account(
            bytes_in=source.bytes_in,
            bytes_decompressed=source.bytes_decompressed,
            bytes_out=output.stat().st_size if output.exists() else 0,
            rows_in=self._rows + rejected,
            rows_out=rows_out,
            rows_rejected=rejected,
        )

    def _unreadable(self, reason: str, rows_out: int = 0) -> UnreadableError:
        """Return the error for ``reason``, with the account so far."""
        rejects = self._resources.rejects
        account = self._account(rows_out) if self._rows or rejects.count else None
        return UnreadableError(reason, account=account, rejects=rejects.path)


def _columns(resources: Resources, result: Result) -> tuple[Column, ...]:
    types = described(resources.connection, resources.output)
    return tuple(
        Column(
            name=name,
            source_name=source,
            type=type_,
            source_type=column.source_type,
            renamed_fields=column.renamed,
        )
        for source, (name, type_), column in zip(result.sources, types, result.published, strict=True)
    )
