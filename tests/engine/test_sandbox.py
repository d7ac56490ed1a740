"""The sandbox's test deployment with Pulumi's engine, against the embedded AWS."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import boto3

from sandbox.deployment import PulumiDeployment
from sandbox.trial import Trial
from tests.sandbox.embedded import passing_minutes

if TYPE_CHECKING:
    import pytest

    from local.server import Server
    from tests.engine.deployment import Engine

STACK = "eu-west-1"


def test_a_region_is_deployed_tried_and_destroyed(
    engine: Engine, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in engine.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PATH", f"{Path(engine.command.command).parent}:/usr/bin:/bin")
    said: list[str] = []
    session = boto3.Session(server.operator.key_id, server.operator.secret)
    deployment = PulumiDeployment(STACK, lambda _line: None)
    with passing_minutes(server, STACK) as wait:
        problems = Trial(
            deployment, said.append, session=session, endpoint_url=server.endpoint, wait=wait
        ).run()
    assert problems == [], "\n".join(problems)
    assert "nothing is left: yes" in said[-1]
    assert not list(engine.backend.rglob(f"sandbox-{deployment.suffix}.json"))
