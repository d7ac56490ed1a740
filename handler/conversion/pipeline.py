"""The steps of a conversion, in order: spool, prepare, write typed, account, profile."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import duckdb

from conversion import delimited
from conversion.budget import Budget
from conversion.engine import engine
from conversion.model import Account, Column, Conversion, EmptyError, Limits, UnreadableError
from conversion.profile import write_profile
from conversion.rejects import Rejects
from conversion.spool import Spool
from conversion.typed import write


def convert_object(
    source: BinaryIO, *, key: str, size: int, workdir: Path, limits: Limits, provenance: Mapping[str, str]
) -> Conversion:
    """Do what ``conversion.convert`` promises."""
    budget = Budget(limits, workdir)
    spool = Spool(source, size=size, path=workdir / "data", budget=budget)
    rejects = Rejects(workdir / "rejected.jsonl")
    try:
        prepared = delimited.prepare(spool, key, rejects, budget)
    finally:
        rejects.close()

    def account(bytes_out: int = 0, rows_out: int = 0) -> Account:
        return Account(
            bytes_in=spool.bytes_in,
            bytes_decompressed=spool.bytes_decompressed,
            bytes_out=bytes_out,
            rows_in=prepared.records + rejects.count,
            rows_out=rows_out,
            rows_rejected=rejects.count,
        )

    rows_in = prepared.records + rejects.count
    if rejects.count > limits.rejected_share_max * rows_in:
        raise UnreadableError(
            f"{rejects.count} of {rows_in} rows rejected, more than {limits.rejected_share_max:.0%}",
            account=account(),
            rejects=rejects.path,
        )
    parquet = workdir / "output.parquet"
    metadata = {
        "source_key": key,
        **provenance,
        "format": prepared.format,
        "encoding": prepared.encoding,
        "compression": spool.compression,
        "column_names": json.dumps(
            dict(zip(prepared.table.names, prepared.sources, strict=True)), ensure_ascii=False
        ),
    }
    try:
        with engine(workdir, budget) as connection:
            typed = write(connection, prepared.table, parquet, metadata)
            columns = tuple(
                Column(name=n, source_name=s, type=t.name)
                for n, s, t in zip(prepared.table.names, prepared.sources, typed.types, strict=True)
            )
            done = account(parquet.stat().st_size, typed.written.rows)
            if done.rows_in != done.rows_out + done.rows_rejected:
                raise UnreadableError(
                    f"{done.rows_in} rows in, but {done.rows_out} out and {done.rows_rejected} rejected",
                    account=done,
                    rejects=rejects.path,
                )
            profile = workdir / "profile.json"
            write_profile(
                connection, parquet, typed.written, columns, typed.markers, profile, {"key": key}, done
            )
    except duckdb.Error as error:
        raise UnreadableError(
            f"the engine cannot read it ({type(error).__name__})", account=account(), rejects=rejects.path
        ) from error
    return Conversion(
        parquet=parquet,
        rejects=rejects.path,
        profile=profile,
        account=done,
        columns=columns,
        format=prepared.format,
        encoding=prepared.encoding,
        compression=spool.compression,
    )
