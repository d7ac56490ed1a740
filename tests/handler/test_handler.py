"""The handler as Lambda calls it, with moto's server: its answers, records, outputs, metrics and log."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from job_records import job_id
from outputs import Output, output_key
from register import register_id
from tests.handler.aws import Delivered, FunctionProcess, Stack
from tests.handler.deliveries import TEST_EVENT, batch, deleted, eventbridge, notification
from tests.handler.test_s3_events import KEYS

CSV = b"carrier,delay\nAA,5\nUA,-3\n"


class Lake:
    """A stack and its function."""

    def __init__(self, stack: Stack, function: FunctionProcess) -> None:
        self.stack = stack
        self._function = function

    def send(self, event: Any, **how: Any) -> Delivered:
        return self._function.deliver(event, stack=self.stack.name, **how)

    def created(self, key: str, version_id: str | None, **more: Any) -> dict[str, Any]:
        return eventbridge(key, version_id, bucket=self.stack.name, **more)

    def delete(self, key: str, version_id: str = "", **how: Any) -> Delivered:
        """Delete a key as a user, or a version permanently, and deliver the event."""
        named = {"VersionId": version_id} if version_id else {}
        gone = self.stack.s3.delete_object(Bucket=self.stack.name, Key=key, **named)["VersionId"]
        event = deleted(key, gone, bucket=self.stack.name, for_good=bool(version_id), **how)
        delivered = self.send(batch([event]))
        assert delivered.acknowledged, delivered.log
        return delivered

    def undelete(self, key: str) -> Delivered:
        """Remove the newest delete marker, and deliver the event."""
        listed = self.stack.s3.list_object_versions(Bucket=self.stack.name, Prefix=key)["DeleteMarkers"]
        (marker,) = (each["VersionId"] for each in listed if each["IsLatest"])
        return self.delete(key, marker)

    def register(self, key: str) -> dict[str, Any]:
        item = self.stack.items()[register_id(self.stack.name, key)]
        return {name: next(iter(value.values())) for name, value in item.items()}

    def process(self, key: str, body: bytes, **how: Any) -> dict[str, Any]:
        """Upload, deliver the event, and return the job record as plain values."""
        version = self.stack.upload(key, body)
        delivered = self.send(batch([self.created(key, version)]), **how)
        assert delivered.acknowledged, delivered.log
        return self.job(key, version)

    def job(self, key: str, version: str) -> dict[str, Any]:
        item = self.stack.items().get(job_id(self.stack.name, key, version), {})
        return {name: next(iter(value.values())) for name, value in item.items()}

    def published(self) -> set[str]:
        return {key for key in self.stack.objects() if key.startswith(("processed/", "rejected/"))}


@pytest.fixture
def lake(stack: Stack, function: FunctionProcess) -> Lake:
    return Lake(stack, function)


def emitted(delivered: Delivered) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in delivered.log if line.startswith("{")]
    return [line for line in lines if "_aws" in line]


def test_an_object_becomes_parquet_a_profile_a_record_a_log_line_and_metrics(lake: Lake) -> None:
    version = lake.stack.upload("input/flights/jan.csv", CSV)
    delivered = lake.send(batch([lake.created("input/flights/jan.csv", version)]))
    assert delivered.answer == {"batchItemFailures": []}

    job = lake.job("input/flights/jan.csv", version)
    assert {name: job[name] for name in ("status", "rows_in", "rows_out", "rows_rejected", "bytes_in")} == {
        "status": "COMPLETED",
        "rows_in": "2",
        "rows_out": "2",
        "rows_rejected": "0",
        "bytes_in": str(len(CSV)),
    }
    assert job["region"] == "us-east-1"
    assert job["environment_suffix"] == "test"
    assert job["output_path"] == "processed/input/flights/jan.csv.parquet"
    assert job["profile_path"] == "processed/_profiles/input/flights/jan.csv.json"
    assert "rejected_path" not in job
    assert (job["column_count"], job["header"]) == ("2", "typed")
    assert "carrier" not in json.dumps(job), "the record must not contain column names, which may be data"
    assert lake.published() == {job["output_path"], job["profile_path"]}

    totals, by_dataset = emitted(delivered)
    assert totals["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["EnvironmentSuffix"]]
    assert totals["EnvironmentSuffix"] == "test"
    assert [totals[name] for name in ("JobsCompleted", "RowsIn", "RowsOut", "RowsRejected")] == [
        [1.0],
        [2.0],
        [2.0],
        [0.0],
    ]
    assert {"BytesIn", "BytesOut", "Duration", "UploadToReadyLatency"} <= totals.keys()
    assert by_dataset["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["EnvironmentSuffix", "Dataset"]]
    assert (by_dataset["Dataset"], by_dataset["JobsCompleted"]) == ("other", [1.0])
    (line,) = [json.loads(line) for line in delivered.log if "job finished" in line]
    assert (line["job_id"], line["status"]) == (job["job_id"], "COMPLETED")


@pytest.mark.parametrize(
    ("key", "part"),
    [
        ("in/_x.csv", "'_x.csv.parquet'"),
        ("in/.old/x.csv", "'.old'"),
        ("_x", "'_x.parquet'"),
        ("in/dir/", "'.parquet'"),
    ],
)
def test_a_key_that_some_engines_do_not_read_has_a_warning(lake: Lake, key: str, part: str) -> None:
    assert lake.process(key, CSV)["status"] == "COMPLETED"
    (item,) = [item for item in lake.stack.items().values() if "warnings" in item]
    (warning,) = item["warnings"]["L"]
    assert part in warning["S"]
    lake.process("in/x_.csv", CSV)
    assert len([item for item in lake.stack.items().values() if "warnings" in item]) == 1


def test_a_duplicate_does_nothing_and_counts_nothing(lake: Lake) -> None:
    version = lake.stack.upload("a.csv", CSV)
    event = batch([lake.created("a.csv", version)])
    first = lake.send(event)
    state = lake.stack.items()
    again = lake.send(event)
    assert again.acknowledged
    assert again.calls == ("UpdateItem",)
    assert len(emitted(first)) == 2
    assert emitted(again) == []
    assert lake.stack.items() == state


@pytest.mark.parametrize("key", [key for key in KEYS if not key.endswith("/") and key.isprintable()])
def test_any_key_is_processed_by_every_kind_of_event(lake: Lake, key: str) -> None:
    if ".." not in key:  # moto's server resolves dots in keys; S3 does not.
        assert lake.process(key, CSV)["status"] == "COMPLETED"
        again = lake.send({"Records": [notification(key, bucket=lake.stack.name)]})
        assert again.answer == {"statusCode": 200, "body": '"Processing completed successfully"'}
        assert len(lake.stack.items()) == 2, "the notification made another job or register"


def test_output_keys_have_at_most_1024_bytes() -> None:
    for output in Output:
        for key in ["x" * 1024, "x" * 1023 + "y", "é" * 512, "é" * 511 + "xy"]:
            assert len(output_key(output, key).encode()) <= 1024
    assert output_key(Output.REJECTS, "a b/c") == "rejected/a b/c.jsonl"


@given(st.text("xé~/", max_size=1024), st.integers(900, 1024))
def test_no_two_keys_have_one_output(text: str, length: int) -> None:
    """This holds for keys that are made from the name of another key's output too."""
    keys = {text or "x", (text * 1024 or "x" * 1024).encode()[:length].decode(errors="ignore")}
    for _ in range(3):
        made = {
            output_key(output, key).partition("/")[2].rpartition(".")[0] for key in keys for output in Output
        }
        keys |= {key for key in made if 0 < len(key.encode()) <= 1024}
    written = [output_key(output, key) for key in keys for output in Output]
    assert len(set(written)) == len(written)


