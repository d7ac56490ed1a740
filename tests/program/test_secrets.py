"""A secret setting is not in plain text in any resource, output or warning."""

import json
from typing import Any

import pytest
from pulumi.runtime.rpc import _special_secret_sig, _special_sig_key

from tests.program.evaluation import Evaluation, evaluate
from tests.program.test_settings import SECRETS

MARK = "hidden"
"""In each of the secret values."""


def in_clear(properties: Any) -> Any:
    """Return properties as sent to the engine, without those that are marked as secrets."""
    if isinstance(properties, dict):
        if properties.get(_special_sig_key) == _special_secret_sig:
            return None
        return {key: in_clear(value) for key, value in properties.items()}
    if isinstance(properties, list):
        return [in_clear(value) for value in properties]
    return properties


def shown(evaluation: Evaluation) -> dict[str, str]:
    """Return the parts of resources and outputs that previews and the state show."""
    sent = {resource.urn: json.dumps(in_clear(resource.sent)) for resource in evaluation.resources}
    return {**sent, "warnings": "".join(evaluation.warnings)}


@pytest.mark.parametrize("preview", [False, True], ids=["update", "preview"])
@pytest.mark.parametrize("key", SECRETS)
def test_secret_setting_is_never_in_plain_text(key: str, *, preview: bool) -> None:
    value, _ = SECRETS[key]
    name = f"regional-analytics:{key}"
    evaluation = evaluate("eu-west-1", {name: value}, secrets=[name], preview=preview)
    assert [urn for urn, text in shown(evaluation).items() if MARK in text or MARK in urn] == []


@pytest.mark.parametrize("key", SECRETS)
def test_setting_is_used_and_would_be_found(key: str) -> None:
    value, _ = SECRETS[key]
    evaluation = evaluate("eu-west-1", {f"regional-analytics:{key}": value})
    assert [urn for urn, text in shown(evaluation).items() if MARK in text]


def test_subscriber_s_address_stays_secret_in_what_the_provider_gives_back() -> None:
    value, _ = SECRETS["alarmSubscribers"]
    evaluation = evaluate("eu-west-1", {"regional-analytics:alarmSubscribers": value})
    assert evaluation.one("aws:sns/topicSubscription:TopicSubscription").secret_outputs == ("endpoint",)
