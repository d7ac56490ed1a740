"""Whether a region does what it is for: one small object, uploaded as users do, all the way to Parquet."""

import time
import uuid
from dataclasses import dataclass

from ops import jobs
from ops.errors import OpsError
from ops.stacks import Stack

KEY = "input/_smoke/check.csv"
"""One key for all, so that nothing piles up: each check supersedes the one before."""
POLL_SECONDS = 1.0
UNFINISHED = (None, "STARTED")


@dataclass(frozen=True, kw_only=True)
class Passed:
    """What became of the object."""

    output: str
    seconds: float


def check(stack: Stack, *, seconds: float) -> Passed:
    """Upload the object and wait for its job.

    Raises:
        OpsError: when the job does not complete in that time.
    """
    began = time.monotonic()
    body = f"check,value\n{uuid.uuid4()},1\n".encode()
    version = stack.client("s3").put_object(Bucket=stack.bucket, Key=KEY, Body=body)["VersionId"]
    identifier = jobs.job_id(stack.bucket, KEY, version)
    job: jobs.Job = {}
    while job.get("status") in UNFINISHED:
        if time.monotonic() - began > seconds:
            state = job.get("status", "without a job")
            raise OpsError(f"{stack.region}: {KEY} is still {state} after {seconds:.0f} s")
        time.sleep(POLL_SECONDS)
        job = jobs.get(stack, identifier) or {}
    if job["status"] != "COMPLETED":
        raise OpsError(f"{stack.region}: {KEY} ended as {job['status']}: {job.get('error', 'no reason')}")
    return Passed(output=f"s3://{stack.bucket}/{job['output_path']}", seconds=time.monotonic() - began)
