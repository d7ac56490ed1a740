"""The embedded Lambda: polls in the background, or delivers waiting messages on request."""

from __future__ import annotations

import concurrent.futures
import os
import threading
import time
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from local.embedded_lambda.host_layer import host_layer
from local.embedded_lambda.invoker import Invoker
from local.embedded_lambda.poller import Poller

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from local.embedded_lambda.execution_environment import Invocation
    from local.embedded_lambda.function_archives import Function
    from local.server import Credentials, Server

POLL_SECONDS = 0.2


class LambdaService:
    """Polls queues and invokes functions, in the background (`start`) or on request (`run_until_idle`).

    Attributes:
        problems: Errors of Lambda, as its console would show them.
        invoker: Runs the functions.
        poller: Receives messages from the queues.
    """

    def __init__(
        self,
        server: Server,
        regions: Sequence[str],
        concurrency: int | None = None,
        stand_in_layer: Callable[[], Path] = host_layer,
    ) -> None:
        """Poll the queues of the regions.

        Args:
            server: The server.
            regions: The regions.
            concurrency: Maximum number of functions that run at a time; by default, one for each processor.
            stand_in_layer: Returns a layer for this machine if it cannot load the deployed one.
        """
        self.problems: list[str] = []
        self.invoker = Invoker(server, stand_in_layer, self._report)
        self.poller = Poller(server, regions, concurrency or os.cpu_count() or 1, self.invoker, self._report)
        self._stopping = threading.Event()
        self._background: threading.Thread | None = None

    @property
    def substitutions(self) -> Sequence[str]:
        """The layers that were replaced by a build for this machine."""
        return self.invoker.substitutions

    def start(self) -> None:
        """Poll in the background until `stop` is called."""
        self._stopping.clear()
        self._background = threading.Thread(
            target=self._poll_until_stopped, name="lambda-poller", daemon=True
        )
        self._background.start()

    def stop(self) -> None:
        """Stop polling, and wait for the poll in progress."""
        self._stopping.set()
        if self._background:
            self._background.join()
            self._background = None

    def close(self) -> None:
        """Stop and end every process; messages in progress reappear after their visibility timeout."""
        self.stop()
        self.invoker.kill()
        self.poller.close()
        self.invoker.close()

    def run_until_idle(self, timeout_seconds: float = 300) -> None:
        """Deliver until no mapping's queue has a visible message and nothing runs.

        Failed messages stay invisible for their queue's visibility timeout: see `redeliver`.

        Raises:
            TimeoutError: The functions are still busy after the timeout.
        """
        deadline = time.monotonic() + timeout_seconds
        while True:
            # Read before the poll: a function that ends during it may have left no room for messages.
            running = self.poller.running()
            took = self.poller.poll()
            if not took and not running:
                return
            if time.monotonic() > deadline:
                raise TimeoutError(f"functions were still busy after {timeout_seconds} s")
            if not took:
                concurrent.futures.wait(running, timeout_seconds, concurrent.futures.FIRST_COMPLETED)

    def redeliver(self) -> int:
        """Make failed messages visible, as if their visibility timeout had passed; return their number."""
        return self.poller.redeliver()

    def take_served_regions(self) -> set[str]:
        """Return the regions in which functions have run since the last call."""
        return self.poller.take_served_regions()

    def invoke(self, region: str, function_name: str, event: Any) -> Invocation:  # noqa: ANN401 - JSON
        """Invoke a function once and wait for it, as `aws lambda invoke` does."""
        return self.invoker.invoke(self.function(region, function_name), event)

    def assume_role(self, region: str, function_name: str) -> Credentials:
        """Return credentials of the function's role."""
        return self.invoker.assume_role(self.function(region, function_name))

    def function(self, region: str, name: str) -> Function:
        """Return a function's current configuration, by name or ARN."""
        return self.invoker.function(region, name)

    def recycle(self) -> None:
        """End all warm environments and the roles' sessions, so that the next invocation is a cold start."""
        self.invoker.recycle()

    def _poll_until_stopped(self) -> None:
        while not self._stopping.is_set():
            try:
                took = self.poller.poll()
            except (BotoCoreError, ClientError, OSError) as error:
                self._report(str(error))
                took = False
            if not took:
                self._stopping.wait(POLL_SECONDS)

    def _report(self, problem: str) -> None:
        if problem not in self.problems:
            self.problems.append(problem)
