"""Write columns of text as columns of the narrowest types that every one of their values proves.

The engine makes one pass: it casts, compares with what was written, and stops at the first value that is not
the same. Then a second pass asks the whole file which types hold, and a third writes them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from conversion.engine import Written, copy, literal
from conversion.proof import BIGINT, FLOAT_SHARE_MIN, NULL_MARKERS, Guess, Type
from conversion.published import Published, metadata_of, published, selection

_UNPROVEN = "a value is not what its text says"
_MARKERS = "(" + ", ".join(literal(marker) for marker in NULL_MARKERS) + ")"


@dataclass(frozen=True)
class TextTable:
    """What is to be written: ``relation`` is SQL that gives the columns c0, c1 ... as text."""

    relation: str
    names: tuple[str, ...]
    guesses: tuple[Guess, ...]
    markers: bool = True
    """Whether null markers stand for no value."""
    quickly: bool = False
    """Whether to take more time to prepare, and more memory, for less time a row."""

    @property
    def certain(self) -> bool:
        """Whether it can be written at once."""
        return all(guess.certain for guess in self.guesses)


@dataclass(frozen=True)
class Typed:
    """What was written: the types found and how they were published, and how many nulls were markers."""

    written: Written
    types: tuple[Type, ...]
    published: tuple[Published, ...]
    markers: tuple[int, ...]


class UnprovenError(Exception):
    """A value is not of the type that was guessed for its column."""


def write(
    connection: duckdb.DuckDBPyConnection,
    table: TextTable,
    path: Path,
    metadata: Mapping[str, str],
    *,
    refuted: bool = False,
) -> Typed:
    """Write ``table`` to ``path`` in the types that hold for the whole of it.

    ``refuted`` says that the guesses have been tried before.
    """
    types = [guess.first for guess in table.guesses]
    if not refuted:
        unknown = [index for index, guess in enumerate(table.guesses) if not guess.certain]
        types = _asked(connection, table, types, unknown)
        try:
            return write_as(connection, table, types, path, metadata)
        except UnprovenError:
            pass
    supposed = [
        index for index, guess in enumerate(table.guesses) if guess.types and (guess.certain or refuted)
    ]
    return write_as(connection, table, _asked(connection, table, types, supposed), path, metadata)


def write_as(
    connection: duckdb.DuckDBPyConnection,
    table: TextTable,
    types: Sequence[Type],
    path: Path,
    metadata: Mapping[str, str],
) -> Typed:
    """Write ``table`` in these types, or raise UnprovenError."""
    counted = [index for index, type_ in enumerate(types) if table.markers and type_.proof != "true"]
    if counted:
        sequences = "; ".join(f"CREATE OR REPLACE TEMP SEQUENCE m{i} MINVALUE 0 START 0" for i in counted)
        connection.execute(sequences)
    known = {name: connection.sqltype(name) for name in {type_.name for type_ in types}}
    values, proofs, columns = [], [], []
    likely, nulls = [], set[str]()
    for index, (name, type_) in enumerate(zip(table.names, types, strict=True)):
        text, value = f"c{index}", f"v{index}"
        values.append(text)
        if type_.cast == "{text}":
            value = text
        else:
            values.append(f"{type_.cast.format(text=text)} AS {value}")
        columns.append(published(name, value, known[type_.name]))
        if type_.proof != "true":
            proof = (type_.quickly() if table.quickly else type_.proof).format(text=text, value=value)
            # A sequence counts the markers as they are met: there is no other place in a COPY to count them.
            null = f"{text} IN {_MARKERS} AND nextval('m{index}') IS NOT NULL"
            null = f"{text} IS NULL OR NULL, {null}" if index in counted else f"{text} IS NULL"
            nulls |= table.guesses[index].nulls
            likely.append(f"coalesce({proof}, {text} IS NULL)" if table.guesses[index].nulls else proof)
            proofs.append(f"coalesce({proof}, {null})")
    query = (
        f"SELECT {selection(table.names, columns)} FROM (SELECT {', '.join(values)} FROM {table.relation})"
    )
    if proofs:
        # Most rows have a value wherever all of the sample have one: they need not be asked for nulls.
        first = f"WHEN {' AND '.join(likely)} THEN true" if table.quickly and nulls <= {""} else ""
        proven = f"CASE {first} WHEN {' AND '.join(proofs)} THEN true ELSE error({literal(_UNPROVEN)}) END"
        query += f" WHERE {proven}"
    try:
        written = copy(connection, query, path, {**metadata, **metadata_of(table.names, columns)})
    except duckdb.InvalidInputException as error:
        if _UNPROVEN not in str(error):
            raise
        raise UnprovenError from None
    counts = dict(
        connection.execute("SELECT sequence_name, last_value + 1 FROM duckdb_sequences()").fetchall()
    )
    return Typed(
        written=written,
        types=tuple(types),
        published=tuple(columns),
        markers=tuple(
            (counts.get(f"m{index}") or 0) if index in counted else 0 for index in range(len(types))
        ),
    )


def _asked(
    connection: duckdb.DuckDBPyConnection, table: TextTable, types: Sequence[Type], columns: Sequence[int]
) -> list[Type]:
    """Give ``types``, but for ``columns`` the first type that every value of the whole file proves."""
    chosen = list(types)
    if columns:
        for index, type_ in _ask(connection, table, columns):
            chosen[index] = type_
    return chosen


def _ask(
    connection: duckdb.DuckDBPyConnection, table: TextTable, columns: Sequence[int]
) -> Iterator[tuple[int, Type]]:
    texts, values, results = [], [], []
    for index in columns:
        text = f"c{index}"
        texts.append(
            f"CASE WHEN {text} IN {_MARKERS} THEN NULL ELSE {text} END AS {text}" if table.markers else text
        )
        values.append(text)
        results.append(f"count({text})")
        for number, type_ in enumerate(table.guesses[index].types):
            value = f"v{index}_{number}"
            values.append(f"{type_.cast.format(text=text)} AS {value}")
            results.append(
                f"count(*) FILTER ({text} IS NOT NULL AND ({type_.proof.format(text=text, value=value)}))"
            )
    answers = iter(
        connection.execute(
            f"SELECT {', '.join(results)} FROM (SELECT {', '.join(values)} FROM "
            f"(SELECT {', '.join(texts)} FROM {table.relation}))"
        ).fetchall()[0]
    )
    for index in columns:
        guess, count = table.guesses[index], next(answers)
        yield index, _settle(guess, {type_: next(answers) for type_ in guess.types}, count)


def _settle(guess: Guess, proven: Mapping[Type, int], count: int) -> Type:
    """Choose a type, given of how many of ``count`` values each is proven."""
    possible = [type_ for type_, times in proven.items() if times == count]
    if not possible or not count or (guess.exclusive and len(possible) > 1):
        return guess.fallback
    if possible[0].name == "DOUBLE" and BIGINT in proven and count - proven[BIGINT] < count * FLOAT_SHARE_MIN:
        return guess.fallback
    return possible[0]
