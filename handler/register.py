"""Which version of a key is current, and which job makes the outputs: one register per key in the job table.

S3 decides, not the order of the events. Whoever handles an event reads the register, asks S3 which version is
current, and writes the answer on condition that the register still is what was read. So each answer that is
written was asked for after the one before it, and the last one is as new as the last event. Even an answer
that changes nothing is written: it makes those fail who asked earlier and write later.
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
    """What becomes of a key's outputs."""

    CURRENT = "current"
    """The version is current: the outputs are made of it."""
    WITHDRAWN = "withdrawn"
    """There is no current version: nothing is published."""
    EXPIRED = "expired"
    """A lifecycle rule has ended the version: its outputs stay."""


class ContendedError(DeliveryError):
    """Others wrote the register each time this delivery was about to."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Holding:
    """What a register holds."""

    version_id: str
    """The version that is current, or was the last that was; empty when none ever was."""
    state: State
    holder: str
    """The job that makes the outputs of the state, or has made them."""
    generation: int
    """Counts the changes of version, state or holder: what is published names it, so that no two generations
    publish the same bytes."""
    revision: int
    """Counts the writes."""
    withdrawn: str = ""
    """In the state WITHDRAWN: the job whose outputs are withdrawn."""

    @classmethod
    def of(cls, item: Mapping[str, Any], bucket: str, key: str) -> Self | None:
        """Read the table's item; None where there is none.

        A program of before 1.1 wrote the version alone.
        """
        if not item:
            return None
        return cls(
            version_id=item["version_id"],
            state=State(item.get("state", State.CURRENT)),
            holder=item.get("holder") or job_id(bucket, key, item["version_id"]),
            generation=int(item.get("generation", 0)),
            revision=int(item.get("revision", 0)),
            withdrawn=item.get("withdrawn", ""),
        )

    def is_work_of(self, other: "Holding | None") -> bool:
        """Whether the other one has the same outputs, made by the same job."""
        return other is not None and self._work == other._work  # noqa: SLF001 - of its own class

    @property
    def _work(self) -> tuple[str, str, int, bool]:
        return self.version_id, self.holder, self.generation, self.state is State.WITHDRAWN


def register_id(bucket: str, key: str) -> str:
    """The register's item. It has neither status nor timestamp, and so is not in the index of jobs."""
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
        """Return what the register holds now; None when no event of the key was handled yet."""
        return Holding.of(self._table.get(self._id), self._bucket, self._key)

    def move(
        self, advance: Callable[[Holding | None], _Following], seen: Holding | None
    ) -> tuple[Holding | None, _Following]:
        """Write what `advance` gives, and return what there was before and what there is now.

        Args:
            advance: Asks S3, and gives what follows on what was seen; None leaves the register as it is.
            seen: What to try first. None is no more than a guess that the key is new: if it is not, what the
                register holds is seen then.

        Raises:
            ContendedError: to be tried again.
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
        elif seen:  # written by a program without revisions
            condition = "attribute_exists(#job_id) AND attribute_not_exists(#revision)"
        self._table.update(
            self._id,
            assign={
                "input_path": self._key,
                "version_id": following.version_id,
                "state": following.state.value,
                "holder": following.holder,
                "generation": following.generation,
                "revision": following.revision,
                "withdrawn": following.withdrawn,
            },
            condition=condition,
            values=values,
        )

    def still_has(self, holding: Holding) -> bool:
        """Whether the outputs still are to be those of the holding."""
        return holding.is_work_of(self.read())


def taken(seen: Holding | None, version_id: str, job_id: str) -> Holding:
    """Return what follows when a version is current and the job makes its outputs."""
    following = Holding(
        version_id=version_id, state=State.CURRENT, holder=job_id, generation=1, revision=_next(seen)
    )
    return _counted(seen, following)


def confirmed(seen: Holding, state: State) -> Holding:
    """Return what follows when the outputs, and the job that makes them, stay as they are."""
    return Holding(
        version_id=seen.version_id,
        state=state,
        holder=seen.holder,
        generation=seen.generation,
        revision=_next(seen),
        withdrawn=seen.withdrawn,
    )


def withdrawn(seen: Holding | None, job_id: str) -> Holding:
    """Return what follows when there is no current version, and the job withdraws what was published."""
    whose = "" if seen is None else seen.withdrawn if seen.state is State.WITHDRAWN else seen.holder
    following = Holding(
        version_id=seen.version_id if seen else "",
        state=State.WITHDRAWN,
        holder=job_id,
        generation=1,
        revision=_next(seen),
        withdrawn=whose,
    )
    return _counted(seen, following)


def _next(seen: Holding | None) -> int:
    return 1 + (seen.revision if seen else 0)


def _counted(seen: Holding | None, following: Holding) -> Holding:
    """Give it the generation of what was seen if it is the same, else the next one."""
    if seen is None:
        return following
    same = replace(following, generation=seen.generation)
    return same if same.is_work_of(seen) else replace(following, generation=seen.generation + 1)
