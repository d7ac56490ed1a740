"""The S3 and DynamoDB calls of the handler, in memory: fast enough for thousands of interleavings.

`test_memory_aws.py` compares them with moto's server.
"""

import base64
import hashlib
import io
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from botocore.exceptions import ClientError


@dataclass(frozen=True)
class Version:
    """One version of an object; a delete marker has no body."""

    version_id: str
    body: bytes | None
    metadata: dict[str, str] = field(default_factory=dict)
    checksum: str | None = None

    @property
    def etag(self) -> str:
        return '"' + hashlib.md5(self.body or b"").hexdigest() + '"'


def _error(operation: str, code: str, **more: Any) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": code}, **more}, operation)


class MemoryS3:
    """A versioned bucket."""

    def __init__(self) -> None:
        self.objects: dict[str, list[Version]] = {}
        self.archived: set[str] = set()
        """The versions that are in an archive class and not restored."""
        self._count = 0

    def current(self, key: str) -> Version | None:
        """Return the current version; None if there is none, or a delete marker."""
        newest = self.newest(key)
        return newest if newest and newest.body is not None else None

    def newest(self, key: str) -> Version | None:
        """Return the newest version or delete marker."""
        versions = self.objects.get(key)
        return versions[-1] if versions else None

    def add(self, key: str, body: bytes | None, **more: Any) -> str:
        self._count += 1
        version = Version(version_id=f"v{self._count:03}", body=body, **more)
        self.objects.setdefault(key, []).append(version)
        return version.version_id

    def remove_version(self, key: str, version_id: str) -> None:
        self.objects[key] = [version for version in self.objects[key] if version.version_id != version_id]

    def _find(self, operation: str, key: str, version_id: str | None) -> Version:
        head = operation == "HeadObject"
        if version_id is None:
            found = self.current(key)
            if found is None:
                raise _error(operation, "404" if head else "NoSuchKey")
            return found
        for version in self.objects.get(key, []):
            if version.version_id == version_id and version.body is not None:
                return version
        raise _error(operation, "404" if head else "NoSuchVersion")

    def get_object(self, Bucket: str, Key: str, VersionId: str | None = None) -> dict[str, Any]:  # noqa: N803
        version = self._find("GetObject", Key, VersionId)
        if version.version_id in self.archived:
            raise _error("GetObject", "InvalidObjectState")
        return {**_headers(version), "Body": io.BytesIO(version.body or b"")}

    def head_object(self, Bucket: str, Key: str, ChecksumMode: str = "") -> dict[str, Any]:  # noqa: N803
        headers = _headers(self._find("HeadObject", Key, None))
        return headers if ChecksumMode else {**headers, "ChecksumSHA256": None}

    def list_objects_v2(self, Bucket: str, Prefix: str, MaxKeys: int) -> dict[str, Any]:  # noqa: N803
        raise AssertionError("this S3 denies nothing, so the handler lists nothing")

    def put_object(self, **request: Any) -> dict[str, Any]:
        current = self.current(request["Key"])
        if request.get("IfNoneMatch") and current:
            raise _error("PutObject", "PreconditionFailed")
        if request.get("IfMatch"):
            self._match("PutObject", current, request["IfMatch"])
        body = request["Body"].read()
        version_id = self.add(
            request["Key"], body, metadata=request["Metadata"], checksum=request["ChecksumSHA256"]
        )
        assert base64.b64encode(hashlib.sha256(body).digest()).decode() == request["ChecksumSHA256"]
        return {"VersionId": version_id}

    def delete_object(self, Bucket: str, Key: str, IfMatch: str) -> dict[str, Any]:  # noqa: N803
        self._match("DeleteObject", self.current(Key), IfMatch)
        return {"VersionId": self.add(Key, None), "DeleteMarker": True}

    @staticmethod
    def _match(operation: str, current: Version | None, etag: str) -> None:
        if current is None:
            raise _error(operation, "NoSuchKey")
        if current.etag != etag:
            raise _error(operation, "PreconditionFailed")


def _headers(version: Version) -> dict[str, Any]:
    return {
        "VersionId": version.version_id,
        "ETag": version.etag,
        "ContentLength": len(version.body or b""),
        "LastModified": datetime(2026, 11, 12, tzinfo=UTC),
        "Metadata": version.metadata,
        "ChecksumSHA256": version.checksum,
    }


class MemoryDynamoDB:
    """One table with the hash key job_id."""

    def __init__(self) -> None:
        self.items: dict[str, dict[str, Any]] = {}

    def get_item(self, TableName: str, Key: dict[str, Any], ConsistentRead: bool) -> dict[str, Any]:  # noqa: N803
        assert ConsistentRead
        item = self.items.get(Key["job_id"]["S"])
        return {"Item": dict(item)} if item else {}

    def update_item(self, **request: Any) -> dict[str, Any]:
        identity = request["Key"]["job_id"]["S"]
        before = self.items.get(identity, {})
        names, values = request["ExpressionAttributeNames"], request["ExpressionAttributeValues"]
        if not _condition(request["ConditionExpression"])(before, names, values):
            raise _error("UpdateItem", "ConditionalCheckFailedException", Item=dict(before))
        after = {"job_id": {"S": identity}, **before}
        sets, _, removes = request["UpdateExpression"].removeprefix("SET ").partition(" REMOVE ")
        for assignment in re.split(r", (?=#)", sets):
            name, _, value = assignment.partition(" = ")
            if value.startswith("if_not_exists"):
                count = int(before.get(names[name], {"N": "0"})["N"]) + 1
                after[names[name]] = {"N": str(count)}
            else:
                after[names[name]] = values[value]
        for name in filter(None, removes.split(", ")):
            after.pop(names[name], None)
        self.items[identity] = after
        return {"Attributes": dict(before)} if before else {}


_Condition = Callable[[dict[str, Any], dict[str, str], dict[str, Any]], bool]


@lru_cache
def _condition(expression: str) -> _Condition:
    """Translate a condition expression into Python; a comparison with a missing attribute is false."""
    code = re.sub(r"attribute_not_exists\((#\w+)\)", r"(names['\1'] not in item)", expression)
    code = re.sub(r"attribute_exists\((#\w+)\)", r"(names['\1'] in item)", code)
    code = re.sub(r"(?<!')(#\w+) ([=<>]=?) (:\w+)", r"compare(item, names['\1'], '\2', values['\3'])", code)
    code = code.replace(" AND ", " and ").replace(" OR ", " or ")
    return eval(f"lambda item, names, values: {code}", {"compare": _compare})


def _compare(item: dict[str, Any], name: str, sign: str, value: dict[str, Any]) -> bool:
    if name not in item:
        return False
    ((kind, left),), ((other, right),) = item[name].items(), value.items()
    if kind != other:
        return False
    if kind == "N":
        left, right = Decimal(left), Decimal(right)
    return {"=": left == right, "<": left < right, "<=": left <= right, ">": left > right}[sign]
