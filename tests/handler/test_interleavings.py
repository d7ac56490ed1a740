"""Issue: one result, whatever the delivery. Handlers at work at once, in every order, against a simple model:
the newest existing version wins."""

import logging
from collections.abc import Iterator

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

import processing
from jobs import job_id
from ordering import register_id
from outputs import output_key
from telemetry import logger
from tests.handler.deliveries import BUCKET
from tests.handler.world import KEY, KINDS, STATUSES, Message, World, convert, emit, output_bytes, workspace

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
        self.check()

    def check(self) -> None:
        world = self.world
        jobs = {version: world.record(job_id(BUCKET, KEY, version)) for version, _, _ in world.uploads}
        kinds = {version: kind for version, kind, _ in world.uploads}
        for version, record in jobs.items():
            assert record["status"]["S"] in ("COMPLETED", "FAILED", "SKIPPED", "SUPERSEDED"), record
            assert not record["retryable"]["BOOL"], (version, record)
        gone = {
            version for version, record in jobs.items() if "deleted" in record.get("error", {}).get("S", "")
        }

        winner = world.dynamodb.items.get(register_id(BUCKET, KEY), {}).get("version_id", {}).get("S")
        expected = {}
        if winner and winner not in gone:
            job = job_id(BUCKET, KEY, winner)
            expected = {
                output_key(output, KEY): (output_bytes(output, job), job) for output in KINDS[kinds[winner]]
            }
            assert jobs[winner]["status"]["S"] == STATUSES.get(kinds[winner], "COMPLETED")
        published = world.published()
        if winner in gone:
            # Interrupted, and its object deleted before it could be finished: what an older version
            # published before may stand, whole, or nothing.
            assert not any(job == job_id(BUCKET, KEY, winner) for _, job in published.values())
            assert len({job for _, job in published.values()}) <= 1
        else:
            assert published == expected

        current = world.s3.current(KEY)
        if current:
            # Only a newer version that was there when it was taken may stand in the current one's place.
            assert winner == current.version_id or (winner in self.removed and winner > current.version_id)
        taken = [
            version
            for version in jobs
            if version not in gone and jobs[version]["status"]["S"] != "SUPERSEDED"
        ]
        if not self.removed and self.mode == "ordered" and taken and winner not in gone:
            assert winner == max(taken)

        assert len(world.counted) == len(set(world.counted)), "counted twice"
        if not self.killed:
            assert set(world.counted) == {job_id(BUCKET, KEY, version) for version in jobs}


@pytest.fixture(autouse=True)
def stand_ins(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(processing, "convert", convert)
    monkeypatch.setattr(processing, "workspace", workspace)
    monkeypatch.setattr(processing, "emit", emit)
    level = logger.log_level
    logger.setLevel(logging.CRITICAL)
    yield
    logger.setLevel(level)


def test_any_interleaving_ends_as_one_clean_delivery_of_the_newest_version() -> None:
    run_state_machine_as_test(
        Deliveries,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
