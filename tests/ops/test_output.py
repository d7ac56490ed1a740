"""What every command prints: at 80 columns, with hostile names and data, and as JSON."""

import json
import shlex
import time
import unicodedata
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest

from local.cloud import Cloud
from ops import deployed_stacks, object_events, region_status
from ops.commands import COMMANDS
from ops.table import job_id, register_id
from terminal.characters import visible
from tests.monitoring.region import evaluate_monitoring
from tests.ops.conftest import Answer, Run, delete_dead_letters
from tests.terminal.width import check_width, suggested

KINDS = tuple(sorted(evaluate_monitoring()))
GOOD = b"id,price\n" + b"".join(b"%d,1.5\n" % number for number in range(50))
HOSTILE_ROWS = b"id,[red]price\x1b[2J\n" + b"1,2\n" * 50 + b"1,\x1b[31m,\x9b2J,[/] :bomb:\n"
ACTS = {"Cc", "Cf", "Cs", "Zl", "Zp"}


@dataclass(frozen=True, kw_only=True)
class Bad:
    """Uploads and a message with characters that control a terminal."""

    prefix: str
    region: str
    completed: str
    failed: str
    message_id: str


@pytest.fixture
def bad(cloud: Cloud, region: str) -> Iterator[Bad]:
    delete_dead_letters(cloud, region)
    # S3's listings are XML 1.0, which has no ESC; its one-character form and directions are let through.
    prefix = f"input/{uuid.uuid4().hex[:8]}/" + "a-long-folder/" * 8 + "\x9b2J[red]\u202e"
    completed, failed = f"{prefix}completed [/].csv", f"{prefix}failed [bold].csv"
    cloud.upload(region, completed, HOSTILE_ROWS)
    cloud.upload(region, failed, bytes(range(256)))
    cloud.run_until_idle()
    body = json.dumps({"detail": {"object": {"key": "\x1b[2J[red]\u202ekey", "version-id": "\x9b"}}})
    sent = cloud.client("sqs", region).send_message(
        QueueUrl=cloud.outputs[region]["deadLetterQueueUrl"], MessageBody=body
    )
    yield Bad(prefix=prefix, region=region, completed=completed, failed=failed, message_id=sent["MessageId"])
    delete_dead_letters(cloud, region)


def commands(bad: Bad) -> dict[str, list[str]]:
    """Return the arguments of the commands that change nothing."""
    where = ["--stack", bad.region]
    return {
        "status": ["status"],
        "jobs": ["jobs", "--prefix", bad.prefix, *where],
        "job": ["job", bad.completed],
        "errors": ["errors", "--since", "1d", *where],
        "datasets": ["datasets"],
        "query": ["query", "SELECT * FROM airports", *where],
        "dead-letters": ["dead-letters", *where],
        "redrive": ["redrive", "--per-second", "5", *where],
        "discard": ["discard", bad.message_id, *where],
        "replay": ["replay", bad.prefix, *where],
        "replay of nothing": ["replay", bad.prefix, "--status", "SKIPPED", *where],
        "reconcile": ["reconcile", bad.prefix, "--older-than", "0m", *where],
        "erase --verify": ["erase", bad.completed, "--verify", *where],
        "an unknown job": ["job", bad.prefix],
        "an unknown message": ["discard", bad.prefix, *where],
        "a wrong argument": ["jobs", "--since", bad.prefix],
    }


def shown_values(cloud: Cloud, bad: Bad) -> list[str]:
    """Return the values of the uploads that the commands show, with escaped control characters."""
    bucket = cloud.outputs[bad.region]["bucketName"]
    jobs = [job for job in cloud.jobs(bad.region) if job["input_path"].startswith(bad.prefix)]
    values = [str(value) for job in jobs for value in job.values()]
    for job in jobs:
        for item in ("input_path", "output_path", "rejected_path", "profile_path"):
            key, version = job.get(item), f"&versionId={job['version_id']}" if item == "input_path" else ""
            console = f"https://{bad.region}.console.aws.amazon.com/s3/object/{bucket}?region={bad.region}"
            values += [f"s3://{bucket}/{key}", f"{console}&prefix={quote(key)}{version}"] if key else []
    rejected = [json.dumps(row, ensure_ascii=False) for row in rejects(cloud, bad)]
    names = [*(outputs["bucketName"] for outputs in cloud.outputs.values()), bad.prefix, *rejected]
    return [visible(value) for value in (*values, *names)]


def rejects(cloud: Cloud, bad: Bad) -> list[Any]:
    body = cloud.get(bad.region, f"rejected/{bad.completed}.jsonl")
    return [json.loads(line) for line in body.splitlines()]


def acts(text: str) -> set[str]:
    return {character for character in text if unicodedata.category(character) in ACTS} - {"\n"}


