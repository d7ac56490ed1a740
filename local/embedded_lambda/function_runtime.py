"""The runtime in an execution environment: it imports the handler once, then handles invocations.

`execution_environment.py` starts it in an isolated interpreter (`-I -S`), which can import the function's
archive, its layers and the standard library only. Requests and responses are lines of JSON.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import resource
import signal
import sys
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, kw_only=True)
class Context:
    """The context object that Lambda's Python runtime passes to the handler."""

    aws_request_id: str
    invoked_function_arn: str
    deadline: float
    function_name: str = field(default_factory=lambda: os.environ["AWS_LAMBDA_FUNCTION_NAME"])
    function_version: str = field(default_factory=lambda: os.environ["AWS_LAMBDA_FUNCTION_VERSION"])
    memory_limit_in_mb: str = field(default_factory=lambda: os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"])
    log_group_name: str = field(default_factory=lambda: os.environ["AWS_LAMBDA_LOG_GROUP_NAME"])
    log_stream_name: str = field(default_factory=lambda: os.environ["AWS_LAMBDA_LOG_STREAM_NAME"])
    identity: None = None
    client_context: None = None

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until Lambda kills the process."""
        return max(0, int((self.deadline - time.time()) * 1000))


def load(name: str) -> Callable[[Any, Context], Any]:
    """Import the handler named as `module.function`."""
    module, _, function = name.rpartition(".")
    return getattr(importlib.import_module(module), function)


def answer(handler: Callable[[Any, Context], Any], request: dict[str, Any]) -> dict[str, Any]:
    """Call the handler once, and return a response with its result or its error."""
    context = Context(
        aws_request_id=request["request_id"],
        invoked_function_arn=request["function_arn"],
        deadline=request["deadline"],
    )
    try:
        returned = handler(request["event"], context)
        json.dumps(returned)
    except BaseException as error:  # noqa: BLE001 - as in Lambda, the environment survives every error
        return failure(error, context.aws_request_id)
    return {"returned": returned}


def failure(error: BaseException, request_id: str = "") -> dict[str, Any]:
    """Log an error as Lambda's runtime does, and return a response with it."""
    print(
        f"[ERROR] {type(error).__name__}: {error}",
        *traceback.format_tb(error.__traceback__),
        sep="\n",
        flush=True,
    )
    return {"error": {"errorType": type(error).__name__, "errorMessage": str(error), "requestId": request_id}}


def _peak_bytes() -> int:
    """Return the process's largest resident memory so far.

    Linux counts that of the parent into `ru_maxrss` (getrusage(2)), so /proc is read where there is one.
    """
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # macOS counts bytes
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) << 10


def main(handler_name: str, memory_mb: str, requests_fd: str, responses_fd: str, *path: str) -> None:
    """Handle invocations until the pipe of requests is closed."""
    sys.path[:0] = path
    memory = int(memory_mb) << 20
    logging.basicConfig(stream=sys.stdout, format="[%(levelname)s]\t%(asctime)s\t%(message)s")
    with os.fdopen(int(requests_fd)) as requests, os.fdopen(int(responses_fd), "w") as responses:

        def respond(response: dict[str, Any]) -> None:
            sys.stdout.flush()
            peak = _peak_bytes()
            if peak > memory:
                # Lambda kills the process at once. Here, its work may end first, but its result is lost.
                os.kill(os.getpid(), signal.SIGKILL)
            responses.write(json.dumps(response | {"memory_mb": peak >> 20}) + "\n")
            responses.flush()

        try:
            handler = load(handler_name)
        except BaseException as error:  # noqa: BLE001 - every error of the import is a failed start
            respond(failure(error))
            return
        respond({"ready": True})
        for line in requests:
            respond(answer(handler, json.loads(line)))


if __name__ == "__main__":
    main(*sys.argv[1:])
