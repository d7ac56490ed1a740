"""`python -m ops erase` leaves nothing of an upload: no version, no record, no value in logs or metrics."""

import contextlib
import hashlib
import json
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest

from local.cloud import Cloud
from ops import certificate, deployed_stacks, erase
from ops.operator_errors import OpsError
from tests.ops.conftest import Answer, Run, delete_dead_letters
from tests.terminal.width import check_width, suggested

ROWS = b"id,name\n" + b"".join(b"%d,somebody\n" % number for number in range(30))


class Lake:
    """A folder of uploads in a deployed region, and an administrator who may erase them."""

    def __init__(self, cloud: Cloud, region: str, ops: Run) -> None:
        self.cloud, self.region, self._ops = cloud, region, ops
        self.folder = f"input/erase-{uuid.uuid4().hex[:8]}/"
        self.bucket, self.table = (cloud.outputs[region][name] for name in ("bucketName", "tableName"))
        self.s3 = cloud.client("s3", region)
        self.person = f"Canary-{uuid.uuid4().hex}"
        self.about = ROWS + f"31,{self.person}\n32,{self.person},rejected\n".encode()
        """Rows with a value that must be nowhere after the erasure."""

    def upload(self, name: str, body: bytes) -> str:
        version = self.cloud.upload(self.region, self.folder + name, body)
        self.cloud.run_until_idle()
        return version

    @contextlib.contextmanager
    def administrator(self, name: str = "operator") -> Iterator[None]:
        """Add a user, by default the operator, to the administrators in the bucket's policy."""
        deployed = self.s3.get_bucket_policy(Bucket=self.bucket)["Policy"]
        user = self.cloud.client("iam", self.region).get_user(UserName=name)["User"]["Arn"]
        policy = json.loads(deployed)
        for statement in policy["Statement"]:
            if statement["Sid"] in ("NoChangesOfResults", "NoDeletesForGood"):
                condition = statement.setdefault("Condition", {}).setdefault("ArnNotEquals", {})
                named = condition.get("aws:PrincipalArn", [])
                condition["aws:PrincipalArn"] = [*([named] if isinstance(named, str) else named), user]
        self.s3.put_bucket_policy(Bucket=self.bucket, Policy=json.dumps(policy))
        try:
            yield
        finally:
            self.s3.put_bucket_policy(Bucket=self.bucket, Policy=deployed)

    def erase(self, name: str, *options: str) -> Answer:
        """Erase while the function runs, as it does on AWS."""
        wait = [] if "--verify" in options else ["--wait", "20"]
        self.cloud.functions.start()
        try:
            return self._ops("erase", self.folder + name, *wait, "--stack", self.region, *options)
        finally:
            self.cloud.functions.stop()

    def versions(self, prefix: str = "") -> list[str]:
        """Return the keys of all versions and delete markers that contain the folder's name."""
        pages = self.s3.get_paginator("list_object_versions").paginate(Bucket=self.bucket, Prefix=prefix)
        entries = [
            entry["Key"]
            for page in pages
            for entry in (*page.get("Versions", []), *page.get("DeleteMarkers", []))
        ]
        return [key for key in entries if self.folder in key]

    def items(self) -> list[dict[str, Any]]:
        pages = (
            self.cloud.client("dynamodb", self.region).get_paginator("scan").paginate(TableName=self.table)
        )
        found = [item for page in pages for item in page["Items"]]
        return [item for item in found if item.get("input_path", {}).get("S", "").startswith(self.folder)]


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(erase, "POLL_SECONDS", 0.2)
    monkeypatch.setattr(erase, "QUIET_SECONDS", 1.0)


@pytest.fixture
def lake(cloud: Cloud, region: str, ops: Run) -> Lake:
    delete_dead_letters(cloud, region)
    return Lake(cloud, region, ops)


