"""S3's events of deletions and its lifecycle rules in the embedded AWS."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from local.cloud import Cloud


class Bucket:
    """A new bucket whose events all go to a queue."""

    def __init__(self, cloud: Cloud, region: str) -> None:
        self._cloud = cloud
        self.s3, self._sqs = cloud.client("s3", region), cloud.client("sqs", region)
        self._events = cloud.client("events", region)
        self.name = f"deletions-{uuid.uuid4().hex[:12]}"
        elsewhere = {"CreateBucketConfiguration": {"LocationConstraint": region}}
        self.s3.create_bucket(Bucket=self.name, **({} if region == "us-east-1" else elsewhere))
        self.s3.put_bucket_versioning(Bucket=self.name, VersioningConfiguration={"Status": "Enabled"})
        self.s3.put_bucket_notification_configuration(
            Bucket=self.name, NotificationConfiguration={"EventBridgeConfiguration": {}}
        )
        self._queue = self._sqs.create_queue(QueueName=self.name)["QueueUrl"]
        arn = self._sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])["Attributes"]
        admitted = {
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn["QueueArn"],
        }
        self._sqs.set_queue_attributes(
            QueueUrl=self._queue,
            Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": [admitted]})},
        )
        pattern = {"source": ["aws.s3"], "detail": {"bucket": {"name": [self.name]}}}
        self._events.put_rule(Name=self.name, EventPattern=json.dumps(pattern))
        self._events.put_targets(Rule=self.name, Targets=[{"Id": "queue", "Arn": arn["QueueArn"]}])

    def put(self, key: str, body: bytes = b"x", **more: Any) -> str:
        return self.s3.put_object(Bucket=self.name, Key=key, Body=body, **more)["VersionId"]

    def keep(self, *rules: dict[str, Any]) -> None:
        numbered = [
            {"ID": f"{number}", "Status": "Enabled", "Filter": {"Prefix": ""}, **rule}
            for number, rule in enumerate(rules)
        ]
        self.s3.put_bucket_lifecycle_configuration(
            Bucket=self.name, LifecycleConfiguration={"Rules": numbered}
        )

    def events(self) -> list[dict[str, Any]]:
        """Receive and delete the events in the queue, oldest first."""
        events = []
        while received := self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10).get(
            "Messages"
        ):
            for message in received:
                events.append(json.loads(message["Body"]))
                self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
        return events

    def close(self) -> None:
        self._events.remove_targets(Rule=self.name, Ids=["queue"])
        self._events.delete_rule(Name=self.name)
        self._sqs.delete_queue(QueueUrl=self._queue)


@pytest.fixture
def bucket(cloud: Cloud, region: str) -> Iterator[Bucket]:
    made = Bucket(cloud, region)
    yield made
    made.close()


def deletions(events: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    """Return type, reason and version of each event of a deletion."""
    return [
        (event["detail"]["deletion-type"], event["detail"]["reason"], event["detail"]["object"]["version-id"])
        for event in events
    ]


MADE, REMOVED = "Delete Marker Created", "Permanently Deleted"


def test_each_deletion_has_an_event_with_the_fields_of_s3(bucket: Bucket) -> None:
    version = bucket.put("a.csv")
    bucket.events()
    marker = bucket.s3.delete_object(Bucket=bucket.name, Key="a.csv")["VersionId"]
    bucket.s3.delete_object(Bucket=bucket.name, Key="a.csv", VersionId=marker)
    bucket.s3.delete_object(Bucket=bucket.name, Key="a.csv", VersionId=version)
    events = bucket.events()
    assert deletions(events) == [
        (MADE, "DeleteObject", marker),
        (REMOVED, "DeleteObject", marker),
        (REMOVED, "DeleteObject", version),
    ]
    for event in events:
        assert event["detail-type"] == "Object Deleted"
        assert event["detail"]["object"].keys() == {"key", "version-id", "etag", "sequencer"}
        assert event["detail"]["object"]["etag"] == "d41d8cd98f00b204e9800998ecf8427e"
        assert event["detail"]["source-ip-address"]


def test_a_deletion_on_top_of_a_delete_marker_makes_another(bucket: Bucket) -> None:
    bucket.put("a.csv")
    bucket.events()
    markers = [bucket.s3.delete_object(Bucket=bucket.name, Key="a.csv")["VersionId"] for _ in range(2)]
    assert deletions(bucket.events()) == [(MADE, "DeleteObject", marker) for marker in markers]


def test_a_batch_deletion_has_an_event_for_each_object(bucket: Bucket) -> None:
    versions = {key: bucket.put(key) for key in ("a", "b", "c")}
    bucket.events()
    wanted = [{"Key": "a"}, {"Key": "b", "VersionId": versions["b"]}, {"Key": "c"}]
    bucket.s3.delete_objects(Bucket=bucket.name, Delete={"Objects": wanted})
    events = bucket.events()
    assert [event["detail"]["object"]["key"] for event in events] == ["a", "b", "c"]
    assert [event["detail"]["deletion-type"] for event in events] == [MADE, REMOVED, MADE]


def test_sequencers_grow_and_differ_in_length(bucket: Bucket) -> None:
    for _ in range(4):
        bucket.put("a.csv")
        bucket.s3.delete_object(Bucket=bucket.name, Key="a.csv")
    sequencers = [event["detail"]["object"]["sequencer"] for event in bucket.events()]
    padded = [sequencer.ljust(32, "0") for sequencer in sequencers]
    assert len({len(sequencer) for sequencer in sequencers}) == 2
    assert sorted(set(padded)) == padded


def test_a_lifecycle_rule_expires_moves_and_removes_when_days_pass(cloud: Cloud, bucket: Bucket) -> None:
    bucket.keep(
        {"Filter": {"Prefix": "old/"}, "Expiration": {"Days": 10}},
        {"Filter": {"Prefix": "input/"}, "Transitions": [{"Days": 5, "StorageClass": "GLACIER"}]},
        {
            "NoncurrentVersionExpiration": {"NoncurrentDays": 20},
            "Expiration": {"ExpiredObjectDeleteMarker": True},
        },
    )
    expiring = bucket.put("old/a.csv")
    bucket.put("input/large.csv", b"x" * 128 * 1024)
    bucket.put("input/small.csv")
    bucket.events()

    cloud.pass_days(bucket.name, 5)
    classes = {
        item["Key"]: item["StorageClass"]
        for item in bucket.s3.list_objects_v2(Bucket=bucket.name)["Contents"]
    }
    assert classes == {"old/a.csv": "STANDARD", "input/large.csv": "GLACIER", "input/small.csv": "STANDARD"}
    assert [event for event in bucket.events() if event["detail-type"] == "Object Deleted"] == []

    cloud.pass_days(bucket.name, 5)
    (expired,) = bucket.events()
    (marker,) = bucket.s3.list_object_versions(Bucket=bucket.name)["DeleteMarkers"]
    assert deletions([expired]) == [(MADE, "Lifecycle Expiration", marker["VersionId"])]
    assert expired["detail"]["requester"] == "s3.amazonaws.com"
    assert "source-ip-address" not in expired["detail"]

    cloud.pass_days(bucket.name, 20)
    assert deletions(bucket.events()) == [
        (REMOVED, "Lifecycle Expiration", expiring),
        (REMOVED, "Lifecycle Expiration", marker["VersionId"]),
    ]
    assert [item["Key"] for item in bucket.s3.list_object_versions(Bucket=bucket.name)["Versions"]] == [
        "input/large.csv",
        "input/small.csv",
    ]
