"""The function's process has a memory limit from its cold start on."""

import subprocess
import sys

import pytest

import memory_limit

ALLOCATE = """
import os, sys
sys.path.insert(0, sys.argv[1])
from memory_limit import set_memory_limit
set_memory_limit(os.environ)
bytes(400 << 20)
"""


@pytest.mark.parametrize(("memory", "error"), [("256", b"MemoryError"), ("1024", b""), (None, b"")])
def test_an_allocation_beyond_the_functions_memory_fails(memory: str | None, error: bytes) -> None:
    environment = {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": memory} if memory else {}
    folder = str(memory_limit.__file__).rpartition("/")[0]
    done = subprocess.run(
        [sys.executable, "-I", "-c", ALLOCATE, folder], env=environment, capture_output=True, check=False
    )
    assert (done.returncode != 0) == bool(error)
    assert error in done.stderr
