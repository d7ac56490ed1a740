"""The embedded AWS as a whole: server, deployed stacks and Lambda's service, and what one does with them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from boto3.dynamodb.types import TypeDeserializer
from boto3.s3.transfer import TransferConfig

from local.deployer import deploy
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
    """Every stack of the project, deployed; a context manager.

    Functions run when told to: `run_until_idle()` delivers what is in the queues and returns when all is
    done, or `functions.start()` delivers in the background.

    Attributes:
        server: the API: `server.endpoint`, `server.operator` (credentials of the administrator).
        functions: Lambda's service: `functions.problems`, `functions.recycle()`.
        outputs: each stack's outputs, by its name; the project's own are called as their regions.

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
        """Start and deploy; `progress` hears of each stack before it is deployed, `mutate` changes resources.

        Each stack deploys these datasets, whatever its file says: the files deploy none.

        Raises LocalError when the port is taken or a stack cannot be deployed.
        """
        stacks = [stack.with_setting("datasets", list(datasets)) for stack in read_stacks()]
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
        """Ask Athena in a stack's region, in the workgroup of a dataset; give the rows by column.

        Raises LocalError when the query fails.
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
        """End every process and forget everything."""
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
        """Give the region of a stack."""
        return self.outputs[stack]["region"]

    def client(self, service: str, region: str, credentials: Credentials | None = None) -> Any:  # noqa: ANN401 - boto3
        """Give a boto3 client in the region: the administrator's, or one with the given credentials."""
        return self.server.client(service, region, credentials)

    # --- what goes in -----------------------------------------------------------------------------------

    def upload(self, stack: str, key: str, body: bytes) -> str:
        """Upload an object to the stack's bucket, as a user would; give its version id."""
        bucket = self.outputs[stack]["bucketName"]
        return self.client("s3", self.region(stack)).put_object(Bucket=bucket, Key=key, Body=body)[
            "VersionId"
        ]

    def upload_file(
        self, stack: str, key: str, path: Path, progress: Callable[[int], None] | None = None
    ) -> None:
        """Upload a file of any size, in parts where it is large; `progress` hears of bytes as they go."""
        self.client("s3", self.region(stack)).upload_file(
            str(path),
            self.outputs[stack]["bucketName"],
            key,
            Callback=progress,
            Config=TransferConfig(max_concurrency=2),
        )

    def delete(self, stack: str, key: str, version: str | None = None) -> str:
        """Delete an object of the stack's bucket, as a user would; give the version id that S3 answers.

        Args:
            stack: the stack's name.
            key: the object's key.
            version: a version or delete marker to remove for good; None puts a delete marker on top.
        """
        named = {"VersionId": version} if version else {}
        bucket = self.outputs[stack]["bucketName"]
        answer = self.client("s3", self.region(stack)).delete_object(Bucket=bucket, Key=key, **named)
        return answer["VersionId"]

    def pass_days(self, bucket: str, days: float) -> None:
        """Let so many days pass for a bucket: what is in it grows older, then its lifecycle rules act."""
        self.server.steer("/_steering/days", {bucket: days})

    def run_until_idle(self, timeout_seconds: float = 300) -> None:
        """Deliver what the queues hold; return when nothing runs and no message is visible."""
        self.functions.run_until_idle(timeout_seconds)

    def redeliver(self) -> int:
        """Make failed messages visible now, not after the visibility timeout; give their number."""
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
        """Give a session of the function's role, to see what it may and may not do."""
        return self.functions.assume_role(self.region(stack), self.outputs[stack]["functionArn"])

    # --- what came out ----------------------------------------------------------------------------------

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
        """Give the job records of the stack, or those of one key, oldest first."""
        pages = self.client("dynamodb", self.region(stack)).get_paginator("scan")
        deserialize = TypeDeserializer().deserialize
        records = [
            {name: deserialize(value) for name, value in item.items()}
            for page in pages.paginate(TableName=self.outputs[stack]["tableName"])
            for item in page["Items"]
        ]
        # Registers, and deletions that changed nothing that people look for, are not in the index of jobs.
        wanted = [record for record in records if "timestamp" in record]
        return sorted(
            (record for record in wanted if key is None or record["input_path"] == key),
            key=lambda record: record["timestamp"],
        )

    def metric(self, stack: str, namespace: str, name: str, **dimensions: str) -> float:
        """Sum a metric over the last day, for exactly these dimensions."""
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
        """Give every line of the function's log group, in order."""
        pages = self.client("logs", self.region(stack)).get_paginator("filter_log_events")
        found = pages.paginate(logGroupName=self.outputs[stack]["logGroupName"])
        return [event["message"] for page in found for event in page["events"]]

    def messages(self, stack: str, output: str = "queueUrl") -> int:
        """Count the messages, visible or not, in one of the queues that the stack's outputs name."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        attributes = self.client("sqs", self.region(stack)).get_queue_attributes(
            QueueUrl=self.outputs[stack][output], AttributeNames=names
        )["Attributes"]
        return sum(int(attributes[name]) for name in names)

    def dead_letters(self, stack: str, output: str = "deadLetterQueueUrl") -> list[Any]:
        """Read the messages of a dead-letter queue and leave them there."""
        received = self.client("sqs", self.region(stack)).receive_message(
            QueueUrl=self.outputs[stack][output], MaxNumberOfMessages=10, VisibilityTimeout=0
        )
        return [json.loads(message["Body"]) for message in received.get("Messages", [])]
