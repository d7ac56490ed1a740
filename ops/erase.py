"""Delete uploads for good, with everything that came of them: for a person's right to be forgotten.

Deleting makes events, and the function handles them: it withdraws what is published, and writes records of
the deletions. So the bucket and the table are swept until nothing new appears.
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
"""How long nothing new may appear before it counts as erased: S3 sends its events "typically in seconds"."""
_DENIED = ("AccessDenied", "AccessDeniedException", "403", "AccessDeniedFault")
_NOTHING = '"00000000000000000000000000000000"'
"""An ETag that no object has."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """What is to be erased: one key, or all that begin with a prefix, which ends with a slash."""

    text: str

    @property
    def is_prefix(self) -> bool:
        """Whether it is a prefix."""
        return self.text.endswith("/")

    def matches(self, key: str) -> bool:
        """Whether a key is meant."""
        return key.startswith(self.text) if self.is_prefix else key == self.text


def target(stack: Stack, text: str) -> Target:
    """Return what is to be erased.

    Raises:
        OpsError: when it is not of uploads.
    """
    system = uploads.prefixes(stack).system
    if not text.strip("/") or text.startswith(system):
        raise OpsError(
            f"erase takes the key of an upload, or a prefix of uploads that ends with /, got {text!r}:"
            " what came of an upload is erased with it"
        )
    return Target(text=text)


@dataclass(frozen=True, kw_only=True)
class Left:
    """What there is of a target."""

    versions: Sequence[Mapping[str, Any]]
    """Versions and delete markers of uploads, as ListObjectVersions gives them."""
    outputs: Sequence[Mapping[str, Any]]
    """Versions and delete markers of what came of them."""
    parts: Sequence[Mapping[str, Any]]
    """Incomplete uploads, as ListMultipartUploads gives them."""
    items: Sequence[Mapping[str, Any]]
    """Job records and registers: their ids and keys."""

    def __bool__(self) -> bool:
        return bool(self.versions or self.outputs or self.parts or self.items)

    @property
    def counts(self) -> dict[str, int]:
        """Return how many there are of each kind, and how many bytes."""
        return {
            "versions": sum("Size" in version for version in self.versions),
            "delete markers": sum("Size" not in version for version in self.versions),
            "versions of results": len(self.outputs),
            "incomplete uploads": len(self.parts),
            "job records and registers": len(self.items),
            "bytes": sum(version.get("Size", 0) for version in (*self.versions, *self.outputs)),
        }

    def by_key(self) -> dict[str, Counter[str]]:
        """Return how much there is of each key of an upload."""
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
    """Find everything there is of a target: all versions, incomplete uploads, records and registers.

    The table is read whole: records of versions that are long gone are in no listing of the bucket.
    """
    versions = [entry for entry in _versions(stack, wanted.text) if wanted.matches(entry["Key"])]
    items = [item for item in _items(stack, wanted) if wanted.matches(str(item["input_path"]))]
    keys = {entry["Key"] for entry in versions} | {str(item["input_path"]) for item in items}
    keys |= set() if wanted.is_prefix else {wanted.text}
    named = {output for key in keys for output in outputs.output_keys(key).values()}
    prefixes = {output for output in named if not wanted.is_prefix}
    if wanted.is_prefix:
        prefixes = {prefix + wanted.text for prefix, _ in outputs.LAYOUT.values()}
        # The name of a long key may keep less of its beginning than the prefix.
        prefixes |= {output for output in named if not output.startswith(tuple(prefixes))}
    found = {
        (entry["Key"], entry["VersionId"]): entry
        for prefix in sorted(prefixes)
        for entry in _versions(stack, prefix)
        if wanted.is_prefix or entry["Key"] in named
    }
    return Left(
        versions=versions,
        outputs=list(found.values()),
        parts=[upload for upload in _parts(stack, wanted.text) if wanted.matches(upload["Key"])],
        items=items,
    )


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
    """How far an erasure has come."""

    erased: Counter[str] = field(default_factory=Counter)
    """How many of each kind were erased so far."""
    keys: dict[str, Counter[str]] = field(default_factory=dict)
    """How much of each key was erased so far."""
    complete: bool = False
    """Whether nothing new has appeared for as long as events may take."""

    def add(self, left: Left) -> None:
        """Note that all this was erased."""
        self.erased.update(left.counts)
        for key, counts in left.by_key().items():
            self.keys.setdefault(key, Counter()).update(counts)


def erase(stack: Stack, wanted: Target, *, wait_seconds: float) -> Iterator[Erasure]:
    """Erase a target, and what the events of its deletion make; give how far it has come after each step.

    Args:
        stack: the stack.
        wanted: what to erase.
        wait_seconds: how long nothing new may appear while the queue is not empty, until all is taken as
            handled: it may hold the events of others.
    """
    done = Erasure()
    deadline = time.monotonic() + 2 * wait_seconds
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
        done.complete = not left and quiet >= (min(QUIET_SECONDS, wait_seconds) if idle else wait_seconds)
        yield done
        if done.complete or (not left and time.monotonic() >= deadline):
            return
        time.sleep(POLL_SECONDS)


def _hide(stack: Stack, left: Left) -> None:
    """Put a delete marker on top of each key: as its versions go, no older one is to become current."""
    shown = [
        {"Key": entry["Key"]}
        for entry in (*left.versions, *left.outputs)
        if entry["IsLatest"] and "Size" in entry
    ]
    _delete_objects(stack, shown)


def _in_order(left: Left) -> Iterator[Left]:
    """Give it in the parts that are deleted at once: what can be read first, what hides it last."""
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
    """Delete all of it for good."""
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
    """Return the rights that an erasure needs and the credentials lack; nothing is changed to find out.

    Each is tried on what does not exist: a version, an upload in parts, a record that nobody has made.
    """
    s3, name = stack.client("s3"), f"erase-{uuid.uuid4().hex}"
    tries: dict[str, Callable[[], object]] = {
        "s3:ListBucketVersions": lambda: s3.list_object_versions(Bucket=stack.bucket, MaxKeys=1),
        "s3:ListBucketMultipartUploads": lambda: s3.list_multipart_uploads(Bucket=stack.bucket, MaxUploads=1),
        "s3:AbortMultipartUpload": lambda: s3.abort_multipart_upload(
            Bucket=stack.bucket, Key=name, UploadId=name
        ),
        "dynamodb:Scan": lambda: stack.jobs.scan(Limit=1),
        "dynamodb:BatchWriteItem": lambda: stack.jobs.meta.client.batch_write_item(
            RequestItems={stack.table: [{"DeleteRequest": {"Key": {"job_id": name}}}]}
        ),
        "sqs:GetQueueAttributes": lambda: dead_letters.count(stack, stack.queue_url),
    }
    folder = wanted.text if wanted.is_prefix else wanted.text.rpartition("/")[0]
    for prefix in (folder, *sorted({prefix for prefix, _ in outputs.LAYOUT.values()})):
        place = {"Bucket": stack.bucket, "Key": f"{prefix}{name}"}
        where = f"under {prefix!r}" if prefix else "in the bucket"
        tries |= {
            # Of an object that is not there, the condition fails: no delete marker is made.
            f"s3:DeleteObject {where}": lambda place=place: s3.delete_object(**place, IfMatch=_NOTHING),
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
    """Return the hash by which a certificate names a key."""
    return hashlib.sha256(text.encode()).hexdigest()
