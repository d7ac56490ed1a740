"""Each alarm goes to ALARM after its failure, and back to OK after the commands of its runbook section.

The failures are real: missing permissions, closed queues, disabled mappings, unreadable data. The deployed
alarms are evaluated over the metrics of the function and the services. Only the metrics' clock is moved,
because alarms have longer periods than a test.
"""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from local.cloud import Cloud
from local.resources import TYPES, lifecycle
from local.resources.target import Target
from tests.monitoring.region import evaluate_monitoring
from tests.ops import runbook
from tests.ops.conftest import Answer, Run
from tests.ops.timeline import Timeline

GOOD = b"id,price\n" + b"".join(b"%d,1.5\n" % number for number in range(100))
UNREADABLE = bytes(range(256))
SOME_ROWS_BAD = GOOD + b"1,2,3,4\n" * 7


class OnCall:
    """An operator who has been paged and follows the section."""

    def __init__(self, cloud: Cloud, region: str, section: str, timeline: Timeline, ops: Run) -> None:
        self.cloud, self.region, self.section, self.timeline, self._ops = (
            cloud,
            region,
            section,
            timeline,
            ops,
        )
        self.key = f"input/{section}/a table.csv".replace(" ", "-")
        self.message = ""

    @property
    def outputs(self) -> dict[str, Any]:
        return self.cloud.outputs[self.region]

    def client(self, service: str) -> Any:
        return self.cloud.client(service, self.region)

    def upload(self, body: bytes = GOOD) -> None:
        self.cloud.upload(self.region, self.key, body)

    def status(self) -> str:
        return self.cloud.jobs(self.region, self.key)[-1]["status"]

    def is_paged(self) -> None:
        assert {self.section, "region-healthy"} <= self.timeline.alarms()

    def looks(self) -> str:
        answers = [self._run(command) for command in runbook.commands(self.section, runbook.LOOK)]
        return "\n".join(answer.out for answer in answers)

    def does(self) -> None:
        for command in runbook.commands(self.section, runbook.DO):
            if "$MESSAGE" in command and not self.message:
                continue
            self._run(command)
        self.cloud.run_until_quiet()

    def sees_it_over(self, *, after_minutes: float = 15) -> str:
        self.timeline.measure(after_minutes)
        for _ in range(5):
            self.timeline.measure(1)
        assert self.timeline.alarms() == set()
        answers = [
            self._run(command, healthy=True) for command in runbook.commands(self.section, runbook.OVER)
        ]
        return "\n".join(answer.out for answer in answers)

    def _run(self, command: list[str], *, healthy: bool = False) -> Answer:
        arguments = runbook.filled(command, STACK=self.region, KEY=self.key, MESSAGE=self.message)
        answer = self._ops(*arguments)
        # `status` exits with 1 while a region is not healthy, which it is not until the failure is over.
        usual = {0} if healthy or arguments[0] != "status" else {0, 1}
        assert answer.status in usual, f"ops {' '.join(arguments)}: {answer.err}{answer.out}"
        if arguments[0] == "status" and not healthy:
            assert self.section in answer.out
        return answer


@contextmanager
def without_actions(on_call: OnCall, *actions: str) -> Iterator[None]:
    """Remove permissions from the function's role."""
    iam = on_call.client("iam")
    configuration = on_call.client("lambda").get_function_configuration(
        FunctionName=on_call.outputs["functionArn"]
    )
    role = configuration["Role"].rpartition("/")[2]
    name = "lambda-permissions"
    whole = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    text = json.dumps(whole)
    for action in actions:
        assert action in text
        text = text.replace(f'"{action}"', '"s3:ListAllMyBuckets"')
    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=text)
    try:
        yield
    finally:
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(whole))


@contextmanager
def closed_queue(on_call: OnCall) -> Iterator[None]:
    """Remove the queue's policy."""
    sqs, url = on_call.client("sqs"), on_call.outputs["queueUrl"]
    policy = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})
    try:
        yield
    finally:
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})


@contextmanager
def changed_mapping(on_call: OnCall, *, enabled: bool) -> Iterator[None]:
    """Enable or disable the event source mapping."""
    client = on_call.client("lambda")
    (mapping,) = client.list_event_source_mappings()["EventSourceMappings"]
    client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=enabled)
    try:
        yield
    finally:
        client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)


@contextmanager
def changed_alarm(on_call: OnCall, **change: Any) -> Iterator[None]:
    """Lower the threshold of the section's alarm, which a test would reach too slowly."""
    cloudwatch = on_call.client("cloudwatch")
    name = f"analytics-{on_call.section}-{on_call.region}-dev"
    (deployed,) = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    settable = cloudwatch.meta.service_model.operation_model("PutMetricAlarm").input_shape.members
    definition = {key: value for key, value in deployed.items() if key in settable}
    cloudwatch.put_metric_alarm(**definition | change)
    try:
        yield
    finally:
        cloudwatch.put_metric_alarm(**definition)


