"""The contents of each dataset of a stack, according to its job records."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from ops import job_search
from ops.deployed_stacks import Stack
from ops.job_search import Job

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
        failed: Uploads whose newest job is FAILED.
        newest: Upload time of the newest published object, in seconds since the epoch.
        outdated: Published objects that were converted without the contract or by another version of it.
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


def states(stack: Stack) -> Iterator[DatasetState]:
    """Yield the state of each dataset of a stack.

    Only the newest job of each key counts, and only if it is COMPLETED or FAILED. A key whose newest job is
    WITHDRAWN is not published.
    """
    for name, dataset in stack.datasets.items():
        prefix, version = dataset["keyPrefix"], dataset["version"]
        newest = _newest_jobs(stack, prefix)
        published = [job for job in newest if job["status"] == "COMPLETED"]
        yield DatasetState(
            stack=stack.name,
            dataset=name,
            version=version,
            prefix=prefix,
            objects=len(published),
            rows=sum(int(job.get("rows_out", 0)) for job in published),
            rejected=sum(int(job.get("rows_rejected", 0)) for job in published),
            failed=sum(job["status"] == "FAILED" for job in newest),
            newest=max(
                (float(job["uploaded_at"]) for job in published if "uploaded_at" in job), default=None
            ),
            outdated=sum(
                (job.get("dataset"), job.get("contract_version")) != (name, version) for job in published
            ),
        )


def _newest_jobs(stack: Stack, prefix: str) -> list[Job]:
    found = job_search.find(
        stack, statuses=job_search.STATUSES, since=_BEGINNING, until=datetime.now(UTC), prefix=prefix
    )
    newest: dict[str, Job] = {}
    for job in found:
        known = newest.get(job["input_path"])
        if known is None or _order(job) > _order(known):
            newest[job["input_path"]] = job
    return list(newest.values())


def _order(job: Job) -> tuple[str, float]:
    """Return the sort key for versions of an object: S3's sequencer, padded on the right, then the time."""
    return str(job.get("sequencer", "")).ljust(32, "0"), float(job["timestamp"])
