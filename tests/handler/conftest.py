"""The handler's tests share one moto server and one warm function process per test process."""

import logging
from collections.abc import Iterator

import pytest

import conversion_attempt
import key_handler
import telemetry
from tests.handler import simulation
from tests.handler.aws import FunctionProcess, Stack, moto_server


@pytest.fixture(scope="session")
def aws() -> Iterator[str]:
    with moto_server() as address:
        yield address


@pytest.fixture
def stack(aws: str) -> Stack:
    return Stack.create(aws)


@pytest.fixture(scope="session")
def function(aws: str) -> Iterator[FunctionProcess]:
    process = FunctionProcess(Stack(aws, "unnamed").environment)
    yield process
    process.close()


@pytest.fixture
def simulated(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Replace the conversion, its directory and the metrics by those of the simulation, and log nothing."""
    monkeypatch.setattr(conversion_attempt, "convert", simulation.convert)
    monkeypatch.setattr(key_handler, "workspace", simulation.workspace)
    monkeypatch.setattr(telemetry, "emit", simulation.emit)
    level = telemetry.logger.log_level
    telemetry.logger.setLevel(logging.CRITICAL)
    yield
    telemetry.logger.setLevel(level)
