"""The plan for text, made from its beginning and from what earlier passes found."""

from collections.abc import Callable
from dataclasses import dataclass

from conversion.delimited.records import Records
from conversion.json.rows import Rows
from conversion.roundtrip import Guess


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How one pass reads a text object.

    Attributes:
        format: The name of the format in the job record.
        reader: Yields the valid records of the object, and rejects the others.
        relation: SQL that reads the columns c0, c1 ... of those records from the pipe, for a FROM clause.
        names: The published names of the columns.
        sources: Their names in the source.
        guesses: The possible types of each column.
        markers: Whether null markers are null.
        note: Describes the values of a text column, by its index.
    """

    format: str
    reader: Records | Rows
    relation: str
    names: tuple[str, ...]
    sources: tuple[str, ...]
    guesses: tuple[Guess, ...]
    markers: bool = True
    note: Callable[[int], str | None] = lambda _: None
