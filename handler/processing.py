"""One object's life, from the event to its outputs and its job record. See docs/reliability.md."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conversion import (
    Column,
    Conversion,
    DeadlineExceededError,
    EmptyError,
    Limits,
    UnreadableError,
    convert,
    largest_object_bytes,
)
from dynamo import Table
from events import ObjectCreated
from faults import TEXT_MAX, DeliveryError, OutOfTimeError, describe
from invocation import Invocation
from jobs import Claim, Delivery, Jobs, LeaseLostError, Status, job_id
from objects import Bucket, GoneError, Source
from ordering import Register
from outputs import Author, Output, Outputs, SupersededError
from settings import Settings
from telemetry import emit, logger
from workspace import workspace

_WHOLE_SHARE = 0.9
"""An attempt with this share of an invocation's time has had all that there is: no other would have more."""
_COLUMNS_MAX = 50
_COLUMN_TEXT_MAX = 64
_COLUMNS_BYTES_MAX = 1200
"""Of a record's columns, which the profile lists in full: docs/reliability.md has what the index can take."""
_PATHS = {Output.PARQUET: "output_path", Output.REJECTS: "rejected_path", Output.PROFILE: "profile_path"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What is to become of a job: its status, what to publish, and what the record says of it."""

    status: Status
    error: str | None = None
    files: Mapping[Output, Callable[[], Path]] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)


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
        self._jobs = Jobs(table, clock)
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
        self._tell(task, outcome.status, facts, now)

    def _claim(self, created: ObjectCreated, delivery: Delivery, invocation: Invocation) -> Task | None:
        # An event without a version (a classic notification may be) means the one that is current now.
        version_id = created.version_id or self._bucket.current_version(created.key) or ""
        identity = job_id(created.bucket, created.key, version_id)
        claim = self._jobs.claim(
            identity,
            delivery,
            lease_seconds=invocation.remaining_seconds,
            replay_id=created.replay_id,
            facts=self._known(created, version_id),
        )
        if claim is None:
            logger.info("duplicate: the job is done", job_id=identity, key=created.key, version_id=version_id)
            return None
        return Task(created=created, version_id=version_id, claim=claim, invocation=invocation)

    def _known(self, created: ObjectCreated, version_id: str) -> Mapping[str, Any]:
        """What the record says from the start."""
        known = {
            "input_path": created.key,
            "version_id": version_id,
            "region": self._settings.region,
            "environment_suffix": self._settings.environment_suffix,
            "sequencer": created.sequencer,
            "uploaded_at": created.created_at if created.replay_id is None else None,
        }
        return {name: value for name, value in known.items() if value is not None}

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
            with workspace() as workdir, ExitStack() as stack:
                outcome = self._convert(source, workdir, task, stack)
                try:
                    paths = outputs.publish(
                        outcome.files,
                        still_newest=lambda: register.holds(version_id),
                        fresh=claim.first and not register.others,
                    )
                except SupersededError:
                    outputs.withdraw()
                    return _superseded(source)
        facts = {**_facts(source), **outcome.facts, **{_PATHS[kind]: path for kind, path in paths.items()}}
        return Outcome(status=outcome.status, error=outcome.error, facts=facts)

    @staticmethod
    def _undo(outputs: Outputs, register: Register, version_id: str) -> None:
        """Leave nothing of an attempt that was interrupted, when there is no object to finish it with."""
        if register.holds(version_id):
            # It may have replaced some of an older version's outputs: half of them are worth nothing.
            with suppress(SupersededError):
                outputs.publish({}, still_newest=lambda: register.holds(version_id), fresh=False)
        outputs.withdraw()

    def _convert(self, source: Source, workdir: Path, task: Task, stack: ExitStack) -> Outcome:
        """Convert the object into files; what its bytes do not allow is an outcome too, not an error.

        At the end of ``stack`` nothing works on the files any more.
        """
        invocation = task.invocation
        if source.size == 0:
            return Outcome(status=Status.SKIPPED, error="the object is empty")
        largest = largest_object_bytes(invocation.conversion_seconds_full)
        if source.size > largest:
            reason = (
                f"the object has {source.size} bytes; {largest} is the most that can be converted within the "
                f"function's timeout ({invocation.seconds:.0f} s): split it, or raise the timeout and replay"
            )
            return Outcome(status=Status.FAILED, error=reason)
        seconds = invocation.conversion_seconds
        short = seconds < _WHOLE_SHARE * invocation.conversion_seconds_full
        if source.size > largest_object_bytes(seconds):
            raise OutOfTimeError(f"{seconds:.0f} s are not enough for {source.size} bytes: handed back")
        try:
            conversion = stack.enter_context(
                convert(
                    source.body,
                    reopen=source.reopen,
                    key=task.created.key,
                    size=source.size,
                    workdir=workdir,
                    limits=self._limits(invocation, seconds, workdir),
                    provenance=self._provenance(source, task),
                )
            )
        except EmptyError as empty:
            return Outcome(status=Status.SKIPPED, error=str(empty))
        except UnreadableError as unreadable:
            if short and unreadable.account is None:
                # What it decompresses to may be too large for this time, but not for all of it.
                raise OutOfTimeError(f"not to be judged in the {seconds:.0f} s that were left") from None
            rejects = unreadable.rejects
            files = {Output.REJECTS: lambda: rejects} if rejects else {}
            account = unreadable.account
            facts = {} if account is None else _account(account.rows_in, 0, account.rows_rejected, 0)
            return Outcome(status=Status.FAILED, error=unreadable.reason, files=files, facts=facts)
        except DeadlineExceededError:
            if short:
                raise OutOfTimeError(f"not converted within the {seconds:.0f} s that were left") from None
            reason = f"not converted within {seconds:.0f} s, all there is: raise the timeout and replay"
            return Outcome(status=Status.FAILED, error=reason)
        return _converted(conversion)

    def _limits(self, invocation: Invocation, seconds: float, workdir: Path) -> Limits:
        return Limits(
            rejected_share_max=self._settings.rejected_share_max,
            decompressed_bytes_max=self._settings.decompressed_bytes_max,
            decompression_ratio_max=self._settings.decompression_ratio_max,
            memory_bytes=invocation.memory_bytes,
            disk_bytes=shutil.disk_usage(workdir).free,
            seconds=seconds,
        )

    def _provenance(self, source: Source, task: Task) -> Mapping[str, str]:
        return {
            "source_version_id": source.version_id,
            "source_etag": source.etag,
            "region": self._settings.region,
            "environment_suffix": self._settings.environment_suffix,
            "job_id": task.claim.job_id,
            "program_version": self._settings.program_version,
        }

    def _give_up(self, claim: Claim, delivery: Delivery, fault: Exception) -> None:
        if isinstance(fault, LeaseLostError):
            return
        try:
            self._jobs.give_up(claim, describe(fault), last=delivery.last)
        except Exception as second:  # noqa: BLE001  (the lease will run out; what matters is the first fault)
            logger.error("the lease was not given back", job_id=claim.job_id, error=describe(second))

    def _tell(self, task: Task, status: Status, facts: Mapping[str, Any], now: float) -> None:
        created = task.created
        amounts = dict(facts)
        if created.replay_id is None and status is Status.COMPLETED:
            amounts["latency_ms"] = max(0.0, now - facts["uploaded_at"]) * 1000
        shown = {name: value for name, value in facts.items() if name not in ("columns", "uploaded_at")}
        logger.info(
            "job finished",
            job_id=task.claim.job_id,
            status=status.value,
            key=created.key,
            version_id=task.version_id,
            **shown,
        )
        emit(status, created.key, self._settings.environment_suffix, amounts)


def _to_be_repeated(fault: Exception, created: ObjectCreated) -> DeliveryError:
    text = describe(fault)
    logger.error("the delivery failed", key=created.key, version_id=created.version_id, error=text)
    return DeliveryError(text)


def _facts(source: Source) -> Mapping[str, Any]:
    return {"etag": source.etag, "bytes_in": source.size, "uploaded_at": source.modified_at}


def _superseded(source: Source) -> Outcome:
    return Outcome(
        status=Status.SUPERSEDED, error="a newer version of the key has been taken", facts=_facts(source)
    )


def _account(rows_in: int, rows_out: int, rows_rejected: int, bytes_out: int) -> Mapping[str, int]:
    return {"rows_in": rows_in, "rows_out": rows_out, "rows_rejected": rows_rejected, "bytes_out": bytes_out}


def _converted(conversion: Conversion) -> Outcome:
    account = conversion.account
    files: dict[Output, Callable[[], Path]] = {
        Output.PARQUET: lambda: conversion.parquet,
        Output.PROFILE: conversion.profile.result,
    }
    if rejects := conversion.rejects:
        files[Output.REJECTS] = lambda: rejects
    facts = {
        **_account(account.rows_in, account.rows_out, account.rows_rejected, account.bytes_out),
        "columns": _described(conversion.columns),
        "column_count": len(conversion.columns),
        "format": conversion.format,
        "encoding": conversion.encoding,
        "compression": conversion.compression,
    }
    if header := conversion.facts.get("header"):
        facts["header"] = header
    return Outcome(status=Status.COMPLETED, files=files, facts=facts)


def _described(columns: Sequence[Column]) -> list[Mapping[str, str]]:
    """The first columns, as many as a record has room for."""
    described = []
    size = 0
    for column in columns[:_COLUMNS_MAX]:
        entry = {"name": column.name[:_COLUMN_TEXT_MAX], "type": column.type[:_COLUMN_TEXT_MAX]}
        size += sum(len(name) + len(text.encode()) for name, text in entry.items()) + 6
        if size > _COLUMNS_BYTES_MAX:
            break
        described.append(entry)
    return described
