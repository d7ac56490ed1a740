"""What a change of each setting does to a live stack, as `Pulumi.yaml` and docs/settings.md say it.

A stack has data and a running function. Each setting is changed alone, and back. Nothing that holds data is
deleted, and the function has at every moment what it works with.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.engine.account import WorkingFunction
from tests.engine.deployment import NAME, PROJECT, Deployment, Engine, Refused, Step

if TYPE_CHECKING:
    from collections.abc import Iterator

DECLARED: dict[str, dict[str, Any]] = {
    key.partition(":")[2]: declaration
    for key, declaration in yaml.safe_load((PROJECT / "Pulumi.yaml").read_text())["config"].items()
}

OTHER_VALUES: dict[str, Any] = {
    "region": "eu-west-1",
    "cidrBlock": "10.9.0.0/16",
    "environmentSuffix": "other",
    "environment": "Staging",
    "availabilityZones": ["us-east-1b", "us-east-1c"],
    "pythonRuntime": "python3.12",
    "memorySize": 2048,
    "timeout": 120,
    "ephemeralStorage": 2048,
    "maximumConcurrency": 7,
    "maximumReceives": 5,
    "uploadPrefixes": ["input/"],
    "logRetentionDays": 60,
    "jobRetentionDays": 30,
    "glacierAfterDays": 30,
    "archivePrefixes": ["input/", "old/"],
    "noncurrentVersionExpirationDays": 10,
    "rejectedShareMax": "0.2",
    "maxDecompressedBytes": 1_000_000_000,
    "maxDecompressionRatio": 100,
    "protect": False,
    "forceDestroy": True,
    "administratorRoleArns": ["arn:aws:iam::123456789012:role/administrator"],
    "datasets": ["*"],
    "queryScanLimitBytes": 10_000_000_000,
    "queueDepthThreshold": 77,
    "freshnessHours": 6,
    "alarmSubscribers": ["someone@example.org"],
    "runbookUrl": "https://example.org/runbook",
    "customerManagedKey": True,
}

NEEDS: dict[str, dict[str, Any]] = {
    "forceDestroy": {"protect": False},
    "queryScanLimitBytes": {"datasets": ["*"]},
}
"""Settings that mean something only beside another one."""

ONE_WAY = {"customerManagedKey"}
"""Settings that are fixed once they are changed."""

IN_PLACE = "Changed in place."
REPLACED = "Changed by replacement."
FIXED = "Fixed."

REPLACED_UNNOTICED = ("-layer", "-identity-key")
"""A function keeps the version of a layer that is deleted (Lambda developer guide, "Deleting layers"). The
stash of the stack's identity exists in Pulumi's state alone."""

HOLD_DATA = ("-bucket", "-jobs-table", "-queue", "-dlq", "-log-group", "-key")


class Live:
    """A deployed stack with data."""

    def __init__(self, engine: Engine) -> None:
        self.deployment = Deployment(engine)
        self.deployment.up()
        self.outputs = self.deployment.outputs()
        self.calls: list[str] = []
        self._put_data()

    def _put_data(self) -> None:
        client = self.deployment.client
        client("s3").put_object(Bucket=self.outputs["bucketName"], Key="kept/object", Body=b"kept")
        client("dynamodb").put_item(
            TableName=self.outputs["tableName"],
            Item={"job_id": {"S": "kept"}, "status": {"S": "FAILED"}, "timestamp": {"N": "1"}},
        )
        for output in ("queueUrl", "deadLetterQueueUrl", "deliveryDeadLetterQueueUrl"):
            client("sqs").send_message(QueueUrl=self.outputs[output], MessageBody="kept")

    def check_data(self) -> None:
        """Fail unless all data is where it was."""
        client = self.deployment.client
        client("s3").get_object(Bucket=self.outputs["bucketName"], Key="kept/object")
        assert client("dynamodb").get_item(
            TableName=self.outputs["tableName"], Key={"job_id": {"S": "kept"}}
        )["Item"]
        for output in ("queueUrl", "deadLetterQueueUrl", "deliveryDeadLetterQueueUrl"):
            attributes = client("sqs").get_queue_attributes(
                QueueUrl=self.outputs[output], AttributeNames=["ApproximateNumberOfMessages"]
            )["Attributes"]
            assert int(attributes["ApproximateNumberOfMessages"]) >= 1, output

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Fail if the function lacks something at any moment of what is done within."""
        provider = self.deployment.engine.provider
        function = WorkingFunction(self.deployment.client, self.outputs)
        self.calls = []

        def before(method: str, urn: str) -> None:
            if method in {"Create", "Update", "Delete"}:
                self.calls.append(f"{method} {urn.rpartition('::')[2]}")
                function.before(method, urn)

        provider.before = before
        try:
            yield
        finally:
            provider.before = lambda _method, _urn: None
        assert function.problems == []
        assert list(function.lacks()) == []

    def up(self, **settings: Any) -> Step:
        """Change settings, and hold that nothing is harmed."""
        self.deployment.set(**settings)
        with self.watched():
            step = self.deployment.up()
        self.check_data()
        return step


