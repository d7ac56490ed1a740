"""The smoke check: upload one small object, and wait until its Parquet file is published."""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from ops import job_search
from ops.deployed_stacks import Stack
from ops.operator_errors import OpsError

KEY = "input/_smoke/check.csv"
"""All checks use one key, so that each supersedes the one before and no objects accumulate."""
WITHIN_SECONDS = 900
"""Three times the five minutes that S3 takes to send the first events of a bucket."""
UPLOAD_SECONDS = 60
"""Time after which an upload without a job is repeated."""
POLL_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True)
class Passed:
    """The result of a smoke check."""

    output: str
    seconds: float
    uploads: int
    """Number of uploads until a job completed."""


def check(stack: Stack, *, seconds: float, wait: Callable[[float], None] = time.sleep) -> Passed:
    """Upload the object until one of its jobs completes.

    S3 sends no events for about five minutes after a bucket's events are enabled (S3 User Guide, "Enabling
    Amazon EventBridge"). So an upload without a job is repeated.

    Args:
        stack: The region's stack.
        seconds: Maximum duration.
        wait: Waits for a number of seconds.

    Raises:
        OpsError: No job completes in that time, or a job fails.
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
            raise OpsError(f"{stack.name}: {KEY} ended as FAILED: {job.get('error', 'no reason')}")
        if not uploads or (not job and time.monotonic() - uploaded_at >= UPLOAD_SECONDS):
            uploads.append(_upload(stack))
            uploaded_at = time.monotonic()
        if time.monotonic() - began > seconds:
            state = job.get("status", "without a job")
            raise OpsError(
                f"{stack.name}: {KEY} is still {state} after {seconds:.0f} s and {len(uploads)} uploads"
            )
        wait(POLL_SECONDS)


def _upload(stack: Stack) -> str:
    body = f"check,value\n{uuid.uuid4()},1\n".encode()
    return stack.client("s3").put_object(Bucket=stack.bucket, Key=KEY, Body=body)["VersionId"]


def _job(stack: Stack, uploads: list[str]) -> job_search.Job:
    """Return the job of the newest upload that has a job."""
    for version in reversed(uploads):
        job = job_search.get(stack, job_search.job_id(stack.bucket, KEY, version))
        if job and job["status"] != "SUPERSEDED":
            return job
    return {}
