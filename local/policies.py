"""Evaluation of IAM policy documents: Effect, Action, Resource, Principal and Condition of each statement.

moto evaluates actions and resources, but neither conditions nor policies of queues. The rules are in the IAM
User Guide, "Policy evaluation logic" and "IAM JSON policy elements: Condition operators".
"""

from __future__ import annotations

import enum
import functools
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Decision(enum.Enum):
    """The decision of a policy on a request; `NONE` leaves it to other policies, and denies by default."""

    ALLOW = "Allow"
    DENY = "Deny"
    NONE = "None"


@dataclass(frozen=True, kw_only=True)
class Request:
    """One call.

    Attributes:
        action: The action, such as `s3:GetObject`.
        resource: The resource's ARN.
        principals: All names of the caller that a policy may use: {"AWS": (...), "Service": (...)}.
        context: Values of condition keys.
    """

    action: str
    resource: str
    principals: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    context: Mapping[str, str] = field(default_factory=dict)


def evaluate(document: Mapping[str, Any], request: Request) -> Decision:
    """Evaluate one policy document: any matching Deny wins, then any matching Allow."""
    statements = [
        statement for statement in _listed(document.get("Statement")) if _applies(statement, request)
    ]
    effects = {statement["Effect"] for statement in statements}
    if "Deny" in effects:
        return Decision.DENY
    return Decision.ALLOW if "Allow" in effects else Decision.NONE


def _applies(statement: Mapping[str, Any], request: Request) -> bool:
    return (
        _matches_element(statement, "Action", request.action.lower(), str.lower)
        and _matches_element(statement, "Resource", request.resource)
        and _matches_principal(statement, request)
        and all(
            _condition_holds(operator, key, _listed(wanted), request.context)
            for operator, keys in statement.get("Condition", {}).items()
            for key, wanted in keys.items()
        )
    )


def _matches_element(
    statement: Mapping[str, Any], element: str, value: str, fold: Callable[[str], str] = str
) -> bool:
    if f"Not{element}" in statement:
        return not any(_like(fold(pattern), value) for pattern in _listed(statement[f"Not{element}"]))
    if element not in statement:  # a role's trust policy applies to the role
        return True
    return any(_like(fold(pattern), value) for pattern in _listed(statement[element]))


def _matches_principal(statement: Mapping[str, Any], request: Request) -> bool:
    if "NotPrincipal" in statement:
        return not _names_caller(statement["NotPrincipal"], request)
    # A policy of a user or role has no principal: it applies to that user or role.
    return "Principal" not in statement or _names_caller(statement["Principal"], request)


def _names_caller(principal: Any, request: Request) -> bool:  # noqa: ANN401 - JSON
    if principal == "*":
        return True
    return any(
        wanted == "*" or wanted in request.principals.get(kind, ())
        for kind, names in principal.items()
        for wanted in _listed(names)
    )


def _condition_holds(operator: str, key: str, wanted: list[Any], context: Mapping[str, str]) -> bool:
    if_exists = operator.endswith("IfExists")
    operator = operator.removesuffix("IfExists")
    value = next((known for name, known in context.items() if name.lower() == key.lower()), None)
    if operator == "Null":
        return any((value is None) == (str(expected).lower() == "true") for expected in wanted)
    negated = "Not" in operator
    if value is None:
        return if_exists or negated
    try:
        compare = _OPERATORS[operator.replace("Not", "")]
    except KeyError:
        raise NotImplementedError(
            f"condition operator {operator}: the embedded AWS supports {', '.join(sorted(_OPERATORS))}"
        ) from None
    return any(compare(_text(expected), value) for expected in wanted) != negated


def _like(pattern: str, value: str) -> bool:
    return _wildcards(pattern).fullmatch(value) is not None


@functools.lru_cache(maxsize=4096)
def _wildcards(pattern: str) -> re.Pattern[str]:
    translated = "".join({"*": ".*", "?": "."}.get(char, re.escape(char)) for char in pattern)
    return re.compile(translated, re.DOTALL)


def _listed(value: Any) -> list[Any]:  # noqa: ANN401 - JSON: one value or a list
    return value if isinstance(value, list) else [] if value is None else [value]


def _text(value: Any) -> str:  # noqa: ANN401 - JSON
    return str(value).lower() if isinstance(value, bool) else str(value)


_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "Bool": lambda wanted, value: wanted.lower() == value.lower(),
    "StringEquals": lambda wanted, value: wanted == value,
    "StringEqualsIgnoreCase": lambda wanted, value: wanted.lower() == value.lower(),
    "StringLike": _like,
    "ArnEquals": _like,
    "ArnLike": _like,
    "NumericEquals": lambda wanted, value: float(wanted) == float(value),
    "NumericLessThan": lambda wanted, value: float(value) < float(wanted),
    "NumericGreaterThan": lambda wanted, value: float(value) > float(wanted),
}
