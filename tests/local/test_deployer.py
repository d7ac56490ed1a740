"""The deployer evaluates the unchanged program, and refuses what it cannot create."""

import dataclasses
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local import deployer
from local.deployer import deploy
from local.errors import LocalError
from local.moto_patches.moto_account import ACCOUNT
from local.server import Server
from local.stacks import Stack, read_stacks

STACK = Stack(project="sample", name="sample", config={"aws:region": "eu-west-1"})


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Replace the project's folder by one whose __main__.py the test writes."""
    monkeypatch.setattr(deployer, "PROJECT", tmp_path)
    return tmp_path / "__main__.py"


def test_outputs_are_what_the_program_exports_of_real_attributes(server: Server, program: Path) -> None:
    program.write_text(
        "import pulumi\nfrom pulumi_aws import sqs\n"
        "queue = sqs.Queue('q', name='exported', tags={'Name': 'n'})\npulumi.export('arn', queue.arn)\n"
    )
    outputs = deploy(server, STACK)
    assert outputs == {"arn": "arn:aws:sqs:eu-west-1:123456789012:exported"}
    assert server.client("sqs", "eu-west-1").get_queue_url(QueueName="exported")["QueueUrl"]


def test_the_programs_own_provider_decides_region_and_default_tags(server: Server, program: Path) -> None:
    program.write_text(
        "import pulumi, pulumi_aws as aws\n"
        "tags = aws.ProviderDefaultTagsArgs(tags={'Team': 'data'})\n"
        "there = aws.Provider('there', region='us-east-1', default_tags=tags)\n"
        "options = pulumi.ResourceOptions(provider=there)\n"
        "queue = aws.sqs.Queue('q', name='elsewhere', tags={'Name': 'n'}, opts=options)\n"
        "pulumi.export('url', queue.url)\n"
    )
    url = deploy(server, STACK)["url"]
    tags = server.client("sqs", "us-east-1").list_queue_tags(QueueUrl=url)["Tags"]
    assert tags == {"Team": "data", "Name": "n"}


def test_a_warning_of_the_program_names_its_stack(
    server: Server, program: Path, caplog: pytest.LogCaptureFixture
) -> None:
    program.write_text("import pulumi\npulumi.warn('mind the range')\n")
    deploy(server, STACK)
    assert [(record.name, record.message) for record in caplog.records] == [
        ("stack sample", "mind the range")
    ]


def test_an_unknown_type_is_an_error_that_names_it(server: Server, program: Path) -> None:
    program.write_text("from pulumi_aws import ec2\nec2.InternetGateway('way-out')\n")
    with pytest.raises(LocalError, match=r"InternetGateway way-out: .* does not support"):
        deploy(server, STACK)


def test_a_provider_says_its_region_and_account(server: Server, program: Path) -> None:
    program.write_text(
        "import pulumi, pulumi_aws as aws\n"
        "there = pulumi.InvokeOptions(provider=aws.Provider('there', region='us-east-1'))\n"
        "pulumi.export('regions', [aws.get_region().region, aws.get_region(opts=there).region])\n"
        "pulumi.export('account', aws.get_caller_identity().account_id)\n"
    )
    assert deploy(server, STACK) == {"regions": ["eu-west-1", "us-east-1"], "account": ACCOUNT}


def test_default_tags_of_the_stack_s_provider_are_given(server: Server, program: Path) -> None:
    program.write_text(
        "import pulumi\nfrom pulumi_aws import sqs\n"
        "pulumi.export('url', sqs.Queue('q', name='tagged', tags={'Name': 'n'}).url)\n"
    )
    config = {**STACK.config, "aws:defaultTags": '{"tags": {"Team": "data"}}'}
    url = deploy(server, dataclasses.replace(STACK, config=config))["url"]
    assert server.client("sqs", "eu-west-1").list_queue_tags(QueueUrl=url)["Tags"] == {
        "Team": "data",
        "Name": "n",
    }


def test_an_unknown_call_of_a_provider_is_an_error_that_names_it(server: Server, program: Path) -> None:
    program.write_text("import pulumi_aws as aws\naws.get_partition()\n")
    with pytest.raises(LocalError, match="got aws:index/getPartition:getPartition"):
        deploy(server, STACK)


def test_what_aws_refuses_is_an_error_that_names_the_resource(server: Server, program: Path) -> None:
    program.write_text("from pulumi_aws import s3\ns3.Bucket('bad', bucket='ab')\n")
    with pytest.raises(LocalError, match=r"aws:s3/bucket:Bucket bad: .*InvalidBucketName"):
        deploy(server, STACK)


def test_an_error_of_the_program_is_its_own(server: Server, program: Path) -> None:
    program.write_text("raise ValueError('a setting is wrong')\n")
    with pytest.raises(ValueError, match="a setting is wrong"):
        deploy(server, STACK)


