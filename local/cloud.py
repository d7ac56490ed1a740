"""The embedded AWS: the server, the deployed stacks, Lambda's service, and methods to use them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from boto3.dynamodb.types import TypeDeserializer
from boto3.s3.transfer import TransferConfig

from local.deployer import check_settings, deploy
from local.embedded_lambda.lambda_service import LambdaService
from local.errors import LocalError
from local.server import Credentials, Server
from local.stacks import read_stacks

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from types import TracebackType

    from local.deployer import Mutate
    from local.embedded_lambda.execution_environment import Invocation
    from local.stacks import Stack


class Cloud:
    """All stacks of the project, deployed; a context manager.

    Functions run on request: `run_until_idle()` delivers the messages in the queues and returns when all are
    processed; `functions.start()` delivers in the background.

    Attributes:
        server: The API: `server.endpoint`, `server.operator` (the administrator's credentials).
        functions: Lambda's service: `functions.problems`, `functions.recycle()`.
        outputs: Each stack's outputs, by the stack's name.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        mutate: Mutate | None = None,
        concurrency: int | None = None,
        progress: Callable[[Stack], None] = lambda _: None,
        datasets: Sequence[str] = ("*",),
    ) -> None:
        """Start the server and deploy the stacks.

        Args:
            port: The server's port; 0 selects a free port.
            mutate: Changes resources before they are created.
            concurrency: Maximum number of functions that run at a time; by default, one for each processor.
            progress: Called with each stack before it is deployed.
            datasets: Value of the setting `datasets`, which replaces that of the stack files.

        Raises:
            LocalError: The port is in use, or a stack cannot be deployed.
        """
        stacks = [
            # Each contract is deployed to each stack, so each takes uploads of every prefix.
            stack.with_setting("datasets", list(datasets)).with_setting("uploadPrefixes", [])
            for stack in read_stacks()
        ]
        for stack in stacks:
            check_settings(stack)  # An error in the last stack must not wait for the others' deployment.
        self.server = Server(port)
        try:
            self.outputs: dict[str, dict[str, Any]] = {}
            for stack in stacks:
                progress(stack)
                self.outputs[stack.name] = deploy(self.server, stack, mutate)
            self.functions = LambdaService(self.server, self.regions, concurrency)
        except BaseException:
            self.server.stop()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def query(self, stack: str, dataset: str, statement: str) -> list[dict[str, str | None]]:
        """Run a query in Athena, in a stack's region and a dataset's workgroup; return rows by column.

        Raises:
            LocalError: The query fails.
        """
        athena, outputs = self.client("athena", self.region(stack)), self.outputs[stack]
        identity = athena.start_query_execution(
            QueryString=statement,
            QueryExecutionContext={"Database": outputs["databaseName"]},
            WorkGroup=outputs["datasets"][dataset]["workgroup"],
        )["QueryExecutionId"]
        status = athena.get_query_execution(QueryExecutionId=identity)["QueryExecution"]["Status"]
        if status["State"] != "SUCCEEDED":
            raise LocalError(f"stack {stack}: the query {status['State']}: {status.get('StateChangeReason')}")
        pages = athena.get_paginator("get_query_results").paginate(QueryExecutionId=identity)
        found = [row["Data"] for page in pages for row in page["ResultSet"]["Rows"]]
        names, *rows = ([cell.get("VarCharValue") for cell in row] for row in found)
        return [dict(zip(map(str, names), row, strict=True)) for row in rows]

    def close(self) -> None:
        """End every process; everything that was stored is lost."""
        self.functions.close()
        self.server.stop()

    @property
    def stacks(self) -> tuple[str, ...]:
        """The names of the deployed stacks."""
        return tuple(self.outputs)

    @property
    def regions(self) -> tuple[str, ...]:
        """The regions that have a stack."""
        return tuple(dict.fromkeys(self.region(stack) for stack in self.outputs))

    def region(self, stack: str) -> str:
        """Return the region of a stack."""
        return self.outputs[stack]["region"]

    def client(self, service: str, region: str, credentials: Credentials | None = None) -> Any:  # noqa: ANN401 - boto3
        """Return a boto3 client in the region, with the administrator's credentials or the given ones."""
        return self.server.client(service, region, credentials)

    # --- input -----------------------------------------------------------------------------------

    def upload(self, stack: str, key: str, body: bytes) -> str:
        """Upload an object to the stack's bucket as a user does, and return its version id."""
        bucket = self.outputs[stack]["bucketName"]
        return self.client("s3", self.region(stack)).put_object(Bucket=bucket, Key=key, Body=body)[
            "VersionId"
        ]

    def upload_file(
        self, stack: str, key: str, path: Path, progress: Callable[[int], None] | None = None
    ) -> None:
        """Upload a file of any size; `progress` is called with the number of bytes of each part."""
        self.client("s3", self.region(stack)).upload_file(
            str(path),
            self.outputs[stack]["bucketName"],
            key,
            Callback=progress,
            Config=TransferConfig(max_concurrency=2),
        )

    def delete(self, stack: str, key: str, version: str | None = None) -> str:
        """Delete an object of the stack's bucket as a user does, and return the version id of S3's answer.

        Args:
            stack: The stack's name.
            key: The object's key.
            version: A version or delete marker to delete permanently; None creates a delete marker.
        """
        named = {"VersionId": version} if version else {}
        bucket = self.outputs[stack]["bucketName"]
        answer = self.client("s3", self.region(stack)).delete_object(Bucket=bucket, Key=key, **named)
        return answer["VersionId"]

    def pass_days(self, bucket: str, days: float) -> None:
        """Let days pass for a bucket: its objects get older, and its lifecycle rules are applied."""
        self.server.steer("/_steering/days", {bucket: days})

    def run_until_idle(self, timeout_seconds: float = 300) -> None:
        """Deliver the messages in the queues; return when nothing runs and no message is visible."""
        self.functions.run_until_idle(timeout_seconds)

    def redeliver(self) -> int:
        """Make failed messages visible before their visibility timeout ends, and return their number."""
        return self.functions.redeliver()

    def run_until_quiet(self, timeout_seconds: float = 300) -> None:
        """Deliver and redeliver until every message is deleted or in a dead-letter queue."""
        self.run_until_idle(timeout_seconds)
        while self.redeliver():
            self.run_until_idle(timeout_seconds)

    def invoke(self, stack: str, event: Any) -> Invocation:  # noqa: ANN401 - JSON
        """Invoke the stack's function directly."""
        return self.functions.invoke(self.region(stack), self.outputs[stack]["functionArn"], event)

    def assume_function_role(self, stack: str) -> Credentials:
        """Return credentials of the function's role, to test its permissions."""
        return self.functions.assume_role(self.region(stack), self.outputs[stack]["functionArn"])

    # --- results ----------------------------------------------------------------------------------

    def get(self, stack: str, key: str) -> bytes:
        """Read an object of the stack's bucket."""
        bucket = self.outputs[stack]["bucketName"]
        return self.client("s3", self.region(stack)).get_object(Bucket=bucket, Key=key)["Body"].read()

    def keys(self, stack: str, prefix: str = "") -> list[str]:
        """List the current objects of the stack's bucket."""
        pages = self.client("s3", self.region(stack)).get_paginator("list_objects_v2")
        found = pages.paginate(Bucket=self.outputs[stack]["bucketName"], Prefix=prefix)
        return [item["Key"] for page in found for item in page.get("Contents", [])]

    def jobs(self, stack: str, key: str | None = None) -> list[dict[str, Any]]:
        """Return the job records of the stack, or of one key, oldest first."""
        pages = self.client("dynamodb", self.region(stack)).get_paginator("scan")
        # Registers, and deletions that changed no results, have no timestamp and are not in the index.
        wanted: dict[str, Any] = {
            "FilterExpression": "attribute_exists(#timestamp)",
            "ExpressionAttributeNames": {"#timestamp": "timestamp"},
        }
        if key is not None:
            wanted["FilterExpression"] += " AND input_path = :key"
            wanted["ExpressionAttributeValues"] = {":key": {"S": key}}
        deserialize = TypeDeserializer().deserialize
        records = [
            {name: deserialize(value) for name, value in item.items()}
            for page in pages.paginate(TableName=self.outputs[stack]["tableName"], **wanted)
            for item in page["Items"]
        ]
        return sorted(records, key=lambda record: record["timestamp"])

    def metric(self, stack: str, namespace: str, name: str, **dimensions: str) -> float:
        """Return the sum of a metric with exactly these dimensions over the last day."""
        now = datetime.now(UTC)
        points = self.client("cloudwatch", self.region(stack)).get_metric_statistics(
            Namespace=namespace,
            MetricName=name,
            Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
            StartTime=now - timedelta(days=1),
            EndTime=now + timedelta(minutes=1),
            Period=86400,
            Statistics=["Sum"],
        )["Datapoints"]
        return sum(point["Sum"] for point in points)

    def log(self, stack: str) -> list[str]:
        """Return all lines of the function's log group, in order."""
        pages = self.client("logs", self.region(stack)).get_paginator("filter_log_events")
        found = pages.paginate(logGroupName=self.outputs[stack]["logGroupName"])
        return [event["message"] for page in found for event in page["events"]]

    def messages(self, stack: str, output: str = "queueUrl") -> int:
        """Return the number of messages, visible or not, in the queue of a stack's output."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        attributes = self.client("sqs", self.region(stack)).get_queue_attributes(
            QueueUrl=self.outputs[stack][output], AttributeNames=names
        )["Attributes"]
        return sum(int(attributes[name]) for name in names)

    def dead_letters(self, stack: str, output: str = "deadLetterQueueUrl") -> list[Any]:
        """Return the messages of a dead-letter queue without removing them."""
        received = self.client("sqs", self.region(stack)).receive_message(
            QueueUrl=self.outputs[stack][output], MaxNumberOfMessages=10, VisibilityTimeout=0
        )
        return [json.loads(message["Body"]) for message in received.get("Messages", [])]
