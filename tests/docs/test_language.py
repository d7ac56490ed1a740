"""The README and the pages of docs/ are in plain English: short sentences, and the field's own terms."""

import re
from pathlib import Path

import pytest

from tests.docs.prose import sentences, words

PROJECT_DIRECTORY = Path(__file__).resolve().parents[2]
PAGES = [
    *(PROJECT_DIRECTORY / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted((PROJECT_DIRECTORY / "docs").glob("*.md")),
]
MOST_WORDS = 30
COINED = ("proof", "proofs", "screen", "screens", "sound", "sounds", "toys", "ways", "world", "worlds")
"""Words that the project once used for what has a name: a check, a filter, valid, a test double, methods."""


@pytest.fixture(params=PAGES, ids=lambda page: page.name)
def page(request: pytest.FixtureRequest) -> str:
    return request.param.read_text(encoding="utf-8")


def test_no_sentence_is_long(page: str) -> None:
    long = [f"{len(words(one))}: {one}" for one in sentences(page) if len(words(one)) > MOST_WORDS]
    assert not long, "\n".join(long)


def test_no_word_is_coined(page: str) -> None:
    used = {word.lower() for one in sentences(page) for word in re.findall(r"[A-Za-z]+", one)}
    assert used.isdisjoint(COINED)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two? `three` four.", ["One.", "Two?", "CODE four."]),
        ("A line\nand its end.", ["A line and its end."]),
        ("# Heading\nText.", ["Heading", "Text."]),
        ("1. First\n   item\n2. Second", ["First item", "Second"]),
        ("| a | b |\n|---|---|\n| c. D | e |", ["a", "b", "c.", "D", "e"]),
        ("Before\n\n```sh\nnot this\n```\n\nAfter", ["Before", "After"]),
        ("On https://a.b/c.d now. [a.md](docs/a.md) says it.", ["On URL now.", "[a.md] says it."]),
        ("**Do.** Fix it, at 0.5 of 1.", ["Do.", "Fix it, at 0.5 of 1."]),
    ],
)
def test_sentences_are_told_apart(text: str, expected: list[str]) -> None:
    assert [one.strip() for one in sentences(text)] == expected
