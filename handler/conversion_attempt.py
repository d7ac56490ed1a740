"""One conversion of an object, within the time, memory and disk that the invocation has left."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from conversion import (
    Conversion,
    DeadlineExceededError,
    EmptyError,
    Limits,
    UnreadableError,
    convert,
    largest_object_bytes,
)
from datasets import Dataset
from environment import Settings
from faults import OutOfTimeError
from invocation import Invocation
from job_records import Status
from outcome import Outcome, facts_of_key, facts_of_rows
from outputs import Output
from uploads import Source

_WHOLE_SHARE = 0.9
"""An attempt that had at least this share of a whole invocation's time is not repeated for lack of time."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """One attempt to convert the current version of a key."""

    settings: Settings
    invocation: Invocation
    workdir: Path
    """An empty directory."""
    key: str
    job_id: str
    generation: int
    """The generation of the key's register. It is written into each file, so that the files of two
    generations differ in their bytes."""

    def run(self, source: Source) -> Outcome:
        """Convert the object into files, and return the outcome.

        An object that cannot be converted is an outcome too, not an error.

        Raises:
            OutOfTimeError: The invocation has too little time left.
        """
        invocation = self.invocation
        if source.size == 0:
            return Outcome(status=Status.SKIPPED, error="the object is empty")
        dataset = self.settings.datasets.of(self.key)
        if dataset and (hidden := dataset.hidden_because(self.key, datetime.now(UTC))):
            reason = f"dataset {dataset.contract.name}: {hidden}"
            return Outcome(status=Status.FAILED, error=reason, conclusive=False, facts=_facts_of(dataset))
        largest = largest_object_bytes(invocation.conversion_seconds_full)
        if source.size > largest:
            reason = (
                f"the object has {source.size} bytes; {largest} is the most that can be converted within the "
                f"function's timeout ({invocation.seconds:.0f} s): split it, or raise the timeout and replay"
            )
            return Outcome(status=Status.FAILED, error=reason, conclusive=False)
        seconds = invocation.conversion_seconds
        if source.size > largest_object_bytes(seconds):
            raise OutOfTimeError(f"the {seconds:.0f} s left are not enough for {source.size} bytes")
        try:
            converted = convert(
                source.body,
                reopen=source.reopen,
                key=self.key,
                size=source.size,
                workdir=self.workdir,
                limits=self._limits(seconds, dataset),
                provenance=self._provenance(source),
                assignment=dataset and dataset.assignment(self.key),
            )
        except (EmptyError, UnreadableError, DeadlineExceededError) as ended:
            outcome = self._ended(ended, seconds)
        else:
            outcome = _completed(converted, self.key)
        return replace(outcome, facts={**outcome.facts, **_facts_of(dataset)})

    def _ended(self, ended: Exception, seconds: float) -> Outcome:
        """Return the outcome of a conversion that ended without data."""
        # An attempt with the whole time of an invocation may end differently.
        short = seconds < _WHOLE_SHARE * self.invocation.conversion_seconds_full
        match ended:
            case EmptyError():
                return Outcome(status=Status.SKIPPED, error=str(ended))
            case UnreadableError(reason=reason, account=account, rejects=rejects):
                if short and account is None:
                    raise OutOfTimeError(f"not read within the {seconds:.0f} s that were left") from None
                return Outcome(
                    status=Status.FAILED,
                    error=reason,
                    conclusive=account is not None,
                    files={Output.REJECTS: rejects} if rejects else {},
                    facts=facts_of_rows(account.rows_in, 0, account.rows_rejected, 0) if account else {},
                )
            case _:
                if short:
                    raise OutOfTimeError(f"not converted within the {seconds:.0f} s that were left") from None
                reason = (
                    f"not converted within {seconds:.0f} s, the most that the function's timeout allows:"
                    " raise the timeout and replay"
                )
                return Outcome(status=Status.FAILED, error=reason, conclusive=False)

    def _limits(self, seconds: float, dataset: Dataset | None) -> Limits:
        share = dataset.contract.handling.rejected_share_max if dataset else None
        return Limits(
            rejected_share_max=self.settings.rejected_share_max if share is None else share,
            decompressed_bytes_max=self.settings.decompressed_bytes_max,
            decompression_ratio_max=self.settings.decompression_ratio_max,
            memory_bytes=self.invocation.memory_bytes,
            disk_bytes=shutil.disk_usage(self.workdir).free,
            seconds=seconds,
        )

    def _provenance(self, source: Source) -> Mapping[str, str]:
        return {
            "source_version_id": source.version_id,
            "source_etag": source.etag,
            "region": self.settings.region,
            "environment_suffix": self.settings.environment_suffix,
            "job_id": self.job_id,
            "generation": str(self.generation),
            "program_version": self.settings.program_version,
        }


def _facts_of(dataset: Dataset | None) -> Mapping[str, str]:
    if dataset is None:
        return {}
    return {"dataset": dataset.contract.name, "contract_version": dataset.contract.version}


def _completed(conversion: Conversion, key: str) -> Outcome:
    account = conversion.account
    files = {Output.PARQUET: conversion.parquet, Output.PROFILE: conversion.profile}
    if conversion.rejects:
        files[Output.REJECTS] = conversion.rejects
    facts = {
        **facts_of_rows(account.rows_in, account.rows_out, account.rows_rejected, account.bytes_out),
        "column_count": len(conversion.columns),
        "format": conversion.format,
        "encoding": conversion.encoding,
        "compression": conversion.compression,
        **facts_of_key(key),
    }
    if broken := conversion.facts.get("rules_broken"):
        facts["rules_broken"] = broken
    if header := conversion.facts.get("header"):
        facts["header"] = header
    return Outcome(status=Status.COMPLETED, files=files, facts=facts)
