"""The contents of each dataset of a stack, according to its job records."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from ops import job_search, registers, table
from ops.deployed_stacks import Stack
from ops.job_search import Job
from ops.registers import Register

_BEGINNING = datetime(2020, 1, 1, tzinfo=UTC)
"""A time before any job."""


@dataclass(frozen=True, kw_only=True)
class DatasetState:
    """One dataset in one region.

    Attributes:
        stack: The stack's name.
        dataset: The dataset's name.
        version: Version of the contract that is deployed.
        prefix: The key prefix of its uploads.
        objects: Published objects.
        rows: Rows in the published objects.
        rejected: Rejected rows of the published objects.
        failed: Uploads whose last job to change is FAILED.
        newest: Upload time of the newest published object, in seconds since the epoch.
        outdated: Published objects that were converted without the contract or by another version of it.
        retention_days: Days after which a job record expires. Then its object is in none of the counts. 0 if
            records do not expire.
    """

    stack: str
    dataset: str
    version: str
    prefix: str
    objects: int
    rows: int
    rejected: int
    failed: int
    newest: float | None
    outdated: int
    retention_days: int


def states(stack: Stack) -> Iterator[DatasetState]:
    """Yield the state of each dataset of a stack.

    Each key's register names the job that makes the results. Jobs that are SUPERSEDED have changed nothing,
    so they do not count.
    """
    retention_days = int(stack.function_variables()["JOB_RETENTION_DAYS"]) if stack.datasets else 0
    for name, dataset in stack.datasets.items():
        prefix, version = dataset["keyPrefix"], dataset["version"]
        by_key = _jobs(stack, prefix)
        published = list(_published(stack, by_key))
        yield DatasetState(
            stack=stack.name,
            dataset=name,
            version=version,
            prefix=prefix,
            objects=len(published),
            rows=sum(int(job.get("rows_out", 0)) for job in published),
            rejected=sum(int(job.get("rows_rejected", 0)) for job in published),
            failed=sum(jobs[0]["status"] == "FAILED" for jobs in by_key.values()),
            newest=max(
                (float(job["uploaded_at"]) for job in published if "uploaded_at" in job), default=None
            ),
            outdated=sum(
                (job.get("dataset"), job.get("contract_version")) != (name, version) for job in published
            ),
            retention_days=retention_days,
        )


def _jobs(stack: Stack, prefix: str) -> Mapping[str, Sequence[Job]]:
    """Return the jobs of each key that are not SUPERSEDED, those that changed last first."""
    statuses = [status for status in job_search.STATUSES if status != "SUPERSEDED"]
    by_key = defaultdict[str, list[Job]](list)
    for job in job_search.find(
        stack, statuses=statuses, since=_BEGINNING, until=datetime.now(UTC), prefix=prefix
    ):
        by_key[job["input_path"]].append(job)
    return by_key


def _published(stack: Stack, by_key: Mapping[str, Sequence[Job]]) -> Iterator[Job]:
    """Yield the job of each published object."""
    held = registers.get_many(stack, by_key)
    holders = table.get_many(stack, (register.job_id for register in held.values()))
    for key, register in held.items():
        job = _last_to_publish(register, holders.get(register.job_id), by_key[key])
        if job and "COMPLETED" in (job["status"], job.get("outcome")):
            yield job


def _last_to_publish(register: Register, holder: Job | None, jobs: Sequence[Job]) -> Job | None:
    """Return the job whose results are published; None if they are withdrawn."""
    if register.state == registers.WITHDRAWN or holder is None:
        return None
    if not holder["retryable"] or "outcome" in holder:  # done, or being replayed
        return holder
    # Until the holder publishes, there are the results of the job before it.
    return next((job for job in jobs if not job["retryable"]), None)
