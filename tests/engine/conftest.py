"""The fixtures of the engine's tests."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest

from local.server import Server
from tests.engine.deployment import Engine

if TYPE_CHECKING:
    from collections.abc import Iterator


def pytest_itemcollected(item: pytest.Item) -> None:
    """Ignore the event loop that the Automation API leaves open when an update is refused or killed."""
    item.add_marker(pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"))


@pytest.fixture(autouse=True)
def collect_what_is_left_open() -> Iterator[None]:
    """Collect such a loop at the end of its own test."""
    yield
    gc.collect()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """An account for each test module."""
    with Server() as running:
        yield running


@pytest.fixture(scope="module")
def engine(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Pulumi's CLI, with nothing deployed yet."""
    running = Engine(tmp_path_factory.mktemp("pulumi"), server)
    yield running
    running.close()
