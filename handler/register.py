"""The register of a key, an item of the job table: which version is current, and which job makes the outputs.

S3 decides, not the order of the events. A delivery reads the register, asks S3 which version is current, and
writes the answer on condition that the register has not changed since. So S3 was asked for each answer after
the previous answer was written, and the last answer is as new as the last event. An answer that changes
nothing is written too: it makes the write of a delivery fail that asked S3 earlier.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Self, TypeVar

from dynamo import ConditionFailedError, Table
from faults import DeliveryError
from job_records import job_id

_ROUNDS = 5


class State(StrEnum):
    """What the outputs of a key must be."""

    CURRENT = "current"
    """The version is current: the outputs are those of this version."""
    WITHDRAWN = "withdrawn"
    """There is no current version: nothing is published."""
    EXPIRED = "expired"
    """A lifecycle rule has expired the version: its outputs stay."""


class ContendedError(DeliveryError):
    """Other deliveries changed the register before each attempt to write it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Holding:
    """The content of a register."""

    version_id: str
    """The current version, or the last one that was current; empty if there was none."""
    state: State
    holder: str
    """The id of the job that makes the outputs."""
    generation: int
    """The number of changes of the version, the state or the holder. Each file names it, so that no two
    generations publish the same bytes."""
    since: int
    """The generation in which the version became current. Outputs of an earlier one may be incomplete, as
    they were being withdrawn or replaced."""
    revision: int
    """The number of writes."""
    withdrawn: str = ""
    """In the state WITHDRAWN, the id of the job whose outputs are withdrawn."""

    @classmethod
    def of(cls, item: Mapping[str, Any], bucket: str, key: str) -> Self | None:
        """Read the table's item; return None if there is none.

        Programs before 1.1 wrote only the version.
        """
        if not item:
            return None
        return cls(
            version_id=item["version_id"],
            state=State(item.get("state", State.CURRENT)),
            holder=item.get("holder") or job_id(bucket, key, item["version_id"]),
            generation=int(item.get("generation", 0)),
            since=int(item.get("since", 0)),
            revision=int(item.get("revision", 0)),
            withdrawn=item.get("withdrawn", ""),
        )

    def is_work_of(self, other: "Holding | None") -> bool:
        """Return whether the other content means the same outputs, made by the same job."""
        return other is not None and self._work == other._work  # noqa: SLF001 - of the same class

    @property
    def _work(self) -> tuple[str, str, int, bool]:
        return self.version_id, self.holder, self.generation, self.state is State.WITHDRAWN


def register_id(bucket: str, key: str) -> str:
    """Return the id of the register's item, which has no status and so is not in the index of jobs."""
    return "latest#" + hashlib.sha256(f"{bucket}\0{key}".encode()).hexdigest()[:32]


_Following = TypeVar("_Following", bound=Holding | None)


class Register:
    """The register of one key."""

    def __init__(self, table: Table, bucket: str, key: str) -> None:
        self._table = table
        self._id = register_id(bucket, key)
        self._bucket = bucket
        self._key = key

    def read(self) -> Holding | None:
        """Return the content of the register; None if no event of the key was handled yet."""
        return Holding.of(self._table.get(self._id), self._bucket, self._key)

    def update(
        self, advance: Callable[[Holding | None], _Following], seen: Holding | None
    ) -> tuple[Holding | None, _Following]:
        """Write what `advance` returns, and return the content before and after.

        Args:
            advance: Asks S3, and returns the content that follows the one given; None to write nothing.
            seen: The content to start from. None need not have been read: if the register exists, the write
                fails and returns its content.

        Raises:
            ContendedError: Other deliveries kept changing the register.
        """
        for _ in range(_ROUNDS):
            following = advance(seen)
            if following is None:
                return seen, following
            try:
                self._write(following, seen)
            except ConditionFailedError as conflict:
                seen = Holding.of(conflict.item, self._bucket, self._key)
            else:
                return seen, following
        raise ContendedError("the current version of the key kept changing")

    def _write(self, following: Holding, seen: Holding | None) -> None:
        condition, values = "attribute_not_exists(#job_id)", {}
        if seen and seen.revision:
            condition, values = "#revision = :seen", {"seen": seen.revision}
        elif seen:  # Written by a program before 1.1.
            condition = "attribute_exists(#job_id) AND attribute_not_exists(#revision)"
        self._table.update(
            self._id,
            assign={
                "input_path": self._key,
                "version_id": following.version_id,
                "state": following.state.value,
                "holder": following.holder,
                "generation": following.generation,
                "since": following.since,
                "revision": following.revision,
                "withdrawn": following.withdrawn,
            },
            condition=condition,
            values=values,
        )

    def still_has(self, holding: Holding) -> bool:
        """Return whether the register still means these outputs, made by the same job."""
        return holding.is_work_of(self.read())


def taken(seen: Holding | None, version_id: str, job_id: str) -> Holding:
    """Return the next content if a version is current and the job makes its outputs."""
    following = _first(version_id, State.CURRENT, job_id)
    if seen is None:
        return following
    following = _next(seen, following)
    if seen.version_id == version_id and seen.state is not State.WITHDRAWN:
        return replace(following, since=seen.since)
    return following


def confirmed(seen: Holding, state: State) -> Holding:
    """Return the next content if the outputs, and the job that makes them, stay the same."""
    return replace(seen, state=state, revision=seen.revision + 1)


def withdrawn(seen: Holding | None, job_id: str) -> Holding:
    """Return the next content if no version is current, and the job withdraws the outputs."""
    if seen is None:
        return _first("", State.WITHDRAWN, job_id)
    following = _next(seen, _first(seen.version_id, State.WITHDRAWN, job_id))
    return replace(following, withdrawn=seen.withdrawn if seen.state is State.WITHDRAWN else seen.holder)


def _first(version_id: str, state: State, job_id: str) -> Holding:
    return Holding(version_id=version_id, state=state, holder=job_id, generation=1, since=1, revision=1)


def _next(seen: Holding, following: Holding) -> Holding:
    """Return the content with the generation of the one before if the work is the same, else the next."""
    same = replace(following, generation=seen.generation, since=seen.since, revision=seen.revision + 1)
    if same.is_work_of(seen):
        return same
    generation = seen.generation + 1
    return replace(same, generation=generation, since=generation)
