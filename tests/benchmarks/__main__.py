"""Compare the conversion with DuckDB alone and other engines; write docs/benchmarks.md and its plot.

Every figure is the median of several rounds. In each round, every engine runs once, and ratios are of one
round.
"""

import argparse
import json
import logging
import math
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

from moto.server import ThreadedMotoServer

from components.processing import ALLOCATOR
from tests.benchmarks import inputs, program, report, small, throughput
from tests.benchmarks.job import BUCKET, ENGINES, client

ROOT = Path(__file__).parents[2]
_REPEATED_MEGABYTES = 100
_MEMORY_BYTES = 8 * 2**30
"""Objects up to this size stay in the memory of the embedded S3, so that its disk is not measured."""
Runs = dict[str, dict[str, float]]


def main() -> None:
    """Measure, and write the page and the plot."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument(
        "--megabytes", type=int, default=200, help="size of the objects compared (default 200)"
    )
    parser.add_argument("--rounds", type=int, default=3, help="rounds for each figure (default 3)")
    parser.add_argument(
        "--growth",
        type=int,
        nargs="+",
        default=[5, 50, 200],
        help="sizes in MB for the growth (default 5 50 200)",
    )
    parser.add_argument("--output", type=Path, default=ROOT / "docs", help="where to write (default docs/)")
    options = parser.parse_args()
    if len(set(options.growth)) < 2:
        parser.error(f"--growth: must be at least two sizes, got {options.growth}")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    os.environ["MOTO_S3_DEFAULT_KEY_BUFFER_SIZE"] = str(_MEMORY_BYTES)
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        with tempfile.TemporaryDirectory() as directory:
            bench = _Bench(f"http://{host}:{port}", Path(directory), options.rounds)
            compared = {format_: bench.compare(format_, options.megabytes) for format_ in inputs.FORMATS}
            growth = {size: bench.alone(size) for size in options.growth}
            rates = throughput.measure(Path(directory), min(options.megabytes, _REPEATED_MEGABYTES))
        small_objects = small.measure(f"http://{host}:{port}")
    finally:
        server.stop()
    report.write(
        options.output,
        machine=_machine(),
        megabytes=options.megabytes,
        rounds=options.rounds,
        compared=compared,
        growth=growth,
        exponents={what: _exponent(growth, what) for what in ("seconds", "resident_bytes")},
        throughput=rates,
        small=small_objects,
        program=program.measure(),
    )


class _Bench:
    def __init__(self, endpoint: str, directory: Path, rounds: int) -> None:
        self._endpoint = endpoint
        self._directory = directory
        self._rounds = rounds
        self._s3 = client(endpoint)
        self._s3.create_bucket(Bucket=BUCKET)

    def compare(self, format_: str, megabytes: int) -> Runs:
        """Return each engine's medians for one format."""
        key = self._upload(format_, megabytes)
        types = self._types(key)
        runs: dict[str, list[dict[str, float]]] = defaultdict(list)
        for _ in range(self._rounds):
            for engine in ENGINES:
                runs[engine].append(self._run(engine, key, types))
        for measured in runs.values():
            for run, bare in zip(measured, runs["copy"], strict=True):
                run["ratio"] = run["seconds"] / bare["seconds"]
                run["cpu_ratio"] = run["cpu_seconds"] / bare["cpu_seconds"]
        return {engine: _medians(measured) for engine, measured in runs.items()}

    def alone(self, megabytes: int) -> dict[str, float]:
        """Return the project's medians for a CSV of this size; large ones, which take minutes, run once."""
        key = self._upload("csv", megabytes)
        rounds = self._rounds if megabytes <= _REPEATED_MEGABYTES else 1
        return _medians([self._run("project", key, "{}") for _ in range(rounds)])

    def _upload(self, format_: str, megabytes: int) -> str:
        path = inputs.write(self._directory, format_, megabytes * inputs.MEGABYTE)
        self._s3.upload_file(str(path), BUCKET, path.name)
        return path.name

    def _types(self, key: str) -> str:
        """Return the types that the project detects, which the bare engine is given."""
        from conversion import Limits, convert

        path = self._directory / key
        with tempfile.TemporaryDirectory(dir=self._directory) as workdir, path.open("rb") as source:
            # This process also holds the objects of the embedded S3.
            limits = Limits(seconds=1000, disk_bytes=20 * 10**9, memory_bytes=2 * _MEMORY_BYTES)
            size = path.stat().st_size
            result = convert(
                source,
                reopen=lambda: path.open("rb"),
                key=key,
                size=size,
                workdir=Path(workdir),
                limits=limits,
                provenance={},
            )
            return json.dumps({column.name: column.type for column in result.columns})

    def _run(self, engine: str, key: str, types: str) -> dict[str, float]:
        with tempfile.TemporaryDirectory(dir=self._directory) as workdir:
            done = subprocess.run(
                [sys.executable, "-m", "tests.benchmarks.job", engine, self._endpoint, key, workdir, types],
                cwd=ROOT,
                env=os.environ | ALLOCATOR | {"PYTHONPATH": f"{ROOT}:{ROOT / 'handler'}"},
                capture_output=True,
                text=True,
                check=True,
            )
        measured = json.loads(done.stdout)
        print(
            f"{key:12} {engine:8} {measured['seconds']:7.2f} s {measured['resident_bytes'] / 1e6:6.0f} MB",
            file=sys.stderr,
        )
        return measured


def _medians(runs: list[dict[str, float]]) -> dict[str, float]:
    return {what: statistics.median(run[what] for run in runs) for what in runs[0]}


def _exponent(growth: dict[int, dict[str, float]], what: str) -> float:
    """Return the exponent of the power law by which a figure grows with the size."""
    sizes = [math.log(size) for size in growth]
    figures = [math.log(measured[what]) for measured in growth.values()]
    return statistics.linear_regression(sizes, figures).slope


def _machine() -> dict[str, Any]:
    cpu = next(
        (
            line.split(":")[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.machine(),
    )
    return {"processor": cpu, "cores": os.cpu_count(), "python": platform.python_version()}


if __name__ == "__main__":
    main()
