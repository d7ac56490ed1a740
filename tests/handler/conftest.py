"""What the handler's tests share: one moto server and one warm function process per test process."""

from collections.abc import Iterator

import pytest

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
