"""The conversion loop: plan, read, write, account and profile, again if the object refutes the plan."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import BinaryIO

import duckdb

from conversion import parquet, text
from conversion.budget import Budget
from conversion.contract import reading
from conversion.contract.reading import Assignment
from conversion.engine import engine
from conversion.findings import Findings, RefutedError
from conversion.formats import is_parquet, refuse_foreign
from conversion.model import Account, Conversion, EmptyError, Limits, UnreadableError
from conversion.passes import Resources, Result
from conversion.pipe import Pipe
from conversion.rejects import Rejects
from conversion.source import Source

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
        resources = Resources(
            source=opened,
            rejects=rejects,
            budget=budget,
            connection=connection,
            pipe=pipe,
            output=workdir / "output.parquet",
            metadata={"source_key": key, **provenance, "compression": opened.compression},
        )
        with _readable(resources):
            result = _converted(resources, assignment)
        rejects.close()
        account = _account(resources, result)
    description = {
        "key": key,
        "provenance": dict(provenance),
        "format": result.format,
        "encoding": result.encoding,
        "compression": opened.compression,
        **result.facts,
        "account": asdict(account),
        "columns": list(map(asdict, result.columns)),
    }
    profile = workdir / "profile.json"
    profile.write_text(json.dumps(description, ensure_ascii=False, indent=1))
    return Conversion(
        parquet=resources.output,
        rejects=rejects.path,
        profile=profile,
        account=account,
        columns=result.columns,
        format=result.format,
        encoding=result.encoding,
        compression=opened.compression,
        facts=result.facts,
    )


def _converted(resources: Resources, assignment: Assignment | None) -> Result:
    """Write the object with a plan that it does not refute."""
    refuse_foreign(resources.source.head)
    findings = Findings()
    for _ in range(_PASSES_MAX):
        try:
            return _read(resources, assignment, findings)
        except RefutedError as refuted:
            findings = findings.with_more(refuted.facts)
            resources.rejects.forget()
    raise UnreadableError(f"no plan fits it after {_PASSES_MAX} passes")


def _read(resources: Resources, assignment: Assignment | None, findings: Findings) -> Result:
    """Make one pass over the object."""
    if assignment:
        return reading.read(assignment, resources, findings)
    if is_parquet(resources.source.head):
        return parquet.read(resources)
    return text.read(resources, findings)


@contextmanager
def _readable(resources: Resources) -> Iterator[None]:
    """Turn the errors of Python and DuckDB for an object that cannot be read into UnreadableError."""
    try:
        yield
    except RecursionError:
        raise UnreadableError("nested too deeply") from None
    except (duckdb.OutOfMemoryException, MemoryError):
        # One process has one limit. Whether DuckDB or Python reaches it first is chance.
        raise UnreadableError(
            "needs more memory than there is: split its columns or long values, or raise the function's "
            "memory"
        ) from None
    except duckdb.Error as error:
        if resources.budget.exceeded:
            raise resources.budget.exceeded from None
        if is_parquet(resources.source.head) and parquet.is_encryption_error(error):
            raise UnreadableError("a Parquet file with encrypted columns") from None
        # DuckDB's message may quote the data.
        raise UnreadableError(f"DuckDB cannot read it ({type(error).__name__})") from None


def _account(resources: Resources, result: Result) -> Account:
    """Return the account of the written table.

    Raises:
        EmptyError: There are no rows at all.
        UnreadableError: Too many rows are rejected, or rows in are not rows out plus rows rejected.
    """
    rejects, share = resources.rejects, resources.budget.limits.rejected_share_max
    account = Account(
        bytes_in=resources.source.bytes_in,
        bytes_decompressed=resources.source.bytes_decompressed,
        bytes_out=resources.output.stat().st_size,
        rows_in=result.rows + rejects.count,
        rows_out=result.rows_out,
        rows_rejected=rejects.count,
    )
    damaged = rejects.count - result.beside
    rows = result.rows + damaged
    if not rows:
        header = result.facts.get("header_line")
        below = f" below line {header}, which was read as its header" if header else ""
        raise EmptyError(f"the object has no rows{below}")
    if damaged > share * rows:
        reason = f"{damaged} of {rows} rows rejected, more than {share:.0%}; {rejects.summary}"
        raise UnreadableError(reason, account=replace(account, rows_out=0), rejects=rejects.path)
    if account.rows_in != account.rows_out + account.rows_rejected:
        reason = f"{account.rows_in} rows in, but {account.rows_out} rows out and {rejects.count} rejected"
        raise UnreadableError(reason, account=account, rejects=rejects.path)
    return account
