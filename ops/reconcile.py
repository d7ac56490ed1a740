"""Compare the bucket with the registers, and find changes whose events the function has not handled.

Differences are repaired by events, which the function handles like any other event of the key.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from botocore.exceptions import ClientError

from ops import object_events, outputs, registers, table, uploads
from ops.batches import batched
from ops.deployed_stacks import Stack
from ops.object_events import Event
from ops.outputs import LAYOUT
from ops.registers import Register

_PAGE = 100


class Finding(StrEnum):
    """A kind of difference."""

    LOST_CREATION = "lost creation"
    """The function has not handled the current version: its event was lost, or failed."""
    STALE_REGISTER = "stale register"
    """The register has a version that is not the current one."""
    REMOVED_MARKER = "removed marker"
    """A version is current again that the register has as withdrawn or expired."""
    LOST_DELETION = "lost deletion"
    """The register has a current version, and the bucket has none."""
    MISSING_OUTPUT = "missing output"
    """A result that the job record names does not exist."""
    STRAY_OUTPUT = "stray output"
    """A result exists that the job record does not name."""
    OUTPUT_WITHOUT_UPLOAD = "output without upload"
    """A result exists without an upload."""
    UNFINISHED_JOB = "unfinished job"
    """The job's lease has expired, and no delivery has taken the job over."""


@dataclass(frozen=True, kw_only=True)
class KeyState:
    """What exists of one key."""

    key: str
    version: Mapping[str, Any] | None
    """The current version, as ListObjectVersions returns it; None if the key has none."""
    marker: str | None
    """The id of the current delete marker, if there is one."""
    register: Register | None
    job: Mapping[str, Any] | None
    """The record of the register's job."""
    own_job: Mapping[str, Any] | None
    """The record of the job of the current version's creation."""
    present: frozenset[str]
    """The kinds of results that exist."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A difference of one key."""

    finding: Finding
    state: KeyState

    @property
    def replay_id(self) -> str:
        """Return the id of the last replay of the current version; an empty text if there was none."""
        return str(self.state.own_job.get("replay_id", "")) if self.state.own_job else ""

    def event(self, stack: Stack, replay_id: str) -> Event:
        """Return the event by which the function repairs the difference."""
        if self.state.version is not None:
            return object_events.created(stack, self.state.version, replay_id)
        return object_events.deleted(stack, self.state.key, self.state.marker, replay_id)


@dataclass
class Comparison:
    """The keys that were compared so far, and the keys that were skipped."""

    keys: int = 0
    recent: int = 0
    """Keys that changed recently: their events may still arrive."""
    working: int = 0
    """Keys whose jobs are running or will be repeated."""
    expired: int = 0
    """Keys without a current version that a lifecycle rule may have expired."""
    outside: int = 0
    """Keys with results and outside of the upload prefixes: the function ignores their events."""
    differences: list[Difference] = field(default_factory=list)


def diagnose(state: KeyState, now: float) -> Finding | None:
    """Return the difference of a key; None if there is none.

    Args:
        state: The key's state.
        now: The time in seconds since the epoch.
    """
    if state.version is None:
        return _diagnose_deleted(state, now)
    register, version = state.register, state.version["VersionId"]
    if register is None or (register.version_id != version and state.own_job is None):
        return Finding.LOST_CREATION
    if register.version_id != version:
        return Finding.STALE_REGISTER
    if register.state != registers.CURRENT:
        return Finding.REMOVED_MARKER
    return _diagnose_current(state, now)


def _diagnose_deleted(state: KeyState, now: float) -> Finding | None:
    if state.register is not None and state.register.state == registers.EXPIRED:
        return None
    if state.register is not None and state.register.state == registers.CURRENT:
        return Finding.LOST_DELETION
    if state.present:
        return Finding.OUTPUT_WITHOUT_UPLOAD
    return Finding.UNFINISHED_JOB if state.job and _is_unfinished(state.job, now) else None


def _diagnose_current(state: KeyState, now: float) -> Finding | None:
    """Compare the results of a current version with those that its job record names."""
    job = state.job
    if job is None:  # it has expired, and nothing says what the outputs were
        return None if state.present else Finding.MISSING_OUTPUT
    if job["retryable"]:
        return Finding.UNFINISHED_JOB if _is_unfinished(job, now) else None
    named = {kind for kind in LAYOUT if job.get(kind)}
    if named - state.present:
        return Finding.MISSING_OUTPUT
    return Finding.STRAY_OUTPUT if state.present - named else None


def _is_unfinished(job: Mapping[str, Any], now: float) -> bool:
    """Return whether no delivery works on a job, and no dead letter is left to redrive."""
    return job["retryable"] and float(job["lease_until"]) < now and job["status"] != "FAILED"


