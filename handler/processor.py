"""The job of one event: claim it, handle the event, write the outcome, report it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dynamo import Table
from environment import Settings
from faults import TEXT_MAX, DeliveryError, describe
from invocation import Invocation
from job_records import Claim, Delivery, Jobs, LeaseLostError, WithdrawnError, deletion_job_id, job_id
from key_handler import KeyHandler, Services
from objects import Bucket
from outcome import Outcome
from register import Register
from s3_events import Kind, ObjectEvent
from telemetry import FinishedJob, logger, report
from uploads import Uploads


@dataclass(frozen=True, kw_only=True, slots=True)
class _Job:
    """The job of one event, claimed by one delivery."""

    event: ObjectEvent
    version_id: str
    claim: Claim
    handler: KeyHandler


class Processor:
    """Processes the events of one deployment."""

    def __init__(
        self, settings: Settings, uploads: Uploads, bucket: Bucket, table: Table, clock: Callable[[], float]
    ) -> None:
        self._settings = settings
        self._uploads = uploads
        self._table = table
        self._jobs = Jobs(table, clock, settings.job_retention_days)
        self._services = Services(settings=settings, uploads=uploads, bucket=bucket, jobs=self._jobs)
        self._clock = clock

    def process(self, event: ObjectEvent, delivery: Delivery, invocation: Invocation) -> None:
        """Run the event's job, unless it is done.

        Raises:
            DeliveryError: The delivery must be repeated: AWS failed, or another delivery holds the lease.
        """
        try:
            job = self._claim(event, delivery, invocation)
        except Exception as fault:  # noqa: BLE001  (no lease is held, so the next delivery starts from the beginning)
            raise _delivery_error(fault, event) from None
        if job is None:
            return
        started_at = self._clock()
        try:
            outcome = job.handler.handle()
            try:
                facts = self._finish(job, outcome, started_at)
            except WithdrawnError:
                outcome = job.handler.withdraw()
                facts = self._finish(job, outcome, started_at)
        except Exception as fault:  # noqa: BLE001  (any fault leaves the job to the next delivery)
            self._give_up(job.claim, delivery, fault)
            raise _delivery_error(fault, event) from None
        report(
            self._settings,
            FinishedJob(
                event=event,
                job_id=job.claim.job_id,
                version_id=job.version_id,
                outcome=outcome,
                facts=facts,
                now=self._clock(),
            ),
        )

    def _claim(self, event: ObjectEvent, delivery: Delivery, invocation: Invocation) -> _Job | None:
        created = event.kind is Kind.CREATED
        version_id = event.version_id or ""
        if created:
            # A classic notification may name no version: then the current one is meant.
            version_id = version_id or self._uploads.current_version(event.key) or ""
            identity = job_id(event.bucket, event.key, version_id)
        else:
            subject = event.bucket, event.key, version_id
            identity = deletion_job_id(*subject, event.kind.value, event.sequencer or "")
        claim = self._jobs.claim(
            identity,
            delivery,
            lease_seconds=invocation.remaining_seconds,
            replay_id=event.replay_id,
            listed=created,
            facts=self._initial_record(event, version_id),
        )
        if claim is None:
            logger.info("duplicate: the job is done", job_id=identity, key=event.key, version_id=version_id)
            return None
        handler = KeyHandler(
            services=self._services,
            event=event,
            version_id=version_id if created else "",
            claim=claim,
            register=Register(self._table, self._settings.bucket, event.key),
            invocation=invocation,
        )
        return _Job(event=event, version_id=version_id, claim=claim, handler=handler)

    def _initial_record(self, event: ObjectEvent, version_id: str) -> Mapping[str, Any]:
        """Return the attributes that the job record has from the start."""
        created = event.kind is Kind.CREATED
        record = {
            "event": event.kind.value,
            "input_path": event.key,
            "version_id" if created else "deleted_version_id": version_id,
            "region": self._settings.region,
            "environment_suffix": self._settings.environment_suffix,
            "uploaded_at": event.created_at if created and event.replay_id is None else None,
        }
        return {name: value for name, value in record.items() if value is not None}

    def _finish(self, job: _Job, outcome: Outcome, started_at: float) -> Mapping[str, Any]:
        """Write the outcome into the job record, and return the attributes that it adds."""
        error = {"error": outcome.error[:TEXT_MAX]} if outcome.error else {}
        if outcome.stands:
            facts = {**outcome.facts, **error}
            self._jobs.restore(job.claim, outcome.status, facts, generation=outcome.generation)
            return facts
        duration_ms = max(0, round((self._clock() - started_at) * 1000))
        facts = {**outcome.facts, **error, "duration_ms": duration_ms}
        self._jobs.finish(
            job.claim,
            outcome.status,
            facts,
            generation=outcome.generation,
            conclusive=outcome.conclusive,
            listed=outcome.listed,
        )
        return facts

    def _give_up(self, claim: Claim, delivery: Delivery, fault: Exception) -> None:
        if isinstance(fault, LeaseLostError):
            return
        try:
            self._jobs.give_up(claim, describe(fault), last=delivery.last)
        except Exception as second:  # noqa: BLE001  (the lease runs out by itself; the first fault is the one to report)
            logger.error("the lease was not released", job_id=claim.job_id, error=describe(second))


def _delivery_error(fault: Exception, event: ObjectEvent) -> DeliveryError:
    """Log a fault, and return the error by which SQS delivers the message again."""
    text = describe(fault)
    logger.error("the delivery failed", key=event.key, version_id=event.version_id, error=text)
    return DeliveryError(text)
