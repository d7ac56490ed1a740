"""Turn any tabular object into typed Parquet, with an account of every row.

The only names for use from outside are those in ``__all__``.
"""

from conversion.budget import largest_object_bytes
from conversion.contract.reading import Assignment
from conversion.loop import convert
from conversion.model import (
    Account,
    Column,
    Conversion,
    DeadlineExceededError,
    EmptyError,
    Limits,
    UnreadableError,
)

__all__ = [
    "Account",
    "Assignment",
    "Column",
    "Conversion",
    "DeadlineExceededError",
    "EmptyError",
    "Limits",
    "UnreadableError",
    "convert",
    "largest_object_bytes",
]
