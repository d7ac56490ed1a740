"""`python -m ops` on the deployed regions: find failures and their reasons, and replay uploads."""

import json
import shlex
import uuid
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ParamValidationError

from handler.job_records import Status
from handler.job_records import deletion_job_id as deletion_job_id_of_the_function
from handler.job_records import job_id as job_id_of_the_function
from handler.register import register_id as register_id_of_the_function
from local.alarms import CloudWatch
from local.cloud import Cloud
from ops import (
    dead_letters,
    deployed_stacks,
    job_search,
    object_events,
    operator_errors,
    region_status,
    smoke,
    table,
)
from ops.deployed_stacks import OUTPUTS, Stack
from tests.local.workload import expire
from tests.ops.conftest import Answer, Run, delete_dead_letters
from tests.program.evaluation import STACKS
from tests.terminal.width import check_width, suggested

GOOD = b"id,price\n" + b"".join(b"%d,1.5\n" % number for number in range(20))
UNREADABLE = bytes(range(256))


def records(answer: Answer) -> list[dict[str, Any]]:
    assert answer.status == 0, answer.err
    return [json.loads(line) for line in answer.out.splitlines()]


def test_operator_finds_a_failure_and_its_reason_and_replays_it(cloud: Cloud, region: str, ops: Run) -> None:
    where = ("--stack", region)
    cloud.upload(region, "input/today/fine.csv", GOOD)
    cloud.upload(region, "input/today/broken.csv", UNREADABLE)
    cloud.run_until_idle()

    (failed,) = records(ops("jobs", "--status", "FAILED", "--prefix", "input/today/", "--json", *where))
    assert failed["input_path"] == "input/today/broken.csv"
    table = ops("jobs", "--prefix", "input/today/", *where).out
    assert failed["error"] in table
    assert "input/today/fine.csv" in table
    everything = ops("job", failed["job_id"], *where).out
    assert failed["error"] in everything
    assert f"s3://{cloud.outputs[region]['bucketName']}/input/today/broken.csv" in everything
    assert "job finished" in everything
    assert ops("job", "input/today/broken.csv", *where).out == everything

    state = json.loads(ops("status", "--since", "15m", "--json", *where).out)
    assert state["completed"] >= 1
    assert state["failed"] >= 1
    assert state["rows_out"] >= 20

    before = failed["attempts"]
    dry = ops("replay", "input/today/", "--status", "FAILED", *where)
    assert "would process again: 1 objects" in dry.out
    cloud.run_until_idle()
    assert cloud.jobs(region, "input/today/broken.csv")[-1]["attempts"] == before
    assert "1 objects" in ops("replay", "input/today/", "--status", "FAILED", "--yes", *where).out
    cloud.run_until_idle()
    assert cloud.jobs(region, "input/today/broken.csv")[-1]["attempts"] == before + 1
    assert cloud.jobs(region, "input/today/fine.csv")[-1]["attempts"] == 1


