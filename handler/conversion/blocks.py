"""Read a file in blocks that end where lines end."""

from collections.abc import Iterator
from pathlib import Path

from conversion.budget import Budget
from conversion.model import BLOCK_BYTES, MEBIBYTE

RECORD_BYTES_MAX = 16 * MEBIBYTE
"""The longest record that is read."""


def blocks_of_lines(path: Path, budget: Budget) -> Iterator[bytes]:
    """Yield the file; no block is larger than BLOCK_BYTES and the longest record."""
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            budget.check()
            yield block if block.endswith(b"\n") else block + file.readline(RECORD_BYTES_MAX)
