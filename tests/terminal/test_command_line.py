"""The exit status of a command whose output is read in part."""

import subprocess
import sys
from pathlib import Path

import pytest

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