def test_every_command_fits_80_columns_and_acts_on_no_terminal(bad: Bad, ops: Run, cloud: Cloud) -> None:
    answers = {name: ops(*arguments) for name, arguments in commands(bad).items()}
    copied = shown_values(cloud, bad)
    for name, answer in answers.items():
        assert not acts(answer.out + answer.err), name
        assert "Traceback" not in answer.err, name
        check_width(answer.out, copied)
    shown = {name: answer.out for name, answer in answers.items()}
    key, failed = visible(bad.completed), visible(bad.failed)
    ids = [job["job_id"] for job in cloud.jobs(bad.region) if job["input_path"].startswith(bad.prefix)]
    assert len(ids) == 2
    for name, values in {
        "status": cloud.regions,
        "jobs": (key, failed, *ids),
        "job": (f"s3://{cloud.outputs[bad.region]['bucketName']}/{key}", r"\u001b[31m"),
        "dead-letters": (bad.message_id, r"\x1b[2J[red]\u202ekey"),
        "replay": (key, failed),
    }.items():
        assert all(value in shown[name] for value in values), name


def test_a_failure_of_every_alarm_fits_80_columns(
    cloud: Cloud, region: str, ops: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything = dict.fromkeys(("ALARM", "INSUFFICIENT_DATA"), KINDS)
    monkeypatch.setattr(region_status, "_alarms", lambda _: everything)
    shown = ops("status").out
    check_width(shown)
    assert all(shown.count(kind) >= 2 * len(cloud.regions) for kind in KINDS)


def test_commands_that_change_something_fit_80_columns(bad: Bad, ops: Run, cloud: Cloud) -> None:
    outputs, where = cloud.outputs[bad.region], ("--yes", "--stack", bad.region)
    register = {"job_id": {"S": register_id(outputs["bucketName"], bad.completed)}}
    cloud.client("dynamodb", bad.region).delete_item(TableName=outputs["tableName"], Key=register)
    copied = [visible(bad.prefix), visible(bad.completed)]
    for arguments in (
        ["reconcile", bad.prefix, "--older-than", "0m", "--stack", bad.region],
        ["reconcile", bad.prefix, "--older-than", "0m", *where],
        ["replay", bad.prefix, *where],
        ["redrive", *where],
    ):
        answer = ops(*arguments)
        assert answer.status == 0, answer.err
        check_width(answer.out, copied)
        cloud.run_until_idle()
    cloud.run_until_quiet()
    letters = lines(ops("dead-letters", "--json", "--stack", bad.region))
    answer = ops("discard", *(letter["message_id"] for letter in letters), *where)
    assert "deleted 1 dead letters" in answer.out
    check_width(answer.out)


NAMES = [str(command.__doc__).split("`")[1] for command in COMMANDS]


@pytest.mark.parametrize("name", ["", *NAMES])
def test_help_fits_80_columns(name: str, run: Run) -> None:
    answer = run(*filter(None, [name]), "--help")
    assert answer.out.startswith(f"usage: python -m ops {name}")
    check_width(answer.out)


def test_every_command_speaks_json_in_ascii(bad: Bad, ops: Run) -> None:
    for name, arguments in commands(bad).items():
        answer = ops(*arguments, "--json")
        if answer.status == 2:
            continue
        assert answer.out.isascii(), name
        assert not acts(answer.out), name
        for line in answer.out.splitlines():
            assert json.loads(line)["stack"], name
    (discarded,) = lines(ops("discard", bad.message_id, "--stack", bad.region, "--yes", "--json"))
    assert discarded == {"stack": bad.region, "messages": [bad.message_id], "deleted": True}
    (job,) = lines(ops("job", bad.completed, "--json"))
    assert job["job"]["input_path"] == bad.completed
    assert {item["role"] for item in job["objects"]} >= {"input", "output", "rejected"}
    assert job["rejects"]
    assert job["log"]


def lines(answer: Answer) -> list[dict[str, Any]]:
    assert answer.status == 0, answer.err
    return [json.loads(line) for line in answer.out.splitlines()]


def test_a_key_shows_the_job_of_every_region(cloud: Cloud, ops: Run) -> None:
    key = f"input/everywhere/{uuid.uuid4()}.csv"
    for stack in cloud.stacks:
        cloud.upload(stack, key, GOOD)
    cloud.run_until_idle()
    found = lines(ops("job", key, "--json"))
    assert [job["stack"] for job in found] == sorted(cloud.stacks)
    shown = ops("job", key).out
    assert all(f"s3://{cloud.outputs[stack]['bucketName']}/{key}" in shown for stack in cloud.stacks)


def test_a_key_without_an_object_shows_the_job_of_its_last_version(
    cloud: Cloud, region: str, ops: Run
) -> None:
    key = f"input/gone/{uuid.uuid4()}.csv"
    cloud.upload(region, key, GOOD)
    cloud.run_until_idle()
    cloud.client("s3", region).delete_object(Bucket=cloud.outputs[region]["bucketName"], Key=key)
    assert key in ops("job", key, "--stack", region).out


def test_the_first_digits_of_an_id_select_a_job(cloud: Cloud, region: str, ops: Run) -> None:
    key = f"input/short/{uuid.uuid4()}.csv"
    version = cloud.upload(region, key, GOOD)
    cloud.run_until_idle()
    bucket = cloud.outputs[region]["bucketName"]
    identifier = job_id(bucket, key, version)
    assert key in ops("job", identifier[:12]).out

    twin = identifier[:12] + "0" * 20
    table = cloud.client("dynamodb", region)
    name = cloud.outputs[region]["tableName"]
    item = table.get_item(TableName=name, Key={"job_id": {"S": identifier}})["Item"]
    table.put_item(TableName=name, Item=item | {"job_id": {"S": twin}})
    try:
        several = ops("job", identifier[:12])
    finally:
        table.delete_item(TableName=name, Key={"job_id": {"S": twin}})
    assert several.status == 2
    assert identifier in several.err
    assert twin in several.err
    assert ops("job", "0123abcd" * 3).status == 2


def test_a_key_that_looks_like_an_id_selects_its_job(cloud: Cloud, region: str, ops: Run) -> None:
    key = uuid.uuid4().hex
    cloud.upload(region, key, GOOD)
    cloud.run_until_idle()
    (job,) = lines(ops("job", key, "--json"))
    assert job["job"]["input_path"] == key


def test_expired_records_are_not_shown(cloud: Cloud, region: str, ops: Run) -> None:
    key = f"input/expired/{uuid.uuid4()}.csv"
    version = cloud.upload(region, key, GOOD)
    cloud.run_until_idle()
    identifier = job_id(cloud.outputs[region]["bucketName"], key, version)
    where = ("--stack", region)

    def expire(at: int) -> None:
        cloud.client("dynamodb", region).update_item(
            TableName=cloud.outputs[region]["tableName"],
            Key={"job_id": {"S": identifier}},
            UpdateExpression="SET expires_at = :at",
            ExpressionAttributeValues={":at": {"N": str(at)}},
        )

    expire(4_000_000_000)
    assert lines(ops("jobs", "--prefix", key, "--json", *where))
    assert identifier in ops("job", key, *where).out
    expire(1_000_000_000)
    assert lines(ops("jobs", "--prefix", key, "--json", *where)) == []
    assert ops("job", identifier, *where).status == 2
    nothing = ops("replay", key, "--status", "MISSING", *where).out
    assert "is MISSING (found: 1 EXPIRED)" in nothing, "it was processed, though nothing says how"


def test_an_object_without_a_register_is_missing(cloud: Cloud, region: str, ops: Run) -> None:
    key = f"input/never-taken/{uuid.uuid4()}.csv"
    cloud.upload(region, key, GOOD)
    cloud.run_until_idle()
    where = ("--stack", region)
    assert "nothing to replay" in ops("replay", key, "--status", "MISSING", *where).out
    cloud.client("dynamodb", region).delete_item(
        TableName=cloud.outputs[region]["tableName"],
        Key={"job_id": {"S": register_id(cloud.outputs[region]["bucketName"], key)}},
    )
    assert "would process again: 1 objects" in ops("replay", key, "--status", "MISSING", *where).out


def test_errors_have_dates_and_are_oldest_first(cloud: Cloud, region: str, ops: Run) -> None:
    logs, group = cloud.client("logs", region), cloud.outputs[region]["logGroupName"]
    stream = f"test/{uuid.uuid4()}"
    logs.create_log_stream(logGroupName=group, logStreamName=stream)
    word = uuid.uuid4().hex
    days = [datetime.now(UTC) - timedelta(days=days) for days in (2, 4, 3)]
    for day in days:  # as the streams of several functions come in
        event = {"timestamp": int(day.timestamp() * 1000), "message": f"ERROR {word}"}
        logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=[event])
    where = ("--since", "5d", "--stack", region)
    shown = [line for line in ops("errors", *where, "--limit", "1000").out.splitlines() if word in line]
    assert [line.split()[0] for line in shown] == [f"{day:%Y-%m-%d}" for day in sorted(days)]
    now = int(time.time() * 1000)
    levels = [json.dumps({"level": level, "message": f"ERROR {word}"}) for level in ("INFO", "ERROR")]
    messages = [{"timestamp": now, "message": message} for message in levels]
    logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=messages)
    found = [line["message"] for line in lines(ops("errors", "--limit", "1000", "--json", "--stack", region))]
    assert [message for message in found if word in message] == levels[1:], "a key may contain the term"
    newest = lines(ops("errors", *where, "--limit", "1", "--json"))
    assert len(newest) == 1
    logs.delete_log_stream(logGroupName=group, logStreamName=stream)


