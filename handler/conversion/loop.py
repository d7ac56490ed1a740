"""The conversion loop: plan, read, write, account and profile, again if the object refutes the plan."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import duckdb

from conversion import parquet
from conversion.budget import Budget
from conversion.contract import reading
from conversion.contract.reading import Assignment, Workplace
from conversion.decode import Encoding
from conversion.delimited.plan import DelimitedPlan
from conversion.engine import described, engine
from conversion.formats import is_parquet, json_layout, refuse_foreign
from conversion.json.plan import JsonPlan
from conversion.model import Account, Column, Conversion, EmptyError, Limits, UnreadableError
from conversion.pipe import Pipe
from conversion.plan import Findings, RefutedError
from conversion.profile import Profiled, write_profile
from conversion.rejects import Rejects
from conversion.source import Source
from conversion.writer import Typed, Writer

_READINGS_MAX = 12
"""The most passes over an object. Each pass finds at least one fact that the previous passes did not."""


@contextmanager
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
) -> Iterator[Conversion]:
    """Convert an object to files, as a context manager.

    Its profile may still be written inside the context. The exit of the context waits for it. The files
    depend only on the object's bytes, its key, the provenance and the limits.

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
            )
        ) as opened,
        closing(Rejects(workdir / "rejected.jsonl", provenance)) as rejects,
        closing(Pipe()) as pipe,
        engine(workdir, budget, pipe.path) as connection,
    ):
        metadata = {"source_key": key, **provenance, "compression": opened.compression}
        at = Workplace(
            key=key,
            source=opened,
            rejects=rejects,
            budget=budget,
            connection=connection,
            pipe=pipe,
            output=workdir / "output.parquet",
            metadata=metadata,
        )
        attempt = _Attempt(at, assignment)
        result = attempt.converted()
        rejects.close()
        profiled = attempt.profiled(result, provenance)
        with ThreadPoolExecutor(1, "conversion-profile") as executor:
            yield Conversion(
                parquet=attempt.output,
                rejects=rejects.path,
                profile=executor.submit(write_profile, connection, profiled, workdir / "profile.json"),
                account=profiled.account,
                columns=tuple(profiled.columns),
                format=result.format,
                encoding=result.encoding,
                compression=opened.compression,
                facts=result.facts,
            )


@dataclass(frozen=True)
class _Result:
    """A written table and its source."""

    format: str
    encoding: str
    facts: Mapping[str, object]
    notes: Mapping[int, str]
    sources: tuple[str, ...]
    typed: Typed


