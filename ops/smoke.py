"""Whether a region does what it is for: one small object, uploaded as users do, all the way to Parquet."""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from ops import job_search
from ops.deployed_stacks import Stack
from ops.operator_errors import OpsError

KEY = "input/_smoke/check.csv"
"""One key for all, so that nothing piles up: each check supersedes the one before."""
WITHIN_SECONDS = 900
"""Three times as long as S3 takes to send its first events."""
UPLOAD_SECONDS = 60
"""How long an upload may go without a job before the next one."""
POLL_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True)
class Passed:
    """What became of the object."""

    output: str
    seconds: float
    uploads: int
    """How often it was uploaded until its job completed."""


def check(stack: Stack, *, seconds: float, wait: Callable[[float], None] = time.sleep) -> Passed:
    """Upload the object until a job of it completes.

    After a bucket is told to send events, it takes S3 about five minutes to begin, and nothing tells of the
    uploads before (S3 User Guide, "Enabling Amazon EventBridge"). So an upload without a job is repeated.

    Args:
        stack: The region.
        seconds: How long to go on.
        wait: Lets so many seconds pass.

    Raises:
        OpsError: No job completes in that time, or one fails.
    """
    began = time.monotonic()
    uploads: list[str] = []
    uploaded_at = began
    while True:
        job = _job(stack, uploads)
        if job.get("status") == "COMPLETED":
            output = f"s3://{stack.bucket}/{job['output_path']}"
            return Passed(output=output, seconds=time.monotonic() - began, uploads=len(uploads))
        if job.get("status") == "FAILED":
            raise OpsError(f"{stack.region}: {KEY} ended as FAILED: {job.get('error', 'no reason')}")
        if not uploads or (not job and time.monotonic() - uploaded_at >= UPLOAD_SECONDS):
            uploads.append(_upload(stack))
            uploaded_at = time.monotonic()
        if time.monotonic() - began > seconds:
            state = job.get("status", "without a job")
            raise OpsError(
                f"{stack.region}: {KEY} is still {state} after {seconds:.0f} s and {len(uploads)} uploads"
            )
        wait(POLL_SECONDS)


def _upload(stack: Stack) -> str:
    body = f"check,value\n{uuid.uuid4()},1\n".encode()
    return stack.client("s3").put_object(Bucket=stack.bucket, Key=KEY, Body=body)["VersionId"]


def _job(stack: Stack, uploads: list[str]) -> job_search.Job:
    """Return the job of the newest upload that has one; a newer upload supersedes an older one."""
    for version in reversed(uploads):
        job = job_search.get(stack, job_search.job_id(stack.bucket, KEY, version))
        if job and job["status"] != "SUPERSEDED":
            return job
    return {}
