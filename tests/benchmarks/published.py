"""Measure the cost of decimals of more than 18 digits: `python -m tests.benchmarks.published`.

The table is that of the other benchmarks: 16 columns, three of them decimals. It is converted unchanged and
with decimals of 18 digits, in turns; 18 digits are enough for its values. Times are processor time.
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks import inputs

ROOT = Path(__file__).parents[2]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.published", description=__doc__)
    parser.add_argument("--megabytes", type=int, default=100, help="size of the CSV (default 100)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds for each figure (default 5)")
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT / "handler"))  # On Lambda, it is the root.
    from conversion import published

    kept = published._KEPT
    with tempfile.TemporaryDirectory() as directory:
        path = inputs.write(Path(directory), "csv", options.megabytes * inputs.MEGABYTE)
        runs: dict[str, list[tuple[float, int]]] = {"DECIMAL(18,s)": [], "DECIMAL(19+s,s)": []}
        for _ in range(options.rounds):
            for name, measured in runs.items():
                published._KEPT = kept | {"decimal"} if "(18" in name else kept
                measured.append(_convert(path))
    print("| decimals as | processor seconds | bytes |\n|---|---:|---:|")
    for name, measured in runs.items():
        print(
            f"| {name} | {statistics.median(seconds for seconds, _ in measured):.2f} | {measured[0][1]:,} |"
        )


def _convert(path: Path) -> tuple[float, int]:
    from conversion import Limits, convert

    started = time.process_time()
    with tempfile.TemporaryDirectory(dir=path.parent) as workdir, path.open("rb") as source:
        result = convert(
            source,
            reopen=lambda: path.open("rb"),
            key=path.name,
            size=path.stat().st_size,
            workdir=Path(workdir),
            limits=Limits(seconds=1000),
            provenance={},
        )
        return time.process_time() - started, result.parquet.stat().st_size


if __name__ == "__main__":
    main()
