"""Convert a file in a separate process with the memory limit of a function, and measure it.

``python -m tests.conversion.measured FILE`` imports what the handler imports on Lambda.
"""

import json
import re
import subprocess
import sys
import tempfile
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parents[2]


FUNCTION = {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024"}
"""The environment of a function with 1024 MB, by default."""


def measure(file: Path) -> dict:
    """Convert ``file`` in a child process that is limited as the function is."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.conversion.measured", str(file)],
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'handler'}", "PATH": "/usr/bin:/bin"},
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
    file = Path(sys.argv[1])
    import_module("aws_lambda_powertools")  # The function imports these too.
    import_module("boto3")

    from conversion import Limits, UnreadableError, convert
    from memory_limit import set_memory_limit

    set_memory_limit(FUNCTION)
    outcome: dict[str, object] = {}
    with tempfile.TemporaryDirectory(dir=file.parent) as workdir, file.open("rb") as source:
        limits = Limits(rejected_share_max=1.0, seconds=600)
        try:
            with convert(
                source,
                reopen=lambda: file.open("rb"),
                key=file.name,
                size=file.stat().st_size,
                workdir=Path(workdir),
                limits=limits,
                provenance={},
            ) as result:
                account = result.account
            outcome |= {"rows_out": account.rows_out, "rows_rejected": account.rows_rejected}
        except UnreadableError as error:
            outcome["reason"] = error.reason
    outcome["resident_bytes"] = peak_resident_bytes()
    print(json.dumps(outcome))


if __name__ == "__main__":
    main()
