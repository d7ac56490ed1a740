"""An object belongs to the dataset with its prefix; keys that the table would not show have a reason."""

from datetime import UTC, datetime
from typing import Any

import pytest

from datasets import Datasets

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
READING = {
    "format": "delimited", "delimiter": ",", "quote": '"', "escape": '"', "header": True, "skip_lines": 0,
    "encoding": "utf-8", "null_markers": [""], "decimal_separator": ".", "thousands_separator": "",
    "sheet": "",
}  # fmt: skip
HANDLING = {
    "unexpected_columns": "drop", "missing_columns": "asNull", "bad_values": "reject",
    "rejected_share_max": None,
}  # fmt: skip


def compiled(name: str, prefix: str, *partitions: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": name, "version": "1.0.0", "prefix": prefix, "partitions": list(partitions), "columns": [],
        "rescues": False, "reading": READING, "handling": HANDLING, "rules": [],
    }  # fmt: skip


def day(first: str = "2026-01-01", last: str = "NOW+1DAY", **others: Any) -> dict[str, Any]:
    return {
        "name": "dt", "projection": "date", "first": first, "last": last, "format": "%Y-%m-%d", "interval": 1,
        "interval_unit": "DAYS", **others,
    }  # fmt: skip


INJECTED = {"name": "c", "projection": "injected"}


def datasets(*of: dict[str, Any]) -> Datasets:
    return Datasets({"datasets": list(of)})


def hidden(key: str, *partitions: dict[str, Any], now: datetime = NOW) -> str | None:
    dataset = datasets(compiled("sales", "input/sales/", *partitions)).of(key)
    assert dataset is not None
    return dataset.hidden_because(key, now)


def test_a_key_belongs_to_the_dataset_whose_prefix_it_has() -> None:
    known = datasets(compiled("sales", "input/sales/"), compiled("shops", "input/shops/"))

    found = [known.of(key) for key in ("input/shops/a.csv", "input/sales/x/y", "input/salesx", "input/other")]

    assert [dataset.contract.name if dataset else None for dataset in found] == ["shops", "sales", None, None]


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("input/sales/a.csv", None),
        ("input/sales/deep/a.csv", None),
        ("input/sales/_a.csv", "begins with _"),
        ("input/sales/.hidden/a.csv", "begins with _"),
        ("input/sales//a.csv", "empty part"),
        ("input/sales/", "empty part"),
    ],
)
def test_keys_that_athena_does_not_read_have_a_reason(key: str, reason: str | None) -> None:
    reported = hidden(key)

    assert reported is None if reason is None else reason in (reported or "")


@pytest.mark.parametrize(
    ("folder", "shown"),
    [
        ("dt=2026-11-28", True),
        ("dt=2026-11-29", True),
        ("dt=2026-11-30", False),
        ("dt=2025-12-31", False),
        ("dt=2026-1-1", False),
        ("dt=20260101", False),
        ("day=2026-11-28", False),
        ("2026-11-28", False),
    ],
)
def test_a_day_must_be_in_the_projection(folder: str, shown: bool) -> None:
    assert (hidden(f"input/sales/{folder}/a.csv", day()) is None) is shown


@pytest.mark.parametrize(
    ("value", "shown"), [("2026-01-01", True), ("2026-01-08", True), ("2026-01-02", False)]
)
def test_a_day_must_be_on_a_step(value: str, shown: bool) -> None:
    assert (hidden(f"input/sales/dt={value}/a", day(interval=7)) is None) is shown


@pytest.mark.parametrize(("value", "shown"), [("2026-01", True), ("2026-04", True), ("2026-02", False)])
def test_a_month_must_be_on_a_step(value: str, shown: bool) -> None:
    quarterly = day(first="2026-01", format="%Y-%m", interval=3, interval_unit="MONTHS")

    assert (hidden(f"input/sales/dt={value}/a", quarterly) is None) is shown


@pytest.mark.parametrize(
    ("value", "shown"), [("2026-10-28", True), ("2026-08-28", True), ("2026-08-27", False)]
)
def test_both_ends_may_be_relative(value: str, shown: bool) -> None:
    assert (hidden(f"input/sales/dt={value}/a", day(first="NOW-3MONTHS")) is None) is shown


@pytest.mark.parametrize(
    ("first", "day_before", "day_shown"),
    [
        ("NOW-1MONTH", "2026-04-29", "2026-04-30"),
        ("NOW-3MONTHS", "2026-02-27", "2026-02-28"),
        ("NOW-2MONTHS", "2026-03-30", "2026-03-31"),
        ("NOW-1YEAR", "2025-05-30", "2025-05-31"),
    ],
)
def test_a_month_without_the_day_of_now_ends_earlier(first: str, day_before: str, day_shown: str) -> None:
    now = datetime(2026, 5, 31, tzinfo=UTC)
    values = (day_before, day_shown)

    found = [hidden(f"input/sales/dt={value}/a", day(first=first), now=now) is None for value in values]

    assert found == [False, True]


@pytest.mark.parametrize(
    ("folders", "shown"),
    [("n=01/c=x", True), ("n=1/c=x", False), ("n=03/c=x", False), ("n=01/c=y", False), ("c=x/n=01", False)],
)
def test_integers_are_padded_and_enums_are_listed(folders: str, shown: bool) -> None:
    number = {"name": "n", "projection": "integer", "first": 1, "last": 2, "interval": 1, "digits": 2}
    country = {"name": "c", "projection": "enum", "values": ["x", "z"]}

    assert (hidden(f"input/sales/{folders}/a.csv", number, country) is None) is shown


def test_an_injected_value_may_be_anything() -> None:
    assert hidden("input/sales/c=anybody/a.csv", INJECTED) is None


def test_an_injected_value_must_not_be_empty() -> None:
    assert "value of c" in (hidden("input/sales/c=/a.csv", INJECTED) or "")


def test_a_key_whose_output_would_lose_its_partition_is_hidden() -> None:
    at_most = 1024 - len("processed/input/sales/c=/a.csv.parquet")

    assert hidden(f"input/sales/c={'z' * at_most}/a.csv", INJECTED) is None
    assert "bytes" in (hidden(f"input/sales/c={'z' * (at_most + 1)}/a.csv", INJECTED) or "")
    assert hidden(f"input/sales/c=z/{'a' * at_most}/a.csv", INJECTED) is None
    assert hidden(f"input/sales/c={'z' * at_most}z/a.csv") is None


def test_a_stack_without_contracts_has_no_datasets(tmp_path: Any) -> None:
    assert list(Datasets.load(tmp_path / "datasets.json")) == []
