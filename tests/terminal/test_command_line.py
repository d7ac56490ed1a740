"""The exit status and the messages of a command whose output cannot be written as it is."""

import importlib
import os
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest

from terminal.command_line import INTERRUPTED
from terminal.entry_point import start

PROJECT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("lines", ["Console().say('line')", "print_json({'line': 1})"])
@pytest.mark.parametrize("count", [3, 100_000])
def test_a_pipe_that_the_reader_closes_is_no_error(lines: str, count: int) -> None:
    """`... | head -1`, with output that fits a pipe's buffer and with more output."""
    program = f"""
import sys
from terminal.command_line import run
from terminal.console import Console
from terminal.machine import print_json

def command():
    for _ in range({count}):
        {lines}
    return 0

sys.exit(run("ops", command, str))
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as writer:
        assert writer.stdout is not None
        assert writer.stderr is not None
        assert writer.stdout.readline()
        writer.stdout.close()
        assert writer.stderr.read() == b""
        assert writer.wait(timeout=60) == 0


def test_an_interrupt_during_the_imports_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(_: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(importlib, "import_module", interrupt)
    assert start("local") == INTERRUPTED
    assert capsys.readouterr().err == "python -m local: stopped\n"


def run(
    command: str, output: int | IO[bytes] = subprocess.PIPE, **variables: str
) -> subprocess.CompletedProcess[bytes]:
    """Run the body of a command in a process."""
    program = f"""
import sys
from terminal.command_line import run
from terminal.console import Console
from terminal.machine import print_json

def command():
    {command}
    return 0

sys.exit(run("ops", command, lambda _: None))
"""
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=PROJECT,
        env=os.environ | variables,
        stdout=output,
        stderr=subprocess.PIPE,
        check=False,
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has it")
@pytest.mark.parametrize("lines", [1, 100_000])
def test_a_full_disk_is_reported_in_one_line(lines: int) -> None:
    with Path("/dev/full").open("wb") as full:
        done = run(f"[print('line') for _ in range({lines})]", full)
    assert (done.returncode, done.stderr) == (2, b"ops: No space left on device\n")


def test_a_file_that_cannot_be_opened_is_reported_in_one_line() -> None:
    done = run("print('before'); open('/no/such/file')")
    assert (done.returncode, done.stdout) == (2, b"before\n")
    assert done.stderr == b"ops: /no/such/file: No such file or directory\n"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
@pytest.mark.parametrize("say", ["print", "Console().say"])
def test_characters_that_the_encoding_lacks_are_escaped(encoding: str, say: str) -> None:
    done = run(f"{say}('\\u8868.csv')", PYTHONIOENCODING=encoding)
    assert done.stderr == b""
    assert done.stdout.decode() == ("表.csv\n" if encoding == "utf-8" else "\\u8868.csv\n")


@pytest.mark.parametrize("columns", ["0", "", "wide"])
def test_a_width_that_no_output_has_is_ignored(columns: str) -> None:
    done = run("Console().explain('word ' * 40)", COLUMNS=columns)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode() == "word " * 39 + "word\n"
