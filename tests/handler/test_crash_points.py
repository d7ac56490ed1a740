"""The process dies before, between and after each AWS call: what is delivered again ends as if it had not."""

from dataclasses import dataclass
from typing import Any

import pytest

from jobs import job_id
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
    deleted: bool = False
    real: bool = False
    """Whether the conversion is the real one."""


CSV = b"a,b\n" + b"".join(b"%d,x%d\n" % (n, n) for n in range(200))
BIG = b"parquet rejects 9000000"

SCENARIOS = {
    "plain": Scenario((CSV,), 0, "COMPLETED", real=True),
    "with rejected rows": Scenario((b"parquet rejects",), 0, "COMPLETED"),
    "output of a multipart size": Scenario((BIG,), 0, "COMPLETED"),
    "stale version": Scenario((b"parquet rejects", b"parquet"), 0, "SUPERSEDED"),
    "unreadable": Scenario((b"unreadable rejects",), 0, "FAILED"),
    "unreadable over an older version": Scenario((b"parquet rejects", b"unreadable"), 1, "FAILED"),
    "over an older version with rejects": Scenario((b"parquet rejects", b"parquet"), 1, "COMPLETED"),
    "deleted": Scenario((b"parquet",), 0, "SKIPPED", deleted=True),
}


class Rehearsal:
    """A stage set for a scenario, the same each time: the same version ids, the same older deliveries."""

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

    def _deliver(self, number: int, receives: int = 1, kill: tuple[int, str] | None = None) -> Delivered:
        event = eventbridge(
            KEY, self._versions[number], sequencer=f"{number + 1:016X}", bucket=self._stack.name
        )
        return self._function.deliver(
            batch([event], receives=receives),
            stack=self._stack.name,
            clock=(receives - 1) * VISIBILITY_TIMEOUT,
            kill=kill,
            stand_in=not self._scenario.real,
        )

    def deliver(self, receives: int = 1, kill: tuple[int, str] | None = None) -> Delivered:
        return self._deliver(self._scenario.disturbed, receives, kill)

    def outputs(self) -> dict[str, Any]:
        """What is published."""
        return {key: found for key, found in self._stack.objects().items() if key != KEY}

    def state(self) -> dict[str, Any]:
        """Everything there is, but for times."""
        jobs = {
            identity: {name: value for name, value in item.items() if name not in UNSTABLE}
            for identity, item in self._stack.items().items()
        }
        return {"objects": self._stack.objects(), "jobs": jobs, "parts": self._stack.uploads_in_parts()}

    def status(self) -> str:
        job = job_id(self._stack.name, KEY, self._versions[self._scenario.disturbed])
        return self._stack.items()[job]["status"]["S"]


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_death_at_any_call_changes_nothing_in_the_end(
    aws: str, function: FunctionProcess, name: str
) -> None:
    scenario = SCENARIOS[name]
    undisturbed = Rehearsal(aws, function, scenario)
    before = undisturbed.outputs()
    clean = undisturbed.deliver()
    assert clean.acknowledged, clean.log
    assert undisturbed.status() == scenario.expected
    expected, after = undisturbed.state(), undisturbed.outputs()
    assert expected["parts"] == []

    for number in range(1, len(clean.calls) + 1):
        for when in ("before", "after"):
            point = f"{when} call {number} ({clean.calls[number - 1]})"
            stage = Rehearsal(aws, function, scenario)
            died = stage.deliver(kill=(number, when))
            assert died.answer is None, f"it has not died {point}"
            assert died.calls == clean.calls[:number], point
            for key, found in stage.outputs().items():
                assert found in (before.get(key), after.get(key)), f"half of {key} is visible {point}"
            again = stage.deliver(receives=2)
            assert again.acknowledged, (point, again.log)
            assert stage.state() == expected, point


def test_a_lease_is_not_taken_over_before_it_has_run_out(aws: str, function: FunctionProcess) -> None:
    stage = Rehearsal(aws, function, SCENARIOS["plain"])
    stage.deliver(kill=(2, "before"))
    early = stage.deliver()
    assert not early.acknowledged
    assert any("another delivery is at work on it" in line for line in early.log)
    assert stage.outputs() == {}
    assert stage.deliver(receives=2).acknowledged
    assert stage.status() == "COMPLETED"


def test_a_death_at_the_last_delivery_leaves_a_failed_job_beside_the_dead_letter(
    aws: str, function: FunctionProcess
) -> None:
    for number in range(2, 8):
        stage = Rehearsal(aws, function, SCENARIOS["plain"])
        stage.deliver(receives=MAX_RECEIVE_COUNT, kill=(number, "before"))
        assert stage.status() == "FAILED", number
        # moved back to the queue, it is received for the first time again; the lease has run out long since
        assert stage.deliver(receives=1 + MAX_RECEIVE_COUNT).acknowledged, number
        assert stage.status() == "COMPLETED", number