@pytest.mark.parametrize(("key", "body"), [("folder/", b""), ("empty.csv", b"")])
def test_an_empty_object_is_skipped_with_a_reason(lake: Lake, key: str, body: bytes) -> None:
    job = lake.process(key, body)
    assert (job["status"], job["error"]) == ("SKIPPED", "the object is empty")
    assert lake.published() == set()


def test_an_upload_that_was_deleted_before_is_skipped(lake: Lake) -> None:
    version = lake.stack.upload("a.csv", CSV)
    lake.stack.s3.delete_object(Bucket=lake.stack.name, Key="a.csv")
    assert lake.send(batch([lake.created("a.csv", version)])).acknowledged
    job = lake.job("a.csv", version)
    assert (job["status"], job["error"]) == ("SKIPPED", "deleted before it was processed")

    removed = lake.stack.upload("b.csv", CSV)
    lake.stack.s3.delete_object(Bucket=lake.stack.name, Key="b.csv", VersionId=removed)
    lake.stack.upload("b.csv", CSV)
    assert lake.send(batch([lake.created("b.csv", removed)])).acknowledged
    assert lake.job("b.csv", removed)["status"] == "SUPERSEDED", "another version was read instead"

    assert lake.send({"Records": [notification("a.csv", bucket=lake.stack.name)]}).answer


