"""The conversion: plan, read, write, account for every row, profile; again if the object refutes the plan."""

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
from conversion.formats import json_layout, refuse_foreign
from conversion.json.plan import JsonPlan
from conversion.model import Account, Column, Conversion, EmptyError, Limits, UnreadableError
from conversion.pipe import Pipe
from conversion.plan import Findings, RefutedError
from conversion.profile import Profiled, write_profile
from conversion.rejects import Rejects
from conversion.source import Source
from conversion.writer import Typed, Writer

_READINGS_MAX = 12
"""No object is read more often; each reading settles at least one thing that the one before did not know."""


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
    """Convert an object into files.

    As a context it gives the conversion, whose profile may still be in the making; its end waits for that.
    What is written is a pure function of the object's bytes, its key, the provenance and the limits.

    Args:
        source: Reads the object.
        reopen: Opens the object anew, for a second reading if one is needed. What it opens is closed here.
        key: The object's name.
        size: Its size in bytes.
        workdir: A fresh, empty directory.
        limits: What the conversion may use.
        provenance: What the Parquet's metadata says besides.
        assignment: The contract by which it is converted; None if everything is to be detected.

    Raises:
        UnreadableError: The object cannot be read as data.
        EmptyError: There is nothing in it.
        DeadlineExceededError: The time was not enough.
        Exception: Whatever ``source`` and ``reopen`` raise; nothing else depends on the object's bytes.
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
    """A written table, and what it was read from."""

    format: str
    encoding: str
    facts: Mapping[str, object]
    notes: Mapping[int, str]
    sources: tuple[str, ...]
    typed: Typed


class _Attempt:
    """The attempts at one object, each of which reads it from its beginning."""

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
        """Write the object by a plan that it does not refute."""
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
                "needs more memory than the engine has: split its columns or long values, or raise the "
                "function's memory"
            ) from None
        except duckdb.Error as error:
            if self._budget.exceeded:
                raise self._budget.exceeded from None
            # The engine's own words may quote the data.
            raise self._unreadable(f"the engine cannot read it ({type(error).__name__})") from None
        raise self._unreadable(f"no plan holds for it: read {_READINGS_MAX} times")

    def _read(self, findings: Findings) -> _Result:
        source = self._source
        if self._assignment:
            return self._read_by_contract(self._assignment, findings)
        if source.head.startswith(parquet.MAGIC):
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
            raise EmptyError("the object has nothing but space")
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
        """Take note that so many rows are to be found in the output, and all others were rejected.

        Args:
            rows: Those that are to be found.
            beside: Rejected records that are no damaged rows, so that no share of them is too large.

        Raises:
            EmptyError: There are none at all.
            UnreadableError: Too many of them are rejected.
        """
        self._rows = rows
        rejected, share = self._rejects.count, self._budget.limits.rejected_share_max
        if rows + rejected == 0:
            raise EmptyError("the object has no rows")
        if rejected - beside > share * (rows + rejected):
            self._rejects.close()
            told = f"{rejected} of {rows + rejected} rows rejected, more than {share:.0%}"
            raise self._unreadable(f"{told}; {self._rejects.summary}")

    def profiled(self, result: _Result, provenance: Mapping[str, str]) -> Profiled:
        """Give what is to be profiled.

        Raises:
            UnreadableError: Rows in are not rows out and rows rejected.
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
        """Give the account, ``rows_out`` being what the engine says it has written."""
        return Account(
            bytes_in=self._source.bytes_in,
            bytes_decompressed=self._source.bytes_decompressed,
            bytes_out=self.output.stat().st_size if self.output.exists() else 0,
            rows_in=self._rows + self._rejects.count,
            rows_out=rows_out,
            rows_rejected=self._rejects.count,
        )

    def _unreadable(self, reason: str, rows_out: int = 0) -> UnreadableError:
        """Give the error for ``reason``, with the account as far as it has come."""
        account = self._account(rows_out) if self._rows or self._rejects.count else None
        return UnreadableError(reason, account=account, rejects=self._rejects.path)
