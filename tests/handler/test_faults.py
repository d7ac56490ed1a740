"""Each class of fault in each AWS call ends as the table in docs/reliability.md says."""

from pathlib import Path

import pytest

from tests.handler.aws import FunctionProcess
from tests.handler.fault_injection import FAULTS
from tests.handler.scenarios import DELETION, MAX_RECEIVE_COUNT, OVERWRITING, Scenario, Stage

ATTEMPTS = 3
"""Botocore's attempts of one call."""

NEW = Scenario((b"parquet",), 0, "COMPLETED", 2, 7, 5)

RETRIED, REDELIVERED = "same", "next"
"""The delivery that completes the job."""
FAILED = "FAILED"
"""The job ends as FAILED: S3 denies this object and no other."""

CALLS: dict[str, tuple[Scenario, int]] = {
    "claim the job (`UpdateItem`)": (NEW, 1),
    "open the object (`GetObject`)": (NEW, 2),
    "take the register (`UpdateItem`)": (NEW, 3),
    "publish (`PutObject`)": (NEW, 4),
    "finish the job (`UpdateItem`)": (NEW, 7),
    "ask which version is current (`HeadObject`)": (OVERWRITING, 4),
    "read an older output (`HeadObject`)": (OVERWRITING, 6),
    "read the register (`GetItem`)": (DELETION, 2),
    "delete an output (`DeleteObject`)": (DELETION, 7),
    "set the record to WITHDRAWN (`UpdateItem`)": (DELETION, 15),
}


@pytest.fixture(scope="module")
def clean(aws: str, function: FunctionProcess) -> dict[Scenario, object]:
    """Return the state after an undisturbed delivery of each scenario."""
    states = {}
    for scenario in (NEW, OVERWRITING, DELETION):
        stage = Stage(aws, function, scenario)
        assert stage.deliver().acknowledged
        states[scenario] = stage.state()
    return states


@pytest.mark.parametrize("call", CALLS)
def test_each_fault_of_each_call_ends_as_the_documentation_says(
    aws: str, function: FunctionProcess, clean: dict[Scenario, object], call: str
) -> None:
    scenario, number = CALLS[call]

    def meet(fault: str, times: int) -> str:
        stage = Stage(aws, function, scenario)
        first = stage.deliver(fault=[fault, number, times])
        assert f"`{first.calls[number - 1]}`" in call
        if not first.acknowledged:
            assert stage.deliver(receives=2).acknowledged
        if stage.status() == FAILED:
            assert "S3 denies the object to the function" in stage.job()["error"]["S"]
            return FAILED
        assert stage.state() == clean[scenario]
        return RETRIED if first.acknowledged else REDELIVERED

    cells = [call]
    for fault in FAULTS:
        once, always = meet(fault, 1), meet(fault, ATTEMPTS)
        cells.append(f"{once} / {always}")
    row = "| " + " | ".join(cells) + " |"
    print(row)
    documented = (Path(__file__).parents[2] / "docs" / "reliability.md").read_text()
    assert row in documented


@pytest.mark.parametrize("fault", FAULTS)
def test_after_the_last_delivery_it_is_a_failed_job_and_a_dead_letter(
    aws: str, function: FunctionProcess, fault: str
) -> None:
    for number in (2, 3, 4, 6):
        if (fault, number) == ("denied", 2):  # That ends the job: no other object is denied.
            continue
        stage = Stage(aws, function, NEW)
        # Botocore does not repeat a denied request. The next request releases the lease.
        times = 1 if fault == "denied" else ATTEMPTS
        lasting = stage.deliver(receives=MAX_RECEIVE_COUNT, fault=[fault, number, times])
        if lasting.acknowledged:
            assert (fault, lasting.calls[number - 1]) == ("answer lost", "PutObject")
            continue
        job = stage.job()
        assert job["status"]["S"] == "FAILED"
        assert job["retryable"]["BOOL"]
        assert 5 < len(job["error"]["S"]) <= 500
        assert stage.deliver(clock=0).acknowledged, "after a redrive, the job must be completed"
        assert stage.job()["status"]["S"] == "COMPLETED"


@pytest.mark.parametrize(("fault", "number"), [("key throttled", 2), ("key throttled", 4), ("conflict", 4)])
def test_what_botocore_does_not_retry_is_retried_within_the_call(
    aws: str, function: FunctionProcess, clean: dict[Scenario, object], fault: str, number: int
) -> None:
    stage = Stage(aws, function, NEW)
    delivered = stage.deliver(fault=[fault, number, ATTEMPTS - 1])
    assert delivered.acknowledged, delivered.log
    assert delivered.calls[number - 1 : number - 1 + ATTEMPTS] == (delivered.calls[number - 1],) * ATTEMPTS
    assert stage.state() == clean[NEW]


@pytest.mark.parametrize("times", range(2, 8))
def test_denials_in_a_row_end_no_job_unnoticed(
    aws: str, function: FunctionProcess, clean: dict[Scenario, object], times: int
) -> None:
    """While a policy of IAM propagates, S3 denies some requests and not others."""
    stage = Stage(aws, function, NEW)
    if not stage.deliver(fault=["denied", 2, times]).acknowledged:
        assert stage.deliver(receives=2).acknowledged
    assert stage.state() == clean[NEW] or stage.status() == FAILED


def test_a_lasting_conflict_starts_the_publication_again(
    aws: str, function: FunctionProcess, clean: dict[Scenario, object]
) -> None:
    stage = Stage(aws, function, NEW)
    assert stage.deliver(fault=["conflict", 4, ATTEMPTS]).acknowledged
    assert stage.state() == clean[NEW]


def test_a_body_that_ends_early_is_repeated_and_not_unreadable(aws: str, function: FunctionProcess) -> None:
    stage = Stage(aws, function, NEW)
    assert not stage.deliver(cut=True).acknowledged
    assert stage.outputs() == {}
    assert stage.job()["status"]["S"] == "STARTED"
    assert stage.deliver(receives=2, clock=0).acknowledged
    assert stage.job()["status"]["S"] == "COMPLETED"
