"""Questions that only a real AWS account can answer. `QUESTIONS` lists them."""

import json
from collections.abc import Callable
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from ops.deployed_stacks import Stack
from sandbox import deletions

Wait = Callable[[float], None]
"""Waits for a number of seconds."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """A question that AWS's documentation does not answer.

    Attributes:
        text: The question.
        answer: Returns the answer of a deployed region, after an upload was processed there.
    """

    text: str
    answer: Callable[[Stack, Wait], str]


def _results_start_function(stack: Stack, _wait: Wait) -> str:
    """Test the deployed event pattern with EventBridge's own TestEventPattern."""
    events = stack.client("events")
    pattern = events.describe_rule(Name=stack.physical("s3-events"))["EventPattern"]
    matched = {
        key: events.test_event_pattern(EventPattern=pattern, Event=json.dumps(_created(stack, key)))["Result"]
        for key in ("input/a.csv", "processed/input/a.csv.parquet", "rejected/input/a.csv.jsonl")
    }
    return ", ".join(f"{key}: {'starts' if starts else 'does not start'}" for key, starts in matched.items())


def _created(stack: Stack, key: str) -> dict[str, object]:
    """Return S3's event for a new object (S3 User Guide, "EventBridge event message structure")."""
    return {
        "version": "0",
        "id": "17793124-05d4-b198-2fde-7ededc63b103",
        "detail-type": "Object Created",
        "source": "aws.s3",
        "account": stack.account,
        "time": "2026-01-01T00:00:00Z",
        "region": stack.region,
        "resources": [f"arn:aws:s3:::{stack.bucket}"],
        "detail": {
            "bucket": {"name": stack.bucket},
            "object": {"key": key, "size": 1},
            "reason": "PutObject",
        },
    }


def _quotas(stack: Stack, _wait: Wait) -> str:
    limit = stack.client("lambda").get_account_settings()["AccountLimit"]
    return (
        f"{limit['ConcurrentExecutions']} concurrent executions, {limit['UnreservedConcurrentExecutions']} of"
        " them unreserved; no API returns the memory quota of a function"
    )


QUESTIONS = (
    Question(
        text="Does an object that the function writes start it again?",
        answer=_results_start_function,
    ),
    Question(
        text="How many functions may run at one time in this account?",
        answer=_quotas,
    ),
    Question(
        text="Which jobs does the removal of a delete marker start?",
        answer=deletions.removed_marker,
    ),
    Question(
        text="What does S3 answer for a version that was deleted permanently?",
        answer=deletions.deleted_version,
    ),
)


def answers(stack: Stack, wait: Wait) -> list[tuple[str, str]]:
    """Return each question with its answer, or with the error if AWS does not answer."""
    found = []
    for question in QUESTIONS:
        try:
            answer = question.answer(stack, wait)
        except (ClientError, BotoCoreError, KeyError) as error:
            answer = f"not answered: {error}"
        found.append((question.text, answer))
    return found
