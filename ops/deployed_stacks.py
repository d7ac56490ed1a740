"""Where each stack is: the outputs of its deployment, and clients for its region."""

import functools
import json
import os
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import boto3
from botocore.config import Config

from ops.operator_errors import OpsError

EMBEDDED_AWS = Path(".build/embedded-aws.json")
"""Written by `python -m local serve`: its endpoint, the operator's credentials, its stacks' outputs."""

_NO_STACK = "no stack named"
"""What the Pulumi CLI says of a stack that nobody has made."""

OUTPUTS = {
    "bucket": "bucketName",
    "table": "tableName",
    "function_arn": "functionArn",
    "queue_url": "queueUrl",
    "dead_letter_queue_url": "deadLetterQueueUrl",
    "delivery_dead_letter_queue_url": "deliveryDeadLetterQueueUrl",
    "log_group": "logGroupName",
    "dashboard_url": "dashboardUrl",
    "region": "region",
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Stack:
    """One deployed region, by its stack's outputs; equal to itself alone, so that it can be a key."""

    name: str
    region: str
    bucket: str
    table: str
    function_arn: str
    queue_url: str
    dead_letter_queue_url: str
    delivery_dead_letter_queue_url: str
    log_group: str
    dashboard_url: str
    code_sha256: str | None
    """Of the function's code as it was deployed; None when an older program did that."""
    database: str | None
    """The Glue database; None when the stack deploys no datasets."""
    datasets: Mapping[str, Mapping[str, str]] = field(hash=False)
    """Of each dataset the names of table, view and workgroup, its key prefix and its contract's version."""
    session: boto3.Session
    endpoint_url: str | None = None
    """Of the embedded AWS; None for AWS itself."""

    @classmethod
    def from_outputs(
        cls, name: str, outputs: Mapping[str, Any], session: boto3.Session, endpoint_url: str | None = None
    ) -> Self:
        """Read a stack's outputs.

        Raises:
            OpsError: when one is missing: the stack is not deployed, or by an older program.
        """
        missing = sorted(set(OUTPUTS.values()) - set(outputs))
        if missing:
            raise OpsError(
                f"stack {name} has no output {', '.join(missing)}, got"
                f" {', '.join(sorted(outputs)) or 'none'}: deploy it first (pulumi up --stack {name})"
            )
        fields = {field: str(outputs[output]) for field, output in OUTPUTS.items()}
        return cls(
            name=name,
            code_sha256=outputs.get("codeSha256"),
            database=outputs.get("databaseName"),
            datasets=outputs.get("datasets") or {},
            session=session,
            endpoint_url=endpoint_url,
            **fields,
        )

    @functools.cache  # noqa: B019 - a stack lives as long as the command
    def client(self, service: str) -> Any:  # noqa: ANN401 - boto3 makes its clients' classes at run time
        """Return a client of the stack's region."""
        return self.session.client(
            service,
            region_name=self.region,
            endpoint_url=self.endpoint_url,
            config=Config(
                retries={"mode": "standard", "max_attempts": 5},
                # By default, S3's client asks the global address in us-east-1.
                s3={"us_east_1_regional_endpoint": "regional"},
            ),
        )

    @functools.cached_property
    def jobs(self) -> Any:  # noqa: ANN401 - boto3 makes its resources' classes at run time
        """The job table."""
        dynamodb: Any = self.session.resource(
            "dynamodb", region_name=self.region, endpoint_url=self.endpoint_url
        )
        return dynamodb.Table(self.table)

    @property
    def account(self) -> str:
        """The account that the stack is deployed to."""
        return self.function_arn.split(":")[4]

    @property
    def function_name(self) -> str:
        """The function's name, which its metrics carry."""
        return self.function_arn.split(":")[6]

    @property
    def environment_suffix(self) -> str:
        """What tells this deployment from others of the region: the end of each of its names."""
        return self.function_name.removeprefix(f"analytics-etl-{self.region}-")

    def physical(self, kind: str) -> str:
        """Return the name of the stack's resource of this kind."""
        return f"analytics-{kind}-{self.region}-{self.environment_suffix}"


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """The stacks that were asked for."""

    stacks: tuple[Stack, ...]
    undeployed: tuple[str, ...] = ()
    """Names of those that the project has a file for and that nobody has deployed."""


def find(
    *, names: Sequence[str], outputs_files: Sequence[Path], local: bool, project: Path = Path()
) -> Deployment:
    """Return the stacks asked for by name, or all of them.

    Args:
        names: Names of stacks; empty for all.
        outputs_files: What `pulumi stack output --json` printed, a file for each stack; instead of Pulumi.
        local: Whether to look at the embedded AWS that `python -m local serve` keeps running.
        project: The Pulumi project's directory.

    Raises:
        OpsError: when there is no such stack, none of them is deployed, or outputs cannot be had.
    """
    if not local and not outputs_files:
        return _from_pulumi(names, project)
    found = _embedded(project / EMBEDDED_AWS) if local else [_from_file(path) for path in outputs_files]
    _check_names(names, [stack.name for stack in found])
    return Deployment(stacks=tuple(stack for stack in found if not names or stack.name in names))


def _check_names(names: Iterable[str], known: Sequence[str]) -> None:
    for name in names:
        if name not in known:
            raise OpsError(f"no stack {name!r}; there is {', '.join(sorted(known)) or 'none here'}")
    if not known:
        raise OpsError(
            "no Pulumi.<region>.yaml here: run this in the project's directory, or pass --outputs FILE"
        )


def _from_pulumi(names: Sequence[str], project: Path) -> Deployment:
    known = [
        path.name.removeprefix("Pulumi.").removesuffix(".yaml") for path in project.glob("Pulumi.*.yaml")
    ]
    _check_names(names, known)
    outputs = {name: _pulumi_outputs(name, project) for name in names or sorted(known)}
    undeployed = tuple(name for name, values in outputs.items() if not values)
    if missing := undeployed if names or len(undeployed) == len(outputs) else ():
        raise OpsError(f"not deployed: {', '.join(missing)}; deploy with `pulumi up --stack {missing[0]}`")
    session = boto3.Session()
    deployed = [Stack.from_outputs(name, values, session) for name, values in outputs.items() if values]
    return Deployment(stacks=tuple(deployed), undeployed=undeployed)


def _pulumi_outputs(name: str, project: Path) -> dict[str, Any]:
    """Return a stack's outputs; none when it is not deployed."""
    command = ["pulumi", "stack", "output", "--json", "--stack", name]
    try:
        done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise OpsError(
            "the pulumi CLI is not installed: install it, or pass --outputs with what"
            " `pulumi stack output --json` printed elsewhere, or pass --local"
        ) from None
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip() or "nothing").splitlines()[0]
        if _NO_STACK in said:
            return {}
        raise OpsError(f"`{' '.join(command)}` failed: {said}")
    return _json(done.stdout, source=" ".join(command))


