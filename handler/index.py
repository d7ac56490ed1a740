"""The function's entry: SQS batches, and classic S3 notifications sent to it directly."""

import os
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response

import clients
import s3_events
from admission import Deployment
from dynamo import Table
from environment import Settings
from faults import DeliveryError
from invocation import Invocation
from job_records import Delivery
from objects import Bucket
from processor import Processor
from s3_events import PoisonError
from telemetry import logger
from uploads import Uploads

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
    from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
    from aws_lambda_powertools.utilities.typing import LambdaContext

settings = Settings.from_environment(os.environ)

_s3 = clients.s3(settings.region)
processor = Processor(
    settings,
    Uploads(_s3, settings.bucket),
    Bucket(_s3, settings.bucket),
    Table(clients.dynamodb(settings.region), settings.table),
    time.time,
)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: "LambdaContext") -> "dict[str, Any] | PartialItemFailureResponse":
    """Process what a delivery tells of.

    A batch from SQS is answered with the items to be delivered again; if that is all of them, with an error,
    so that Lambda's own metrics show it. A notification sent directly is answered as the predecessor did.
    """
    invocation = Invocation.of(context)
    if _is_batch(event):
        return process_partial_response(
            event=event,
            record_handler=partial(_receive, invocation=invocation),
            processor=BatchProcessor(event_type=EventType.SQS),
            context=context,
        )
    try:
        told = s3_events.from_event(event)
    except PoisonError as poison:
        logger.error("poison: not processed", reason=str(poison))
        raise
    # Nothing delivers a direct call again that could be relied upon.
    _process(told, Delivery(owner=invocation.id, last=True), invocation)
    return {"statusCode": 200, "body": '"Processing completed successfully"'}


def _is_batch(event: object) -> bool:
    records = event.get("Records") if isinstance(event, dict) else None
    return (
        isinstance(records, list)
        and bool(records)
        and all(isinstance(record, dict) and record.get("eventSource") == "aws:sqs" for record in records)
    )


def _receive(record: "SQSRecord", invocation: Invocation) -> None:
    """Process one SQS message.

    Raises:
        PoisonError: it is no event that could be processed.
        DeliveryError: it is to be delivered again.
    """
    receives = int(record.attributes.approximate_receive_count)
    delivery = Delivery(
        owner=f"{invocation.id}/{record.message_id}", last=receives >= settings.max_receive_count
    )
    try:
        told = s3_events.from_message(record.body)
        _process(told, delivery, invocation)
    except PoisonError as poison:
        logger.error(
            "poison: left for the dead-letter queue", message_id=record.message_id, reason=str(poison)
        )
        raise


def _process(told: "Iterable[s3_events.ObjectEvent]", delivery: Delivery, invocation: Invocation) -> None:
    """Process each event, the others also when one fails, and only then raise."""
    deployment = Deployment(
        bucket=settings.bucket,
        region=settings.region,
        account=invocation.account,
        upload_prefixes=settings.upload_prefixes,
        system_prefixes=settings.system_prefixes,
    )
    failures: list[Exception] = []
    for each in told:
        try:
            if deployment.admits(each):
                processor.process(each, delivery, invocation)
            else:
                logger.debug("ignored: no upload", key=each.key)
        except (PoisonError, DeliveryError) as failure:
            failures.append(failure)
    if failures:
        raise failures[0]
