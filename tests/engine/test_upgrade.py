"""A stack that the newest release deployed is upgraded to this tree, or from this tree to itself."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.engine.deployment import PROJECT, Engine
from tests.engine.live_stack import HOLD_DATA, LiveStack, replaced

if TYPE_CHECKING:
    from pathlib import Path


def _newest_release() -> str | None:
    """Return the tag of the newest release that this tree contains."""
    git = shutil.which("git")
    if git is None or not (PROJECT / ".git").exists():
        return None
    described = subprocess.run(
        [git, "describe", "--tags", "--abbrev=0", "--match=v*"],
        cwd=PROJECT,
        check=False,
        capture_output=True,
        text=True,
    )
    return described.stdout.strip() or None


RELEASE = _newest_release()


@pytest.fixture(scope="module")
def former(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program of the newest release; this one as long as there is none."""
    folder = tmp_path_factory.mktemp("former")
    if RELEASE:
        archive = folder / "release.tar"
        command = ["git", "archive", f"--output={archive}", RELEASE]
        subprocess.run(command, cwd=PROJECT, check=True)
        shutil.unpack_archive(archive, folder)
    else:
        installed = shutil.ignore_patterns(".*", "__pycache__")
        shutil.copytree(PROJECT, folder, ignore=installed, dirs_exist_ok=True)
    # What is built is named by the hash of its content, so both versions keep theirs here.
    (PROJECT / ".build").mkdir(exist_ok=True)
    (folder / ".build").symlink_to(PROJECT / ".build")
    return folder


@pytest.fixture(scope="module")
def live(engine: Engine, former: Path) -> LiveStack:
    return LiveStack(engine, project=former)


def test_an_upgrade_keeps_what_holds_data_and_the_function_at_work(live: LiveStack) -> None:
    live.deployment.upgrade()
    step = live.up()
    gone = replaced(step) | {name for name, operation in step.operations.items() if operation == "delete"}
    assert not [name for name in gone if name.endswith(HOLD_DATA)]
    if not RELEASE:
        assert not step.operations
    assert not live.deployment.preview(expect_no_changes=True).operations
