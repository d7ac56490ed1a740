"""What is told of a job is bounded: in its number of metrics, in its text, in what it gives away."""

import pytest
from botocore.exceptions import ClientError

import telemetry
from faults import TEXT_MAX, DeliveryError, describe

KNOWN = ("flights", "weather")


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("input/flights/2026/jan.csv", "flights"),
        ("flights/jan.csv", "flights"),
        ("weather/jan.csv", "weather"),
        ("flights", "other"),
        ("flights.csv", "other"),
        ("input/jan.csv", "other"),
        ("input/planes/jan.csv", "other"),
        ("/flights/jan.csv", "other"),
        ("other/jan.csv", "other"),
    ],
)
def test_a_dataset_is_a_folder_that_the_stack_knows(key: str, expected: str) -> None:
    assert telemetry.dataset(key, KNOWN) == expected


def test_no_key_makes_a_metric_of_its_own_where_no_dataset_is_known() -> None:
    assert {telemetry.dataset(f"input/{number}/x.csv", ()) for number in range(100)} == {"other"}


def test_an_error_is_described_without_the_text_that_may_quote_data() -> None:
    denied = ClientError({"Error": {"Code": "AccessDenied", "Message": "canary"}}, "GetObject")
    assert describe(denied) == "GetObject: AccessDenied"
    with pytest.raises(ValueError, match="canary") as raised:
        int("canary")
    assert describe(raised.value).startswith("builtins.ValueError at test_telemetry.py:")
    assert describe(DeliveryError("x" * 1000)) == "x" * TEXT_MAX
