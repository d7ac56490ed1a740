"""Questions that only a real AWS account can answer. `QUESTIONS` lists them."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from ops.deployed_stacks import Stack
from ops.operator_errors import OpsError
from sandbox import deletions, foreign_files, orders, readers

Wait = Callable[[float], None]
"""Waits for a number of seconds."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """A question that AWS's documentation does not answer.

    Attributes:
        text: The question.
        answer: Returns the answer of a deployed region, after the trial's uploads were processed there.
        needed: The only answer with which a region works; None if a region works with any answer.
    """

    text: str
    answer: Callable[[Stack, Wait], str]
    needed: str | None = None


@dataclass(frozen=True, kw_only=True)
class Answer:
    """AWS's answer to a question.

    Attributes:
        text: Question and answer, in one line.
        is_problem: Whether a region does not work with this answer.
    """

    text: str
    is_problem: bool


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
        text="What does S3 answer for a permanently deleted version with all permissions?",
        answer=deletions.deleted_version,
    ),
    Question(
        text="What does S3 answer for a permanently deleted version with the function's permissions?",
        answer=deletions.deleted_version_for_function,
    ),
    Question(
        text="Does a query find a partition's object whose key has a space, a percent sign and a plus sign?",
        answer=orders.table_rows,
        needed="yes",
    ),
    Question(
        text="Does a query of the view that Pulumi created return the newest rows?",
        answer=orders.view_rows,
        needed="yes",
    ),
    Question(
        text="What does SHOW CREATE VIEW return for the view that Pulumi created?",
        answer=orders.view_statement,
    ),
    Question(
        text="Can a role with only the dataset's reader policy query the table and the view?",
        answer=readers.with_policy,
        needed=readers.QUERIES_SUCCEED,
    ),
    Question(
        text="Can such a role do so without athena:GetDataCatalog and Glue's actions on partitions?",
        answer=readers.with_fewer_actions,
    ),
    Question(
        text="How does Athena read the timestamp 2026-01-01 10:00:00.123600 with isAdjustedToUTC=false?",
        answer=foreign_files.microseconds,
    ),
    Question(
        text="How does Athena read the timestamp 2026-01-01 10:00:00.123600 with isAdjustedToUTC=true?",
        answer=foreign_files.adjusted_to_utc,
    ),
    Question(
        text="How does Athena read a column that a file does not have?",
        answer=foreign_files.missing_column,
    ),
    # The last, so that it counts the results of all others.
    Question(
        text="How many versions must the destroy delete right after the bucket policy that denies it?",
        answer=deletions.protected_versions,
    ),
)


def answers(stack: Stack, wait: Wait) -> Iterator[Answer]:
    """Yield the answer to each question, or the error if AWS does not answer."""
    for question in QUESTIONS:
        try:
            answer = question.answer(stack, wait)
        except (ClientError, BotoCoreError, KeyError, OpsError) as error:
            answer = f"not answered: {error}"
        answer = " ".join(answer.split())
        yield Answer(text=f"{question.text} {answer}", is_problem=question.needed not in (None, answer))
