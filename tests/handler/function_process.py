"""The function's process: it imports the handler once, then forks for each delivery that it reads.

A fork can kill itself with SIGKILL during an HTTP request. As when Lambda ends a function, none of Python's
clean-up runs.
"""

import dataclasses
import gc
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import botocore.endpoint
from botocore.exceptions import ClientError

import conversion_attempt
import index
from dynamo import Table
from objects import Bucket
from processor import Processor
from tests import service_models
from tests.handler import fake_conversion
from tests.handler.deliveries import Context
from tests.handler.fault_injection import cut_body, inject
from uploads import Uploads


def _kill_itself() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _watch(client: Any, note: Callable[[str], int], kill: tuple[int, str] | None) -> None:
    """Note each HTTP request of a client, and kill the process at the given one."""
    number = 0

    def before(event_name: str, **_: Any) -> None:
        nonlocal number
        number = note(event_name.rsplit(".", 1)[-1])
        if kill == (number, "before"):
            _kill_itself()

    def after(**_: Any) -> None:
        if kill == (number, "after"):
            _kill_itself()

    client.meta.events.register("before-send", before)
    client.meta.events.register("response-received", after)


def _deliver(command: dict[str, Any], report_to: int, out: int) -> None:
    """Run the handler in this process, and report its calls as they are made.

    Args:
        command: The event, and the options of `FunctionProcess.deliver`.
        report_to: The file descriptor for the calls and the answer, one JSON object a line.
        out: The file descriptor for standard output.
    """
    calls = 0

    def report(**what: Any) -> None:
        os.write(report_to, json.dumps(what).encode() + b"\n")

    def note(operation: str) -> int:
        nonlocal calls
        calls += 1
        report(call=operation)
        return calls

    os.dup2(out, 1)
    s3, dynamodb = index._s3, index.processor._table._client
    kill = tuple(command["kill"]) if command.get("kill") else None
    for client in (s3, dynamodb):
        _watch(client, note, kill)
    if command.get("fault"):
        fault, first, times = command["fault"]
        botocore.endpoint.time.sleep = _do_not_wait
        for client in (s3, dynamodb):
            inject(client, fault, first, times, lambda: calls)
    if command.get("cut"):
        cut_body(s3)
    stack, ahead = command["stack"], command.get("clock", 0)
    settings = dataclasses.replace(
        index.settings,
        bucket=stack,
        table=stack,
        job_retention_days=command.get("retention_days", 0),
        upload_prefixes=tuple(command.get("upload_prefixes", ())),
    )
    index.settings = settings
    index.processor = Processor(
        settings,
        Uploads(s3, stack),
        Bucket(s3, stack),
        Table(dynamodb, stack),
        lambda: time.time() + ahead,
    )
    if command.get("fake"):
        conversion_attempt.convert = fake_conversion.convert
    context = Context(seconds=command.get("seconds", 300), left=command.get("left", ()))
    answer = None
    try:
        answer = index.handler(command["event"], context)
    except Exception as error:  # noqa: BLE001  (Lambda catches every exception too)
        print(f"{type(error).__name__}: {error}")
    sys.stdout.flush()
    report(answer=answer)


def _do_not_wait(_seconds: float) -> None:
    """Replace the sleep between botocore's attempts."""


def _warm_up() -> None:
    """Make botocore load what it loads at the first calls, once for all forks; keep no connection."""
    s3, dynamodb = index._s3, index.processor._table._client
    for call in (
        lambda: s3.get_object(Bucket="none", Key="none"),
        lambda: s3.put_object(Bucket="none", Key="none", Body=b""),
        lambda: dynamodb.get_item(TableName="none", Key={"job_id": {"S": "none"}}),
        lambda: index.processor._table.update("none", assign={"a": 1}, condition="#a = :b", values={"b": 1}),
    ):
        with suppress(ClientError):
            call()
    for client in (s3, dynamodb):
        client.close()
        service_models.hold(client)


def main() -> None:
    _warm_up()
    gc.freeze()
    for line in sys.stdin:
        read, write = os.pipe()
        with tempfile.TemporaryFile() as out:
            child = os.fork()
            if child == 0:
                os.close(read)
                _deliver(json.loads(line), write, out.fileno())
                os._exit(0)
            os.close(write)
            delivered: dict[str, Any] = {"calls": [], "answer": None}
            with os.fdopen(read) as pipe:
                for entry in map(json.loads, pipe):
                    if "call" in entry:
                        delivered["calls"].append(entry["call"])
                    else:
                        delivered["answer"] = entry["answer"]
            os.waitpid(child, 0)
            out.seek(0)
            delivered["log"] = out.read().decode().splitlines()
        sys.stdout.write(json.dumps(delivered) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
