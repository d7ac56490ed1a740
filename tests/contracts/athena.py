"""Values as Athena formats them."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any


def as_athena(value: Any) -> str | None:
    """Return a value as Athena formats it in results (Athena API reference, GetQueryResults)."""
    match value:
        case None:
            return None
        case bool():
            return str(value).lower()
        case datetime():
            return value.isoformat(" ", "milliseconds")
        case date():
            return value.isoformat()
        case Decimal():
            return format(value, "f")
        case dict():
            return "{" + ", ".join(f"{name}={_part(inner)}" for name, inner in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(_part, value)) + "]"
    return str(value)


def _part(value: Any) -> str:
    text = as_athena(value)
    return "null" if text is None else text
