"""Metrics that AWS's services put to CloudWatch, and moto does not.

S3's request metrics are optional on AWS and cost money. Here they are enabled: the cost page is derived from
them.
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any

from moto.cloudwatch.models import cloudwatch_backends
from moto.dynamodb.exceptions import DynamodbException
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.responses import DynamoHandler
from moto.logs.models import LogsBackend
from moto.s3.responses import S3Response
from moto.sqs.models import Queue, SQSBackend, sqs_backends

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from moto.core.base_backend import BaseBackend
    from moto.dynamodb.models.dynamo_type import Item

_LOG_EVENT_OVERHEAD = 26
"""Bytes that CloudWatch Logs adds to each event's text (CloudWatch Logs API, PutLogEvents)."""
_WRITE_UNIT, _READ_UNIT = 1024, 4096
"""Bytes of one write unit and one consistent read unit of DynamoDB."""
throttled_writes: dict[str, int] = {}
"""By table, the number of writes to refuse: moto never throttles."""
_sent_at: dict[str, float] = {}
"""By message id, the time at which it was first measured, by the metrics' clock."""


def install() -> None:
    """Apply the patches; call this once, before the server handles requests."""
    _count_messages()
    _count_log_bytes()
    _count_table_units()
    _count_requests()


def sample_queues(now: float) -> None:
    """Put the metrics of every queue, as SQS does each minute; `now` is the time of the metrics' clock."""
    for regions in list(sqs_backends.values()):
        for backend in list(regions.values()):
            for queue in backend.queues.values():
                _sample(backend, queue, now)


def _sample(backend: SQSBackend, queue: Queue, now: float) -> None:
    messages = queue._messages  # noqa: SLF001 - moto's class
    visible = sum(message.visible for message in messages)
    values: dict[str, float] = {
        "ApproximateNumberOfMessagesVisible": visible,
        "ApproximateNumberOfMessagesNotVisible": len(messages) - visible,
    }
    if messages:
        values["ApproximateAgeOfOldestMessage"] = max(
            now - _sent_at.setdefault(message.id, now) for message in messages
        )
    _put(backend, "AWS/SQS", {"QueueName": queue.name}, values)


