"""Turn any tabular object into typed Parquet, with an account of every row.

The only names for use from outside are those in ``__all__``.
"""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import duckdb

from conversion.model import (
    Account,
    Column,
    Conversion,
    DeadlineExceededError,
    EmptyError,
    Limits,
    UnreadableError,
)

__all__ = [
    "Account",
    "Column",
    "Conversion",
    "DeadlineExceededError",
    "EmptyError",
    "Limits",
    "UnreadableError",
    "convert",
    "largest_object_bytes",
]


def largest_object_bytes(seconds: float) -> int:
    """The largest object (bytes, uncompressed) that can be converted within ``seconds``."""
    return int(seconds * 15_000_000)


def convert(
    source: BinaryIO,
    *,
    key: str,
    size: int,
    workdir: Path,
    limits: Limits,
    provenance: Mapping[str, str],
) -> Conversion:
    """Convert the object that ``source`` reads (``size`` bytes, named ``key``) into files in ``workdir``.

    ``workdir`` is a fresh, empty directory. What is written is a pure function of the bytes, the key, the
    provenance (which goes into the Parquet's metadata) and the limits.

    Raises UnreadableError, EmptyError or DeadlineExceededError, and nothing else that depends on the bytes.
    """
    if size > largest_object_bytes(limits.seconds):
        raise UnreadableError(
            f"the object has {size} bytes, more than can be converted in {limits.seconds:g} s"
        )
    raw = workdir / "data.csv"
    with raw.open("wb") as file:
        shutil.copyfileobj(source, file, 1024 * 1024)
    if raw.stat().st_size == 0:
        raise EmptyError(f"{key!r} has no bytes")
    output = workdir / "output.parquet"
    metadata = ", ".join(
        f"'{name}': {_literal(value)}" for name, value in {"source_key": key, **provenance}.items()
    )
    with duckdb.connect(config={"threads": 1, "memory_limit": "400MB"}) as connection:
        try:
            connection.execute(
                f"COPY (FROM read_csv(?, sample_size=-1)) TO {_literal(str(output))} "
                f"(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE_BYTES '64MB', KV_METADATA {{{metadata}}})",
                [str(raw)],
            )
        except duckdb.Error as error:
            raise UnreadableError("not readable as delimited text") from error
        described = connection.execute("DESCRIBE FROM read_parquet(?)", [str(output)]).fetchall()
        rows = connection.execute("SELECT count(*) FROM read_parquet(?)", [str(output)]).fetchall()[0][0]
    if rows == 0:
        raise EmptyError(f"{key!r} has no rows")
    columns = tuple(Column(name=row[0], source_name=row[0], type=row[1]) for row in described)
    profile = workdir / "profile.json"
    profile.write_text(json.dumps({"key": key, "columns": [column.name for column in columns]}))
    return Conversion(
        parquet=output,
        rejects=None,
        profile=profile,
        account=Account(
            bytes_in=size,
            bytes_decompressed=raw.stat().st_size,
            bytes_out=output.stat().st_size,
            rows_in=rows,
            rows_out=rows,
            rows_rejected=0,
        ),
        columns=columns,
        format="delimited",
        encoding="utf-8",
        compression="none",
    )


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
