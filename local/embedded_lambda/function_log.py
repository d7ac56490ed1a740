"""Write a function's output to its log group, between Lambda's own lines."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.embedded_lambda.execution_environment import ExecutionEnvironment, Invocation
    from local.server import Server

EVENTS_MAX = 1000
"""Lines in one PutLogEvents, whose limits are 10,000 events and 1 MiB (CloudWatch Logs API)."""


class FunctionLog:
    """Writes the output of invocations to log groups, with the permissions of the functions' roles."""

    def __init__(self, server: Server, report: Callable[[str], None]) -> None:
        """Write to the server; `report` is called with each error."""
        self._server = server
        self._report = report

    def write(self, environment: ExecutionEnvironment, invocation: Invocation) -> None:
        """Write the output of one invocation.

        If the role may not write, the lines are lost and the function continues, as on AWS.
        """
        now = int(time.time() * 1000)
        stream = {"logGroupName": environment.log_group, "logStreamName": environment.log_stream}
        logs = self._server.client("logs", environment.function.region, environment.credentials)
        lines = _lines(environment, invocation)
        try:
            if not environment.has_log_stream:
                logs.create_log_stream(**stream)
                environment.has_log_stream = True
            for start in range(0, len(lines), EVENTS_MAX):
                events = [
                    {"timestamp": now, "message": line or " "} for line in lines[start : start + EVENTS_MAX]
                ]
                logs.put_log_events(**stream, logEvents=events)
        except ClientError as error:
            self._report(f"{environment.log_group}: {error}")


def _lines(environment: ExecutionEnvironment, invocation: Invocation) -> list[str]:
    """Return the output with Lambda's own lines (Lambda Developer Guide, "Working with function logs")."""
    request = invocation.request_id
    error = [] if invocation.error is None else [f"{request} {invocation.error['errorMessage']}"]
    report = (
        f"REPORT RequestId: {request}",
        f"Duration: {invocation.duration_ms:.2f} ms",
        f"Memory Size: {environment.function.memory_mb} MB",
        f"Max Memory Used: {invocation.memory_mb} MB",
    )
    return [
        f"START RequestId: {request} Version: $LATEST",
        *invocation.log,
        *error,
        f"END RequestId: {request}",
        "\t".join(report),
    ]
