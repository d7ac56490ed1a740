"""The tests that docs/security.md names exist."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
DOCUMENT = (TESTS.parent / "docs" / "security.md").read_text()
NAMED = sorted(set(re.findall(r"`(\w+/test_\w+\.py)::(test_\w+)`", DOCUMENT)))
HEADINGS = ("| Attacker |", "| Threat |")
ROWS = [line for line in DOCUMENT.splitlines() if line.startswith("| ") and not line.startswith(HEADINGS)]
ATTACKERS = (
    *("An uploader", "A reader", "Another AWS account", "A compromised function"),
    *("A neighbour", "A web page", "A contributor"),
)


@pytest.mark.parametrize(("file", "test"), NAMED, ids=[test for _, test in NAMED])
def test_named_test_exists(file: str, test: str) -> None:
    assert f"def {test}(" in (TESTS / file).read_text()


def test_each_attacker_has_a_row() -> None:
    attackers = DOCUMENT.split("## Attackers")[1].split("\n## ")[0]
    for attacker in ATTACKERS:
        assert f"| {attacker}" in attackers, attacker


def test_every_row_has_a_test() -> None:
    assert len(ROWS) > 20
    for row in ROWS:
        assert re.search(r"`\w+/test_\w+\.py::test_\w+`", row), row