def _count_messages() -> None:
    send, receive, delete = SQSBackend.send_message, SQSBackend.receive_message, SQSBackend.delete_message

    @functools.wraps(send)
    def send_message(self: SQSBackend, queue_name: str, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        sent = send(self, queue_name, *args, **kwargs)
        _put(self, "AWS/SQS", {"QueueName": queue_name}, {"NumberOfMessagesSent": 1})
        return sent

    @functools.wraps(receive)
    def receive_message(self: SQSBackend, queue_name: str, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        received = receive(self, queue_name, *args, **kwargs)
        if (
            received
        ):  # counting empty receives would fill the memory, because the queues are polled five times a second
            _put(self, "AWS/SQS", {"QueueName": queue_name}, {"NumberOfMessagesReceived": len(received)})
        return received

    @functools.wraps(delete)
    def delete_message(self: SQSBackend, queue_name: str, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        delete(self, queue_name, *args, **kwargs)
        _put(self, "AWS/SQS", {"QueueName": queue_name}, {"NumberOfMessagesDeleted": 1})

    SQSBackend.send_message = send_message
    SQSBackend.receive_message = receive_message
    SQSBackend.delete_message = delete_message


def _count_log_bytes() -> None:
    put = LogsBackend.put_log_events

    @functools.wraps(put)
    def put_log_events(
        self: LogsBackend, log_group_name: str, log_stream_name: str, log_events: list[dict[str, Any]]
    ) -> Any:  # noqa: ANN401
        answer = put(self, log_group_name, log_stream_name, log_events)
        size = sum(len(event["message"].encode()) + _LOG_EVENT_OVERHEAD for event in log_events)
        _put(self, "AWS/Logs", {"LogGroupName": log_group_name}, {"IncomingBytes": size}, unit="Bytes")
        return answer

    LogsBackend.put_log_events = put_log_events


def _count_table_units() -> None:
    """Count the capacity units that DynamoDB bills: for the larger item before or after, and for the index.

    An index entry whose key changes is deleted and written again (DynamoDB Developer Guide, "Write capacity
    units" and "Global secondary indexes").
    """
    update, get = DynamoDBBackend.update_item, DynamoDBBackend.get_item

    @functools.wraps(update)
    def update_item(self: DynamoDBBackend, table_name: str, key: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        _throttle(self, table_name)
        before = get(self, table_name, key)
        sizes = [before.size() if before else 0]
        keys = [_index_key(before)]
        try:
            answer = update(self, table_name, key, *args, **kwargs)
        except Exception:
            # A write whose condition fails is billed too.
            _count_writes(self, table_name, sizes[0], index_entries=0)
            raise
        after = get(self, table_name, key)
        sizes.append(after.size() if after else 0)
        keys.append(_index_key(after))
        entries = len({entry for entry in keys if entry is not None})
        _count_writes(self, table_name, max(sizes), index_entries=entries)
        return answer

    answer = DynamoHandler.get_item

    @functools.wraps(answer)
    def get_item(self: DynamoHandler) -> Any:  # noqa: ANN401
        table_name = self.body["TableName"]
        item = get(self.dynamodb_backend, table_name, self.body["Key"])
        units = _units(item.size() if item else 0, _READ_UNIT)
        _put(
            self.dynamodb_backend,
            "AWS/DynamoDB",
            {"TableName": table_name},
            {"ConsumedReadCapacityUnits": units},
        )
        return answer(self)

    DynamoDBBackend.update_item = update_item
    DynamoHandler.get_item = get_item


def _throttle(backend: DynamoDBBackend, table_name: str) -> None:
    """Refuse a write, as DynamoDB does when it throttles, if a test has requested it."""
    if not throttled_writes.get(table_name):
        return
    throttled_writes[table_name] -= 1
    _put(backend, "AWS/DynamoDB", {"TableName": table_name}, {"WriteThrottleEvents": 1})
    raise DynamodbException(
        "com.amazonaws.dynamodb.v20120810#ThrottlingException", "Throughput exceeds the current capacity"
    )


def _count_writes(backend: DynamoDBBackend, table_name: str, size: int, *, index_entries: int) -> None:
    units = _units(size, _WRITE_UNIT)
    table = {"TableName": table_name}
    _put(backend, "AWS/DynamoDB", table, {"ConsumedWriteCapacityUnits": units})
    for index in backend.get_table(table_name).global_indexes if index_entries else []:
        dimensions = {**table, "GlobalSecondaryIndexName": index.name}
        _put(backend, "AWS/DynamoDB", dimensions, {"ConsumedWriteCapacityUnits": units * index_entries})


def _index_key(item: Item | None) -> tuple[Any, Any] | None:
    """Return the item's key in the index of jobs; None if it lacks a part of the key."""
    if item is None or not {"status", "timestamp"} <= item.attrs.keys():
        return None
    return item.attrs["status"].value, item.attrs["timestamp"].value


def _units(size: int, unit: int) -> int:
    return max(1, math.ceil(size / unit))


def _count_requests() -> None:
    for method, metric in {
        "get_object": "GetRequests",
        "head_object": "HeadRequests",
        "put_object": "PutRequests",
        "delete_object": "DeleteRequests",
    }.items():
        setattr(S3Response, method, _counted(getattr(S3Response, method), metric))


def _counted(answer: Callable[..., Any], metric: str) -> Callable[..., Any]:
    @functools.wraps(answer)
    def counted(self: S3Response, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        region = self.backend.get_bucket(self.bucket_name).region_name
        dimensions = {"BucketName": self.bucket_name, "FilterId": "EntireBucket"}
        _put_in(self.current_account, region, "AWS/S3", dimensions, {metric: 1})
        return answer(self, *args, **kwargs)

    return counted


def _put(
    backend: BaseBackend,
    namespace: str,
    dimensions: Mapping[str, str],
    values: Mapping[str, float],
    unit: str = "Count",
) -> None:
    _put_in(backend.account_id, backend.region_name, namespace, dimensions, values, unit)


def _put_in(
    account: str,
    region: str,
    namespace: str,
    dimensions: Mapping[str, str],
    values: Mapping[str, float],
    unit: str = "Count",
) -> None:
    units = {"ApproximateAgeOfOldestMessage": "Seconds"}
    pairs = [{"Name": name, "Value": value} for name, value in dimensions.items()]
    cloudwatch_backends[account][region].put_metric_data(
        namespace,
        [
            {"MetricName": name, "Dimensions": pairs, "Value": value, "Unit": units.get(name, unit)}
            for name, value in values.items()
        ],
    )
