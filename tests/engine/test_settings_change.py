"""A change of each setting has the effect on a live stack that `Pulumi.yaml` and docs/settings.md describe.

The stack has data and a running function. Each setting is changed alone, and back. No resource with data is
deleted, and the function can work at every moment.
"""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.engine.deployment import NAME, PROJECT, Engine, Refused
from tests.engine.live_stack import HOLD_DATA, LiveStack, replaced

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
"""Settings that need another one."""

ONE_WAY = {"customerManagedKey"}
"""Settings that cannot be changed back."""

IN_PLACE = "Changed in place."
REPLACED = "Changed by replacement."
FIXED = "Fixed."


@pytest.fixture(scope="module")
def live(engine: Engine) -> LiveStack:
    return LiveStack(engine)


def _of(kind: str) -> list[str]:
    return [name for name, declared in DECLARED.items() if declared["description"].endswith(kind)]


def test_every_setting_has_a_class_and_another_value_here() -> None:
    assert OTHER_VALUES.keys() == DECLARED.keys()
    assert {*_of(IN_PLACE), *_of(REPLACED), *_of(FIXED), *ONE_WAY} == DECLARED.keys()


def _default(name: str) -> Any:
    """Return the value in the stack's file; None removes a setting that the file does not have."""
    file = yaml.safe_load((PROJECT / "Pulumi.us-east-1.yaml").read_text())["config"]
    return file.get(f"{NAME}:{name}")


@pytest.mark.parametrize("name", _of(FIXED))
def test_what_is_fixed_is_refused_before_the_first_step(live: LiveStack, name: str) -> None:
    before, deployed = _by_urn(live), _default(name) or DECLARED[name]["default"]
    live.deployment.set(**{name: OTHER_VALUES[name]})
    try:
        with live.watched(), pytest.raises(Refused) as refused:
            live.deployment.up()
    finally:
        live.deployment.set(**{name: _default(name)})
    assert live.calls == []
    assert _by_urn(live) == before
    for text in (f"{NAME}:{name}", str(deployed), str(OTHER_VALUES[name])):
        assert text in str(refused.value)


@pytest.mark.parametrize("name", _of(IN_PLACE))
def test_what_is_changed_in_place_replaces_nothing(live: LiveStack, name: str) -> None:
    needs = NEEDS.get(name, {})
    if needs:
        live.up(**needs)

    step = live.up(**{name: OTHER_VALUES[name]})
    assert step.operations
    assert not replaced(step)
    assert not live.deployment.preview(expect_no_changes=True).operations

    back = live.up(**{name: _default(name)})
    assert back.operations.keys() == step.operations.keys()
    assert not replaced(back)
    if needs:
        live.up(**{other: _default(other) for other in needs})


@pytest.mark.parametrize("name", _of(REPLACED))
def test_a_replacement_exists_before_the_old_resource_is_deleted(live: LiveStack, name: str) -> None:
    for value in (OTHER_VALUES[name], _default(name)):
        step = live.up(**{name: value})
        gone = replaced(step) | {one for one, operation in step.operations.items() if operation == "delete"}
        assert gone
        assert not [one for one in gone if one.endswith(HOLD_DATA)]
        assert not live.deployment.preview(expect_no_changes=True).operations


def test_a_customer_managed_key_is_added_in_place_and_stays(live: LiveStack) -> None:
    step = live.up(customerManagedKey=True)
    assert not replaced(step)
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


def _by_urn(live: LiveStack) -> dict[str, dict[str, Any]]:
    """Return the state. The stack and its provider, which do not depend on each other, can change places."""
    return {one["urn"]: one for one in live.deployment.state()}


def _resources(live: LiveStack) -> dict[str, tuple[Any, ...]]:
    """Return the state of each resource, without the times of its changes."""
    return {
        one["urn"]: (one.get("id"), one.get("inputs"), one.get("protect", False))
        for one in live.deployment.state()
    }
