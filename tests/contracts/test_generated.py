"""Files with generated contracts: published values are read back, and rows that do not fit are counted."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from decimal import localcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
from hypothesis import HealthCheck, given, settings

from local.athena import query
from tests.contracts.athena import as_athena
from tests.contracts.generated import Generated, datasets
from tests.contracts.publishing import Lake, Published, deployed, publish, published_key, rescued

if TYPE_CHECKING:
    from collections.abc import Iterable

    from components.contracts.model import Contract

FEW = settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
NOW = datetime(2026, 11, 28, tzinfo=UTC)


@FEW
@given(datasets())
def test_files_under_a_contract_read_back_together(generated: Generated) -> None:
    ((contract,), known) = deployed(generated.draft)
    files: dict[str, Path] = {}
    expected: list[tuple[Any, ...]] = []
    with tempfile.TemporaryDirectory() as folder:
        for upload in generated.uploads:
            dataset, target = known.of(upload.key), Path(folder) / f"{len(files)}.parquet"
            assert dataset is not None
            outcome = publish(upload.data, upload.key, dataset, target)
            if upload.rows is None:
                assert isinstance(outcome, str)
                continue
            assert isinstance(outcome, Published), outcome
            assert (outcome.rows_out, outcome.rejected) == (len(upload.rows), upload.rejected)
            assert outcome.rows_in == outcome.rows_out + outcome.rejected
            files[published_key(upload.key)] = target
            expected += upload.rows
        if files:
            read_back_by_duckdb(contract, list(files.values()), expected)
            read_back_by_athena(contract, files, expected)


def read_back_by_duckdb(contract: Contract, paths: list[Path], expected: list[tuple[Any, ...]]) -> None:
    with duckdb.connect() as connection:
        relation = connection.read_parquet([str(path) for path in paths])
        names = [column.name for column in contract.columns] + ["_rescued"] * contract.rescues
        assert relation.columns == names
        types = [column.type.duckdb.replace("_MS", "").replace('"', "") for column in contract.columns]
        assert [str(kind).replace('"', "") for kind in relation.types][: len(types)] == types
        rows = relation.fetchall()
        assert ordered(rescued(rows) if contract.rescues else rows) == ordered(expected)
        for index, column in enumerate(contract.columns):
            if column.type.name == "bigint" or column.type.name.startswith("decimal"):
                total = connection.sql(f'SELECT sum("{column.name}") FROM relation').fetchall()[0][0]
                assert total == sum_of(row[index] for row in expected)


def read_back_by_athena(contract: Contract, files: dict[str, Path], expected: list[tuple[Any, ...]]) -> None:
    names = [column.name for column in contract.columns] + ["_rescued"] * contract.rescues
    statement = f"SELECT {', '.join(names)} FROM {contract.name}"
    answer = query.run(statement, "lake", Lake(contract, files), NOW, None)
    rows = rescued(answer.rows) if contract.rescues else answer.rows
    wanted = [tuple(map(as_athena, row)) for row in expected]
    if contract.rescues:
        wanted = [(*text[:-1], row[-1]) for text, row in zip(wanted, expected, strict=True)]
    assert ordered(rows) == ordered(wanted)


def sum_of(values: Iterable[Any]) -> Any:
    """Return the exact sum. By default, Python rounds decimals to 28 digits."""
    present = [value for value in values if value is not None]
    with localcontext(prec=60):
        return sum(present) if present else None


def ordered(rows: Any) -> list[str]:
    return sorted(map(repr, rows))
