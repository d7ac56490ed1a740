"""A batch of SQS messages: receive it, convert it to records, and find the messages that stay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from local.embedded_lambda.execution_environment import Invocation

RECEIVE_MAX = 10
"""Maximum number of messages in one ReceiveMessage (SQS Developer Guide, "Amazon SQS message quotas")."""


def receive(sqs: Any, queue_url: str, batch_size: int) -> list[dict[str, Any]]:  # noqa: ANN401 - boto3
    """Receive up to `batch_size` messages from a queue."""
    messages: list[dict[str, Any]] = []
    while len(messages) < batch_size:
        received = sqs.receive_message(
            QueueUrl=queue_url,
            MaxNumberOfMessages=min(RECEIVE_MAX, batch_size - len(messages)),
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        ).get("Messages", [])
        if not received:
            break
        messages += received
    return messages


def record(message: dict[str, Any], queue_arn: str) -> dict[str, Any]:
    """Return a message in the format in which an event source mapping passes it to the function."""
    attributes = message["Attributes"]
    names = ("ApproximateReceiveCount", "SentTimestamp", "SenderId", "ApproximateFirstReceiveTimestamp")
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": {name: attributes[name] for name in names},
        "messageAttributes": {
            name: {"stringValue": value["StringValue"], "dataType": value["DataType"]}
            for name, value in message.get("MessageAttributes", {}).items()
            if "StringValue" in value
        },
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": queue_arn.split(":")[3],
    }


def failed_messages(invocation: Invocation, message_ids: Sequence[str], *, partial: bool) -> set[str]:
    """Return the ids of the messages in a batch that stay in the queue.

    All stay if the function failed or its response is malformed. None stays if the response reports none, or
    if the mapping does not use reports (Lambda Developer Guide, "Reporting batch item failures").
    """
    everything = set(message_ids)
    if invocation.error is not None:
        return everything
    if not partial or not invocation.returned:
        return set()
    try:
        failed = {failure["itemIdentifier"] for failure in invocation.returned.get("batchItemFailures") or ()}
    except (AttributeError, KeyError, TypeError):
        return everything
    unknown = failed - everything
    return everything if unknown else failed
