"""A secret of the stack's file is in no output and no stored state of Pulumi in plain text."""

from __future__ import annotations

import pytest

from tests.engine.deployment import PASSPHRASE, Deployment, Engine

SECRET = "k3y-of-the-pager"
SUBSCRIBER = f"https://pager.example.org/{SECRET}"


@pytest.fixture(scope="module")
def deployment(engine: Engine) -> Deployment:
    return Deployment(engine)


def test_a_secret_subscriber_is_stored_and_printed_only_encrypted(deployment: Deployment) -> None:
    deployment.set_secret("alarmSubscribers[0]", SUBSCRIBER)
    for step in (deployment.preview(diff=True), deployment.up(diff=True)):
        assert step.operations
        assert SECRET not in "\n".join(step.printed)
    topic = deployment.client("sns").list_subscriptions_by_topic(
        TopicArn=deployment.outputs()["alarmTopicArn"]
    )
    assert [one["Endpoint"] for one in topic["Subscriptions"]] == [SUBSCRIBER]
    assert SECRET not in deployment.stored()
    assert SECRET not in deployment.run("stack", "export")
    assert SECRET not in deployment.run("stack", "output", "--json")
    assert SECRET not in deployment.run("stack", "--show-urns", "--show-ids")
    assert SECRET not in (deployment.work / "Pulumi.us-east-1.yaml").read_text()


def test_a_refresh_and_an_update_do_not_print_it(deployment: Deployment) -> None:
    deployment.set(memorySize=2048)
    for step in (deployment.refresh(), deployment.up(diff=True)):
        assert SECRET not in "\n".join(step.printed)
    assert SECRET not in deployment.stored()
    assert not deployment.up(expect_no_changes=True).operations
    assert SECRET in deployment.run("stack", "export", "--show-secrets")  # It is there, encrypted.
    assert PASSPHRASE not in deployment.stored()
