"""What a small object costs, and what a cold start does."""

import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

ROOT = Path(__file__).parents[2]
_ROUNDS = 15
_IMPORTS = {
    "Python": "pass",
    "boto3": "import boto3",
    "Powertools": "import aws_lambda_powertools",
    "DuckDB": "import duckdb",
    "the conversion, DuckDB included": "import conversion",
    "everything that the handler loads": "import index",
}


def measure() -> dict[str, float]:
    """Give milliseconds: of a conversion of 1 KB, and of imports in a fresh process."""
    figures = {"conversion of 1 KB": statistics.median(_convert() for _ in range(_ROUNDS))}
    for name, statement in _IMPORTS.items():
        figures[f"start of {name}"] = statistics.median(_start(statement) for _ in range(5))
    return figures


def _convert() -> float:
    from conversion import Limits, convert

    data = b"id,name,price\n" + b"".join(b"%d,name %d,%d.50\n" % (i, i, i) for i in range(55))
    with tempfile.TemporaryDirectory() as workdir:
        started = perf_counter()
        with convert(
            io.BytesIO(data),
            reopen=lambda: io.BytesIO(data),
            key="small.csv",
            size=len(data),
            workdir=Path(workdir),
            limits=Limits(),
            provenance={},
        ):
            pass
        return (perf_counter() - started) * 1000


def _start(statement: str) -> float:
    environment = os.environ | {
        "PYTHONPATH": str(ROOT / "handler"),
        "AWS_DEFAULT_REGION": "us-east-1",
        **json.loads((Path(__file__).parent / "environment.json").read_text()),
    }
    started = perf_counter()
    subprocess.run([sys.executable, "-c", statement], env=environment, check=True)
    return (perf_counter() - started) * 1000
