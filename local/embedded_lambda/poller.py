"""Receive messages from the queues of event source mappings, and delete those that were processed."""

from __future__ import annotations

import concurrent.futures
import functools
import threading
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from local.embedded_lambda import sqs_batch
from local.errors import LocalError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from local.embedded_lambda.function_archives import Function
    from local.embedded_lambda.invoker import Invoker
    from local.server import Server


@dataclass(frozen=True, kw_only=True)
class _Batch:
    """The messages of one invocation."""

    function: Function
    sqs: Any
    queue_arn: str
    queue_url: str
    messages: Sequence[dict[str, Any]]
    partial: bool
    """Whether the mapping reports failed messages (ReportBatchItemFailures)."""


@dataclass(frozen=True, kw_only=True)
class _Delivery:
    """A received message that has not been deleted."""

    region: str
    queue_url: str
    receipt_handle: str


class Poller:
    """Delivers the messages in the queues to functions."""

    def __init__(
        self,
        server: Server,
        regions: Sequence[str],
        concurrency: int,
        invoker: Invoker,
        report: Callable[[str], None],
    ) -> None:
        """Poll the mappings of these regions.

        Args:
            server: The server with the queues and mappings.
            regions: The regions.
            concurrency: Maximum number of functions that run at a time.
            invoker: Runs the functions.
            report: Called with each error of Lambda.
        """
        self._server = server
        self._regions = tuple(regions)
        self._concurrency = concurrency
        self._invoker = invoker
        self._report = report
        self._lock = threading.Lock()
        self._running: dict[str, set[concurrent.futures.Future[None]]] = defaultdict(set)
        self._undeleted: list[_Delivery] = []
        self._served: set[str] = set()
        self._workers = concurrent.futures.ThreadPoolExecutor(concurrency, thread_name_prefix="lambda")

    def poll(self) -> bool:
        """Receive one batch for each mapping with free concurrency; return whether there was any.

        The server tells which queues have messages. Receiving from every queue would take most of the time of
        an idle server.
        """
        took = False
        queues = set(self._server.steer("/_steering/queues", None)["queues"])
        for region in self._regions:
            if not any(queue.split(":")[3] == region for queue in queues):
                continue
            for mapping in self._client("lambda", region).list_event_source_mappings()["EventSourceMappings"]:
                if (
                    mapping["EventSourceArn"] in queues
                    and mapping["State"] == "Enabled"
                    and self._has_room(mapping)
                ):
                    took |= self._take_batch(region, mapping)
        return took

    def running(self) -> list[concurrent.futures.Future[None]]:
        """Return the batches that are being processed."""
        with self._lock:
            return [future for futures in self._running.values() for future in futures]

    def redeliver(self) -> int:
        """Make failed messages visible, as if their visibility timeout had passed; return their number."""
        with self._lock:
            deliveries, self._undeleted = self._undeleted, []
        for delivery in deliveries:
            self._client("sqs", delivery.region).change_message_visibility(
                QueueUrl=delivery.queue_url, ReceiptHandle=delivery.receipt_handle, VisibilityTimeout=0
            )
        return len(deliveries)

    def take_served_regions(self) -> set[str]:
        """Return the regions in which functions have run since the last call."""
        with self._lock:
            served, self._served = self._served, set()
        return served

    def close(self) -> None:
        """Wait for running functions."""
        self._workers.shutdown(wait=True)

    def _has_room(self, mapping: dict[str, Any]) -> bool:
        most = mapping.get("ScalingConfig", {}).get("MaximumConcurrency", self._concurrency)
        with self._lock:
            return (
                len(self._running[mapping["UUID"]]) < most
                and sum(map(len, self._running.values())) < self._concurrency
            )

    def _take_batch(self, region: str, mapping: dict[str, Any]) -> bool:
        queue_arn = mapping["EventSourceArn"]
        try:
            function = self._invoker.function(region, mapping["FunctionArn"])
            sqs = self._server.client("sqs", region, self._invoker.assume_role(function))
            queue_url = f"{self._server.endpoint}/{queue_arn.split(':')[4]}/{queue_arn.split(':')[5]}"
            # Lambda makes this call too, so the role must allow it.
            sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["All"])
            messages = sqs_batch.receive(sqs, queue_url, mapping["BatchSize"])
        except ClientError as error:
            self._report(f"{queue_arn}: {error}")
            return False
        if not messages:
            return False
        batch = _Batch(
            function=function,
            sqs=sqs,
            queue_arn=queue_arn,
            queue_url=queue_url,
            messages=messages,
            partial="ReportBatchItemFailures" in (mapping.get("FunctionResponseTypes") or ()),
        )
        future = self._workers.submit(self._process, batch)
        with self._lock:
            self._running[mapping["UUID"]].add(future)
        future.add_done_callback(functools.partial(self._finished, mapping["UUID"]))
        return True

    def _finished(self, mapping: str, future: concurrent.futures.Future[None]) -> None:
        with self._lock:
            self._running[mapping].discard(future)
        if error := future.exception():
            self._report(f"{type(error).__name__}: {error}")

    def _process(self, batch: _Batch) -> None:
        """Invoke the function with one batch and delete the processed messages; the others reappear later."""
        failed = self._invoke(batch)
        for message in batch.messages:
            if message["MessageId"] not in failed:
                try:
                    batch.sqs.delete_message(QueueUrl=batch.queue_url, ReceiptHandle=message["ReceiptHandle"])
                    continue
                except ClientError as error:
                    self._report(f"{batch.queue_arn}: {error}")
            delivery = _Delivery(
                region=batch.function.region,
                queue_url=batch.queue_url,
                receipt_handle=message["ReceiptHandle"],
            )
            with self._lock:
                self._undeleted.append(delivery)
        with self._lock:
            self._served.add(batch.function.region)

    def _invoke(self, batch: _Batch) -> set[str]:
        """Invoke the function with one batch; return the ids of the messages that stay in the queue."""
        everything = [message["MessageId"] for message in batch.messages]
        if batch.function.reserved_concurrency == 0:
            # A throttled batch reappears too, and its receive counts have grown.
            self._invoker.throttle(batch.function)
            return set(everything)
        records = [sqs_batch.record(message, batch.queue_arn) for message in batch.messages]
        try:
            invocation = self._invoker.invoke(batch.function, {"Records": records})
        except (ClientError, LocalError) as error:  # the role cannot be assumed, or Lambda refuses a layer
            self._report(f"{batch.function.arn}: {error}")
            return set(everything)
        return sqs_batch.failed_messages(invocation, everything, partial=batch.partial)

    def _client(self, service: str, region: str) -> Any:  # noqa: ANN401 - boto3
        return self._server.client(service, region, self._server.lambda_service)
