"""`python -m ops reconcile` finds changes whose events were not handled, and the function repairs them."""

import contextlib
import json
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from handler.job_records import job_id as job_id_of_the_function
from handler.outputs import Output, output_key
from handler.register import register_id as register_id_of_the_function
from local.cloud import Cloud
from ops import deployed_stacks, outputs, table
from ops.object_events import new_replay_id, send
from tests.ops.conftest import Run

GOOD = b"id,price\n" + b"".join(b"%d,1.5\n" % number for number in range(20))
FLAWED = GOOD + b"1,2,3\n"


class Lake:
    """Keys with one prefix in a deployed region, and the findings of `reconcile`."""

    def __init__(self, cloud: Cloud, region: str, ops: Run) -> None:
        self.cloud, self.region, self._ops = cloud, region, ops
        self.prefix = f"input/reconcile-{uuid.uuid4().hex[:8]}/"
        self.key = f"{self.prefix}a table.csv"
        self.bucket = cloud.outputs[region]["bucketName"]
        self.s3 = cloud.client("s3", region)

    def upload(self, body: bytes = GOOD) -> str:
        version = self.cloud.upload(self.region, self.key, body)
        self.cloud.run_until_idle()
        return version

    def delete(self, version: str | None = None) -> str:
        gone = self.cloud.delete(self.region, self.key, version)
        self.cloud.run_until_idle()
        return gone

    def remove(self, version: str) -> None:
        """Permanently delete a version, which the bucket's policy denies to users."""
        policy = self.s3.get_bucket_policy(Bucket=self.bucket)["Policy"]
        self.s3.delete_bucket_policy(Bucket=self.bucket)
        try:
            self.delete(version)
        finally:
            self.s3.put_bucket_policy(Bucket=self.bucket, Policy=policy)

    @contextlib.contextmanager
    def no_events(self) -> Iterator[None]:
        """Disable the rule, so that the function gets no events meanwhile."""
        events = self.cloud.client("events", self.region)
        (rule,) = events.list_rules(NamePrefix="analytics-s3-events-")["Rules"]
        events.disable_rule(Name=rule["Name"])
        try:
            yield
        finally:
            events.enable_rule(Name=rule["Name"])

    def reconcile(self, *options: str) -> dict[str, Any]:
        answer = self._ops(
            *("reconcile", self.prefix, "--older-than", "0m", "--json", "--stack", self.region, *options)
        )
        assert answer.status == 0, answer.err
        return json.loads(answer.out)

    def repair(self) -> dict[str, int]:
        """Repair and return the differences; check that none is left."""
        dry = self.reconcile()
        assert dry["sent"] == 0
        assert self.cloud.messages(self.region) == 0
        done = self.reconcile("--yes")
        assert done["differences"] == dry["differences"]
        assert done["sent"] == sum(dry["differences"].values())
        self.cloud.run_until_idle()
        assert self.reconcile()["differences"] == {}
        return dry["differences"]

    def published(self) -> list[str]:
        """Return the kinds of results that exist."""
        return [
            kind for kind, key in outputs.output_keys(self.key).items() if self.cloud.keys(self.region, key)
        ]

    def take_away(self, key: str) -> None:
        """Delete a result without the bucket's policy."""
        policy = self.s3.get_bucket_policy(Bucket=self.bucket)["Policy"]
        self.s3.delete_bucket_policy(Bucket=self.bucket)
        try:
            self.s3.delete_object(Bucket=self.bucket, Key=key)
        finally:
            self.s3.put_bucket_policy(Bucket=self.bucket, Policy=policy)

    def put(self, key: str, metadata: Mapping[str, str] | None = None) -> None:
        """Write a foreign object under the key of a result."""
        policy = self.s3.get_bucket_policy(Bucket=self.bucket)["Policy"]
        self.s3.delete_bucket_policy(Bucket=self.bucket)
        try:
            self.s3.put_object(Bucket=self.bucket, Key=key, Body=b"foreign", Metadata=metadata or {})
        finally:
            self.s3.put_bucket_policy(Bucket=self.bucket, Policy=policy)


@pytest.fixture
def lake(cloud: Cloud, region: str, ops: Run) -> Lake:
    return Lake(cloud, region, ops)


def test_nothing_differs_if_every_event_was_handled(lake: Lake) -> None:
    lake.upload(FLAWED)
    lake.upload(GOOD)
    lake.delete()
    lake.upload(bytes(range(256)))
    found = lake.reconcile()
    assert (found["keys"], found["differences"]) == (1, {})


