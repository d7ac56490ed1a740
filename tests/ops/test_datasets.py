"""`python -m ops datasets` counts what is published, and what a dataset's contract has not converted."""

import json
import shlex
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from boto3.dynamodb.types import TypeSerializer

from local.cloud import Cloud
from ops import deployed_stacks, object_events
from ops.table import job_id
from tests.local.workload import expire
from tests.ops.conftest import Run
from tests.terminal.width import check_width, suggested

GOOD = b"faa,name,lat,lon,alt,tz,dst,tzone\n" + b"JFK,Kennedy,40.5,-73.75,13,-5,A,NA\n" * 20
FLAWED = GOOD + b"too,few\n"


class Airports:
    """The dataset `airports`, with uploads of the test's own."""

    def __init__(self, cloud: Cloud, ops: Run) -> None:
        self.cloud, self._ops = cloud, ops
        self.folder = f"input/airports/{uuid.uuid4().hex[:8]}/"

    def upload(self, stack: str, name: str, body: bytes) -> str:
        version = self.cloud.upload(stack, self.folder + name, body)
        self.cloud.run_until_idle()
        return version

    def delete(self, stack: str, name: str) -> None:
        self.cloud.delete(stack, self.folder + name)
        self.cloud.run_until_idle()

    def bucket(self, stack: str) -> str:
        return self.cloud.outputs[stack]["bucketName"]

    def change(self, stack: str, job: str, **attributes: str | bool | int | None) -> None:
        """Set attributes of a job record, or remove those that are None."""
        table, name = self.cloud.client("dynamodb", stack), self.cloud.outputs[stack]["tableName"]
        serialize = TypeSerializer().serialize
        item = table.get_item(TableName=name, Key={"job_id": {"S": job}})["Item"]
        item |= {attribute: serialize(value) for attribute, value in attributes.items()}
        kept = {attribute: value for attribute, value in item.items() if "NULL" not in value}
        table.put_item(TableName=name, Item=kept)

    def states(self) -> dict[str, dict[str, Any]]:
        """Return the dataset's state by stack."""
        answer = self._ops("datasets", "--json")
        assert answer.status == 0, answer.err
        states = [json.loads(line) for line in answer.out.splitlines()]
        return {state["stack"]: state for state in states if state["dataset"] == "airports"}

    def changed(self, before: dict[str, dict[str, Any]]) -> dict[str, dict[str, int]]:
        """Return by how much the counts of each stack differ from earlier ones; without zeros."""
        counts = ("objects", "rows", "rejected", "failed", "outdated")
        return {
            stack: {name: by for name in counts if (by := state[name] - before[stack][name])}
            for stack, state in self.states().items()
        }


@pytest.fixture
def airports(cloud: Cloud, ops: Run) -> Iterator[Airports]:
    made = Airports(cloud, ops)
    yield made
    for stack in cloud.stacks:
        for key in cloud.keys(stack, made.folder):
            cloud.delete(stack, key)
    cloud.run_until_idle()


def test_objects_and_rows_are_counted_in_each_region(airports: Airports) -> None:
    one, other, third = airports.cloud.stacks
    before = airports.states()
    airports.upload(one, "a.csv", GOOD)
    airports.upload(one, "a.csv", GOOD)  # a new version replaces the first
    airports.upload(one, "b.csv", GOOD)
    airports.upload(other, "a.csv", FLAWED)
    airports.upload(other, "unreadable.csv", bytes(range(256)))
    assert airports.changed(before) == {
        one: {"objects": 2, "rows": 40},
        other: {"objects": 1, "rows": 20, "rejected": 1, "failed": 1},
        third: {},
    }
    assert airports.states()[one]["newest"] > (before[one]["newest"] or 0)


def test_withdrawn_objects_are_not_counted(airports: Airports, region: str) -> None:
    before = airports.states()
    airports.upload(region, "a.csv", GOOD)
    assert airports.changed(before)[region] == {"objects": 1, "rows": 20}
    airports.delete(region, "a.csv")
    assert airports.changed(before)[region] == {}


def test_objects_of_an_earlier_contract_are_shown_with_the_command_that_converts_them(
    airports: Airports, region: str, ops: Run, run: Run
) -> None:
    before = airports.states()
    version = airports.upload(region, "a.csv", GOOD)
    identifier = job_id(airports.bucket(region), f"{airports.folder}a.csv", version)
    airports.change(region, identifier, contract_version="0.9.0")
    assert airports.changed(before)[region] == {"objects": 1, "rows": 20, "outdated": 1}

    shown = ops("datasets", "--stack", region).out
    commands = [line.split("python -m ops ")[1] for line in shown.splitlines() if "python -m ops " in line]
    (replay,) = [command for command in commands if "input/airports/" in command]
    check_width(shown, [f"python -m ops {replay}", airports.bucket(region)])
    done = run(*shlex.split(replay), "--yes")
    assert done.status == 0, done.err
    airports.cloud.run_until_idle()
    assert airports.changed(before)[region] == {"objects": 1, "rows": 20}


