"""Write a table as Parquet in one COPY, with the round-trip check of every value."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import duckdb

from conversion.engine import literal
from conversion.findings import Findings, RefutedError
from conversion.model import Column
from conversion.output import selection, write
from conversion.passes import Resources
from conversion.plan import Plan
from conversion.published import Published, published
from conversion.roundtrip import NULL_MARKERS, TEXT, Type

_MARKERS = literal("|".join(map(re.escape, NULL_MARKERS)))
"""A pattern of the null markers. For each column it takes a third of the memory of a list of texts."""
_CHECK_EVERY = 16
"""The number of blocks between two checks for values that refute their column's type."""
_EARLY = 0.4
"""A plan that is refuted before this share of the object is abandoned. After it, the pass goes on, to find
everything that refutes the plan."""


class Writer:
    """Writes one table in one pass over the object.

    Sequences count, because a COPY has no other counter. For column 0, ``m0`` counts the null markers, and
    ``x0`` the mismatches. If its type is not known yet, ``x0`` counts all values, and ``a0_1`` those that its
    second possible type holds.
    """

    def __init__(self, resources: Resources, plan: Plan, findings: Findings) -> None:
        self._resources = resources
        self._connection = resources.connection
        self._plan = plan
        self._types: list[Type | None] = [
            findings.types.get(index, guess.first) for index, guess in enumerate(plan.guesses)
        ]
        self._sequences: dict[str, None] = {}

    def write(self, blocks: Iterable[bytes], metadata: Mapping[str, str]) -> tuple[int, tuple[Column, ...]]:
        """Write the rows in ``blocks``.

        Args:
            blocks: The valid records.
            metadata: Key-value metadata of the Parquet file.

        Returns:
            The number of rows, and the columns as they were written.

        Raises:
            RefutedError: A column does not have the planned type.
        """
        resources, connection = self._resources, self._connection
        relation, planned = self._query()
        resources.budget.check_columns(len(planned), len(relation) + len(selection(planned)))
        self._create_sequences()
        rows, columns = resources.pipe.feed(
            self._watched(blocks),
            connection,
            lambda: write(connection, resources.output, relation, planned, metadata),
        )
        counts = self._counts(connection)
        if types := self._refuted(counts, [rows - column.nulls for column in columns]):
            raise RefutedError(types=types)
        return rows, tuple(
            replace(
                column,
                looks_like=self._plan.note(index) if column.type == "VARCHAR" else None,
                null_marker_share=counts.get(f"m{index}", 0) / rows if rows else 0.0,
            )
            for index, column in enumerate(columns)
        )

    def _create_sequences(self) -> None:
        statements = [f"CREATE OR REPLACE SEQUENCE {name} MINVALUE 0 START 0" for name in self._sequences]
        if statements:
            self._connection.execute("; ".join(statements))

    def _query(self) -> tuple[str, tuple[Published, ...]]:
        """Return SQL of the rows with their values, and how to publish these."""
        values, columns, checks = [], [], []
        kinds = [(type_ or TEXT).name for type_ in self._types]
        known = {kind: self._connection.sqltype(kind) for kind in set(kinds)}
        named = zip(self._plan.names, self._plan.sources, self._types, strict=True)
        for index, (name, source, type_) in enumerate(named):
            value = f"c{index}"
            values.append(value)
            if type_ and type_.cast != "{text}":
                text, value = type_.text_of(value), f"v{index}"
                values.append(f"{type_.cast.format(text=text)} AS {value}")
            columns.append(published(name, source, value, known[kinds[index]]))
            if type_ is None:
                checks.append(self._asked(index))
            elif type_.check:
                checks.append(self._checked(index, type_, value))
        relation = f"(SELECT {', '.join(values)} FROM {self._plan.relation})"
        return f"{relation} WHERE {' AND '.join(checks)}" if checks else relation, tuple(columns)

    def _checked(self, index: int, type_: Type, value: str) -> str:
        """Return SQL, always true, that counts a column's null markers and mismatches."""
        text = type_.text_of(f"c{index}")
        check = type_.check.format(text=text, value=value)
        whens = f"WHEN {check} THEN true WHEN {text} IS NULL THEN true"
        if self._plan.markers:
            whens += f" WHEN regexp_full_match({text}, {_MARKERS}) THEN {self._count(f'm{index}')}"
        return f"CASE {whens} ELSE {self._count(f'x{index}')} END"

    def _asked(self, index: int) -> str:
        """Return SQL, always true, that counts a column's values, and those that each type holds."""
        column, types = f"c{index}", self._plan.guesses[index].types
        text = types[0].text_of(column)
        counts = [self._count(f"x{index}")]
        for number, type_ in enumerate(types):
            count = self._count(f"a{index}_{number}")
            counts.append(f"CASE WHEN {type_.holds(column)} THEN {count} ELSE true END")
        nulls = f"{text} IS NULL"
        if self._plan.markers:
            nulls += f" OR regexp_full_match({text}, {_MARKERS})"
        return f"CASE WHEN {nulls} THEN true ELSE {' AND '.join(counts)} END"

    def _count(self, sequence: str) -> str:
        self._sequences[sequence] = None
        return f"nextval('{sequence}') IS NOT NULL"

    def _watched(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """Yield ``blocks`` until a type is refuted early."""
        source = self._resources.source
        looking = any(type_ and type_.check for type_ in self._types)
        cursor = self._connection.cursor() if looking else None
        for number, block in enumerate(blocks):
            yield block
            if cursor and looking and number % _CHECK_EVERY == _CHECK_EVERY - 1:
                looking = source.bytes_in < _EARLY * source.size
                if looking and (types := self._refuted(self._counts(cursor))):
                    raise RefutedError(types=types)

    def _counts(self, connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
        rows = connection.execute(
            "SELECT sequence_name, last_value + 1 FROM duckdb_sequences() WHERE last_value IS NOT NULL"
        ).fetchall()
        # Sequences of an earlier pass may still exist.
        return {name: count for name, count in rows if name in self._sequences}

    def _refuted(
        self, counts: Mapping[str, int], values: Sequence[int] | None = None
    ) -> dict[int, Type | None]:
        """Return the columns that have another type than planned, each with its type if that is known.

        Args:
            counts: The values of the sequences.
            values: The number of values of each column; None before the end. Columns without a planned type
                are then left out.
        """
        found: dict[int, Type | None] = {}
        for index, (type_, guess) in enumerate(zip(self._types, self._plan.guesses, strict=True)):
            count = counts.get(f"x{index}", 0)
            if type_ and count:
                share = count / values[index] if values and values[index] else 1.0
                found[index] = guess.without(type_, share)
            if type_ is None and values is not None:
                holds = {
                    type_: counts.get(f"a{index}_{number}", 0) for number, type_ in enumerate(guess.types)
                }
                settled = guess.settled(holds, count)
                if settled is not TEXT:
                    found[index] = settled
        return found
