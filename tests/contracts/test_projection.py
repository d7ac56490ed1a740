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
from tests.contracts.daily import contract
from tests.contracts.projections import NOT_OF_TRINO, PROJECTIONS
from tests.contracts.publishing import Lake, Published, deployed, publish, published_key


@pytest.mark.parametrize(
    "now", [datetime(2026, 11, 28, 12, 30, tzinfo=UTC), datetime(2026, 5, 31, 12, 30, tzinfo=UTC)]
)
@pytest.mark.parametrize(("projection", "values"), [*PROJECTIONS, *NOT_OF_TRINO])
def test_what_is_hidden_from_athena_is_not_taken(
    projection: dict[str, Any], values: list[str], now: datetime, tmp_path: Path
) -> None:
    content = drafts.draft()
    drafts.dataset(content)["properties"].append(drafts.partition("part", **projection))
    (loaded,) = drafts.load(tmp_path, content)
    known = Datasets(json.loads(compile_contracts([loaded])))
    keys = {f"input/sales/part={value}/a.csv": value for value in values}
    taken = {
        value
        for key, value in keys.items()
        if (dataset := known.of(key)) and dataset.hidden_because(key, now) is None
    }
    table = Lake(loaded, {}).table("lake", "sales")
    assert table is not None
    assert table.parameters == table_definitions.table_parameters(loaded, "lake")

    found = {file.values["part"] for file in athena.files(table, map(published_key, keys), now)}

    assert found == taken
    assert 0 < len(found) < len(values)


@pytest.mark.parametrize(
    ("projection", "folder", "texts", "others"),
    [
        ({"type": "integer", "first": "1", "last": "12", "digits": 2}, "05", ["05", 5, "5"], ["5.5", 6]),
        (
            {"type": "date", "first": "20260101", "last": "NOW+1DAY", "format": "yyyyMMdd"},
            "20260131",
            ["20260131", 20260131, "2026-01-31", "2026-01-31T00:00:00", "2026-01-31 00:00:00"],
            ["2026-01-30", "2026-01-31 00:00:01"],
        ),
        (
            {
                "type": "date", "first": "2026-01-01-00", "last": "NOW+1DAY", "format": "yyyy-MM-dd-HH",
                "intervalUnit": "HOURS",
            },
            "2026-01-31-05",
            ["2026-01-31-05", "2026-01-31 05:00:00"],
            ["2026-01-31", "2026-01-31 06:00:00"],
        ),
        ({"type": "enum", "values": ["05", "5"]}, "05", ["05"], ["5", 5]),
    ],
)  # fmt: skip
def test_a_file_writes_a_partitions_value_as_the_key_or_as_its_number_or_date(
    projection: dict[str, Any], folder: str, texts: list[Any], others: list[Any], tmp_path: Path
) -> None:
    content = contract("json")
    drafts.dataset(content)["properties"].append(drafts.partition("part", **projection))
    _, known = deployed(content)
    key = f"input/sales/part={folder}/a.json"
    dataset = known.of(key)
    assert dataset is not None
    rows = [json.dumps({"id": 1, "part": text}) for text in texts + others]

    published = publish("\n".join(rows).encode(), key, dataset, tmp_path / "a.parquet")

    assert published == Published(len(rows), len(texts), len(others))
