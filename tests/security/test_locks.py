"""Every package that the project's commands install is pinned in a lock file with hashes."""

import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
COMMANDS = [
    PROJECT / "Makefile",
    *sorted(PROJECT.glob(".ci/*")),
    *sorted(PROJECT.glob(".github/**/*.yml")),
]
LOCKS = [
    *sorted((PROJECT / "requirements").glob("*.txt")),
    PROJECT / "requirements.txt",
    PROJECT / "policy" / "requirements.txt",
]


@pytest.mark.parametrize("file", COMMANDS, ids=lambda file: file.name)
def test_every_installation_requires_hashes(file: Path) -> None:
    assert without_hashes(file.read_text()) == []


def test_an_installation_without_hashes_is_found() -> None:
    assert without_hashes("\t@python -m pip install --quiet uv==0.13.9\n") == [
        "@python -m pip install --quiet uv==0.13.9"
    ]


def test_the_makefile_s_flags_require_hashes() -> None:
    assert re.search(r"^PIP_FLAGS := .*--require-hashes", (PROJECT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.relative_to(PROJECT).as_posix())
def test_every_package_of_a_lock_has_a_hash(lock: Path) -> None:
    requirements = [part for part in re.split(r"\n(?=[A-Za-z0-9])", lock.read_text()) if "==" in part]
    assert requirements
    assert [part.split()[0] for part in requirements if "--hash=sha256:" not in part] == []


def test_every_set_of_requirements_has_its_lock() -> None:
    """`make lock` names each set; another one would keep its old versions."""
    named = re.search(r"for set in ([-a-z0-9. ]+);", (PROJECT / "Makefile").read_text())
    assert named
    assert sorted(named[1].split()) == sorted(path.stem for path in (PROJECT / "requirements").glob("*.in"))


def without_hashes(commands: str) -> list[str]:
    """Return the lines that install packages without hashes."""
    return [
        line.strip()
        for line in commands.splitlines()
        if "pip install" in line and not re.search(r"\$\(PIP_FLAGS\)|--require-hashes", line)
    ]
