"""A conversion in a few lines, whose outputs are told by the object's first line. Names the job in each."""

from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from conversion import Account, Column, Conversion, UnreadableError


def done(path: Path) -> Future[Path]:
    future: Future[Path] = Future()
    future.set_result(path)
    return future


@contextmanager
def convert(
    source: BinaryIO, *, workdir: Path, provenance: Mapping[str, str], **_: Any
) -> Iterator[Conversion]:
    """Write what the first line names: "parquet", "rejects", a number of filler bytes, "unreadable"."""
    words = source.read().decode().split("\n", 1)[0].split()
    filler = next((int(word) for word in words if word.isdigit()), 0)
    rejects = workdir / "rejects.jsonl" if "rejects" in words else None
    if rejects:
        rejects.write_text(f"rejects of {provenance['job_id']}\n")
    if "unreadable" in words:
        raise UnreadableError("told to be unreadable", rejects=rejects)
    parquet, profile = workdir / "output.parquet", workdir / "profile.json"
    parquet.write_bytes(f"parquet of {provenance['job_id']}\n".encode() + bytes(filler))
    profile.write_text(f"profile of {provenance['job_id']}\n")
    yield Conversion(
        parquet=parquet,
        rejects=rejects,
        profile=done(profile),
        account=Account(
            bytes_in=1,
            bytes_decompressed=1,
            bytes_out=parquet.stat().st_size,
            rows_in=3,
            rows_out=2 if rejects else 3,
            rows_rejected=1 if rejects else 0,
        ),
        columns=(Column(name="a", source_name="a", type="BIGINT"),),
        format="delimited",
        encoding="utf-8",
        compression="none",
    )