def test_counts_that_leave_out_expired_records_say_so(airports: Airports, region: str, ops: Run) -> None:
    before = airports.states()
    assert before[region]["retention_days"] == 0
    version = airports.upload(region, "a.csv", GOOD)
    key = f"{airports.folder}a.csv"
    airports.change(region, job_id(airports.bucket(region), key, version), expires_at=1)
    client = airports.cloud.client("lambda", region)
    function = {"FunctionName": airports.cloud.outputs[region]["functionArn"]}
    variables = client.get_function_configuration(**function)["Environment"]["Variables"]
    expiring = variables | {"JOB_RETENTION_DAYS": "30"}
    client.update_function_configuration(**function, Environment={"Variables": expiring})
    try:
        assert airports.changed(before)[region] == {}
        assert airports.states()[region]["retention_days"] == 30
        shown = ops("datasets", "--stack", region).out
        check_width(shown, [airports.bucket(region)])
        assert "expire after 30 days" in shown
        found = ops("replay", airports.folder, "--status", "EXPIRED", "--stack", region)
    finally:
        client.update_function_configuration(**function, Environment={"Variables": variables})
    assert "would process again: 1 objects" in found.out
    assert "expire after" not in ops("datasets", "--stack", region).out


def test_the_table_fits_80_columns(airports: Airports, ops: Run) -> None:
    shown = ops("datasets").out
    stacks = airports.cloud.outputs
    places = [f"s3://{outputs['bucketName']}/input/airports/" for outputs in stacks.values()]
    assert all(place in shown for place in places)
    check_width(shown, [outputs["bucketName"] for outputs in stacks.values()])
    assert suggested(shown) == []


def test_a_late_event_of_an_older_version_changes_nothing(airports: Airports, region: str) -> None:
    cloud, key = airports.cloud, f"{airports.folder}a.csv"
    events = cloud.client("events", region)
    (rule,) = events.list_rules(NamePrefix="analytics-s3-events-")["Rules"]
    before = airports.states()
    events.disable_rule(Name=rule["Name"])
    try:
        older = airports.upload(region, "a.csv", FLAWED)
    finally:
        events.enable_rule(Name=rule["Name"])
    airports.upload(region, "a.csv", GOOD)
    assert airports.changed(before)[region] == {"objects": 1, "rows": 20}
    (stack,) = deployed_stacks.find(names=[region], outputs_files=[], local=True).stacks
    version = {"Key": key, "Size": 1, "ETag": "x", "VersionId": older, "LastModified": datetime.now(UTC)}
    assert list(object_events.send(stack, [object_events.created(stack, version, "20200101T000000Z")])) == [1]
    cloud.run_until_idle()
    assert {job["version_id"]: job["status"] for job in cloud.jobs(region, key)}[older] == "SUPERSEDED"
    assert airports.changed(before)[region] == {"objects": 1, "rows": 20}


def test_an_object_that_is_being_converted_again_is_counted(airports: Airports, region: str) -> None:
    before = airports.states()
    version = airports.upload(region, "a.csv", GOOD)
    identifier = job_id(airports.bucket(region), f"{airports.folder}a.csv", version)
    airports.change(region, identifier, status="STARTED", retryable=True)
    assert airports.changed(before)[region] == {"objects": 1, "rows": 20}


def test_an_object_is_counted_until_a_newer_version_is_converted(airports: Airports, region: str) -> None:
    """The last delivery of the newer version failed before it could publish."""
    key = f"{airports.folder}a.csv"
    before = airports.states()
    airports.upload(region, "a.csv", GOOD)
    newer = job_id(airports.bucket(region), key, airports.upload(region, "a.csv", FLAWED))
    airports.change(region, newer, status="FAILED", retryable=True, outcome=None)
    assert airports.changed(before)[region] == {"objects": 1, "rows": 20, "failed": 1}


def test_a_version_that_a_deletion_made_current_is_counted(airports: Airports, region: str) -> None:
    before = airports.states()
    airports.upload(region, "a.csv", GOOD)
    newer = airports.upload(region, "a.csv", FLAWED)
    assert airports.changed(before)[region] == {"objects": 1, "rows": 20, "rejected": 1}
    expire(airports.cloud, region, f"{airports.folder}a.csv", newer)
    airports.cloud.run_until_idle()
    assert airports.changed(before)[region] == {"objects": 1, "rows": 20}