def everything_with(cloud: Cloud, region: str, word: str) -> list[str]:
    """Return the places that contain a word: versions of objects, items, log lines, metrics, messages."""
    bucket, s3 = cloud.outputs[region]["bucketName"], cloud.client("s3", region)
    found = []
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for entry in page.get("Versions", []):
            if entry["StorageClass"] == "GLACIER":
                continue  # another test's: it cannot be read before it is restored
            body = s3.get_object(Bucket=bucket, Key=entry["Key"], VersionId=entry["VersionId"])["Body"].read()
            if word.encode() in body:
                found.append(f"{entry['Key']} {entry['VersionId']}")
    pages = cloud.client("dynamodb", region).get_paginator("scan")
    for page in pages.paginate(TableName=cloud.outputs[region]["tableName"]):
        found += [item["job_id"]["S"] for item in page["Items"] if word in json.dumps(item, default=str)]
    found += [line for line in cloud.log(region) if word in line]
    for page in cloud.client("cloudwatch", region).get_paginator("list_metrics").paginate():
        found += [metric["MetricName"] for metric in page["Metrics"] if word in json.dumps(metric)]
    for output in ("deadLetterQueueUrl", "deliveryDeadLetterQueueUrl"):
        found += [output for letter in cloud.dead_letters(region, output) if word in json.dumps(letter)]
    return found


def test_nothing_is_left_of_an_upload(lake: Lake, cloud: Cloud, region: str, tmp_path: Path) -> None:
    key = f"{lake.folder}person.csv"
    lake.upload("person.csv", lake.about)
    lake.upload("person.csv", ROWS)
    lake.upload("person.csv", lake.about)
    cloud.delete(region, key)
    cloud.run_until_idle()
    lake.upload("person.csv", lake.about)
    lake.upload("another.csv", ROWS)
    lake.s3.create_multipart_upload(Bucket=lake.bucket, Key=key)
    assert len(everything_with(cloud, region, lake.person)) > 5, (
        "versions of the upload, and what came of them"
    )

    with lake.administrator():
        dry = lake.erase("person.csv")
        assert "versions: 4" in dry.out
        assert "incomplete uploads: 1" in dry.out
        assert len(everything_with(cloud, region, lake.person)) > 5, "a dry run erases nothing"
        check_width(dry.out, [key])
        path = tmp_path / "certificate.json"
        done = lake.erase("person.csv", "--yes", "--certificate", str(path))
        assert done.status == 0, done.out + done.err
        verified = lake.erase("person.csv", "--verify")

    assert (verified.status, "nothing is left of" in verified.out) == (0, True)
    copied = [str(path), key, lake.bucket, lake.table, json.loads(path.read_text())["by"]]
    copied.append(hashlib.sha256(key.encode()).hexdigest())
    check_width(done.out, copied)
    check_width(verified.out, copied)
    assert everything_with(cloud, region, lake.person) == []
    assert [name for name in lake.versions() if "person" in name] == []
    assert [item for item in lake.items() if item["input_path"]["S"] == key] == []
    assert lake.s3.list_multipart_uploads(Bucket=lake.bucket).get("Uploads", []) == []
    assert cloud.keys(region, f"processed/{lake.folder}another.csv") != [], "another key is not touched"

    document = json.loads(path.read_text())
    assert document["verified"]
    assert document["complete"]
    assert document["by"].endswith("user/operator")
    assert document["target"] == {"kind": "key", "sha256": hashlib.sha256(key.encode()).hexdigest()}
    assert document["erased"]["versions"] == 4
    assert document["erased"]["incomplete uploads"] == 1
    assert document["erased"]["versions of results"] >= 9
    assert [entry["sha256"] for entry in document["keys"]] == [hashlib.sha256(key.encode()).hexdigest()]
    assert key not in path.read_text()
    fades = {entry["what"]: entry["until"] for entry in document["fades"]}
    assert fades["keys in the function's log"] > document["ended_at"]
    assert any("point-in-time recovery" in what for what in fades)


def test_a_prefix_is_erased_with_its_deleted_keys(lake: Lake, cloud: Cloud, region: str) -> None:
    lake.upload("a.csv", lake.about)
    lake.upload("deep/b.csv", lake.about)
    long = "x" * (1024 - len(lake.folder))
    lake.upload(long, lake.about)
    with lake.administrator():
        for name in ("a.csv", "deep/b.csv", long):
            assert lake.erase("", "--verify").status == 1, name
        done = lake.erase("", "--yes", "--json")
    assert done.status == 0, done.out + done.err
    document = json.loads(done.out)
    assert document["target"]["kind"] == "prefix"
    assert len(document["keys"]) == 3
    assert lake.versions() == []
    assert lake.items() == []
    assert everything_with(cloud, region, lake.person) == []


