"""`make arm64` detects a function that does not start, and reports what a machine lacks."""

import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from local.server import Server
from tests.arm64 import __main__ as arm64
from tests.arm64 import machine, samples


def test_a_layer_that_cannot_be_imported_is_detected(tmp_path: Path) -> None:
    with Server() as server:
        wrong = arm64.convert(server, tmp_path)
    assert {line.partition(":")[0] for line in wrong} >= set(samples.files())


def test_what_a_machine_lacks_is_reported_and_is_no_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert arm64.main() == 0
    assert "arm64 not tested: it needs an arm64 machine, or Debian's apt-get" in capsys.readouterr().out


def test_packages_that_are_not_found_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    failed = subprocess.CompletedProcess([], 100, "", "E: Unable to locate package python3.11\n")
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(shutil, "which", lambda program: program)
    monkeypatch.setattr(machine, "BUILD", tmp_path)
    monkeypatch.setattr(machine.subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(machine.UnavailableError, match=r"`apt-get .*` failed: E: Unable to locate package"):
        machine.interpreter("3.11")


def test_an_arm64_machine_runs_its_own_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    monkeypatch.setattr(shutil, "which", lambda program: f"/usr/bin/{program}")
    assert machine.interpreter("3.99") == ("/usr/bin/python3.99",)
