"""The steps of a conversion, in order: read the beginning, write typed, account, profile.

What the beginning promises is tried first, while the object arrives (``stream``). If that fails, or if the
format has no such way, the object is put on disk, mended, and asked what it is.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import duckdb

from conversion import delimited, parquet
from conversion.blocks import blocks_of_lines
from conversion.budget import Budget
from conversion.csv_reader import LINE_BYTES
from conversion.engine import Written, copy, describe, engine
from conversion.formats import PARQUET_MAGIC, json_kind, refuse_foreign
from conversion.json_flat import FlatScreen, FlatTable, flat_table
from conversion.json_lines import JsonLines, JsonSpool, sample_of
from conversion.json_table import any_table
from conversion.model import Account, Column, Conversion, EmptyError, Limits, UnreadableError
from conversion.profile import write_profile
from conversion.rejects import Rejects
from conversion.screen import Screen
from conversion.spool import Spool
from conversion.stream import Pipe, UnsoundError, whole_lines
from conversion.typed import TextTable, Typed, UnprovenError, write, write_as


def convert_object(
    source: BinaryIO,
    *,
    reopen: Callable[[], BinaryIO],
    key: str,
    size: int,
    workdir: Path,
    limits: Limits,
    provenance: Mapping[str, str],
) -> Conversion:
    """Do what ``conversion.convert`` promises."""
    budget = Budget(limits, workdir)
    rejects = Rejects(workdir / "rejected.jsonl", provenance.get("job_id"))
    with (
        Pipe() as pipe,
        closing(rejects),
        closing(Spool(source, reopen, size=size, path=workdir / "data", budget=budget)) as spool,
    ):
        steps = _Steps(key, workdir, limits, provenance, spool, pipe, rejects, budget)
        try:
            with engine(workdir, pipe.path, budget) as steps.connection:
                return steps.run()
        except duckdb.OutOfMemoryException:
            raise steps.unreadable("needs more memory than the engine has: split the object") from None
        except duckdb.Error as error:
            # The engine's own words may quote the data.
            raise steps.unreadable(f"the engine cannot read it ({type(error).__name__})") from None


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
        spool: Spool,
        pipe: Pipe,
        rejects: Rejects,
        budget: Budget,
    ) -> None:
        self._key = key
        self._limits = limits
        self._workdir = workdir
        self._provenance = provenance
        self._output = workdir / "output.parquet"
        self.spool = spool
        self._pipe = pipe
        self.rejects = rejects
        self.budget = budget
        self._refuted = False
        self._sound = 0
        self._rows_out = 0

    def run(self) -> Conversion:
        spool = self.spool
        refuse_foreign(spool.raw_head)
        if spool.raw_head.startswith(PARQUET_MAGIC):
            result = self._parquet()
        elif kind := json_kind(spool.head):
            result = (self._json_stream() if kind == "lines" else None) or self._json(kind)
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
        if self.spool.whole and not self.spool.head.strip():
            raise EmptyError("the object has nothing but space")
        layout = delimited.layout_of(self.spool.head, self._key)
        return self._delimited_stream(layout) or self._delimited_file(layout)

    def _delimited_stream(self, layout: delimited.Layout) -> _Result | None:
        table, screen = layout.table(self._pipe.path, LINE_BYTES), Screen(layout.dialect)
        blocks = delimited.screened(self.spool.blocks(), screen)
        typed = self._stream(blocks, table, layout.sources, layout.format)
        if typed is None or typed.written.rows != screen.records - layout.header:
            return None
        self._sound = typed.written.rows
        self._check_rejects()
        return self._result(layout.format, self.spool.encoding, layout.sources, typed)

    def _delimited_file(self, layout: delimited.Layout) -> _Result:
        prepared = delimited.prepare(self.spool, self._key, layout, self.rejects, self.budget)
        self._sound = prepared.records
        self._check_rejects()
        layout = prepared.layout
        return self._write(prepared.table, layout.sources, layout.format, prepared.encoding)

    def _json_stream(self) -> _Result | None:
        flat = flat_table(self._pipe.path, b"\n", LINE_BYTES, sample_of(self.spool.head))
        if flat is None:
            return None
        screen = FlatScreen(b"\n")
        blocks = screen.screened(whole_lines(self.spool.blocks()))
        typed = self._stream(blocks, flat.table, flat.keys, "json")
        return self._flat_result(flat, screen, typed, self.spool.encoding)

    def _json(self, kind: str) -> _Result:
        json_spool = JsonSpool(self.spool, kind, self.rejects, self.budget)
        self._sound = json_spool.lines.lines
        self._check_rejects()
        if result := self._json_flat(json_spool.lines):
            return result
        table, sources = any_table(self.connection, json_spool)
        self._sound = json_spool.lines.lines
        self._check_rejects()
        return self._write(table, sources, "json", json_spool.lines.encoding)

    def _json_flat(self, lines: JsonLines) -> _Result | None:
        newline = lines.dialect.newline
        flat = flat_table(lines.path, newline, lines.longest, lines.sample())
        if flat is None:
            return None
        screen = FlatScreen(newline)
        try:
            for _ in screen.screened(blocks_of_lines(lines.path, self.budget)):
                pass
            metadata = self._metadata("json", lines.encoding, flat.table, flat.keys)
            typed = write(self.connection, flat.table, self._output, metadata, refuted=self._refuted)
        except (UnsoundError, duckdb.InvalidInputException):
            return None
        return self._flat_result(flat, screen, typed, lines.encoding)

    def _flat_result(
        self, flat: FlatTable, screen: FlatScreen, typed: Typed | None, encoding: str
    ) -> _Result | None:
        if typed is None or not flat.is_proven(screen, typed.written):
            return None
        self._sound = screen.lines
        return self._result("json", encoding, flat.keys, typed)

    def _parquet(self) -> _Result:
        self.spool.spool()
        self._sound = parquet.declared_rows(self.connection, self.spool)
        self._check_rejects()
        query = f"FROM {parquet.relation(self.spool)}"
        metadata = self._metadata("parquet", "binary")
        written = copy(self.connection, query, self._output, metadata)
        sources = [name for name, _ in describe(self.connection, self.spool.path)]
        return self._result("parquet", "binary", sources, Typed(written, (0,) * len(sources)))

    def _stream(
        self, blocks: Iterable[bytes], table: TextTable, sources: Sequence[str], format_: str
    ) -> Typed | None:
        """Write the object as it arrives; None if that fails and it has to be read again."""
        if not table.certain:
            return None
        types = [guess.first for guess in table.guesses]
        metadata = self._metadata(format_, self.spool.encoding, table, sources)

        def work() -> Typed:
            return write_as(self.connection, table, types, self._output, metadata)

        try:
            return self._pipe.feed(blocks, self.connection, work)
        except UnprovenError:
            self._refuted = True
        except UnsoundError:
            pass
        except duckdb.OutOfMemoryException:
            raise
        except duckdb.Error:
            if self.budget.exceeded:
                raise
        return None

    def _write(self, table: TextTable, sources: Sequence[str], format_: str, encoding: str) -> _Result:
        metadata = self._metadata(format_, encoding, table, sources)
        typed = write(self.connection, table, self._output, metadata, refuted=self._refuted)
        return self._result(format_, encoding, sources, typed)

    def _result(self, format_: str, encoding: str, sources: Sequence[str], typed: Typed) -> _Result:
        self._rows_out = typed.written.rows
        return _Result(format_, encoding, sources, typed.markers, typed.written)

    def _metadata(
        self, format_: str, encoding: str, table: TextTable | None = None, sources: Sequence[str] = ()
    ) -> dict[str, str]:
        names = dict(zip(table.names, sources, strict=True)) if table else {}
        return {
            "source_key": self._key,
            **self._provenance,
            "format": format_,
            "encoding": encoding,
            "compression": self.spool.compression,
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
            bytes_in=self.spool.bytes_in,
            bytes_decompressed=self.spool.bytes_decompressed,
            bytes_out=self._output.stat().st_size if self._output.exists() else 0,
            rows_in=self._sound + self.rejects.count,
            rows_out=self._rows_out,
            rows_rejected=self.rejects.count,
        )
