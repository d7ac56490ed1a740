"""Job records: one for each event of an object, and the lease by which one delivery at a time works on it."""

import hashlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from dynamo import ConditionFailedError, Table
from faults import TEXT_MAX, DeliveryError

_DAY_SECONDS = 24 * 60 * 60
_ROUNDS = 5
LEASE_MARGIN_SECONDS = 60
"""Lambda ends a function at its timeout, so nobody works under a lease that has run out. The margin is for
clocks that differ, and for a request that was on its way when the function was ended."""


class Status(StrEnum):
    """What became of an object version."""

    STARTED = "STARTED"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"
    SUPERSEDED = "SUPERSEDED"
    WITHDRAWN = "WITHDRAWN"


class LeasedError(DeliveryError):
    """Another delivery is at work on the job; this one may be the only message left if that one dies."""


class LeaseLostError(DeliveryError):
    """Another delivery has taken the job over."""


class WithdrawnError(Exception):
    """The upload was deleted while the job was about to end: its outputs are to be withdrawn."""


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
    outcome: Status | None
    """How the job ended before, by reading the object, if this is a replay of it."""


def job_id(bucket: str, key: str, version_id: str) -> str:
    """Return the id of an object version's job: the same 32 hex digits whatever the delivery."""
    return _digest(bucket, key, version_id)


def deletion_job_id(bucket: str, key: str, version_id: str, kind: str, sequencer: str) -> str:
    """Return the id of a deletion's job: that of this kind, of the version or the delete marker."""
    return _digest(bucket, key, version_id, kind, sequencer)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


