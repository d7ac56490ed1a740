"""The README's table of speeds has the figures that `make bench` wrote into docs/benchmarks.md."""

import re

from tests.docs.test_links import PROJECT_DIRECTORY

PROCESSOR_TIME = 3
"""The column of docs/benchmarks.md with the multiples of the COPY's processor time."""


def test_the_readme_has_the_measured_figures() -> None:
    _, *engines = rows(section("README.md", "How fast it is"))[0]
    compared = rows(section("README.md", "How fast it is"))[2:]
    assert len(compared) == 3
    for format_, *figures in compared:
        heading = rf"{re.escape(format_)}, \d+ MB"
        measured = {row[0]: row[PROCESSOR_TIME] for row in rows(section("docs/benchmarks.md", heading))}
        assert dict(zip(engines, figures, strict=True)) == {engine: measured[engine] for engine in engines}


def section(page: str, heading: str) -> str:
    text = (PROJECT_DIRECTORY / page).read_text(encoding="utf-8")
    found = re.search(rf"^## {heading}$(.*?)(?=^## |\Z)", text, flags=re.MULTILINE | re.DOTALL)
    assert found, heading
    return found[1]


def rows(text: str) -> list[list[str]]:
    """Return the cells of a table in Markdown, with its header and the line below that."""
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith("|")
    ]
