"""What Lambda's service does, which moto does not: polls queues for functions, and runs the functions.

It knows AWS's API only: event source mappings, functions and their archives, queues, logs. Queues are polled,
and logs written, under the credentials of the function's role, so a permission that is missing on AWS is
missing here.
"""

from __future__ import annotations

import concurrent.futures
import functools
import os
import threading
import time
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from local.errors import LocalError
from local.execution_environment import ExecutionEnvironment, Invocation
from local.functions import Archives, Function
from local.host_layer import check_binaries, host_layer
from local.server import Credentials

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from local.server import Server

RECEIVE_MAX = 10
"""Messages in one ReceiveMessage (SQS quotas)."""
LOG_EVENTS_MAX = 1000
"""Lines in one PutLogEvents, kept under its 10,000 events and 1 MiB for lines of usual length."""
POLL_SECONDS = 0.2


@dataclass(frozen=True, kw_only=True)
class _Delivery:
    """A received message that is not deleted yet."""

    region: str
    queue_url: str
    receipt_handle: str


class LambdaService:
    """Polls, invokes, deletes; in the background (`start`, `stop`) or as a test asks (`run_until_idle`).

    `problems` are the things that Lambda could not do, as the console would show them; `substitutions` say
    which layers were replaced by a build for this machine.
    """

    def __init__(
        self,
        server: Server,
        regions: Sequence[str],
        concurrency: int | None = None,
        stand_in_layer: Callable[[], Path] = host_layer,
    ) -> None:
        """Serve the regions with at most so many functions at a time, by default one per processor."""
        self.problems: list[str] = []
        self.substitutions: list[str] = []
        self._server = server
        self._regions = tuple(regions)
        self._concurrency = concurrency or os.cpu_count() or 1
        self._stand_in_layer = stand_in_layer
        self._archives = Archives()
        self._lock = threading.Lock()
        self._idle: dict[Function, list[ExecutionEnvironment]] = defaultdict(list)
        self._busy: set[ExecutionEnvironment] = set()
        self._closed = False
        self._sessions: dict[tuple[str, str], Credentials] = {}
        self._running: dict[str, set[concurrent.futures.Future[None]]] = defaultdict(set)
        self._undeleted: list[_Delivery] = []
        self._served: set[str] = set()
        self._workers = concurrent.futures.ThreadPoolExecutor(self._concurrency, thread_name_prefix="lambda")
        self._stopping = threading.Event()
        self._poller: threading.Thread | None = None

    def start(self) -> None:
        """Poll in the background until `stop`."""
        self._stopping.clear()
        self._poller = threading.Thread(target=self._poll_until_stopped, name="lambda-poller", daemon=True)
        self._poller.start()

    def stop(self) -> None:
        """Stop polling; what runs may finish."""
        self._stopping.set()
        if self._poller:
            self._poller.join()
            self._poller = None

    def close(self) -> None:
        """Stop, and end every process; what was running comes again after its visibility timeout."""
        self.stop()
        with self._lock:
            self._closed = True
            busy = tuple(self._busy)
        for environment in busy:
            environment.kill()
        self._workers.shutdown(wait=True)
        self.recycle()
        self._archives.close()

    def run_until_idle(self, timeout_seconds: float = 300) -> None:
        """Deliver until no mapping's queue has a visible message and nothing runs.

        Messages that failed stay invisible for their queue's visibility timeout: see `redeliver`. Raises
        TimeoutError when it takes longer than that.
        """
        deadline = time.monotonic() + timeout_seconds
        while True:
            # Before the poll: what ends during it may have left it no room to take what is waiting.
            running = self._all_running()
            took = self._poll()
            if not took and not running:
                return
            if time.monotonic() > deadline:
                raise TimeoutError(f"functions were still busy after {timeout_seconds} s")
            if not took:
                concurrent.futures.wait(running, timeout_seconds, concurrent.futures.FIRST_COMPLETED)

    def redeliver(self) -> int:
        """Make failed messages visible, as if their visibility timeout had passed; give their number."""
        with self._lock:
            deliveries, self._undeleted = self._undeleted, []
        for delivery in deliveries:
            self._client("sqs", delivery.region).change_message_visibility(
                QueueUrl=delivery.queue_url, ReceiptHandle=delivery.receipt_handle, VisibilityTimeout=0
            )
        return len(deliveries)

    def invoke(self, region: str, function_name: str, event: Any) -> Invocation:  # noqa: ANN401 - JSON
        """Invoke a function once, synchronously, as `aws lambda invoke` would."""
        return self._invoke(self.function(region, function_name), event)

    def assume_role(self, region: str, function_name: str) -> Credentials:
        """Give a session of the function's role."""
        return self._assume(self.function(region, function_name))

    def function(self, region: str, name: str) -> Function:
        """Give a function's configuration as it is now, by name or ARN."""
        return Function.from_response(self._client("lambda", region).get_function(FunctionName=name))

    def take_served_regions(self) -> set[str]:
        """Give the regions in which functions have run since the last call."""
        with self._lock:
            served, self._served = self._served, set()
        return served

    def recycle(self) -> None:
        """End all warm environments and forget the roles' sessions: what comes next is a cold start."""
        with self._lock:
            environments = [environment for idle in self._idle.values() for environment in idle]
            self._idle.clear()
            self._sessions.clear()
        for environment in environments:
            environment.stop()

    # --- polling ----------------------------------------------------------------------------------------

    def _poll_until_stopped(self) -> None:
        while not self._stopping.is_set():
            try:
                took = self._poll()
            except (BotoCoreError, ClientError) as error:
                self._problem(str(error))
                took = False
            if not took:
                self._stopping.wait(POLL_SECONDS)

    def _poll(self) -> bool:
        """Take one batch of each mapping that has room for it; say whether there was any."""
        took = False
        for region in self._regions:
            for mapping in self._client("lambda", region).list_event_source_mappings()["EventSourceMappings"]:
                if mapping["State"] == "Enabled" and self._has_room(mapping):
                    took |= self._take_batch(region, mapping)
        return took

    def _has_room(self, mapping: dict[str, Any]) -> bool:
        most = mapping.get("ScalingConfig", {}).get("MaximumConcurrency", self._concurrency)
        with self._lock:
            return (
                len(self._running[mapping["UUID"]]) < most
                and sum(map(len, self._running.values())) < self._concurrency
            )

    def _all_running(self) -> list[concurrent.futures.Future[None]]:
        with self._lock:
            return [future for futures in self._running.values() for future in futures]

    def _take_batch(self, region: str, mapping: dict[str, Any]) -> bool:
        queue_arn = mapping["EventSourceArn"]
        try:
            function = self.function(region, mapping["FunctionArn"])
            sqs = self._server.client("sqs", region, self._assume(function))
            queue_url = f"{self._server.endpoint}/{queue_arn.split(':')[4]}/{queue_arn.split(':')[5]}"
            # Lambda asks it too, so the role must allow that.
            sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["All"])
            messages = self._receive(sqs, queue_url, mapping["BatchSize"])
        except ClientError as error:
            self._problem(f"{queue_arn}: {error}")
            return False
        if not messages:
            return False
        partial = "ReportBatchItemFailures" in (mapping.get("FunctionResponseTypes") or ())
        work = functools.partial(
            self._process, function, sqs, queue_arn, queue_url, messages, partial=partial
        )
        future = self._workers.submit(work)
        with self._lock:
            self._running[mapping["UUID"]].add(future)
        future.add_done_callback(functools.partial(self._finished, mapping["UUID"]))
        return True

    def _finished(self, mapping: str, future: concurrent.futures.Future[None]) -> None:
        with self._lock:
            self._running[mapping].discard(future)
        if error := future.exception():
            self._problem(f"{type(error).__name__}: {error}")

    @staticmethod
    def _receive(sqs: Any, queue_url: str, batch_size: int) -> list[dict[str, Any]]:  # noqa: ANN401 - boto3
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

    def _process(
        self,
        function: Function,
        sqs: Any,  # noqa: ANN401 - boto3
        queue_arn: str,
        queue_url: str,
        messages: list[dict[str, Any]],
        *,
        partial: bool,
    ) -> None:
        """Invoke the function with one batch and delete what succeeded; the rest reappears in time."""
        failed = self._run_batch(function, queue_arn, messages, partial=partial)
        for message in messages:
            if message["MessageId"] not in failed:
                try:
                    sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
                    continue
                except ClientError as error:
                    self._problem(f"{queue_arn}: {error}")
            delivery = _Delivery(
                region=function.region, queue_url=queue_url, receipt_handle=message["ReceiptHandle"]
            )
            with self._lock:
                self._undeleted.append(delivery)
        with self._lock:
            self._served.add(function.region)

    def _run_batch(
        self, function: Function, queue_arn: str, messages: list[dict[str, Any]], *, partial: bool
    ) -> set[str]:
        """Invoke the function with one batch; give which of its messages stay in the queue."""
        everything = [message["MessageId"] for message in messages]
        if function.reserved_concurrency == 0:
            # What the mapping received and may not run reappears, too, and has been received once more.
            self._put_metrics(function, {"Throttles": (1, "Count")})
            return set(everything)
        try:
            invocation = self._invoke(
                function, {"Records": [_record(message, queue_arn) for message in messages]}
            )
        except (ClientError, LocalError) as error:  # no session of the role, or a layer that Lambda refuses
            self._problem(f"{function.arn}: {error}")
            return set(everything)
        return failed_messages(invocation, everything, partial=partial)

    # --- running ----------------------------------------------------------------------------------------

    def _invoke(self, function: Function, event: Any) -> Invocation:  # noqa: ANN401 - JSON
        environment = self._environment(function)
        with self._lock:
            self._busy.add(environment)
            closed = self._closed
        if closed:  # while the environment was made
            environment.kill()
        try:
            invocation = environment.invoke(event)
            self._write_log(environment, invocation)
        finally:
            self._release(environment)
        self._count(function, invocation)
        return invocation

    def _release(self, environment: ExecutionEnvironment) -> None:
        """Keep an environment for the next invocation, if it is still alive."""
        with self._lock:
            self._busy.discard(environment)
            if keep := environment.alive:
                self._idle[environment.function].append(environment)
        if not keep:
            environment.stop()

    def _environment(self, function: Function) -> ExecutionEnvironment:
        """Give a warm environment of this very configuration, or a new one."""
        with self._lock:
            if self._idle[function]:
                return self._idle[function].pop()
            outdated = [known for known in self._idle if known.arn == function.arn and known != function]
            retired = [environment for known in outdated for environment in self._idle.pop(known)]
        for environment in retired:
            environment.stop()
        code = self._archives.unpack(function.code_location)
        layers = [self._layer(function, arn) for arn in function.layers]
        return ExecutionEnvironment(function, self._assume(function), self._server.endpoint, code, layers)

    def _layer(self, function: Function, arn: str) -> Path:
        """Unpack and check the deployed layer; give it, or a build of it that this machine can load."""
        *_, name, version = arn.split(":")
        published = self._client("lambda", function.region).get_layer_version(
            LayerName=name, VersionNumber=int(version)
        )
        check = functools.partial(check_binaries, architecture=function.architecture)
        deployed = self._archives.unpack(published["Content"]["Location"], check)
        if function.fits_host:
            return deployed
        note = f"layer {name} is for {function.architecture} and {function.runtime}"
        if note not in self.substitutions:
            self.substitutions.append(note)
        return self._stand_in_layer()

    def _assume(self, function: Function) -> Credentials:
        """Give a session of the function's role, as Lambda's service may have by the role's trust policy."""
        key = (function.role, function.arn)
        if key not in self._sessions:
            sts = self._server.new_client("sts", function.region, self._server.lambda_service)
            acting_for = {
                "x-amz-source-arn": function.arn,
                "x-amz-source-account": function.arn.split(":")[4],
            }
            sts.meta.events.register(
                "before-call.sts", lambda params, **_: params["headers"].update(acting_for)
            )
            session = sts.assume_role(RoleArn=function.role, RoleSessionName=function.name)["Credentials"]
            self._sessions[key] = Credentials(
                session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"]
            )
        return self._sessions[key]

    def _write_log(self, environment: ExecutionEnvironment, invocation: Invocation) -> None:
        """Write what the function printed, between Lambda's own lines, to its log group, as its role."""
        lines = [
            f"START RequestId: {invocation.request_id} Version: $LATEST",
            *invocation.log,
            *(
                []
                if invocation.error is None
                else [f"{invocation.request_id} {invocation.error['errorMessage']}"]
            ),
            f"END RequestId: {invocation.request_id}",
            "\t".join(
                (
                    f"REPORT RequestId: {invocation.request_id}",
                    f"Duration: {invocation.duration_ms:.2f} ms",
                    f"Memory Size: {environment.function.memory_mb} MB",
                    f"Max Memory Used: {invocation.memory_mb} MB",
                )
            ),
        ]
        now = int(time.time() * 1000)
        stream = {"logGroupName": environment.log_group, "logStreamName": environment.log_stream}
        logs = self._server.client("logs", environment.function.region, environment.credentials)
        try:
            if not environment.has_log_stream:
                logs.create_log_stream(**stream)
                environment.has_log_stream = True
            for start in range(0, len(lines), LOG_EVENTS_MAX):
                events = [
                    {"timestamp": now, "message": line or " "}
                    for line in lines[start : start + LOG_EVENTS_MAX]
                ]
                logs.put_log_events(**stream, logEvents=events)
        except ClientError as error:  # on AWS, too, the lines are lost and the function runs on
            self._problem(f"{environment.log_group}: {error}")

    def _count(self, function: Function, invocation: Invocation) -> None:
        """Put Lambda's own metrics of the function."""
        failed = 0 if invocation.error is None else 1
        values: dict[str, tuple[float, str]] = {
            "Invocations": (1, "Count"),
            "Errors": (failed, "Count"),
            "Throttles": (0, "Count"),
        }
        values["Duration"] = (invocation.duration_ms, "Milliseconds")
        self._put_metrics(function, values)

    def _put_metrics(self, function: Function, values: Mapping[str, tuple[float, str]]) -> None:
        dimensions = [{"Name": "FunctionName", "Value": function.name}]
        self._client("cloudwatch", function.region).put_metric_data(
            Namespace="AWS/Lambda",
            MetricData=[
                {"MetricName": name, "Dimensions": dimensions, "Value": value, "Unit": unit}
                for name, (value, unit) in values.items()
            ],
        )

    def _problem(self, text: str) -> None:
        if text not in self.problems:
            self.problems.append(text)

    def _client(self, service: str, region: str) -> Any:  # noqa: ANN401 - boto3
        return self._server.client(service, region, self._server.lambda_service)


def failed_messages(invocation: Invocation, message_ids: Sequence[str], *, partial: bool) -> set[str]:
    """Which messages of a batch stay in the queue (Lambda Developer Guide, "Reporting batch item failures").

    All, if the function failed or its answer is malformed; none, if it named none or does not report them.
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
    strangers = failed - everything
    return everything if strangers else failed


def _record(message: dict[str, Any], queue_arn: str) -> dict[str, Any]:
    """Give a message as the event source mapping hands it to the function."""
    attributes = message["Attributes"]
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": {
            name: attributes[name]
            for name in (
                "ApproximateReceiveCount",
                "SentTimestamp",
                "SenderId",
                "ApproximateFirstReceiveTimestamp",
            )
        },
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
