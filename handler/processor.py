"""One object's way from the event to its outputs and its job record. See docs/reliability.md."""

from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from typing import Any

from conversion_attempt import Attempt
from dynamo import Table
from environment import Settings
from faults import TEXT_MAX, DeliveryError, describe
from invocation import Invocation
from job_records import Claim, Delivery, Jobs, LeaseLostError, Status, job_id
from objects import Bucket, DeniedError, GoneError, Source
from outcome import Outcome, facts_of_outputs, facts_of_source
from outputs import Author, Outputs, SupersededError
from register import Register
from s3_events import ObjectCreated
from telemetry import logger, report
from workspace import workspace


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """One object version to be processed by one delivery."""

    created: ObjectCreated
    version_id: str
    claim: Claim
    invocation: Invocation


class Processor:
    """Processes objects of one deployment."""

    def __init__(self, settings: Settings, bucket: Bucket, table: Table, clock: Callable[[], float]) -> None:
        self._settings = settings
        self._bucket = bucket
        self._table = table
        self._jobs = Jobs(table, clock, settings.job_retention_days)
        self._clock = clock

    def process(self, created: ObjectCreated, delivery: Delivery, invocation: Invocation) -> None:
        """Bring the object's job to its end, unless it is there already.

        Raises:
            DeliveryError: the delivery is to be repeated: a fault of the platform, or another at work.
        """
        try:
            task = self._claim(created, delivery, invocation)
        except Exception as fault:  # noqa: BLE001  (nothing is held yet: the next delivery starts anew)
            raise _to_be_repeated(fault, created) from None
        if task is None:
            return
        started_at = self._clock()
        try:
            outcome = self._work(task)
            now = self._clock()
            facts = {**outcome.facts, "duration_ms": max(0, round((now - started_at) * 1000))}
            if outcome.error:
                facts["error"] = outcome.error[:TEXT_MAX]
            self._jobs.finish(task.claim, outcome.status, facts)
        except Exception as fault:  # noqa: BLE001  (whatever it is, the job goes to the next delivery)
            self._give_up(task.claim, delivery, fault)
            raise _to_be_repeated(fault, created) from None
        report(self._settings, created, task.claim.job_id, outcome.status, facts, now)

    def _claim(self, created: ObjectCreated, delivery: Delivery, invocation: Invocation) -> Task | None:
        # An event without a version (a classic notification may be) means the one that is current now.
        version_id = created.version_id or self._bucket.current_version(created.key) or ""
        identity = job_id(created.bucket, created.key, version_id)
        claim = self._jobs.claim(
            identity,
            delivery,
            lease_seconds=invocation.remaining_seconds,
            replay_id=created.replay_id,
            facts=self._initial_record(created, version_id),
        )
        if claim is None:
            logger.info("duplicate: the job is done", job_id=identity, key=created.key, version_id=version_id)
            return None
        return Task(created=created, version_id=version_id, claim=claim, invocation=invocation)

    def _initial_record(self, created: ObjectCreated, version_id: str) -> Mapping[str, Any]:
        """Return what the record says from the start."""
        record = {
            "input_path": created.key,
            "version_id": version_id,
            "region": self._settings.region,
            "environment_suffix": self._settings.environment_suffix,
            "sequencer": created.sequencer,
            "uploaded_at": created.created_at if created.replay_id is None else None,
        }
        return {name: value for name, value in record.items() if value is not None}

    def _work(self, task: Task) -> Outcome:
        """Read, order, convert, publish, and look at the order once more."""
        key, version_id, claim = task.created.key, task.version_id, task.claim
        outputs = Outputs(self._bucket, key, Author(job_id=claim.job_id, version_id=version_id))
        register = Register(self._table, self._settings.bucket, key)
        try:
            return self._publish(task, outputs, register)
        except GoneError as gone:
            if not claim.first:
                self._undo(outputs, register, version_id)
            return Outcome(status=Status.SKIPPED, error=str(gone))
        except DeniedError as denied:
            if not self._bucket.gives_others(key):
                raise DeliveryError(f"{denied}, nor any other") from None
            return Outcome(status=Status.FAILED, error=str(denied))

    def _publish(self, task: Task, outputs: Outputs, register: Register) -> Outcome:
        """Do so while the version is there; raises GoneError once it cannot be read, or read again."""
        key, version_id, claim = task.created.key, task.version_id, task.claim
        source = self._bucket.open(key, version_id)
        with closing(source.body):
            newest = register.take(
                version_id,
                task.created.sequencer,
                lambda: source.current and self._bucket.current_version(key) == version_id,
            )
            if not newest:
                if not claim.first:
                    outputs.withdraw()
                return _superseded(source)
            with workspace() as workdir:
                attempt = Attempt(
                    settings=self._settings,
                    invocation=task.invocation,
                    workdir=workdir,
                    key=key,
                    job_id=claim.job_id,
                )
                with attempt.run(source) as outcome:
                    try:
                        paths = outputs.publish(
                            outcome.files,
                            still_newest=lambda: register.holds(version_id),
                            fresh=claim.first and not register.others,
                        )
                    except SupersededError:
                        outputs.withdraw()
                        return _superseded(source)
        return replace(outcome, facts={**facts_of_source(source), **outcome.facts, **facts_of_outputs(paths)})

    @staticmethod
    def _undo(outputs: Outputs, register: Register, version_id: str) -> None:
        """Leave nothing of an attempt that was interrupted, when there is no object to finish it with."""
        if register.holds(version_id):
            # It may have replaced some of an older version's outputs: half of them are worth nothing.
            with suppress(SupersededError):
                outputs.publish({}, still_newest=lambda: register.holds(version_id), fresh=False)
        outputs.withdraw()

    def _give_up(self, claim: Claim, delivery: Delivery, fault: Exception) -> None:
        if isinstance(fault, LeaseLostError):
            return
        try:
            self._jobs.give_up(claim, describe(fault), last=delivery.last)
        except Exception as second:  # noqa: BLE001  (the lease will run out; what matters is the first fault)
            logger.error("the lease was not given back", job_id=claim.job_id, error=describe(second))


def _to_be_repeated(fault: Exception, created: ObjectCreated) -> DeliveryError:
    text = describe(fault)
    logger.error("the delivery failed", key=created.key, version_id=created.version_id, error=text)
    return DeliveryError(text)


def _superseded(source: Source) -> Outcome:
    return Outcome(
        status=Status.SUPERSEDED,
        error="a newer version of the key has been taken",
        facts=facts_of_source(source),
    )
