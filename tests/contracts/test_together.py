"""The contracts of a stack must not conflict with each other or with the system."""

from pathlib import Path
from typing import Any

import pytest

from components.contracts import loading
from components.contracts.model import ContractError
from tests.contracts.drafts import column, custom, dataset, draft, load, partition, refusal, write


def contract(name: str, prefix: str) -> dict[str, Any]:
    content = draft()
    dataset(content)["name"] = name
    dataset(content)["customProperties"][0]["value"] = prefix
    return content


@pytest.mark.parametrize(
    ("prefix", "remedy"),
    [
        ("processed/sales/", "processed/"),
        ("input/", "smoke test"),
        ("input/sales", "end with /"),
        ("input//sales/", "end with /"),
        ("/input/", "end with /"),
        ("", "end with /"),
        ("input/_sales/", "begins with _"),
        ("input/.sales/", "begins with _"),
        ("input/s ales/", "letters, digits"),
        ("input/${dt}/", "letters, digits"),
        ("input/%41/", "letters, digits"),
        ("input/*/", "letters, digits"),
        (f"input/{'x' * 700}/", "up to 700"),
    ],
)
def test_prefixes_that_cannot_hold_a_dataset_are_refused(prefix: str, remedy: str, tmp_path: Path) -> None:
    message = refusal(tmp_path, contract("sales", prefix))

    assert remedy in message
    assert f"got {prefix!r}" in message


def test_a_dataset_must_lie_where_uploads_are_taken(tmp_path: Path) -> None:
    message = refusal(tmp_path, contract("sales", "other/sales/"), upload_prefixes=("input/",))

    assert "uploadPrefixes (input/), got 'other/sales/'" in message


def test_a_dataset_must_not_lie_in_another(tmp_path: Path) -> None:
    message = refusal(tmp_path, contract("sales", "input/sales/"), contract("extra", "input/sales/extra/"))

    assert "extra: keyPrefix must not lie under that of sales (input/sales/)" in message


def test_one_prefix_belongs_to_one_dataset(tmp_path: Path) -> None:
    assert "must not lie under" in refusal(
        tmp_path, contract("sales", "input/sales/"), contract("extra", "input/sales/")
    )


def test_a_table_must_not_have_the_name_of_a_view(tmp_path: Path) -> None:
    keyed = draft()
    column(keyed, "id")["primaryKey"] = True
    dataset(keyed)["customProperties"].append(custom("orderBy", ["sold_at", "id"]))

    message = refusal(tmp_path, keyed, contract("sales_current", "input/current/"))

    assert "sales_current: must be the name of one table or view" in message


def test_a_stack_deploys_the_contracts_that_it_names(tmp_path: Path) -> None:
    load(tmp_path, contract("sales", "input/sales/"), contract("extra", "input/extra/"))

    chosen = loading.load(["extra"], tmp_path, system_prefixes=(), upload_prefixes=())

    assert [item.name for item in chosen] == ["extra"]
    assert loading.load([], tmp_path, system_prefixes=(), upload_prefixes=()) == ()


def test_a_contract_that_is_not_there_is_refused_with_a_hint(tmp_path: Path) -> None:
    load(tmp_path, contract("sales", "input/sales/"))

    with pytest.raises(ContractError, match=r"did you mean sales\?.*got 'sale'"):
        loading.load(["sale"], tmp_path, system_prefixes=(), upload_prefixes=())


def test_a_file_has_the_name_of_its_dataset(tmp_path: Path) -> None:
    write(tmp_path, contract("sales", "input/sales/"), name="vendas")

    assert "must be the file's name, vendas, got 'sales'" in refusal(tmp_path)


@pytest.mark.parametrize(
    ("projection", "remedy"),
    [
        ({"type": "dates"}, "date, integer, enum, injected"),
        ({"type": "enum", "values": []}, "at least one"),
        ({"type": "enum", "values": ["a", "a"]}, "different"),
        ({"type": "enum", "values": ["a b"]}, "space"),
        ({"type": "enum", "values": ["a,b"]}, "comma"),
        ({"type": "enum", "values": ["a"], "first": "a"}, "left out"),
        ({"type": "integer", "first": "2", "last": "1"}, "no greater"),
        ({"type": "integer", "first": "a", "last": "b"}, "integers"),
        ({"type": "integer", "first": "0", "last": "99999999"}, "1,000,000"),
        ({"type": "date", "first": "2026-01-01", "last": "NOW"}, "NOW+1DAY"),
        ({"type": "date", "first": "01.01.2026", "last": "NOW+1DAY"}, "yyyy-MM-dd"),
        (
            {"type": "date", "first": "2026/01/01", "last": "NOW+1DAY", "format": "yyyy/MM/dd"},
            "folder's name",
        ),
        ({"type": "date", "first": "2026-01-01", "last": "NOW+1DAY", "intervalUnit": "FORTNIGHTS"}, "WEEKS"),
        ({"type": "date", "first": "2026-01-01", "last": "NOW+1DAY", "interval": 0}, "1 or more"),
        ({"type": "date", "first": "2026-01-02", "last": "2026-01-01"}, "no later than last"),
        (
            {
                "type": "date",
                "first": "2026-01",
                "last": "2026-12",
                "format": "yyyy-MM",
                "intervalUnit": "DAYS",
            },
            "no finer",
        ),
        ({"type": "date"}, "first must be"),
        ({"type": "integer"}, "integers"),
        ({"type": "enum", "values": [1]}, "quotes"),
    ],
)
def test_projections_that_athena_refuses_or_misreads_are_refused(
    projection: dict[str, Any], remedy: str, tmp_path: Path
) -> None:
    content = draft()
    dataset(content)["properties"].append(partition("dt", **projection))

    assert remedy in refusal(tmp_path, content)


def test_an_injected_partition_cannot_have_keys(tmp_path: Path) -> None:
    content = draft()
    column(content, "id")["primaryKey"] = True
    dataset(content)["customProperties"].append(custom("orderBy", ["sold_at", "id"]))
    dataset(content)["properties"].append(partition("customer", type="injected"))

    assert "injected partition" in refusal(tmp_path, content)