def compare(stack: Stack, prefix: str, *, older_than: timedelta, keep_expired: bool) -> Iterator[Comparison]:
    """Compare the keys under a prefix; yield the comparison after each page of keys.

    Args:
        stack: The stack.
        prefix: The prefix of the uploads' keys.
        older_than: Skip keys that changed less than this time ago: their events may still arrive.
        keep_expired: Whether to skip deleted keys that a lifecycle rule of the bucket may have expired.
    """
    found = Comparison()
    existing = _output_keys(stack, prefix)
    rules = _expiring_prefixes(stack) if keep_expired else ()
    recent = datetime.now(UTC) - older_than
    for page in batched(_tops(stack, prefix), _PAGE):
        for state, changed_at in _states(stack, page, existing):
            found.keys += 1
            _judge(found, state, is_recent=changed_at > recent, rules=rules)
        yield found
    known = {key for output in existing if (key := _orphan_of(stack, output)) is not None}
    left = {key for key in known if key.startswith(prefix)}
    orphans = sorted(filter(uploads.prefixes(stack).is_upload, left))
    found.outside = len(left) - len(orphans)
    for page in batched(({"Key": key} for key in orphans), _PAGE):
        for state, _ in _states(stack, page, existing):
            found.keys += 1
            _judge(found, state, is_recent=False, rules=rules)
        yield found
    yield found


def _judge(found: Comparison, state: KeyState, *, is_recent: bool, rules: Collection[str]) -> None:
    finding = diagnose(state, datetime.now(UTC).timestamp())
    if finding is None:
        found.working += bool(state.job and state.job.get("retryable"))
    elif is_recent:
        found.recent += 1
    elif finding is Finding.LOST_DELETION and state.key.startswith(tuple(rules)):
        found.expired += 1
    else:
        found.differences.append(Difference(finding=finding, state=state))


def _tops(stack: Stack, prefix: str) -> Iterator[Mapping[str, Any]]:
    """Yield the current version or delete marker (without a size) of each key under the prefix."""
    pages = (
        stack.client("s3").get_paginator("list_object_versions").paginate(Bucket=stack.bucket, Prefix=prefix)
    )
    for page in pages:
        for entry in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
            if entry["IsLatest"] and uploads.prefixes(stack).is_upload(entry["Key"]):
                yield entry


def _states(
    stack: Stack, page: tuple[Mapping[str, Any], ...], existing: set[str]
) -> Iterator[tuple[KeyState, datetime]]:
    """Yield each key's state and time of change, and remove its results from `existing`."""
    held = registers.get_many(stack, (top["Key"] for top in page))
    own = {
        top["Key"]: table.job_id(stack.bucket, top["Key"], top["VersionId"]) for top in page if "Size" in top
    }
    wanted = {register.job_id for register in held.values()} | set(own.values())
    records = table.get_many(stack, wanted)
    for top in page:
        key, register = top["Key"], held.get(top["Key"])
        present = {kind for kind, output in outputs.output_keys(key).items() if output in existing}
        existing.difference_update(outputs.output_keys(key).values())
        state = KeyState(
            key=key,
            version=top if "Size" in top else None,
            marker=None if "Size" in top else top.get("VersionId"),
            register=register,
            job=records.get(register.job_id) if register else None,
            own_job=records.get(own.get(key, "")),
            present=frozenset(present),
        )
        yield state, top.get("LastModified", datetime.min.replace(tzinfo=UTC))


def _output_keys(stack: Stack, prefix: str) -> set[str]:
    """List the results of all keys under a prefix, and maybe some others.

    This takes about 100 bytes of memory for each.
    """
    found = set()
    for kind, (_, ending) in LAYOUT.items():
        pages = (
            stack.client("s3")
            .get_paginator("list_objects_v2")
            .paginate(Bucket=stack.bucket, Prefix=outputs.listing_prefix(kind, prefix))
        )
        found |= {
            item["Key"] for page in pages for item in page.get("Contents", []) if item["Key"].endswith(ending)
        }
    return found


def _orphan_of(stack: Stack, output: str) -> str | None:
    """Return the key of the upload that a result belongs to; None if it is unknown."""
    key = outputs.source_key(output)
    if key is not None:
        return key
    try:
        head = stack.client("s3").head_object(Bucket=stack.bucket, Key=output)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("404", "NoSuchKey"):
            raise
        return None
    identifier = head["Metadata"].get("job-id")  # a foreign object has none
    job = table.get(stack, identifier) if identifier else None
    return str(job["input_path"]) if job else None


def _expiring_prefixes(stack: Stack) -> tuple[str, ...]:
    """Return the prefixes of the bucket's lifecycle rules that expire current versions."""
    try:
        rules = stack.client("s3").get_bucket_lifecycle_configuration(Bucket=stack.bucket)["Rules"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchLifecycleConfiguration":
            raise
        return ()
    return tuple(
        _prefix_of(rule)
        for rule in rules
        if rule["Status"] == "Enabled" and {"Days", "Date"} & rule.get("Expiration", {}).keys()
    )


def _prefix_of(rule: Mapping[str, Any]) -> str:
    filter_ = rule.get("Filter", {})
    return filter_.get("Prefix", filter_.get("And", {}).get("Prefix", rule.get("Prefix", "")))
