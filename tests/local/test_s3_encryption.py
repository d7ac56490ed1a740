"""The embedded S3 returns a bucket's encryption configuration unchanged."""

from typing import Any

import pytest

from local.cloud import Cloud


@pytest.mark.parametrize("more", [{}, {"BlockedEncryptionTypes": {"EncryptionType": ["SSE-C"]}}])
def test_blocked_encryption_types_are_returned(cloud: Cloud, region: str, more: dict[str, Any]) -> None:
    s3, name = cloud.client("s3", region), f"encrypted-{len(more)}"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": region})
    rule = {
        "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"},
        "BucketKeyEnabled": False,
        **more,
    }
    configuration = {"Rules": [rule]}
    s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration=configuration)
    assert s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"] == configuration
    s3.delete_bucket(Bucket=name)
