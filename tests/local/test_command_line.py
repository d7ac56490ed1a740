"""`python -m local` as people use it: a process, its output and its exit status."""

import contextlib
import itertools
import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import boto3
import pytest
from botocore.config import Config
from rich.cells import cell_len

from local.cloud import Cloud
from local.command_line import main
from local.commands import prepare
from local.commands import run as run_command
from local.embedded_lambda.host_layer import BUILD
from local.moto_patches.moto_account import ACCOUNT
from local.stacks import read_stacks
from terminal.characters import visible
from tests.local.workload import GOOD
from tests.terminal.width import WIDTH, check_width

PROJECT = Path(__file__).resolve().parents[2]
TIMEOUT_SECONDS = 240


def command(*arguments: object, cwd: Path = PROJECT) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "local", *map(str, arguments)],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(PROJECT), "COLUMNS": str(WIDTH), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(*arguments: object, cwd: Path = PROJECT) -> tuple[int, str, str]:
    process = command(*arguments, cwd=cwd)
    output, errors = process.communicate(timeout=TIMEOUT_SECONDS)
    return process.returncode, output, errors


def unexpected(errors: str) -> list[str]:
    """Remove the warning about a runtime whose support ends, which depends on the date."""
    return [line for line in errors.splitlines() if "pythonRuntime: AWS's support of" not in line]


@pytest.mark.parametrize("arguments", [(), ("run",), ("serve",), ("redeliver",), ("prepare",)])
def test_help_of_each_command(arguments: tuple[str, ...]) -> None:
    status, output, errors = run(*arguments, "--help")
    assert (status, unexpected(errors)) == (0, []), errors
    assert output.startswith("usage: python -m local")
    check_width(output)


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        ((), 2, "COMMAND"),
        (("fly",), 2, "invalid choice: 'fly'"),
        (("run", "a", "b"), 2, "unrecognized arguments: b"),
        (("run", "/no/such/file.csv"), 2, "/no/such/file.csv cannot be read: No such file"),
        (("run", PROJECT), 2, "is a directory"),
        (("run", "/dev/null"), 2, "/dev/null is no regular file"),
        (
            ("run", "new\nline.csv"),
            2,
            r"new\nline.csv cannot be uploaded: moto accepts no line feed",
        ),
        (("run", "/proc/self/mem"), 2, "/proc/self/mem cannot be read: Input/output error"),
        (("serve", "--port", "many"), 2, "invalid int value: 'many'"),
        (("serve", "--port", "70000"), 2, "got 70000"),
        (("run", "--output", "/proc/nothing"), 2, "--output /proc/nothing cannot be created"),
    ],
)
def test_wrong_arguments_are_reported_in_one_line(
    arguments: tuple[object, ...], status: int, message: str
) -> None:
    got, _, errors = run(*arguments)
    assert got == status
    assert message in errors
    assert len(errors.splitlines()) == 1


def test_a_port_in_use_is_reported_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, _, errors = run("serve", "--port", port)
    assert status == 2
    assert f"port {port} of 127.0.0.1 cannot be used" in errors
    assert len(errors.splitlines()) == 1


def test_the_main_job_processes_all_real_tables_in_all_regions() -> None:
    status, output, errors = run("run", "--json")

    assert (status, unexpected(errors)) == (0, []), errors
    result = json.loads(output)
    rows = {"flights": 336_776, "weather": 26_115, "planes": 3_322, "airports": 1_458}
    assert set(result["jobs"]) == {stack.name for stack in read_stacks()}
    for jobs in result["jobs"].values():
        seen = {job["dataset"]: (job["input_path"], job["status"], job["rows_out"]) for job in jobs}
        assert seen == {
            name: (f"input/{name}/{name}.csv", "COMPLETED", count) for name, count in rows.items()
        }
        (flights,) = [job for job in jobs if job["dataset"] == "flights"]
        assert flights["column_count"] == 20  # with `_rescued`
    assert set(result["arrival_delays"]) == set(result["jobs"])
    for answer in result["arrival_delays"].values():
        delays = {row["carrier"]: row["mean_arrival_delay_minutes"] for row in answer}
        assert len(delays) == 16
        assert delays["B6"] == "9.5"


