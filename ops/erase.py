"""Permanently delete uploads and all their results, for example for a person's right to erasure.

Deletions make events, which the function handles: it withdraws results and writes records of the deletions.
So the bucket and the table are searched again until nothing new appears.
"""

import hashlib
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from boto3.dynamodb.conditions import Attr
from botocore.exceptions import ClientError

from ops import dead_letters, outputs, uploads
from ops.batches import batched
from ops.deployed_stacks import Stack
from ops.operator_errors import OpsError

POLL_SECONDS = 5.0
QUIET_SECONDS = 30.0
"""Time without anything new after which an erasure is complete if the queue is empty: S3 sends events
"typically in seconds"."""
_DENIED = ("AccessDenied", "AccessDeniedException", "403", "AccessDeniedFault")


@dataclass(frozen=True, kw_only=True)
class Target:
    """What to erase: one key, or all keys with a prefix, which ends with a slash."""

    text: str

    @property
    def is_prefix(self) -> bool:
        """Whether the target is a prefix."""
        return self.text.endswith("/")

    def matches(self, key: str) -> bool:
        """Whether the target includes a key."""
        return key.startswith(self.text) if self.is_prefix else key == self.text


def target(stack: Stack, text: str) -> Target:
    """Return what to erase.

    Raises:
        OpsError: The text is not a key or prefix of uploads.
    """
    system = uploads.prefixes(stack).system
    if not text.strip("/") or text.startswith(system):
        raise OpsError(
            f"erase takes the key of an upload, or a prefix of uploads that ends with /, got {text!r}:"
            " results are erased with their upload"
        )
    return Target(text=text)


@dataclass(frozen=True, kw_only=True)
class Left:
    """Everything that exists of a target."""

    versions: Sequence[Mapping[str, Any]]
    """Versions and delete markers of uploads, as ListObjectVersions returns them."""
    outputs: Sequence[Mapping[str, Any]]
    """Versions and delete markers of results."""
    parts: Sequence[Mapping[str, Any]]
    """Incomplete multipart uploads, as ListMultipartUploads returns them."""
    items: Sequence[Mapping[str, Any]]
    """Job records and registers, with their ids and keys."""

    def __bool__(self) -> bool:
        return bool(self.versions or self.outputs or self.parts or self.items)

    @property
    def counts(self) -> dict[str, int]:
        """Return the number of items of each kind, and the number of bytes."""
        return {
            "versions": sum("Size" in version for version in self.versions),
            "delete markers": sum("Size" not in version for version in self.versions),
            "versions of results": len(self.outputs),
            "incomplete uploads": len(self.parts),
            "job records and registers": len(self.items),
            "bytes": sum(version.get("Size", 0) for version in (*self.versions, *self.outputs)),
        }

    def by_key(self) -> dict[str, Counter[str]]:
        """Return the number of items of each kind for each key."""
        counts: dict[str, Counter[str]] = {}
        for what, keys in {
            "versions": (version["Key"] for version in self.versions),
            "results": (outputs.source_key(version["Key"]) for version in self.outputs),
            "incomplete_uploads": (upload["Key"] for upload in self.parts),
            "records": (item["input_path"] for item in self.items),
        }.items():
            for key in filter(None, keys):
                counts.setdefault(str(key), Counter())[what] += 1
        return counts


def find(stack: Stack, wanted: Target) -> Left:
    """Find everything that exists of a target: all versions, incomplete uploads, records and registers.

    This scans the table, because records of deleted versions are in no listing of the bucket.
    """
    versions = [entry for entry in _versions(stack, wanted.text) if wanted.matches(entry["Key"])]
    items = [item for item in _items(stack, wanted) if wanted.matches(str(item["input_path"]))]
    keys = {entry["Key"] for entry in versions} | {str(item["input_path"]) for item in items}
    keys |= set() if wanted.is_prefix else {wanted.text}
    named = {output for key in keys for output in outputs.output_keys(key).values()}
    found = {
        (entry["Key"], entry["VersionId"]): entry
        for kind in outputs.LAYOUT
        for entry in _versions(stack, outputs.listing_prefix(kind, wanted.text))
        if entry["Key"] in named or (wanted.is_prefix and _has_source_in(wanted, entry["Key"]))
    }
    return Left(
        versions=versions,
        outputs=list(found.values()),
        parts=[upload for upload in _parts(stack, wanted.text) if wanted.matches(upload["Key"])],
        items=items,
    )