@pytest.mark.parametrize(
    ("prefix", "status", "said"),
    [
        ("input/nobody-has-this/", (), "no object's key begins with 'input/nobody-has-this/'"),
        ("rejected/", (), "are the system's results"),
        (
            "input/why/",
            ("--status", "FAILED"),
            "no object under 'input/why/' is FAILED (found: 1 COMPLETED)",
        ),
    ],
)
def test_replay_says_why_there_is_nothing(
    cloud: Cloud, region: str, ops: Run, prefix: str, status: tuple[str, ...], said: str
) -> None:
    cloud.upload(region, "input/why/x.csv", GOOD)
    cloud.run_until_idle()
    assert said in ops("replay", prefix, *status, "--stack", region).out


@pytest.mark.parametrize("unknown", ["x", "20200101T000000Z", "20200101T000000Z-123456-0a1b2c3d", "../../x"])
def test_an_id_that_no_replay_has_made_is_refused(cloud: Cloud, region: str, ops: Run, unknown: str) -> None:
    before = cloud.messages(region)
    answer = ops("replay", "input/", "--resume", unknown, "--yes", "--stack", region)
    assert answer.status == 2
    assert "an interrupted command prints its id" in answer.err
    assert cloud.messages(region) == before


def test_a_later_replay_has_a_greater_id(embedded: object) -> None:
    one, *_ = deployed_stacks.find(names=[], outputs_files=[], local=True).stacks
    identifiers = [object_events.new_replay_id(one) for _ in range(20)]
    assert identifiers == sorted(identifiers)


