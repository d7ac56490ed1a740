"""Job records: one for each event of an object, with a lease that lets one delivery at a time work on it."""

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
"""Added to each lease. Lambda ends a function at its timeout, so no function works after its lease ran out.
The margin is for clocks that differ, and for a request that was in flight when the function was ended."""


class Status(StrEnum):
    """The status of a job."""

    STARTED = "STARTED"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"
    SUPERSEDED = "SUPERSEDED"
    WITHDRAWN = "WITHDRAWN"


class LeasedError(DeliveryError):
    """Another delivery holds the job's lease. SQS must keep this message in case that delivery dies."""


class LeaseLostError(DeliveryError):
    """Another delivery has taken over the job's lease."""


class WithdrawnError(Exception):
    """The upload was deleted before the job ended: the job must withdraw its outputs."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """One delivery of a message."""

    owner: str
    """Unique to this delivery."""
    last: bool
    """Whether SQS moves the message to the dead-letter queue if this delivery fails."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """The lease of a job, held by this delivery."""

    job_id: str
    owner: str
    first: bool
    """Whether the job had no record, so that no earlier attempt can have published anything."""
    outcome: Status | None
    """How the job ended before, if it read the whole object then."""
    generation: int
    """The register's generation in which it ended so; 0 if it did not."""


def job_id(bucket: str, key: str, version_id: str) -> str:
    """Return the id of an object version's job: 32 hexadecimal digits, the same for every delivery."""
    return _digest(bucket, key, version_id)


def deletion_job_id(bucket: str, key: str, version_id: str, kind: str, sequencer: str) -> str:
    """Return the id of the job that handles the deletion of a version or the creation of a delete marker."""
    return _digest(bucket, key, version_id, kind, sequencer)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


class Jobs:
    """The job records of a table."""

    _PATHS = ("output_path", "rejected_path", "profile_path")
    _RESULTS = (
        *_PATHS,
        *("etag", "bytes_in", "bytes_out", "rows_in", "rows_out", "rows_rejected", "column_count", "format"),
        *("encoding", "compression", "header", "dataset", "contract_version", "rules_broken"),
        *("duration_ms", "error", "outcome", "generation", "withdrawn_at", "withdrawn_by"),
    )

    def __init__(self, table: Table, clock: Callable[[], float], retention_days: int) -> None:
        """Use the table's job records.

        Args:
            table: The job table.
            clock: Returns the time in seconds since the epoch.
            retention_days: Days after its last change until a record expires; 0 keeps it for ever.
        """
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
        """Take the job's lease, or return None if the job is done.

        The lease can be taken in three cases: the job has no record; its record is not final and the lease
        has run out; its record is final and this is a newer replay. A replay is done when a newer one has
        begun, because the newer one's message does the work. The results in a final record stay until the job
        ends again.

        On the last delivery, the record says FAILED until the work is done. If the function is killed, the
        dead letter then has a FAILED job.

        Args:
            identity: The job's id.
            delivery: The delivery that claims the job.
            lease_seconds: The time that the function has left.
            replay_id: The id of the replay; None if this is not a replay.
            listed: Whether the index lists the job before it has ended.
            facts: Attributes that the record has from the start.

        Raises:
            LeasedError: Another delivery holds the lease.
        """
        now = self._clock()
        claimable = "#status = :started OR #retryable = :true"
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
            unknown = "attribute_not_exists(#replay_id)"
            claimable = (
                f"({claimable} OR {unknown} OR #replay_id < :replay_id)"
                f" AND ({unknown} OR #replay_id <= :replay_id)"
            )
            values["replay_id"] = assign["replay_id"] = replay_id
        if delivery.last:
            assign |= {"status": Status.FAILED.value, "error": "the last delivery did not finish"}
        try:
            before = self._table.update(
                identity,
                assign=assign,
                count="attempts",
                remove=() if self._retention_seconds else ("expires_at",),
                condition=f"attribute_not_exists(#job_id) OR (#lease_until < :now AND ({claimable}))",
                values=values,
            )
        except ConditionFailedError as conflict:
            held = conflict.item
            superseded = replay_id is not None and held.get("replay_id", "") > replay_id
            if superseded or held["lease_until"] <= 0:
                return None
            if held.get("owner") != delivery.owner:
                raise LeasedError(f"job {identity}: another delivery holds its lease") from None
            # This delivery's own claim, by a request whose response was lost. What there was before it is
            # not known.
            before = held
        outcome = before.get("outcome")
        return Claim(
            job_id=identity,
            owner=delivery.owner,
            first=not before,
            outcome=Status(outcome) if outcome else None,
            generation=int(before.get("generation", 0)),
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
        """Write the job's final status and results.

        Args:
            claim: The job.
            status: How it ended.
            results: Attributes of the record. Results of an earlier end that are not among them are removed.
            generation: The register's generation that the job made the outputs of, if it made any.
            conclusive: Whether the job has read the whole version. A replay that cannot read the version
                then keeps this status.
            listed: Whether the index lists the job.

        Raises:
            LeaseLostError: Another delivery has taken over the job.
            WithdrawnError: The outputs of the generation were withdrawn meanwhile.
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
        """End a replay that could not read the object: keep the earlier status and results.

        Raises:
            LeaseLostError: Another delivery has taken over the job.
            WithdrawnError: The outputs of the generation were withdrawn meanwhile.
        """
        now = self._clock()
        final = {"status": status.value, "timestamp": now, "retryable": False, **self._expiry(now)}
        self._release(claim, {**results, **final}, generation=generation)

    def withdraw(self, identity: str, generation: int, by: str) -> bool:
        """Set a job's status to WITHDRAWN after its outputs were withdrawn.

        If the job has not ended yet, its record only gets a note. The job then withdraws its outputs itself.

        Args:
            identity: The job's id.
            generation: The register's generation in which the outputs were withdrawn. A job of a later
                generation is left as it is.
            by: The delivery that withdrew them.

        Returns:
            Whether this delivery has changed the status.
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
                if not conflict.item.get("retryable"):  # There is no record, or it is final.
                    # The record names this delivery if the response to its request was lost.
                    return conflict.item.get("withdrawn_by") == by
                if self._note_withdrawal(identity, conflict.item, generation):
                    return False
            else:
                return True
        raise DeliveryError(f"job {identity}: other deliveries kept changing its record")

    def _note_withdrawal(self, identity: str, seen: Mapping[str, Any], generation: int) -> bool:
        """Note the withdrawal in a record that is not final; return False if the record has changed."""
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
        """Release the lease of an unfinished job; on the last delivery, set its status to FAILED.

        Raises:
            LeaseLostError: Another delivery has taken over the job.
        """
        status = {"status": Status.FAILED.value, "timestamp": self._clock()} if last else {}
        self._release(claim, {**status, "error": error[:TEXT_MAX]})

    def _expiry(self, now: float) -> Mapping[str, int]:
        """Return the attribute of the record's time to live, in whole seconds since the epoch."""
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
            # If this delivery owns the record and the lease is released, an earlier attempt of this request,
            # whose response was lost, has succeeded.
            if conflict.item.get("owner") != claim.owner:
                raise LeaseLostError(f"job {claim.job_id}: another delivery has taken it over") from None
            if conflict.item["lease_until"] > 0:
                raise WithdrawnError from None