def test_a_given_file_is_processed_and_shown(
    cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("local.cloud.Cloud", lambda **_: contextlib.nullcontext(cloud))
    file = tmp_path / "my own+file.csv"
    file.write_bytes(GOOD)

    status = main(["run", str(file)])

    output, errors = capsys.readouterr()
    assert (status, unexpected(errors)) == (0, [])
    assert output.count("COMPLETED") == 3
    assert "processed/input/my own+file.csv.parquet" in output
    assert "name 3" in output, "the first rows are shown"


HOSTILE = 'a "b" [red] \u202e[x] $x' + " and a long name" * 5 + ".csv"
BRACKETS = b"id,[red]name[/red],\x1b[2J\n" + b"".join(b"%d,[bold] [/],\x1b[31m\n" % n for n in range(9))


def test_names_and_data_are_shown_unchanged_and_fit_80_columns(
    cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("local.cloud.Cloud", lambda **_: contextlib.nullcontext(cloud))
    monkeypatch.setenv("COLUMNS", str(WIDTH))
    file = tmp_path / HOSTILE
    file.write_bytes(BRACKETS + b"1,2,3,4\n")

    assert main(["run", str(file), "--output", str(tmp_path / "kept")]) == 0

    output, errors = capsys.readouterr()
    assert errors == ""
    assert "[red]name[/red]" in output
    assert r"\x1b[31m" in output
    assert "[bold] [/]" in output
    assert not set(output) & {"\x1b", "\u202e"}
    result, rejected = f"processed/input/{HOSTILE}.parquet", f"rejected/input/{HOSTILE}.jsonl"
    profile = f"processed/_profiles/input/{HOSTILE}.json"
    kept = [str(tmp_path / "kept" / key) for key in (result, rejected, profile)]
    for value in map(visible, (result, rejected, *kept)):
        assert value in output
    assert Path(kept[0]).read_bytes()[:4] == b"PAR1"
    check_width(output, map(visible, (result, rejected, *kept)))


def test_many_wide_columns_fit_80_columns(
    cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("local.cloud.Cloud", lambda **_: contextlib.nullcontext(cloud))
    monkeypatch.setenv("COLUMNS", str(WIDTH))
    file = tmp_path / "wide.csv"
    names = ",".join(f"a column with the number {number}" for number in range(30))
    file.write_text(f"{names}\n" + ("表" * 10 + "," + ",".join(["a value"] * 29) + "\n") * 3)
    assert main(["run", str(file)]) == 0
    output = capsys.readouterr().out
    assert "more columns" in output
    assert all(cell_len(line) <= WIDTH for line in output.splitlines()), output


def test_prepare_fits_80_columns(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(prepare, "host_layer", lambda: BUILD / f"host-layer-{'0' * 16}")
    assert main(["prepare"]) == 0
    output = capsys.readouterr().out
    assert f".build/host-layer-{'0' * 16}" in output
    check_width(output)


def test_an_empty_file_is_reported_with_its_reason(
    cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("local.cloud.Cloud", lambda **_: contextlib.nullcontext(cloud))
    file = tmp_path / "empty.csv"
    file.touch()
    assert main(["run", str(file)]) == 1
    output, errors = capsys.readouterr()
    assert output.count("the object is empty") == 3
    assert errors.splitlines() == [
        f"{stack}: empty.csv: SKIPPED: the object is empty" for stack in cloud.stacks
    ]


def test_rejected_rows_are_kept_too(
    cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("local.cloud.Cloud", lambda **_: contextlib.nullcontext(cloud))
    file = tmp_path / "some rejected.csv"
    file.write_bytes(GOOD + b"1,2,3,4,5,6,7\n")
    assert main(["run", str(file), "--output", str(tmp_path), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    kept = [Path(path) for path in document["kept"]]
    assert {path.relative_to(tmp_path).parts[0] for path in kept} == {"processed", "rejected"}
    assert all(path.stat().st_size for path in kept)


def test_make_passes_a_file_name_on_as_it_is(tmp_path: Path) -> None:
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.write_text('#!/bin/sh\nprintf "<%s>" "$@"\n')
    python.chmod(0o755)

    def made(**variables: str) -> str:
        given = [f"{name}={value}" for name, value in variables.items()]
        command = [
            "make",
            "-s",
            "--no-print-directory",
            "local",
            "-o",
            "install",
            f"BIN={python.parent}",
            *given,
        ]
        done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True)
        return done.stdout.strip().splitlines()[-1]

    name = """it's "a" b; [x] `y`.csv"""
    assert made(FILE=name) == f"<-m><local><run><--><{name}>"
    assert made() == "<-m><local><run>"
    assert made(FILE="-x.csv", OUTPUT="a b") == "<-m><local><run><--output><a b><--><-x.csv>"


def test_the_systems_python_prints_what_to_run() -> None:
    for module in ("local", "ops", "sandbox"):
        command = [sys.executable, "-S", "-m", module, "jobs", "--local"]
        done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert f"`.venv/bin/python -m {module} jobs --local`" in done.stderr
        assert len(done.stderr.splitlines()) == 1


def test_a_failed_file_is_reported_in_one_line_per_region(
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
    """Serve on a free port; yield the process, the variables that it prints, and its output."""
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


def test_an_interrupt_ends_the_processing_at_once() -> None:
    ended = threading.Event()

    class Busy:
        stacks = ("us-east-1",)

        def run_until_quiet(self, timeout_seconds: float) -> None:
            signal.raise_signal(signal.SIGINT)
            ended.wait(timeout_seconds)

    # A shell that starts the tests in the background lets them ignore the signal.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    waits = threading.Timer(30, ended.set)
    waits.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            run_command._process(cast("Cloud", Busy()), 1, run_command._progress())
        assert not ended.is_set()
    finally:
        waits.cancel()
        signal.signal(signal.SIGINT, before)


def test_serve_processes_what_any_client_uploads_until_interrupted(tmp_path: Path) -> None:
    with serving(tmp_path) as (process, variables, printed):
        region = "eu-west-1"
        bucket = f"analytics-bucket-dev-{ACCOUNT}-{region}-an"
        assert bucket in printed
        check_width(printed, [bucket])
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
        assert (second, len(said.splitlines())) == (2, 1)
        assert f"already runs in this folder at {state['endpoint_url']}" in said
        assert json.loads(file.read_text()) == state, "the second leaves the first alone"
        assert state["endpoint_url"] == variables["AWS_ENDPOINT_URL"]
        assert state["stacks"][region]["bucketName"] == bucket

        s3.put_object(Bucket=bucket, Key="input/hello.csv", Body=GOOD)
        assert process.stdout is not None
        result = "processed/input/hello.csv.parquet"
        *_, status, key = itertools.takewhile(lambda line: result not in line, process.stdout)
        assert f"{region} COMPLETED 30 rows" in status
        assert key.strip() == "input/hello.csv"
        assert (
            s3.get_object(Bucket=bucket, Key="processed/input/hello.csv.parquet")["Body"].read(4) == b"PAR1"
        )

        queues = [state["stacks"][region][name] for name in ("queueUrl", "deadLetterQueueUrl")]
        sqs = boto3.client("sqs", region, endpoint_url=state["endpoint_url"], **state["credentials"])
        sqs.send_message(QueueUrl=queues[0], MessageBody="no event")
        count, dead = "ApproximateNumberOfMessages", "0"
        for _ in range(60):
            status, said, _ = run("redeliver", cwd=tmp_path)
            assert (status, state["endpoint_url"] in said) == (0, True)
            check_width(said)
            dead = sqs.get_queue_attributes(QueueUrl=queues[1], AttributeNames=[count])["Attributes"][count]
            if dead == "1":
                break
        assert dead == "1", "failed messages were delivered again at once"

        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=TIMEOUT_SECONDS)
        assert (process.returncode, unexpected(errors)) == (0, [])
        check_width(output)
        assert "Delivering 1 failed messages again." in output
        assert output.splitlines()[-1] == "Stopped."
        assert not file.exists()
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", int(variables["AWS_ENDPOINT_URL"].rpartition(":")[2])))