def test_a_lost_creation(lake: Lake) -> None:
    with lake.no_events():
        lake.upload()
    assert lake.repair() == {"lost creation": 1}
    assert lake.published() == ["output_path", "profile_path"]


def test_a_lost_creation_of_a_newer_version(lake: Lake) -> None:
    lake.upload(FLAWED)
    with lake.no_events():
        version = lake.upload(GOOD)
    assert lake.repair() == {"lost creation": 1}
    assert lake.published() == ["output_path", "profile_path"]
    (newest,) = (job for job in lake.cloud.jobs(lake.region, lake.key) if job["version_id"] == version)
    assert newest["status"] == "COMPLETED"


def test_a_lost_deletion(lake: Lake) -> None:
    lake.upload()
    with lake.no_events():
        lake.delete()
    assert lake.repair() == {"lost deletion": 1}
    assert lake.published() == []
    (job,) = lake.cloud.jobs(lake.region, lake.key)
    assert job["status"] == "WITHDRAWN"


def test_a_removed_marker(lake: Lake) -> None:
    lake.upload()
    marker = lake.delete()
    with lake.no_events():
        lake.remove(marker)
    assert lake.repair() == {"removed marker": 1}
    assert lake.published() == ["output_path", "profile_path"]


def test_a_stale_register(lake: Lake) -> None:
    lake.upload(GOOD)
    newer = lake.upload(FLAWED)
    with lake.no_events():
        lake.remove(newer)
    assert lake.repair() == {"stale register": 1}
    assert lake.published() == ["output_path", "profile_path"]


def test_a_missing_output(lake: Lake) -> None:
    lake.upload()
    lake.take_away(outputs.output_key("output_path", lake.key))
    assert lake.repair() == {"missing output": 1}
    assert lake.published() == ["output_path", "profile_path"]


def test_a_stray_output(lake: Lake) -> None:
    lake.upload()
    lake.put(outputs.output_key("rejected_path", lake.key))
    assert lake.repair() == {"stray output": 1}
    assert lake.published() == ["output_path", "profile_path"]


@pytest.mark.parametrize("known", [True, False])
def test_an_output_without_an_upload(lake: Lake, known: bool) -> None:
    if known:
        lake.upload()
        lake.delete()
    lake.put(outputs.output_key("output_path", lake.key))
    assert lake.repair() == {"output without upload": 1}
    assert lake.published() == []


def test_an_unfinished_job(lake: Lake) -> None:
    version = lake.upload()
    lake.cloud.client("dynamodb", lake.region).update_item(
        TableName=lake.cloud.outputs[lake.region]["tableName"],
        Key={"job_id": {"S": table.job_id(lake.bucket, lake.key, version)}},
        UpdateExpression="SET #status = :started, retryable = :true, lease_until = :past",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={
            ":started": {"S": "STARTED"},
            ":true": {"BOOL": True},
            ":past": {"N": "1"},
        },
    )
    assert lake.repair() == {"unfinished job": 1}


def test_results_of_expired_uploads_stay(lake: Lake) -> None:
    lake.upload()
    s3 = lake.s3
    kept = s3.get_bucket_lifecycle_configuration(Bucket=lake.bucket)["Rules"]
    rule = {
        "ID": "expire",
        "Status": "Enabled",
        "Filter": {"Prefix": lake.prefix},
        "Expiration": {"Days": 30},
    }
    s3.put_bucket_lifecycle_configuration(Bucket=lake.bucket, LifecycleConfiguration={"Rules": [*kept, rule]})
    try:
        with lake.no_events():
            lake.cloud.pass_days(lake.bucket, 30)
        found = lake.reconcile("--yes")
        assert (found["differences"], found["expired"]) == ({}, 1)
        assert lake.reconcile("--withdraw-expired")["differences"] == {"lost deletion": 1}
    finally:
        s3.put_bucket_lifecycle_configuration(Bucket=lake.bucket, LifecycleConfiguration={"Rules": kept})


def test_results_outside_of_the_upload_prefixes_are_counted_and_stay(lake: Lake, ops: Run) -> None:
    """The function ignores the events of such keys, so no event repairs them."""
    lake.upload()
    client = lake.cloud.client("lambda", lake.region)
    function = {"FunctionName": lake.cloud.outputs[lake.region]["functionArn"]}
    variables = client.get_function_configuration(**function)["Environment"]["Variables"]
    narrowed = variables | {"UPLOAD_PREFIXES": '["narrowed/"]'}
    client.update_function_configuration(**function, Environment={"Variables": narrowed})
    try:
        found = lake.reconcile("--yes")
        shown = ops("reconcile", lake.prefix, "--older-than", "0m", "--stack", lake.region).out
    finally:
        client.update_function_configuration(**function, Environment={"Variables": variables})
    assert (found["keys"], found["differences"], found["outside"], found["sent"]) == (0, {}, 1, 0)
    assert "Skipped 1 keys with results outside of uploadPrefixes" in shown
    assert lake.published() == ["output_path", "profile_path"]


