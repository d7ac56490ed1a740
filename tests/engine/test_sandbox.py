"""The sandbox's test deployment with Pulumi's engine, against the embedded AWS."""

from __future__ import annotations

import itertools
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import boto3

from local.alarms import CloudWatch
from local.embedded_lambda.lambda_service import LambdaService
from sandbox.deployment import PulumiDeployment
from sandbox.trial import Trial

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
    functions, cloudwatch = LambdaService(server, [STACK], 1), CloudWatch(server)
    minutes = itertools.count(1)

    def wait(_seconds: float) -> None:
        functions.run_until_idle()
        cloudwatch.set_clock(timedelta(minutes=next(minutes)))
        cloudwatch.evaluate(STACK)

    said: list[str] = []
    session = boto3.Session(server.operator.key_id, server.operator.secret)
    deployment = PulumiDeployment(STACK, lambda _line: None)
    try:
        problems = Trial(
            deployment, said.append, session=session, endpoint_url=server.endpoint, wait=wait
        ).run()
    finally:
        functions.close()
    assert problems == [], "\n".join(problems)
    assert "nothing is left: yes" in said[-1]
    assert not list(engine.backend.rglob(f"sandbox-{deployment.suffix}.json"))