def test_s3_may_deny_a_version_that_was_deleted_permanently(lake: Lake) -> None:
    removed = lake.stack.upload("a.csv", CSV)
    lake.stack.s3.delete_object(Bucket=lake.stack.name, Key="a.csv", VersionId=removed)
    lake.stack.upload("a.csv", CSV)
    assert lake.send(batch([lake.created("a.csv", removed)]), fault=["denied", 2, 1]).acknowledged
    assert lake.job("a.csv", removed)["status"] == "SUPERSEDED"


def test_a_job_record_expires_if_that_is_set_and_a_register_never_does(lake: Lake) -> None:
    version = lake.stack.upload("a.csv", CSV)
    lake.send(batch([lake.created("a.csv", version)]), retention_days=7)
    job = lake.job("a.csv", version)
    assert 0 <= float(job["timestamp"]) + 7 * 86400 - int(job["expires_at"]) < 1
    (register,) = (item for name, item in lake.stack.items().items() if name.startswith("latest#"))
    assert "expires_at" not in register

    lake.send(batch([lake.created("a.csv", version, replay_id="20300101T000000Z")]))
    assert "expires_at" not in lake.job("a.csv", version)


def test_an_archived_upload_is_skipped(lake: Lake) -> None:
    lake.stack.s3.put_object(Bucket=lake.stack.name, Key="a.csv", Body=CSV, StorageClass="GLACIER")
    (version,) = lake.stack.s3.list_object_versions(Bucket=lake.stack.name)["Versions"]
    assert lake.send(batch([lake.created("a.csv", version["VersionId"])])).acknowledged
    job = lake.job("a.csv", version["VersionId"])
    assert job["status"] == "SKIPPED"
    assert job["error"].startswith("archived")


@pytest.mark.parametrize(
    ("fault", "requests"), [("denied", 1), ("denied", 3), ("own key", 4), ("key disabled", 1)]
)
def test_a_single_denied_object_is_failed_with_the_reason(lake: Lake, fault: str, requests: int) -> None:
    """A HEAD needs no right to the object's KMS key, but needs a key that the uploader provided (SSE-C).

    After a HEAD with status 400, botocore sends a request of its own for the bucket's region.
    """
    assert lake.process("readable.csv", CSV)["status"] == "COMPLETED"
    job = lake.process("a.csv", CSV, fault=[fault, 2, requests])
    assert job["status"] == "FAILED"
    assert not job["retryable"]
    assert "S3 denies the object to the function (GetObject: " in job["error"]
    assert len(job["error"]) < 500


def test_a_denied_object_is_failed_if_it_is_the_only_one(lake: Lake) -> None:
    assert lake.process("a.csv", CSV, fault=["denied", 2, 1])["status"] == "FAILED"


