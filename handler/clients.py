"""The boto3 clients of S3 and DynamoDB, with short timeouts and retries."""

import random
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from botocore.client import BaseClient

ATTEMPTS = 3
"""Attempts of one call. SQS retries what fails longer."""
_THROTTLED = frozenset({"KMS.ThrottlingException"})
_CONFLICT = frozenset({"ConditionalRequestConflict", "OperationAborted"})
_CONFLICT_SECONDS = 0.1


def s3(region: str) -> "BaseClient":
    """Return a client of the region's S3.

    It also retries two errors that botocore does not. One is the throttling of KMS, which S3 passes on. The
    other is the 409 of a conditional write that meets another write: "the upload may be retried" (S3 User
    Guide, "How to prevent object overwrites with conditional writes").
    """
    client: BaseClient = boto3.client("s3", config=_config(region))
    client.meta.events.register_first("needs-retry.s3", _retry_seconds)
    return client


def dynamodb(region: str) -> "BaseClient":
    """Return a client of the region's DynamoDB."""
    return boto3.client("dynamodb", config=_config(region))


def _config(region: str) -> Config:
    return Config(
        region_name=region,
        connect_timeout=3,
        read_timeout=30,
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        # By default, a client in us-east-1 uses S3's global endpoint, which serves every region.
        s3={"us_east_1_regional_endpoint": "regional"},
    )


def _retry_seconds(response: "tuple[Any, dict[str, Any]] | None", attempts: int, **_: object) -> float | None:
    """Return the seconds to wait before the next attempt, or None to let botocore decide."""
    if response is None or attempts >= ATTEMPTS:
        return None
    code = response[1].get("Error", {}).get("Code")
    if code in _THROTTLED:
        return random.uniform(0, 2**attempts)  # noqa: S311 - full jitter, as botocore's
    if code in _CONFLICT:
        return _CONFLICT_SECONDS * 2**attempts
    return None
