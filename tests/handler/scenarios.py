"""A stage set for a delivery, the same each time, so that what is left after it can be compared."""

from dataclasses import dataclass
from typing import Any

from job_records import job_id
from tests.handler.aws import Delivered, FunctionProcess, Stack, start_over
from tests.handler.deliveries import batch, eventbridge

KEY = "input/day=1/flights & more.csv"
MAX_RECEIVE_COUNT = 3
VISIBILITY_TIMEOUT = 1800
UNSTABLE = {"attempts", "duration_ms", "lease_until", "owner", "timestamp", "uploaded_at"}
"""What a job record says of its deliveries and times, and not of its result."""


@dataclass(frozen=True)
class Scenario:
    """Versions of one key, oldest first, and which of their deliveries is disturbed."""

    versions: tuple[bytes, ...]
    disturbed: int
    """Delivered last; the others have been delivered before."""
    expected: str
    """The status that the disturbed one ends with."""
    outputs: int
    """How many there are at the end."""
    deleted: bool = False
    real: bool = False
    """Whether the conversion is the real one."""


CSV = b"a,b\n" + b"".join(b"%d,x%d\n" % (n, n) for n in range(200))

PLAIN = Scenario((CSV,), 0, "COMPLETED", 2, real=True)
OVERWRITING = Scenario((b"parquet rejects", b"parquet"), 1, "COMPLETED", 2)


class Rehearsal:
    """A stage set for a scenario, the same each time but for ids, and those are told by number."""

    def __init__(self, aws: str, function: FunctionProcess, scenario: Scenario) -> None:
        start_over(aws)
        self._function = function
        self._scenario = scenario
        self._stack = Stack.create(aws, "crash-points")
        self._versions = [self._stack.upload(KEY, body) for body in scenario.versions]
        for number in range(len(self._versions)):
            if number != scenario.disturbed:
                assert self._deliver(number).acknowledged
        if scenario.deleted:
            self._stack.s3.delete_object(Bucket=self._stack.name, Key=KEY)

    def _deliver(self, number: int, receives: int = 1, **how: Any) -> Delivered:
        event = eventbridge(
            KEY, self._versions[number], sequencer=f"{number + 1:016X}", bucket=self._stack.name
        )
        how.setdefault("clock", (receives - 1) * VISIBILITY_TIMEOUT)
        return self._function.deliver(
            batch([event], receives=receives),
            stack=self._stack.name,
            stand_in=not self._scenario.real,
            **how,
        )

    def deliver(self, receives: int = 1, **how: Any) -> Delivered:
        """Deliver the one that is disturbed; see `FunctionProcess.deliver`."""
        return self._deliver(self._scenario.disturbed, receives, **how)

    def outputs(self) -> dict[str, Any]:
        """What is published."""
        return {key: self._without_ids(found) for key, found in self._stack.objects().items() if key != KEY}

    def state(self) -> dict[str, Any]:
        """Everything there is, but for times."""
        jobs = {
            identity: {name: value for name, value in item.items() if name not in UNSTABLE}
            for identity, item in self._stack.items().items()
        }
        state = {"objects": self._stack.objects(), "jobs": jobs, "parts": self._stack.uploads_in_parts()}
        return self._without_ids(state)

    def _without_ids(self, value: Any) -> Any:
        """S3's random version ids, and the ids of jobs that follow from them, by number and equally long."""
        if isinstance(value, dict):
            return {self._without_ids(name): self._without_ids(held) for name, held in value.items()}
        if isinstance(value, (list, tuple)):
            return type(value)(self._without_ids(held) for held in value)
        if isinstance(value, bytes):
            return self._without_ids(value.decode("latin-1")).encode("latin-1")
        if isinstance(value, str):
            for number, version in enumerate(self._versions):
                for known in (version, job_id(self._stack.name, KEY, version)):
                    value = value.replace(known, f"{number}".rjust(len(known), "-"))
        return value

    def job(self) -> dict[str, Any]:
        """The job record of the one that is disturbed."""
        return self._stack.items()[job_id(self._stack.name, KEY, self._versions[self._scenario.disturbed])]

    def status(self) -> str:
        return self.job()["status"]["S"]