def test_a_denied_object_is_repeated_if_others_are_denied_too(lake: Lake) -> None:
    lake.process("readable.csv", CSV)
    version = lake.stack.upload("a.csv", CSV)
    event = batch([lake.created("a.csv", version)])
    refused = lake.send(event, fault=["objects denied", 2, 40])
    assert refused.calls[:5] == ("UpdateItem", "GetObject", "HeadObject", "ListObjectsV2", "GetObject")
    assert not refused.acknowledged
    assert lake.job("a.csv", version)["status"] == "STARTED"
    assert lake.send(event, clock=1800).acknowledged
    assert lake.job("a.csv", version)["status"] == "COMPLETED"


def test_unreadable_data_is_failed_at_once_and_not_retried(lake: Lake) -> None:
    job = lake.process("a.csv", b"a,b\n" + bytes(range(256)) * 8)
    assert job["status"] == "FAILED"
    assert not job["retryable"]
    assert 5 < len(job["error"]) <= 500
    assert not any(key.startswith("processed/") for key in lake.published())


def test_a_failed_newest_version_leaves_nothing_of_an_older_one(lake: Lake) -> None:
    lake.process("a.csv", CSV)
    assert lake.published()
    version = lake.stack.upload("a.csv", b"\x89PNG\r\n\x1a\n" + bytes(200))
    lake.send(batch([lake.created("a.csv", version)]))
    job = lake.job("a.csv", version)
    assert job["status"] == "FAILED"
    assert lake.published() <= {job.get("rejected_path")}


def test_an_invalid_message_goes_back_with_a_logged_reason_and_the_others_are_processed(lake: Lake) -> None:
    version = lake.stack.upload("a.csv", CSV)
    events = [
        "no JSON",
        lake.created("a.csv", version),
        eventbridge("a.csv", version, bucket="another-bucket"),
        TEST_EVENT,
        lake.created("processed/a.csv.parquet", version),
        {"Records": [notification("b.csv", bucket="another-bucket"), notification("c", bucket="x-y-z")]},
    ]
    delivered = lake.send(batch(events))
    assert delivered.answer
    assert [item["itemIdentifier"] for item in delivered.answer["batchItemFailures"]] == [
        "message-0",
        "message-2",
        "message-5",
    ]
    reasons = [json.loads(line)["reason"] for line in delivered.log if '"reason"' in line]
    assert reasons[0] == "the message is not JSON: JSONDecodeError"
    assert "bucket must be" in reasons[1]
    assert lake.job("a.csv", version)["status"] == "COMPLETED"
    assert len(lake.stack.items()) == 2


def test_a_batch_that_fails_as_a_whole_is_an_error_of_the_function(lake: Lake) -> None:
    delivered = lake.send(batch(["no JSON"]))
    assert delivered.answer is None
    assert any("BatchProcessingError" in line for line in delivered.log)


def test_one_message_of_several_records_fails_only_after_all_were_tried(lake: Lake) -> None:
    version = lake.stack.upload("good.csv", CSV)
    records = [
        notification("a.csv", bucket="another-bucket"),
        notification("good.csv", version, bucket=lake.stack.name),
    ]
    assert not lake.send(batch([{"Records": records}])).acknowledged
    assert lake.job("good.csv", version)["status"] == "COMPLETED"


def test_a_direct_call_with_an_unknown_event_is_refused(lake: Lake) -> None:
    delivered = lake.send({"hello": "there"})
    assert delivered.answer is None
    assert any("PoisonError" in line for line in delivered.log)


def test_a_replay_runs_a_finished_job_again_once(lake: Lake) -> None:
    version = lake.stack.upload("a.csv", CSV)
    lake.send(batch([lake.created("a.csv", version)]))
    lake.stack.s3.delete_object(Bucket=lake.stack.name, Key="processed/a.csv.parquet")

    def replay(at: str) -> Delivered:
        event = lake.created("a.csv", version, sequencer=None, replay_id=at)
        return lake.send(batch([event]))

    assert "PutObject" in replay("20300101T000000Z-aa").calls
    assert "processed/a.csv.parquet" in lake.published()
    assert replay("20300101T000000Z-aa").calls == ("UpdateItem",), "the same replay ran twice"
    assert replay("20290101T000000Z-aa").calls == ("UpdateItem",), "an older replay came late and ran"
    later = replay("20300102T000000Z-bb")
    assert later.acknowledged
    assert "PutObject" not in later.calls, "what was published already was written again"
    assert lake.job("a.csv", version)["attempts"] == "3"