def _has_source_in(wanted: Target, output: str) -> bool:
    """Whether a result's key says that its upload is under the prefix. A hashed name may say too little."""
    name = outputs.source_name(output)
    return name is not None and wanted.matches(name)


def _versions(stack: Stack, prefix: str) -> Iterator[Mapping[str, Any]]:
    pages = (
        stack.client("s3").get_paginator("list_object_versions").paginate(Bucket=stack.bucket, Prefix=prefix)
    )
    for page in pages:
        yield from page.get("Versions", [])
        yield from page.get("DeleteMarkers", [])


def _parts(stack: Stack, prefix: str) -> Iterator[Mapping[str, Any]]:
    pages = (
        stack.client("s3")
        .get_paginator("list_multipart_uploads")
        .paginate(Bucket=stack.bucket, Prefix=prefix)
    )
    for page in pages:
        yield from page.get("Uploads", [])


def _items(stack: Stack, wanted: Target) -> Iterator[Mapping[str, Any]]:
    path = Attr("input_path")
    pages = stack.jobs.meta.client.get_paginator("scan").paginate(
        TableName=stack.table,
        FilterExpression=path.begins_with(wanted.text) if wanted.is_prefix else path.eq(wanted.text),
        ProjectionExpression="job_id, input_path",
        ConsistentRead=True,
    )
    for page in pages:
        yield from page["Items"]


@dataclass
class Erasure:
    """The progress of an erasure."""

    erased: Counter[str] = field(default_factory=Counter)
    """Number of erased items of each kind."""
    keys: dict[str, Counter[str]] = field(default_factory=dict)
    """Number of erased items of each kind, by key."""
    complete: bool = False
    """Whether nothing new has appeared for the time that events may take."""

    def add(self, left: Left) -> None:
        """Count what was erased."""
        self.erased.update(left.counts)
        for key, counts in left.by_key().items():
            self.keys.setdefault(key, Counter()).update(counts)


def erase(stack: Stack, wanted: Target, *, wait_seconds: float | None = None) -> Iterator[Erasure]:
    """Erase a target and what the events of its deletion create; yield the progress after each step.

    Messages in the queue may be about the target. If the function fails on one, SQS hides it for the
    visibility timeout. So the erasure is complete when the queue is empty, or nothing new has appeared for
    that time.

    Args:
        stack: The stack.
        wanted: What to erase.
        wait_seconds: Time without anything new after which to stop, complete or not. None: the visibility
            timeout, after which it is complete.
    """
    done = Erasure()
    hidden_seconds = dead_letters.visibility_timeout(stack, stack.queue_url)
    wait_seconds = hidden_seconds if wait_seconds is None else wait_seconds
    quiet_since = time.monotonic()
    while True:
        left = find(stack, wanted)
        if left:
            _hide(stack, left)
            for part in _in_order(left):
                _delete(stack, part)
                done.add(part)
                yield done
            quiet_since = time.monotonic()
        idle = not dead_letters.count(stack, stack.queue_url) and not dead_letters.in_flight(
            stack, stack.queue_url
        )
        quiet = time.monotonic() - quiet_since
        done.complete = not left and quiet >= (QUIET_SECONDS if idle else hidden_seconds)
        yield done
        if done.complete or (not left and quiet >= wait_seconds):
            return
        time.sleep(POLL_SECONDS)


def _hide(stack: Stack, left: Left) -> None:
    """Put a delete marker on each key, so that no older version becomes current during the erasure."""
    shown = [
        {"Key": entry["Key"]}
        for entry in (*left.versions, *left.outputs)
        if entry["IsLatest"] and "Size" in entry
    ]
    _delete_objects(stack, shown)