def test_uploads_that_are_named_like_profiles_are_erased_without_profiles_of_others(
    lake: Lake, cloud: Cloud, region: str
) -> None:
    """A profile of `K` is `processed/_profiles/K.json`, and the Parquet of `_profiles/K` is beside it."""
    lake.upload("a.csv", ROWS)
    kept = lake.versions()
    lake.folder = f"_profiles/{lake.folder}"
    with lake.administrator():
        assert lake.erase("", "--verify").status == 0
        lake.upload("b.csv", lake.about)
        done = lake.erase("", "--yes")
    assert done.status == 0, done.out + done.err
    assert lake.items() == []
    assert everything_with(cloud, region, lake.person) == []
    lake.folder = lake.folder.removeprefix("_profiles/")
    assert lake.versions() == kept


def test_an_archived_upload_is_erased_without_a_restore(lake: Lake, cloud: Cloud, region: str) -> None:
    body = lake.about + b"".join(b"%d,somebody\n" % number for number in range(12_000))  # Above 128 KiB
    lake.upload("old.csv", body)
    cloud.pass_days(lake.bucket, 91)
    head = lake.s3.head_object(Bucket=lake.bucket, Key=f"{lake.folder}old.csv")
    assert head["StorageClass"] == "GLACIER"
    with lake.administrator():
        assert lake.erase("old.csv", "--yes").status == 0
    assert lake.versions() == []
    assert lake.items() == []
    assert everything_with(cloud, region, lake.person) == []


def test_a_key_is_not_erased_as_a_prefix(lake: Lake, cloud: Cloud, region: str) -> None:
    lake.upload("a", lake.about)
    lake.upload("a.csv", ROWS)
    with lake.administrator():
        assert lake.erase("a", "--yes").status == 0
    assert cloud.keys(region, lake.folder) == [f"{lake.folder}a.csv"]
    assert len(cloud.keys(region, f"processed/{lake.folder}")) == 1


def test_missing_permissions_are_named_before_anything_is_erased(lake: Lake) -> None:
    lake.upload("a.csv", lake.about)
    before = lake.versions()
    for options in ((), ("--yes",)):
        refused = lake.erase("a.csv", *options)
        assert refused.status == 2
        assert f"s3:DeleteObjectVersion under 'processed/{lake.folder}'" in refused.err
        assert f"s3:DeleteObject under 'rejected/{lake.folder}'" in refused.err
        assert "dynamodb" not in refused.err, "the operator has that right"
        assert "administratorRoleArns" in refused.err
    assert lake.versions() == before


@pytest.mark.parametrize("name", ["a.csv", ""])
def test_permissions_for_one_folder_and_its_results_are_enough(
    lake: Lake, cloud: Cloud, region: str, embedded: Path, name: str
) -> None:
    bucket = f"arn:aws:s3:::{lake.bucket}"
    deletes = ["s3:DeleteObject", "s3:DeleteObjectVersion", "s3:AbortMultipartUpload"]
    folders = [f"{bucket}/{prefix}{lake.folder}*" for prefix in ("", "processed/", "rejected/")]
    folders.append(f"{bucket}/processed/_profiles/{lake.folder}*")
    allowed = {
        "s3:ListBucket*": [bucket],
        "dynamodb:*": ["*"],
        "sqs:GetQueueAttributes": ["*"],
        **dict.fromkeys(deletes, folders),
    }
    statements = [
        {"Effect": "Allow", "Action": action, "Resource": where} for action, where in allowed.items()
    ]
    user = lake.folder.strip("/").replace("/", "-")
    iam = cloud.client("iam", region)
    iam.create_user(UserName=user)
    iam.put_user_policy(
        UserName=user,
        PolicyName="erase",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": statements}),
    )
    key = iam.create_access_key(UserName=user)["AccessKey"]
    (stack,) = deployed_stacks.find(names=[region], outputs_files=[], local=True).stacks
    stack = replace(stack, session=boto3.Session(key["AccessKeyId"], key["SecretAccessKey"]))
    with lake.administrator(user):
        assert erase.missing_rights(stack, erase.Target(text=lake.folder + name)) == []
    assert lake.versions() == []


