"""Run the function with its deployed archive and layer under an arm64 Python.

The function converts a file of each format in a region of the embedded AWS. If the machine cannot run an
arm64 Python, the command reports it and succeeds, because continuous integration has an arm64 machine.
"""

import os
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any

import duckdb

from components import packaging
from local.deployer import deploy
from local.embedded_lambda import execution_environment
from local.embedded_lambda.lambda_service import LambdaService
from local.server import Server
from local.stacks import read_stacks
from tests.arm64 import machine, samples

START_SECONDS = 600
"""The timeout. An emulator takes twenty times as long as an arm64 processor to import the handler."""


def main() -> int:
    """Convert a file of each format. Return 1 if there is a problem."""
    try:
        command = machine.interpreter(packaging.DEFAULT_RUNTIME.python)
    except machine.UnavailableError as missing:
        notice = (
            "::notice title=arm64 not tested::" if os.environ.get("GITHUB_ACTIONS") else "arm64 not tested: "
        )
        print(f"{notice}{missing}")
        return 0
    began = time.monotonic()
    execution_environment.INTERPRETER = command
    execution_environment.INIT_SECONDS = START_SECONDS
    with tempfile.TemporaryDirectory() as folder, Server() as server:
        layer = Path(folder)
        with zipfile.ZipFile(packaging.build_layer()) as archive:
            archive.extractall(layer)
        wrong = convert(server, layer)
    for line in wrong:
        print(f"arm64: {line}", file=sys.stderr)
    if not wrong:
        how = "under an emulator" if len(command) > 1 else "natively"
        seconds = time.monotonic() - began
        print(
            f"arm64: {len(samples.files())} files converted {how} by the function as shipped, {seconds:.0f} s"
        )
    return 1 if wrong else 0


def convert(server: Server, layer: Path) -> list[str]:
    """Upload the files, run the function until it is idle, and return the problems."""
    stack = read_stacks()[0]
    outputs = deploy(server, stack)
    s3, bucket = server.client("s3", stack.region), outputs["bucketName"]
    functions = LambdaService(server, [stack.region], 1, stand_in_layer=lambda: layer)
    try:
        for name, content in samples.files().items():
            s3.put_object(Bucket=bucket, Key=f"input/{name}", Body=content)
        functions.run_until_idle(timeout_seconds=START_SECONDS)
        table = server.client("dynamodb", stack.region)
        jobs = {
            job["input_path"]["S"].removeprefix("input/"): job
            for job in table.scan(TableName=outputs["tableName"])["Items"]
            if "status" in job  # The other items are registers.
        }
        return [
            *functions.problems,
            *(
                f"{name}: {problem}"
                for name in samples.files()
                if (problem := _problem(jobs.get(name), s3, bucket))
            ),
        ]
    finally:
        functions.close()


def _problem(job: dict[str, Any] | None, s3: Any, bucket: str) -> str | None:
    if job is None:
        return "has no job"
    if job["status"]["S"] != "COMPLETED":
        return f"{job['status']['S']}: {job.get('error', {}).get('S', 'no reason')}"
    content = s3.get_object(Bucket=bucket, Key=job["output_path"]["S"])["Body"].read()
    with tempfile.NamedTemporaryFile(suffix=".parquet") as file:
        file.write(content)
        file.flush()
        found = duckdb.connect().execute(f"SELECT id, name, amount FROM '{file.name}' ORDER BY id")
        rows = found.fetchall()
    return None if rows == samples.expected() else f"{len(rows)} rows that differ from those uploaded"


if __name__ == "__main__":
    sys.exit(main())
