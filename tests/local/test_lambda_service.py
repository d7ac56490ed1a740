"""The embedded Lambda does to any function what Lambda does, seen on toys."""

import concurrent.futures
import itertools
import json
import uuid
from collections.abc import Callable, Iterator

import pytest

from local.cloud import Cloud
from local.embedded_lambda.execution_environment import Invocation
from local.embedded_lambda.sqs_batch import failed_messages
from tests.local.toys import Toy, deploy_toy, remove_toy

Deploy = Callable[..., Toy]


@pytest.fixture
def deploy(cloud: Cloud, region: str) -> Iterator[Deploy]:
    toys = []

    def deploy(source: str, **settings: int) -> Toy:
        toys.append(deploy_toy(cloud, region, f"toy-{uuid.uuid4().hex[:8]}", source, **settings))
        return toys[-1]

    yield deploy
    for toy in toys:
        remove_toy(toy)


def invoke(toy: Toy, event: object = None) -> Invocation:
    return toy.cloud.functions.invoke(toy.region, toy.name, event)


def test_a_function_gets_its_own_environment_and_nothing_else(
    deploy: Deploy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_THE_HOST", "shh")
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    toy = deploy(
        """
import os, sys, tempfile
def handler(event, context):
    modules = []
    for name in ("boto3", "local", "components", "pip", "pytest"):
        try:
            __import__(name)
            modules.append(name)
        except ImportError:
            pass
    return {"env": dict(os.environ), "modules": modules, "tmp": tempfile.gettempdir(), "cwd": os.listdir(),
            "context": [context.function_name, context.invoked_function_arn, context.memory_limit_in_mb,
                        context.log_group_name, context.get_remaining_time_in_millis()]}
"""
    )
    seen = invoke(toy).returned

    assert seen["modules"] == []
    assert seen["cwd"] == ["toy.py"]
    assert seen["env"]["GREETING"] == "hello"
    assert seen["env"]["AWS_REGION"] == toy.region
    assert seen["env"]["AWS_SESSION_TOKEN"]
    assert "SECRET_OF_THE_HOST" not in seen["env"]
    assert "HOME" not in seen["env"]
    assert seen["env"]["TMPDIR"] == seen["tmp"]
    name, function_arn, memory, log_group, remaining = seen["context"]
    assert (name, memory, log_group) == (toy.name, "256", f"/aws/lambda/{toy.name}")
    assert function_arn == f"arn:aws:lambda:{toy.region}:123456789012:function:{toy.name}"
    assert 0 < remaining <= 10_000


def test_an_environment_stays_warm_until_the_function_changes(deploy: Deploy) -> None:
    toy = deploy(
        "import os\ncalls = []\n"
        "def handler(event, _):\n    calls.append(1)\n    return [os.getpid(), len(calls)]"
    )
    first, second = invoke(toy), invoke(toy)
    assert (first.cold_start, second.cold_start) == (True, False)
    assert (first.returned[0], second.returned[1]) == (second.returned[0], 2)

    toy.cloud.client("lambda", toy.region).update_function_configuration(
        FunctionName=toy.name, MemorySize=512
    )

    assert invoke(toy).cold_start


def test_an_error_leaves_the_environment_alive(deploy: Deploy) -> None:
    toy = deploy("def handler(event, _):\n    return 1 / event")
    failed, succeeded = invoke(toy, 0), invoke(toy, 1)
    assert failed.error == {
        "errorType": "ZeroDivisionError",
        "errorMessage": "division by zero",
        "requestId": failed.request_id,
    }
    assert (succeeded.returned, succeeded.cold_start) == (1.0, False)
    assert any("ZeroDivisionError" in line for line in toy.log())


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("import time\ndef handler(event, _):\n    time.sleep(60)", "Sandbox.Timedout"),
        ("import os\ndef handler(event, _):\n    os._exit(3)", "Runtime.ExitError"),
        ("import os\ndef handler(event, _):\n    os.kill(os.getpid(), 9)", "Runtime.ExitError"),
        ("def handler(event, _):\n    return b'0' * (400 << 20)", "MemoryError"),
        ("import nothing_of_that_name", "ModuleNotFoundError"),
        ("def handler(event, _):\n    return {1, 2}", "TypeError"),
    ],
)
def test_what_ends_an_invocation_is_told_as_lambda_tells_it(deploy: Deploy, source: str, kind: str) -> None:
    toy = deploy(source, timeout=1)
    invocation = invoke(toy)
    assert invocation.error is not None
    assert invocation.error["errorType"] == kind


