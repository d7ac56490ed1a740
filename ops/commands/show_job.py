"""`job`: everything known about one job, wherever it is."""

import json
from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from ops import display, function_log, job_search
from ops.commands.options import add_command, chosen_stacks, moment
from ops.deployed_stacks import Stack
from ops.operator_errors import OpsError
from terminal.console import Console, plain
from terminal.machine import print_json
from terminal.records import Records, print_pairs


def add_parser(commands: Any) -> None:  # noqa: ANN401 - argparse does not export its type
    """Declare the command."""
    parser = add_command(commands, "job", "everything known about one job, with its log lines")
    parser.add_argument(
        "job", metavar="JOB", help="the job's id, the beginning of it, or the object's key (in every region)"
    )
    parser.add_argument(
        "--since", type=moment, default="7d", help="how far back the beginning of an id is looked for"
    )
    parser.set_defaults(run=run)


@dataclass(frozen=True, kw_only=True)
class _Everything:
    """What is known about a job."""

    stack: Stack
    job: job_search.Job
    objects: Sequence[job_search.StoredObject]
    rejects: Sequence[Mapping[str, Any]]
    log: Sequence[tuple[datetime, str]]


def run(arguments: Namespace) -> int:
    """Show the job; of a key, those of every region that has it."""
    asked = chosen_stacks(arguments)
    found = job_search.look_up(asked, arguments.job, since=arguments.since)
    if not found:
        raise OpsError(
            f"no job {arguments.job!r} in {', '.join(stack.name for stack in asked)}:"
            " `python -m ops jobs` lists those of the last day"
        )
    console = Console()
    for number, (stack, job) in enumerate(found):
        everything = _gather(stack, job)
        if arguments.json:
            _print_json(everything)
            continue
        if number:
            console.say()
        _show(console, everything)
    return 0


def _gather(stack: Stack, job: job_search.Job) -> _Everything:
    since, until = job_search.lifetime(job)
    return _Everything(
        stack=stack,
        job=job,
        objects=job_search.stored_objects(stack, job),
        rejects=job_search.rejects(stack, job),
        log=function_log.lines_with(stack, job["job_id"], since=since, until=until),
    )


def _print_json(everything: _Everything) -> None:
    print_json(
        {
            "stack": everything.stack.name,
            "job": everything.job,
            "objects": [asdict(item) for item in everything.objects],
            "rejects": everything.rejects,
            "log": [{"time": moment.isoformat(), "message": line} for moment, line in everything.log],
        },
        default=job_search.as_json_value,
    )


def _show(console: Console, everything: _Everything) -> None:
    job = everything.job
    times = ("timestamp", "uploaded_at")
    print_pairs(
        console,
        {
            "job": job["job_id"],
            "stack": everything.stack.name,
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
    for item in everything.objects:
        there = plain("not there", "red") if item.size is None else f"{item.size:,}"
        stored.add(item.role, there, details={"uri": item.uri, "console": item.console_url})
    stored.print(console)
    for row in everything.rejects:
        console.say(f"rejected  {json.dumps(row, ensure_ascii=False)}")
    console.say(plain("log", "bold"))
    function_log.show(console, everything.log)


def _text(value: Any) -> str:  # noqa: ANN401 - what a record holds
    if isinstance(value, list | dict):
        return json.dumps(value, default=job_search.as_json_value, ensure_ascii=False)
    return str(value)
