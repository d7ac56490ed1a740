"""`jobs`: jobs by status, time and key, newest first."""

from argparse import Namespace
from itertools import islice
from typing import Any

from ops import display, job_search
from ops.commands.options import add_command, chosen_stacks, command_for, moment, past, positive
from ops.operator_errors import OpsError
from terminal.console import Console
from terminal.machine import print_json
from terminal.records import Records


def add_parser(commands: Any) -> None:  # noqa: ANN401 - argparse does not export its type
    """Declare the command."""
    parser = add_command(commands, "jobs", "jobs by status, time and key, newest first")
    parser.add_argument(
        "--status",
        action="append",
        choices=job_search.STATUSES,
        metavar="STATUS",
        help=f"only jobs with this status: {', '.join(job_search.STATUSES)}",
    )
    parser.add_argument("--since", type=past, default="24h", help="30m, 24h, 7d or ISO 8601 (default 24h)")
    parser.add_argument("--until", type=moment, default="0m", help="the same formats (default now)")
    parser.add_argument("--prefix", default="", help="the beginning of the object's key")
    parser.add_argument("--limit", type=positive, default=100, help="jobs of each stack (default 100)")
    parser.set_defaults(run=run)


def run(arguments: Namespace) -> int:
    """List the jobs of each stack.

    Raises:
        OpsError: The time range ends before it begins.
    """
    console = Console()
    if arguments.until < arguments.since:
        since, until = (f"{each:%Y-%m-%d %H:%M:%S} UTC" for each in (arguments.since, arguments.until))
        raise OpsError(f"--until must be after --since, which is {since}, got {until}")
    for stack in chosen_stacks(arguments):
        found = job_search.find(
            stack,
            statuses=arguments.status or job_search.STATUSES,
            since=arguments.since,
            until=arguments.until,
            prefix=arguments.prefix,
        )
        records = list(islice(found, arguments.limit))
        if arguments.json:
            for job in records:
                print_json({"stack": stack.name, **job}, default=job_search.as_json_value)
            continue
        console.say(display.heading(stack.name))
        if not records:
            console.say("no jobs")
            continue
        _table(records).print(console)
        if len(records) == arguments.limit:
            console.say(f"These are the newest {arguments.limit} jobs; --limit shows more.")
        example = command_for(arguments, stack, "job", records[0]["job_id"])
        console.suggest("Show all details of a job with", example)
    return 0


def _table(found: list[job_search.Job]) -> Records:
    figures = ("rows in", "rows out", "rejected", "size", "seconds")
    records = Records("status", "time (UTC)", *figures, numbers=figures)
    for job in found:
        records.add(
            display.status(job["status"]),
            display.time(job["timestamp"]),
            *(display.number(job.get(name)) for name in ("rows_in", "rows_out", "rows_rejected")),
            display.size(job.get("bytes_in")),
            "" if job.get("duration_ms") is None else f"{float(job['duration_ms']) / 1000:,.1f}",
            details={"key": job.get("input_path"), "job": job["job_id"], "error": job.get("error")},
        )
    return records
