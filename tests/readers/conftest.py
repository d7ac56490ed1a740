"""The engines, each started once. If this machine cannot run one, its tests are skipped with the reason."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from local.server import Server
from tests.readers.engines import Engine, Pandas, Polars, PyArrow, Spark, TrinoTables
from tests.readers.install import SPARK_HOMES, missing_for_spark, missing_for_trino
from tests.readers.trino import Trino

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REGION = "eu-west-1"
SPARKS = tuple(f"Spark {version}" for version in SPARK_HOMES)
ENGINES = ("pyarrow", "pandas", "polars", *SPARKS, "Trino")


class Engines:
    """The engines by name, each started at its first use."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._started: dict[str, Engine] = {}

    def __getitem__(self, name: str) -> Engine:
        if name not in self._started:
            self._started[name] = self._start(name)
        return self._started[name]

    def _start(self, name: str) -> Engine:
        if name == "Trino":
            if reason := missing_for_trino():
                pytest.skip(reason)
            server = self._stack.enter_context(Server())
            trino = self._stack.enter_context(Trino(server, REGION))
            return TrinoTables(trino, server, REGION)
        if name in SPARKS:
            if reason := missing_for_spark():
                pytest.skip(reason)
            spark = Spark(name.removeprefix("Spark "))
            self._stack.callback(spark.close)
            return spark
        return {"pyarrow": PyArrow, "pandas": Pandas, "polars": Polars}[name]()


@pytest.fixture(scope="session")
def engines() -> Iterator[Engines]:
    with ExitStack() as stack:
        yield Engines(stack)


@pytest.fixture(scope="session", params=ENGINES)
def engine(request: pytest.FixtureRequest, engines: Engines) -> Engine:
    return engines[request.param]


@pytest.fixture(scope="session", params=SPARKS)
def spark(request: pytest.FixtureRequest, engines: Engines) -> Spark:
    return engines[request.param]  # type: ignore[return-value]


@pytest.fixture(scope="session")
def trino(engines: Engines) -> TrinoTables:
    return engines["Trino"]  # type: ignore[return-value]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of published files. It lives as long as the engines, because some cache files by name."""
    return tmp_path_factory.mktemp("published")
