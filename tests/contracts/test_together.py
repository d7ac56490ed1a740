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

    assert "uploadPrefixes, got 'other/sales/'" in message
    assert "input/" not in message, "the prefixes may be a secret"


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
            "between them",
        ),
        *(
            ({"type": "date", "first": "NOW-1DAY", "last": "NOW+1DAY", "format": form}, f"got {form!r}")
            for form in (
                "yyyy,MM,dd",
                "yyyy-MM-dd-hh",
                "'x'",
                "",
                "HH",
                "MM",
                "dd",
                "yyyy-yyyy",
                "yyyy-dd",
                "yyyyyyyy",
                "MM-dd",
                "yyyy-M-d",
                "yy-MM-dd",
                "dd-MMMM-yyyy",
                "uuuu",
                "yyyy-MM-dd'T'HH",
                "yyyy-MM-ddXXX",
            )
        ),
        *(
            (
                {"type": "date", "first": "NOW-30DAYS", "last": "NOW+1DAY", **steps},
                "must be a date if the steps leave out values",
            )
            for steps in ({"interval": 7}, {"intervalUnit": "WEEKS"}, {"intervalUnit": "MONTHS"})
        ),
        (
            {"type": "date", "first": "2024-01-31", "last": "NOW+1DAY", "intervalUnit": "MONTHS"},
            "up to the 28th",
        ),
        (
            {"type": "date", "first": "2024-02-29", "last": "NOW+1DAY", "intervalUnit": "YEARS"},
            "up to the 28th",
        ),
        ({"type": "date", "first": "2024-1-1", "last": "NOW+1DAY"}, "first must be a date as yyyy-MM-dd"),
        ({"type": "date", "first": "2024-01-01 ", "last": "NOW+1DAY"}, "first must be a date as yyyy-MM-dd"),
        ({"type": "date", "first": "2999-01-01", "last": "NOW+1DAY"}, "earlier than last"),
        ({"type": "date", "first": "NOW+10DAYS", "last": "NOW+1DAY"}, "earlier than last"),
        ({"type": "date", "first": "NOW-1DAY", "last": "2001-01-01"}, "earlier than last"),
        *(
            ({"type": "date", "first": "2026-01-01", "last": last}, "NOW+1DAY or later, for NOW is in UTC")
            for last in ("NOW+0DAY", "NOW+1HOUR", "NOW-1DAY", "NOW+23HOURS", "NOW+1439MINUTES")
        ),
        (
            {
                "type": "date",
                "first": "1900-01-01-00-00-00",
                "last": "2001-01-01-00-00-00",
                "format": "yyyy-MM-dd-HH-mm-ss",
            },
            "up to 1,000,000 partitions",
        ),
        ({"type": "enum", "values": ["a\tb"]}, r"got 'a\tb'"),
        ({"type": "enum", "values": ["a\n"]}, r"got 'a\n'"),
        ({"type": "enum", "values": ["a\u00a0b"]}, "visible characters"),
        ({"type": "enum", "values": ["${dt}"]}, "got '${dt}'"),
        ({"type": "enum", "values": [""]}, "got ''"),
        ({"type": "integer", "first": "\u0661", "last": "\u0669"}, "integers"),
        (
            {"type": "integer", "first": "1", "last": "9", "interval": 10**30},
            "interval must be 1 to 100,000,000",
        ),
        ({"type": "date", "first": "2026-01-01", "last": "NOW+1DAY", "intervalUnit": "FORTNIGHTS"}, "WEEKS"),
        ({"type": "date", "first": "2026-01-01", "last": "NOW+1DAY", "interval": 0}, "1 to 100,000,000"),
        ({"type": "date", "first": "2026-01-02", "last": "2026-01-01"}, "earlier than last"),
        ({"type": "date", "first": "2026-01-01", "last": "2026-01-01"}, "a single value is an enum"),
        ({"type": "date", "first": "NOW+1DAY", "last": "NOW+24HOURS"}, "a single value is an enum"),
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


@pytest.mark.parametrize(
    ("format_", "first", "last"),
    [
        ("yyyy", "2020", "2030"),
        ("MM-yyyy", "01-2024", "NOW+1MONTH"),
        ("yyyyMMdd", "NOW-3YEARS", "NOW+1DAY"),
        ("yyyy-MM", "NOW-3YEARS", "NOW+1DAY"),
        ("dd.MM.yyyy_HH", "31.12.2025_00", "NOW+24HOURS"),
    ],
)
def test_dates_may_be_written_in_any_order(format_: str, first: str, last: str, tmp_path: Path) -> None:
    content = draft()
    dataset(content)["properties"].append(
        partition("dt", type="date", first=first, last=last, format=format_)
    )

    (contract,) = load(tmp_path, content)

    assert (contract.partitions[0].first, contract.partitions[0].last) == (first, last)


def test_a_range_that_grows_is_not_counted_as_no_deployment_may_fail_with_time(tmp_path: Path) -> None:
    content = draft()
    dataset(content)["properties"].append(
        partition("c", type="date", first="2001-01-01-00-00", last="NOW+1DAY", format="yyyy-MM-dd-HH-mm")
    )

    assert load(tmp_path, content)


def test_the_partitions_of_several_columns_are_multiplied(tmp_path: Path) -> None:
    content = draft()
    dataset(content)["properties"] += [
        partition("a", 1, type="integer", first="1", last="1000"),
        partition("b", 2, type="enum", values=["x", "y"]),
        partition("c", 3, type="date", first="2001", last="2501", format="yyyy"),
    ]

    message = refusal(tmp_path, content)

    assert "properties: must have up to 1,000,000 partitions together" in message
    assert "got 1,002,000" in message


def test_an_injected_partition_cannot_have_keys(tmp_path: Path) -> None:
    content = draft()
    column(content, "id")["primaryKey"] = True
    dataset(content)["customProperties"].append(custom("orderBy", ["sold_at", "id"]))
    dataset(content)["properties"].append(partition("customer", type="injected"))

    assert "injected partition" in refusal(tmp_path, content)
