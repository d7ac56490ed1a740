"""Compare the bucket with the registers, and find what no event told the function of.

What is found is healed by events: the function does the work, as for any other event of the key.
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
    """What is not as it should be."""

    LOST_CREATION = "lost creation"
    """The current version was never taken: its event came not, or failed."""
    STALE_REGISTER = "stale register"
    """The register has another version than the current one."""
    REMOVED_MARKER = "removed marker"
    """A version is current again, of which the register says that it is withdrawn or has expired."""
    LOST_DELETION = "lost deletion"
    """There is no current version, and the register has one."""
    MISSING_OUTPUT = "missing output"
    """An output that the job record names is not there."""
    STRAY_OUTPUT = "stray output"
    """An output is there that the job record does not name."""
    OUTPUT_WITHOUT_UPLOAD = "output without upload"
    """An output is there, and no upload that it could be of."""
    UNFINISHED_JOB = "unfinished job"
    """The job's lease has run out, and no delivery has taken it over."""


@dataclass(frozen=True, kw_only=True)
class KeyState:
    """What there is of one key."""

    key: str
    version: Mapping[str, Any] | None
    """The current version, as ListObjectVersions gives it; None where there is none."""
    marker: str | None
    """The delete marker on top, if one is."""
    register: Register | None
    job: Mapping[str, Any] | None
    """The record of the register's job."""
    processed: bool
    """Whether the current version has a job record."""
    present: frozenset[str]
    """The kinds of output that are there."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Something to heal."""

    finding: Finding
    state: KeyState

    def event(self, stack: Stack, replay_id: str) -> Event:
        """Return the event that makes the function heal it."""
        if self.state.version is not None:
            return object_events.created(stack, self.state.version, replay_id)
        return object_events.deleted(stack, self.state.key, self.state.marker, replay_id)


@dataclass
class Comparison:
    """What was compared so far, and what was left alone."""

    keys: int = 0
    recent: int = 0
    """Keys that changed so recently that their events may be on their way."""
    working: int = 0
    """Keys whose job a delivery is at work on, or is to be repeated."""
    expired: int = 0
    """Keys without a current version that a lifecycle rule may have ended."""
    differences: list[Difference] = field(default_factory=list)


def diagnose(state: KeyState, now: float) -> Finding | None:
    """Return what is not as it should be with a key, if anything.

    Args:
        state: the key's.
        now: seconds since the epoch.
    """
    if state.version is None:
        return _diagnose_deleted(state, now)
    register, version = state.register, state.version["VersionId"]
    if register is None or (register.version_id != version and not state.processed):
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
    """Compare the outputs of a current version with what its job record names."""
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
    """Compare the keys under a prefix; give the comparison after each page of keys.

    Args:
        stack: the stack.
        prefix: of the uploads' keys.
        older_than: what changed less than this ago is left alone: its event may be on its way.
        keep_expired: whether to leave alone what one of the bucket's own lifecycle rules may have ended.
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
    orphans = sorted({key for output in existing if (key := _orphan_of(stack, output)) is not None})
    for page in batched(({"Key": key} for key in orphans if key.startswith(prefix)), _PAGE):
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
    """Give what is on top of each key under the prefix: a version, or a delete marker (without a size)."""
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
    """Give the state of each key of a page, and when it changed; take its outputs out of `existing`."""
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
            processed=own.get(key) in records,
            present=frozenset(present),
        )
        yield state, top.get("LastModified", datetime.min.replace(tzinfo=UTC))


def _output_keys(stack: Stack, prefix: str) -> set[str]:
    """List the outputs of all keys under a prefix: about 100 bytes of memory for each."""
    found = set()
    for output_prefix, ending in LAYOUT.values():
        pages = (
            stack.client("s3")
            .get_paginator("list_objects_v2")
            .paginate(Bucket=stack.bucket, Prefix=output_prefix + prefix)
        )
        found |= {
            item["Key"] for page in pages for item in page.get("Contents", []) if item["Key"].endswith(ending)
        }
    return found


def _orphan_of(stack: Stack, output: str) -> str | None:
    """Return the key that an output without an upload is of; None if nothing tells."""
    key = outputs.source_key(output)
    if key is not None:
        return key
    try:
        head = stack.client("s3").head_object(Bucket=stack.bucket, Key=output)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("404", "NoSuchKey"):
            raise
        return None
    job = table.get(stack, head["Metadata"].get("job-id", ""))
    return str(job["input_path"]) if job else None


def _expiring_prefixes(stack: Stack) -> tuple[str, ...]:
    """Return the prefixes of the bucket's lifecycle rules that end current versions."""
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
