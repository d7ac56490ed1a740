"""The server's process: what it says when it does not start, and what it leaves behind."""

import tempfile
from pathlib import Path

import pytest

from local.errors import LocalError
from local.moto_patches.first_events import START_SECONDS
from local.server import Server


@pytest.fixture(autouse=True)
def temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the test a folder of its own for temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def test_a_running_server_has_no_file_that_a_kill_would_leave_behind(temporary_folder: Path) -> None:
    with Server():
        assert list(temporary_folder.iterdir()) == []


def test_a_server_that_does_not_start_says_why(
    temporary_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(START_SECONDS, "soon")
    with pytest.raises(LocalError, match="could not convert string to float: 'soon'"):
        Server()
    assert list(temporary_folder.iterdir()) == []
