"""What S3 sends and answers when versions and delete markers are removed."""

import json
from collections.abc import Callable
from datetime import UTC, datetime

from ops import function_log, uploads
from ops.deployed_stacks import Stack
from sandbox.temporary_role import repeat_until, temporary_role

KEY = "input/_sandbox/removed.csv"
BODY = b"id\n1\n"
VERSION = "the version"
"""The answer for a version that S3 returns."""
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
    """Delete a version permanently, read it with the caller's permissions, and return S3's error."""
    deleted, _ = _delete_a_version(stack)
    return _read(stack, deleted)


def deleted_version_for_function(stack: Stack, wait: Callable[[float], None]) -> str:
    """Delete a version permanently, read it with the policies of the function's role, and return S3's error.

    The role may list objects (`s3:ListBucket`), and not versions (`s3:ListBucketVersions`).
    """
    deleted, current = _delete_a_version(stack)
    iam, role = stack.client("iam"), stack.physical("lambda-role")
    policies = {
        name: iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]
    }
    with temporary_role(stack, "function-rights", policies, wait) as function:
        answer = repeat_until(VERSION, lambda: _read(function, current), wait)
        if answer != VERSION:
            return f"not answered: the current version cannot be read either ({answer})"
        return _read(function, deleted)


def protected_versions(stack: Stack, _wait: Callable[[float], None]) -> str:
    """Count the versions and delete markers that the bucket policy protects from deletion."""
    pages = [
        page
        for prefix in uploads.prefixes(stack).system
        for page in stack.client("s3")
        .get_paginator("list_object_versions")
        .paginate(Bucket=stack.bucket, Prefix=prefix)
    ]
    versions, markers = (
        sum(len(page.get(kind, ())) for page in pages) for kind in ("Versions", "DeleteMarkers")
    )
    return f"{versions} versions and {markers} delete markers"


def _delete_a_version(stack: Stack) -> tuple[str, str]:
    """Upload two versions, delete the first permanently, and return the ids of both."""
    s3 = stack.client("s3")
    deleted, current = (s3.put_object(Bucket=stack.bucket, Key=KEY, Body=BODY)["VersionId"] for _ in range(2))
    s3.delete_object(Bucket=stack.bucket, Key=KEY, VersionId=deleted)
    return deleted, current


def _read(stack: Stack, version: str) -> str:
    """Read a version, and return `VERSION` or S3's error."""
    s3 = stack.client("s3")
    try:
        s3.get_object(Bucket=stack.bucket, Key=KEY, VersionId=version)
    except s3.exceptions.ClientError as error:
        response = error.response
        return f"{response['ResponseMetadata']['HTTPStatusCode']} {response['Error']['Code']}"
    return VERSION


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
