"""`python -m local serve`: keep the stacks running, and process what any S3 client uploads."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import threading
import time
from typing import TYPE_CHECKING, Any, NoReturn

from local import state_file
from local.commands.redeliver import SIGNAL
from terminal.console import Console
from terminal.records import Records

if TYPE_CHECKING:
    import argparse

    from local.cloud import Cloud

DEFAULT_PORT = 4566
LOOK_SECONDS = 0.5
SAMPLE_SECONDS = 60
"""How often SQS measures its queues, and CloudWatch evaluates alarms."""


def add_parser(commands: Any) -> None:  # noqa: ANN401 - argparse does not export its type
    """Declare the command."""
    parser = commands.add_parser(
        "serve",
        help="keep three regions running for any S3 client",
        description="Deploys the stacks on the embedded AWS and processes what any S3 client uploads to their"
        " buckets, until Ctrl-C. Everything is in memory and ends with it.",
    )
    parser.add_argument(
        "--port",
        type=int,
        default=DEFAULT_PORT,
        metavar="N",
        help="default %(default)s; 0 takes any free port",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Serve until interrupted."""
    from local.cloud import Cloud  # Pulumi takes a second to import: not for --help

    console = Console()
    asked_to_redeliver = threading.Event()
    signal.signal(SIGNAL, lambda *_: asked_to_redeliver.set())
    # Ctrl-C too: a shell starts what it puts in the background with interrupts ignored.
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, _interrupt)
    with contextlib.suppress(KeyboardInterrupt), state_file.held() as announce:
        console.say("Deploying the stacks ...")
        with Cloud(port=arguments.port) as cloud:
            announce(state_of(cloud))
            _explain(console, cloud)
            cloud.functions.start()
            _follow(console, cloud, asked_to_redeliver)
    console.say("Ended.")
    return 0


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def state_of(cloud: Cloud) -> dict[str, Any]:
    """Give what other commands need to find the embedded AWS."""
    credentials = cloud.server.operator
    return {
        "process": os.getpid(),
        "endpoint_url": cloud.server.endpoint,
        "credentials": {
            "aws_access_key_id": credentials.key_id,
            "aws_secret_access_key": credentials.secret,
        },
        "stacks": cloud.outputs,
    }


def _explain(console: Console, cloud: Cloud) -> None:
    """Say where everything is, and how to point the AWS CLI at it."""
    table = Records("stack", "region")
    for stack, outputs in cloud.outputs.items():
        details = {"bucket": outputs["bucketName"], "job table": outputs["tableName"]}
        table.add(stack, outputs["region"], details=details)
    table.print(console)
    console.say()
    stack = cloud.stacks[-1]
    bucket, region = cloud.outputs[stack]["bucketName"], cloud.region(stack)
    console.say(f"The embedded AWS is at {cloud.server.endpoint}. Point the AWS CLI, or any SDK, at it:")
    console.say()
    variables = {"AWS_ENDPOINT_URL": cloud.server.endpoint, **cloud.server.operator.environment}
    for name, value in variables.items():
        console.say(f"  export {name}={shlex.quote(value)}")
    console.say(f"  aws s3 cp FILE s3://{bucket}/input/ --region {region}")
    console.say(f"  aws s3 ls s3://{bucket}/processed/ --recursive --region {region}")
    console.say()
    console.say("Uploads are processed as they arrive; Ctrl-C ends it all.")


def _follow(console: Console, cloud: Cloud, asked_to_redeliver: threading.Event) -> None:
    """Print each job's outcome as it is recorded, and what keeps Lambda from working."""
    from local.alarms import CloudWatch

    metrics = CloudWatch(cloud.server)
    sampled = time.monotonic()
    told: dict[tuple[str, str], str] = {}
    problems = 0
    while True:
        time.sleep(LOOK_SECONDS)
        served = cloud.functions.take_served_regions()
        for stack in (stack for stack in cloud.stacks if cloud.region(stack) in served):
            for job in cloud.jobs(stack):
                if told.get((stack, job["job_id"])) != job["status"]:
                    told[stack, job["job_id"]] = job["status"]
                    console.say(_line(stack, job))
        for problem in cloud.functions.problems[problems:]:
            console.say(problem)
            problems += 1
        if asked_to_redeliver.is_set():
            asked_to_redeliver.clear()
            console.say(f"Made {cloud.redeliver()} failed messages visible again.")
        if time.monotonic() - sampled > SAMPLE_SECONDS:
            metrics.sample()
            for region in cloud.regions:
                metrics.evaluate(region)
            sampled = time.monotonic()


def _line(stack: str, job: dict[str, Any]) -> str:
    when = time.strftime("%H:%M:%S", time.localtime(float(job["timestamp"])))
    rows = "" if job.get("rows_out") is None else f"{int(job['rows_out']):,} rows -> {job.get('output_path')}"
    return f"{when} {stack} {job['input_path']}: {job['status']} {job.get('error') or rows}"
