"""The embedded Lambda runs any function as Lambda does."""

import concurrent.futures
import itertools
import json
import uuid
from collections.abc import Callable, Iterator

import pytest

from local.cloud import Cloud
from local.embedded_lambda.execution_environment import Invocation
from local.embedded_lambda.sqs_batch import failed_messages
from tests.local.sample_function import SampleFunction, deploy_function, remove_function

Deploy = Callable[..., SampleFunction]


@pytest.fixture
def deploy(cloud: Cloud, region: str) -> Iterator[Deploy]:
    functions = []

    def deploy(source: str, **settings: int) -> SampleFunction:
        functions.append(deploy_function(cloud, region, f"sample-{uuid.uuid4().hex[:8]}", source, **settings))
        return functions[-1]

    yield deploy
    for function in functions:
        remove_function(function)


def invoke(function: SampleFunction, event: object = None) -> Invocation:
    return function.cloud.functions.invoke(function.region, function.name, event)


def test_a_function_gets_its_own_environment_and_nothing_else(
    deploy: Deploy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_THE_HOST", "shh")
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    function = deploy(
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
    seen = invoke(function).returned

    assert seen["modules"] == []
    assert seen["cwd"] == ["index.py"]
    assert seen["env"]["GREETING"] == "hello"
    assert seen["env"]["AWS_REGION"] == function.region
    assert seen["env"]["AWS_SESSION_TOKEN"]
    assert "SECRET_OF_THE_HOST" not in seen["env"]
    assert "HOME" not in seen["env"]
    assert seen["env"]["TMPDIR"] == seen["tmp"]
    name, function_arn, memory, log_group, remaining = seen["context"]
    assert (name, memory, log_group) == (function.name, "256", f"/aws/lambda/{function.name}")
    assert function_arn == f"arn:aws:lambda:{function.region}:123456789012:function:{function.name}"
    assert 0 < remaining <= 10_000


def test_an_environment_stays_warm_until_the_function_changes(deploy: Deploy) -> None:
    function = deploy(
        "import os\ncalls = []\n"
        "def handler(event, _):\n    calls.append(1)\n    return [os.getpid(), len(calls)]"
    )
    first, second = invoke(function), invoke(function)
    assert (first.cold_start, second.cold_start) == (True, False)
    assert (first.returned[0], second.returned[1]) == (second.returned[0], 2)

    function.cloud.client("lambda", function.region).update_function_configuration(
        FunctionName=function.name, MemorySize=512
    )

    assert invoke(function).cold_start


def test_an_error_leaves_the_environment_alive(deploy: Deploy) -> None:
    function = deploy("def handler(event, _):\n    return 1 / event")
    failed, succeeded = invoke(function, 0), invoke(function, 1)
    assert failed.error == {
        "errorType": "ZeroDivisionError",
        "errorMessage": "division by zero",
        "requestId": failed.request_id,
    }
    assert (succeeded.returned, succeeded.cold_start) == (1.0, False)
    assert any("ZeroDivisionError" in line for line in function.log())


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("import time\ndef handler(event, _):\n    time.sleep(60)", "Sandbox.Timedout"),
        ("import os\ndef handler(event, _):\n    os._exit(3)", "Runtime.ExitError"),
        ("import os\ndef handler(event, _):\n    os.kill(os.getpid(), 9)", "Runtime.ExitError"),
        ("def handler(event, _):\n    return len(b'0' * (400 << 20))", "Runtime.ExitError"),
        ("import nothing_of_that_name", "ModuleNotFoundError"),
        ("def handler(event, _):\n    return {1, 2}", "TypeError"),
    ],
)
def test_errors_have_lambdas_error_types(deploy: Deploy, source: str, kind: str) -> None:
    function = deploy(source, timeout=1)
    invocation = invoke(function)
    assert invocation.error is not None
    assert invocation.error["errorType"] == kind


