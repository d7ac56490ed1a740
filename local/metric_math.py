"""Metric math: the part of CloudWatch's expression language that the program's alarms and dashboard use.

An expression is evaluated for one point in time. As in CloudWatch, an operation on a missing value gives no
value, and FILL replaces a missing value.
"""

from __future__ import annotations

import ast
import operator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_OPERATORS: dict[type[ast.AST], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
}


def evaluate(expression: str, values: Mapping[str, float | None]) -> float | None:
    """Return the expression's value for the metrics' values, by id; None if a value is missing.

    Raises:
        ValueError: The expression uses an unsupported part of the language.
    """
    return _evaluate(ast.parse(expression, mode="eval").body, values)


def _evaluate(node: ast.expr, values: Mapping[str, float | None]) -> float | None:
    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Name(id=name) if name in values:
            return values[name]
        case ast.Call(func=ast.Name(id="FILL"), args=[filled, filling]):
            value = _evaluate(filled, values)
            return _evaluate(filling, values) if value is None else value
        case ast.Call(func=ast.Name(id="IF"), args=[condition, true, false]):
            held = _evaluate(condition, values)
            return None if held is None else _evaluate(true if held else false, values)
        case (
            ast.BinOp(left=left, op=op, right=right) | ast.Compare(left=left, ops=[op], comparators=[right])
        ) if type(op) in _OPERATORS:
            first, second = _evaluate(left, values), _evaluate(right, values)
            return None if first is None or second is None else float(_OPERATORS[type(op)](first, second))
        case _:
            raise ValueError(f"metric math: cannot evaluate {ast.unparse(node)!r}")
