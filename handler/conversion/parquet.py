"""Parquet, rewritten to our layout, in types and under names that every engine reads."""

from pathlib import Path

import duckdb

from conversion.engine import identifier, literal
from conversion.names import column_names
from conversion.published import Published, conditions, published
from conversion.typed import Typed
from conversion.work import Result, Work


def convert(work: Work) -> Result:
    """Write the object, whose rows are what its footer says there are, anew."""
    work.spool.spool()
    connection, path = work.writer.connection, work.spool.path
    query = f"SELECT num_rows FROM parquet_file_metadata({literal(str(path))})"
    work.count(connection.execute(query).fetchall()[0][0])
    sources = _names(connection, path)
    names = column_names(sources)
    columns = _columns(connection, path, names)
    written = work.writer.rewrite(_table(path), "parquet", "binary", names, sources, columns)
    typed = Typed(written, types=(), published=columns, markers=(0,) * len(sources))
    return Result("parquet", "binary", sources, typed)


def _table(path: Path) -> str:
    return f"read_parquet({literal(str(path))})"


def _names(connection: duckdb.DuckDBPyConnection, path: Path) -> list[str]:
    """Give the columns' names as the file has them: the engine numbers those that are not unique to it."""
    rows = connection.execute(
        f"SELECT name, coalesce(num_children, 0) FROM parquet_schema({literal(str(path))})"
    ).fetchall()
    names, left = [], list[int]()
    for name, children in rows:
        while left and not left[-1]:
            left.pop()
        if left:
            left[-1] -= 1
        if len(left) == 1:
            names.append(name)
        left.append(children)
    return names


def _columns(
    connection: duckdb.DuckDBPyConnection, path: Path, names: tuple[str, ...]
) -> tuple[Published, ...]:
    """Say how each column is published: that takes a pass over those whose types depend on their values."""
    relation = connection.sql(f"FROM {_table(path)}")
    values = [
        (identifier(column), type_) for column, type_ in zip(relation.columns, relation.types, strict=True)
    ]
    asked = [conditions(value, type_) for value, type_ in values]
    answers = iter(())
    if any(asked):
        parts = (f"coalesce(bool_and({condition}), true)" for some in asked for condition in some)
        answers = iter(connection.execute(f"SELECT {', '.join(parts)} FROM {_table(path)}").fetchall()[0])
    return tuple(
        published(name, value, type_, [next(answers) for _ in some])
        for name, (value, type_), some in zip(names, values, asked, strict=True)
    )
