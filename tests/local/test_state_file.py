"""The state file: its lock, its owner, and its use by `ops`."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import state_file
from local.errors import LocalError
from ops.deployed_stacks import find
from ops.operator_errors import OpsError

PROJECT = Path(__file__).resolve().parents[2]
HOLD = """
import json, sys
from local import state_file
with state_file.held() as write:
    write(json.loads(sys.argv[1])) if len(sys.argv) > 1 else None
    print(flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    return tmp_path


def hold(*state: str) -> subprocess.Popen[bytes]:
    """Lock the file in another process; return when it is locked."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, *state], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.readline()
    return process


@pytest.fixture
def holder() -> Iterator[subprocess.Popen[bytes]]:
    process = hold(json.dumps({"endpoint_url": "http://127.0.0.1:1", "credentials": {}, "stacks": {}}))
    yield process
    process.kill()
    process.communicate()


def test_a_second_embedded_aws_in_a_folder_is_refused(holder: subprocess.Popen[bytes]) -> None:
    with (
        pytest.raises(LocalError, match=r"already runs in this folder at http://127.0.0.1:1"),
        state_file.held(),
    ):
        pass
    assert state_file.PATH.exists()


def test_nobody_else_may_read_the_keys(folder: Path) -> None:
    state_file.PATH.parent.mkdir()
    state_file.PATH.touch(0o644)  # left by an earlier version
    with state_file.held() as write:
        write({"credentials": "secret"})
        assert stat.S_IMODE(state_file.PATH.stat().st_mode) == 0o600


def test_a_link_that_somebody_put_there_is_not_followed(folder: Path) -> None:
    state_file.PATH.parent.mkdir()
    target = folder / "precious"
    target.write_text("kept")
    state_file.PATH.symlink_to(target)
    with pytest.raises(LocalError, match="cannot be written"), state_file.held():
        pass
    assert target.read_text() == "kept"


def test_a_file_of_another_user_is_not_believed(
    holder: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    me = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: me + 1)
    with pytest.raises(LocalError, match=f"belongs to another user .uid {me}."), state_file.held():
        pass
    with pytest.raises(LocalError, match="belongs to another user"):
        state_file.read()
    with pytest.raises(OpsError, match="belongs to another user"):
        find(names=(), outputs_files=(), local=True)


def test_ops_reports_the_state_of_the_embedded_aws(holder: subprocess.Popen[bytes]) -> None:
    def said() -> str:
        with pytest.raises(OpsError) as error:
            find(names=(), outputs_files=(), local=True)
        return str(error.value)

    assert "no Pulumi.<stack>.yaml here" in said(), "it runs, with no stacks"
    holder.kill()
    holder.wait()
    assert "was killed: start it again" in said()
    with state_file.held():
        assert "is still being deployed" in said()
    assert "no embedded AWS runs in this folder" in said()


def test_a_killed_embedded_aws_can_be_replaced(holder: subprocess.Popen[bytes]) -> None:
    holder.kill()
    holder.wait()
    with state_file.held() as write:
        write({"endpoint_url": "http://127.0.0.1:2"})
        assert json.loads(state_file.PATH.read_text()) == {"endpoint_url": "http://127.0.0.1:2"}