@pytest.mark.parametrize("sequencers", [("01", "02"), ("02", "01"), (None, None), ("01", "01")])
def test_s3_decides_which_version_is_current_and_not_the_sequencer(
    lake: Lake, sequencers: tuple[str | None, str | None]
) -> None:
    old, new = lake.stack.upload("a.csv", b"a\n1\n"), lake.stack.upload("a.csv", b"a\n2\n")
    for version, sequencer in zip((new, old), sequencers, strict=True):
        assert lake.send(batch([lake.created("a.csv", version, sequencer=sequencer)])).acknowledged
    assert lake.job("a.csv", new)["status"] == "COMPLETED"
    assert lake.job("a.csv", old)["status"] == "SUPERSEDED"
    newest = lake.stack.upload("a.csv", b"a\n3\n")
    assert lake.send(batch([lake.created("a.csv", newest)])).acknowledged
    assert lake.job("a.csv", newest)["status"] == "COMPLETED"


def test_an_object_too_large_for_the_timeout_is_failed_with_the_figures(lake: Lake) -> None:
    job = lake.process("a.csv", b"a\n" + b"1\n" * 200_000, seconds=3.53)
    assert job["status"] == "FAILED"
    assert "400002 bytes" in job["error"]
    assert "timeout (4 s)" in job["error"]


def test_a_message_without_enough_time_left_goes_back_unprocessed(lake: Lake) -> None:
    versions = [lake.stack.upload(f"{number}.csv", b"a\n" + b"1\n" * 200_000) for number in range(2)]
    event = batch([lake.created(f"{number}.csv", version) for number, version in enumerate(versions)])
    delivered = lake.send(event, seconds=300, left=[300, 300, 300, 3])
    assert delivered.answer
    assert [item["itemIdentifier"] for item in delivered.answer["batchItemFailures"]] == ["message-1"]
    assert lake.job("0.csv", versions[0])["status"] == "COMPLETED"
    assert lake.job("1.csv", versions[1])["status"] == "STARTED"
    assert lake.send(batch([lake.created("1.csv", versions[1])])).acknowledged, "the lease was not released"


def test_the_files_of_two_versions_never_have_the_same_bytes(lake: Lake) -> None:
    """S3's conditional writes compare ETags."""
    body = CSV * 50 + b"one,two,three\n"
    seen: list[dict[str, Any]] = []
    for _ in range(2):
        version = lake.stack.upload("a.csv", body)
        lake.send(batch([lake.created("a.csv", version)]))
        seen.append({key: lake.stack.objects()[key][0] for key in lake.published()})
    assert seen[0].keys() == seen[1].keys()
    assert len(seen[0]) == 3
    assert not any(seen[0][key] == seen[1][key] for key in seen[0])


def test_no_value_of_the_data_is_in_logs_metrics_or_the_record(lake: Lake) -> None:
    canary = "CANARY-4711"
    for number, body in enumerate(
        (
            f"a,b\n{canary},1\n{canary},2,3\n".encode() + b"x,1\n" * 50,
            f'[{{"a": "{canary}"}}, {canary}]'.encode(),
            f"a,b\n{canary}\x00\x01".encode(),
            f'"{canary}\n'.encode() * 3,
        )
    ):
        key = f"input/{number}"
        version = lake.stack.upload(key, body)
        delivered = lake.send(batch([lake.created(key, version)]))
        assert lake.job(key, version)["status"] in ("COMPLETED", "FAILED", "SKIPPED")
        assert canary not in "\n".join(delivered.log)
    assert canary not in json.dumps(lake.stack.items())


