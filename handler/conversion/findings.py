"""What the passes over an object found. A finding that refutes the plan is the reason for another pass."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

import duckdb

from conversion.model import MEBIBYTE, RECORD_BYTES_MAX
from conversion.refused import NO_REFUSALS, Refused
from conversion.roundtrip import Type

if TYPE_CHECKING:
    from conversion.json.shape import Shape

_LINE_BYTES = 1_000_000
"""The usual size of DuckDB's buffer for a record."""


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What the passes over an object found that its beginning does not show."""

    encoding: str | None = None
    """The encoding, if the beginning suggests another one."""
    arrays_in_lines: bool = False
    """It begins with a JSON array, and another one follows on a later line."""
    long_records: bool = False
    """A record is longer than DuckDB's usual buffer."""
    one_value: bool = False
    """It begins like an object that wraps an array of rows, but that object is itself a row."""
    strictly: bool = False
    """DuckDB refused text that seemed valid, or wrote another number of rows. So the lines and keys of JSON
    are counted, and delimited text is not read in parallel. That takes more memory, but DuckDB cannot read
    some values of several lines in parallel."""
    shape: "Shape | None" = None
    """The shape of all of its JSON objects."""
    refused: Refused = NO_REFUSALS
    """The rows that its contract does not accept."""
    types: Mapping[int, Type | None] = field(default_factory=dict)
    """The type of each column that refuted its type; None if the type is not known yet."""

    @property
    def line_bytes(self) -> int:
        """The size of DuckDB's buffer for a record. DuckDB's memory grows with it."""
        return RECORD_BYTES_MAX + MEBIBYTE if self.long_records else _LINE_BYTES

    def with_more(self, facts: Mapping[str, Any]) -> Self:
        """Add what another pass found."""
        found: Self = replace(self, **facts)
        return replace(found, types={**self.types, **found.types})


_REFUSALS = (duckdb.InvalidInputException, duckdb.NotImplementedException, duckdb.InternalException)
"""DuckDB's errors for text that it cannot read."""


@contextmanager
def read_strictly_after_errors(findings: Findings) -> Iterator[None]:
    """Turn DuckDB's refusal of a text into a RefutedError, unless the text was read strictly already.

    Raises:
        RefutedError: The text must be read strictly.
    """
    try:
        yield
    except _REFUSALS:
        if findings.strictly:
            raise
        raise RefutedError(strictly=True) from None


class RefutedError(Exception):
    """The object refutes its plan, so the plan must be revised and the object read again.

    ``facts`` are the new values of fields of Findings.
    """

    def __init__(self, **facts: Any) -> None:  # noqa: ANN401 - of the fields of Findings
        super().__init__(*facts)
        self.facts = facts
