"""Turn any tabular object into typed Parquet, with an account of every row.

The only names for use from outside are those in ``__all__``.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO

from conversion.budget import largest_object_bytes
from conversion.model import (
    Account,
    Column,
    Conversion,
    DeadlineExceededError,
    EmptyError,
    Limits,
    UnreadableError,
)
from conversion.pipeline import convert_object

__all__ = [
    "Account",
    "Column",
    "Conversion",
    "DeadlineExceededError",
    "EmptyError",
    "Limits",
    "UnreadableError",
    "convert",
    "largest_object_bytes",
]


def convert(
    source: BinaryIO,
    *,
    reopen: Callable[[], BinaryIO],
    key: str,
    size: int,
    workdir: Path,
    limits: Limits,
    provenance: Mapping[str, str],
) -> AbstractContextManager[Conversion]:
    """Convert the object that ``source`` reads (``size`` bytes, named ``key``) into files in ``workdir``.

    As a context it gives the conversion, whose profile may still be in the making; its end waits for that.

    ``reopen`` opens the object anew, for a second reading if one is needed; what it opens is closed here, and
    what it raises is raised here. ``workdir`` is a fresh, empty directory. What is written is a pure
    function of the bytes, the key, the provenance (which goes into the Parquet's metadata) and the limits.

    Entering it raises UnreadableError, EmptyError or DeadlineExceededError, and nothing else that depends on
    the bytes.
    """
    return convert_object(
        source,
        reopen=reopen,
        key=key,
        size=size,
        workdir=workdir,
        limits=limits,
        provenance=provenance,
    )