def test_a_deletion_withdraws_the_outputs_of_the_upload(lake: Lake) -> None:
    job = lake.process("input/flights/a.csv", CSV + b"too,many,fields\n" * 1 + CSV * 20)
    assert len(lake.published()) == 3
    delivered = lake.delete("input/flights/a.csv")
    assert lake.published() == set()
    withdrawn = lake.job("input/flights/a.csv", job["version_id"])
    assert withdrawn["status"] == "WITHDRAWN"
    assert float(withdrawn["withdrawn_at"]) >= float(job["timestamp"])
    assert withdrawn["rows_in"] == job["rows_in"]
    assert not withdrawn.keys() & {"output_path", "rejected_path", "profile_path"}
    totals, by_dataset = emitted(delivered)
    assert totals["JobsWithdrawn"] == by_dataset["JobsWithdrawn"] == [1.0]
    assert by_dataset["Dataset"] == "other"
    assert listed(lake) == ["WITHDRAWN"], "the index must not list the deletion"


def listed(lake: Lake) -> list[str]:
    """Return the statuses of the jobs that the index lists."""
    items = lake.stack.dynamodb.scan(TableName=lake.stack.name, IndexName="timestamp-index")["Items"]
    return sorted(item["status"]["S"] for item in items)


def test_a_deletion_delivered_twice_counts_once(lake: Lake) -> None:
    lake.process("a.csv", CSV)
    gone = lake.stack.s3.delete_object(Bucket=lake.stack.name, Key="a.csv")["VersionId"]
    event = batch([deleted("a.csv", gone, bucket=lake.stack.name)])
    assert len(emitted(lake.send(event))) == 2
    again = lake.send(event)
    assert again.calls == ("UpdateItem",)
    assert emitted(again) == []


def test_deletions_that_name_no_version_are_told_apart_by_their_sequencers(lake: Lake) -> None:
    for sequencer in ("0A", "0B"):
        lake.process("a.csv", CSV)
        lake.stack.s3.delete_object(Bucket=lake.stack.name, Key="a.csv")
        event = deleted("a.csv", "", bucket=lake.stack.name)
        event["detail"]["object"] |= {"version-id": "", "sequencer": sequencer}
        assert lake.send(batch([event])).acknowledged
        assert lake.published() == set()


def test_the_creation_and_the_removal_of_one_delete_marker_are_two_jobs(lake: Lake) -> None:
    """Their events name the same version, and may have no sequencers."""
    lake.process("a.csv", CSV)
    named = {"Bucket": lake.stack.name, "Key": "a.csv"}
    marker = lake.stack.s3.delete_object(**named)["VersionId"]
    for removed, outputs in ((False, 0), (True, 2)):
        if removed:
            lake.stack.s3.delete_object(**named, VersionId=marker)
        event = deleted("a.csv", marker, bucket=lake.stack.name, for_good=removed)
        del event["detail"]["object"]["sequencer"]
        assert lake.send(batch([event])).acknowledged
        assert len(lake.published()) == outputs


def test_an_undeletion_restores_the_outputs(lake: Lake) -> None:
    lake.process("a.csv", CSV)
    lake.delete("a.csv")
    delivered = lake.undelete("a.csv")
    assert lake.published() == {"processed/a.csv.parquet", "processed/_profiles/a.csv.json"}
    assert lake.register("a.csv")["state"] == "current"
    assert listed(lake) == ["COMPLETED", "WITHDRAWN"]
    assert emitted(delivered)[0]["JobsCompleted"] == [1.0]


def test_the_version_below_a_permanently_deleted_one_is_published_again(lake: Lake) -> None:
    first = lake.process("a.csv", CSV)
    second = lake.process("a.csv", CSV * 2)
    lake.delete("a.csv", second["version_id"])
    assert lake.register("a.csv")["version_id"] == first["version_id"]
    (parquet,) = (found for key, found in lake.stack.objects().items() if key.endswith(".parquet"))
    assert parquet[1]["source-version-id"] == first["version_id"]


