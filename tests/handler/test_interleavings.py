"""Issue: one result, whatever the delivery. Handlers at work at once, in every order, against a simple model:
the newest existing version wins."""

import logging
from collections.abc import Collection, Iterator

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

import conversion_attempt
import processor
import telemetry
from job_records import job_id
from outputs import output_key
from register import register_id
from tests.handler.deliveries import BUCKET
from tests.handler.simulation import (
    KEY,
    KINDS,
    STATUSES,
    VISIBILITY_TIMEOUT,
    Message,
    Run,
    World,
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
    """Uploads, deletions and deliveries of one key, in any order and overlap."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.removed: set[str] = set()
        self.killed = False

    @initialize(mode=st.sampled_from(["ordered", "ordered", "unordered", "alike"]))
    def choose_sequencers(self, mode: str) -> None:
        self.mode = mode

    @precondition(lambda self: len(self.world.uploads) < 4)
    @rule(kind=st.sampled_from(sorted(KINDS)), until=st.none() | _until)
    def upload(self, kind: str, until: str | None) -> None:
        number = len(self.world.uploads) + 1
        sequencers = {"ordered": f"{number:032X}", "alike": "0" * 32, "unordered": None}
        self.world.upload(kind, sequencers[self.mode])
        if until:
            self.world.deliver(self.world.queue[-1]).until(until)

    @precondition(lambda self: self.world.s3.current(KEY))
    @rule()
    def delete(self) -> None:
        self.world.s3.add(KEY, None)

    @precondition(lambda self: self.mode == "ordered" and self.world.s3.current(KEY))
    @rule()
    def remove_newest_version(self) -> None:
        current = self.world.s3.current(KEY)
        assert current
        self.removed.add(current.version_id)
        self.world.s3.remove_version(KEY, current.version_id)

    @precondition(lambda self: self.world.queue)
    @rule(which=_index, until=_until)
    def deliver(self, which: int, until: str) -> None:
        self.world.deliver(self.world.queue[which % len(self.world.queue)]).until(until)

    @precondition(lambda self: self.world.uploads and len(self.world.queue) < 4)
    @rule(which=_index)
    def duplicate(self, which: int) -> None:
        events = [message.event for message in (*self.world.queue, *self.world.hidden)]
        events += [run.message.event for run in self.world.running]
        if events:
            self.world.queue.append(Message(events[which % len(events)]))

    @precondition(lambda self: self.world.running)
    @rule(which=_index, until=_until)
    def go_on(self, which: int, until: str) -> None:
        self.world.running[which % len(self.world.running)].until(until)

    @precondition(lambda self: self.world.running)
    @rule(which=_index, steps=st.integers(1, 3))
    def step(self, which: int, steps: int) -> None:
        run = self.world.running[which % len(self.world.running)]
        for _ in range(steps):
            if run in self.world.running:
                run.step("go on")

    @precondition(lambda self: self.world.running)
    @rule(which=_index, action=st.sampled_from(["lose the answer", "fail", "kill", "kill after"]))
    def disturb(self, which: int, action: str) -> None:
        self.killed |= action == "kill after"
        self.world.running[which % len(self.world.running)].step(action)

    @rule()
    def pass_time(self) -> None:
        self.world.pass_time()

    def teardown(self) -> None:
        self.world.settle()
        check(self.world, removed=self.removed, every_job_counted=not self.killed)


def check(world: World, *, removed: Collection[str] = (), every_job_counted: bool = True) -> None:
    """Compare what is left, when nothing is left to do, with what one clean delivery would leave."""
    jobs = {version: world.record(job_id(BUCKET, KEY, version)) for version, _, _ in world.uploads}
    kinds = {version: kind for version, kind, _ in world.uploads}
    for version, record in jobs.items():
        assert record["status"]["S"] in ("COMPLETED", "FAILED", "SKIPPED", "SUPERSEDED"), version
        assert not record["retryable"]["BOOL"], version
    gone = {version for version, record in jobs.items() if "deleted" in record.get("error", {}).get("S", "")}

    def outputs_of(version: str) -> dict[str, tuple[bytes | None, str]]:
        job = job_id(BUCKET, KEY, version)
        return {output_key(kind, KEY): (output_bytes(kind, job), job) for kind in KINDS[kinds[version]]}

    winner = world.dynamodb.items.get(register_id(BUCKET, KEY), {}).get("version_id", {}).get("S")
    if winner is None:
        assert world.published() == {}
    elif winner in gone:
        # It was interrupted, and its object deleted before it could be finished: an older version's outputs
        # may stand, but whole.
        assert world.published() in [{}, *(outputs_of(version) for version in kinds if version < winner)]
    else:
        assert world.published() == outputs_of(winner)
        assert jobs[winner]["status"]["S"] == STATUSES.get(kinds[winner], "COMPLETED")

    current = world.s3.current(KEY)
    if current:
        # Only a newer version that was there when it was taken may stand in the current one's place.
        assert winner == current.version_id or (winner in removed and str(winner) > current.version_id)
    taken = {version for version in kinds if version not in gone}
    if not removed and taken and winner not in gone and all(sequencer for _, _, sequencer in world.uploads):
        assert winner == max(version for version in taken if jobs[version]["status"]["S"] != "SUPERSEDED")

    assert len(world.counted) == len(set(world.counted)), "counted twice"
    if every_job_counted:
        assert set(world.counted) == {job_id(BUCKET, KEY, version) for version in jobs}


@pytest.fixture(autouse=True)
def stand_ins(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(conversion_attempt, "convert", convert)
    monkeypatch.setattr(processor, "workspace", workspace)
    monkeypatch.setattr(telemetry, "emit", emit)
    level = telemetry.logger.log_level
    telemetry.logger.setLevel(logging.CRITICAL)
    yield
    telemetry.logger.setLevel(level)


def test_any_interleaving_ends_as_one_clean_delivery_of_the_newest_version() -> None:
    run_state_machine_as_test(
        Deliveries,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=14,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )


def _begin(*kinds: str) -> World:
    """A world in which the first kind of version is published, and the others are uploaded."""
    world = World()
    for number, kind in enumerate(kinds):
        if kind:
            world.upload(kind, f"{number + 1:032X}")
        if number == 0:
            world.settle()
    return world


def _advance(run: Run, calls: int) -> bool:
    """Let it make so many calls; False when it had fewer to make."""
    for _ in range(calls):
        if run not in run.world.running:
            return False
        run.step("go on")
    return run in run.world.running


@pytest.mark.parametrize("before", ["", "with rejects"])
@pytest.mark.parametrize("kind", ["good", "with rejects", "too many rejects", "empty"])
@pytest.mark.parametrize("disturbance", ["lose the answer", "fail", "kill", "kill after"])
@pytest.mark.parametrize("then", ["", "delete", "remove"])
def test_one_disturbance_at_any_call(before: str, kind: str, disturbance: str, then: str) -> None:
    """Each call in turn is disturbed, the object is deleted or not, and it is delivered again."""
    for calls in range(1, 100):
        world = _begin(before, kind)
        run = world.deliver(world.queue[0])
        if not _advance(run, calls - 1):
            assert calls > 3, "it made too few calls"
            return
        run.step(disturbance)
        removed = set()
        if then == "delete":
            world.s3.add(KEY, None)
        elif then == "remove":
            removed = {world.uploads[-1][0]}
            world.s3.remove_version(KEY, *removed)
        world.settle()
        check(world, removed=removed, every_job_counted=disturbance != "kill after")
        if disturbance == "lose the answer" and not then:
            assert world.deliveries == len(world.uploads), "a lost answer cost a delivery"


@pytest.mark.parametrize("before", ["", "with rejects"])
@pytest.mark.parametrize("newer", ["good", "with rejects", "unreadable"])
@pytest.mark.parametrize("order", ["older first", "newer first", "no sequencers"])
def test_two_handlers_in_every_order_of_two_switches(before: str, newer: str, order: str) -> None:
    """One runs for any number of calls, the other for any number, then the first on, or to its death."""
    sequencers = (None, None) if order == "no sequencers" else (f"{8:032X}", f"{9:032X}")
    for calls in range(1, 100):
        for others_calls in range(1, 100):
            for end in ("go on", "kill after"):
                world = _begin(before)
                world.upload("with rejects", sequencers[0])
                if order == "newer first":
                    world.upload(newer, sequencers[1])
                run = world.deliver(world.queue[-1])
                if not _advance(run, calls):
                    return
                if order != "newer first":
                    world.upload(newer, sequencers[1])
                complete = not _advance(world.deliver(world.queue[-1]), others_calls)
                run.step(end)
                if end == "go on":
                    run.until("finished")
                world.settle()
                check(world, every_job_counted=end == "go on")
            if complete:
                break


def test_two_deaths_at_any_two_calls() -> None:
    """The delivery that follows a death may die as well, anywhere; the third is the last."""
    for calls in range(1, 100):
        for calls_again in range(1, 100):
            world = _begin("with rejects", "good")
            run = world.deliver(world.queue[0])
            if not _advance(run, calls - 1):
                assert calls > 10, "it made too few calls"
                return
            run.step("kill after")
            world.pass_time()
            if not world.queue:  # the death came too late to matter
                break
            again = world.deliver(world.queue[0])
            if not _advance(again, calls_again - 1):
                break
            again.step("kill after")
            world.settle()
            check(world, every_job_counted=False)


def test_who_has_outlived_his_lease_finishes_nothing() -> None:
    """Lambda ends a function before its lease runs out; were it not so, the second would still be the one."""
    world = World()
    world.upload("good", f"{1:032X}")
    slow = world.deliver(world.queue[0])
    slow.until("update_item")  # the order
    slow.until("update_item")  # the end
    world.now += VISIBILITY_TIMEOUT
    world.queue.append(Message(slow.message.event))
    other = world.deliver(world.queue[0])
    other.step("go on")
    slow.until("finished")
    assert not slow.succeeded
    assert world.record(job_id(BUCKET, KEY, "v001"))["owner"]["S"] == "delivery 2"
    world.settle()
    check(world)
