"""The links of the README and the pages of docs/ lead to pages and headings that exist."""

import re
from collections.abc import Iterator
from pathlib import Path

PROJECT_DIRECTORY = Path(__file__).resolve().parents[2]
PAGES = [
    *(PROJECT_DIRECTORY / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *(PROJECT_DIRECTORY / "docs").glob("*.md"),
]


def test_links_lead_somewhere() -> None:
    missing = [
        f"{page.name}: {link}"
        for page in PAGES
        for link in re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8"))
        if not link.startswith("http") and not exists(page, link)
    ]
    assert not missing


def exists(page: Path, link: str) -> bool:
    name, _, anchor = link.partition("#")
    target = page.parent / name if name else page
    return target.exists() and (not anchor or anchor in anchors(target))


def anchors(page: Path) -> Iterator[str]:
    """Yield the anchors that GitHub gives a page's headings."""
    for heading in re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE):
        yield re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


FOLDERS = "bootstrap|components|datasets|docs|handler|local|ops|policy|requirements|sandbox|terminal|tests"


def test_named_files_exist() -> None:
    """docs/security.md names tests without their folder, and docs/datasets.md has an example."""
    known = [PROJECT_DIRECTORY, PROJECT_DIRECTORY / "tests"]
    missing = [
        f"{page.name}: {path}"
        for page in PAGES
        for path in re.findall(rf"`((?:{FOLDERS})/[\w./-]*)(?:::\w+)?`", page.read_text(encoding="utf-8"))
        if path != "datasets/sales.yaml" and not any((folder / path).exists() for folder in known)
    ]
    assert not missing
