"""Handlers in every order, and a disturbance at every call, end as one clean delivery of the final state."""

import pickle
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tests.handler.end_state import settle
from tests.handler.simulation import KEY, VISIBILITY_TIMEOUT, Message, Run, Simulation
from tests.handler.test_random_interleavings import EXAMPLES

pytestmark = pytest.mark.usefixtures("simulated")

Change = Callable[[Simulation], object]


def _remove_top(simulation: Simulation) -> None:
    newest = simulation.s3.newest(KEY)
    if newest:
        simulation.remove(newest.version_id)


def _remove_oldest(simulation: Simulation) -> None:
    simulation.remove(simulation.s3.objects[KEY][0].version_id)


def _undelete_and_replay(simulation: Simulation) -> None:
    _remove_top(simulation)
    simulation.replay()


CHANGES: dict[str, Change] = {
    "": lambda _: None,
    "upload": lambda simulation: simulation.upload("good"),
    "upload with rejects": lambda simulation: simulation.upload("with rejects"),
    "upload unreadable": lambda simulation: simulation.upload("too many rejects"),
    "upload empty": lambda simulation: simulation.upload("empty"),
    "upload read twice": lambda simulation: simulation.upload("read twice"),
    "delete": lambda simulation: simulation.delete(),
    "expire": lambda simulation: simulation.expire(),
    "remove top": _remove_top,
    "remove oldest": _remove_oldest,
    "replay": lambda simulation: simulation.replay(),
    "undelete and replay": _undelete_and_replay,
    "archive": lambda simulation: simulation.archive(),
    "expire records": lambda simulation: simulation.expire_records(),
}
"""What may happen to the key in the bucket, and to its job records."""

PUBLISHED = ("upload with rejects",)
OVERWRITTEN = ("upload with rejects", "upload")
DELETED = ("upload with rejects", "delete")
EXPIRED = ("upload with rejects", "expire")
ARCHIVED = ("upload with rejects", "archive")
FORGOTTEN = ("upload with rejects", "archive", "expire records")
"""Archived, and its job record has expired."""


@cache
def _settled(*changes: str) -> bytes:
    simulation = Simulation()
    for change in changes:
        CHANGES[change](simulation)
        simulation.settle()
    return pickle.dumps(simulation)


def _after(*changes: str) -> Simulation:
    """Return a simulation after these changes, each of which was handled before the next."""
    return pickle.loads(_settled(*changes))


def _advance(run: Run, calls: int) -> bool:
    """Let a handler make a number of calls; return whether it still runs."""
    for _ in range(calls):
        if run not in run.simulation.running:
            return False
        run.step("go on")
    return run in run.simulation.running


ONE = [
    *(
        (before, change)
        for before in ((), PUBLISHED, DELETED)
        for change in (
            "upload",
            "upload with rejects",
            "upload unreadable",
            "upload empty",
            "upload read twice",
        )
    ),
    *((before, "delete") for before in ((), PUBLISHED, OVERWRITTEN, EXPIRED, ARCHIVED)),
    *((before, "expire") for before in (PUBLISHED, OVERWRITTEN)),
    *((before, "replay") for before in (PUBLISHED, ARCHIVED, FORGOTTEN)),
    (EXPIRED, "upload"),
    *((before, "remove top") for before in (OVERWRITTEN, DELETED)),
    (OVERWRITTEN, "remove oldest"),
]


DISTURBANCES = ("lose the answer", "fail", "kill", "kill after")
THEN = ("", "upload", "delete", "remove top", "expire")


@pytest.mark.parametrize(("before", "change"), ONE)
@pytest.mark.parametrize("disturbance", DISTURBANCES)
@pytest.mark.parametrize("then", THEN)
def test_one_disturbance_at_any_call(
    before: tuple[str, ...], change: str, disturbance: str, then: str
) -> None:
    """Each call in turn is disturbed, the key changes again or not, and the message is delivered again."""
    for calls in range(1, 100):
        simulation = _after(*before)
        CHANGES[change](simulation)
        run = simulation.deliver(simulation.queue[0])
        if not _advance(run, calls - 1):
            assert calls > 3, "it made too few calls"
            return
        run.step(disturbance)
        CHANGES[then](simulation)
        if disturbance == "lose the answer" and not then:
            run.until("finished")
            assert run.succeeded, "a lost answer cost a delivery"
        settle(simulation, every_job_counted=disturbance != "kill after")


TWO = [
    *(
        (before, first, second)
        for before in ((), PUBLISHED)
        for first, second in (
            ("upload with rejects", "upload"),
            ("upload", "upload with rejects"),
            ("upload with rejects", "upload unreadable"),
            ("upload with rejects", "delete"),
            ("upload with rejects", "remove top"),
        )
    ),
    (PUBLISHED, "delete", "upload"),
    (PUBLISHED, "delete", "remove top"),
    (PUBLISHED, "delete", "delete"),
    (PUBLISHED, "expire", "upload"),
    (PUBLISHED, "expire", "delete"),
    (PUBLISHED, "expire", "remove top"),
    (PUBLISHED, "delete", "undelete and replay"),
    (PUBLISHED, "replay", "expire"),
    (PUBLISHED, "replay", "delete"),
    (PUBLISHED, "replay", "upload"),
    (ARCHIVED, "replay", "delete"),
    (ARCHIVED, "replay", "upload"),
    (FORGOTTEN, "replay", "expire"),
    ((), "upload with rejects", "expire"),
    (DELETED, "remove top", "delete"),
    (DELETED, "remove top", "upload"),
    (DELETED, "upload", "remove top"),
    (OVERWRITTEN, "remove top", "upload"),
    (OVERWRITTEN, "remove top", "delete"),
    (OVERWRITTEN, "remove top", "remove top"),
    (OVERWRITTEN, "remove oldest", "remove top"),
]


