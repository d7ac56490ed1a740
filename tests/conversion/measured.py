"""Convert a file in a separate process with the memory limit of a function, and measure it.

``python -m tests.conversion.measured FILE [FILE ...]`` imports what the handler imports on Lambda. It
converts one file after another, as a warm function does.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parents[2]


def measure(file: Path, *, after: Sequence[Path] = ()) -> dict:
    """Convert ``file`` in a child process that is limited as the function is.

    Args:
        file: The file to measure.
        after: Files that the process converts before.
    """
    from components.processing import ALLOCATOR  # Not in the child process, which measures its memory.

    function = {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024", **ALLOCATOR}
    done = subprocess.run(
        [sys.executable, "-m", "tests.conversion.measured", *map(str, after), str(file)],
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'handler'}", "PATH": "/usr/bin:/bin", **function},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise AssertionError(done.stderr[-2000:])
    return json.loads(done.stdout)


def peak_resident_bytes() -> int:
    """Return the peak of this process. After a fork, getrusage may return that of the parent."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) * 1024  # type: ignore[index]


def main() -> None:
    import_module("aws_lambda_powertools")  # The function imports these too.
    import_module("boto3")

    from memory_limit import set_memory_limit

    set_memory_limit(os.environ)
    *before, file = map(Path, sys.argv[1:])
    for other in before:
        _converted(other)
    print(json.dumps({**_converted(file), "resident_bytes": peak_resident_bytes()}))


def _converted(file: Path) -> dict[str, object]:
    from conversion import Limits, UnreadableError, convert

    with tempfile.TemporaryDirectory(dir=file.parent) as workdir, file.open("rb") as source:
        limits = Limits(rejected_share_max=1.0, seconds=600)
        try:
            account = convert(
                source,
                reopen=lambda: file.open("rb"),
                key=file.name,
                size=file.stat().st_size,
                workdir=Path(workdir),
                limits=limits,
                provenance={},
            ).account
        except UnreadableError as error:
            return {"reason": error.reason}
    return {"rows_out": account.rows_out, "rows_rejected": account.rows_rejected}


if __name__ == "__main__":
    main()
