"""Convert any tabular object to typed Parquet, with an account of every row.

Other packages use only the names in ``__all__``.
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
