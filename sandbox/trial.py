"""The trial of a region: deploy it, process files, ask questions, deploy again, and destroy it."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from ops import region_status, smoke, table
from ops.deployed_stacks import Stack
from ops.operator_errors import OpsError
from sandbox import orders
from sandbox.deployment import Deployment, SandboxError
from sandbox.leftovers import leftovers
from sandbox.questions import answers

BROKEN_KEY = "input/_sandbox/broken.csv"
BROKEN = bytes(range(256))
"""Neither text in a supported encoding nor another supported format, so its job must be FAILED."""
ALARM = "jobs-failed"
"""The alarm that a FAILED job raises."""
WITHIN_SECONDS = 900
POLL_SECONDS = 5.0


class Trial:
    """Runs the steps on one deployment, and prints the result of each.

    Attributes:
        problems: The steps that failed, with their errors.
    """

    def __init__(
        self,
        deployment: Deployment,
        say: Callable[[str], None],
        *,
        session: boto3.Session | None = None,
        endpoint_url: str | None = None,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        """Prepare the trial.

        Args:
            deployment: Deploys and destroys the region.
            say: Receives a line for each step.
            session: The account's credentials; by default the environment's.
            endpoint_url: The embedded AWS's address; None for AWS.
            wait: Waits for a number of seconds.
        """
        self.problems: list[str] = []
        self._deployment, self._say, self._wait = deployment, say, wait
        self._session, self._endpoint_url = session or boto3.Session(), endpoint_url

    def run(self) -> list[str]:
        """Run all steps, always destroy the deployment, and return the problems."""
        found: list[Stack] = []
        try:
            if self._step("up", lambda: found.append(self._deploy())):
                self._test(found[0])
        finally:
            self._step("destroy", self._deployment.destroy)
            self._step("nothing is left", self._await_nothing_left)
        return self.problems

    def _test(self, stack: Stack) -> None:
        self._step("an upload is converted", lambda: self._convert(stack))
        self._step("a broken file is FAILED and raises an alarm", lambda: self._break(stack))
        self._step("the files of a dataset are converted", lambda: self._convert_dataset(stack))
        for answer in answers(stack, self._wait):
            if answer.is_problem:
                self._add_problem(answer.text)
            else:
                self._say(answer.text)
        self._step("a second up changes nothing", self._deployment.up_again)

    def _step(self, name: str, action: Callable[[], object]) -> bool:
        """Run one step, and tell whether it succeeded."""
        began = time.monotonic()
        try:
            action()
        except (SandboxError, OpsError, ClientError, BotoCoreError) as error:
            self._add_problem(f"{name}: {error}")
            return False
        minutes, seconds = divmod(round(time.monotonic() - began), 60)
        self._say(f"{name}: yes, after {minutes} min {seconds} s")
        return True

    def _add_problem(self, problem: str) -> None:
        self.problems.append(problem)
        self._say(f"PROBLEM: {problem}")

    def _deploy(self) -> Stack:
        outputs = self._deployment.up()
        return Stack.from_outputs(self._deployment.suffix, outputs, self._session, self._endpoint_url)

    def _convert(self, stack: Stack) -> None:
        passed = smoke.check(stack, seconds=smoke.WITHIN_SECONDS, wait=self._wait)
        self._say(f"uploads until one made an event: {passed.uploads}; {passed.output}")

    def _break(self, stack: Stack) -> None:
        stored = stack.client("s3").put_object(Bucket=stack.bucket, Key=BROKEN_KEY, Body=BROKEN)
        job = table.job_id(stack.bucket, BROKEN_KEY, stored["VersionId"])
        began = datetime.now(UTC)
        self._await_status(stack, {BROKEN_KEY: job}, "FAILED")
        self._await(
            lambda: (
                None
                if ALARM in region_status.read_status(stack, since=began).alarms
                else f"{ALARM} is not in ALARM"
            )
        )

    def _convert_dataset(self, stack: Stack) -> None:
        self._await_status(stack, orders.upload(stack), "COMPLETED")

    def _await_status(self, stack: Stack, jobs: Mapping[str, str], status: str) -> None:
        """Wait until all jobs, which are named by their keys, have the status."""

        def missing() -> str | None:
            found = {key: _status(stack, job) for key, job in jobs.items()}
            return (
                "; ".join(f"the job of {key} is {found[key]}" for key in jobs if found[key] != status) or None
            )

        self._await(missing)

    def _await_nothing_left(self) -> None:
        """Wait until nothing is left: the tagging API lists deleted resources for some minutes."""
        self._await(lambda: ", ".join(leftovers(self._client, self._deployment.suffix)) or None)

    def _await(self, missing: Callable[[], str | None]) -> None:
        """Wait until the function returns None; it returns what is still missing."""
        deadline = time.monotonic() + WITHIN_SECONDS
        while (problem := missing()) is not None:
            if time.monotonic() > deadline:
                raise SandboxError(f"after {WITHIN_SECONDS} s: {problem}")
            self._wait(POLL_SECONDS)

    def _client(self, service: str) -> Any:  # noqa: ANN401 - boto3 creates client classes at run time
        return self._session.client(
            service, region_name=self._deployment.region, endpoint_url=self._endpoint_url
        )


def _status(stack: Stack, job: str) -> str:
    return (table.get(stack, job) or {}).get("status", "not there")
