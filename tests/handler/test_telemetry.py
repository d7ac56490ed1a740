"""The log and the metrics of a job are limited in number and length, and contain no values of the data."""

from dataclasses import replace

import pytest
from botocore.exceptions import ClientError

import telemetry
from datasets import Datasets
from faults import TEXT_MAX, DeliveryError, describe
from job_records import Status
from tests.handler.simulation import SETTINGS
from tests.handler.test_datasets import compiled

COMPILED = {"datasets": [compiled("flights", "input/flights/"), compiled("weather", "weather/")]}


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("input/flights/2026/jan.csv", "flights"),
        ("weather/jan.csv", "weather"),
        ("input/flights", "other"),
        ("flights/jan.csv", "other"),
        ("input/planes/jan.csv", "other"),
    ],
)
def test_a_metric_has_the_dataset_whose_contract_describes_the_key(
    key: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    emitted: list[str] = []
    monkeypatch.setattr(
        telemetry, "emit", lambda _status, _suffix, dataset, _amounts: emitted.append(dataset)
    )

    telemetry.count(replace(SETTINGS, datasets=Datasets(COMPILED)), Status.FAILED, key)

    assert emitted == [expected]


def test_keys_without_a_dataset_share_one_metric(monkeypatch: pytest.MonkeyPatch) -> None:
    emitted: set[str] = set()
    monkeypatch.setattr(telemetry, "emit", lambda _status, _suffix, dataset, _amounts: emitted.add(dataset))

    for number in range(100):
        telemetry.count(SETTINGS, Status.FAILED, f"input/{number}/x.csv")

    assert emitted == {"other"}


def test_an_error_is_described_without_text_that_may_contain_data() -> None:
    denied = ClientError({"Error": {"Code": "AccessDenied", "Message": "canary"}}, "GetObject")
    assert describe(denied) == "GetObject: AccessDenied"
    with pytest.raises(ValueError, match="canary") as raised:
        int("canary")
    assert describe(raised.value).startswith("builtins.ValueError at test_telemetry.py:")
    assert describe(DeliveryError("x" * 1000)) == "x" * TEXT_MAX
