"""What the tests of the engine share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local.server import Server
from tests.engine.deployment import Engine

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of a module, or of one of its stacks, on one worker: each is a step of one story."""
    for item in items:
        stack = (
            item.callspec.params.get("stack", "")
            if isinstance(item, pytest.Function) and hasattr(item, "callspec")
            else ""
        )
        item.add_marker(pytest.mark.xdist_group(f"{item.path.stem} {stack}".strip()))


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """An account of the module's own."""
    with Server() as running:
        yield running


@pytest.fixture(scope="module")
def engine(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Pulumi, with nothing deployed yet."""
    running = Engine(tmp_path_factory.mktemp("pulumi"), server)
    yield running
    running.close()
