"""`python -m ops reconcile` over a simulation: its own comparison and events, in memory."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

from job_records import job_id
from ops.outputs import output_keys
from ops.reconcile import Difference, Finding, KeyState, diagnose
from ops.registers import Register
from register import register_id
from s3_events import from_event
from tests.handler.deliveries import ACCOUNT, BUCKET, REGION
from tests.handler.simulation import KEY, Simulation, plain

if TYPE_CHECKING:
    from ops.deployed_stacks import Stack

STACK = cast(
    "Stack",
    SimpleNamespace(
        account=ACCOUNT,
        region=REGION,
        bucket=BUCKET,
        function_arn=f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:analytics-etl",
    ),
)


def reconcile(simulation: Simulation) -> list[Finding]:
    """Send the events that heal what differs until nothing does; return what differed."""
    findings = []
    simulation.pass_time()  # A job is unfinished only after its lease has run out.
    while difference := _difference(simulation):
        assert len(findings) < 5, f"{findings} does not end"
        findings.append(difference.finding)
        for event in from_event(difference.event(STACK, simulation.replay_id())):
            simulation.replays += 1
            simulation.send(event)
        simulation.settle()
    return findings


def _difference(simulation: Simulation) -> Difference | None:
    state = _state(simulation)
    if state.version is None and state.marker is None and not state.present:
        return None  # No listing of the bucket names the key.
    finding = diagnose(state, simulation.now)
    return Difference(finding=finding, state=state) if finding else None


def _state(simulation: Simulation) -> KeyState:
    current, newest = simulation.s3.current(KEY), simulation.s3.newest(KEY)
    jobs, published = simulation.jobs(), simulation.published()
    item = simulation.dynamodb.items.get(register_id(BUCKET, KEY))
    register = Register.of(plain(item), BUCKET, KEY) if item else None
    version = current and {
        "Key": KEY,
        "VersionId": current.version_id,
        "Size": len(current.body or b""),
        "ETag": current.etag,
        "LastModified": datetime(2026, 11, 12, tzinfo=UTC),
    }
    return KeyState(
        key=KEY,
        version=version,
        marker=newest.version_id if newest and not current else None,
        register=register,
        job=jobs.get(register.job_id) if register else None,
        own_job=jobs.get(job_id(BUCKET, KEY, current.version_id)) if current else None,
        present=frozenset(kind for kind, key in output_keys(KEY).items() if key in published),
    )
