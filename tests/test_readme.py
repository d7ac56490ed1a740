"""What the README says of the program is what the program says of itself."""

import json
import re
from pathlib import Path

import yaml

from tests.program import evaluation

PROJECT_DIRECTORY = Path(__file__).resolve().parents[1]
README = (PROJECT_DIRECTORY / "README.md").read_text(encoding="utf-8")


def table(heading: str) -> dict[str, list[str]]:
    """The first table below a heading: cells by what the first one names."""
    section = README.split(f"### {heading}\n")[1].split("\n#")[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| `")]
    return {name.strip("`"): cells for name, *cells in rows}


def test_configuration_table_names_settings_with_their_defaults() -> None:
    schema = yaml.safe_load((PROJECT_DIRECTORY / "Pulumi.yaml").read_text(encoding="utf-8"))["config"]
    for key, (default, _) in table("Configuration").items():
        declaration = schema[f"regional-analytics:{key}"]
        value = declaration.get("default")
        shown = f"`{value if isinstance(value, str) else json.dumps(value)}`"
        assert default == (shown if "default" in declaration else "*must be set*"), key


def test_outputs_table_is_what_a_stack_exports() -> None:
    assert set(table("Outputs")) == set(evaluation.evaluate("us-east-1").outputs)


def test_links_lead_somewhere() -> None:
    pages = [PROJECT_DIRECTORY / "README.md", *(PROJECT_DIRECTORY / "docs").glob("*.md")]
    missing = [
        f"{page.name}: {link}"
        for page in pages
        for link in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8"))
        if not link.startswith("http") and not (page.parent / link).exists()
    ]
    assert not missing
