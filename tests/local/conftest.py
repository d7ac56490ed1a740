"""Fixtures of the tests of the embedded AWS."""

import pytest

from local.cloud import Cloud


@pytest.fixture(autouse=True)
def empty_dead_letter_queues(request: pytest.FixtureRequest) -> None:
    """Delete the dead letters that other tests left in the shared cloud, because some tests count them."""
    if "cloud" in request.fixturenames:
        cloud: Cloud = request.getfixturevalue("cloud")
        for region in cloud.regions:
            for output in ("deadLetterQueueUrl", "deliveryDeadLetterQueueUrl"):
                _empty(cloud, region, output)


def _empty(cloud: Cloud, region: str, output: str) -> None:
    # One by one: SQS takes one PurgeQueue a minute.
    sqs, url = cloud.client("sqs", region), cloud.outputs[region][output]
    while received := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in received:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