def test_the_deletion_of_a_noncurrent_version_changes_nothing(lake: Lake) -> None:
    first = lake.process("a.csv", CSV)
    lake.process("a.csv", CSV * 2)
    before = lake.stack.objects(), lake.job("a.csv", first["version_id"])
    delivered = lake.delete("a.csv", first["version_id"])
    assert (lake.stack.objects(), lake.job("a.csv", first["version_id"])) == before
    assert emitted(delivered) == []


def test_an_expiry_by_lifecycle_keeps_the_results_until_the_next_upload(lake: Lake) -> None:
    job = lake.process("a.csv", CSV)
    published = lake.published()
    lake.delete("a.csv", by_lifecycle=True)
    assert lake.register("a.csv")["state"] == "expired"
    lake.delete("a.csv")
    replay = lake.created("a.csv", job["version_id"], replay_id="20300101T000000Z")
    assert lake.send(batch([replay])).acknowledged
    assert lake.published() == published
    after = lake.job("a.csv", job["version_id"])
    assert (after["status"], after["rows_out"], after["output_path"]) == (
        "COMPLETED",
        job["rows_out"],
        job["output_path"],
    )

    lake.process("a.csv", CSV * 2)
    lake.delete("a.csv")
    assert lake.published() == set(), "the deletion of a new upload must withdraw its outputs"


@pytest.mark.parametrize("status", ["COMPLETED", "FAILED"])
def test_a_replay_of_an_archived_object_deletes_nothing(lake: Lake, status: str) -> None:
    job = lake.process("a.csv", CSV if status == "COMPLETED" else CSV + b"too,many,fields\n" * 9)
    assert job["status"] == status
    before = lake.stack.objects()
    replay = lake.created("a.csv", job["version_id"], replay_id="20300101T000000Z")
    delivered = lake.send(batch([replay]), fault=["archived", 2, 1])
    assert delivered.acknowledged
    assert emitted(delivered) == []
    assert {key: before[key] for key in before if key != "a.csv"} == {
        key: lake.stack.objects()[key] for key in lake.published()
    }
    after = lake.job("a.csv", job["version_id"])
    assert (after["status"], after["rows_in"]) == (status, job["rows_in"])
    assert after["error"] == "archived before it was processed: restore it and replay"


@pytest.mark.parametrize("fault", ["denied", "key disabled"])
def test_a_replay_of_a_denied_object_deletes_nothing(lake: Lake, fault: str) -> None:
    job = lake.process("a.csv", CSV)
    published = lake.published()
    replay = lake.created("a.csv", job["version_id"], replay_id="20300101T000000Z")
    assert lake.send(batch([replay]), fault=[fault, 2, 1]).acknowledged
    assert lake.published() == published
    assert lake.job("a.csv", job["version_id"])["status"] == "COMPLETED"


def test_a_replay_without_enough_time_deletes_nothing(lake: Lake) -> None:
    job = lake.process("a.csv", b"a\n" + b"1\n" * 200_000)
    assert job["status"] == "COMPLETED"
    published = lake.published()
    replay = lake.created("a.csv", job["version_id"], replay_id="20300101T000000Z")
    assert lake.send(batch([replay]), seconds=3.53).acknowledged
    assert lake.published() == published
    after = lake.job("a.csv", job["version_id"])
    assert (after["status"], after["rows_out"]) == ("COMPLETED", "200000")
    assert "400002 bytes" in after["error"]


def test_a_newer_archived_version_deletes_the_outputs_of_the_older_one(lake: Lake) -> None:
    lake.process("a.csv", CSV)
    lake.stack.s3.put_object(Bucket=lake.stack.name, Key="a.csv", Body=CSV, StorageClass="GLACIER")
    version = lake.stack.s3.head_object(Bucket=lake.stack.name, Key="a.csv")["VersionId"]
    assert lake.send(batch([lake.created("a.csv", version)])).acknowledged
    assert lake.job("a.csv", version)["status"] == "SKIPPED"
    listed = lake.stack.s3.list_objects_v2(Bucket=lake.stack.name)["Contents"]
    assert [item["Key"] for item in listed] == ["a.csv"]


