"""Evaluate a rule once in DuckDB, the engine of the function, so that no rule fails there for every file."""

import re
from collections.abc import Mapping
from functools import cache

import duckdb
from sqlglot import expressions as sql

_SAMPLES = {"VARCHAR": "'x'", "BOOLEAN": "true", "DATE": "'2000-01-31'", "TIMESTAMP_MS": "'2000-01-31'"}
_NUMBER = re.compile(r"BIGINT|DOUBLE|DECIMAL\(\d+,\d+\)")


def problem_of(rule: sql.Expr, columns: Mapping[str, str]) -> str | None:
    """Return why DuckDB cannot evaluate a rule, or None if it can.

    In the function, every row would break a rule that compares a text with a number. So the rule is
    evaluated here, on one row. Its casts may fail, as they may in the function. All numbers of the row are
    zero, which cannot overflow. If that fails, none of them is zero, so that one can divide another.

    Args:
        rule: The parsed expression. It must be safe to run.
        columns: The DuckDB type of each column.
    """
    return _problem(rule, columns, are_zero=True) and _problem(rule, columns, are_zero=False)


def _problem(rule: sql.Expr, columns: Mapping[str, str], *, are_zero: bool) -> str | None:
    values = ", ".join(
        f"CAST({_sample(kind, 0 if are_zero else place)} AS {kind})"
        f" AS {sql.to_identifier(name, quoted=True).sql('duckdb')}"
        for place, (name, kind) in enumerate(columns.items(), 1)
    )
    try:
        evaluated = _connection().sql(f"SELECT {_with_try_casts(rule)} FROM (SELECT {values})")  # noqa: S608 - checked before
        kind = str(evaluated.types[0])
        evaluated.fetchall()
    except duckdb.Error as error:
        return f"must be a condition that DuckDB can evaluate ({str(error).splitlines()[0]})"
    if kind != "BOOLEAN":
        return f"must be true or false for a row, such as a comparison, got the type {kind}"
    return None


def type_of_remainder(kind: str, divisor: str) -> str:
    """Return the type in which DuckDB computes the remainder of a column of a type by a literal."""
    return str(_connection().sql(f"SELECT CAST(NULL AS {kind}) % {divisor}").types[0])


@cache
def _connection() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"threads": 1, "enable_external_access": False})


def _sample(kind: str, number: int) -> str:
    """Return SQL of a value of a type; a nested type has no expressions but IS NULL."""
    if not _NUMBER.fullmatch(kind):
        return _SAMPLES.get(kind, "NULL")
    # A decimal may have one digit, before or after the point.
    digit = (number - 1) % 9 + 1 if number else 0
    return f"coalesce(TRY_CAST({digit} AS {kind}), 0.{digit})"


def _with_try_casts(rule: sql.Expr) -> str:
    def tried(node: sql.Expr) -> sql.Expr:
        return sql.TryCast(this=node.this, to=node.args["to"]) if type(node) is sql.Cast else node

    return rule.transform(tried).sql(dialect="duckdb", identify=True, comments=False)
