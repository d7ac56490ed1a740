"""One result, whatever the delivery: handlers at once, in every order, end as S3's current version says."""

import logging
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

import conversion_attempt
import key_handler
import telemetry
from job_records import job_id
from outputs import output_key
from register import State
from tests.handler.deliveries import BUCKET
from tests.handler.simulation import (
    KEY,
    KINDS,
    STATUSES,
    VISIBILITY_TIMEOUT,
    Message,
    Run,
    Simulation,
    convert,
    emit,
    output_bytes,
    workspace,
)

EXAMPLES = 2000

_index = st.integers(0, 7)
_until = st.sampled_from(
    ["end", "put_object", "put_object", "delete_object", "get_item", "update_item", "head_object", "finished"]
)


class Deliveries(RuleBasedStateMachine):
    """Uploads, deletions, undeletions and their deliveries, of one key, in any order and overlap."""

    def __init__(self) -> None:
        super().__init__()
        self.simulation = Simulation()
        self.killed = False

    @precondition(lambda self: self.simulation.events < 6)
    @rule(kind=st.sampled_from(sorted(KINDS)), until=st.none() | _until)
    def upload(self, kind: str, until: str | None) -> None:
        self.simulation.upload(kind)
        self._begin(until)

    @precondition(lambda self: self.simulation.events < 6 and self.simulation.s3.objects.get(KEY))
    @rule(until=st.none() | _until)
    def delete(self, until: str | None) -> None:
        self.simulation.delete()
        self._begin(until)

    @precondition(lambda self: self.simulation.events < 6 and self.simulation.s3.objects.get(KEY))
    @rule(which=_index, until=st.none() | _until)
    def remove(self, which: int, until: str | None) -> None:
        """Remove what is on top, mostly; a version or a delete marker."""
        versions = self.simulation.s3.objects[KEY]
        self.simulation.remove(versions[-1 if which > 1 else which % len(versions)].version_id)
        self._begin(until)

    def _begin(self, until: str | None) -> None:
        if until:
            self.simulation.deliver(self.simulation.queue[-1]).until(until)

    @precondition(lambda self: self.simulation.queue)
    @rule(which=_index, until=_until)
    def deliver(self, which: int, until: str) -> None:
        queue = self.simulation.queue
        self.simulation.deliver(queue[which % len(queue)]).until(until)

    @precondition(lambda self: self.simulation.events and len(self.simulation.queue) < 4)
    @rule(which=_index)
    def duplicate(self, which: int) -> None:
        events = [message.event for message in (*self.simulation.queue, *self.simulation.hidden)]
        events += [run.message.event for run in self.simulation.running]
        if events:
            self.simulation.queue.append(Message(events[which % len(events)]))

    @precondition(lambda self: self.simulation.running)
    @rule(which=_index, until=_until)
    def go_on(self, which: int, until: str) -> None:
        self.simulation.running[which % len(self.simulation.running)].until(until)

    @precondition(lambda self: self.simulation.running)
    @rule(which=_index, steps=st.integers(1, 3))
    def step(self, which: int, steps: int) -> None:
        run = self.simulation.running[which % len(self.simulation.running)]
        for _ in range(steps):
            if run in self.simulation.running:
                run.step("go on")

    @precondition(lambda self: self.simulation.running)
    @rule(which=_index, action=st.sampled_from(["lose the answer", "fail", "kill", "kill after"]))
    def disturb(self, which: int, action: str) -> None:
        self.killed |= action == "kill after"
        self.simulation.running[which % len(self.simulation.running)].step(action)

    @rule()
    def pass_time(self) -> None:
        self.simulation.pass_time()

    def teardown(self) -> None:
        self.simulation.settle()
        check(self.simulation, every_job_counted=not self.killed)


def check(simulation: Simulation, *, every_job_counted: bool = True) -> None:
    """Compare what is left, when nothing is left to do, with what one clean delivery would leave."""
    jobs, held = simulation.jobs(), simulation.register()
    for identity, job in jobs.items():
        assert job["status"] in ("COMPLETED", "FAILED", "SKIPPED", "SUPERSEDED", "WITHDRAWN"), identity
        assert not job["retryable"], identity

    current = simulation.s3.current(KEY)
    if current:
        assert held is not None
        assert (held.version_id, held.state) == (current.version_id, State.CURRENT)
        kind, job = simulation.kinds[current.version_id], jobs[held.holder]
        assert job["status"] == STATUSES.get(kind, "COMPLETED")
        assert job["version_id"] == current.version_id
        assert simulation.published() == {
            output_key(output, KEY): (
                output_bytes(output, held.holder, str(held.generation)),
                held.holder,
            )
            for output in KINDS[kind]
        }
    else:
        assert simulation.published() == {}
        assert held is None or held.state is State.WITHDRAWN
        if held and held.withdrawn in jobs:
            assert jobs[held.withdrawn]["status"] in ("WITHDRAWN", "SKIPPED", "SUPERSEDED")

    counted = simulation.counted
    assert len(counted) == len(set(counted)), "counted twice"
    listed = {identity for identity, job in jobs.items() if "timestamp" in job}
    uploads = {job_id(BUCKET, KEY, version) for version in simulation.kinds}
    assert uploads <= listed
    if every_job_counted:
        assert listed <= {identity for identity, _ in counted}
        withdrawn = [identity for identity in listed if jobs[identity]["status"] == "WITHDRAWN"]
        assert len(withdrawn) == sum(status == "WITHDRAWN" for _, status in counted)