def test_an_interrupted_replay_is_resumed(
    cloud: Cloud, region: str, ops: Run, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [f"input/replayed/{number:02}.csv" for number in range(12)]
    for key in keys:
        cloud.upload(region, key, GOOD)
    cloud.upload(region, "input/replayed/failed.csv", UNREADABLE)
    cloud.run_until_idle()
    send, sent = dead_letters.send, list[int]()

    def fail_at_the_second(stack: Any, entries: list[dict[str, str]]) -> int:
        if sent:
            raise KeyboardInterrupt
        sent.append(send(stack, entries))
        return sent[0]

    monkeypatch.setattr(dead_letters, "send", fail_at_the_second)
    stopped = ops("replay", "input/replayed/", "--status", "COMPLETED", "--yes", "--stack", region)
    assert stopped.status == 130
    (resume,) = suggested(stopped.err)
    cloud.run_until_idle()
    monkeypatch.setattr(dead_letters, "send", send)
    resumed = run(*shlex.split(resume)[3:])
    assert "2 objects" in resumed.out
    assert "10 done already" in resumed.out
    cloud.run_until_idle()
    assert [cloud.jobs(region, key)[-1]["attempts"] for key in keys] == [2] * 12
    assert cloud.jobs(region, "input/replayed/failed.csv")[-1]["attempts"] == 1, "it was not selected"
    assert "nothing to replay" in run(*shlex.split(resume)[3:]).out


def test_replay_leaves_older_versions_and_results_alone(cloud: Cloud, region: str, ops: Run) -> None:
    key = "input/versions/x.csv"
    cloud.upload(region, key, GOOD)
    cloud.upload(region, key, GOOD + b"99,1.5\n")
    cloud.run_until_idle()
    assert ops("replay", "input/versions/", "--yes", "--stack", region).status == 0
    queue = {"QueueUrl": cloud.outputs[region]["queueUrl"]}
    sqs = cloud.client("sqs", region)
    (message,) = sqs.receive_message(**queue, MaxNumberOfMessages=10)["Messages"]
    assert json.loads(message["Body"])["detail"]["object"]["size"] == len(GOOD) + 7
    sqs.delete_message(**queue, ReceiptHandle=message["ReceiptHandle"])
    said = ops("replay", "processed/", "--stack", region).out
    assert "the objects under 'processed/' are the system's results" in said


def test_showing_dead_letters_does_not_remove_them(cloud: Cloud, region: str, ops: Run) -> None:
    sqs, outputs = cloud.client("sqs", region), cloud.outputs[region]
    hostile = {"key": "\ud800", "version-id": 1, "sequencer": {}}
    bodies = [
        json.dumps({"detail-type": "Object Deleted", "detail": {"object": hostile}}),
        *map(str, range(11)),
    ]
    sent = {
        sqs.send_message(QueueUrl=outputs["deadLetterQueueUrl"], MessageBody=body)["MessageId"]
        for body in bodies
    }

    def letters() -> set[str]:
        answer = ops("dead-letters", "--json", "--stack", region)
        return {letter["message_id"] for letter in records(answer)}

    for _ in range(2):
        assert sent <= letters()
    kept, *others = sorted(sent)

    assert "would permanently delete 11" in ops("discard", *others, "--stack", region).out
    assert "deleted 11" in ops("discard", *others, "--stack", region, "--yes").out
    assert letters() & sent == {kept}
    again = ops("discard", others[0], "--stack", region, "--yes")
    assert again.status == 2
    assert f"{region} has no dead letter {others[0]}" in again.err
    ops("discard", kept, "--stack", region, "--yes")


def test_jobs_are_newest_first_over_all_statuses_and_pages(cloud: Cloud, region: str, ops: Run) -> None:
    keys = [f"input/pages/{number:02}.csv" for number in range(6)]
    for key in keys:
        cloud.upload(region, key, GOOD if key < "input/pages/03" else UNREADABLE)
        cloud.run_until_idle()
    found = records(ops("jobs", "--prefix", "input/pages/", "--json", "--stack", region))
    assert [job["input_path"] for job in found] == keys[::-1]
    limited = records(ops("jobs", "--prefix", "input/pages/", "--limit", "2", "--json", "--stack", region))
    assert [job["input_path"] for job in limited] == keys[:-3:-1]
    until = ("--until", "2020-01-01", "--since", "2019-01-01")
    assert records(ops("jobs", "--prefix", "input/pages/", "--json", "--stack", region, *until)) == []


def test_smoke_check_detects_a_region_that_does_not_work(cloud: Cloud, region: str, ops: Run) -> None:
    stuck = ops("smoke", "--within", "0", "--stack", region)
    assert stuck.status == 2
    assert "is still without a job" in stuck.err
    cloud.functions.start()
    try:
        passed = ops("smoke", "--stack", region)
    finally:
        cloud.functions.stop()
    assert passed.status == 0, passed.err
    result = f"s3://{cloud.outputs[region]['bucketName']}/processed/input/_smoke/check.csv.parquet"
    assert result in passed.out
    check_width(passed.out, [result])
    assert f"replay PREFIX --status MISSING --stack {region}" in passed.out


def test_smoke_check_uploads_again_until_an_upload_makes_an_event(
    cloud: Cloud, region: str, embedded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rule is disabled for the first uploads, which have no events, as in a bucket's first minutes."""
    (stack,) = deployed_stacks.find(names=[region], outputs_files=[], local=True).stacks
    events, s3 = cloud.client("events", region), cloud.client("s3", region)
    rule = stack.physical("s3-events")
    bucket = cloud.outputs[region]["bucketName"]

    def versions() -> int:
        return len(s3.list_object_versions(Bucket=bucket, Prefix=smoke.KEY).get("Versions", []))

    before = versions()

    def wait(_seconds: float) -> None:
        if versions() == before + 2:
            events.enable_rule(Name=rule)
        cloud.run_until_idle()

    events.disable_rule(Name=rule)
    monkeypatch.setattr(smoke, "UPLOAD_SECONDS", 0)
    assert smoke.check(stack, seconds=900, wait=wait).uploads == 3
    assert versions() == before + 3


def test_status_is_not_healthy_before_the_alarms_have_data(cloud: Cloud, region: str, ops: Run) -> None:
    cloudwatch = cloud.client("cloudwatch", region)
    new = {"AlarmName": f"analytics-new-{region}-dev", "EvaluationPeriods": 1, "Threshold": 1.0}
    metric = {"Namespace": "AWS/SQS", "MetricName": "none", "Period": 60, "Statistic": "Sum"}
    cloudwatch.put_metric_alarm(**new, **metric, ComparisonOperator="GreaterThanThreshold")
    try:
        answer = ops("status", "--json", "--stack", region)
        assert "new" in json.loads(answer.out)["undecided"]
        assert answer.status == 1
        assert "not known yet" in ops("status", "--stack", region).out
    finally:
        cloudwatch.delete_alarms(AlarmNames=[new["AlarmName"]])


def test_status_shows_every_region(cloud: Cloud, ops: Run) -> None:
    cloudwatch = CloudWatch(cloud.server)
    measured_at = cloudwatch.sample()
    for minutes in (1, 6):  # the alarms' periods are of one minute and of five
        for name in cloud.regions:
            cloudwatch.evaluate(name, measured_at + timedelta(minutes=minutes))
    shown = [json.loads(line) for line in ops("status", "--json").out.splitlines()]
    assert [state["region"] for state in shown] == sorted(cloud.regions)
    assert not any(state["undecided"] for state in shown)
    # Other tests may have left something for an alarm to see.
    assert [state["healthy"] for state in shown] == [not state["alarms"] for state in shown]


def test_the_embedded_aws_is_reached_without_the_proxy_and_the_profile_of_the_environment(
    region: str, ops: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")  # nothing listens there
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.setenv("AWS_PROFILE", "does-not-exist")
    for arguments in (("dead-letters",), ("job", "0" * 32)):
        answer = ops(*arguments, "--stack", region)
        assert "proxy" not in answer.err
        assert answer.status == (2 if arguments[0] == "job" else 0), answer


def test_ids_are_those_that_the_function_forms() -> None:
    subject = ("bucket", "input/ä b+c%.csv", "version")
    assert table.job_id(*subject) == job_id_of_the_function(*subject)
    deletion = (*subject, "removed", "00AF")
    assert table.deletion_job_id(*deletion) == deletion_job_id_of_the_function(*deletion)
    assert table.register_id(*subject[:2]) == register_id_of_the_function(*subject[:2])


def test_statuses_are_those_of_the_function() -> None:
    assert set(job_search.STATUSES) == {status.value for status in Status}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["job", "0" * 32], "no job '00000000000000000000000000000000' in"),
        (["job", "input/never.csv"], "'input/never.csv' is neither a job id"),
        (["redrive", "--yes"], "which stack? name it with --stack: " + ", ".join(sorted(STACKS))),
        (["status", "--stack", "eu-west-9"], f"no stack 'eu-west-9'; the stacks are {min(STACKS)}"),
        (["jobs", "--since", "yesterday"], "must be like 30m, 24h, 7d or 2030-12-31T23:59Z, got 'yesterday'"),
        (["jobs", "--since", "999999d"], "must be 1970-01-01 or later, got '999999d'"),
        (["errors", "--since", "0001-01-01"], "must be 1970-01-01 or later, got '0001-01-01'"),
        (["errors", "--since", "0001-01-01T00:00+14:00"], "must be 1970-01-01 or later"),
        (["status", "--since", "2999-01-01"], "must be in the past, got '2999-01-01'"),
        (["status", "--since", "500d"], "CloudWatch keeps metrics for 455 days, got since"),
        (["jobs", "--since", "1h", "--until", "2h"], "--until must be after --since"),
        (["jobs", "--limit", "0"], "must be a whole number from 1 to 999999999999999999, got '0'"),
        (["jobs", "--limit", "9" * 20], f"got '{'9' * 20}'"),
        (["job", "\udcff"], r"an argument must be UTF-8, got '\udcff'"),
        (["discard", "x", "\udcff"], r"an argument must be UTF-8, got '\udcff'"),
        (["erase", "\udcff"], r"an argument must be UTF-8, got '\udcff'"),
        (["jobs", "--status", "DONE"], "invalid choice: 'DONE'"),
        (["job", ""], "must not be empty, got job ''"),
        (["query", ""], "must not be empty, got statement ''"),
        (["discard", "x", ""], "must not be empty, got messages ''"),
        (["erase", ""], "must not be empty, got target ''"),
        (["replay", "input/", "--resume", "", "--yes"], "must not be empty, got resume ''"),
        (["jobs", "--stack", ""], "must not be empty, got stack ''"),
        (["jobs", "--outputs", ""], "must be the name of a file, got ''"),
        (["redrive", "--per-second", "501"], "must be a whole number from 1 to 500, got '501'"),
        (["redrive", "--delivery", "--per-second", "5"], "--per-second must be left out beside --delivery"),
        (["erase", "a", "--resume", "x", "--certificate", "y"], "--certificate must be left out beside"),
        (["erase", "a", "--verify", "--yes", "--wait", "0"], "--yes and --wait must be left out beside"),
        (["query", "SELECT 1", "--json", "--csv"], "--csv must be left out beside --json"),
        (["query", "SELECT 1", "--json", "--limit", "9"], "--limit must be left out beside --json"),
        (["query", "SELECT 1", "--csv", "--limit", "100"], "--limit must be left out beside --csv"),
        (["status", "--local", "--outputs", "x"], "--outputs must be left out beside --local"),
    ],
)
def test_a_wrong_argument_is_one_line(ops: Run, arguments: list[str], said: str) -> None:
    answer = ops(*arguments)
    assert answer.status == 2
    assert said in answer.err
    assert "Traceback" not in answer.err


