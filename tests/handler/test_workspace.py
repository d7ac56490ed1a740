"""Disk space is freed by the conversion that used it, or else by the next one."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from workspace import workspace


@pytest.fixture(autouse=True)
def own_tmp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_the_directory_is_empty_and_removed_afterwards(own_tmp: Path) -> None:
    for _ in range(2):
        with workspace() as path:
            assert list(path.iterdir()) == []
            (path / "data").write_bytes(b"x")
        assert list(own_tmp.iterdir()) == []


def test_directories_of_ended_processes_are_removed_and_others_are_not(own_tmp: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    left = own_tmp / f"conversion-{ended.pid}-a"
    before_reset = own_tmp / f"conversion-{os.getpid()}-a"
    another = own_tmp / f"conversion-{os.getppid()}-a"
    for path in (left, before_reset, another):
        path.mkdir()
        (path / "data").write_bytes(b"x")
    with workspace() as path:
        assert sorted(own_tmp.iterdir()) == sorted([another, path])
