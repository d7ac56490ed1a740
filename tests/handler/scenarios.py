"""What happens to one key before a test disturbs a delivery: the same each time, so that ends compare."""

from dataclasses import dataclass
from typing import Any

from job_records import deletion_job_id, job_id
from tests.handler.aws import Delivered, FunctionProcess, Stack, start_over
from tests.handler.deliveries import batch, deleted, eventbridge

KEY = "input/day=1/flights & more.csv"
MAX_RECEIVE_COUNT = 3
VISIBILITY_TIMEOUT = 1800
UNSTABLE = {
    *("attempts", "duration_ms", "lease_until", "owner", "revision", "timestamp", "uploaded_at"),
    *("withdrawn_at", "withdrawn_by"),
}
"""What a record says of its deliveries and times, and not of its result."""
DELETE, UNDELETE = "delete", "undelete"


@dataclass(frozen=True)
class Scenario:
    """Changes of one key, and which of their events is delivered last, disturbed."""

    changes: tuple[bytes | str, ...]
    """An upload's bytes, DELETE, or UNDELETE: the delete marker on top is removed."""
    disturbed: int
    """The others are delivered each before the next change."""
    expected: str
    """The status that the disturbed one's job ends with."""
    outputs: int
    """How many there are at the end."""
    real: bool = False
    """Whether the conversion is the real one."""


CSV = b"a,b\n" + b"".join(b"%d,x%d\n" % (n, n) for n in range(200))

PLAIN = Scenario((CSV,), 0, "COMPLETED", 2, real=True)
OVERWRITING = Scenario((b"parquet rejects", b"parquet"), 1, "COMPLETED", 2)
DELETION = Scenario((b"parquet rejects", DELETE), 1, "WITHDRAWN", 0)
UNDELETION = Scenario((b"parquet rejects", DELETE, UNDELETE), 2, "COMPLETED", 3)


class Stage:
    """A scenario in a bucket of its own, ready for the disturbed delivery."""

    def __init__(self, aws: str, function: FunctionProcess, scenario: Scenario) -> None:
        start_over(aws)
        self._function = function
        self._scenario = scenario
        self._stack = Stack.create(aws, "crash-points")
        self._versions: list[str] = []
        for number in range(len(scenario.changes)):
            self._versions.append(self._change(scenario.changes[number]))
            if number != scenario.disturbed:
                assert self._deliver(number).acknowledged

    def _change(self, change: bytes | str) -> str:
        """Make it, and return the version or delete marker that its event names."""
        if isinstance(change, bytes):
            return self._stack.upload(KEY, change)
        s3, key = self._stack.s3, {"Bucket": self._stack.name, "Key": KEY}
        if change == DELETE:
            return s3.delete_object(**key)["VersionId"]
        (marker,) = s3.list_object_versions(Bucket=self._stack.name, Prefix=KEY)["DeleteMarkers"]
        s3.delete_object(**key, VersionId=marker["VersionId"])
        return marker["VersionId"]

    def _event(self, number: int) -> dict[str, Any]:
        change, version = self._scenario.changes[number], self._versions[number]
        if isinstance(change, bytes):
            return eventbridge(KEY, version, bucket=self._stack.name)
        return deleted(KEY, version, bucket=self._stack.name, for_good=change == UNDELETE)

    def _deliver(self, number: int, receives: int = 1, **how: Any) -> Delivered:
        how.setdefault("clock", (receives - 1) * VISIBILITY_TIMEOUT)
        return self._function.deliver(
            batch([self._event(number)], receives=receives),
            stack=self._stack.name,
            fake=not self._scenario.real,
            **how,
        )

    def deliver(self, receives: int = 1, **how: Any) -> Delivered:
        """Deliver the one that is disturbed; see `FunctionProcess.deliver`."""
        return self._deliver(self._scenario.disturbed, receives, **how)

    def outputs(self) -> dict[str, Any]:
        """Return what is published."""
        return {key: self._without_ids(found) for key, found in self._stack.objects().items() if key != KEY}

    def state(self) -> dict[str, Any]:
        """Return everything there is, but for times."""
        jobs = {
            identity: {name: value for name, value in item.items() if name not in UNSTABLE}
            for identity, item in self._stack.items().items()
        }
        state = {"objects": self._stack.objects(), "jobs": jobs, "parts": self._stack.uploads_in_parts()}
        return self._without_ids(state)

    def _without_ids(self, value: Any) -> Any:
        """Name S3's random version ids, and the jobs' ids that follow from them, by number, equally long."""
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
        subject = (self._stack.name, KEY, self._versions[number])
        if isinstance(self._scenario.changes[number], bytes):
            return job_id(*subject)
        kind = "deleted" if self._scenario.changes[number] == DELETE else "removed"
        return deletion_job_id(*subject, kind, self._event(number)["detail"]["object"]["sequencer"])

    def job(self) -> dict[str, Any]:
        """Return the job record of the one that is disturbed."""
        return self._stack.items()[self._job_id(self._scenario.disturbed)]

    def status(self) -> str:
        """Return the status of its job."""
        return self.job()["status"]["S"]
