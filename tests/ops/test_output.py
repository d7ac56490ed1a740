"""What every command prints: at 80 columns, with hostile names and data, and as JSON."""

import json
import unicodedata
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.cloud import Cloud
from ops.table import job_id, register_id
from tests.ops.conftest import Answer, Run, let_go_of_dead_letters

WIDTH = 80
GOOD = b"id,price\n" + b"".join(b"%d,1.5\n" % number for number in range(50))
HOSTILE_ROWS = b"id,[red]price\x1b[2J\n" + b"1,2\n" * 50 + b"1,\x1b[31m,\x9b2J,[/] :bomb:\n"
ACTS = {"Cc", "Cf", "Cs", "Zl", "Zp"}


@dataclass(frozen=True, kw_only=True)
class Bad:
    """What somebody uploaded and sent to make the operator's terminal do something."""

    prefix: str
    region: str
    completed: str
    failed: str
    message_id: str


@pytest.fixture
def bad(cloud: Cloud, region: str) -> Iterator[Bad]:
    let_go_of_dead_letters(cloud, region)
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
    let_go_of_dead_letters(cloud, region)


def commands(bad: Bad) -> dict[str, list[str]]:
    """Each command, and what of its output is to be copied, so must be whole."""
    where = ["--stack", bad.region]
    return {
        "status": ["status"],
        "jobs": ["jobs", "--prefix", bad.prefix, *where],
        "job": ["job", bad.completed],
        "errors": ["errors", "--since", "1d", *where],
        "dead-letters": ["dead-letters", *where],
        "redrive": ["redrive", *where],
        "discard": ["discard", bad.message_id, *where],
        "replay": ["replay", bad.prefix, *where],
        "replay of nothing": ["replay", bad.prefix, "--status", "SKIPPED", *where],
        "reconcile": ["reconcile", bad.prefix, "--older-than", "0m", *where],
        "erase": ["erase", bad.completed, *where],
        "erase --verify": ["erase", bad.completed, "--verify", *where],
        "an unknown job": ["job", bad.prefix],
        "an unknown message": ["discard", bad.prefix, *where],
        "a wrong argument": ["jobs", "--since", bad.prefix],
    }


def acts(text: str) -> set[str]:
    return {character for character in text if unicodedata.category(character) in ACTS} - {"\n"}


def test_every_command_fits_80_columns_and_acts_on_no_terminal(
    bad: Bad, ops: Run, monkeypatch: pytest.MonkeyPatch, cloud: Cloud
) -> None:
    monkeypatch.setenv("COLUMNS", str(WIDTH))
    answers = {name: ops(*arguments) for name, arguments in commands(bad).items()}
    for name, answer in answers.items():
        assert not acts(answer.out + answer.err), name
        assert "Traceback" not in answer.err, name
        assert "…" not in answer.out, f"{name} cuts something"
    for name in ("status", "jobs", "dead-letters", "replay"):
        for line in answers[name].out.splitlines():
            # What stands below a line of figures, or repeats what was typed, is there to be copied.
            copied = line.startswith("  ") or "python -m ops" in line or bad.prefix[:20] in line
            assert copied or len(line) <= WIDTH, (name, line)
    shown = {name: answer.out for name, answer in answers.items()}
    key, failed = (
        text.replace("\x9b", r"\x9b").replace("\u202e", r"\u202e") for text in (bad.completed, bad.failed)
    )
    identifiers = [
        job["job_id"] for job in cloud.jobs(bad.region) if job["input_path"].startswith(bad.prefix)
    ]
    assert all(identifier in shown["jobs"] for identifier in identifiers)
    assert key in shown["jobs"]
    assert failed in shown["jobs"]
    assert f"s3://{cloud.outputs[bad.region]['bucketName']}/{key}" in shown["job"]
    assert r"\u001b[31m" in shown["job"], "the rejected row"
    assert bad.message_id in shown["dead-letters"]
    assert r"\x1b[2J[red]\u202ekey" in shown["dead-letters"]
    assert key in shown["replay"]
    assert all(region in shown["status"] for region in cloud.regions)


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


def test_the_beginning_of_an_id_is_enough_while_it_is_of_one_job(cloud: Cloud, region: str, ops: Run) -> None:
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
    assert "is MISSING (there are 1 EXPIRED)" in nothing, "it was processed, though nothing says how"


def test_missing_is_what_no_register_holds(cloud: Cloud, region: str, ops: Run) -> None:
    key = f"input/never-taken/{uuid.uuid4()}.csv"
    cloud.upload(region, key, GOOD)
    cloud.run_until_idle()
    where = ("--stack", region)
    assert "nothing to replay" in ops("replay", key, "--status", "MISSING", *where).out
    cloud.client("dynamodb", region).delete_item(
        TableName=cloud.outputs[region]["tableName"],
        Key={"job_id": {"S": register_id(cloud.outputs[region]["bucketName"], key)}},
    )
    assert "would process again 1 objects" in ops("replay", key, "--status", "MISSING", *where).out


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
    newest = lines(ops("errors", *where, "--limit", "1", "--json"))
    assert len(newest) == 1
    logs.delete_log_stream(logGroupName=group, logStreamName=stream)


@pytest.mark.parametrize(
    ("prefix", "status", "said"),
    [
        ("input/nobody-has-this/", (), "no object's key begins with 'input/nobody-has-this/'"),
        ("rejected/", (), "was written by the system itself"),
        (
            "input/why/",
            ("--status", "FAILED"),
            "no object under 'input/why/' is FAILED (there are 1 COMPLETED)",
        ),
    ],
)
def test_replay_says_why_there_is_nothing(
    cloud: Cloud, region: str, ops: Run, prefix: str, status: tuple[str, ...], said: str
) -> None:
    cloud.upload(region, "input/why/x.csv", GOOD)
    cloud.run_until_idle()
    assert said in ops("replay", prefix, *status, "--stack", region).out


@pytest.mark.parametrize("unknown", ["x", "20200101T000000Z", "29990101T000000Z-0a1b2c3d", "../../x"])
def test_resuming_a_replay_that_never_was_is_refused(
    cloud: Cloud, region: str, ops: Run, unknown: str
) -> None:
    before = cloud.messages(region)
    answer = ops("replay", "input/", "--resume", unknown, "--yes", "--stack", region)
    assert answer.status == 2
    assert "an interrupted command prints its id" in answer.err
    assert cloud.messages(region) == before


def test_a_message_that_is_not_there_is_said_before_anything_is_deleted(
    cloud: Cloud, region: str, ops: Run
) -> None:
    answer = ops("discard", "no-such-message", "--stack", region)
    assert answer.status == 2
    assert f"{region} has no dead letter no-such-message" in answer.err
    assert "would delete" not in answer.out


def test_hints_repeat_the_options_that_were_given(
    cloud: Cloud, region: str, ops: Run, run: Run, embedded: object, tmp_path: object
) -> None:
    cloud.upload(region, "input/hints/x y.csv", GOOD)
    cloud.run_until_idle()
    said = ops("replay", "input/hints/", "--status", "COMPLETED", "--stack", region).out
    hint = said.split("do it with: ")[1].splitlines()[0]
    assert hint == f"python -m ops replay input/hints/ --status COMPLETED --yes --stack {region} --local"
    assert run(*hint.split()[3:]).status == 0, "the hint is a command"
    cloud.run_until_idle()
    assert f"--stack {region} --local" in ops("jobs", "--prefix", "input/hints/", "--stack", region).out
