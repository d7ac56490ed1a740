"""A fake conversion: the object's first line names the outputs, and each output names the job."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from conversion import Account, Column, Conversion, UnreadableError


def account(rows_out: int, bytes_out: int = 0) -> Account:
    """Return an account of three rows."""
    return Account(
        bytes_in=1,
        bytes_decompressed=1,
        bytes_out=bytes_out,
        rows_in=3,
        rows_out=rows_out,
        rows_rejected=3 - rows_out,
    )


def convert(source: BinaryIO, *, workdir: Path, provenance: Mapping[str, str], **_: Any) -> Conversion:
    """Write what the first line names: "parquet", "rejects", the number of filler bytes, or "unreadable"."""
    origin = f"{provenance['job_id']} {provenance['generation']}"
    words = source.read().decode().split("\n", 1)[0].split()
    filler = next((int(word) for word in words if word.isdigit()), 0)
    rejects = workdir / "rejects.jsonl" if "rejects" in words else None
    if rejects:
        rejects.write_text(f"rejects of {origin}\n")
    if "unreadable" in words:
        raise UnreadableError("the first line says unreadable", account=account(0), rejects=rejects)
    parquet, profile = workdir / "output.parquet", workdir / "profile.json"
    parquet.write_bytes(f"parquet of {origin}\n".encode() + bytes(filler))
    profile.write_text(f"profile of {origin}\n")
    return Conversion(
        parquet=parquet,
        rejects=rejects,
        profile=profile,
        account=account(2 if rejects else 3, parquet.stat().st_size),
        columns=(Column(name="a", source_name="a", type="BIGINT", source_type="BIGINT", renamed_fields=()),),
        format="delimited",
        encoding="utf-8",
        compression="none",
    )