@pytest.fixture(autouse=True)
def fakes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(conversion_attempt, "convert", convert)
    monkeypatch.setattr(key_handler, "workspace", workspace)
    monkeypatch.setattr(telemetry, "emit", emit)
    level = telemetry.logger.log_level
    telemetry.logger.setLevel(logging.CRITICAL)
    yield
    telemetry.logger.setLevel(level)


def test_any_interleaving_ends_as_one_clean_delivery_of_the_current_version() -> None:
    run_state_machine_as_test(
        Deliveries,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=14,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )


Change = Callable[[Simulation], object]


def _remove_top(simulation: Simulation) -> None:
    newest = simulation.s3.newest(KEY)
    if newest:
        simulation.remove(newest.version_id)


def _remove_oldest(simulation: Simulation) -> None:
    simulation.remove(simulation.s3.objects[KEY][0].version_id)


CHANGES: dict[str, Change] = {
    "": lambda _: None,
    "upload": lambda simulation: simulation.upload("good"),
    "upload with rejects": lambda simulation: simulation.upload("with rejects"),
    "upload unreadable": lambda simulation: simulation.upload("too many rejects"),
    "upload empty": lambda simulation: simulation.upload("empty"),
    "upload read twice": lambda simulation: simulation.upload("read twice"),
    "delete": lambda simulation: simulation.delete(),
    "remove top": _remove_top,
    "remove oldest": _remove_oldest,
}
"""What may happen to the key in the bucket."""

PUBLISHED = ("upload with rejects",)
OVERWRITTEN = ("upload with rejects", "upload")
DELETED = ("upload with rejects", "delete")


def _after(*changes: str) -> Simulation:
    """Return a simulation in which these changes have been made, each handled before the next."""
    simulation = Simulation()
    for change in changes:
        CHANGES[change](simulation)
        simulation.settle()
    return simulation


def _advance(run: Run, calls: int) -> bool:
    """Let it make so many calls; False when it had fewer to make."""
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
    *((before, "delete") for before in ((), PUBLISHED, OVERWRITTEN)),
    *((before, "remove top") for before in (OVERWRITTEN, DELETED)),
    (OVERWRITTEN, "remove oldest"),
]


@pytest.mark.parametrize(("before", "change"), ONE)
@pytest.mark.parametrize("disturbance", ["lose the answer", "fail", "kill", "kill after"])
@pytest.mark.parametrize("then", ["", "upload", "delete", "remove top"])
def test_one_disturbance_at_any_call(
    before: tuple[str, ...], change: str, disturbance: str, then: str
) -> None:
    """Each call in turn is disturbed, something else happens or not, and it is delivered again."""
    if not before and change == "delete":
        before = ("",)
    for calls in range(1, 100):
        simulation = _after(*before)
        CHANGES[change](simulation)
        run = simulation.deliver(simulation.queue[0])
        if not _advance(run, calls - 1):
            assert calls > 3, "it made too few calls"
            return
        run.step(disturbance)
        CHANGES[then](simulation)
        simulation.settle()
        check(simulation, every_job_counted=disturbance != "kill after")
        if disturbance == "lose the answer" and not then:
            assert simulation.deliveries == simulation.events, "a lost answer cost a delivery"


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
    (DELETED, "remove top", "delete"),
    (DELETED, "remove top", "upload"),
    (DELETED, "upload", "remove top"),
    (OVERWRITTEN, "remove top", "upload"),
    (OVERWRITTEN, "remove top", "delete"),
    (OVERWRITTEN, "remove top", "remove top"),
    (OVERWRITTEN, "remove oldest", "remove top"),
]


@pytest.mark.parametrize(("before", "first", "second"), TWO)
@pytest.mark.parametrize("order", ["first begins", "second begins"])
def test_two_handlers_in_every_order_of_two_switches(
    before: tuple[str, ...], first: str, second: str, order: str
) -> None:
    """One runs for any number of calls, the other for any number, then the first goes on, or to its death."""
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
                simulation.settle()
                check(simulation, every_job_counted=end == "go on")
            if complete:
                break


@pytest.mark.parametrize(
    ("before", "change"),
    [(PUBLISHED, "upload"), (PUBLISHED, "delete"), (DELETED, "remove top"), (OVERWRITTEN, "remove top")],
)
@pytest.mark.parametrize("between", ["", "upload", "delete", "remove top"])
def test_two_deaths_at_any_two_calls(before: tuple[str, ...], change: str, between: str) -> None:
    """The delivery that follows a death may die as well, anywhere; the third is the last."""
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
            if not redelivered:  # the death came too late to matter
                break
            again = simulation.deliver(redelivered[0])
            if not _advance(again, calls_again - 1):
                break
            again.step("kill after")
            simulation.settle()
            check(simulation, every_job_counted=False)


def test_who_has_outlived_the_lease_finishes_nothing() -> None:
    """Lambda ends a function before its lease runs out; were it not so, the second would still be the one."""
    simulation = Simulation()
    simulation.upload("good")
    slow = simulation.deliver(simulation.queue[0])
    slow.until("update_item")  # the register
    slow.until("update_item")  # the end
    simulation.now += VISIBILITY_TIMEOUT
    simulation.queue.append(Message(slow.message.event))
    other = simulation.deliver(simulation.queue[0])
    other.step("go on")
    slow.until("finished")
    assert not slow.succeeded
    assert simulation.jobs()[slow.message.job]["owner"] == "delivery 2"
    simulation.settle()
    check(simulation)
