"""The SQL expressions that a contract's rules may use.

A rule runs in the function's DuckDB, over the columns of one row. It may contain only the expressions listed
here, so no subquery, file function, clock, random number or aggregate.
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime

import sqlglot
from sqlglot import expressions as sql
from sqlglot.errors import SqlglotError

from components.contracts import rule_engine

EXPRESSION_LENGTH_MAX = 4_096
NESTING_MAX = 50

_OPERATORS = (
    sql.And, sql.Or, sql.Not, sql.Xor, sql.Paren, sql.EQ, sql.NEQ, sql.LT, sql.LTE, sql.GT, sql.GTE, sql.Is,
    sql.Between, sql.In, sql.Like, sql.ILike, sql.Add, sql.Sub, sql.Mul, sql.Div, sql.IntDiv, sql.Mod,
    sql.Neg, sql.DPipe, sql.Case, sql.If, sql.Cast, sql.TryCast, sql.NullSafeEQ, sql.NullSafeNEQ,
)  # fmt: skip
_PARTS = (sql.Column, sql.Identifier, sql.Literal, sql.Boolean, sql.Null, sql.DataType, sql.DataTypeParam)
_FUNCTIONS = (
    sql.Abs, sql.Ceil, sql.Coalesce, sql.Concat, sql.Floor, sql.Greatest, sql.Least, sql.Length, sql.Lower,
    sql.Nullif, sql.RegexpLike, sql.RegexpFullMatch, sql.Replace, sql.Round, sql.Sign,
    sql.StartsWith, sql.EndsWith, sql.StrPosition, sql.Substring, sql.Trim, sql.Upper,
    sql.Extract, sql.Var, sql.Contains,
)  # fmt: skip
_ALLOWED = frozenset((*_OPERATORS, *_PARTS, *_FUNCTIONS))
_CAST_TYPES = frozenset(
    sql.DataType.Type[name]
    for name in (
        "BIGINT",
        "BOOLEAN",
        "DATE",
        "DECIMAL",
        "DOUBLE",
        "INT",
        "TEXT",
        "TIMESTAMP",
        "TIMESTAMPNTZ",
        "VARCHAR",
    )
)
_MOMENTS = frozenset(sql.DataType.Type[name] for name in ("DATE", "TIMESTAMP", "TIMESTAMPNTZ"))
_DATE_PARTS = frozenset({"YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "DOW", "DOY", "HOUR", "MINUTE", "SECOND"})


def parse(expression: str, columns: Mapping[str, str]) -> str:
    """Return the expression as DuckDB SQL, with every column quoted.

    Args:
        expression: The contract's expression, in DuckDB's dialect.
        columns: The columns that it may use, each with its DuckDB type.

    Raises:
        ValueError: The expression is not allowed. The message says what to change.
    """
    if len(expression) > EXPRESSION_LENGTH_MAX:
        raise ValueError(f"must be up to {EXPRESSION_LENGTH_MAX} characters, got {len(expression)}")
    try:
        # A statement would begin with a keyword, such as LOAD, which may also be a column's name.
        tree = sqlglot.parse_one(expression, into=sql.Condition, dialect="duckdb")
    except (SqlglotError, RecursionError):
        raise ValueError(
            f"must be an SQL expression over the columns of one row, got {expression!r}"
        ) from None
    for problem in _problems(tree, columns):
        raise ValueError(f"{problem} in {expression!r}")
    if problem := rule_engine.problem_of(tree, columns):
        raise ValueError(f"{problem} in {expression!r}")
    return tree.sql(dialect="duckdb", identify=True, comments=False)


def _problems(tree: sql.Expr, columns: Collection[str]) -> Iterator[str]:
    for node in tree.walk():
        if type(node) not in _ALLOWED:
            words = node.name if isinstance(node, sql.Anonymous) else type(node).__name__
            yield f"must use comparisons, arithmetic, CASE and the functions that are listed, got {words!r}"
        elif isinstance(node, sql.Column) and (node.table or node.name not in columns):
            yield f"must name columns of the contract ({', '.join(columns)}), got {node.sql()!r}"
        elif isinstance(node, sql.DataType) and node.this not in _CAST_TYPES:
            yield f"must cast to a type that a column may have, got {node.sql()!r}"
        elif isinstance(node, sql.Var) and node.name.upper() not in _DATE_PARTS:
            yield f"must extract one of {', '.join(sorted(_DATE_PARTS))}, got {node.name!r}"
        elif isinstance(node, sql.Cast) and _is_no_moment(node):
            yield f"must write dates as in ISO 8601, such as DATE '2026-01-31', got {node.sql()!r}"
        elif node.depth > NESTING_MAX:
            yield f"must be nested up to {NESTING_MAX} deep, got more"


def _is_no_moment(cast: sql.Cast) -> bool:
    """Tell whether a literal that is cast to a date or timestamp is not in ISO 8601, such as `now`."""
    if not isinstance(cast.this, sql.Literal) or cast.to.this not in _MOMENTS:
        return False
    try:
        datetime.fromisoformat(cast.this.name)
    except ValueError:
        return True
    return False
