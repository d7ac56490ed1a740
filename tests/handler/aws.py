"""A moto server in place of AWS, and the function as a process that can be killed during a call."""

import atexit
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3

from environment import VERSION_FILE
from tests.handler.deliveries import REGION

ROOT = Path(__file__).resolve().parents[2]

CODE = Path(tempfile.mkdtemp(prefix="function-code-"))
"""The folder of the function's archive, with the files that are not in the repository."""
(CODE / VERSION_FILE).write_text("1.0.0\n")
atexit.register(shutil.rmtree, CODE, ignore_errors=True)

ENVIRONMENT = {
    "REGION": REGION,
    "ENVIRONMENT_SUFFIX": "test",
    "MAX_RECEIVE_COUNT": "3",
    "REJECTED_SHARE_MAX": "0.1",
    "MAX_DECOMPRESSED_BYTES": str(2**32),
    "MAX_DECOMPRESSION_RATIO": "200",
    "JOB_RETENTION_DAYS": "0",
    "UPLOAD_PREFIXES": "[]",
    "SYSTEM_PREFIXES": '["processed/", "rejected/"]',
    "LAMBDA_TASK_ROOT": str(CODE),
    "POWERTOOLS_SERVICE_NAME": "etl",
    "POWERTOOLS_METRICS_NAMESPACE": "RegionalAnalytics",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
}


@contextmanager
def moto_server() -> Iterator[str]:
    """Start a moto server in its own process, and yield its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.handler.moto_process", "-H", "127.0.0.1", "-p", str(port)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while not _answers(address):
            assert server.poll() is None, "moto's server did not start"
            time.sleep(0.05)
        yield address
    finally:
        server.terminate()
        server.wait()


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/moto-api/data.json", timeout=5):
            return True
    except urllib.error.URLError:
        return False


def start_over(address: str) -> None:
    """Delete all state of the server."""
    request = urllib.request.Request(f"{address}/moto-api/reset", method="POST")
    with urllib.request.urlopen(request, timeout=10):
        pass


@dataclass(frozen=True)
class Stack:
    """A bucket and a job table."""

    address: str
    name: str

    @classmethod
    def create(cls, address: str, name: str = "") -> "Stack":
        stack = cls(address, name or f"lake-{uuid4().hex[:12]}")
        stack.s3.create_bucket(Bucket=stack.name)
        stack.s3.put_bucket_versioning(Bucket=stack.name, VersioningConfiguration={"Status": "Enabled"})
        stack.dynamodb.create_table(
            TableName=stack.name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[
                {"AttributeName": "job_id", "AttributeType": "S"},
                {"AttributeName": "status", "AttributeType": "S"},
                {"AttributeName": "timestamp", "AttributeType": "N"},
            ],
            KeySchema=[{"AttributeName": "job_id", "KeyType": "HASH"}],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "timestamp-index",
                    "KeySchema": [
                        {"AttributeName": "status", "KeyType": "HASH"},
                        {"AttributeName": "timestamp", "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": "ALL"},
                }
            ],
        )
        return stack

    @property
    def s3(self) -> Any:
        return _client("s3", self.address)

    @property
    def dynamodb(self) -> Any:
        return _client("dynamodb", self.address)

    @property
    def environment(self) -> dict[str, str]:
        return {
            **ENVIRONMENT,
            "AWS_ENDPOINT_URL": self.address,
            "BUCKET_NAME": self.name,
            "TABLE_NAME": self.name,
        }

    def upload(self, key: str, body: bytes) -> str:
        return self.s3.put_object(Bucket=self.name, Key=key, Body=body)["VersionId"]

    def objects(self) -> dict[str, tuple[bytes, dict[str, str], str]]:
        """Return the bytes, metadata and content type of each current object."""
        found = {}
        for entry in self.s3.list_objects_v2(Bucket=self.name).get("Contents", []):
            got = self.s3.get_object(Bucket=self.name, Key=entry["Key"])
            found[entry["Key"]] = (got["Body"].read(), got["Metadata"], got["ContentType"])
        return found

    def items(self) -> dict[str, dict[str, Any]]:
        """Return each item of the table, in DynamoDB's format."""
        return {item["job_id"]["S"]: item for item in self.dynamodb.scan(TableName=self.name)["Items"]}

    def uploads_in_parts(self) -> list[Any]:
        return self.s3.list_multipart_uploads(Bucket=self.name).get("Uploads", [])


_clients: dict[tuple[str, str], Any] = {}


def _client(service: str, address: str) -> Any:
    if (service, address) not in _clients:
        _clients[service, address] = boto3.client(
            service,
            endpoint_url=address,
            region_name=REGION,
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )
    return _clients[service, address]


@dataclass(frozen=True)
class Delivered:
    """The result of a delivery."""

    calls: tuple[str, ...]
    """The requests to AWS, with retries and a request during which the process was killed."""
    answer: Mapping[str, Any] | None
    """What the handler returned; None if it raised an error or was killed."""
    log: tuple[str, ...]
    """The lines that it wrote to standard output."""

    @property
    def acknowledged(self) -> bool:
        return self.answer is not None and not self.answer["batchItemFailures"]


class FunctionProcess:
    """A process that has imported the handler, and forks for each delivery."""

    def __init__(self, stack_environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.handler.function_process"],
            cwd=ROOT,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(ROOT / "handler"),
                **stack_environment,
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def deliver(self, event: Mapping[str, Any], **how: Any) -> Delivered:
        """Deliver an event.

        Args:
            event: The event.
            how: Any of these options:

                - `stack`: the bucket and the table
                - `clock`: seconds to add to the time
                - `kill`: the number of a request, and "before" or "after"
                - `fault`: its kind, the number of the first request with it, and the number of requests
                - `cut`: the body of the object ends early
                - `seconds`, `left`: the time left, and the time left at each call
                - `fake`: use the fake conversion
                - `retention_days`, `upload_prefixes`: settings
        """
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({"event": event, **how}) + "\n")
        self._process.stdin.flush()
        delivered = json.loads(self._process.stdout.readline())
        return Delivered(
            calls=tuple(delivered["calls"]), answer=delivered["answer"], log=tuple(delivered["log"])
        )

    def close(self) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()
