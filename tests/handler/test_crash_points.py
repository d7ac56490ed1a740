"""If the process is killed at any AWS call, the next delivery ends with the same result.

It is killed before its first call and after each call that writes. A call that reads leaves the state as it
was, and the state before a call is the state after the previous one.
"""

from pathlib import Path

import pytest

from tests.handler.aws import FunctionProcess
from tests.handler.scenarios import (
    CSV,
    DELETION,
    MAX_RECEIVE_COUNT,
    OVERWRITING,
    PLAIN,
    UNDELETION,
    Change,
    Scenario,
    Stage,
)

BIG = b"parquet rejects 9000000"
TWO_VERSIONS = (b"parquet rejects", b"parquet")
READS = ("GetItem", "GetObject", "HeadObject", "ListObjectsV2")

SCENARIOS = {
    "plain": PLAIN,
    "with rejected rows": Scenario((CSV + b"1,2,3\n",), 0, "COMPLETED", 3, 8, 6, real=True),
    "output of a multipart size": Scenario((BIG,), 0, "COMPLETED", 3, 8, 6),
    "older version": Scenario(TWO_VERSIONS, 0, "SUPERSEDED", 2, 4, 2),
    "unreadable": Scenario((b"unreadable rejects",), 0, "FAILED", 1, 6, 4),
    "over an older version with rejects": OVERWRITING,
    "deleted before": Scenario((b"parquet", Change.DELETE), 0, "SKIPPED", 0, 5, 2),
    "deletion": DELETION,
    "undeletion": UNDELETION,
    "permanent deletion of the newest version": Scenario(
        (*TWO_VERSIONS, Change.REMOVE), 2, "COMPLETED", 3, 15, 6
    ),
    "expiry": Scenario((b"parquet rejects", Change.EXPIRE), 1, "SKIPPED", 3, 5, 3),
    "replay": Scenario((b"parquet rejects", Change.REPLAY), 1, "COMPLETED", 3, 10, 4),
    "replay of an archived object": Scenario(
        (b"parquet rejects", Change.REPLAY), 1, "COMPLETED", 3, 10, 3, archived=True
    ),
    "replay of an archived object whose record has expired": Scenario(
        (b"parquet rejects", Change.REPLAY), 1, "COMPLETED", 3, 13, 3, archived=True, forgotten=True
    ),
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_death_at_any_call_changes_nothing_in_the_end(
    aws: str, function: FunctionProcess, name: str
) -> None:
    scenario = SCENARIOS[name]
    undisturbed = Stage(aws, function, scenario)
    before = undisturbed.outputs()
    clean = undisturbed.deliver()
    assert clean.acknowledged, clean.log
    assert undisturbed.status() == scenario.expected
    expected, after = undisturbed.state(), undisturbed.outputs()
    assert len(after) == scenario.outputs
    assert expected["parts"] == []
    assert len(clean.calls) == scenario.calls

    writes = [number for number, call in enumerate(clean.calls, 1) if call not in READS]
    assert len(writes) == scenario.writes

    for number, when in [(1, "before"), *((number, "after") for number in writes)]:
        point = f"{when} call {number} ({clean.calls[number - 1]})"
        stage = Stage(aws, function, scenario)
        died = stage.deliver(kill=(number, when))
        assert died.answer is None, f"it was not killed {point}"
        assert died.calls == clean.calls[:number], point
        for key, found in stage.outputs().items():
            assert found in (before.get(key), after.get(key)), f"{key} is incomplete {point}"
        again = stage.deliver(receives=2)
        assert again.acknowledged, (point, again.log)
        assert stage.state() == expected, point


def test_the_documentation_has_the_number_of_crash_points() -> None:
    count = sum(1 + scenario.writes for scenario in SCENARIOS.values())
    documented = (Path(__file__).parents[2] / "docs" / "reliability.md").read_text()
    assert f"| {count} crash points in {len(SCENARIOS)} scenarios |" in documented


def test_a_lease_is_not_taken_over_before_it_has_run_out(aws: str, function: FunctionProcess) -> None:
    stage = Stage(aws, function, PLAIN)
    stage.deliver(kill=(2, "before"))
    early = stage.deliver()
    assert not early.acknowledged
    assert any("another delivery holds its lease" in line for line in early.log)
    assert stage.outputs() == {}
    assert stage.deliver(receives=2).acknowledged
    assert stage.status() == "COMPLETED"


def test_a_death_at_the_last_delivery_leaves_a_failed_job_beside_the_dead_letter(
    aws: str, function: FunctionProcess
) -> None:
    for number in range(2, 8):
        stage = Stage(aws, function, PLAIN)
        stage.deliver(receives=MAX_RECEIVE_COUNT, kill=(number, "before"))
        assert stage.status() == "FAILED", number
        # A message that is moved back counts its receives from one. By then the lease has run out.
        assert stage.deliver(receives=1 + MAX_RECEIVE_COUNT).acknowledged, number
        assert stage.status() == "COMPLETED", number
