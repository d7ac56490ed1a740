"""The function's input: events as S3, EventBridge and SQS write them, and Lambda's context."""

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote_plus
from uuid import uuid4

from aws_lambda_powertools.utilities.typing import LambdaContext

ACCOUNT = "123456789012"
REGION = "us-east-1"
BUCKET = "analytics-bucket-us-east-1-test"


def eventbridge(
    key: str,
    version_id: str | None = None,
    *,
    sequencer: str | None = "0055AED6DCD90281E5",
    size: int = 20,
    bucket: str = BUCKET,
    region: str = REGION,
    account: str = ACCOUNT,
    replay_id: str | None = None,
) -> dict[str, Any]:
    """Return S3's "Object Created" event.

    The format: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
    """
    created: dict[str, Any] = {"key": key, "size": size, "etag": "b57f9512698f4b09e608f4f2a65852e5"}
    if version_id:
        created["version-id"] = version_id
    if sequencer:
        created["sequencer"] = sequencer
    detail: dict[str, Any] = {
        "version": "0",
        "bucket": {"name": bucket},
        "object": created,
        "request-id": "N4N7GDK58NMKJ12R",
        "requester": account,
        "source-ip-address": "1.2.3.4",
        "reason": "PutObject",
    }
    if replay_id:
        detail["replay-id"] = replay_id
    return {
        "version": "0",
        "id": "17793124-05d4-b198-2fde-7ededc63b103",
        "detail-type": "Object Created",
        "source": "aws.s3",
        "account": account,
        "time": "2026-11-12T00:00:00Z",
        "region": region,
        "resources": [f"arn:aws:s3:::{bucket}"],
        "detail": detail,
    }


def deleted(
    key: str,
    version_id: str,
    *,
    bucket: str = BUCKET,
    for_good: bool = False,
    by_lifecycle: bool = False,
    replay_id: str | None = None,
) -> dict[str, Any]:
    """Return S3's "Object Deleted" event."""
    event = eventbridge(key, version_id, bucket=bucket, replay_id=replay_id)
    detail = event["detail"]
    del detail["object"]["size"]
    detail["object"]["etag"] = "d41d8cd98f00b204e9800998ecf8427e"
    detail["reason"] = "Lifecycle Expiration" if by_lifecycle else "DeleteObject"
    detail["deletion-type"] = "Permanently Deleted" if for_good else "Delete Marker Created"
    if by_lifecycle:
        detail["requester"] = "s3.amazonaws.com"
        del detail["source-ip-address"]
    return event | {"detail-type": "Object Deleted"}


def notification(
    key: str, version_id: str | None = None, *, bucket: str = BUCKET, name: str = "ObjectCreated:Put"
) -> dict[str, Any]:
    """Return one record of a classic S3 notification, with the key encoded as S3 does."""
    created: dict[str, Any] = {
        "key": quote_plus(key, safe="/"),
        "size": 20,
        "eTag": "b57f9512698f4b09e608f4f2a65852e5",
        "sequencer": "0055AED6DCD90281E5",
    }
    if version_id:
        created["versionId"] = version_id
    return {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": REGION,
        "eventTime": "2026-11-12T00:00:00.000Z",
        "eventName": name,
        "userIdentity": {"principalId": "AIDAJDPLRKLG7UEXAMPLE"},
        "requestParameters": {"sourceIPAddress": "127.0.0.1"},
        "responseElements": {"x-amz-request-id": "C3D13FE58DE4C810"},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "testConfigRule",
            "bucket": {
                "name": bucket,
                "ownerIdentity": {"principalId": "A3NL1KOZZKExample"},
                "arn": f"arn:aws:s3:::{bucket}",
            },
            "object": created,
        },
    }


TEST_EVENT = {
    "Service": "Amazon S3",
    "Event": "s3:TestEvent",
    "Time": "2026-11-12T00:00:00.000Z",
    "Bucket": BUCKET,
    "RequestId": "5582815E1AEA5ADF",
    "HostId": "8cLeGAmw098X5cv4Zkwcmo8vvZa3eH3eKxsPzbB9wrR+YstdA6Knx4Ip8EXAMPLE",
}


def batch(bodies: Sequence[object], *, receives: int = 1) -> dict[str, Any]:
    """Return a batch of messages as SQS sends it to Lambda; a body that is not a string becomes JSON."""
    return {
        "Records": [
            {
                "messageId": f"message-{number}",
                "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
                "body": body if isinstance(body, str) else json.dumps(body),
                "attributes": {
                    "ApproximateReceiveCount": str(receives),
                    "SentTimestamp": "1545082649183",
                    "SenderId": "AIDAIENQZJOLO23YVJ4VO",
                    "ApproximateFirstReceiveTimestamp": "1545082649185",
                },
                "messageAttributes": {},
                "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
                "eventSource": "aws:sqs",
                "eventSourceARN": f"arn:aws:sqs:{REGION}:{ACCOUNT}:analytics-queue",
                "awsRegion": REGION,
            }
            for number, body in enumerate(bodies)
        ]
    }


class Context(LambdaContext):
    """Lambda's context object. `left` has the remaining seconds that it returns, one after another."""

    def __init__(self, *, seconds: float = 300, left: Sequence[float] = ()) -> None:
        self._function_name = "analytics-etl"
        self._function_version = "$LATEST"
        self._invoked_function_arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:analytics-etl"
        self._memory_limit_in_mb = 1024
        self._aws_request_id = str(uuid4())
        self._answers = [*left] or [seconds]

    def get_remaining_time_in_millis(self) -> int:  # pyright: ignore[reportIncompatibleMethodOverride]
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return int(answer * 1000)