class _Attempt:
    """The passes over one object, each from its beginning."""

    def __init__(self, at: Workplace, assignment: Assignment | None) -> None:
        self.output = at.output
        self._at = at
        self._assignment = assignment
        self._key = at.key
        self._source = at.source
        self._rejects = at.rejects
        self._budget = at.budget
        self._connection = at.connection
        self._pipe = at.pipe
        self._metadata = at.metadata
        self._rows = 0

    def converted(self) -> _Result:
        """Write the object with a plan that it does not refute."""
        findings = Findings()
        try:
            refuse_foreign(self._source.head)
            for _ in range(_READINGS_MAX):
                try:
                    return self._read(findings)
                except RefutedError as refuted:
                    findings = findings.with_more(refuted.facts)
                    self._rejects.forget()
        except duckdb.OutOfMemoryException:
            raise self._unreadable(
                "needs more than DuckDB's memory limit: split its columns or long values, or raise the "
                "function's memory"
            ) from None
        except duckdb.Error as error:
            if self._budget.exceeded:
                raise self._budget.exceeded from None
            # DuckDB's message may quote the data.
            raise self._unreadable(f"DuckDB cannot read it ({type(error).__name__})") from None
        raise self._unreadable(f"no plan fits it after {_READINGS_MAX} passes")

    def _read(self, findings: Findings) -> _Result:
        source = self._source
        if self._assignment:
            return self._read_by_contract(self._assignment, findings)
        if is_parquet(source.head):
            return self._rewritten()
        encoding = Encoding(source.head, findings)
        plan = self._planned(encoding.head(source.head), findings)
        mark_bytes = len(encoding.mark) if encoding.name == "utf-8" else 0
        reader = plan.reader(self._rejects, self._budget, mark_bytes=mark_bytes)
        format_ = source.workbook or plan.format
        metadata = {**self._metadata, "format": format_, "encoding": encoding.name}
        blocks = reader.read(encoding.decoded(source.blocks()))
        table = plan.table
        writer = Writer(self._connection, self._pipe, table, findings, self._budget)
        try:
            typed = writer.write(blocks, self.output, metadata, lambda: source.bytes_in / source.size)
        except duckdb.InvalidInputException:
            if plan.format == "json" and not findings.strictly:
                raise RefutedError(strictly=True) from None
            raise
        self._counted(reader.rows, reader.beside)
        return _Result(format_, encoding.name, reader.facts, table.notes, table.sources, typed)

    def _read_by_contract(self, assignment: Assignment, findings: Findings) -> _Result:
        done = reading.read(assignment, self._at, findings)
        self._counted(done.rows, done.beside)
        typed = Typed(done.written, done.published, markers=(0,) * len(done.sources))
        return _Result(done.format, done.encoding, done.facts, {}, done.sources, typed)

    def _planned(self, head: bytes, findings: Findings) -> JsonPlan | DelimitedPlan:
        whole = self._source.whole
        if whole and not head.strip():
            raise EmptyError("the object has only white space")
        name = self._source.name
        if layout := json_layout(head, name, findings, whole=whole):
            return JsonPlan(head, layout, findings, self._budget.columns_max)
        return DelimitedPlan(head, name, findings, whole=whole)

    def _rewritten(self) -> _Result:
        path = self.output.with_name("data")
        self._source.spool(path)
        upload = parquet.Upload(self._connection, path, self._budget)
        self._counted(upload.rows)
        metadata = {**self._metadata, "format": "parquet", "encoding": "binary"}
        written, columns = upload.rewrite(self.output, metadata)
        typed = Typed(written, columns, markers=(0,) * len(columns))
        return _Result("parquet", "binary", {}, {}, upload.sources, typed)

    def _counted(self, rows: int, beside: int = 0) -> None:
        """Record how many rows the output must have, and check the share of rejected rows.

        Args:
            rows: Rows that were not rejected.
            beside: Rejected records that are not damaged rows. They do not count in the share.

        Raises:
            EmptyError: There are no rows at all.
            UnreadableError: Too many rows are rejected.
        """
        self._rows = rows
        rejected, share = self._rejects.count, self._budget.limits.rejected_share_max
        if rows + rejected == 0:
            raise EmptyError("the object has no rows")
        if rejected - beside > share * (rows + rejected):
            self._rejects.close()
            counts = f"{rejected} of {rows + rejected} rows rejected, more than {share:.0%}"
            raise self._unreadable(f"{counts}; {self._rejects.summary}")

    def profiled(self, result: _Result, provenance: Mapping[str, str]) -> Profiled:
        """Return the input of the profile.

        Raises:
            UnreadableError: Rows in are not rows out plus rows rejected.
        """
        written = result.typed.written
        account = self._account(written.rows)
        if account.rows_in != account.rows_out + account.rows_rejected:
            raise self._unreadable(
                f"{account.rows_in} rows in, but {account.rows_out} rows out "
                f"and {account.rows_rejected} rejected",
                written.rows,
            )
        types = described(self._connection, self.output)
        return Profiled(
            parquet=self.output,
            written=written,
            columns=[
                Column(
                    name=name,
                    source_name=source,
                    type=type_,
                    source_type=column.source_type,
                    renamed_fields=column.renamed,
                )
                for source, (name, type_), column in zip(
                    result.sources, types, result.typed.published, strict=True
                )
            ],
            markers=result.typed.markers,
            notes=result.notes,
            description={
                "key": self._key,
                "provenance": dict(provenance),
                "format": result.format,
                "encoding": result.encoding,
                "compression": self._source.compression,
                **result.facts,
            },
            account=account,
        )

    def _account(self, rows_out: int) -> Account:
        """Return the account. ``rows_out`` is the number of rows that DuckDB reports as written."""
        return Account(
            bytes_in=self._source.bytes_in,
            bytes_decompressed=self._source.bytes_decompressed,
            bytes_out=self.output.stat().st_size if self.output.exists() else 0,
            rows_in=self._rows + self._rejects.count,
            rows_out=rows_out,
            rows_rejected=self._rejects.count,
        )

    def _unreadable(self, reason: str, rows_out: int = 0) -> UnreadableError:
        """Return the error for ``reason``, with the account so far."""
        account = self._account(rows_out) if self._rows or self._rejects.count else None
        return UnreadableError(reason, account=account, rejects=self._rejects.path)