def test_what_awss_models_forbid_is_an_error_that_names_the_resource(server: Server, program: Path) -> None:
    """The embedded AWS would accept it: only the tests' clients check the models."""
    program.write_text("from pulumi_aws import cloudwatch\ncloudwatch.LogGroup('bad', name='a group')\n")
    forbidden = r"(?s)LogGroup bad: .*AWS refuses logs:CreateLogGroup: logGroupName must match"
    with pytest.raises(LocalError, match=forbidden):
        deploy(server, STACK)


def test_what_the_program_refuses_is_an_error_that_names_the_stack(server: Server, program: Path) -> None:
    program.write_text("import pulumi\nraise pulumi.RunError('size: must be small, got 9')\n")
    with pytest.raises(LocalError, match="stack sample: size: must be small, got 9"):
        deploy(server, STACK)


def test_all_that_the_program_refuses_is_one_line(server: Server, program: Path) -> None:
    """A line end would be printed as an escape."""
    program.write_text("import pulumi\nraise pulumi.RunError('invalid:\\n  size: got 9\\n  name: got 8')\n")
    with pytest.raises(LocalError) as refused:
        deploy(server, STACK)
    assert str(refused.value) == "stack sample: invalid: size: got 9; name: got 8"


def test_mutate_changes_or_skips_resources(server: Server, program: Path) -> None:
    program.write_text(
        "from pulumi_aws import sqs\nsqs.Queue('one', name='one')\nsqs.Queue('two', name='two')\n"
    )

    def mutate(kind: str, name: str, inputs: dict[str, Any]) -> dict[str, Any] | None:
        assert kind == "aws:sqs/queue:Queue"
        return None if name == "one" else inputs | {"name": "other"}

    deploy(server, STACK, mutate)

    sqs = server.client("sqs", "eu-west-1")
    assert sqs.get_queue_url(QueueName="other")
    for absent in ("one", "two"):
        with pytest.raises(sqs.exceptions.QueueDoesNotExist):
            sqs.get_queue_url(QueueName=absent)


def test_an_interrupt_is_all_that_is_reported(
    server: Server, program: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def interrupt(type_: str, name: str, inputs: dict[str, Any]) -> dict[str, Any]:
        signal.raise_signal(signal.SIGINT)
        return inputs

    program.write_text(
        "import pulumi\nfrom pulumi_aws import sqs\n"
        "pulumi.export('arn', sqs.Queue('q', name='interrupted', tags={'Name': 'n'}).arn)\n"
    )
    # A shell that starts the tests in the background lets them ignore the signal.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            deploy(server, STACK, interrupt)
    finally:
        signal.signal(signal.SIGINT, before)
    assert caplog.records == []


def test_stack_files_are_read_as_by_pulumi(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text(
        "config:\n  regional-analytics:size: {type: integer, default: 3}\n"
        "  regional-analytics:names: {type: array, default: [a]}\n"
        "  regional-analytics:fast: {type: boolean, default: true}\n"
        "  regional-analytics:must: {type: string}\n"
    )
    (tmp_path / "Pulumi.first.of-two.yaml").write_text(
        "config:\n  aws:region: eu-west-1\n  regional-analytics:size: 5\n  must: here\n"
    )
    (stack,) = read_stacks(tmp_path)
    assert (stack.project, stack.name, stack.region) == ("regional-analytics", "first.of-two", "eu-west-1")
    assert stack.config == {
        "aws:region": "eu-west-1",
        "regional-analytics:size": "5",
        "regional-analytics:must": "here",
        "regional-analytics:names": '["a"]',
        "regional-analytics:fast": "true",
    }


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (None, "no stack files"),
        (b"config:\n  aws:key: {secure: abc}\n", "Pulumi.s.yaml: aws:key is a secret and has no default"),
        (b"config: [a]\n", "Pulumi.s.yaml: must be YAML with a mapping `config`"),
        (b"config\n", "Pulumi.s.yaml: must be YAML with a mapping `config`"),
        (b"config: {\n", "Pulumi.s.yaml: must be YAML with a mapping `config`"),
        (b"config:\n  aws:region: \xff\n", "Pulumi.s.yaml: must be YAML with a mapping `config`"),
        (b"config:\n  aws:a: 2026-11-29\n", "Pulumi.s.yaml: aws:a: must be text, .* got 2026-11-29"),
    ],
)
def test_stack_files_that_cannot_be_used(tmp_path: Path, config: bytes | None, message: str) -> None:
    (tmp_path / "Pulumi.yaml").write_text("config: {}\n")
    if config is not None:
        (tmp_path / "Pulumi.s.yaml").write_bytes(config)
    with pytest.raises(LocalError, match=message) as refused:
        read_stacks(tmp_path)
    assert "\n" not in str(refused.value)
