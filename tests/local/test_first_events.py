"""S3 sends no events in a bucket's first minutes, and one event for a multipart upload."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from local.alarms import CloudWatch
from local.moto_patches.first_events import START_SECONDS
from local.server import Server
from tests.local.sample_function import arn

REGION = "eu-west-1"
PART = 5 * 1024 * 1024


@pytest.fixture(scope="module")
def slow() -> Iterator[Server]:
    """A server whose buckets begin to send events after five minutes."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(START_SECONDS, "300")
        with Server() as running:
            yield running


def bucket_with_events(server: Server, name: str) -> Any:
    """Create a bucket whose events of new objects go to a queue; return a function that receives them."""
    s3, sqs, events = (server.client(service, REGION) for service in ("s3", "sqs", "events"))
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn(REGION, name)}
        ],
    }
    url = sqs.create_queue(QueueName=name, Attributes={"Policy": json.dumps(policy)})["QueueUrl"]
    pattern = {"detail-type": ["Object Created"], "detail": {"bucket": {"name": [name]}}}
    events.put_rule(Name=name, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn(REGION, name)}])
    configuration = {"EventBridgeConfiguration": {}}
    s3.put_bucket_notification_configuration(Bucket=name, NotificationConfiguration=configuration)

    def received() -> list[Any]:
        messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(message["Body"])["detail"] for message in messages]

    return received


def test_uploads_of_the_first_minutes_make_no_event(slow: Server) -> None:
    received = bucket_with_events(slow, "slow")
    s3, clock = slow.client("s3", REGION), CloudWatch(slow)
    s3.put_object(Bucket="slow", Key="first.csv", Body=b"a\n1\n")
    clock.set_clock(timedelta(seconds=290))
    s3.put_object(Bucket="slow", Key="second.csv", Body=b"a\n1\n")
    assert received() == []
    clock.set_clock(timedelta(seconds=301))
    s3.put_object(Bucket="slow", Key="third.csv", Body=b"a\n1\n")
    assert [detail["object"]["key"] for detail in received()] == ["third.csv"]


def test_the_same_configuration_again_does_not_delay_events(slow: Server) -> None:
    received = bucket_with_events(slow, "again")
    s3, clock = slow.client("s3", REGION), CloudWatch(slow)
    clock.set_clock(timedelta(seconds=900))
    configuration = {"EventBridgeConfiguration": {}}
    s3.put_bucket_notification_configuration(Bucket="again", NotificationConfiguration=configuration)
    s3.put_object(Bucket="again", Key="one.csv", Body=b"a\n1\n")
    assert len(received()) == 1


def test_an_upload_in_parts_makes_one_event(slow: Server) -> None:
    received = bucket_with_events(slow, "parts")
    s3, upload = slow.client("s3", REGION), {"Bucket": "parts", "Key": "large.csv"}
    CloudWatch(slow).set_clock(timedelta(seconds=1800))
    upload["UploadId"] = s3.create_multipart_upload(**upload)["UploadId"]
    parts = [
        {"PartNumber": number, "ETag": s3.upload_part(**upload, PartNumber=number, Body=b"a" * PART)["ETag"]}
        for number in (1, 2)
    ]
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
    (detail,) = received()
    assert detail["reason"] == "CompleteMultipartUpload"
    assert detail["object"]["size"] == 2 * PART
    assert detail["event-version"] == "1.0"
