"""Daily files whose types differ without a contract have the exact sum with a contract."""

from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from local.athena import query
from tests.contracts import daily
from tests.contracts.publishing import Lake, Published, deployed, publish, published_key
from tests.contracts.test_generated import NOW
from tests.conversion.support import run


@pytest.mark.parametrize(
    ("files", "types"),
    [
        (daily.DELIMITED, {"BIGINT", "DECIMAL", "DOUBLE", "VARCHAR"}),
        (daily.JSON, {"BIGINT", "DOUBLE", "VARCHAR"}),
    ],
)
def test_without_a_contract_the_types_disagree(files: dict[str, bytes], types: set[str]) -> None:
    found = {
        run(data, key, rejected_share_max=0.5).types["amount"].partition("(")[0]
        for key, data in files.items()
    }

    assert found == types


@pytest.mark.parametrize(
    ("form", "files", "expected"),
    [("delimited", daily.DELIMITED, daily.DELIMITED_SUM), ("json", daily.JSON, daily.JSON_SUM)],
)
def test_under_a_contract_the_sum_is_true(
    form: str, files: dict[str, bytes], expected: Decimal, tmp_path: Path
) -> None:
    ((contract,), known) = deployed(daily.contract(form))
    published = {}
    for key, data in files.items():
        dataset = known.of(key)
        assert dataset is not None
        published[published_key(key)] = tmp_path / f"{len(published)}.parquet"
        assert isinstance(publish(data, key, dataset, published[published_key(key)]), Published)

    with duckdb.connect() as connection:
        total = connection.sql(f"SELECT sum(amount) FROM '{tmp_path}/*.parquet'").fetchall()
    answer = query.run("SELECT sum(amount) FROM sales", "lake", Lake(contract, published), NOW, None)

    assert total == [(expected,)]
    assert answer.rows == [(str(expected),)]
