"""`datacontract lint` accepts the repository's contracts and the example in docs/datasets.md.

It runs from `.venv-scan`, without the network.
"""

import re
import subprocess
from pathlib import Path

import pytest

from components.regional_analytics import DATASETS_DIRECTORY
from sandbox import program

PROJECT = Path(__file__).resolve().parents[2]


def is_valid(path: Path) -> bool:
    command = [PROJECT / ".venv-scan" / "bin" / "datacontract", "lint", path]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize(
    "path",
    [*sorted(DATASETS_DIRECTORY.glob("*.yaml")), *sorted(program.DATASETS_DIRECTORY.glob("*.yaml"))],
    ids=lambda path: path.stem,
)
def test_a_contract_of_the_repository_is_valid(path: Path) -> None:
    assert is_valid(path)


def test_the_contract_of_the_page_is_valid(tmp_path: Path) -> None:
    page = (PROJECT / "docs" / "datasets.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"( *)```yaml\n( *apiVersion.*?)```", page, flags=re.DOTALL)
    indent, text = example
    path = tmp_path / "sales.yaml"
    path.write_text("".join(line.removeprefix(indent) for line in text.splitlines(keepends=True)))

    assert is_valid(path)


def test_an_invalid_contract_is_found(tmp_path: Path) -> None:
    path = tmp_path / "broken.yaml"
    text = (DATASETS_DIRECTORY / "weather.yaml").read_text(encoding="utf-8")
    path.write_text(text.replace("version: 1.0.0", "revision: 1.0.0"))

    assert not is_valid(path)