@pytest.fixture(scope="module")
def live(engine: Engine) -> Live:
    return Live(engine)


def _of(kind: str) -> list[str]:
    return [name for name, declared in DECLARED.items() if declared["description"].endswith(kind)]


def test_every_setting_has_a_class_and_another_value_here() -> None:
    assert OTHER_VALUES.keys() == DECLARED.keys()
    assert {*_of(IN_PLACE), *_of(REPLACED), *_of(FIXED), *ONE_WAY} == DECLARED.keys()


def _default(name: str) -> Any:
    """What the stack's file has: a setting that it does not set is taken out of it again."""
    file = yaml.safe_load((PROJECT / "Pulumi.us-east-1.yaml").read_text())["config"]
    return file.get(f"{NAME}:{name}")


def _replaced(step: Step) -> set[str]:
    replaced = {name for name, operation in step.operations.items() if "replace" in operation}
    return {name for name in replaced if not name.endswith(REPLACED_UNNOTICED)}


@pytest.mark.parametrize("name", _of(FIXED))
def test_what_is_fixed_is_refused_before_the_first_step(live: Live, name: str) -> None:
    before, deployed = live.deployment.state(), _default(name) or DECLARED[name]["default"]
    live.deployment.set(**{name: OTHER_VALUES[name]})
    try:
        with live.watched(), pytest.raises(Refused) as refused:
            live.deployment.up()
    finally:
        live.deployment.set(**{name: _default(name)})
    assert live.calls == []
    assert live.deployment.state() == before
    for text in (f"{NAME}:{name}", str(deployed), str(OTHER_VALUES[name])):
        assert text in str(refused.value)


@pytest.mark.parametrize("name", _of(IN_PLACE))
def test_what_is_changed_in_place_replaces_nothing(live: Live, name: str) -> None:
    needs = NEEDS.get(name, {})
    if needs:
        live.up(**needs)

    step = live.up(**{name: OTHER_VALUES[name]})
    assert step.operations
    assert not _replaced(step)
    assert not live.deployment.preview(expect_no_changes=True).operations

    back = live.up(**{name: _default(name)})
    assert back.operations.keys() == step.operations.keys()
    assert not _replaced(back)
    if needs:
        live.up(**{other: _default(other) for other in needs})


@pytest.mark.parametrize("name", _of(REPLACED))
def test_what_is_replaced_is_there_before_the_old_goes(live: Live, name: str) -> None:
    for value in (OTHER_VALUES[name], _default(name)):
        step = live.up(**{name: value})
        replaced = _replaced(step) | {
            one for one, operation in step.operations.items() if operation == "delete"
        }
        assert replaced
        assert not [one for one in replaced if one.endswith(HOLD_DATA)]
        assert not live.deployment.preview(expect_no_changes=True).operations


def test_a_key_of_its_own_comes_in_place_and_stays(live: Live) -> None:
    step = live.up(customerManagedKey=True)
    assert not _replaced(step)
    assert not live.deployment.preview(expect_no_changes=True).operations

    before = _resources(live)
    for protect in (True, False):
        live.up(protect=protect)
        live.deployment.set(customerManagedKey=False)
        with live.watched(), pytest.raises(Refused) as refused:
            live.deployment.up()
        live.deployment.set(customerManagedKey=True)
        assert live.calls == []
        assert f"{NAME}:customerManagedKey" in str(refused.value)
    live.up(protect=None)
    assert _resources(live) == before


def _resources(live: Live) -> dict[str, tuple[Any, ...]]:
    """What the state holds of each resource, apart from when it was changed."""
    return {
        one["urn"]: (one.get("id"), one.get("inputs"), one.get("protect", False))
        for one in live.deployment.state()
    }