def _from_file(path: Path) -> Stack:
    try:
        outputs = _json(path.read_text(encoding="utf-8"), source=str(path))
    except OSError as error:
        raise OpsError(f"--outputs {path}: {error.strerror}") from None
    return Stack.from_outputs(str(outputs.get("region", path.stem)), outputs, boto3.Session())


def _embedded(path: Path) -> list[Stack]:
    import fcntl  # which Windows lacks; there, --local has nothing to find

    try:
        with path.open(encoding="utf-8") as file:
            if (owner := os.fstat(file.fileno()).st_uid) != os.geteuid():
                raise OpsError(f"{path} belongs to another user (uid {owner}): what it says is not believed")
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:  # the process that serves holds it
                written = file.read()
            else:
                raise OpsError(
                    "the embedded AWS of this folder was killed: start it again with `python -m local serve`"
                )
    except FileNotFoundError:
        raise OpsError("no embedded AWS runs in this folder: start it with `python -m local serve`") from None
    if not written:
        raise OpsError("the embedded AWS of this folder is still being deployed: try again in a few seconds")
    embedded = _json(written, source=str(path))
    session = boto3.Session(**embedded["credentials"])
    return [
        Stack.from_outputs(name, outputs, session, embedded["endpoint_url"])
        for name, outputs in sorted(embedded["stacks"].items())
    ]


def _json(text: str, *, source: str) -> dict[str, Any]:
    try:
        parsed = json.loads(text)
    except ValueError as error:
        raise OpsError(f"{source} is not JSON: {error}") from None
    if not isinstance(parsed, dict):
        raise OpsError(f"{source} must be a JSON object, got {type(parsed).__name__}")
    return parsed
