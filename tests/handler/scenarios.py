"""Histories of one key that a test repeats: the last delivery is disturbed, and its end is compared."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from job_records import deletion_job_id, job_id
from s3_events import Kind
from tests.handler.aws import Delivered, FunctionProcess, Stack, start_over
from tests.handler.deliveries import batch, deleted, eventbridge

KEY = "input/day=1/flights & more.csv"
MAX_RECEIVE_COUNT = 3
VISIBILITY_TIMEOUT = 1800
UNSTABLE = {
    *("attempts", "duration_ms", "lease_until", "owner", "revision", "timestamp", "uploaded_at"),
    *("withdrawn_at", "withdrawn_by"),
}
"""Attributes of a record that differ between deliveries with the same result."""


class Change(StrEnum):
    """A change of the key that is not an upload."""

    DELETE = "a user deletes the key"
    UNDELETE = "the delete marker is removed"
    REMOVE = "the newest version is deleted permanently"
    EXPIRE = "a lifecycle rule expires the current version"
    REPLAY = "an operator replays the newest version"


_KINDS = {
    Change.DELETE: Kind.DELETED,
    Change.UNDELETE: Kind.REMOVED,
    Change.REMOVE: Kind.REMOVED,
    Change.EXPIRE: Kind.EXPIRED,
}


@dataclass(frozen=True)
class Scenario:
    """Changes of one key, and which of their events is delivered last, disturbed."""

    changes: tuple[bytes | Change, ...]
    """Uploads, by their bytes, and other changes."""
    disturbed: int
    """The number of the change whose event is disturbed; each of the others is delivered before the next."""
    expected: str
    """The final status of the disturbed event's job."""
    outputs: int
    """The number of outputs at the end."""
    calls: int
    """The number of AWS calls of an undisturbed delivery."""
    writes: int
    """The number of those that write."""
    real: bool = False
    """Whether the conversion is the real one."""
    archived: bool = False
    """Whether the object is archived when the disturbed event is delivered."""
    forgotten: bool = False
    """Whether the job records have expired by then."""


CSV = b"a,b\n" + b"".join(b"%d,x%d\n" % (n, n) for n in range(200))

PLAIN = Scenario((CSV,), 0, "COMPLETED", 2, 7, 5, real=True)
OVERWRITING = Scenario((b"parquet rejects", b"parquet"), 1, "COMPLETED", 2, 16, 7)
DELETION = Scenario((b"parquet rejects", Change.DELETE), 1, "WITHDRAWN", 0, 16, 7)
UNDELETION = Scenario((b"parquet rejects", Change.DELETE, Change.UNDELETE), 2, "COMPLETED", 3, 13, 6)


class Stage:
    """A scenario in a bucket of its own, ready for the disturbed delivery."""

    def __init__(self, aws: str, function: FunctionProcess, scenario: Scenario) -> None:
        start_over(aws)
        self._function = function
        self._scenario = scenario
        self._stack = Stack.create(aws, "crash-points")
        self._versions: list[str] = []
        for number, change in enumerate(scenario.changes):
            if number == scenario.disturbed and scenario.forgotten:
                self._expire_records()
            self._versions.append(self._change(change))
            if number != scenario.disturbed:
                assert self._deliver(number).acknowledged

    def _change(self, change: bytes | Change) -> str:
        """Make a change, and return the version or delete marker that its event names."""
        if isinstance(change, bytes):
            return self._stack.upload(KEY, change)
        s3, key = self._stack.s3, {"Bucket": self._stack.name, "Key": KEY}
        listed = s3.list_object_versions(Bucket=self._stack.name, Prefix=KEY)
        match change:
            case Change.DELETE | Change.EXPIRE:
                return s3.delete_object(**key)["VersionId"]
            case Change.UNDELETE:
                (newest,) = listed["DeleteMarkers"]
            case Change.REMOVE | Change.REPLAY:
                (newest,) = (version for version in listed["Versions"] if version["IsLatest"])
        if change is not Change.REPLAY:
            s3.delete_object(**key, VersionId=newest["VersionId"])
        return newest["VersionId"]

    def _expire_records(self) -> None:
        for identity in self._stack.items():
            if not identity.startswith("latest#"):
                self._stack.dynamodb.delete_item(TableName=self._stack.name, Key={"job_id": {"S": identity}})

    def _event(self, number: int) -> dict[str, Any]:
        change, version = self._scenario.changes[number], self._versions[number]
        if isinstance(change, bytes):
            return eventbridge(KEY, version, bucket=self._stack.name)
        if change is Change.REPLAY:
            return eventbridge(KEY, version, bucket=self._stack.name, replay_id="20300101T000000Z")
        return deleted(
            KEY,
            version,
            bucket=self._stack.name,
            for_good=change in (Change.UNDELETE, Change.REMOVE),
            by_lifecycle=change is Change.EXPIRE,
        )

    def _deliver(self, number: int, receives: int = 1, **how: Any) -> Delivered:
        how.setdefault("clock", (receives - 1) * VISIBILITY_TIMEOUT)
        return self._function.deliver(
            batch([self._event(number)], receives=receives),
            stack=self._stack.name,
            fake=not self._scenario.real,
            **how,
        )

    def deliver(self, receives: int = 1, **how: Any) -> Delivered:
        """Deliver the disturbed event; see `FunctionProcess.deliver`."""
        if self._scenario.archived:
            how["fault"] = ["archived", 2, 1]  # The second call opens the object.
        return self._deliver(self._scenario.disturbed, receives, **how)

    def outputs(self) -> dict[str, Any]:
        """Return the published objects."""
        return {key: self._without_ids(found) for key, found in self._stack.objects().items() if key != KEY}

    def state(self) -> dict[str, Any]:
        """Return all objects, items and parts, without times."""
        jobs = {
            identity: {name: value for name, value in item.items() if name not in UNSTABLE}
            for identity, item in self._stack.items().items()
        }
        state = {"objects": self._stack.objects(), "jobs": jobs, "parts": self._stack.uploads_in_parts()}
        return self._without_ids(state)

    def _without_ids(self, value: Any) -> Any:
        """Replace S3's random version ids, and the job ids made from them, by numbers of the same length."""
        if isinstance(value, dict):
            return {self._without_ids(name): self._without_ids(held) for name, held in value.items()}
        if isinstance(value, (list, tuple)):
            return type(value)(self._without_ids(held) for held in value)
        if isinstance(value, bytes):
            return self._without_ids(value.decode("latin-1")).encode("latin-1")
        if isinstance(value, str):
            for number, version in enumerate(self._versions):
                for known in (version, self._job_id(number)):
                    value = value.replace(known, f"{number}".rjust(len(known), "-"))
        return value

    def _job_id(self, number: int) -> str:
        change, subject = self._scenario.changes[number], (self._stack.name, KEY, self._versions[number])
        if isinstance(change, bytes) or change is Change.REPLAY:
            return job_id(*subject)
        sequencer = self._event(number)["detail"]["object"]["sequencer"]
        return deletion_job_id(*subject, _KINDS[change].value, sequencer)

    def job(self) -> dict[str, Any]:
        """Return the job record of the disturbed event."""
        return self._stack.items()[self._job_id(self._scenario.disturbed)]

    def status(self) -> str:
        """Return the status of its job."""
        return self.job()["status"]["S"]