def test_a_replay_after_an_undeletion_without_an_event_publishes_again(lake: Lake) -> None:
    job = lake.process("a.csv", CSV)
    lake.delete("a.csv")
    listed = lake.stack.s3.list_object_versions(Bucket=lake.stack.name)["DeleteMarkers"]
    (marker,) = (each["VersionId"] for each in listed if each["Key"] == "a.csv")
    lake.stack.s3.delete_object(Bucket=lake.stack.name, Key="a.csv", VersionId=marker)
    replay = lake.created("a.csv", job["version_id"], replay_id="20300101T000000Z")
    assert lake.send(batch([replay])).acknowledged
    after = lake.job("a.csv", job["version_id"])
    assert (after["status"], after["output_path"]) == ("COMPLETED", "processed/a.csv.parquet")
    assert "withdrawn_at" not in after
    assert lake.published() == {after["output_path"], after["profile_path"]}


def made_by_an_older_program(lake: Lake, key: str) -> dict[str, Any]:
    """Process an upload, and reduce its register, record and outputs to what programs before 1.1 wrote."""
    job = lake.process(key, CSV)
    lake.stack.dynamodb.update_item(
        TableName=lake.stack.name,
        Key={"job_id": {"S": job["job_id"]}},
        UpdateExpression="REMOVE generation, outcome",
    )
    lake.stack.dynamodb.put_item(
        TableName=lake.stack.name,
        Item={
            "job_id": {"S": register_id(lake.stack.name, key)},
            "input_path": {"S": key},
            "version_id": {"S": job["version_id"]},
            "sequencer": {"S": "0" * 32},
        },
    )
    for output in lake.published():
        lake.stack.s3.copy_object(
            Bucket=lake.stack.name,
            Key=output,
            CopySource={"Bucket": lake.stack.name, "Key": output},
            MetadataDirective="REPLACE",
            Metadata={"job-id": job["job_id"], "source-version-id": job["version_id"]},
        )
    return job


def test_a_deletion_withdraws_what_an_older_program_published(lake: Lake) -> None:
    job = made_by_an_older_program(lake, "a.csv")
    lake.delete("a.csv")
    assert lake.published() == set()
    assert lake.job("a.csv", job["version_id"])["status"] == "WITHDRAWN"


def test_a_replay_of_an_archived_object_keeps_what_an_older_program_published(lake: Lake) -> None:
    job = made_by_an_older_program(lake, "a.csv")
    published = lake.published()
    replay = lake.created("a.csv", job["version_id"], replay_id="20300101T000000Z")
    assert lake.send(batch([replay]), fault=["archived", 2, 1]).acknowledged
    assert lake.published() == published
    after = lake.job("a.csv", job["version_id"])
    assert (after["status"], after["output_path"]) == ("COMPLETED", job["output_path"])


def test_objects_outside_the_upload_prefixes_are_ignored(lake: Lake) -> None:
    version = lake.stack.upload("elsewhere/a.csv", CSV)
    event = batch([lake.created("elsewhere/a.csv", version)])
    assert lake.send(event, upload_prefixes=["input/"]).calls == ()
    assert lake.send(event).acknowledged
    assert lake.job("elsewhere/a.csv", version)["status"] == "COMPLETED"


def test_an_output_that_somebody_else_wrote_is_deleted_too(lake: Lake) -> None:
    job = lake.process("a.csv", CSV)
    lake.stack.s3.put_object(Bucket=lake.stack.name, Key="rejected/a.csv.jsonl", Body=b"foreign")
    replay = lake.created("a.csv", job["version_id"], replay_id="20300101T000000Z")
    assert lake.send(batch([replay])).acknowledged
    assert lake.published() == {job["output_path"], job["profile_path"]}
    lake.stack.s3.put_object(Bucket=lake.stack.name, Key=job["output_path"], Body=b"foreign")
    lake.delete("a.csv")
    assert lake.published() == set()
