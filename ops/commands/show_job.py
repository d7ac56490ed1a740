"""`job`: the record, objects, rejected rows and log lines of one job."""

import json
from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from ops import display, function_log, job_search
from ops.commands.options import add_command, chosen_stacks, command, past
from ops.deployed_stacks import Stack
from ops.operator_errors import OpsError
from terminal.console import Console, plain
from terminal.machine import print_json
from terminal.records import Records, print_pairs


def add_parser(commands: Any) -> None:  # noqa: ANN401 - argparse does not export its type
    """Declare the command."""
    parser = add_command(commands, "job", "the record, objects, rejected rows and log lines of one job")
    parser.add_argument(
        "job", metavar="JOB", help="the job's id, its first digits, or the object's key (in every region)"
    )
    parser.add_argument(
        "--since",
        type=past,
        default="7d",
        help="for the first digits of an id, and for the log of a deletion without a time: look since then"
        " (default 7d)",
    )
    parser.set_defaults(run=run)


@dataclass(frozen=True, kw_only=True)
class _JobDetails:
    """Everything that is known about a job."""

    stack: Stack
    job: job_search.Job
    objects: Sequence[job_search.StoredObject]
    rejects: Sequence[Mapping[str, Any]]
    log: Sequence[tuple[datetime, str]]


def run(arguments: Namespace) -> int:
    """Show the job; for a key, the jobs of all regions that have the key."""
    stacks = chosen_stacks(arguments)
    found = job_search.look_up(stacks, arguments.job, since=arguments.since)
    if not found:
        raise OpsError(
            f"no job {arguments.job!r} in {', '.join(stack.name for stack in stacks)}:"
            f" `{command(arguments, 'jobs')}` lists the jobs of the last day"
        )
    console = Console()
    for number, (stack, job) in enumerate(found):
        details = _gather(stack, job, arguments.since)
        if arguments.json:
            _print_json(details)
            continue
        if number:
            console.say()
        _show(console, details)
    return 0


def _gather(stack: Stack, job: job_search.Job, earliest: datetime) -> _JobDetails:
    since, until = job_search.lifetime(job, since=earliest)
    return _JobDetails(
        stack=stack,
        job=job,
        objects=job_search.stored_objects(stack, job),
        rejects=job_search.rejects(stack, job),
        log=function_log.lines_with(stack, job["job_id"], since=since, until=until),
    )


def _print_json(details: _JobDetails) -> None:
    print_json(
        {
            "stack": details.stack.name,
            "job": details.job,
            "objects": [asdict(item) for item in details.objects],
            "rejects": details.rejects,
            "log": [{"time": moment.isoformat(), "message": line} for moment, line in details.log],
        },
        default=job_search.as_json_value,
    )


def _show(console: Console, details: _JobDetails) -> None:
    job = details.job
    times = ("timestamp", "uploaded_at", "withdrawn_at")
    print_pairs(
        console,
        {
            "job": job["job_id"],
            "stack": details.stack.name,
            "status": display.status(job["status"]),
            **{
                name: display.time(value) if name in times else _text(value)
                for name, value in sorted(job.items())
                if name not in ("job_id", "status")
            },
        },
    )
    console.say()
    stored = Records("object", "bytes", numbers=("bytes",))
    for item in details.objects:
        missing = "replaced" if item.replaced_by else "does not exist"
        size = plain(missing, "red") if item.size is None else f"{item.size:,}"
        stored.add(
            item.role,
            size,
            details={
                "uri": item.uri,
                "console": item.console_url,
                "replaced by job": item.replaced_by,
            },
        )
    stored.print(console)
    for row in details.rejects:
        console.say(f"rejected  {json.dumps(row, ensure_ascii=False)}")
    console.say(plain("log", "bold"))
    function_log.show(console, details.log)


def _text(value: Any) -> str:  # noqa: ANN401 - any attribute of a record
    if isinstance(value, list | dict):
        return json.dumps(value, default=job_search.as_json_value, ensure_ascii=False)
    return str(value)
