"""The view of a contract with keys returns the newest row of each key."""

from pathlib import Path

import pytest

from components import table_definitions
from local.athena import query
from tests.contracts.drafts import column, custom, dataset, draft
from tests.contracts.publishing import Lake, Published, deployed, publish, published_key
from tests.contracts.test_generated import NOW

KEY = "input/sales/a.csv"


@pytest.mark.parametrize("name", ["version_number", "version", "row_number"])
def test_a_column_may_have_any_name(name: str, tmp_path: Path) -> None:
    content = draft()
    column(content, "id")["primaryKey"] = True
    column(content, "shop").update(name=name, logicalType="integer", required=True)
    dataset(content)["customProperties"].append(custom("orderBy", [name, "id"]))
    ((contract,), known) = deployed(content)
    taker = known.of(KEY)
    assert taker
    data = f"id,amount,sold_at,{name}\n1,2.50,2026-01-01 10:00:00,1\n1,3.50,2026-01-02 10:00:00,2\n"
    published = tmp_path / "a.parquet"
    assert isinstance(publish(data.encode(), KEY, taker, published), Published)

    view = table_definitions.view_query(contract, "lake")
    answer = query.run(view, "lake", Lake(contract, {published_key(KEY): published}), NOW, None)

    assert [row[:4] for row in answer.rows] == [("1", "3.50", "2026-01-02 10:00:00.000", "2")]
