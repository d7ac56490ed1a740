"""The questions that the sandbox asks of AWS."""

from pathlib import Path
from typing import NoReturn

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from ops.deployed_stacks import OUTPUTS, Stack
from sandbox import orders, questions, readers

FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:analytics-etl-eu-west-1-sb1"


@pytest.fixture
def stack() -> Stack:
    outputs = dict.fromkeys(OUTPUTS.values(), "x") | {
        "region": "eu-west-1",
        "functionArn": FUNCTION,
        "datasets": {"orders": {"view": "v", "workgroup": "w", "readerPolicyArn": "a"}},
    }
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


def test_an_error_is_the_answer(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    def deny(*_: object) -> NoReturn:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "not\nallowed"}}, "Any")

    monkeypatch.setattr(Stack, "client", deny)
    given = list(questions.answers(stack, _never))
    error = "An error occurred (AccessDenied) when calling the Any operation: not allowed"
    for question, answer in zip(questions.QUESTIONS, given, strict=True):
        assert answer.text in {f"{question.text} {kind}: {error}" for kind in ("no", "not answered")}
        assert answer.is_problem == (question.needed is not None)
    assert {answer.is_problem for answer in given} == {False, True}


def test_a_region_needs_the_answers_about_its_queries() -> None:
    needed = {question.answer: question.needed for question in questions.QUESTIONS if question.needed}
    assert needed == {
        orders.table_rows: "yes",
        orders.view_rows: "yes",
        readers.with_policy: "table: yes; view: yes",
    }


def test_the_page_lists_the_questions() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "sandbox.md").read_text(encoding="utf-8")
    rows = [
        f"| {question.text} | {question.needed} |" if question.needed else f"| {question.text} | |"
        for question in questions.QUESTIONS
    ]
    assert [row for row in page.splitlines() if "? |" in row] == [
        next(line for line in page.splitlines() if line.startswith(row)) for row in rows
    ]