def _in_order(left: Left) -> Iterator[Left]:
    """Yield the parts to delete with one call each: readable versions first, delete markers last."""
    nothing = Left(versions=(), outputs=(), parts=(), items=())
    for upload in left.parts:
        yield replace(nothing, parts=(upload,))
    for readable in (True, False):
        for batch in batched((each for each in left.outputs if ("Size" in each) is readable), 1000):
            yield replace(nothing, outputs=batch)
        for batch in batched((each for each in left.versions if ("Size" in each) is readable), 1000):
            yield replace(nothing, versions=batch)
    for batch in batched(left.items, 25):  # BatchWriteItem's limit
        yield replace(nothing, items=batch)


def _delete(stack: Stack, left: Left) -> None:
    """Permanently delete all items."""
    for upload in left.parts:
        stack.client("s3").abort_multipart_upload(
            Bucket=stack.bucket, Key=upload["Key"], UploadId=upload["UploadId"]
        )
    _delete_objects(
        stack,
        [{"Key": entry["Key"], "VersionId": entry["VersionId"]} for entry in (*left.outputs, *left.versions)],
    )
    requests = [{"DeleteRequest": {"Key": {"job_id": item["job_id"]}}} for item in left.items]
    while requests:
        answer = stack.jobs.meta.client.batch_write_item(RequestItems={stack.table: requests})
        requests = answer.get("UnprocessedItems", {}).get(stack.table, [])


def _folder(key: str) -> str:
    """Return the beginning of a key up to its last slash."""
    return key[: key.rfind("/") + 1]


def _delete_objects(stack: Stack, entries: Iterable[Mapping[str, str]]) -> None:
    for batch in batched(entries, 1000):  # DeleteObjects' limit
        answer = stack.client("s3").delete_objects(
            Bucket=stack.bucket, Delete={"Objects": list(batch), "Quiet": True}
        )
        for refused in answer.get("Errors", []):
            raise OpsError(
                f"S3 did not delete version {refused.get('VersionId', '(current)')} of {refused['Key']!r}:"
                f" {refused['Code']}: {refused.get('Message', '')}"
            )


def missing_rights(stack: Stack, wanted: Target) -> list[str]:
    """Return the permissions that an erasure needs and the credentials lack.

    Each permission is tested on something that does not exist, so the test changes nothing. It would be in
    the folder of the uploads, or of their results. A folder that leaves no room for its name is cut.
    """
    s3, name = stack.client("s3"), f"erase-{uuid.uuid4().hex}"
    room = outputs.KEY_BYTES_MAX - len(name)
    upload = _folder(wanted.text).encode()[:room].decode(errors="ignore") + name
    listed = {"Bucket": stack.bucket, "Prefix": wanted.text}
    tries: dict[str, Callable[[], object]] = {
        "s3:ListBucketVersions": lambda: s3.list_object_versions(**listed, MaxKeys=1),
        "s3:ListBucketMultipartUploads": lambda: s3.list_multipart_uploads(**listed, MaxUploads=1),
        "s3:AbortMultipartUpload": lambda: s3.abort_multipart_upload(
            Bucket=stack.bucket, Key=upload, UploadId=name
        ),
        "dynamodb:Scan": lambda: stack.jobs.scan(Limit=1),
        "dynamodb:BatchWriteItem": lambda: stack.jobs.meta.client.batch_write_item(
            RequestItems={stack.table: [{"DeleteRequest": {"Key": {"job_id": name}}}]}
        ),
        "sqs:GetQueueAttributes": lambda: dead_letters.count(stack, stack.queue_url),
    }
    for key in (upload, *outputs.output_keys(upload).values()):
        place = {"Bucket": stack.bucket, "Key": key}
        where = f"under {_folder(key)!r}" if "/" in key else "in the bucket"
        tries |= {
            # The condition fails for an object that does not exist, so no delete marker is created. An ETag
            # would need s3:GetObject too (S3 User Guide, "How to perform conditional deletes").
            f"s3:DeleteObject {where}": lambda place=place: s3.delete_object(**place, IfMatch="*"),
            f"s3:DeleteObjectVersion {where}": lambda place=place: s3.delete_object(
                **place, VersionId="null"
            ),
        }
    return [right for right, attempt in tries.items() if _is_denied(attempt)]


def _is_denied(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except ClientError as error:
        return error.response["Error"]["Code"] in _DENIED
    return False


def sha256(text: str) -> str:
    """Return the hash that names a key in a certificate."""
    return hashlib.sha256(text.encode()).hexdigest()
