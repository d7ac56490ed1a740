"""Pulumi is killed during an update, two updates run at once, and a preview runs during an update."""

from __future__ import annotations

import re
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from tests.engine.account import WorkingFunction
from tests.engine.deployment import Deployment, Engine, Refused, Step, logical_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROLE, BUCKET = "analytics-function-role-role", "analytics-storage-bucket"
TABLE, LOG_GROUP = "analytics-jobs-table", "analytics-processing-log-group"
FUNCTION, MAPPING = "analytics-processing-function", "analytics-processing-mapping"
ALIAS = "analytics-encryption-alias"

EXISTS = re.compile("already exist|AlreadyOwnedByYou", re.IGNORECASE)


@pytest.fixture(scope="module")
def deployment(engine: Engine) -> Deployment:
    return Deployment(engine)


class Held:
    """Delays the changes of some resources, before AWS is called or before Pulumi gets the response."""

    def __init__(self, names: set[str]) -> None:
        self._missing, self._names = set(names), names
        self._reached, self._free = threading.Event(), threading.Event()

    def hear(self, method: str, urn: str) -> None:
        name = logical_name(urn)
        if name in self._names and method in {"Create", "Update"}:
            self._missing.discard(name)
            if not self._missing:
                self._reached.set()
            self._free.wait()

    def wait(self) -> None:
        assert self._reached.wait(timeout=120), f"never reached: {self._missing}"

    def release(self) -> None:
        self._free.set()


@contextmanager
def held(deployment: Deployment, moment: str, *names: str) -> Iterator[Callable[[], Step]]:
    """Run `pulumi up` until the calls for all resources are held; yield a function that waits for its end."""
    hold, ended = Held(set(names)), []
    provider = deployment.engine.provider
    setattr(provider, moment, hold.hear)

    def up() -> None:
        try:
            ended.append(deployment.up())
        except Refused as refused:
            ended.append(refused)

    running = threading.Thread(target=up)
    running.start()

    def finish() -> Any:
        hold.release()
        running.join()
        return ended[0]

    try:
        hold.wait()
        yield finish
    finally:
        setattr(provider, moment, lambda _method, _urn: None)
        finish()


def _kill_while_creating(deployment: Deployment, *names: str) -> None:
    """Kill Pulumi after AWS has created the resources, and before Pulumi gets the responses."""
    with held(deployment, "after", *names):
        started = psutil.Process().children(recursive=True)
        (pulumi,) = [one for one in started if one.name() == "pulumi" and "up" in one.cmdline()]
        pulumi.kill()


def _import(deployment: Deployment, name: str) -> None:
    """Import a resource by its name, as the runbook describes."""
    pending = {logical_name(one["resource"]["urn"]): one["resource"] for one in deployment.pending()}
    resource = pending[name]
    inputs = resource["inputs"]
    identifier = inputs.get("bucket") or inputs.get("name") or _mapping_id(deployment)
    deployment.run(
        *("import", resource["type"], name, identifier),
        *("--parent", f"parent={resource['parent']}"),
        *("--provider", f"provider={resource['provider'].rpartition('::')[0]}"),
        *("--protect=false", "--generate-code=false", "--skip-preview", "--yes"),
    )


def _mapping_id(deployment: Deployment) -> str:
    (mapping,) = deployment.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    return mapping["UUID"]


@pytest.mark.parametrize(
    ("names", "settings"),
    [
        ((ROLE, BUCKET, TABLE, LOG_GROUP), {}),
        ((FUNCTION,), {}),
        ((MAPPING,), {}),
        ((ALIAS,), {"customerManagedKey": True}),
    ],
    ids=["first", "function", "mapping", "alias"],
)
def test_what_exists_already_is_imported_by_its_name(
    deployment: Deployment, names: tuple[str, ...], settings: dict[str, Any]
) -> None:
    deployment.set(**settings)
    _kill_while_creating(deployment, *names)
    with pytest.raises(Refused, match="currently locked"):
        deployment.up()
    deployment.run("cancel", "--yes")
    with pytest.raises(Refused, match=EXISTS):
        deployment.up()
    for name in names:
        _import(deployment, name)


def test_after_the_imports_nothing_is_left_to_change(deployment: Deployment) -> None:
    step = deployment.up()
    imported = {ROLE, BUCKET, TABLE, LOG_GROUP, FUNCTION, MAPPING, ALIAS}
    assert not {name for name in imported if "replace" in step.operations.get(name, "")}
    assert not {name for name in imported if step.operations.get(name) == "create"}
    assert deployment.pending()
    deployment.run("refresh", "--clear-pending-creates", "--skip-preview", "--yes")
    assert not deployment.pending()
    assert not deployment.up(expect_no_changes=True).operations
    assert list(WorkingFunction(deployment.client, deployment.outputs()).lacks()) == []
    protected = {logical_name(one["urn"]) for one in deployment.state() if one.get("protect")}
    assert {BUCKET, TABLE} <= protected


def test_a_second_up_at_the_same_time_is_refused_and_a_preview_is_not(deployment: Deployment) -> None:
    deployment.set(memorySize=2048)
    with held(deployment, "before", FUNCTION) as finish:
        with pytest.raises(Refused, match="currently locked"):
            deployment.up()
        assert FUNCTION in deployment.preview().operations
        assert finish().operations[FUNCTION] == "update"
    assert not deployment.preview(expect_no_changes=True).operations
