"""The process dies before, between and after each AWS call: what is delivered again ends as if it had not."""

import pytest

from tests.handler.aws import FunctionProcess
from tests.handler.scenarios import (
    CSV,
    DELETE,
    DELETION,
    MAX_RECEIVE_COUNT,
    OVERWRITING,
    PLAIN,
    UNDELETION,
    Scenario,
    Stage,
)

BIG = b"parquet rejects 9000000"

SCENARIOS = {
    "plain": PLAIN,
    "with rejected rows": Scenario((CSV + b"1,2,3\n",), 0, "COMPLETED", 3, real=True),
    "output of a multipart size": Scenario((BIG,), 0, "COMPLETED", 3),
    "older version": Scenario((b"parquet rejects", b"parquet"), 0, "SUPERSEDED", 2),
    "unreadable": Scenario((b"unreadable rejects",), 0, "FAILED", 1),
    "over an older version with rejects": OVERWRITING,
    "deleted before": Scenario((b"parquet", DELETE), 0, "SKIPPED", 0),
    "deletion": DELETION,
    "undeletion": UNDELETION,
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

    for number in range(1, len(clean.calls) + 1):
        for when in ("before", "after"):
            point = f"{when} call {number} ({clean.calls[number - 1]})"
            stage = Stage(aws, function, scenario)
            died = stage.deliver(kill=(number, when))
            assert died.answer is None, f"it has not died {point}"
            assert died.calls == clean.calls[:number], point
            for key, found in stage.outputs().items():
                assert found in (before.get(key), after.get(key)), f"half of {key} is visible {point}"
            again = stage.deliver(receives=2)
            assert again.acknowledged, (point, again.log)
            assert stage.state() == expected, point


def test_a_lease_is_not_taken_over_before_it_has_run_out(aws: str, function: FunctionProcess) -> None:
    stage = Stage(aws, function, PLAIN)
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
        stage = Stage(aws, function, PLAIN)
        stage.deliver(receives=MAX_RECEIVE_COUNT, kill=(number, "before"))
        assert stage.status() == "FAILED", number
        # moved back to the queue, it is received for the first time again; the lease has run out long since
        assert stage.deliver(receives=1 + MAX_RECEIVE_COUNT).acknowledged, number
        assert stage.status() == "COMPLETED", number