@pytest.mark.parametrize("metadata", [{}, {"job-id": "none"}])
def test_a_foreign_object_with_the_name_of_a_hashed_result_is_skipped(
    lake: Lake, metadata: dict[str, str]
) -> None:
    lake.put(f"processed/{lake.prefix}x~{'0' * 64}.parquet", metadata)
    assert lake.reconcile()["differences"] == {}


def test_results_with_shortened_names_are_found_under_a_long_prefix(lake: Lake) -> None:
    """The prefix is longer than what the names of the results have of the key."""
    lake.prefix += "d" * 950 + "/"
    lake.key = f"{lake.prefix}{'x' * 20}.csv"
    lake.upload(FLAWED)
    assert lake.published() == ["output_path", "rejected_path", "profile_path"]
    assert lake.reconcile()["differences"] == {}
    lake.delete()
    lake.put(outputs.output_key("output_path", lake.key))
    assert lake.repair() == {"output without upload": 1}


def test_recently_changed_keys_are_skipped(lake: Lake, ops: Run) -> None:
    with lake.no_events():
        lake.upload()
    answer = ops("reconcile", lake.prefix, "--stack", lake.region)
    assert "Skipped 1 keys that changed recently" in answer.out
    assert "0 differ" in answer.out


def test_an_interrupted_reconciliation_is_resumed(
    lake: Lake, ops: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    with lake.no_events():
        for number in range(12):
            lake.cloud.upload(lake.region, f"{lake.prefix}{number:02}.csv", GOOD)

    def stop(*arguments: Any) -> Iterator[int]:
        for sent in send(*arguments):
            yield sent
            raise KeyboardInterrupt

    monkeypatch.setattr("ops.object_events.send", stop)
    stopped = ops("reconcile", lake.prefix, "--older-than", "0m", "--yes", "--stack", lake.region)
    assert stopped.status == 130
    identifier = stopped.err.split("--resume ")[1].split()[0]
    lake.cloud.run_until_idle()
    monkeypatch.setattr("ops.object_events.send", send)
    assert lake.reconcile("--resume", identifier, "--yes")["differences"] == {"lost creation": 2}
    lake.cloud.run_until_idle()
    assert lake.reconcile()["differences"] == {}


def test_a_reconciliation_that_the_function_would_ignore_is_refused(lake: Lake, ops: Run) -> None:
    version = lake.upload()
    lake.take_away(outputs.output_key("output_path", lake.key))
    lake.cloud.client("dynamodb", lake.region).update_item(
        TableName=lake.cloud.outputs[lake.region]["tableName"],
        Key={"job_id": {"S": table.job_id(lake.bucket, lake.key, version)}},
        UpdateExpression="SET replay_id = :newer",
        ExpressionAttributeValues={":newer": {"S": "29990101T000000Z-0a1b2c3d"}},
    )
    (stack,) = deployed_stacks.find(names=[lake.region], outputs_files=[], local=True).stacks
    resume = ("--resume", new_replay_id(stack))
    for options, remedy in {(): "set the clock", resume: "leave out --resume"}.items():
        answer = ops(
            "reconcile", lake.prefix, "--older-than", "0m", "--yes", "--stack", lake.region, *options
        )
        assert answer.status == 2
        assert "has been replayed as 29990101T000000Z-0a1b2c3d" in answer.err
        assert remedy in answer.err
        assert lake.cloud.messages(lake.region) == 0


def test_ids_and_keys_are_those_that_the_function_forms() -> None:
    subject = ("bucket", "input/ä b+c%.csv", "version")
    assert table.job_id(*subject) == job_id_of_the_function(*subject)
    assert table.register_id(*subject[:2]) == register_id_of_the_function(*subject[:2])
    kinds = {"output_path": Output.PARQUET, "rejected_path": Output.REJECTS, "profile_path": Output.PROFILE}
    for key in ("a.csv", "x" * 1024, "é" * 512, f"a~{'0' * 64}"):
        for kind, output in kinds.items():
            assert outputs.output_key(kind, key) == output_key(output, key)
            assert outputs.source_key(output_key(output, key)) in (key, None)
            for prefix in ("", key[:1], key[:-1], key):
                assert output_key(output, key).startswith(outputs.listing_prefix(kind, prefix))
    assert outputs.source_key("processed/_profiles/a.csv.json") == "a.csv"
