"""`python -m local serve`: run the stacks and process what any S3 client uploads."""

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
from terminal.console import INDENT, Console
from terminal.records import Records

if TYPE_CHECKING:
    import argparse

    from local.cloud import Cloud

DEFAULT_PORT = 4566
LOOK_SECONDS = 0.5
SAMPLE_SECONDS = 60
"""Interval in which SQS measures its queues and CloudWatch evaluates alarms."""


def add_parser(commands: Any) -> None:  # noqa: ANN401 - argparse does not export its type
    """Declare the command."""
    parser = commands.add_parser(
        "serve",
        help="run three regions for any S3 client",
        description="Deploys the stacks on the embedded AWS and processes what any S3 client uploads to their"
        " buckets, until Ctrl-C. Everything is kept in memory and lost at the end.",
    )
    parser.add_argument(
        "--port",
        type=int,
        default=DEFAULT_PORT,
        metavar="N",
        help="port (default %(default)s); 0 selects a free port",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Serve until the process is interrupted."""
    from local.cloud import Cloud  # importing Pulumi takes a second, which --help need not wait for

    console = Console()
    redelivery_requested = threading.Event()
    signal.signal(SIGNAL, lambda *_: redelivery_requested.set())
    # SIGINT too: a shell starts background processes with SIGINT ignored.
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, _interrupt)
    with contextlib.suppress(KeyboardInterrupt), state_file.held() as announce:
        console.say("Deploying the stacks ...")
        with Cloud(port=arguments.port) as cloud:
            announce(state_of(cloud))
            _explain(console, cloud)
            cloud.functions.start()
            _follow(console, cloud, redelivery_requested)
    console.say("Stopped.")
    return 0


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def state_of(cloud: Cloud) -> dict[str, Any]:
    """Return what other commands need to find the embedded AWS."""
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
    """Print the endpoint, the resources and how to use the AWS CLI with them."""
    table = Records("stack", "region")
    for stack, outputs in cloud.outputs.items():
        details = {"bucket": outputs["bucketName"], "job table": outputs["tableName"]}
        table.add(stack, outputs["region"], details=details)
    table.print(console)
    console.say()
    stack = cloud.stacks[-1]
    bucket, region = cloud.outputs[stack]["bucketName"], cloud.region(stack)
    console.say(f"The embedded AWS is at {cloud.server.endpoint}.")
    console.say("To use it with the AWS CLI or an SDK:")
    console.say()
    variables = {"AWS_ENDPOINT_URL": cloud.server.endpoint, **cloud.server.operator.environment}
    for name, value in variables.items():
        console.say(f"{INDENT}export {name}={shlex.quote(value)}")
    console.say(f"{INDENT}aws s3 cp FILE s3://{bucket}/input/ --region {region}")
    console.say(f"{INDENT}aws s3 ls s3://{bucket}/processed/ --recursive --region {region}")
    console.say()
    console.say("Uploads are processed when they arrive. Ctrl-C stops everything.")


def _follow(console: Console, cloud: Cloud, redelivery_requested: threading.Event) -> None:
    """Print the status of each job when it changes, and the problems of Lambda."""
    from local.alarms import CloudWatch

    metrics = CloudWatch(cloud.server)
    sampled = time.monotonic()
    printed: dict[tuple[str, str], str] = {}
    problems = 0
    while True:
        time.sleep(LOOK_SECONDS)
        served = cloud.functions.take_served_regions()
        for stack in (stack for stack in cloud.stacks if cloud.region(stack) in served):
            for job in cloud.jobs(stack):
                if printed.get((stack, job["job_id"])) != job["status"]:
                    printed[stack, job["job_id"]] = job["status"]
                    _print_job(console, stack, job)
        for problem in cloud.functions.problems[problems:]:
            console.explain(problem)
            problems += 1
        if redelivery_requested.is_set():
            redelivery_requested.clear()
            console.say(f"Delivering {cloud.redeliver()} failed messages again.")
        if time.monotonic() - sampled > SAMPLE_SECONDS:
            metrics.sample()
            for region in cloud.regions:
                metrics.evaluate(region)
            sampled = time.monotonic()


def _print_job(console: Console, stack: str, job: dict[str, Any]) -> None:
    when = time.strftime("%H:%M:%S", time.localtime(float(job["timestamp"])))
    rows = f" {int(job['rows_out']):,} rows" if job.get("output_path") else ""
    console.say(f"{when} {stack} {job['status']}{rows}")
    for line in filter(None, (job["input_path"], job.get("output_path"), job.get("error"))):
        console.say(f"{INDENT}{line}")