def dead_letters(on_call: OnCall) -> None:
    sqs = on_call.client("sqs")
    with without_actions(on_call, "s3:PutObject"):
        on_call.upload()
        on_call.message = sqs.send_message(QueueUrl=on_call.outputs["queueUrl"], MessageBody="no event")[
            "MessageId"
        ]
        on_call.cloud.run_until_quiet()
        on_call.timeline.measure(1)
        on_call.is_paged()
        seen = on_call.looks()
        assert on_call.key in seen
        assert "PutObject: AccessDenied" in seen
        assert "not JSON" in seen
        assert on_call.message in seen
        assert on_call.status() == "FAILED"
    for command in runbook.commands(on_call.section, runbook.DO)[:2]:
        on_call._run(command)
    on_call.cloud.run_until_quiet()
    assert on_call.status() == "COMPLETED"
    (letter,) = json.loads(f"[{on_call._ops('dead-letters', '--json', '--stack', on_call.region).out}]")
    on_call.message = letter["message_id"]
    on_call._run(runbook.commands(on_call.section, runbook.DO)[2])
    assert "COMPLETED" in on_call.sees_it_over()


def delivery_dead_letters(on_call: OnCall) -> None:
    with closed_queue(on_call):
        on_call.upload()
        on_call.timeline.measure(1)
        on_call.is_paged()
        seen = on_call.looks()
        assert on_call.key in seen
        assert "NO_PERMISSIONS" in seen
    on_call.does()
    assert "COMPLETED" in on_call.sees_it_over()


def delivery_failures(on_call: OnCall) -> None:
    with closed_queue(on_call):
        on_call.upload()
        on_call.timeline.measure(5)
        on_call.is_paged()
        seen = on_call.looks()
        assert "NO_PERMISSIONS" in seen
        assert "MISSING" in seen
    on_call.does()
    assert on_call.status() == "COMPLETED"
    assert on_call.key not in on_call.sees_it_over()


def queue_depth(on_call: OnCall) -> None:
    assert evaluate_monitoring()["queue-depth"]["threshold"] == 1000
    with changed_mapping(on_call, enabled=False), changed_alarm(on_call, Threshold=4):
        for _ in range(5):
            on_call.upload()
        for _ in range(3):
            on_call.timeline.measure(5)
        on_call.is_paged()
        on_call.looks()
        with changed_mapping(on_call, enabled=True):
            on_call.cloud.run_until_quiet()
        on_call.sees_it_over()


def message_age(on_call: OnCall) -> None:
    with changed_mapping(on_call, enabled=False):
        on_call.upload()
        on_call.cloud.run_until_idle()
        on_call.timeline.measure(31)
        for _ in range(3):
            on_call.timeline.measure(1)
        on_call.is_paged()
        on_call.looks()
    on_call.cloud.run_until_quiet()
    on_call.sees_it_over()
    assert on_call.status() == "COMPLETED"


def lambda_errors(on_call: OnCall) -> None:
    keys = [f"{on_call.key}.{number}" for number in range(6)]
    with without_actions(on_call, "dynamodb:UpdateItem"):
        for key in keys:
            on_call.cloud.upload(on_call.region, key, GOOD)
        on_call.cloud.run_until_idle()
        on_call.timeline.advance(5)
        assert "lambda-errors" not in on_call.timeline.alarms()
        on_call.cloud.redeliver()
        on_call.cloud.run_until_idle()
        on_call.timeline.measure(5)
        on_call.is_paged()
        assert "AccessDenied" in on_call.looks()
        on_call.cloud.run_until_quiet()
    on_call.does()
    on_call.sees_it_over()
    assert [on_call.cloud.jobs(on_call.region, key)[-1]["status"] for key in keys] == ["COMPLETED"] * 6


def lambda_throttles(on_call: OnCall) -> None:
    function = {"FunctionName": on_call.outputs["functionArn"]}
    on_call.client("lambda").put_function_concurrency(**function, ReservedConcurrentExecutions=0)
    try:
        on_call.upload()
        on_call.cloud.run_until_idle()
        for _ in range(2):
            on_call.timeline.advance(5)
            on_call.cloud.redeliver()
            on_call.cloud.run_until_idle()
        on_call.timeline.measure(5)
        on_call.is_paged()
        on_call.cloud.run_until_quiet()
        assert on_call.key in on_call.looks()
    finally:
        on_call.client("lambda").delete_function_concurrency(**function)
    on_call.does()
    assert "COMPLETED" in on_call.sees_it_over()


