"""Run functions in warm or new execution environments, and put Lambda's metrics of them."""

from __future__ import annotations

import functools
import threading
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from local.embedded_lambda.execution_environment import ExecutionEnvironment, Invocation
from local.embedded_lambda.function_archives import Archives, Function
from local.embedded_lambda.function_log import FunctionLog
from local.embedded_lambda.host_layer import check_binaries
from local.server import Credentials

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from local.server import Server


class Invoker:
    """Invokes functions; each environment handles one event at a time.

    Attributes:
        substitutions: The layers that were replaced by a build for this machine.
    """

    def __init__(
        self, server: Server, stand_in_layer: Callable[[], Path], report: Callable[[str], None]
    ) -> None:
        """Run the functions that are deployed to the server.

        Args:
            server: The server.
            stand_in_layer: Returns a layer for this machine if it cannot load the deployed one.
            report: Called with each error of Lambda.
        """
        self.substitutions: list[str] = []
        self._server = server
        self._stand_in_layer = stand_in_layer
        self._log = FunctionLog(server, report)
        self._archives = Archives()
        self._lock = threading.Lock()
        self._idle: dict[Function, list[ExecutionEnvironment]] = defaultdict(list)
        self._busy: set[ExecutionEnvironment] = set()
        self._closed = False
        self._sessions: dict[tuple[str, str], Credentials] = {}

    def function(self, region: str, name: str) -> Function:
        """Return a function's current configuration, by name or ARN."""
        return Function.from_response(self._client("lambda", region).get_function(FunctionName=name))

    def invoke(self, function: Function, event: Any) -> Invocation:  # noqa: ANN401 - JSON
        """Invoke a function once, and write its log and metrics."""
        environment = self._environment(function)
        with self._lock:
            self._busy.add(environment)
            closed = self._closed
        if closed:  # while the environment was created
            environment.kill()
        try:
            invocation = environment.invoke(event)
            self._log.write(environment, invocation)
        finally:
            self._release(environment)
        failed = 0 if invocation.error is None else 1
        counts = {"Invocations": (1, "Count"), "Errors": (failed, "Count"), "Throttles": (0, "Count")}
        self._put_metrics(function, {**counts, "Duration": (invocation.duration_ms, "Milliseconds")})
        return invocation

    def throttle(self, function: Function) -> None:
        """Count an invocation that the function's reserved concurrency prevented."""
        self._put_metrics(function, {"Throttles": (1, "Count")})

    def assume_role(self, function: Function) -> Credentials:
        """Return credentials of the function's role, which the role's trust policy must allow."""
        key = (function.role, function.arn)
        if key not in self._sessions:
            sts = self._server.new_client("sts", function.region, self._server.lambda_service)
            acting_for = {
                "x-amz-source-arn": function.arn,
                "x-amz-source-account": function.arn.split(":")[4],
            }
            sts.meta.events.register(
                "before-call.sts", lambda params, **_: params["headers"].update(acting_for)
            )
            session = sts.assume_role(RoleArn=function.role, RoleSessionName=function.name)["Credentials"]
            self._sessions[key] = Credentials(
                session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"]
            )
        return self._sessions[key]

    def recycle(self) -> None:
        """End all warm environments and the roles' sessions, so that the next invocation is a cold start."""
        with self._lock:
            environments = [environment for idle in self._idle.values() for environment in idle]
            self._idle.clear()
            self._sessions.clear()
        for environment in environments:
            environment.stop()

    def kill(self) -> None:
        """Kill running environments, and those that start later."""
        with self._lock:
            self._closed = True
            busy = tuple(self._busy)
        for environment in busy:
            environment.kill()

    def close(self) -> None:
        """End every environment and remove the unpacked archives; call it when nothing runs."""
        self.recycle()
        self._archives.close()

    def _release(self, environment: ExecutionEnvironment) -> None:
        """Keep an environment for the next invocation if it is alive."""
        with self._lock:
            self._busy.discard(environment)
            if keep := environment.alive:
                self._idle[environment.function].append(environment)
        if not keep:
            environment.stop()

    def _environment(self, function: Function) -> ExecutionEnvironment:
        """Return a warm environment with this configuration, or a new one."""
        with self._lock:
            if self._idle[function]:
                return self._idle[function].pop()
            outdated = [known for known in self._idle if known.arn == function.arn and known != function]
            retired = [environment for known in outdated for environment in self._idle.pop(known)]
        for environment in retired:
            environment.stop()
        code = self._archives.unpack(function.code_location)
        layers = [self._layer(function, arn) for arn in function.layers]
        return ExecutionEnvironment(function, self.assume_role(function), self._server.endpoint, code, layers)

    def _layer(self, function: Function, arn: str) -> Path:
        """Unpack and check the deployed layer; return it, or a build that this machine can load."""
        *_, name, version = arn.split(":")
        published = self._client("lambda", function.region).get_layer_version(
            LayerName=name, VersionNumber=int(version)
        )
        check = functools.partial(check_binaries, architecture=function.architecture)
        deployed = self._archives.unpack(published["Content"]["Location"], check)
        if function.fits_host:
            return deployed
        note = f"layer {name} is for {function.architecture} and {function.runtime}"
        if note not in self.substitutions:
            self.substitutions.append(note)
        return self._stand_in_layer()

    def _put_metrics(self, function: Function, values: Mapping[str, tuple[float, str]]) -> None:
        """Put Lambda's metrics of the function: value and unit by name."""
        dimensions = [{"Name": "FunctionName", "Value": function.name}]
        self._client("cloudwatch", function.region).put_metric_data(
            Namespace="AWS/Lambda",
            MetricData=[
                {"MetricName": name, "Dimensions": dimensions, "Value": value, "Unit": unit}
                for name, (value, unit) in values.items()
            ],
        )

    def _client(self, service: str, region: str) -> Any:  # noqa: ANN401 - boto3
        return self._server.client(service, region, self._server.lambda_service)
