"""The sandbox's trial on the embedded AWS, with the delay of S3's first events."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest

from local.moto_patches.first_events import START_SECONDS
from local.server import Server
from ops import smoke
from ops.operator_errors import OpsError
from sandbox.deployment import PROJECT, SandboxError, _stack_file, settings
from sandbox.questions import QUESTIONS, Answer
from sandbox.trial import BROKEN_KEY, Trial
from tests.bootstrap.test_roles import NAMED_OTHERWISE, NEED_NO_RIGHT, actions
from tests.sandbox.embedded import REGION, EmbeddedDeployment, passing_minutes


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(START_SECONDS, "300")
        with Server() as running:
            yield running


Try = Callable[[EmbeddedDeployment], tuple[list[str], list[str]]]


@pytest.fixture
def calls() -> set[str]:
    """The actions that the trial's own calls need."""
    return set()


@pytest.fixture
def attempt(server: Server, monkeypatch: pytest.MonkeyPatch, calls: set[str]) -> Iterator[Try]:
    """Runs a trial; each wait runs the functions and moves the clock by a minute."""
    monkeypatch.setattr(smoke, "UPLOAD_SECONDS", 0)

    def note(params: Mapping[str, Any], model: Any, **_: Any) -> None:
        call = f"{model.service_model.service_name}:{model.name}"
        version = "Version" if call in ("s3:GetObject", "s3:DeleteObject") and "VersionId" in params else ""
        calls.add(NAMED_OTHERWISE.get(call, call + version))

    with passing_minutes(server, REGION) as wait:

        def run(deployment: EmbeddedDeployment) -> tuple[list[str], list[str]]:
            credentials = server.operator
            session = boto3.Session(credentials.key_id, credentials.secret)
            session.events.register("before-parameter-build", note)
            said: list[str] = []
            trial = Trial(deployment, said.append, session=session, endpoint_url=server.endpoint, wait=wait)
            return trial.run(), said

        yield run


def test_a_region_passes_and_nothing_is_left(
    server: Server, attempt: Try, calls: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    problems, said = attempt(EmbeddedDeployment(server, monkeypatch))
    assert problems == []
    steps = [line.partition(":")[0] for line in said if ": yes, after" in line]
    assert steps == [
        "up",
        "an upload is converted",
        "a broken file is FAILED and raises an alarm",
        "the files of a dataset are converted",
        "a second up changes nothing",
        "destroy",
        "nothing is left",
    ]
    (uploads,) = [line for line in said if line.startswith("uploads until one made an event: ")]
    assert int(uploads.split()[6].rstrip(";")) > 1
    assert [sum(line.startswith(question.text) for line in said) for question in QUESTIONS] == [1] * len(
        QUESTIONS
    )
    (marker,) = [line for line in said if line.startswith("Which jobs does the removal")]
    assert marker.partition("; after: ")[2] == "removed (COMPLETED)"
    (protected,) = [line for line in said if line.startswith("How many versions must the destroy delete")]
    assert int(protected.partition("? ")[2].split()[0]) > len(("smoke test", "orders", "orders"))
    assert calls - NEED_NO_RIGHT - actions("sandbox") == set()


def test_every_step_and_answer_can_be_a_problem(
    server: Server, attempt: Try, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OpsError("no job")

    given = [Answer(text="Is it so? yes", is_problem=False), Answer(text="And so? no", is_problem=True)]
    deployment = EmbeddedDeployment(server, monkeypatch)
    deployment.keeps, deployment.changes_again = "aws:sns/topic:Topic", True
    monkeypatch.setattr("sandbox.trial.WITHIN_SECONDS", 0)
    monkeypatch.setattr(smoke, "check", fail)
    monkeypatch.setattr("sandbox.trial.answers", lambda *_: iter(given))
    monkeypatch.setattr("sandbox.orders.upload", lambda _: {"input/orders/day=2026-01-01/a.csv": "0" * 32})
    problems, said = attempt(deployment)
    assert [problem.partition(":")[0] for problem in problems] == [
        "an upload is converted",
        "a broken file is FAILED and raises an alarm",
        "the files of a dataset are converted",
        "And so? no",
        "a second up changes nothing",
        "nothing is left",
    ]
    assert {"Is it so? yes", "PROBLEM: And so? no"} <= set(said)
    assert "the job of input/orders/day=2026-01-01/a.csv is not there" in problems[2]
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
    shutil.copy(PROJECT / "Pulumi.yaml", tmp_path)
    file = tmp_path / "Pulumi.here.yaml"
    file.write_text(
        "config:\n  aws:region: eu-west-1\n  regional-analytics:memorySize: 2048\n"
        "  regional-analytics:alarmSubscribers: [team@example.com]\n"
        "  regional-analytics:uploadPrefixes: [sales/]\n"
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
        "regional-analytics:datasets": '["orders"]',
    }
    with pytest.raises(SandboxError, match="STACK: must be one of here, got 'there'"):
        settings(tmp_path, "there", "sb1")
    for content, problem in (("config:\n", "aws:region must be"), ("config: [\n", "must be YAML")):
        file.write_text(content)
        with pytest.raises(SandboxError, match=f"Pulumi.here.yaml: {problem}"):
            settings(tmp_path, "here", "sb1")


def test_arrays_are_arrays_in_the_stack_file() -> None:
    """Pulumi refuses a text for a setting whose type is an array."""
    configuration = settings(PROJECT, REGION, "sb1")
    written = _stack_file(PROJECT, configuration).config
    assert written == configuration | {"regional-analytics:datasets": ["orders"]}


def test_the_broken_file_is_an_upload() -> None:
    assert BROKEN_KEY.startswith("input/")
