"""Write a table as Parquet: while the object arrives, or from the disk."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import duckdb

from conversion.budget import Budget
from conversion.engine import Written, copy
from conversion.model import MEBIBYTE
from conversion.published import Published, metadata_of, selection
from conversion.stream import Pipe, UnsoundError
from conversion.typed import TextTable, Typed, UnprovenError, write, write_as

_QUICKLY_BYTES = 64 * MEBIBYTE
_QUICKLY_COLUMNS = 32
"""From what size, and up to what width, ``quickly`` is worth it. Measured: with it 16 columns of numbers take
about a tenth less time, 32 a twentieth less, 100 a fifth more."""


class Writer:
    """Writes ``output``, with ``metadata`` that all formats have, from an object of ``size`` bytes."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        pipe: Pipe,
        output: Path,
        metadata: Mapping[str, str],
        budget: Budget,
        size: int,
    ) -> None:
        self.connection = connection
        self.pipe = pipe.path
        self.output = output
        self._pipe = pipe
        self._metadata = metadata
        self._budget = budget
        self._size = size
        self._refuted = False
        self.misread = False
        """Whether the engine did not read all that arrived as it is, and would not from the disk either."""

    def stream(
        self,
        blocks: Iterable[bytes],
        table: TextTable,
        format_: str,
        encoding: str,
        sources: Sequence[str],
        *,
        is_whole: Callable[[Typed], bool],
    ) -> Typed | None:
        """Write ``table``, which reads ``pipe``, while ``blocks`` arrive.

        None if ``blocks`` are unsound, a value is not of the type that was guessed, the engine takes offence
        at anything, or what is written is not whole: then the object is to be read again, with more care.
        """
        if not table.certain:
            return None
        table = self._fitted(table)
        metadata = self._described(format_, encoding, table.names, sources)
        types = [guess.first for guess in table.guesses]
        try:
            typed = self._pipe.feed(
                blocks,
                self.connection,
                lambda: write_as(self.connection, table, types, self.output, metadata),
            )
        except UnprovenError:
            self._refuted = True
            return None
        except UnsoundError:
            return None
        except duckdb.OutOfMemoryException:
            raise
        except duckdb.Error:
            if self._budget.exceeded:
                raise
            self.misread = True
            return None
        self.misread = not is_whole(typed)
        return None if self.misread else typed

    def write(self, table: TextTable, format_: str, encoding: str, sources: Sequence[str]) -> Typed:
        """Write ``table`` from the disk."""
        metadata = self._described(format_, encoding, table.names, sources)
        table = self._fitted(table)
        return write(self.connection, table, self.output, metadata, refuted=self._refuted)

    def rewrite(
        self,
        relation: str,
        format_: str,
        encoding: str,
        names: Sequence[str],
        sources: Sequence[str],
        columns: Sequence[Published],
    ) -> Written:
        """Write ``columns`` of ``relation`` (SQL) under ``names``."""
        metadata = self._described(format_, encoding, names, sources)
        query = f"SELECT {selection(names, columns)} FROM {relation}"
        return copy(self.connection, query, self.output, {**metadata, **metadata_of(names, columns)})

    def _fitted(self, table: TextTable) -> TextTable:
        return replace(table, quickly=self._size >= _QUICKLY_BYTES and len(table.names) <= _QUICKLY_COLUMNS)

    def _described(
        self, format_: str, encoding: str, names: Sequence[str], sources: Sequence[str]
    ) -> dict[str, str]:
        return {
            **self._metadata,
            "format": format_,
            "encoding": encoding,
            "column_names": json.dumps(dict(zip(names, sources, strict=True)), ensure_ascii=False),
        }
