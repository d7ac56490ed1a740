"""A deployment on the embedded AWS that can be destroyed."""

import contextlib
import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest

from local.alarms import CloudWatch
from local.deployer import deploy
from local.embedded_lambda.lambda_service import LambdaService
from local.resources import lifecycle
from local.server import Server
from local.stacks import PROJECT, Stack
from sandbox import program
from sandbox.deployment import SandboxError, settings

REGION = "eu-west-1"
_numbers = itertools.count()


@contextlib.contextmanager
def passing_minutes(server: Server, region: str) -> Iterator[Callable[[float], None]]:
    """Yield a function to wait with: it runs the functions, and moves the clock by a minute."""
    functions, cloudwatch = LambdaService(server, [region], 1), CloudWatch(server)
    minutes = itertools.count(1)

    def wait(_seconds: float) -> None:
        functions.run_until_idle()
        cloudwatch.set_clock(timedelta(minutes=next(minutes)))
        cloudwatch.evaluate(region)

    try:
        yield wait
    finally:
        functions.close()


class EmbeddedDeployment:
    """Deploys as the embedded AWS does, and deletes what it created in reverse order."""

    def __init__(
        self, server: Server, monkeypatch: pytest.MonkeyPatch, more: Mapping[str, Any] | None = None
    ) -> None:
        """Prepare a deployment; `more` are further settings."""
        self._more = {f"regional-analytics:{name}": json.dumps(value) for name, value in (more or {}).items()}
        self.suffix, self.region = f"sb{next(_numbers)}", REGION
        self.keeps = ""
        """A type of resource that `destroy` does not delete."""
        self.changes_again = False
        self._server = server
        self._created: list[tuple[Any, Any, Any]] = []
        create = lifecycle.create

        def create_and_note(kind: Any, target: Any, inputs: Any) -> Any:
            created = create(kind, target, inputs)
            self._created.append((kind, target, created))
            return created

        monkeypatch.setattr(lifecycle, "create", create_and_note)

    def up(self) -> Mapping[str, Any]:
        config = settings(PROJECT, REGION, self.suffix) | self._more
        self.outputs = deploy(
            self._server,
            Stack(project="regional-analytics", name=REGION, config=config),
            program=program.main,
        )
        return self.outputs

    def up_again(self) -> None:
        if self.changes_again:
            raise SandboxError("1 change")

    def destroy(self) -> None:
        s3, bucket = self._server.client("s3", REGION), self.outputs["bucketName"]
        s3.delete_bucket_policy(Bucket=bucket)
        versions = s3.list_object_versions(Bucket=bucket)
        for version in versions.get("Versions", []) + versions.get("DeleteMarkers", []):
            s3.delete_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])
        for kind, target, resource in reversed(self._created):
            if kind.pulumi_type != self.keeps:
                lifecycle.delete(kind, target, resource)
