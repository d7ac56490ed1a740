"""Job records: one per object version, and the lease by which one delivery at a time works on it."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from dynamo import ConditionFailedError, Table
from faults import TEXT_MAX, DeliveryError

LEASE_MARGIN_SECONDS = 60
"""Lambda ends a function at its timeout, so nobody is behind a lease that has run out; the margin is for
clocks that differ and for a request that was on its way when the function was ended."""


class Status(StrEnum):
    """What became of an object version."""

    STARTED = "STARTED"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"
    SUPERSEDED = "SUPERSEDED"


class LeasedError(DeliveryError):
    """Another delivery is at work on the job; this one may be the only message left if that one dies."""


class LeaseLostError(DeliveryError):
    """Another delivery has taken the job over."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """One attempt at what one message asks for."""

    owner: str
    """Unlike that of any other attempt."""
    last: bool
    """Whether no redelivery follows: a failure now leaves the message among the dead letters."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """A job that this delivery holds the lease of."""

    job_id: str
    owner: str
    first: bool
    """Whether no attempt was made before, so that there is nothing of one to find."""


def job_id(bucket: str, key: str, version_id: str) -> str:
    """The same 32 hex digits for the same object version, whatever its delivery."""
    return hashlib.sha256(f"{bucket}\0{key}\0{version_id}".encode()).hexdigest()[:32]


class Jobs:
    """The job records of a table."""

    _RESULTS = (
        *("output_path", "rejected_path", "profile_path", "bytes_in", "bytes_out", "rows_in", "rows_out"),
        *("rows_rejected", "columns", "column_count", "format", "encoding", "compression", "header"),
        "duration_ms",
    )

    def __init__(self, table: Table, clock: Callable[[], float]) -> None:
        self._table = table
        self._clock = clock

    def claim(
        self,
        identity: str,
        delivery: Delivery,
        *,
        lease_seconds: float,
        replay_id: str | None,
        facts: Mapping[str, Any],
    ) -> Claim | None:
        """Take the job's lease, or find that the job is done (None).

        A job is free when it has no record, or one that is not final and whose lease has run out, or a
        final one and this is a replay of it that has not been made yet. On the last delivery the record
        says FAILED until the work is done: even a killed function leaves it beside the dead letter.

        Raises:
            LeasedError: another delivery is at work on it.
        """
        now = self._clock()
        open_to_all = "#status = :started OR #retryable = :true"
        values: dict[str, Any] = {"now": now, "started": Status.STARTED.value, "true": True}
        assign = {
            **facts,
            "status": Status.STARTED.value,
            "timestamp": now,
            "owner": delivery.owner,
            "lease_until": now + lease_seconds + LEASE_MARGIN_SECONDS,
            "retryable": True,
        }
        if replay_id is not None:
            open_to_all += " OR attribute_not_exists(#replay_id) OR #replay_id < :replay_id"
            values["replay_id"] = assign["replay_id"] = replay_id
        if delivery.last:
            assign |= {"status": Status.FAILED.value, "error": "the last delivery did not finish"}
        try:
            before = self._table.update(
                identity,
                assign=assign,
                count="attempts",
                remove=self._RESULTS if delivery.last else (*self._RESULTS, "error"),
                condition=f"attribute_not_exists(#job_id) OR (#lease_until < :now AND ({open_to_all}))",
                values=values,
            )
        except ConditionFailedError as conflict:
            if conflict.item.get("owner") == delivery.owner and conflict.item["lease_until"] > 0:
                # Our own claim, by a request whose answer was lost: whether it was the first is not known.
                return Claim(job_id=identity, owner=delivery.owner, first=False)
            if conflict.item["lease_until"] > 0:
                raise LeasedError(f"job {identity}: another delivery is at work on it") from None
            return None
        return Claim(job_id=identity, owner=delivery.owner, first=not before)

    def finish(self, claim: Claim, status: Status, results: Mapping[str, Any]) -> None:
        """Make the job's outcome final.

        Raises:
            LeaseLostError: the job is no longer this delivery's.
        """
        self._release(
            claim, {**results, "status": status.value, "timestamp": self._clock(), "retryable": False}
        )

    def give_up(self, claim: Claim, error: str, *, last: bool) -> None:
        """Leave the job to the next delivery at once; on the last one, as FAILED until somebody redrives it.

        Raises:
            LeaseLostError: the job is no longer this delivery's.
        """
        status = {"status": Status.FAILED.value, "timestamp": self._clock()} if last else {}
        self._release(claim, {**status, "error": error[:TEXT_MAX]})

    def _release(self, claim: Claim, assign: Mapping[str, Any]) -> None:
        try:
            self._table.update(
                claim.job_id,
                assign={**assign, "lease_until": 0},
                remove=() if "error" in assign else ("error",),
                condition="#owner = :owner AND #lease_until > :free",
                values={"owner": claim.owner, "free": 0},
            )
        except ConditionFailedError as conflict:
            # A request whose answer was lost has done it when the record is ours and released.
            if conflict.item.get("owner") != claim.owner:
                raise LeaseLostError(f"job {claim.job_id}: another delivery has taken it over") from None
