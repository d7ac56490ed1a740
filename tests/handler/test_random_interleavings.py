"""Random histories of one key end as one clean delivery of the bucket's final state."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from tests.handler.end_state import check
from tests.handler.simulation import KEY, KINDS, Message, Simulation

EXAMPLES = 1000
"""Histories of each machine."""

pytestmark = pytest.mark.usefixtures("simulated")

_index = st.integers(0, 7)
_until = st.sampled_from(
    ["end", "put_object", "put_object", "delete_object", "get_item", "update_item", "head_object", "finished"]
)


class Deliveries(RuleBasedStateMachine):
    """Changes of one key, and the deliveries of their events, in any order and overlap."""

    def __init__(self) -> None:
        super().__init__()
        self.simulation = Simulation()
        self.killed = False

    def _may_change(self) -> bool:
        return self.simulation.events < 6

    def _may_delete(self) -> bool:
        return self._may_change() and bool(self.simulation.s3.objects.get(KEY))

    def _is_current(self) -> bool:
        return self._may_change() and self.simulation.s3.current(KEY) is not None

    @precondition(_may_change)
    @rule(kind=st.sampled_from(sorted(KINDS)), until=st.none() | _until)
    def upload(self, kind: str, until: str | None) -> None:
        self.simulation.upload(kind)
        self._begin(until)

    @precondition(_may_delete)
    @rule(until=st.none() | _until)
    def delete(self, until: str | None) -> None:
        self.simulation.delete()
        self._begin(until)

    @precondition(_is_current)
    @rule(until=st.none() | _until)
    def expire(self, until: str | None) -> None:
        self.simulation.expire()
        self._begin(until)

    @precondition(_may_delete)
    @rule(which=_index, until=st.none() | _until)
    def remove(self, which: int, until: str | None) -> None:
        """Remove a version or a delete marker, mostly the newest."""
        versions = self.simulation.s3.objects[KEY]
        self.simulation.remove(versions[-1 if which > 1 else which % len(versions)].version_id)
        self._begin(until)

    @precondition(_is_current)
    @rule(until=st.none() | _until)
    def replay(self, until: str | None) -> None:
        self.simulation.replay()
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


class Losses(Deliveries):
    """The same, with lost events, expired records and archived versions, healed by `ops reconcile`."""

    @precondition(lambda self: self.simulation.queue or self.simulation.hidden)
    @rule(which=_index)
    def lose(self, which: int) -> None:
        """Lose a message, but not an operator's replay."""
        messages = [*self.simulation.queue, *self.simulation.hidden]
        message = messages[which % len(messages)]
        if not message.event.replay_id:
            self.simulation.lose(message)

    @precondition(Deliveries._may_delete)
    @rule()
    def remove_without_event(self) -> None:
        self.simulation.remove(self.simulation.s3.objects[KEY][-1].version_id, event=False)

    @rule()
    def expire_records(self) -> None:
        self.simulation.expire_records()

    @rule()
    def archive(self) -> None:
        self.simulation.archive()

    @precondition(lambda self: self.simulation.s3.archived and self._is_current())
    @rule()
    def restore(self) -> None:
        """Restore the archived versions, and replay the current one, as an operator must."""
        self.simulation.restore()


def _run(machine: type[Deliveries]) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=14,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )


def test_any_interleaving_ends_as_one_clean_delivery_of_the_current_version() -> None:
    _run(Deliveries)


def test_reconcile_heals_what_lost_events_and_expired_records_leave() -> None:
    _run(Losses)
