"""The in-memory AWS of the interleavings responds as moto's server does."""

import base64
import hashlib
import io
from typing import Any

import pytest
from botocore.exceptions import ClientError

from dynamo import ConditionFailedError, Table
from tests.handler.aws import Stack
from tests.handler.memory_aws import MemoryDynamoDB, MemoryS3


def _put(body: bytes, **condition: str) -> dict[str, Any]:
    checksum = base64.b64encode(hashlib.sha256(body).digest()).decode()
    return {
        "Body": io.BytesIO(body),
        "Metadata": {"job-id": body.decode()},
        "ChecksumAlgorithm": "SHA256",
        "ChecksumSHA256": checksum,
        "ContentType": "text/plain",
        **condition,
    }


ONE = '"' + hashlib.md5(b"one").hexdigest() + '"'

S3_CALLS: list[tuple[str, dict[str, Any]]] = [
    ("get_object", {}),
    ("head_object", {"ChecksumMode": "ENABLED"}),
    ("put_object", _put(b"one", IfMatch=ONE)),
    ("delete_object", {"IfMatch": ONE}),
    ("put_object", _put(b"one", IfNoneMatch="*")),
    ("put_object", _put(b"two", IfNoneMatch="*")),
    ("put_object", _put(b"two", IfMatch='"0"')),
    ("head_object", {"ChecksumMode": "ENABLED"}),
    ("put_object", _put(b"two", IfMatch=ONE)),
    ("get_object", {}),
    ("delete_object", {"IfMatch": ONE}),
    ("delete_object", {"IfMatch": '"' + hashlib.md5(b"two").hexdigest() + '"'}),
    ("get_object", {}),
    ("get_object", {"VersionId": "the first"}),
    ("get_object", {"VersionId": "00000000-0000-0000-0000-000000000000"}),
    ("head_object", {}),
    ("put_object", _put(b"one", IfMatch='"0"')),
    ("put_object", _put(b"one", IfNoneMatch="*")),
    ("head_object", {}),
    ("get_object", {}),
]


def test_s3(stack: Stack) -> None:
    def play(client: Any) -> list[object]:
        answers: list[object] = []
        first = ""
        for operation, given in S3_CALLS:
            request: dict[str, Any] = dict(given)
            if request.get("VersionId") == "the first":
                request["VersionId"] = first
            if "Body" in request:
                request["Body"].seek(0)
            try:
                answer = getattr(client, operation)(Bucket=stack.name, Key="k", **request)
            except ClientError as error:
                answers.append((operation, error.response["Error"]["Code"]))
                continue
            first = first or answer.get("VersionId", "")
            names = ("ETag", "ContentLength", "Metadata", "ChecksumSHA256") if "head" in operation else ()
            answers.append((operation, *(answer.get(name) for name in names)))
            if operation == "get_object":
                answers.append(answer["Body"].read())
        return answers

    assert play(MemoryS3()) == play(stack.s3)


UPDATES: list[dict[str, Any]] = [
    {"condition": "#a = :x", "values": {"x": 1}},
    {"condition": "#a < :x", "values": {"x": 1}},
    {"condition": "attribute_not_exists(#a) OR #a < :x", "values": {"x": 1}},
    {"condition": "attribute_not_exists(#a) OR #a < :x", "values": {"x": 1}},
    {"condition": "#a > :x AND (#b = :y OR #t = :z)", "values": {"x": 2, "y": "b", "z": True}},
    {"condition": "#a = :x AND (#b = :y OR #t = :z)", "values": {"x": 5, "y": "b", "z": True}},
    {"condition": "#a = :x", "values": {"x": "5"}},
    {"condition": "#b < :x", "values": {"x": "~"}, "remove": ("b", "missing")},
    {"condition": "#b < :x", "values": {"x": "~"}},
    {"condition": "attribute_not_exists(#b)", "values": {}, "count": "attempts"},
    {"condition": "attribute_not_exists(#job_id)", "values": {}},
    {"condition": "attribute_exists(#job_id) AND attribute_not_exists(#a)", "values": {}},
    {"condition": "attribute_exists(#job_id) AND attribute_not_exists(#c)", "values": {}},
    {"condition": "#a > :x AND (attribute_not_exists(#n) OR #n < :y)", "values": {"x": 1, "y": 3}},
    {"condition": "#a > :x AND (attribute_not_exists(#n) OR #n < :y)", "values": {"x": 1, "y": 99}},
]


def test_dynamodb(stack: Stack) -> None:
    def play(client: Any) -> list[object]:
        table = Table(client, stack.name)
        answers: list[object] = [table.get("job")]
        for number, update in enumerate(UPDATES):
            parts = {"remove": (), "count": None, **update}
            assign = {"a": 5, "t": False, "n": number} if parts["remove"] else {"a": 5, "b": "b", "n": number}
            try:
                answers.append(table.update("job", assign=assign, **parts))
            except ConditionFailedError as conflict:
                answers.append(("condition failed", conflict.item))
            answers.append(table.get("job"))
        return answers

    assert play(MemoryDynamoDB()) == play(stack.dynamodb)


def test_an_unknown_condition_is_an_error() -> None:
    with pytest.raises(SyntaxError):
        Table(MemoryDynamoDB(), "t").update(  # type: ignore[arg-type]
            "job", assign={"a": 1}, condition="begins_with(#a, :x)", values={"x": 1}
        )
