"""The pages lead to what exists."""

import re
from pathlib import Path

PROJECT_DIRECTORY = Path(__file__).resolve().parents[1]


def test_links_lead_somewhere() -> None:
    pages = [PROJECT_DIRECTORY / "README.md", *(PROJECT_DIRECTORY / "docs").glob("*.md")]
    missing = [
        f"{page.name}: {link}"
        for page in pages
        for link in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8"))
        if not link.startswith("http") and not (page.parent / link).exists()
    ]
    assert not missing
