"""The function accepts the keys that the embedded Athena finds, and no others."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from components import table_definitions
from components.contracts.compiled import compile_contracts
from datasets import Datasets
from local.athena import projection as athena
from tests.contracts import drafts
from tests.contracts.projections import NOT_OF_TRINO, PROJECTIONS
from tests.contracts.publishing import Lake, published_key

NOW = datetime(2026, 11, 28, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize(("projection", "values"), [*PROJECTIONS, *NOT_OF_TRINO])
def test_what_is_hidden_from_athena_is_not_taken(
    projection: dict[str, Any], values: list[str], tmp_path: Path
) -> None:
    content = drafts.draft()
    drafts.dataset(content)["properties"].append(drafts.partition("part", **projection))
    (contract,) = drafts.load(tmp_path, content)
    known = Datasets(json.loads(compile_contracts([contract])))
    keys = {f"input/sales/part={value}/a.csv": value for value in values}
    taken = {
        value
        for key, value in keys.items()
        if (dataset := known.of(key)) and dataset.hidden_because(key, NOW) is None
    }
    table = Lake(contract, {}).table("lake", "sales")
    assert table is not None
    assert table.parameters == table_definitions.table_parameters(contract, "lake")

    found = {file.values["part"] for file in athena.files(table, map(published_key, keys), NOW)}

    assert found == taken
    assert 0 < len(found) < len(values)