@pytest.mark.usefixtures("embedded")
def test_permissions_are_tested_with_keys_that_s3_takes(region: str) -> None:
    (stack,) = deployed_stacks.find(names=[region], outputs_files=[], local=True).stacks
    tried: list[str] = []

    def note(params: dict[str, Any], **_: Any) -> None:
        tried.extend([params["Key"]] if "Key" in params else [])

    stack.client("s3").meta.events.register("provide-client-params.s3", note)
    erase.missing_rights(stack, erase.Target(text="input/" + "ä" * 508 + "/a"))
    assert len(tried) > 3
    assert max(len(key.encode()) for key in tried) <= 1024


@pytest.mark.parametrize("target", ["processed/input/a.csv.parquet", "rejected/", "/"])
def test_only_uploads_are_erased(ops: Run, region: str, target: str) -> None:
    answer = ops("erase", target, "--yes", "--stack", region)
    assert answer.status == 2
    assert "erase takes the key of an upload" in answer.err


def test_no_erasure_is_complete_while_a_message_about_it_may_be_hidden(
    lake: Lake, cloud: Cloud, region: str, tmp_path: Path
) -> None:
    """SQS hides a message that the function failed on. When it is back, it writes a record of the upload."""
    cloud.upload(region, lake.folder + "late.csv", lake.about)
    sqs, queue = cloud.client("sqs", region), cloud.outputs[region]["queueUrl"]
    (hidden,) = sqs.receive_message(QueueUrl=queue)["Messages"]
    path = tmp_path / "certificate.json"
    with lake.administrator():
        early = lake.erase("late.csv", "--yes", "--wait", "1", "--certificate", str(path))
        assert early.status == 1
        (again,) = suggested(early.out)
        assert f"--resume {path}" in again
        assert "--wait 1" in again
        check_width(early.out, [str(path), lake.folder, lake.bucket, lake.table])
        assert not json.loads(path.read_text())["complete"]
        sqs.change_message_visibility(
            QueueUrl=queue, ReceiptHandle=hidden["ReceiptHandle"], VisibilityTimeout=0
        )
        assert lake.erase("late.csv", "--yes", "--resume", str(path)).status == 0
    assert json.loads(path.read_text())["complete"]
    assert lake.items() == []


def test_the_certificate_of_another_stack_is_not_continued(
    cloud: Cloud, embedded: Path, tmp_path: Path
) -> None:
    one, other, *_ = deployed_stacks.find(names=[], outputs_files=[], local=True).stacks
    target, path = erase.Target(text="input/person/"), tmp_path / "certificate.json"
    certificate.begin(one, target, path, None).write()
    written = path.read_bytes()
    with pytest.raises(OpsError) as refused:
        certificate.begin(other, target, path, path)
    assert all(stack.bucket in str(refused.value) for stack in (one, other))
    assert path.read_bytes() == written


def test_an_interrupted_erasure_is_resumed(
    lake: Lake, cloud: Cloud, region: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.csv", "b.csv"):
        lake.upload(name, lake.about)
    path, delete = tmp_path / "certificate.json", erase._delete

    steps = iter(range(2))

    def stop_soon(stack: Any, left: erase.Left) -> None:
        if next(steps, None) is None:
            raise KeyboardInterrupt
        delete(stack, left)

    with lake.administrator():
        monkeypatch.setattr(erase, "_delete", stop_soon)
        stopped = lake.erase("", "--yes", "--certificate", str(path))
        assert stopped.status == 130
        assert f"--resume {path}" in stopped.err
        assert not json.loads(path.read_text())["complete"]
        monkeypatch.setattr(erase, "_delete", delete)
        wrong = lake.erase("a.csv", "--yes", "--resume", str(path))
        assert "is the certificate of another key or prefix" in wrong.err
        assert lake.erase("", "--yes", "--certificate", str(path)).status == 2, "it would be overwritten"
        nowhere = lake.erase("", "--yes", "--certificate", str(tmp_path / "no" / "x.json"))
        assert "no/x.json cannot be written: No such file or directory" in nowhere.err
        assert lake.erase("", "--yes", "--resume", str(path)).status == 0
    document = json.loads(path.read_text())
    assert document["complete"]
    assert document["verified"]
    assert document["erased"]["versions"] == 2
    assert everything_with(cloud, region, lake.person) == []
    assert lake.items() == []
