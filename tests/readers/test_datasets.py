"""Datasets: every engine reads all files of a contract together, without options."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from components import table_definitions
from components.contracts import types
from components.contracts.types import Array, Struct
from tests.contracts import daily
from tests.contracts.generated import Generated, datasets
from tests.contracts.publishing import deployed, publish
from tests.readers.engines import DuckDB, Engine, Spark, TrinoTables

if TYPE_CHECKING:
    from pathlib import Path

    from components.contracts.model import Contract
    from components.contracts.types import Type
    from tests.readers.values import Table

EXAMPLES = 20
ARROW = {
    types.STRING: "string",
    types.BIGINT: "int64",
    types.DOUBLE: "double",
    types.BOOLEAN: "bool",
    types.DATE: "date32[day]",
    types.TIMESTAMP: "timestamp[ms]",
}


@pytest.fixture(scope="session")
def generated(folder: Path) -> list[tuple[Contract, Path]]:
    """Return contracts, each with the folder of its published files."""
    drawn: list[Generated] = []

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(datasets())
    def draw(one: Generated) -> None:
        drawn.append(one)

    draw()
    published = []
    for number, one in enumerate(drawn):
        contract, path = publish_all(
            one.draft, {upload.key: upload.data for upload in one.uploads}, folder / f"generated-{number}"
        )
        if path.exists():
            published.append((contract, path))
    return published


def publish_all(draft: dict[str, Any], files: dict[str, bytes], folder: Path) -> tuple[Contract, Path]:
    """Publish the files that do not fail. Return the contract and the folder of the published files."""
    ((contract,), known) = deployed(draft)
    for number, (key, data) in enumerate(files.items()):
        dataset = known.of(key)
        assert dataset is not None
        publish(data, key, dataset, folder / f"{number}.parquet")
    return contract, folder


def read(engine: Engine, contract: Contract, path: Path) -> Table:
    """Read a folder. Trino reads it as a table with the contract's columns."""
    if not isinstance(engine, TrinoTables):
        return engine.read(path)
    return engine.query(path, [(name, kind.hive) for name, kind, _ in table_definitions.columns(contract)])


def test_generated_datasets(engine: Engine, generated: list[tuple[Contract, Path]]) -> None:
    assert len(generated) > EXAMPLES / 2
    for contract, path in generated:
        expected, kinds = DuckDB().read(path), DuckDB.types(path)
        got = read(engine, contract, path)
        is_pandas = engine.name == "pandas"
        assert list(got.names) == list(expected.names)
        assert got.texts(kinds, nan_is_null=is_pandas) == expected.texts(kinds, nan_is_null=is_pandas), path


def test_types_are_the_contracts(generated: list[tuple[Contract, Path]]) -> None:
    from pyarrow import dataset

    for contract, path in generated:
        for file in path.iterdir():
            schema = dataset.dataset(file, format="parquet").schema
            declared = {name: _arrow(kind) for name, kind, _ in table_definitions.columns(contract)}
            assert {field.name: str(field.type) for field in schema} == declared


def test_types_are_the_contracts_in_spark(spark: Spark, generated: list[tuple[Contract, Path]]) -> None:
    for contract, path in generated:
        expression = "spark.createDataFrame(spark.read.parquet(path).dtypes, 'name string, type string')"
        # Spark reads a timestamp without a time zone as `timestamp_ntz`.
        declared = [
            (name, kind.hive.replace("timestamp", "timestamp_ntz"))
            for name, kind, _ in table_definitions.columns(contract)
        ]
        assert spark.run(expression, path=str(path)).rows == declared


def _arrow(kind: Type) -> str:
    match kind:
        case Struct(fields):
            return f"struct<{', '.join(f'{name}: {_arrow(part)}' for name, part in fields)}>"
        case Array(items):
            return f"list<element: {_arrow(items)}>"
        case types.Decimal(precision, scale):
            return f"decimal128({precision}, {scale})"
    return ARROW[kind]


@pytest.mark.parametrize(
    ("form", "files", "expected"),
    [("delimited", daily.DELIMITED, daily.DELIMITED_SUM), ("json", daily.JSON, daily.JSON_SUM)],
)
def test_daily_files_have_the_true_sum(
    engine: Engine, folder: Path, form: str, files: dict[str, bytes], expected: Decimal
) -> None:
    contract, path = publish_all(daily.contract(form), files, folder / f"daily-{form}")

    table = read(engine, contract, path)

    amounts = [row[list(table.names).index("amount")] for row in table.rows]
    assert sum((amount for amount in amounts if isinstance(amount, Decimal)), Decimal()) == expected
    assert len(amounts) == sum(map(len, map(bytes.splitlines, files.values()))) - REJECTED_OR_HEADER[form]


REJECTED_OR_HEADER = {"delimited": 9, "json": 1}
"""Lines that are not rows of the table: eight headers and a rejected row, or only a rejected row."""
