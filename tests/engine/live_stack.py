"""A deployed stack that has data and whose function must work at every moment of a change."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tests.engine.account import WorkingFunction
from tests.engine.deployment import PROJECT, Deployment, Engine, Step

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REPLACED_UNNOTICED = ("-layer", "-identity-key")
"""A function keeps the version of a layer that is deleted (Lambda developer guide, "Deleting layers"). The
stash of the stack's identity exists only in Pulumi's state."""

HOLD_DATA = ("-bucket", "-jobs-table", "-queue", "-dlq", "-log-group", "-key")
"""The ends of the names of what must not be deleted."""


class LiveStack:
    """A deployed stack with data."""

    def __init__(self, engine: Engine, project: Path = PROJECT) -> None:
        self.deployment = Deployment(engine, project=project)
        self.deployment.up()
        self.outputs = self.deployment.outputs()
        self.calls: list[str] = []
        self._put_data()

    def _put_data(self) -> None:
        client = self.deployment.client
        client("s3").put_object(Bucket=self.outputs["bucketName"], Key="kept/object", Body=b"kept")
        client("dynamodb").put_item(
            TableName=self.outputs["tableName"],
            Item={"job_id": {"S": "kept"}, "status": {"S": "FAILED"}, "timestamp": {"N": "1"}},
        )
        for output in ("queueUrl", "deadLetterQueueUrl", "deliveryDeadLetterQueueUrl"):
            client("sqs").send_message(QueueUrl=self.outputs[output], MessageBody="kept")

    def check_data(self) -> None:
        """Fail if any of the data is missing."""
        client = self.deployment.client
        client("s3").get_object(Bucket=self.outputs["bucketName"], Key="kept/object")
        assert client("dynamodb").get_item(
            TableName=self.outputs["tableName"], Key={"job_id": {"S": "kept"}}
        )["Item"]
        for output in ("queueUrl", "deadLetterQueueUrl", "deliveryDeadLetterQueueUrl"):
            attributes = client("sqs").get_queue_attributes(
                QueueUrl=self.outputs[output], AttributeNames=["ApproximateNumberOfMessages"]
            )["Attributes"]
            assert int(attributes["ApproximateNumberOfMessages"]) >= 1, output

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Fail if the function cannot work at any moment within the context."""
        provider = self.deployment.engine.provider
        function = WorkingFunction(self.deployment.client, self.outputs)
        self.calls = []

        def before(method: str, urn: str) -> None:
            if method in {"Create", "Update", "Delete"}:
                self.calls.append(f"{method} {urn.rpartition('::')[2]}")
                function.before(method, urn)

        provider.before = before
        try:
            yield
        finally:
            provider.before = lambda _method, _urn: None
        assert function.problems == []
        assert list(function.lacks()) == []

    def up(self, **settings: Any) -> Step:
        """Change settings, and check the function and the data."""
        self.deployment.set(**settings)
        with self.watched():
            step = self.deployment.up()
        self.check_data()
        return step


def replaced(step: Step) -> set[str]:
    """Return the resources that a step replaced."""
    names = {name for name, operation in step.operations.items() if "replace" in operation}
    return {name for name in names if not name.endswith(REPLACED_UNNOTICED)}
