"""The supported runtimes, and the warnings of a stack."""

from datetime import date
from typing import Any

import botocore.session
import pytest

from components.runtimes import RUNTIMES
from components.settings import Settings
from tests.program.evaluation import evaluate

BEFORE_ALL = date(2026, 1, 1)


def warnings(today: date, **changes: Any) -> list[str]:
    return [*Settings.of(region="eu-west-1", cidr_block="10.1.0.0/16", **changes).warnings(today)]


def test_runtimes_are_ones_that_lambda_has() -> None:
    model = botocore.session.get_session().get_service_model("lambda")
    known = model.shape_for("Runtime").enum
    assert set(RUNTIMES) <= set(known)


@pytest.mark.parametrize("name", RUNTIMES)
def test_warning_begins_a_year_before_support_ends(name: str) -> None:
    end = RUNTIMES[name].supported_until
    assert warnings(date(end.year - 1, end.month, end.day - 1), python_runtime=name) == []
    (warning,) = warnings(date(end.year - 1, end.month, end.day), python_runtime=name)
    assert warning.startswith(
        f"regional-analytics:pythonRuntime: AWS's support of {name} ends on {end}; set python3.14"
    )
    (warning,) = warnings(date(end.year, end.month + 1, 1), python_runtime=name)
    assert f"{name} ended on {end}" in warning


@pytest.mark.parametrize(
    ("setting", "most", "warned"),
    [
        ("memory_size", 3008, "memorySize: 3009 is more"),
        ("maximum_concurrency", 10, "maximumConcurrency: 11 is more"),
    ],
)
def test_settings_above_the_quotas_of_new_accounts_give_a_warning(
    setting: str, most: int, warned: str
) -> None:
    assert warnings(BEFORE_ALL, **{setting: most}) == []
    (warning,) = warnings(BEFORE_ALL, **{setting: most + 1})
    assert warning.startswith(f"regional-analytics:{warned}")


@pytest.mark.parametrize(
    ("uploads", "archived", "warned"),
    [
        ((), ("input/",), []),
        (("input/sales/",), ("input/",), []),
        (("input/",), ("input/sales/",), []),
        (("sales/",), ("input/", "sales/"), ["input/"]),
    ],
)
def test_prefixes_under_which_nothing_is_archived_give_a_warning(
    uploads: tuple[str, ...], archived: tuple[str, ...], warned: list[str]
) -> None:
    assert warnings(BEFORE_ALL, upload_prefixes=uploads, archive_prefixes=archived) == [
        "regional-analytics:archivePrefixes: no upload is archived, as uploadPrefixes leave it out,"
        f" got {one!r}"
        for one in warned
    ]


def test_deployment_prints_the_warnings() -> None:
    told = evaluate("eu-west-1", {"regional-analytics:memorySize": "4096"}).warnings
    assert any("regional-analytics:memorySize: 4096 is more" in warning for warning in told), told
