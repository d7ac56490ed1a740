"""The steps of a conversion, in order: spool, prepare, write typed, account, profile."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import duckdb

from conversion import delimited, parquet
from conversion.budget import Budget
from conversion.engine import Written, copy, describe, engine
from conversion.formats import PARQUET_MAGIC, json_kind, refuse_foreign
from conversion.json_lines import JsonSpool
from conversion.json_table import any_table, flat_table
from conversion.model import Account, Column, Conversion, EmptyError, Limits, UnreadableError
from conversion.profile import write_profile
from conversion.rejects import Rejects
from conversion.spool import Spool
from conversion.typed import TextTable, write


def convert_object(
    source: BinaryIO, *, key: str, size: int, workdir: Path, limits: Limits, provenance: Mapping[str, str]
) -> Conversion:
    """Do what ``conversion.convert`` promises."""
    steps = _Steps(key, workdir, limits, provenance, source, size)
    try:
        with engine(workdir, steps.budget) as steps.connection:
            return steps.run()
    except duckdb.OutOfMemoryException:
        raise steps.unreadable("needs more memory than the engine has: split the object") from None
    except duckdb.Error as error:
        # The engine's own words may quote the data.
        raise steps.unreadable(f"the engine cannot read it ({type(error).__name__})") from None
    finally:
        steps.rejects.close()


@dataclass(frozen=True)
class _Result:
    format: str
    encoding: str
    sources: Sequence[str]
    markers: Sequence[int]
    written: Written


class _Steps:
    """What the steps of one conversion hand on to each other."""

    connection: duckdb.DuckDBPyConnection

    def __init__(
        self,
        key: str,
        workdir: Path,
        limits: Limits,
        provenance: Mapping[str, str],
        source: BinaryIO,
        size: int,
    ) -> None:
        self._key = key
        self._limits = limits
        self._workdir = workdir
        self._provenance = provenance
        self._output = workdir / "output.parquet"
        self.rejects = Rejects(workdir / "rejected.jsonl", provenance.get("job_id"))
        self.budget = Budget(limits, workdir)
        self._source = source
        self._size = size
        self._sound = 0
        self._rows_out = 0

    def run(self) -> Conversion:
        self._spool = spool = Spool(
            self._source, size=self._size, path=self._workdir / "data", budget=self.budget
        )
        refuse_foreign(spool.raw_head)
        if spool.raw_head.startswith(PARQUET_MAGIC):
            result = self._parquet()
        elif kind := json_kind(spool.head):
            result = self._json(kind)
        else:
            result = self._delimited()
        self.rejects.close()
        account = self._account()
        if account.rows_in != account.rows_out + account.rows_rejected:
            raise self.unreadable(
                f"{account.rows_in} rows in, but {account.rows_out} rows out "
                f"and {account.rows_rejected} rejected"
            )
        types = describe(self.connection, self._output)
        columns = tuple(
            Column(name=name, source_name=source, type=type_)
            for source, (name, type_) in zip(result.sources, types, strict=True)
        )
        description = {
            "key": self._key,
            "provenance": dict(self._provenance),
            "format": result.format,
            "encoding": result.encoding,
            "compression": spool.compression,
        }
        profile = self._workdir / "profile.json"
        write_profile(
            self.connection,
            self._output,
            result.written,
            columns,
            result.markers,
            profile,
            description,
            account,
        )
        return Conversion(
            parquet=self._output,
            rejects=self.rejects.path,
            profile=profile,
            account=account,
            columns=columns,
            format=result.format,
            encoding=result.encoding,
            compression=spool.compression,
        )

    def unreadable(self, reason: str) -> UnreadableError:
        """Give the error for ``reason``, with the account as far as it has come."""
        account = self._account() if self._sound or self.rejects.count else None
        return UnreadableError(reason, account=account, rejects=self.rejects.path)

    def _delimited(self) -> _Result:
        prepared = delimited.prepare(self._spool, self._key, self.rejects, self.budget)
        self._sound = prepared.records
        self._check_rejects()
        return self._write(prepared.table, prepared.sources, prepared.format, prepared.encoding)

    def _json(self, kind: str) -> _Result:
        json_spool = JsonSpool(self._spool, kind, self.rejects, self.budget)
        self._sound = json_spool.lines.lines
        self._check_rejects()
        if flat := flat_table(json_spool.lines):
            # Or else it is not flat after all, or not all of it JSON.
            with suppress(duckdb.InvalidInputException):
                return self._write(*flat, "json", json_spool.lines.encoding)
        table, sources = any_table(self.connection, json_spool)
        self._sound = json_spool.lines.lines
        self._check_rejects()
        return self._write(table, sources, "json", json_spool.lines.encoding)

    def _parquet(self) -> _Result:
        for _ in self._spool.blocks():
            pass
        self._sound = parquet.declared_rows(self.connection, self._spool)
        self._check_rejects()
        query = f"FROM {parquet.relation(self._spool)}"
        written = copy(self.connection, query, self._output, self._metadata("parquet", "binary", {}))
        self._rows_out = written.rows
        sources = [name for name, _ in describe(self.connection, self._spool.path)]
        return _Result("parquet", "binary", sources, [0] * len(sources), written)

    def _write(self, table: TextTable, sources: Sequence[str], format_: str, encoding: str) -> _Result:
        names = dict(zip(table.names, sources, strict=True))
        typed = write(self.connection, table, self._output, self._metadata(format_, encoding, names))
        self._rows_out = typed.written.rows
        return _Result(format_, encoding, sources, typed.markers, typed.written)

    def _metadata(self, format_: str, encoding: str, names: Mapping[str, str]) -> dict[str, str]:
        return {
            "source_key": self._key,
            **self._provenance,
            "format": format_,
            "encoding": encoding,
            "compression": self._spool.compression,
            "column_names": json.dumps(names, ensure_ascii=False),
        }

    def _check_rejects(self) -> None:
        rows = self._sound + self.rejects.count
        if rows == 0:
            raise EmptyError("the object has no rows")
        if self.rejects.count > self._limits.rejected_share_max * rows:
            self.rejects.close()
            raise self.unreadable(
                f"{self.rejects.count} of {rows} rows rejected, "
                f"more than {self._limits.rejected_share_max:.0%}; {self.rejects.first}"
            )

    def _account(self) -> Account:
        return Account(
            bytes_in=self._spool.bytes_in,
            bytes_decompressed=self._spool.bytes_decompressed,
            bytes_out=self._output.stat().st_size if self._output.exists() else 0,
            rows_in=self._sound + self.rejects.count,
            rows_out=self._rows_out,
            rows_rejected=self.rejects.count,
        )
