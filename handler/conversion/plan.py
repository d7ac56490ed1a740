"""What a conversion does with an object: told from its beginning, and revised when the rest refutes it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol, Self

if TYPE_CHECKING:
    from conversion.budget import Budget
    from conversion.json.shape import Shape
    from conversion.refused import Refused
    from conversion.rejects import Rejects
    from conversion.roundtrip import Guess, Type


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What readings of an object have found that its beginning does not show."""

    encoding: str | None = None
    """The encoding, where the beginning suggests another one."""
    not_json: bool = False
    """It begins like JSON, and is none."""
    long_records: bool = False
    """A record is longer than the engine is told of unless it must be."""
    one_value: bool = False
    """It begins like an object that wraps an array of rows, and is a single row."""
    strictly: bool = False
    """DuckDB has raised an error for a line of JSON: lines and keys are to be counted."""
    shape: "Shape | None" = None
    """The shape of all of its JSON objects."""
    refused: "Refused | None" = None
    """Rows that its contract does not accept."""
    types: Mapping[int, "Type | None"] = field(default_factory=dict)
    """Columns not of the type that the beginning shows: their type, or None where it is not known."""

    def with_more(self, facts: Mapping[str, Any]) -> Self:
        """Add what another reading has found."""
        found: Self = replace(self, **facts)
        return replace(found, types={**self.types, **found.types})


class RefutedError(Exception):
    """The object is not what its plan says: the plan is to be revised, and the object read again.

    ``facts`` are the fields of Findings that say what it is instead.
    """

    def __init__(self, **facts: Any) -> None:  # noqa: ANN401 - of the fields of Findings
        super().__init__(*facts)
        self.facts = facts


@dataclass(frozen=True, kw_only=True)
class Table:
    """What the engine is to read and write.

    Attributes:
        relation: Gives SQL that reads the columns c0, c1 ... from a path (an SQL literal).
        names: The columns' names.
        sources: The same, in the source.
        guesses: What types each column may have.
        markers: Whether null markers stand for no value.
        notes: What a column looks like to its owner, by its index, where its type does not say so.
    """

    relation: Callable[[str], str]
    names: tuple[str, ...]
    sources: tuple[str, ...]
    guesses: tuple["Guess", ...]
    markers: bool = True
    notes: Mapping[int, str] = field(default_factory=dict)


class Reader(Protocol):
    """One reading of an object."""

    @property
    def rows(self) -> int:
        """Rows that were given to the engine so far, counted in their bytes."""
        ...

    @property
    def beside(self) -> int:
        """Rejected records that are no damaged rows."""
        ...

    @property
    def facts(self) -> Mapping[str, object]:
        """What the profile says of the layout."""
        ...

    def read(self, text: Iterable[bytes]) -> Iterator[bytes]:
        """Yield what the engine is to read of ``text``, and reject what it is not to read.

        Raises:
            RefutedError: The text is not what the plan says.
        """
        ...


class Plan(Protocol):
    """How an object of text is read, and what it is written as."""

    format: str

    @property
    def table(self) -> Table:
        """What the engine is to read and write."""
        ...

    def reader(self, rejects: "Rejects", budget: "Budget", *, mark_bytes: int) -> Reader:
        """Begin a reading."""
        ...
