"""The state in which every history of a simulation must end: that of one clean delivery."""

from collections import Counter
from dataclasses import replace

from job_records import job_id
from outputs import output_key
from register import Holding, State
from tests.handler.deliveries import BUCKET
from tests.handler.reconciliation import reconcile
from tests.handler.simulation import KEY, KINDS, STATUSES, Simulation, output_author, output_bytes

_checked: set[tuple[str, bool]] = set()


def settle(simulation: Simulation, *, every_job_counted: bool = True) -> None:
    """Deliver all messages and check what is left, once for each state: the same state ends the same.

    Most calls only read. A handler that is killed after one leaves the state of the call before.
    """
    simulation.finish()
    state = simulation.state(), every_job_counted
    if state in _checked:
        return
    simulation.settle()
    check(simulation, every_job_counted=every_job_counted)
    _checked.add(state)


def check(simulation: Simulation, *, every_job_counted: bool = True) -> None:
    """Check what is left when no message is left.

    Args:
        simulation: The simulation, after `settle`.
        every_job_counted: Whether no handler was killed between its last write and its metrics.
    """
    current, held = simulation.s3.current(KEY), simulation.register()
    if current and current.version_id in simulation.s3.archived:
        _check_archived(simulation)
        simulation.restore()
        simulation.settle()
        held = simulation.register()
    findings = reconcile(simulation)
    if simulation.lost or simulation.forgotten:
        held = simulation.register()
    else:
        assert findings == [], "reconcile must find nothing if no event was lost"
    _check_outputs(simulation, held)
    _check_jobs(simulation, held)
    _check_metrics(simulation, every_job_counted=every_job_counted)


def _outputs(simulation: Simulation, held: Holding) -> dict[str, tuple[bytes | None, str]]:
    """Return the complete outputs of a register's version."""
    return {
        output_key(output, KEY): (
            output_bytes(output, held.holder, str(held.generation)),
            held.holder,
        )
        for output in KINDS[simulation.kinds[held.version_id]]
    }


def _check_archived(simulation: Simulation) -> None:
    """Check a current version that cannot be read: it keeps its outputs, and no others."""
    held, current = simulation.register(), simulation.s3.current(KEY)
    if simulation.lost:
        return
    assert held
    assert current
    assert (held.version_id, held.state) == (current.version_id, State.CURRENT)
    published = simulation.published()
    was_read = any(
        job == held.holder and status in ("COMPLETED", "FAILED") for job, status in simulation.counted
    )
    if published or (was_read and not simulation.deleted_by_a_user):
        authors = {output_author(body) for body, _ in published.values()}
        # Another job may have taken the register since, and could not read the version.
        holder, generation = authors.pop() if authors else (held.holder, held.generation)
        assert generation >= held.since
        assert published == _outputs(simulation, replace(held, holder=holder, generation=generation))
    else:
        assert _named_outputs(simulation, held) == set(), "the job record names outputs that are deleted"


def _named_outputs(simulation: Simulation, held: Holding) -> set[str]:
    """Return the keys of the outputs that the record of the register's job names."""
    job = simulation.jobs().get(held.holder, {})
    return {job[name] for name in ("output_path", "rejected_path", "profile_path") if name in job}


def _check_outputs(simulation: Simulation, held: Holding | None) -> None:
    current, jobs = simulation.s3.current(KEY), simulation.jobs()
    if current:
        assert held
        assert (held.version_id, held.state) == (current.version_id, State.CURRENT)
        assert simulation.published() == _outputs(simulation, held)
        if held.holder in jobs or not simulation.forgotten:
            job = jobs[held.holder]
            assert job["status"] == STATUSES.get(simulation.kinds[current.version_id], "COMPLETED")
            assert job["version_id"] == current.version_id
            assert _named_outputs(simulation, held) == simulation.published().keys()
    elif held and held.state is State.EXPIRED:
        forgotten = simulation.forgotten and held.holder not in jobs
        if simulation.lost:
            return  # The function may have been killed while it published an older version.
        if forgotten or jobs.get(held.holder, {}).get("status") == "SKIPPED":  # It may have been archived.
            assert simulation.published() in ({}, _outputs(simulation, held))
        else:
            assert simulation.published() == _outputs(simulation, held)
    else:
        assert simulation.published() == {}
        if not simulation.lost:
            assert held is None or held.state is State.WITHDRAWN
        if held and held.withdrawn in jobs and not (simulation.lost and jobs[held.withdrawn]["retryable"]):
            assert jobs[held.withdrawn]["status"] in ("WITHDRAWN", "SKIPPED", "SUPERSEDED")
        if held and held.version_id and not (simulation.deleted_by_a_user or simulation.lost):
            identity = job_id(BUCKET, KEY, held.version_id)
            assert not any(job == identity and status == "COMPLETED" for job, status in simulation.counted)


def _check_jobs(simulation: Simulation, held: Holding | None) -> None:
    for identity, job in simulation.jobs().items():
        if simulation.lost and not (held and held.holder == identity and simulation.s3.current(KEY)):
            continue  # Without its message, a job that changes nothing is not finished.
        assert job["status"] in ("COMPLETED", "FAILED", "SKIPPED", "SUPERSEDED", "WITHDRAWN"), identity
        assert not job["retryable"], identity
    if not (simulation.lost or simulation.forgotten):
        assert {job_id(BUCKET, KEY, version) for version in simulation.kinds} <= _listed(simulation)


def _listed(simulation: Simulation) -> set[str]:
    return {identity for identity, job in simulation.jobs().items() if "timestamp" in job}


def _check_metrics(simulation: Simulation, *, every_job_counted: bool) -> None:
    counted, jobs = simulation.counted, simulation.jobs()
    if not simulation.forgotten:
        jobs_counted = Counter(identity for identity, _ in counted)
        assert max(jobs_counted.values(), default=0) <= 1 + simulation.replays, "a job was counted twice"
    if every_job_counted and not (simulation.replays or simulation.lost or simulation.forgotten):
        listed = _listed(simulation)
        assert listed <= {identity for identity, _ in counted}
        withdrawn = [identity for identity in listed if jobs[identity]["status"] == "WITHDRAWN"]
        assert len(withdrawn) == sum(status == "WITHDRAWN" for _, status in counted)