ORDERS = ("first begins", "second begins")


@pytest.mark.parametrize(("before", "first", "second"), TWO)
@pytest.mark.parametrize("order", ORDERS)
def test_two_handlers_in_every_order_of_two_switches(
    before: tuple[str, ...], first: str, second: str, order: str
) -> None:
    """One makes any number of calls, then the other does, then the first continues or is killed."""
    for calls in range(1, 100):
        for others_calls in range(1, 100):
            for end in ("go on", "kill after"):
                simulation = _after(*before)
                CHANGES[first](simulation)
                if order == "second begins":
                    CHANGES[second](simulation)
                run = simulation.deliver(simulation.queue[-1])
                if not _advance(run, calls):
                    return
                if order == "first begins":
                    CHANGES[second](simulation)
                complete = not _advance(simulation.deliver(simulation.queue[-1]), others_calls)
                run.step(end)
                if end == "go on":
                    run.until("finished")
                settle(simulation, every_job_counted=end == "go on")
            if complete:
                break


def test_a_replay_between_an_interrupted_deletion_and_its_repetition() -> None:
    """The version is archived, so that the replay cannot make the outputs again that the deletion deleted."""
    for calls in range(1, 100):
        simulation = _after(*ARCHIVED)
        simulation.delete()
        run = simulation.deliver(simulation.queue[0])
        if not _advance(run, calls - 1):
            assert calls > 3, "it made too few calls"
            return
        run.step("kill after")
        _undelete_and_replay(simulation)
        simulation.queue.reverse()
        settle(simulation, every_job_counted=False)


@pytest.mark.parametrize(("before", "change"), ONE)
def test_reconcile_heals_what_a_lost_message_leaves(before: tuple[str, ...], change: str) -> None:
    """The function is killed after any call, and SQS never delivers the message again."""
    if change == "replay":
        return  # An operator repeats a replay; no event is lost.
    for calls in range(1, 100):
        simulation = _after(*before)
        CHANGES[change](simulation)
        run = simulation.deliver(simulation.queue[0])
        if not _advance(run, calls - 1):
            return
        run.step("kill after")
        if run.message in simulation.hidden:
            simulation.lose(run.message)
        settle(simulation, every_job_counted=False)


DEATHS = (
    (PUBLISHED, "upload"),
    (PUBLISHED, "delete"),
    (PUBLISHED, "expire"),
    (DELETED, "remove top"),
    (OVERWRITTEN, "remove top"),
    (FORGOTTEN, "replay"),
)
BETWEEN = ("", "upload", "delete", "remove top")


@pytest.mark.parametrize(("before", "change"), DEATHS)
@pytest.mark.parametrize("between", BETWEEN)
def test_two_deaths_at_any_two_calls(before: tuple[str, ...], change: str, between: str) -> None:
    """The delivery after a death is killed at any call too; the third completes."""
    for calls in range(1, 100):
        for calls_again in range(1, 100):
            simulation = _after(*before)
            CHANGES[change](simulation)
            run = simulation.deliver(simulation.queue[0])
            if not _advance(run, calls - 1):
                assert calls > 3, "it made too few calls"
                return
            run.step("kill after")
            CHANGES[between](simulation)
            simulation.pass_time()
            redelivered = [message for message in simulation.queue if message is run.message]
            if not redelivered:  # The first was killed after it had ended.
                break
            again = simulation.deliver(redelivered[0])
            if not _advance(again, calls_again - 1):
                break
            again.step("kill after")
            settle(simulation, every_job_counted=False)


def test_a_handler_that_outlives_its_lease_cannot_finish_the_job() -> None:
    """Lambda ends a function before its lease runs out. If it did not, the second delivery would win."""
    simulation = Simulation()
    simulation.upload("good")
    slow = simulation.deliver(simulation.queue[0])
    slow.until("update_item")  # Takes the register.
    slow.until("update_item")  # Finishes the job.
    simulation.now += VISIBILITY_TIMEOUT
    simulation.queue.append(Message(slow.message.event))
    other = simulation.deliver(simulation.queue[0])
    other.step("go on")
    slow.until("finished")
    assert not slow.succeeded
    assert simulation.jobs()[slow.message.job]["owner"] == "delivery 2"
    settle(simulation)


def test_the_documentation_has_the_number_of_cases() -> None:
    one, two = len(ONE) * (1 + len(DISTURBANCES) * len(THEN)), len(TWO) * len(ORDERS)
    documented = (Path(__file__).parents[2] / "docs" / "reliability.md").read_text()
    assert f"| {one + two + len(DEATHS) * len(BETWEEN)} cases, each at every call |" in documented
    assert f"| 2 machines, {EXAMPLES:,} histories each |" in documented
