"""The steps of a conversion, in order: tell the format, write the table, account for it, profile it.

What the beginning of an object promises is tried first, while the object arrives. If that fails, or if the
format has no such way, the object is put on disk, mended, and asked what it is.
"""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import BinaryIO

import duckdb

from conversion import ndjson, parquet
from conversion.budget import Budget
from conversion.delimited import plan as delimited
from conversion.engine import describe, engine
from conversion.formats import PARQUET_MAGIC, json_kind, refuse_foreign
from conversion.model import Column, Conversion, Limits
from conversion.profile import Profiled, write_profile
from conversion.rejects import Rejects
from conversion.spool import Spool
from conversion.stream import Pipe
from conversion.work import Result, Work
from conversion.writer import Writer


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
) -> Iterator[Conversion]:
    """Convert the object that ``source`` reads (``size`` bytes, named ``key``) into files in ``workdir``.

    As a context it gives the conversion, whose profile may still be in the making; its end waits for that.

    ``reopen`` opens the object anew, for a second reading if one is needed; what it opens is closed here, and
    what it raises is raised here. ``workdir`` is a fresh, empty directory. What is written is a pure
    function of the bytes, the key, the provenance (which goes into the Parquet's metadata) and the limits.

    Entering it raises UnreadableError, EmptyError or DeadlineExceededError, and nothing else that depends on
    the bytes.
    """
    budget = Budget(limits, workdir)
    rejects = Rejects(workdir / "rejected.jsonl", provenance)
    with (
        Pipe() as pipe,
        closing(rejects),
        closing(Spool(source, reopen, size=size, path=workdir / "data", budget=budget)) as spool,
    ):
        refuse_foreign(spool.raw_head)
        with engine(workdir, budget, pipe.path) as connection:
            metadata = {"source_key": key, **provenance, "compression": spool.compression}
            writer = Writer(connection, pipe, workdir / "output.parquet", metadata, budget, size)
            work = Work(key, spool, rejects, budget, writer)
            result = _written(work)
            rejects.close()
            profiled = _profiled(work, result, provenance)
            with ThreadPoolExecutor(1, "conversion-profile") as executor:
                yield Conversion(
                    parquet=writer.output,
                    rejects=rejects.path,
                    profile=executor.submit(write_profile, connection, profiled, workdir / "profile.json"),
                    account=profiled.account,
                    columns=tuple(profiled.columns),
                    format=result.format,
                    encoding=result.encoding,
                    compression=spool.compression,
                )


def _written(work: Work) -> Result:
    try:
        return _read(work)
    except duckdb.OutOfMemoryException:
        raise work.unreadable("needs more memory than the engine has: split the object") from None
    except duckdb.Error as error:
        if work.budget.exceeded:
            raise
        # The engine's own words may quote the data.
        raise work.unreadable(f"the engine cannot read it ({type(error).__name__})") from None


def _read(work: Work) -> Result:
    if work.spool.raw_head.startswith(PARQUET_MAGIC):
        return parquet.convert(work)
    if kind := json_kind(work.spool.head):
        return ndjson.convert(work, kind)
    return delimited.convert(work)


def _profiled(work: Work, result: Result, provenance: Mapping[str, str]) -> Profiled:
    """Give what is to be profiled, once rows in are rows out and rejected; else raise UnreadableError."""
    written = result.typed.written
    account = work.account(written.rows)
    if account.rows_in != account.rows_out + account.rows_rejected:
        raise work.unreadable(
            f"{account.rows_in} rows in, but {account.rows_out} rows out "
            f"and {account.rows_rejected} rejected",
            written.rows,
        )
    types = describe(work.writer.connection, work.writer.output)
    return Profiled(
        parquet=work.writer.output,
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
        description={
            "key": work.key,
            "provenance": dict(provenance),
            "format": result.format,
            "encoding": result.encoding,
            "compression": work.spool.compression,
        },
        account=account,
    )
