"""The server's process: what it says when it does not start, and what it leaves behind."""

import subprocess
import sys
import tempfile
import urllib.error
from pathlib import Path
from typing import Any

import pytest

from local.embedded_lambda.function_archives import download
from local.errors import LocalError
from local.moto_patches.first_events import START_SECONDS
from local.moto_patches.moto_account import ACCOUNT
from local.server import Server

PROJECT = Path(__file__).resolve().parents[2]


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
    with pytest.raises(LocalError, match=f"start: {START_SECONDS} must be a number of seconds, got 'soon'"):
        Server()
    assert list(temporary_folder.iterdir()) == []


def test_no_request_to_the_server_goes_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")  # nothing listens there
    monkeypatch.setenv("no_proxy", "")
    with Server() as server:
        assert server.client("sts", "eu-west-1").get_caller_identity()["Account"] == ACCOUNT
        assert server.steer("/_steering/queues", {}) == {"queues": []}
        with pytest.raises(urllib.error.HTTPError, match="403"):
            download(f"{server.endpoint}/unsigned")


def test_an_interrupted_start_leaves_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[Any]] = []

    def start(*arguments: Any, **options: Any) -> subprocess.Popen[Any]:
        started.append(popen(*arguments, **options))
        return started[0]

    def interrupt(_: Server) -> None:
        raise KeyboardInterrupt

    popen = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", start)
    monkeypatch.setattr(Server, "_hello", interrupt)
    with pytest.raises(KeyboardInterrupt):
        Server()
    assert [process.returncode for process in started] == [0]


def test_the_process_ends_with_its_input_while_it_starts() -> None:
    command = [sys.executable, "-m", "local.server"]
    ended = subprocess.run(command, cwd=PROJECT, input=b"", capture_output=True, timeout=60, check=True)
    assert (ended.stdout, ended.stderr) == (b"", b""), "it ended before it served"
