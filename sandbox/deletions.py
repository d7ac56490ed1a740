"""What S3 sends when versions and delete markers are removed, as the function's log shows it."""

import json
from collections.abc import Callable
from datetime import UTC, datetime

from ops import function_log
from ops.deployed_stacks import Stack

KEY = "input/_sandbox/removed.csv"
BODY = b"id\n1\n"
POLLS = 60
POLL_SECONDS = 5.0


def removed_marker(stack: Stack, wait: Callable[[float], None]) -> str:
    """Upload, delete and undelete an object, and return the causes of the jobs in their order.

    Args:
        stack: The deployed region.
        wait: Waits for a number of seconds.
    """
    s3, began = stack.client("s3"), datetime.now(UTC)
    s3.put_object(Bucket=stack.bucket, Key=KEY, Body=BODY)
    marker = s3.delete_object(Bucket=stack.bucket, Key=KEY)["VersionId"]
    before = _await_jobs(stack, began, 2, wait)
    s3.delete_object(Bucket=stack.bucket, Key=KEY, VersionId=marker)
    after = _await_jobs(stack, began, len(before) + 1, wait)[len(before) :]
    return f"before: {', '.join(before) or 'no job'}; after: {', '.join(after) or 'no job'}"


def deleted_version(stack: Stack, _wait: Callable[[float], None]) -> str:
    """Delete a version permanently, read it, and return S3's error."""
    s3 = stack.client("s3")
    version = s3.put_object(Bucket=stack.bucket, Key=KEY, Body=BODY)["VersionId"]
    s3.put_object(Bucket=stack.bucket, Key=KEY, Body=BODY)
    s3.delete_object(Bucket=stack.bucket, Key=KEY, VersionId=version)
    try:
        s3.get_object(Bucket=stack.bucket, Key=KEY, VersionId=version)
    except s3.exceptions.ClientError as error:
        response = error.response
        return f"{response['ResponseMetadata']['HTTPStatusCode']} {response['Error']['Code']}"
    return "the version"


def _await_jobs(stack: Stack, began: datetime, number: int, wait: Callable[[float], None]) -> list[str]:
    """Wait until the log has that many jobs of the key, or for five minutes; return their causes."""
    causes: list[str] = []
    for _ in range(POLLS):
        wait(POLL_SECONDS)
        lines = function_log.lines_with(stack, KEY, since=began, until=datetime.now(UTC))
        entries = [json.loads(line) for _, line in lines if line.startswith("{")]
        causes = [f"{entry['cause']} ({entry['status']})" for entry in entries if "cause" in entry]
        if len(causes) >= number:
            break
    return causes
