"""One execution environment of a function: a separate process that stays warm between invocations.

It has the function's variables, memory limit, timeout and `/tmp`, and the credentials of its role, but no
variables of the host. Lambda's CPU share, disk quota and network are not emulated.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from local.embedded_lambda.function_archives import Function
    from local.server import Credentials

INTERPRETER = (sys.executable,)
"""The command that runs the functions' Python interpreter."""
RUNTIME = Path(__file__).with_name("function_runtime.py")
INIT_SECONDS = 30
"""Lambda's limit is 10 s (Lambda Developer Guide, "Init phase"); a host may be slower than the service."""


@dataclass(frozen=True, kw_only=True)
class Invocation:
    """The result of one invocation: `returned`, or `error` with Lambda's errorType and errorMessage."""

    request_id: str
    returned: Any
    error: dict[str, str] | None
    log: tuple[str, ...]
    duration_ms: float
    memory_mb: int
    cold_start: bool


class ExecutionEnvironment:
    """A running process that handles invocations of one function, one at a time."""

    def __init__(
        self, function: Function, credentials: Credentials, endpoint: str, code: Path, layers: Sequence[Path]
    ) -> None:
        """Start the process; the first invocation waits for the import of the handler, as in a cold start."""
        self.function = function
        self.credentials = credentials
        self.log_group = f"/aws/lambda/{function.name}"
        self.log_stream = f"{datetime.now(UTC):%Y/%m/%d}/[$LATEST]{uuid.uuid4().hex}"
        self.has_log_stream = False
        """Whether the log stream exists; until then, the function's output is lost, as on AWS."""
        self._home = Path(tempfile.mkdtemp(prefix="lambda-"))
        (self._home / "tmp").mkdir()
        self._output = (self._home / "output").open("w+b", buffering=0)
        requests, self._requests = os.pipe()
        self._responses, responses = os.pipe()
        self._received = b""
        search_path = [str(code), *(str(layer / "python") for layer in layers)]
        self._process = subprocess.Popen(
            [
                *(*INTERPRETER, "-I", "-S", "-B", "-X", "utf8", str(RUNTIME)),
                *(function.handler, str(function.memory_mb), str(requests), str(responses), *search_path),
            ],
            env=self._variables(endpoint, code),
            cwd=code,
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=self._output,
            pass_fds=(requests, responses),
            start_new_session=True,
        )
        os.close(requests)
        os.close(responses)
        self._ready = False

    @property
    def alive(self) -> bool:
        """Whether the process can handle another invocation."""
        return self._process.poll() is None

    def invoke(self, event: Any, request_id: str | None = None) -> Invocation:  # noqa: ANN401 - JSON
        """Call the handler with one event; kill the process at the function's timeout, as Lambda does."""
        request_id = request_id or str(uuid.uuid4())
        written = self._output.seek(0, os.SEEK_END)
        cold_start = not self._ready
        response = self._start() if cold_start else {}
        began = time.time()
        if "error" not in response:
            deadline = began + self.function.timeout_seconds
            request = {
                "request_id": request_id,
                "function_arn": self.function.arn,
                "deadline": deadline,
                "event": event,
            }
            try:
                os.write(self._requests, json.dumps(request).encode() + b"\n")
            except BrokenPipeError:
                response = self._died()
            else:
                response = self._receive(deadline) or self._timed_out()
        self._output.seek(written)
        return Invocation(
            request_id=request_id,
            returned=response.get("returned"),
            error=response.get("error"),
            log=tuple(self._output.read().decode(errors="replace").splitlines()),
            duration_ms=(time.time() - began) * 1000,
            memory_mb=response.get("memory_mb", 0),
            cold_start=cold_start,
        )

    def kill(self) -> None:
        """Kill the process and its children; a running invocation ends with an error."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        """Kill the process and its children, and remove its files."""
        self.kill()
        os.close(self._requests)
        os.close(self._responses)
        self._output.close()
        shutil.rmtree(self._home, ignore_errors=True)

    def _variables(self, endpoint: str, code: Path) -> dict[str, str]:
        function = self.function
        return {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "TMPDIR": str(self._home / "tmp"),
            "LAMBDA_TASK_ROOT": str(code),
            "_HANDLER": function.handler,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.runtime}",
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": self.log_group,
            "AWS_LAMBDA_LOG_STREAM_NAME": self.log_stream,
            "AWS_REGION": function.region,
            "AWS_DEFAULT_REGION": function.region,
            "AWS_ENDPOINT_URL": endpoint,
            # The function must not read the host's AWS configuration.
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            **self.credentials.environment,
            **dict(function.variables),
        }

    def _start(self) -> dict[str, Any]:
        response = self._receive(time.time() + INIT_SECONDS)
        if response is None:
            self.kill()
            return _error(
                "Runtime.InitTimeout", f"the handler was not imported within {INIT_SECONDS} seconds"
            )
        self._ready = response.get("ready", False)
        return response

    def _receive(self, deadline: float) -> dict[str, Any] | None:
        """Wait for the next response; return None at the deadline."""
        while b"\n" not in self._received:
            remaining = deadline - time.time()
            if remaining <= 0 or not select.select([self._responses], [], [], remaining)[0]:
                return None
            chunk = os.read(self._responses, 65536)
            if not chunk:
                return self._died()
            self._received += chunk
        line, _, self._received = self._received.partition(b"\n")
        return json.loads(line)

    def _died(self) -> dict[str, Any]:
        code = self._process.wait()
        how = f"signal: {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"
        return _error("Runtime.ExitError", f"Runtime exited with error: {how}")

    def _timed_out(self) -> dict[str, Any]:
        self.kill()
        return _error("Sandbox.Timedout", f"Task timed out after {self.function.timeout_seconds:.2f} seconds")


def _error(kind: str, message: str) -> dict[str, Any]:
    return {"error": {"errorType": kind, "errorMessage": message}}
