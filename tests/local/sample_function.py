"""Small functions that are deployed beside the real one, to test the embedded Lambda."""

import io
import json
import zipfile
from dataclasses import dataclass

from local.cloud import Cloud

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}
ALLOWED = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": ["sqs:*", "logs:*"], "Resource": "*"}],
}


@dataclass(frozen=True)
class SampleFunction:
    """A function with a queue and a dead-letter queue, which gets messages after two receives."""

    cloud: Cloud
    region: str
    name: str
    queue_url: str
    dead_letter_queue_url: str

    def send(self, *bodies: object) -> None:
        for body in bodies:
            self.cloud.client("sqs", self.region).send_message(
                QueueUrl=self.queue_url, MessageBody=json.dumps(body)
            )

    def waiting(self, url: str | None = None) -> list[object]:
        """Return the bodies of all messages in a queue, after making them visible."""
        self.cloud.redeliver()
        received = self.cloud.client("sqs", self.region).receive_message(
            QueueUrl=url or self.queue_url, MaxNumberOfMessages=10, VisibilityTimeout=0
        )
        return sorted(json.loads(message["Body"]) for message in received.get("Messages", []))

    def log(self) -> list[str]:
        group = f"/aws/lambda/{self.name}"
        events = self.cloud.client("logs", self.region).filter_log_events(logGroupName=group)["events"]
        return [event["message"] for event in events]


def deploy_function(
    cloud: Cloud,
    region: str,
    name: str,
    source: str,
    *,
    batch_size: int = 1,
    memory: int = 256,
    timeout: int = 10,
) -> SampleFunction:
    """Deploy a function from the source of its module, with its role, log group and queues."""
    iam, sqs, functions = (cloud.client(service, region) for service in ("iam", "sqs", "lambda"))
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=json.dumps(ALLOWED))
    cloud.client("logs", region).create_log_group(logGroupName=f"/aws/lambda/{name}")
    dead_letters = sqs.create_queue(QueueName=f"{name}-dlq")["QueueUrl"]
    redrive = {"deadLetterTargetArn": arn(region, f"{name}-dlq"), "maxReceiveCount": 2}
    attributes = {"VisibilityTimeout": "600", "RedrivePolicy": json.dumps(redrive)}
    queue = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    functions.create_function(
        FunctionName=name,
        Role=role,
        Runtime="python3.11",
        Handler="index.handler",
        Code={"ZipFile": archive({"index.py": source})},
        MemorySize=memory,
        Timeout=timeout,
        Environment={"Variables": {"GREETING": "hello"}},
    )
    functions.create_event_source_mapping(
        EventSourceArn=arn(region, name),
        FunctionName=name,
        BatchSize=batch_size,
        FunctionResponseTypes=["ReportBatchItemFailures"],
    )
    return SampleFunction(cloud, region, name, queue, dead_letters)


def remove_function(function: SampleFunction) -> None:
    """Remove the function and its mapping, so that later tests do not poll its queue."""
    functions = function.cloud.client("lambda", function.region)
    for mapping in functions.list_event_source_mappings(FunctionName=function.name)["EventSourceMappings"]:
        functions.delete_event_source_mapping(UUID=mapping["UUID"])
    functions.delete_function(FunctionName=function.name)


def archive(files: dict[str, str]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as zipped:
        for name, source in files.items():
            zipped.writestr(name, source)
    return content.getvalue()


def arn(region: str, queue: str) -> str:
    return f"arn:aws:sqs:{region}:123456789012:{queue}"