def test_prints_go_to_the_log_group_and_embedded_metrics_become_metrics(deploy: Deploy) -> None:
    metric = {
        "_aws": {
            "Timestamp": 0,
            "CloudWatchMetrics": [
                {
                    "Namespace": "Toys",
                    "Dimensions": [["Kind"]],
                    "Metrics": [{"Name": "Played", "Unit": "Count"}],
                }
            ],
        },
        "Kind": "train",
        "Played": [2, 3],
    }
    toy = deploy(
        "import json, time\ndef handler(event, _):\n    print('hello log')\n"
        f"    metric = json.loads('''{json.dumps(metric)}''')\n"
        "    metric['_aws']['Timestamp'] = int(time.time() * 1000)\n    print(json.dumps(metric))"
    )
    invoke(toy)
    assert "hello log" in toy.log()
    assert toy.cloud.metric(toy.region, "Toys", "Played", Kind="train") == 5
    assert toy.cloud.metric(toy.region, "Toys", "Played", Kind="boat") == 0
    assert toy.cloud.metric(toy.region, "AWS/Lambda", "Invocations", FunctionName=toy.name) == 1
    assert toy.cloud.metric(toy.region, "AWS/Lambda", "Errors", FunctionName=toy.name) == 0


def test_only_the_reported_items_of_a_batch_are_delivered_again_then_dead(deploy: Deploy) -> None:
    toy = deploy(
        "import json\ndef handler(event, _):\n    print(len(event['Records']), 'records')\n"
        "    bad = [record for record in event['Records'] if json.loads(record['body']) == 'bad']\n"
        "    return {'batchItemFailures': [{'itemIdentifier': record['messageId']} for record in bad]}",
        batch_size=10,
    )
    toy.send("good", "bad", "fine")
    toy.cloud.run_until_idle()

    assert "3 records" in toy.log()
    assert toy.waiting() == ["bad"]
    toy.cloud.run_until_quiet()
    assert toy.waiting() == []
    assert toy.waiting(toy.dead_letter_queue_url) == ["bad"]


def test_the_whole_batch_stays_when_the_function_fails(deploy: Deploy) -> None:
    toy = deploy("def handler(event, _):\n    raise ValueError('no')", batch_size=10)
    toy.send("one", "two")
    toy.cloud.run_until_idle()
    assert toy.waiting() == ["one", "two"]


def test_records_are_as_the_mapping_delivers_them(deploy: Deploy) -> None:
    toy = deploy("import json\ndef handler(event, _):\n    print(json.dumps(event['Records'][0]))")
    toy.send({"x": 1})
    toy.cloud.run_until_idle()
    (line,) = [line for line in toy.log() if line.startswith("{")]
    record = json.loads(line)
    assert set(record) == {
        "messageId",
        "receiptHandle",
        "body",
        "attributes",
        "messageAttributes",
        "md5OfBody",
        "eventSource",
        "eventSourceARN",
        "awsRegion",
    }
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    assert (record["eventSource"], record["awsRegion"]) == ("aws:sqs", toy.region)
    assert record["eventSourceARN"].endswith(toy.name)


def invocation(returned: object = None, error: dict[str, str] | None = None) -> Invocation:
    return Invocation(
        request_id="r", returned=returned, error=error, log=(), duration_ms=1, memory_mb=1, cold_start=False
    )


@pytest.mark.parametrize(
    ("answer", "failed"),
    [
        (None, set()),
        ({}, set()),
        ({"batchItemFailures": []}, set()),
        ({"batchItemFailures": None}, set()),
        ({"batchItemFailures": [{"itemIdentifier": "a"}]}, {"a"}),
        ({"batchItemFailures": [{"itemIdentifier": ""}]}, {"a", "b"}),
        ({"batchItemFailures": [{"itemIdentifier": None}]}, {"a", "b"}),
        ({"batchItemFailures": [{"wrong": "a"}]}, {"a", "b"}),
        ({"batchItemFailures": [{"itemIdentifier": "stranger"}]}, {"a", "b"}),
        ("text", {"a", "b"}),
    ],
)
def test_partial_answers_are_read_as_lambda_reads_them(answer: object, failed: set[str]) -> None:
    assert failed_messages(invocation(answer), ["a", "b"], partial=True) == failed


def test_answers_do_not_matter_to_a_mapping_without_partial_failures() -> None:
    answer = {"batchItemFailures": [{"itemIdentifier": "a"}]}
    assert failed_messages(invocation(answer), ["a", "b"], partial=False) == set()
    assert failed_messages(invocation(error={"errorType": "E"}), ["a", "b"], partial=False) == {"a", "b"}


def test_it_is_not_idle_while_messages_wait_that_a_full_service_could_not_take(
    cloud: Cloud, region: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    poller = cloud.functions.poller
    poll, polls = poller.poll, itertools.count()

    def full_at_first() -> bool:
        """Take one message, then none while it is at work; that ends before this has looked around."""
        if next(polls) != 1:
            return poll()
        cloud.upload(region, "idle/second.csv", b"id\n1\n")
        concurrent.futures.wait(poller.running())
        return False

    monkeypatch.setattr(poller, "poll", full_at_first)
    cloud.upload(region, "idle/first.csv", b"id\n1\n")
    cloud.run_until_idle()

    assert [job["status"] for job in cloud.jobs(region, "idle/second.csv")] == ["COMPLETED"]
