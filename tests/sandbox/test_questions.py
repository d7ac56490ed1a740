"""The questions that the sandbox asks of AWS."""

import boto3
import pytest
from botocore.stub import Stubber

from ops.deployed_stacks import OUTPUTS, Stack
from sandbox import questions

FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:analytics-etl-eu-west-1-sb1"


@pytest.fixture
def stack() -> Stack:
    outputs = dict.fromkeys(OUTPUTS.values(), "x") | {"region": "eu-west-1", "functionArn": FUNCTION}
    return Stack.from_outputs("sb1", outputs, boto3.Session("key", "secret"))


def _never(_seconds: float) -> None:
    raise AssertionError("this question needs no waiting")


def test_each_key_is_matched_with_the_deployed_pattern(stack: Stack) -> None:
    with Stubber(stack.client("events")) as events:
        events.add_response(
            "describe_rule", {"EventPattern": "{}"}, {"Name": "analytics-s3-events-eu-west-1-sb1"}
        )
        for result in (True, False, False):
            events.add_response("test_event_pattern", {"Result": result})
        answer = questions.QUESTIONS[0].answer(stack, _never)
    assert answer == (
        "input/a.csv: starts, processed/input/a.csv.parquet: does not start,"
        " rejected/input/a.csv.jsonl: does not start"
    )


def test_the_account_s_quota_is_the_answer(stack: Stack) -> None:
    limit = {"ConcurrentExecutions": 10, "UnreservedConcurrentExecutions": 10}
    with Stubber(stack.client("lambda")) as functions:
        functions.add_response("get_account_settings", {"AccountLimit": limit})
        answer = questions.QUESTIONS[1].answer(stack, _never)
    assert answer.startswith("10 concurrent executions, 10 of them unreserved")


def test_an_error_is_the_answer(stack: Stack) -> None:
    with (
        Stubber(stack.client("events")) as events,
        Stubber(stack.client("lambda")) as functions,
        Stubber(stack.client("s3")) as s3,
    ):
        events.add_client_error("describe_rule", "AccessDeniedException", "not allowed")
        functions.add_client_error("get_account_settings", "AccessDeniedException", "not allowed")
        for _ in range(2):
            s3.add_client_error("put_object", "AccessDenied", "not allowed")
        given = questions.answers(stack, _never)
    assert len(given) == len(questions.QUESTIONS)
    assert all(answer.startswith("not answered: ") for _, answer in given)
