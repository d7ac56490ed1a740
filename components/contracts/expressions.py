"""Rules on rows: which SQL expressions a contract may use.

A rule runs in the function's DuckDB, over the columns of one row. What it may contain is listed here, so that
nothing else can: no subquery, no file function, no clock, no random number, no aggregate.
"""

from collections.abc import Collection, Iterator

import sqlglot
from sqlglot import expressions as sql
from sqlglot.errors import SqlglotError

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
_PREDICATES = (
    sql.Predicate, sql.Connector, sql.Not, sql.Boolean, sql.RegexpLike, sql.RegexpFullMatch, sql.StartsWith,
    sql.EndsWith, sql.Contains, sql.Case,
)  # fmt: skip
_DATE_PARTS = frozenset({"YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "DOW", "DOY", "HOUR", "MINUTE", "SECOND"})


def parse(expression: str, columns: Collection[str]) -> str:
    """Return the expression in DuckDB's words, with every column quoted.

    Args:
        expression: What the contract says, in DuckDB's dialect.
        columns: Names that it may use.

    Raises:
        ValueError: What must be changed.
    """
    if len(expression) > EXPRESSION_LENGTH_MAX:
        raise ValueError(f"must be up to {EXPRESSION_LENGTH_MAX} characters, got {len(expression)}")
    try:
        statements = sqlglot.parse(expression, dialect="duckdb")
    except (SqlglotError, RecursionError):
        raise ValueError(
            f"must be an SQL expression over the columns of one row, got {expression!r}"
        ) from None
    tree = statements[0] if len(statements) == 1 else None
    if tree is None:
        raise ValueError(f"must be one SQL expression, got {expression!r}")
    for problem in _problems(tree, columns):
        raise ValueError(f"{problem} in {expression!r}")
    return tree.sql(dialect="duckdb", identify=True, comments=False)


def _problems(tree: sql.Expr, columns: Collection[str]) -> Iterator[str]:
    if not isinstance(tree.unnest(), _PREDICATES):
        yield f"must be true or false for a row, such as a comparison, got {tree.sql()!r}"
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
        elif node.depth > NESTING_MAX:
            yield f"must be nested up to {NESTING_MAX} deep, got more"
