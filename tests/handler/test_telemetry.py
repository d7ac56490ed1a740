"""What is told of a job is bounded: in its number of metrics, in its text, in what it gives away."""

import pytest
from botocore.exceptions import ClientError

import telemetry
from faults import TEXT_MAX, DeliveryError, describe


@pytest.fixture(autouse=True)
def no_datasets_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telemetry, "_datasets", set())


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("input/flights/2026/jan.csv", "flights"),
        ("flights/jan.csv", "flights"),
        ("jan.csv", "other"),
        ("input/jan.csv", "other"),
        ("input/2026-11-22/jan.csv", "other"),
        ("year=2026/jan.csv", "other"),
        ("x" * 33 + "/jan.csv", "other"),
        ("/jan.csv", "other"),
    ],
)
def test_a_data_set_is_a_folder_without_dates_and_ids(key: str, expected: str) -> None:
    assert telemetry.dataset(key) == expected


def test_data_sets_are_few() -> None:
    letters = "abcdefghijklmnopqrstuvwxyz"
    names = {telemetry.dataset(f"input/{a}{b}/x.csv") for a in letters for b in letters}
    assert len(names) == 21
    assert telemetry.dataset("input/aa/y.csv") == "aa"


def test_an_error_is_described_without_the_text_that_may_quote_data() -> None:
    denied = ClientError({"Error": {"Code": "AccessDenied", "Message": "canary"}}, "GetObject")
    assert describe(denied) == "GetObject: AccessDenied"
    with pytest.raises(ValueError, match="canary") as raised:
        int("canary")
    assert describe(raised.value).startswith("builtins.ValueError at test_telemetry.py:")
    assert describe(DeliveryError("x" * 1000)) == "x" * TEXT_MAX
