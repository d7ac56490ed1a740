"""Convert a file in a separate process with a hard limit on its data memory, and measure it.

``python -m tests.conversion.measured FILE CAP_BYTES`` imports what the handler imports on Lambda.
"""

import json
import re
import resource
import subprocess
import sys
import tempfile
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parents[2]


def measure(file: Path, *, cap: int) -> dict:
    """Convert ``file`` in a child process whose data memory cannot exceed ``cap`` bytes."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.conversion.measured", str(file), str(cap)],
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
    file, cap = Path(sys.argv[1]), int(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_DATA, (cap, cap))
    import_module("aws_lambda_powertools")  # The function imports these too.
    import_module("boto3")

    from conversion import Limits, UnreadableError, convert

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