@pytest.mark.usefixtures("as_operator")
def test_stacks_are_found_through_pulumi(
    cloud: Cloud, region: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / f"Pulumi.{region}.yaml").touch()
    outputs = tmp_path / "outputs.json"
    outputs.write_text(json.dumps(cloud.outputs[region]))
    pulumi = tmp_path / "bin" / "pulumi"
    pulumi.parent.mkdir()
    pulumi.write_text(f'#!/bin/sh\ntest "$*" = "stack output --json --stack {region}" && cat {outputs}\n')
    pulumi.chmod(0o755)
    monkeypatch.setenv("PATH", str(pulumi.parent), prepend=":")
    assert region in run("status").out
    assert region in run("status", "--outputs", str(outputs)).out

    pulumi.write_text("#!/bin/sh\necho 'error: PULUMI_ACCESS_TOKEN must be set' >&2\nexit 255\n")
    assert "failed: error: PULUMI_ACCESS_TOKEN must be set" in run("status").err
    outputs.write_text("{}")
    assert "has no output bucketName" in run("status", "--outputs", str(outputs)).err
    outputs.write_text("[")
    assert "is not JSON" in run("status", "--outputs", str(outputs)).err
    assert "No such file" in run("status", "--outputs", "nowhere.json").err
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "the pulumi CLI is not installed" in run("status").err
    assert "no embedded AWS runs in this folder" in run("status", "--local").err