def test_the_id_of_another_stacks_replay_is_refused(ops: Run, embedded: object) -> None:
    one, other, *_ = deployed_stacks.find(names=[], outputs_files=[], local=True).stacks
    identifier = object_events.new_replay_id(one)
    assert ops("replay", "input/", "--resume", identifier, "--stack", one.name).status == 0
    assert ops("replay", "input/", "--resume", identifier, "--stack", other.name).status == 2


def test_an_unknown_message_is_reported_before_anything_is_deleted(
    cloud: Cloud, region: str, ops: Run
) -> None:
    answer = ops("discard", "no-such-message", "--stack", region)
    assert answer.status == 2
    assert f"{region} has no dead letter no-such-message" in answer.err
    assert "would delete" not in answer.out


def test_suggested_commands_repeat_the_given_options(
    cloud: Cloud, region: str, ops: Run, run: Run, embedded: object, tmp_path: object
) -> None:
    cloud.upload(region, "input/hints/x y.csv", GOOD)
    cloud.run_until_idle()
    said = ops("replay", "input/hints/", "--status", "COMPLETED", "--stack", region).out
    (hint,) = suggested(said)
    assert hint == f"python -m ops replay input/hints/ --status COMPLETED --yes --stack {region} --local"
    assert run(*shlex.split(hint)[3:]).status == 0, "the hint is a command"
    cloud.run_until_idle()
    for arguments in (
        ["jobs", "--prefix", "input/hints/"],
        ["replay", "input/hints/", "--yes"],
        ["reconcile", "input/hints/", "--older-than", "2h", "--withdraw-expired", "--yes"],
    ):
        assert all(
            command.endswith(f"--stack {region} --local")
            for command in suggested(ops(*arguments, "--stack", region).out)
        )


def test_the_command_that_repairs_has_the_options_of_the_dry_run(cloud: Cloud, region: str, ops: Run) -> None:
    key = f"input/repair/{uuid.uuid4()}.csv"
    cloud.upload(region, key, GOOD)
    cloud.run_until_idle()
    bucket, table = (cloud.outputs[region][name] for name in ("bucketName", "tableName"))
    register = {"job_id": {"S": register_id(bucket, key)}}
    cloud.client("dynamodb", region).delete_item(TableName=table, Key=register)
    dry = ops("reconcile", key, "--older-than", "2020-01-01", "--withdraw-expired", "--stack", region)
    assert "Skipped 1 keys" in dry.out
    found = ops("reconcile", key, "--older-than", "0m", "--withdraw-expired", "--stack", region)
    (repair,) = suggested(found.out)
    assert {"--older-than", "--withdraw-expired", "--yes"} <= set(shlex.split(repair))
    assert json.loads(ops(*shlex.split(repair)[3:-1], "--json").out)["sent"] == 1
    cloud.run_until_idle()
