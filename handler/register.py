"""Which version of a key is the newest: one register per key in the job table, moved by conditional writes.

S3's sequencers order the events of one key. Where they cannot decide (an event without one, two alike, a
newer version that was deleted for good), S3's own answer does: the current version is the newest. It is asked
between reading the register and moving it, and the move is made only if the register is still what was read:
whoever took it in between was uploaded later.
"""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from dynamo import ConditionFailedError, Table
from faults import DeliveryError

_ROUNDS = 5
_UNORDERED = "~"
"""Stands for an unknown sequencer; greater than any, so that S3 is asked."""


class ContendedError(DeliveryError):
    """Others moved the register each time this delivery was about to."""


def register_id(bucket: str, key: str) -> str:
    """The register's item: it has neither status nor timestamp, and so is not in the index of jobs."""
    return "latest#" + hashlib.sha256(f"{bucket}\0{key}".encode()).hexdigest()[:32]


class Register:
    """The newest version taken of one key."""

    def __init__(self, table: Table, bucket: str, key: str) -> None:
        self._table = table
        self._id = register_id(bucket, key)
        self._key = key
        self.others = False
        """Whether the register had been taken before, so that there may be outputs to replace."""

    def take(self, version_id: str, sequencer: str | None, is_current: Callable[[], bool]) -> bool:
        """Make the version the newest, unless a newer one is.

        Args:
            version_id: the version.
            sequencer: of its event, padded.
            is_current: asks S3, now, whether it is the key's current version.

        Raises:
            ContendedError: to be tried again.
        """
        mine = {"version_id": version_id, "sequencer": sequencer or _UNORDERED, "input_path": self._key}
        if sequencer is not None:
            condition = (
                "attribute_not_exists(#job_id) OR #sequencer < :sequencer OR #version_id = :version_id"
            )
            try:
                before = self._table.update(
                    self._id,
                    assign=mine,
                    condition=condition,
                    values={"sequencer": sequencer, "version_id": version_id},
                )
            except ConditionFailedError as conflict:
                seen = conflict.item
            else:
                self.others = bool(before)
                return True
        else:
            seen = self._table.get(self._id)
        return self._take_as_current(mine, seen, is_current)

    def _take_as_current(
        self, mine: Mapping[str, str], seen: Mapping[str, Any], is_current: Callable[[], bool]
    ) -> bool:
        for _ in range(_ROUNDS):
            self.others = bool(seen)
            if seen.get("version_id") == mine["version_id"]:
                return True
            if not is_current():
                return False
            condition = "attribute_not_exists(#job_id)"
            values = {}
            if seen:
                condition = "#version_id = :seen_version AND #sequencer = :seen_sequencer"
                values = {"seen_version": seen["version_id"], "seen_sequencer": seen["sequencer"]}
            try:
                self._table.update(self._id, assign=mine, condition=condition, values=values)
            except ConditionFailedError as conflict:
                seen = conflict.item
            else:
                return True
        raise ContendedError("the order of the key's versions kept changing")

    def holds(self, version_id: str) -> bool:
        """Whether the version is still the newest taken."""
        return self._table.get(self._id).get("version_id") == version_id
