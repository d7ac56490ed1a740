"""docs/cost.md is calculated from its counts and prices."""

import json
from datetime import date

import pytest

from tests.benchmarks.cost import (
    COUNTS,
    PAGE,
    PRICES,
    REGIONS,
    idle,
    per_gigabyte,
    per_object,
    price,
    render,
    total,
)
from tests.monitoring.region import evaluate_monitoring


def test_page_is_up_to_date() -> None:
    counts, prices = (json.loads(path.read_text(encoding="utf-8")) for path in (COUNTS, PRICES))
    assert PAGE.read_text(encoding="utf-8") == render(counts, prices), (
        "run PYTHONPATH=handler python -m tests.benchmarks.cost"
    )


def test_other_pages_give_the_same_figures() -> None:
    counts, prices = (json.loads(path.read_text(encoding="utf-8")) for path in (COUNTS, PRICES))
    idle_month = f"{total(idle(counts), prices, 'us-east-1'):.2f} dollars a month in us-east-1"
    readme, deploying = (
        (PAGE.parents[1] / name).read_text(encoding="utf-8") for name in ("README.md", "docs/deploying.md")
    )
    assert idle_month in readme
    assert idle_month in deploying
    compute = {name: line for name, line in per_gigabyte(counts).items() if "GB-months" not in name}
    gigabyte = total(compute, prices, "us-east-1") + 10 * total(per_object(counts), prices, "us-east-1")
    assert f"a gigabyte of CSV in ten files costs about {gigabyte:.4f} dollars" in readme


def test_idle_cost_counts_every_metric_that_the_alarms_watch() -> None:
    counts = json.loads(COUNTS.read_text(encoding="utf-8"))
    watched = sum(
        len([query for query in alarm["metricQueries"] if "metric" in query])
        if "metricQueries" in alarm
        else 1
        for kind, alarm in evaluate_monitoring().items()
        if kind != "region-healthy"
    )
    assert idle(counts)["alarms (metrics watched)"] == (watched, "alarm_metric_month")


def test_prices_of_a_region_come_first_and_the_others_are_marked() -> None:
    prices = {"us-east-1": {"log_gb": [0.5], "event": [1]}, "eu-west-1": {"log_gb": [0.57]}}
    assert price(prices, "eu-west-1", "log_gb") == (0.57, True)
    assert price(prices, "eu-west-1", "event") == (1, False)
    assert total({"log": (2, "log_gb"), "events": (3, "event")}, prices, "eu-west-1") == pytest.approx(4.14)


def test_every_price_has_its_date_and_source() -> None:
    prices = json.loads(PRICES.read_text(encoding="utf-8"))
    assert prices["us-east-1"].keys() == prices["notes"].keys()
    for region in REGIONS:
        assert prices[region].keys() <= prices["notes"].keys()
        for value, day, source in prices[region].values():
            assert value > 0
            assert source
            assert date.fromisoformat(day) <= date.fromisoformat(prices["read"])


def test_an_object_costs_less_than_a_tenth_of_a_cent() -> None:
    counts, prices = (json.loads(path.read_text(encoding="utf-8")) for path in (COUNTS, PRICES))
    for region in REGIONS:
        assert 0 < total(per_object(counts), prices, region) < 0.001
