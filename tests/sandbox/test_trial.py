"""The sandbox's trial on the embedded AWS, with the delay of S3's first events."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest

from local.moto_patches.first_events import START_SECONDS
from local.server import Server
from ops import smoke
from sandbox.deployment import SandboxError, settings
from sandbox.trial import BROKEN_KEY, Trial
from tests.sandbox.embedded import REGION, EmbeddedDeployment, passing_minutes


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(START_SECONDS, "300")
        with Server() as running:
            yield running


Try = Callable[[EmbeddedDeployment], tuple[list[str], list[str]]]


@pytest.fixture
def attempt(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Try]:
    """Runs a trial; each wait runs the functions and moves the clock by a minute."""
    monkeypatch.setattr(smoke, "UPLOAD_SECONDS", 0)
    with passing_minutes(server, REGION) as wait:

        def run(deployment: EmbeddedDeployment) -> tuple[list[str], list[str]]:
            credentials = server.operator
            session = boto3.Session(credentials.key_id, credentials.secret)
            said: list[str] = []
            trial = Trial(deployment, said.append, session=session, endpoint_url=server.endpoint, wait=wait)
            return trial.run(), said

        yield run


def test_a_region_passes_and_nothing_is_left(
    server: Server, attempt: Try, monkeypatch: pytest.MonkeyPatch
) -> None:
    problems, said = attempt(EmbeddedDeployment(server, monkeypatch))
    assert problems == []
    steps = [line.partition(":")[0] for line in said if ": yes, after" in line]
    assert steps == [
        "up",
        "an upload is converted",
        "a broken file is FAILED and raises an alarm",
        "a second up changes nothing",
        "destroy",
        "nothing is left",
    ]
    (uploads,) = [line for line in said if line.startswith("uploads until one made an event: ")]
    assert int(uploads.split()[6].rstrip(";")) > 1
    assert any(line.startswith("How many functions may run") for line in said)
    (marker,) = [line for line in said if line.startswith("Which jobs does the removal")]
    assert marker.partition("; after: ")[2] == "removed (COMPLETED)"
    (version,) = [line for line in said if line.startswith("What does S3 answer")]
    assert version.endswith("404 NoSuchVersion")


def test_leftovers_and_a_second_change_are_problems(
    server: Server, attempt: Try, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment = EmbeddedDeployment(server, monkeypatch)
    deployment.keeps, deployment.changes_again = "aws:sns/topic:Topic", True
    monkeypatch.setattr("sandbox.trial.WITHIN_SECONDS", 10)
    problems, _ = attempt(deployment)
    assert [problem.partition(":")[0] for problem in problems][-2:] == [
        "a second up changes nothing",
        "nothing is left",
    ]
    assert f"analytics-alarms-{REGION}-{deployment.suffix}" in problems[-1]


def test_a_failed_deployment_is_destroyed(
    server: Server, attempt: Try, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment = EmbeddedDeployment(server, monkeypatch)

    def fail() -> Mapping[str, Any]:
        raise SandboxError("the quota is used up")

    destroyed: list[bool] = []
    monkeypatch.setattr(deployment, "up", fail)
    monkeypatch.setattr(deployment, "destroy", lambda: destroyed.append(True))
    problems, _ = attempt(deployment)
    assert problems == ["up: the quota is used up"]
    assert destroyed == [True]


def test_a_sandbox_has_a_stack_s_settings_with_other_names_and_no_secrets_and_protection(
    tmp_path: Path,
) -> None:
    file = tmp_path / "Pulumi.here.yaml"
    file.write_text(
        "config:\n  aws:region: eu-west-1\n  regional-analytics:memorySize: 2048\n"
        "  regional-analytics:alarmSubscribers: [team@example.com]\n"
        "  regional-analytics:runbookUrl: {secure: abc}\n  regional-analytics:protect: true\n"
    )
    assert settings(tmp_path, "here", "sb1") == {
        "aws:region": "eu-west-1",
        "regional-analytics:memorySize": "2048",
        "regional-analytics:environmentSuffix": "sb1",
        "regional-analytics:environment": "sb1",
        "regional-analytics:cidrBlock": "192.168.254.0/24",
        "regional-analytics:protect": "false",
        "regional-analytics:forceDestroy": "true",
    }
    with pytest.raises(SandboxError, match="STACK: must be one of here, got 'there'"):
        settings(tmp_path, "there", "sb1")


def test_the_broken_file_is_an_upload() -> None:
    assert BROKEN_KEY.startswith("input/")
