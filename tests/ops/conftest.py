from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from local import state_file
from local.cloud import Cloud
from local.commands.serve import state_of
from ops.command_line import main
from tests.ops.timeline import Timeline
from tests.terminal.width import WIDTH


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The exit status and the output of a command."""

    status: int
    out: str
    err: str


Run = Callable[..., Answer]


@pytest.fixture
def embedded(cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project directory in which `--local` finds the tests' cloud."""
    monkeypatch.chdir(tmp_path)
    with state_file.held() as write:
        write(state_of(cloud))
        yield tmp_path


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `python -m ops` with these arguments, as on a terminal of 80 columns."""
    monkeypatch.setenv("COLUMNS", str(WIDTH))

    def run_(*arguments: str) -> Answer:
        capsys.readouterr()
        try:
            status = main(arguments)
        except SystemExit as wrong_usage:
            status = int(wrong_usage.code or 0)
        printed = capsys.readouterr()
        return Answer(status=status, out=printed.out, err=printed.err)

    return run_


@pytest.fixture
def as_operator(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sets the environment to the operator's credentials and the tests' cloud, as for a stack on AWS."""
    for name, value in cloud.server.operator.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", cloud.server.endpoint)


@pytest.fixture
def ops(embedded: Path, run: Run) -> Run:
    """Runs `python -m ops ... --local` against the tests' cloud."""
    return lambda *arguments: run(*arguments, "--local")


def delete_dead_letters(cloud: Cloud, region: str) -> None:
    """Empty the dead-letter queues: other tests may have left messages there."""
    cloud.run_until_quiet()
    sqs = cloud.client("sqs", region)
    for output in ("deadLetterQueueUrl", "deliveryDeadLetterQueueUrl"):
        queue = {"QueueUrl": cloud.outputs[region][output]}
        while received := sqs.receive_message(**queue, MaxNumberOfMessages=10).get("Messages"):
            for message in received:
                sqs.delete_message(**queue, ReceiptHandle=message["ReceiptHandle"])


@pytest.fixture
def timeline(cloud: Cloud, region: str) -> Iterator[Timeline]:
    delete_dead_letters(cloud, region)
    day = Timeline(cloud, region)
    yield day
    day.close()
