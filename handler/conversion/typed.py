"""Write columns of text as columns of the narrowest types that every one of their values proves.

The engine makes one pass: it casts, compares with what was written, and stops at the first value that is not
the same. Then a second pass asks the whole file which types hold, and a third writes them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from conversion.engine import Written, copy, identifier, literal
from conversion.proof import BIGINT, DOUBLE, FLOAT_SHARE_MIN, NULL_MARKERS, TEXT, Guess, Type

_UNPROVEN = "a value is not what its text says"
_MARKERS = "(" + ", ".join(literal(marker) for marker in NULL_MARKERS) + ")"


@dataclass(frozen=True)
class TextTable:
    """What is to be written: ``relation`` is SQL that gives the columns c0, c1 ... as text."""

    relation: str
    names: tuple[str, ...]
    guesses: tuple[Guess, ...]
    fallback: Type = TEXT
    """The type of what no other holds."""


@dataclass(frozen=True)
class Typed:
    """What was written, and how many of each column's nulls were markers."""

    written: Written
    markers: tuple[int, ...]


@dataclass(frozen=True)
class _Choice:
    type: Type
    markers: bool
    """Whether null markers are to be looked for; where there are none, it costs."""


def write(
    connection: duckdb.DuckDBPyConnection, table: TextTable, path: Path, metadata: Mapping[str, str]
) -> Typed:
    """Write ``table`` to ``path`` in the types that hold for the whole of it."""
    choices = [
        _Choice(guess.types[0] if guess.types else table.fallback, guess.markers) for guess in table.guesses
    ]
    unknown = [index for index, guess in enumerate(table.guesses) if not guess.certain]
    for index, choice in _ask(connection, table, unknown):
        choices[index] = choice
    try:
        return _write(connection, table, choices, path, metadata)
    except duckdb.InvalidInputException as error:
        if _UNPROVEN not in str(error):
            raise
    supposed = [index for index, guess in enumerate(table.guesses) if guess.certain and guess.types]
    for index, choice in _ask(connection, table, supposed):
        choices[index] = choice
    return _write(connection, table, choices, path, metadata)


def _write(
    connection: duckdb.DuckDBPyConnection,
    table: TextTable,
    choices: Sequence[_Choice],
    path: Path,
    metadata: Mapping[str, str],
) -> Typed:
    counters = [index for index, choice in enumerate(choices) if choice.markers]
    for index in counters:
        connection.execute(f"CREATE OR REPLACE TEMP SEQUENCE m{index} MINVALUE 0 START 0")
    texts, values, proofs, columns = [], [], [], []
    for index, name in enumerate(table.names):
        choice = choices[index]
        if choice.type is TEXT:
            texts.append(f"c{index}")
            values.append(f"c{index}")
            columns.append(f"c{index} AS {identifier(name)}")
            continue
        text, value = f"c{index}", f"v{index}"
        # A sequence counts the markers as they are met: there is no other place in a COPY to count anything.
        null = f"CASE WHEN nextval('m{index}') IS NULL THEN {text} END"
        counted = f"CASE WHEN {text} IN {_MARKERS} THEN {null} ELSE {text} END"
        texts.append(f"{counted} AS {text}" if choice.markers else text)
        values.append(f"{text}, {choice.type.cast.format(text=text)} AS {value}")
        if choice.type.proof != "true":
            proofs.append(f"({text} IS NULL OR ({choice.type.proof.format(text=text, value=value)}))")
        columns.append(f"{value} AS {identifier(name)}")
    query = f"SELECT {', '.join(values)} FROM (SELECT {', '.join(texts)} FROM {table.relation})"
    query = f"SELECT {', '.join(columns)} FROM ({query})"
    if proofs:
        query += f" WHERE CASE WHEN {' AND '.join(proofs)} THEN true ELSE error({literal(_UNPROVEN)}) END"
    written = copy(connection, query, path, metadata)
    counts = dict(
        connection.execute("SELECT sequence_name, last_value + 1 FROM duckdb_sequences()").fetchall()
    )
    return Typed(
        written=written,
        markers=tuple(counts.get(f"m{index}") or 0 for index in range(len(choices))),
    )


def _ask(
    connection: duckdb.DuckDBPyConnection, table: TextTable, columns: Sequence[int]
) -> Iterator[tuple[int, _Choice]]:
    """Find for each of ``columns`` the first of its types that every value proves."""
    if not columns:
        return
    texts, values, results = [], [], []
    for index in columns:
        text = f"c{index}"
        texts.append(
            f"CASE WHEN {text} IN {_MARKERS} THEN NULL ELSE {text} END AS {text}, {text} AS r{index}"
        )
        values.append(f"{text}, r{index}")
        results += [f"count({text})", f"count(r{index})"]
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
        guess = table.guesses[index]
        count, with_markers = next(answers), next(answers)
        proven = {type_: next(answers) for type_ in guess.types}
        yield index, _Choice(_settle(guess, proven, count, table.fallback), with_markers > count)


def _settle(guess: Guess, proven: Mapping[Type, int], count: int, fallback: Type) -> Type:
    """Choose a type, given of how many of ``count`` values each is proven."""
    possible = [type_ for type_, times in proven.items() if times == count]
    if not possible or not count or (guess.exclusive and len(possible) > 1):
        return fallback
    if possible[0] is DOUBLE and BIGINT in proven and count - proven[BIGINT] < count * FLOAT_SHARE_MIN:
        return fallback
    return possible[0]
