"""A change of a fixed setting is refused before any resource is changed."""

import json
from collections.abc import Mapping
from typing import Any

import pulumi
import pytest

from components.configuration import SettingsError
from tests.program.evaluation import ACCOUNT_ID, Evaluation, Outputs, RecordingMonitor, evaluate

DEPLOYED = {"account": ACCOUNT_ID, "region": "eu-west-1", "environmentSuffix": "dev"}
NAMES, KEY = "analytics-identity-names", "analytics-identity-key"
OWN_KEY = {"regional-analytics:customerManagedKey": "true"}


def update(
    stashed: Mapping[str, Any], config: Mapping[str, str] | None = None, *, preview: bool = False
) -> tuple[RecordingMonitor, Evaluation | SettingsError]:
    """Evaluate the program for a stack whose state has these values."""
    monitor = RecordingMonitor(Outputs("eu-west-1", preview=preview, stashed=dict(stashed)))
    try:
        return monitor, evaluate("eu-west-1", config, monitor=monitor, preview=preview)
    except SettingsError as refused:
        return monitor, refused


@pytest.mark.parametrize("preview", [False, True], ids=["update", "preview"])
@pytest.mark.parametrize(
    ("stashed", "config", "told"),
    [
        (
            {NAMES: {**DEPLOYED, "environmentSuffix": "qa"}},
            {},
            "regional-analytics:environmentSuffix: must stay 'qa', as the stack is deployed with it",
        ),
        (
            {NAMES: {**DEPLOYED, "region": "us-east-1"}},
            {},
            "regional-analytics:region: must stay 'us-east-1', as the stack is deployed with it",
        ),
        (
            {NAMES: {**DEPLOYED, "account": "999999999999"}},
            {},
            "the AWS account must stay 999999999999, to which the stack is deployed",
        ),
        (
            {NAMES: DEPLOYED, KEY: True},
            {},
            "regional-analytics:customerManagedKey: must stay true, as the stack is deployed with it",
        ),
    ],
    ids=["suffix", "region", "account", "key"],
)
def test_change_is_refused_before_any_resource(
    stashed: dict[str, Any], config: dict[str, str], told: str, *, preview: bool
) -> None:
    monitor, refused = update(stashed, config, preview=preview)
    assert isinstance(refused, SettingsError)
    assert isinstance(refused, pulumi.RunError)
    assert told in str(refused)
    touched = {resource.type for resource in monitor.recorded}
    assert touched == {
        "regional-analytics:index:RegionalAnalytics",
        "regional-analytics:index:Identity",
        "pulumi:index:Stash",
    }


@pytest.mark.parametrize("config", [{}, OWN_KEY], ids=["services' keys", "own key"])
def test_unchanged_settings_are_accepted(config: dict[str, str]) -> None:
    _, updated = update({NAMES: DEPLOYED, KEY: bool(config)}, config)
    assert isinstance(updated, Evaluation)
    assert len(updated.custom) > 40


def test_use_of_a_customer_managed_key_is_stored_before_anything_is_encrypted() -> None:
    """From false to true the stash is replaced, because it keeps its first value."""
    _, updated = update({NAMES: DEPLOYED}, OWN_KEY)
    assert isinstance(updated, Evaluation)
    stash = updated.one("pulumi:index:Stash", "key")
    assert stash.inputs["input"] is True
    assert stash.replace_on_changes == ("input",)
    key = updated.one("aws:kms/key:Key")
    assert key.urn in stash.depends_on
    for type_ in ("aws:dynamodb/table:Table", "aws:cloudwatch/logGroup:LogGroup", "aws:sns/topic:Topic"):
        assert stash.urn in updated.one(type_).depends_on


def test_stored_values_are_not_overwritten(one_stack: Evaluation) -> None:
    stashes = one_stack.all("pulumi:index:Stash")
    assert {stash.name: stash.inputs["input"] for stash in stashes} == {NAMES: DEPLOYED, KEY: False}
    assert {stash.ignore_changes for stash in stashes} == {("input",)}


def test_identity_is_json(one_stack: Evaluation) -> None:
    """The engine stores it in the stack's state."""
    assert json.loads(json.dumps(one_stack.one("pulumi:index:Stash", "names").inputs["input"])) == DEPLOYED
