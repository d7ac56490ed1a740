"""Convert any tabular object to typed Parquet, with an account of every row.

Other packages use only the names in ``__all__``. The modules are best read in this order:

- ``model``: the input, the results and the errors.
- ``loop``: makes passes over the object until its plan holds, then the account and the profile.
- ``source``: the object in blocks, with ``compression``, ``archive`` and ``workbook``.
- ``text``: one pass over text. ``formats`` detects the format, and ``decode`` the encoding.
- ``delimited``: from the dialect and the header (``layout``) to the valid records (``records``).
- ``json``: from the layout and the shape of the rows (``plan``) to the valid rows (``rows``).
- ``writer``: casts and checks each value. ``roundtrip`` has the types of text.
- ``parquet``: one pass over a Parquet upload.
- ``contract``: one pass over an object that has a data contract.
- ``published``, ``names`` and ``output``: the types and names that every engine reads, and the file.
- ``budget``, ``engine`` and ``pipe``: the limits, DuckDB, and the way into DuckDB.
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