def test_output_goes_to_the_log_group_and_embedded_metrics_become_metrics(deploy: Deploy) -> None:
    metric = {
        "_aws": {
            "Timestamp": 0,
            "CloudWatchMetrics": [
                {
                    "Namespace": "Sample",
                    "Dimensions": [["Kind"]],
                    "Metrics": [{"Name": "Calls", "Unit": "Count"}],
                }
            ],
        },
        "Kind": "first",
        "Calls": [2, 3],
    }
    function = deploy(
        "import json, time\ndef handler(event, _):\n    print('hello log')\n"
        f"    metric = json.loads('''{json.dumps(metric)}''')\n"
        "    metric['_aws']['Timestamp'] = int(time.time() * 1000)\n    print(json.dumps(metric))"
    )
    invoke(function)
    assert "hello log" in function.log()
    assert function.cloud.metric(function.region, "Sample", "Calls", Kind="first") == 5
    assert function.cloud.metric(function.region, "Sample", "Calls", Kind="second") == 0
    assert (
        function.cloud.metric(function.region, "AWS/Lambda", "Invocations", FunctionName=function.name) == 1
    )
    assert function.cloud.metric(function.region, "AWS/Lambda", "Errors", FunctionName=function.name) == 0


def test_only_the_reported_items_of_a_batch_are_delivered_again_then_dead(deploy: Deploy) -> None:
    function = deploy(
        "import json\ndef handler(event, _):\n    print(len(event['Records']), 'records')\n"
        "    bad = [record for record in event['Records'] if json.loads(record['body']) == 'bad']\n"
        "    return {'batchItemFailures': [{'itemIdentifier': record['messageId']} for record in bad]}",
        batch_size=10,
    )
    function.send("good", "bad", "fine")
    function.cloud.run_until_idle()

    assert "3 records" in function.log()
    assert function.waiting() == ["bad"]
    function.cloud.run_until_quiet()
    assert function.waiting() == []
    assert function.waiting(function.dead_letter_queue_url) == ["bad"]


def test_the_whole_batch_stays_when_the_function_fails(deploy: Deploy) -> None:
    function = deploy("def handler(event, _):\n    raise ValueError('no')", batch_size=10)
    function.send("one", "two")
    function.cloud.run_until_idle()
    assert function.waiting() == ["one", "two"]


def test_records_are_as_the_mapping_delivers_them(deploy: Deploy) -> None:
    function = deploy("import json\ndef handler(event, _):\n    print(json.dumps(event['Records'][0]))")
    function.send({"x": 1})
    function.cloud.run_until_idle()
    (line,) = [line for line in function.log() if line.startswith("{")]
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
    assert (record["eventSource"], record["awsRegion"]) == ("aws:sqs", function.region)
    assert record["eventSourceARN"].endswith(function.name)


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


def test_a_mapping_without_partial_failures_ignores_responses() -> None:
    answer = {"batchItemFailures": [{"itemIdentifier": "a"}]}
    assert failed_messages(invocation(answer), ["a", "b"], partial=False) == set()
    assert failed_messages(invocation(error={"errorType": "E"}), ["a", "b"], partial=False) == {"a", "b"}


def test_it_is_not_idle_while_messages_wait_for_free_concurrency(
    cloud: Cloud, region: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    poller = cloud.functions.poller
    poll, polls = poller.poll, itertools.count()

    def full_at_first() -> bool:
        """Take one message, then none while it is processed, which ends before this poll returns."""
        if next(polls) != 1:
            return poll()
        cloud.upload(region, "idle/second.csv", b"id\n1\n")
        concurrent.futures.wait(poller.running())
        return False

    monkeypatch.setattr(poller, "poll", full_at_first)
    cloud.upload(region, "idle/first.csv", b"id\n1\n")
    cloud.run_until_idle()

    assert [job["status"] for job in cloud.jobs(region, "idle/second.csv")] == ["COMPLETED"]
