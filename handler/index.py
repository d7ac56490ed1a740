"""The function's entry point, for batches from SQS and for S3 notifications sent to it directly."""

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
from memory_limit import set_memory_limit
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

set_memory_limit(os.environ)
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
    """Process a batch of SQS messages, or one event that is sent directly.

    The response to a batch names the messages to deliver again. If all of them failed, the function raises an
    error, so that Lambda's metric Errors counts it. The response to a direct call is the predecessor's.
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
        events = s3_events.from_event(event)
    except PoisonError as poison:
        logger.error("invalid event: not processed", reason=str(poison))
        raise
    # A direct call is not reliably repeated, so this delivery counts as the last.
    _process(events, Delivery(owner=invocation.id, last=True), invocation)
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
        PoisonError: The message is not a valid event.
        DeliveryError: The message must be delivered again.
    """
    receives = int(record.attributes.approximate_receive_count)
    delivery = Delivery(
        owner=f"{invocation.id}/{record.message_id}", last=receives >= settings.max_receive_count
    )
    try:
        _process(s3_events.from_message(record.body), delivery, invocation)
    except PoisonError as poison:
        logger.error(
            "invalid message: left for the dead-letter queue",
            message_id=record.message_id,
            reason=str(poison),
        )
        raise


def _process(events: "Iterable[s3_events.ObjectEvent]", delivery: Delivery, invocation: Invocation) -> None:
    """Process all events, even if one fails; then raise the first error."""
    deployment = Deployment(
        bucket=settings.bucket,
        region=settings.region,
        account=invocation.account,
        upload_prefixes=settings.upload_prefixes,
        system_prefixes=settings.system_prefixes,
    )
    failures: list[Exception] = []
    for event in events:
        try:
            if deployment.admits(event):
                processor.process(event, delivery, invocation)
            else:
                logger.debug("ignored: the object is not an upload", key=event.key)
        except (PoisonError, DeliveryError) as failure:
            failures.append(failure)
    if failures:
        raise failures[0]