def lambda_duration(on_call: OnCall) -> None:
    assert evaluate_monitoring()["lambda-duration"]["threshold"] == 0.8 * 300_000
    for _ in range(2):
        on_call.upload()
        on_call.cloud.run_until_idle()
        on_call.timeline.measure(5)
    assert "lambda-duration" not in on_call.timeline.alarms()
    with changed_alarm(on_call, Threshold=0.8):
        on_call.is_paged()
        assert on_call.key in on_call.looks()
        on_call.does()
        on_call.sees_it_over(after_minutes=40)


def jobs_failed(on_call: OnCall) -> None:
    on_call.upload(UNREADABLE)
    on_call.cloud.run_until_idle()
    on_call.timeline.measure(5)
    on_call.is_paged()
    seen = on_call.looks()
    (job,) = on_call.cloud.jobs(on_call.region, on_call.key)
    assert job["error"] in seen
    on_call.upload(GOOD)
    on_call.does()
    assert "COMPLETED" in on_call.sees_it_over()


def rows_rejected(on_call: OnCall) -> None:
    on_call.upload(SOME_ROWS_BAD)
    on_call.cloud.run_until_idle()
    on_call.timeline.measure(15)
    on_call.is_paged()
    assert re.search(r"rejected  \{.*1,2,3,4", on_call.looks())
    on_call.upload(GOOD)
    on_call.does()
    assert "COMPLETED" in on_call.sees_it_over(after_minutes=30)


def table_throttles(on_call: OnCall) -> None:
    on_call.timeline.throttle_writes(on_call.outputs["tableName"], 1000)
    try:
        on_call.upload()
        on_call.cloud.run_until_idle()
        on_call.timeline.advance(5)
        on_call.cloud.run_until_quiet()
        on_call.timeline.measure(5)
        on_call.is_paged()
        assert "ThrottlingException" in on_call.looks()
    finally:
        on_call.timeline.throttle_writes(on_call.outputs["tableName"], 0)
    on_call.does()
    assert "COMPLETED" in on_call.sees_it_over()


def freshness(on_call: OnCall) -> None:
    # Off by default, so it is deployed here, as the program defines it for a stack that has it on.
    alarm = evaluate_monitoring(region=on_call.region, freshness_hours=6)["freshness"]
    target = Target(client=on_call.cloud.server.client, region=on_call.region)
    lifecycle.create(TYPES["aws:cloudwatch/metricAlarm:MetricAlarm"], target, alarm)
    rule = f"analytics-s3-events-{on_call.region}-dev"
    try:
        on_call.client("events").disable_rule(Name=rule)
        on_call.upload()
        on_call.cloud.run_until_idle()
        on_call.timeline.measure(6 * 60)
        assert "freshness" in on_call.timeline.alarms()
        assert "MISSING" in on_call.looks()
        on_call.client("events").enable_rule(Name=rule)
        on_call.does()
        assert "COMPLETED" in on_call.sees_it_over(after_minutes=60)
    finally:
        on_call.client("events").enable_rule(Name=rule)
        on_call.client("cloudwatch").delete_alarms(AlarmNames=[alarm["name"]])


SCENARIOS: dict[str, Callable[[OnCall], None]] = {
    scenario.__name__.replace("_", "-"): scenario
    for scenario in (
        dead_letters,
        delivery_dead_letters,
        delivery_failures,
        queue_depth,
        message_age,
        lambda_errors,
        lambda_throttles,
        lambda_duration,
        jobs_failed,
        rows_rejected,
        table_throttles,
        freshness,
    )
}


@pytest.mark.parametrize("section", SCENARIOS)
def test_alarm_goes_off_by_its_failure_and_ends_by_its_section(
    section: str, cloud: Cloud, region: str, timeline: Timeline, ops: Run
) -> None:
    timeline.measure(5)
    assert timeline.alarms() == set()
    SCENARIOS[section](OnCall(cloud, region, section, timeline, ops))


def test_every_alarm_has_a_section_and_a_scenario() -> None:
    alarms = set(evaluate_monitoring(freshness_hours=6))
    assert alarms == set(SCENARIOS) | {"region-healthy"}
    assert alarms <= set(runbook.sections())


@pytest.mark.parametrize("section", SCENARIOS)
def test_every_section_has_its_parts(section: str) -> None:
    text = runbook.sections()[section]
    for part in ("What happened.", "How bad.", runbook.LOOK, runbook.DO, runbook.OVER):
        assert f"**{part}**" in text
    assert runbook.commands(section, runbook.LOOK)
    assert runbook.commands(section, runbook.OVER)