@pytest.mark.usefixtures("as_operator")
def test_stacks_that_are_not_deployed_are_reported(
    cloud: Cloud, region: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for stack in (region, "never-made", "never-updated"):
        (tmp_path / f"Pulumi.{stack}.yaml").touch()
    (tmp_path / region).write_text(json.dumps(cloud.outputs[region]))
    (tmp_path / "never-updated").write_text("{}")
    pulumi = tmp_path / "bin" / "pulumi"
    pulumi.parent.mkdir()
    pulumi.write_text(
        '#!/bin/sh\ntest -e "$5" && exec cat "$5"\necho "error: no stack named \'$5\' found" >&2\nexit 255\n'
    )
    pulumi.chmod(0o755)
    monkeypatch.setenv("PATH", str(pulumi.parent), prepend=":")

    status = run("status")
    assert status.status in (0, 1)
    assert status.out.count("not deployed") == 2
    states = {
        state["stack"]: state["deployed"]
        for state in map(json.loads, run("status", "--json").out.splitlines())
    }
    assert states == {region: True, "never-made": False, "never-updated": False}
    jobs_of_all = run("jobs", "--json")
    assert jobs_of_all.status == 0
    assert jobs_of_all.err.count("is not deployed") == 2
    asked = run("jobs", "--stack", "never-made")
    assert asked.status == 2
    assert "not deployed: never-made; deploy with `pulumi up --stack never-made`" in asked.err


@pytest.mark.usefixtures("as_operator")
def test_code_that_was_changed_by_hand_is_reported(
    cloud: Cloud, region: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    function = cloud.client("lambda", region).get_function_configuration(
        FunctionName=cloud.outputs[region]["functionArn"]
    )
    outputs = tmp_path / "outputs.json"

    def status_where_deployed(code_sha256: str) -> dict[str, Any]:
        outputs.write_text(json.dumps(cloud.outputs[region] | {"codeSha256": code_sha256}))
        return json.loads(run("status", "--outputs", str(outputs), "--json").out)

    assert status_where_deployed(function["CodeSha256"])["code_changed"] is False
    changed = status_where_deployed("another")
    assert (changed["code_changed"], changed["healthy"]) == (True, False)
    assert "changed by hand" in run("status", "--outputs", str(outputs)).out


def test_aws_errors_are_explained(
    cloud: Cloud, region: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outputs = tmp_path / "outputs.json"
    outputs.write_text(json.dumps(cloud.outputs[region]))
    command = ("jobs", "--outputs", str(outputs))
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_ENDPOINT_URL", cloud.server.endpoint)
    assert "no AWS credentials" in run(*command).err

    role = cloud.assume_function_role(region)
    for name, value in role.environment.items():
        monkeypatch.setenv(name, value)
    assert "these credentials may not call Query" in run(*command).err

    monkeypatch.delenv("AWS_SESSION_TOKEN")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", cloud.server.operator.key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", cloud.server.operator.secret)
    elsewhere = cloud.outputs[region] | {"tableName": "analytics-jobs-gone"}
    outputs.write_text(json.dumps(elsewhere))
    assert "is this the account of the stack?" in run(*command).err

    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert "cannot reach http://127.0.0.1:9" in run(*command).err


def test_an_error_of_the_sdk_is_one_line() -> None:
    said = operator_errors.explain(ParamValidationError(report="Invalid length\nInvalid type"))
    assert said is not None
    assert said.splitlines() == [said]


@pytest.mark.parametrize("region", STACKS)
def test_every_client_calls_its_region(region: str) -> None:
    outputs = dict.fromkeys(OUTPUTS.values(), region)
    stack = Stack.from_outputs(region, outputs, boto3.Session("id", "secret"))
    for service in ("s3", "sqs", "dynamodb", "logs", "cloudwatch"):
        assert f".{region}." in stack.client(service).meta.endpoint_url


def test_the_job_of_a_deletion_is_shown(cloud: Cloud, region: str, ops: Run) -> None:
    """Its record has no time unless it brought a version back."""
    key = f"input/deleted/{uuid.uuid4()}.csv"
    table, name = cloud.client("dynamodb", region), cloud.outputs[region]["tableName"]
    cloud.upload(region, key, GOOD)
    cloud.run_until_idle()
    cloud.delete(region, key)
    cloud.run_until_idle()
    (deletion,) = table.scan(
        TableName=name,
        FilterExpression="input_path = :key AND attribute_exists(deleted_version_id)",
        ExpressionAttributeValues={":key": {"S": key}},
    )["Items"]
    assert "timestamp" not in deletion
    identifier = deletion["job_id"]["S"]
    shown = json.loads(ops("job", identifier, "--stack", region, "--json").out)
    assert shown["job"]["status"] == "WITHDRAWN"
    assert shown["log"]
    assert "WITHDRAWN" in ops("job", identifier, "--stack", region).out

    del deletion["withdrawn_at"]  # as while the job runs
    table.put_item(TableName=name, Item=deletion | {"status": {"S": "STARTED"}})
    running = json.loads(ops("job", identifier, "--stack", region, "--json").out)
    assert (running["job"]["status"], running["log"]) == ("STARTED", shown["log"])


def test_results_of_a_newer_job_are_not_shown_as_those_of_an_older_one(
    cloud: Cloud, region: str, ops: Run
) -> None:
    key, jobs = f"input/replaced/{uuid.uuid4()}.csv", list[dict[str, Any]]()
    for row in (b"1,2,older\n", b"1,2,newer\n"):
        version = cloud.upload(region, key, GOOD + row)
        cloud.run_until_idle()
        identifier = table.job_id(cloud.outputs[region]["bucketName"], key, version)
        jobs.append(json.loads(ops("job", identifier, "--stack", region, "--json").out))
        shown = ops("job", jobs[0]["job"]["job_id"], "--stack", region)
    newer = jobs[1]["job"]["job_id"]
    assert [row["raw"] for job in jobs for row in job["rejects"]] == ["1,2,older", "1,2,newer"]

    older = json.loads(ops("job", jobs[0]["job"]["job_id"], "--stack", region, "--json").out)
    assert older["rejects"] == []
    assert [(each["role"], each["size"], each["replaced_by"]) for each in older["objects"]] == [
        ("input", len(GOOD) + 10, None),
        ("output", None, newer),
        ("rejected", None, newer),
        ("profile", None, newer),
    ]
    assert newer in shown.out
    assert "1,2,newer" not in shown.out
    assert all(each["size"] and not each["replaced_by"] for each in jobs[1]["objects"])


def test_the_job_of_a_deleted_key_is_the_last_that_published(cloud: Cloud, region: str, ops: Run) -> None:
    key = f"input/undeleted/{uuid.uuid4()}.csv"
    cloud.upload(region, key, GOOD)
    cloud.run_until_idle()
    marker = cloud.delete(region, key)
    cloud.run_until_idle()
    expire(cloud, region, key, marker)
    cloud.run_until_idle()
    undeletion = json.loads(ops("job", key, "--stack", region, "--json").out)["job"]
    assert (undeletion["event"], undeletion["status"]) == ("removed", "COMPLETED")
    cloud.delete(region, key)
    cloud.run_until_idle()
    shown = json.loads(ops("job", key, "--stack", region, "--json").out)["job"]
    assert (shown["job_id"], shown["status"]) == (undeletion["job_id"], "WITHDRAWN")


@pytest.mark.parametrize("event", ["created", "deleted", "removed", "expired"])
def test_a_dead_letter_has_the_reason_of_its_own_job(cloud: Cloud, region: str, ops: Run, event: str) -> None:
    """The event of a deletion names a version that has a job of its own: that of its upload."""
    outputs, key = cloud.outputs[region], f"input/letters/{uuid.uuid4()}.csv"
    version = cloud.upload(region, key, UNREADABLE)
    cloud.run_until_idle()
    (upload,) = cloud.jobs(region, key)
    subject = {"key": key, "version-id": version, "sequencer": "00AF"}
    what = {"reason": "Lifecycle Expiration" if event == "expired" else "DeleteObject"}
    if event != "created":
        what["deletion-type"] = "Permanently Deleted" if event == "removed" else "Delete Marker Created"
        identifier = table.deletion_job_id(outputs["bucketName"], key, version, event, "00AF")
        item = {"job_id": {"S": identifier}, "error": {"S": "the reason of the deletion"}}
        cloud.client("dynamodb", region).put_item(TableName=outputs["tableName"], Item=item)
    body = {
        "detail-type": "Object Created" if event == "created" else "Object Deleted",
        "detail": {"object": subject, **what},
    }
    cloud.client("sqs", region).send_message(
        QueueUrl=outputs["deadLetterQueueUrl"], MessageBody=json.dumps(body)
    )
    (letter,) = (
        letter for letter in records(ops("dead-letters", "--json", "--stack", region)) if letter["key"] == key
    )
    shown = ops("dead-letters", "--stack", region).out
    delete_dead_letters(cloud, region)
    reason = upload["error"] if event == "created" else "the reason of the deletion"
    assert (letter["event"], letter["reason"]) == (event, reason)
    assert f"event    {event}" in shown


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_outputs_are_read_in_the_encodings_of_shells(
    cloud: Cloud, region: str, tmp_path: Path, encoding: str
) -> None:
    """PowerShell 5 writes UTF-16 if `>` redirects the output of `pulumi stack output --json`."""
    path = tmp_path / "outputs.json"
    path.write_text(json.dumps(cloud.outputs[region]), encoding=encoding)
    (stack,) = deployed_stacks.find(names=[], outputs_files=[path], local=False).stacks
    assert stack.bucket == cloud.outputs[region]["bucketName"]


@pytest.mark.usefixtures("as_operator")
def test_stacks_of_one_region_are_named_after_their_files(
    cloud: Cloud, region: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [tmp_path / "dev.json", tmp_path / "prod.json"]
    for path in paths:
        path.write_text(json.dumps(cloud.outputs[region]))
    both = ("--outputs", str(paths[0]), "--outputs", str(paths[1]))
    asked = run("replay", "input/", *both)
    assert (asked.status, "dev, prod" in asked.err) == (2, True)
    (chosen,) = records(run("redrive", "--json", "--stack", "prod", *both))
    assert chosen["stack"] == "prod"
    assert [state["stack"] for state in records(run("redrive", "--json", *both[:2]))] == [region]
    twice = run("redrive", "--outputs", str(paths[0]), "--outputs", str(paths[0]))
    assert (twice.status, "files named dev" in twice.err) == (2, True)


def test_outputs_that_are_no_text_are_reported_in_one_line(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "outputs.json"
    path.write_bytes(b"\x80\xff")
    answer = run("jobs", "--outputs", str(path))
    assert answer.status == 2
    assert f"{path} is not JSON" in answer.err


def test_discarding_stops_when_the_messages_are_found(
    cloud: Cloud, region: str, ops: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    sqs, queue = cloud.client("sqs", region), cloud.outputs[region]["deadLetterQueueUrl"]
    delete_dead_letters(cloud, region)
    first, *_ = [sqs.send_message(QueueUrl=queue, MessageBody="x")["MessageId"] for _ in range(40)]
    receive, received = dead_letters._receive, list[int]()

    def count(*arguments: Any) -> list[dict[str, Any]]:
        messages = receive(*arguments)
        received.append(len(messages))
        return messages

    monkeypatch.setattr(dead_letters, "_receive", count)
    assert "deleted 1 dead letters" in ops("discard", first, "--yes", "--stack", region).out
    assert sum(received) < 40
    assert cloud.messages(region, "deadLetterQueueUrl") == 39
    shown = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["ApproximateNumberOfMessages"])
    assert shown["Attributes"]["ApproximateNumberOfMessages"] == "39", "no message stays hidden"
    delete_dead_letters(cloud, region)


def test_a_message_is_found_although_others_come_again_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if reading the queue took longer than the visibility timeout of the first messages."""
    calls: dict[str, list[str]] = {"deleted": [], "shown": []}
    sqs = SimpleNamespace(
        get_queue_attributes=lambda **_: {"Attributes": {"ApproximateNumberOfMessages": "3"}},
        delete_message=lambda **call: calls["deleted"].append(call["ReceiptHandle"]),
        change_message_visibility_batch=lambda **call: calls["shown"].extend(
            entry["ReceiptHandle"] for entry in call["Entries"]
        ),
    )
    answers = iter(["a1 b1", "a2", "c1", ""])
    monkeypatch.setattr(
        dead_letters,
        "_receive",
        lambda *_: [{"MessageId": each[0], "ReceiptHandle": each} for each in next(answers).split()],
    )
    urls = {"dead_letter_queue_url": "one", "delivery_dead_letter_queue_url": "other"}
    stack: Any = SimpleNamespace(client=lambda _: sqs, **urls)
    assert dead_letters.discard(stack, {"c"}) == {"c"}
    assert calls == {"deleted": ["c1"], "shown": ["a2", "b1"]}


def test_a_replay_that_the_function_would_ignore_is_refused(cloud: Cloud, region: str, ops: Run) -> None:
    """The clock of another operator, who made the earlier replay, is ahead."""
    key = f"input/clocks/{uuid.uuid4()}.csv"
    version = cloud.upload(region, key, GOOD)
    cloud.run_until_idle()
    outputs = cloud.outputs[region]
    cloud.client("dynamodb", region).update_item(
        TableName=outputs["tableName"],
        Key={"job_id": {"S": table.job_id(outputs["bucketName"], key, version)}},
        UpdateExpression="SET replay_id = :newer",
        ExpressionAttributeValues={":newer": {"S": "29990101T000000Z-0a1b2c3d"}},
    )
    answer = ops("replay", key, "--yes", "--stack", region)
    assert answer.status == 2
    assert "has been replayed as 29990101T000000Z-0a1b2c3d" in answer.err
    assert cloud.messages(region) == 0

    (stack,) = deployed_stacks.find(names=[region], outputs_files=[], local=True).stacks
    resume = ("replay", key, "--resume", object_events.new_replay_id(stack), "--yes", "--stack", region)
    shown = ops(*resume).out
    check_width(shown, [key])
    assert "skipped 1 objects of a newer replay" in shown
    assert "nothing to replay" in shown
    skipped = json.loads(ops(*resume, "--json").out)
    assert [skipped[name] for name in ("objects", "newer", "sent")] == [0, 1, 0]
    assert cloud.messages(region) == 0


@pytest.mark.parametrize(("since", "period"), [("24h", 300), ("62d", 300), ("64d", 3600), ("454d", 3600)])
def test_counts_have_a_period_that_cloudwatch_still_has(
    region: str, ops: Run, monkeypatch: pytest.MonkeyPatch, since: str, period: int
) -> None:
    asked = list[dict[str, Any]]()

    def answer(_stack: Stack, queries: list[dict[str, Any]], _since: object) -> dict[str, list[float]]:
        asked.extend(queries)
        return {}

    monkeypatch.setattr(region_status, "_metric_values", answer)
    assert ops("status", "--since", since, "--stack", region).status in (0, 1)
    assert {query["MetricStat"]["Period"] for query in asked if "Jobs" in str(query)} == {period}