class Jobs:
    """The job records of a table."""

    _PATHS = ("output_path", "rejected_path", "profile_path")
    _RESULTS = (
        *_PATHS,
        *("etag", "bytes_in", "bytes_out", "rows_in", "rows_out", "rows_rejected", "column_count", "format"),
        *("dataset", "contract_version", "rules_broken"),
        *(
            "encoding",
            "compression",
            "header",
            "duration_ms",
            "error",
            "outcome",
            "generation",
            "withdrawn_at",
            "withdrawn_by",
        ),
    )

    def __init__(self, table: Table, clock: Callable[[], float], retention_days: int) -> None:
        """Work on the table's job records, which expire so many days after their last change (0: never)."""
        self._table = table
        self._clock = clock
        self._retention_seconds = retention_days * _DAY_SECONDS

    def claim(
        self,
        identity: str,
        delivery: Delivery,
        *,
        lease_seconds: float,
        replay_id: str | None,
        listed: bool,
        facts: Mapping[str, Any],
    ) -> Claim | None:
        """Take the job's lease, or find that the job is done (None).

        A job is free when it has no record, or one that is not final and whose lease has run out, or a
        final one and this is a replay of it that has not been made yet. What a final record says of its
        results stays until the job ends anew. On the last delivery the record says FAILED until the work is
        done: even a killed function leaves it beside the dead letter.

        Args:
            identity: the job's id.
            delivery: who claims it.
            lease_seconds: the time that the function has left.
            replay_id: of the replay, if this is one.
            listed: whether the index lists the job before it has ended.
            facts: what the record says from the start.

        Raises:
            LeasedError: another delivery is at work on it.
        """
        now = self._clock()
        open_to_all = "#status = :started OR #retryable = :true"
        values: dict[str, Any] = {"now": now, "started": Status.STARTED.value, "true": True}
        assign = {
            **facts,
            "status": Status.STARTED.value,
            "owner": delivery.owner,
            "lease_until": now + lease_seconds + LEASE_MARGIN_SECONDS,
            "retryable": True,
            **self._expiry(now),
        }
        if listed or delivery.last:
            assign["timestamp"] = now
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
                remove=() if self._retention_seconds else ("expires_at",),
                condition=f"attribute_not_exists(#job_id) OR (#lease_until < :now AND ({open_to_all}))",
                values=values,
            )
        except ConditionFailedError as conflict:
            held = conflict.item
            if held["lease_until"] <= 0:
                return None
            if held.get("owner") != delivery.owner:
                raise LeasedError(f"job {identity}: another delivery is at work on it") from None
            # Our own claim, by a request whose answer was lost: whether it was the first is not known.
            before = held
        outcome = before.get("outcome")
        return Claim(
            job_id=identity,
            owner=delivery.owner,
            first=not before,
            outcome=Status(outcome) if outcome else None,
        )

    def finish(
        self,
        claim: Claim,
        status: Status,
        results: Mapping[str, Any],
        *,
        generation: int | None,
        conclusive: bool,
        listed: bool,
    ) -> None:
        """Make the job's outcome final.

        Args:
            claim: the job.
            status: how it ended.
            results: attributes of the record; all other results are removed.
            generation: the register's, if the job made the outputs of it.
            conclusive: whether the status is that of the whole version, which a replay may not take back
                without reading it.
            listed: whether the index is to list the job.

        Raises:
            LeaseLostError: the job is no longer this delivery's.
            WithdrawnError: the outputs of the generation were withdrawn meanwhile.
        """
        now = self._clock()
        final: dict[str, Any] = {"status": status.value, "retryable": False, **self._expiry(now)}
        if listed:
            final["timestamp"] = now
        if status is Status.WITHDRAWN:
            final["withdrawn_at"] = now
        if generation is not None:
            final["generation"] = generation
            if conclusive:
                final["outcome"] = status.value
        assign = {**results, **final}
        gone = [name for name in (*self._RESULTS, "timestamp") if name not in assign]
        self._release(claim, assign, gone, generation)

    def restore(
        self, claim: Claim, status: Status, results: Mapping[str, Any], *, generation: int | None
    ) -> None:
        """End a replay that could not read the object: the status of before stands, and its results.

        Raises:
            LeaseLostError: the job is no longer this delivery's.
            WithdrawnError: the outputs of the generation were withdrawn meanwhile.
        """
        now = self._clock()
        final = {"status": status.value, "timestamp": now, "retryable": False, **self._expiry(now)}
        self._release(claim, {**results, **final}, generation=generation)

    def withdraw(self, identity: str, generation: int, by: str) -> bool:
        """Let a job's record say WITHDRAWN, once its outputs are withdrawn.

        A job that has not ended yet only learns of it: it withdraws what it published, and says so itself.

        Args:
            identity: the job's id.
            generation: the register's, since when the outputs are withdrawn. What was made for a later one
                is not concerned.
            by: the delivery that withdrew them.

        Returns:
            whether this delivery has changed the status.
        """
        for _ in range(_ROUNDS):
            now = self._clock()
            final = {"status": Status.WITHDRAWN.value, "timestamp": now, "withdrawn_at": now}
            try:
                self._table.update(
                    identity,
                    assign={**final, "withdrawn_by": by, **self._expiry(now)},
                    remove=(*self._PATHS, "outcome"),
                    condition="(#status = :completed OR #status = :failed) AND #retryable = :false"
                    " AND (attribute_not_exists(#generation) OR #generation < :generation)",
                    values={
                        "completed": Status.COMPLETED.value,
                        "failed": Status.FAILED.value,
                        "false": False,
                        "generation": generation,
                    },
                )
            except ConditionFailedError as conflict:
                if not conflict.item.get("retryable"):  # there is no record, or it is final
                    # It names this delivery if the answer to its request was lost.
                    return conflict.item.get("withdrawn_by") == by
                if self._tell_of_withdrawal(identity, conflict.item, generation):
                    return False
            else:
                return True
        raise DeliveryError(f"job {identity}: its record kept changing")

    def _tell_of_withdrawal(self, identity: str, seen: Mapping[str, Any], generation: int) -> bool:
        """Note it in a record that is not final; False when the record has changed since it was seen."""
        try:
            self._table.update(
                identity,
                assign={"withdrawn_generation": generation},
                condition="#owner = :owner AND #retryable = :true",
                values={"owner": seen["owner"], "true": True},
            )
        except ConditionFailedError:
            return False
        return True

    def give_up(self, claim: Claim, error: str, *, last: bool) -> None:
        """Leave the job to the next delivery at once; on the last one, as FAILED until somebody redrives it.

        Raises:
            LeaseLostError: the job is no longer this delivery's.
        """
        status = {"status": Status.FAILED.value, "timestamp": self._clock()} if last else {}
        self._release(claim, {**status, "error": error[:TEXT_MAX]})

    def _expiry(self, now: float) -> Mapping[str, int]:
        """Return the time to live, which DynamoDB takes in whole seconds since the epoch."""
        return {"expires_at": int(now) + self._retention_seconds} if self._retention_seconds else {}

    def _release(
        self,
        claim: Claim,
        assign: Mapping[str, Any],
        remove: Collection[str] = (),
        generation: int | None = None,
    ) -> None:
        condition = "#owner = :owner AND #lease_until > :free"
        values: dict[str, Any] = {"owner": claim.owner, "free": 0}
        if generation is not None:
            condition += " AND (attribute_not_exists(#withdrawn_generation)"
            condition += " OR #withdrawn_generation < :generation)"
            values["generation"] = generation
        try:
            self._table.update(
                claim.job_id,
                assign={**assign, "lease_until": 0},
                remove=tuple(remove),
                condition=condition,
                values=values,
            )
        except ConditionFailedError as conflict:
            # A request whose answer was lost has done it when the record is ours and released.
            if conflict.item.get("owner") != claim.owner:
                raise LeaseLostError(f"job {claim.job_id}: another delivery has taken it over") from None
            if conflict.item["lease_until"] > 0:
                raise WithdrawnError from None
