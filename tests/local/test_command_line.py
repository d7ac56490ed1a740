"""`python -m local` as people use it: a process, its output and its exit status."""

import contextlib
import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from botocore.config import Config

from local.__main__ import main
from local.bridges.account import ACCOUNT
from local.cloud import Cloud
from tests.local.workload import GOOD

PROJECT = Path(__file__).resolve().parents[2]
TIMEOUT_SECONDS = 240


def command(*arguments: object, cwd: Path = PROJECT) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "local", *map(str, arguments)],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(PROJECT), "COLUMNS": "200", "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(*arguments: object, cwd: Path = PROJECT) -> tuple[int, str, str]:
    process = command(*arguments, cwd=cwd)
    output, errors = process.communicate(timeout=TIMEOUT_SECONDS)
    return process.returncode, output, errors


@pytest.mark.parametrize("arguments", [(), ("run",), ("serve",), ("prepare",)])
def test_help_of_each_command(arguments: tuple[str, ...]) -> None:
    status, output, errors = run(*arguments, "--help")
    assert (status, errors) == (0, ""), errors
    assert output.startswith("usage: python -m local")


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        ((), 2, "COMMAND"),
        (("fly",), 2, "invalid choice: 'fly'"),
        (("run", "a", "b"), 2, "unrecognized arguments: b"),
        (("run", "/no/such/file.csv"), 1, "/no/such/file.csv cannot be read: No such file"),
        (("run", PROJECT), 1, "is a directory"),
        (("run", "/proc/self/mem"), 1, "/proc/self/mem cannot be read: Input/output error"),
        (("serve", "--port", "many"), 2, "invalid int value: 'many'"),
        (("serve", "--port", "70000"), 1, "got 70000"),
    ],
)
def test_wrong_usage_is_one_line_and_a_status(
    arguments: tuple[object, ...], status: int, message: str
) -> None:
    got, _, errors = run(*arguments)
    assert got == status
    assert message in errors
    assert len(errors.splitlines()) == 1


def test_a_port_in_use_is_one_line_and_a_status() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, _, errors = run("serve", "--port", port)
    assert status == 1
    assert f"port {port} of 127.0.0.1 cannot be used" in errors
    assert len(errors.splitlines()) == 1


def test_the_main_job_processes_all_real_tables_in_all_regions() -> None:
    status, output, errors = run("run", "--json")

    assert (status, errors) == (0, ""), errors
    result = json.loads(output)
    rows = {"flights.csv": 336_776, "weather.csv": 26_115, "planes.csv": 3_322, "airports.csv": 1_458}
    assert set(result["jobs"]) == {"ap-southeast-1", "eu-west-1", "us-east-1"}
    for jobs in result["jobs"].values():
        seen = {job["input_path"].removeprefix("input/"): (job["status"], job["rows_out"]) for job in jobs}
        assert seen == {name: ("COMPLETED", count) for name, count in rows.items()}
        (flights,) = [job for job in jobs if job["input_path"] == "input/flights.csv"]
        assert {"name": "arr_delay", "type": "BIGINT"} in flights["columns"], (
            "NA is null in a column of numbers"
        )
    delays = {row["airline"]: row["mean_arrival_delay_minutes"] for row in result["arrival_delays"]}
    assert len(delays) == 16
    assert delays["JetBlue Airways"] == 9.5


def test_a_file_of_ones_own_is_processed_and_shown(
    cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("local.cloud.Cloud", lambda **_: contextlib.nullcontext(cloud))
    file = tmp_path / "my own+file.csv"
    file.write_bytes(GOOD)

    status = main(["run", str(file)])

    output, errors = capsys.readouterr()
    assert (status, errors) == (0, "")
    assert output.count("COMPLETED") == 3
    assert "processed/input/my own+file.csv.parquet" in output
    assert "name 3" in output, "the first rows are shown"


def test_a_file_that_fails_is_said_in_one_line_per_region_and_a_status(
    cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("local.cloud.Cloud", lambda **_: contextlib.nullcontext(cloud))
    file = tmp_path / "noise.csv"
    file.write_bytes(bytes(range(256)) * 40)

    status = main(["run", str(file)])

    output, errors = capsys.readouterr()
    assert status == 1
    assert output.count("FAILED") == 3
    assert [line.split(":")[:3] for line in errors.splitlines()] == [
        [region, " noise.csv", " FAILED"] for region in cloud.regions
    ]


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[tuple[subprocess.Popen[str], dict[str, str], str]]:
    """Serve on a free port; give the process, the variables that it says to export, and what it printed."""
    process = command("serve", "--port", 0, cwd=folder)
    assert process.stdout is not None
    printed = ""
    try:
        for line in process.stdout:
            printed += line
            if "Ctrl-C" in line:
                break
        yield process, dict(re.findall(r"export (\w+)=(\S+)", printed)), printed
    finally:
        process.kill()
        process.communicate()


def test_serve_processes_what_any_client_uploads_until_interrupted(tmp_path: Path) -> None:
    with serving(tmp_path) as (process, variables, printed):
        region = "eu-west-1"
        bucket = f"analytics-bucket-dev-{ACCOUNT}-{region}-an"
        assert bucket in printed
        s3 = boto3.client(
            "s3",
            region_name=region,
            endpoint_url=variables["AWS_ENDPOINT_URL"],
            aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
            config=Config(retries={"total_max_attempts": 1}),
        )
        file = tmp_path / ".build" / "embedded-aws.json"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, "it holds keys"
        state = json.loads(file.read_text())
        second, _, said = run("serve", "--port", 0, cwd=tmp_path)
        assert (second, len(said.splitlines())) == (1, 1)
        assert f"already runs in this folder at {state['endpoint_url']}" in said
        assert json.loads(file.read_text()) == state, "the second leaves the first alone"
        assert state["endpoint_url"] == variables["AWS_ENDPOINT_URL"]
        assert state["stacks"][region]["bucketName"] == bucket

        s3.put_object(Bucket=bucket, Key="input/hello.csv", Body=GOOD)
        assert process.stdout is not None
        line = next(line for line in process.stdout if "input/hello.csv" in line)
        assert "COMPLETED 30 rows -> processed/input/hello.csv.parquet" in line
        assert (
            s3.get_object(Bucket=bucket, Key="processed/input/hello.csv.parquet")["Body"].read(4) == b"PAR1"
        )

        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=TIMEOUT_SECONDS)
        assert (process.returncode, errors) == (0, "")
        assert output.splitlines()[-1] == "Ended."
        assert not file.exists()
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", int(variables["AWS_ENDPOINT_URL"].rpartition(":")[2])))
