"""The deployed stacks: their outputs, and clients for their regions."""

import functools
import json
import os
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import boto3
import botocore.session
from botocore.config import Config

from ops.operator_errors import OpsError

EMBEDDED_AWS = Path(".build/embedded-aws.json")
"""Written by `python -m local serve`: the endpoint, the operator's credentials and the stacks' outputs."""

_NO_STACK = "no stack named"
"""Part of the Pulumi CLI's error for a stack that does not exist."""

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
    """One deployed stack and its outputs. Stacks are compared by identity, so that they can be keys."""

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
    """Hash of the deployed function's code; None if an older version of the program deployed it."""
    database: str | None
    """The Glue database; None if the stack deploys no datasets."""
    datasets: Mapping[str, Mapping[str, str]] = field(hash=False)
    """For each dataset: names of table, view and workgroup, key prefix, version of the contract."""
    session: boto3.Session
    endpoint_url: str | None = None
    """Endpoint of the embedded AWS; None for AWS."""

    @classmethod
    def from_outputs(
        cls, name: str, outputs: Mapping[str, Any], session: boto3.Session, endpoint_url: str | None = None
    ) -> Self:
        """Read a stack's outputs.

        Raises:
            OpsError: An output is missing: the stack is not deployed, or an older program deployed it.
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

    @functools.cache  # noqa: B019 - a stack is used until the command ends
    def client(self, service: str) -> Any:  # noqa: ANN401 - boto3 creates its clients' classes at run time
        """Return a client of the stack's region."""
        return self.session.client(
            service,
            region_name=self.region,
            endpoint_url=self.endpoint_url,
            config=Config(
                retries={"mode": "standard", "max_attempts": 5},
                # By default, the S3 client calls the global endpoint in us-east-1.
                s3={"us_east_1_regional_endpoint": "regional"},
                proxies=self._proxies,
            ),
        )

    @functools.cached_property
    def jobs(self) -> Any:  # noqa: ANN401 - boto3 creates its resources' classes at run time
        """The job table."""
        dynamodb: Any = self.session.resource(
            "dynamodb",
            region_name=self.region,
            endpoint_url=self.endpoint_url,
            config=Config(proxies=self._proxies),
        )
        return dynamodb.Table(self.table)

    @property
    def _proxies(self) -> dict[str, str] | None:
        """The clients' proxies. The embedded AWS is on this machine and has none.

        None stands for the proxies of the environment.
        """
        return None if self.endpoint_url is None else {}

    def function_configuration(self) -> Mapping[str, Any]:
        """Return the function's configuration, as Lambda has it now."""
        return self.client("lambda").get_function_configuration(FunctionName=self.function_arn)

    def function_variables(self) -> Mapping[str, str]:
        """Return the variables of the function's environment."""
        return self.function_configuration()["Environment"]["Variables"]

    @property
    def account(self) -> str:
        """The id of the account that has the stack."""
        return self.function_arn.split(":")[4]

    @property
    def function_name(self) -> str:
        """The function's name, a dimension of its metrics."""
        return self.function_arn.split(":")[6]

    @property
    def environment_suffix(self) -> str:
        """The end of the stack's resource names, which differs between deployments in one region."""
        return self.function_name.removeprefix(f"analytics-etl-{self.region}-")

    def physical(self, kind: str) -> str:
        """Return the name of the stack's resource of this kind."""
        return f"analytics-{kind}-{self.region}-{self.environment_suffix}"


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """The selected stacks."""

    stacks: tuple[Stack, ...]
    undeployed: tuple[str, ...] = ()
    """Names of the stacks that have a file in the project and are not deployed."""


def find(
    *, names: Sequence[str], outputs_files: Sequence[Path], local: bool, project: Path = Path()
) -> Deployment:
    """Return the stacks with the given names, or all stacks.

    Args:
        names: Names of stacks; empty for all.
        outputs_files: Files with the output of `pulumi stack output --json`, which replace calls of Pulumi.
            They do not have the stack's name. So a stack is named by its region, and stacks of one region by
            their files, without the ending.
        local: Whether to use the embedded AWS that `python -m local serve` runs.
        project: The Pulumi project's directory.

    Raises:
        OpsError: A stack does not exist, none is deployed, or outputs cannot be read.
    """
    if not local and not outputs_files:
        return _from_pulumi(names, project)
    found = _embedded(project / EMBEDDED_AWS) if local else _from_files(outputs_files)
    _check_names(names, [stack.name for stack in found])
    return Deployment(stacks=tuple(stack for stack in found if not names or stack.name in names))


def _check_names(names: Iterable[str], known: Sequence[str]) -> None:
    if not known:
        raise OpsError(
            "no Pulumi.<stack>.yaml here: run this in the project's directory, or pass --outputs FILE"
        )
    for name in names:
        if name not in known:
            raise OpsError(f"no stack {name!r}; the stacks are {', '.join(sorted(known))}")


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
    """Return a stack's outputs; no outputs if it is not deployed."""
    command = ["pulumi", "stack", "output", "--json", "--stack", name]
    try:
        done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise OpsError(
            "the pulumi CLI is not installed: install it, or pass --outputs with a file of"
            " `pulumi stack output --json`, or pass --local"
        ) from None
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip() or "nothing").splitlines()[0]
        if _NO_STACK in said:
            return {}
        raise OpsError(f"`{' '.join(command)}` failed: {said}")
    return _json(done.stdout, source=" ".join(command))


def _from_files(paths: Sequence[Path]) -> list[Stack]:
    outputs = [_outputs_of(path) for path in paths]
    regions = [str(values.get("region", path.stem)) for path, values in zip(paths, outputs, strict=True)]
    names = [
        path.stem if regions.count(region) > 1 else region
        for path, region in zip(paths, regions, strict=True)
    ]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise OpsError(
            "--outputs must be files whose names differ, because they name stacks of one region; got several"
            f" files named {', '.join(repeated)}"
        )
    session = boto3.Session()
    return [Stack.from_outputs(name, values, session) for name, values in zip(names, outputs, strict=True)]


def _outputs_of(path: Path) -> dict[str, Any]:
    try:
        return _json(path.read_bytes(), source=str(path))
    except OSError as error:
        raise OpsError(f"--outputs {path}: {error.strerror}") from None


def _embedded(path: Path) -> list[Stack]:
    import fcntl  # not on Windows, where the embedded AWS does not run

    try:
        with path.open(encoding="utf-8") as file:
            if (owner := os.fstat(file.fileno()).st_uid) != os.geteuid():
                raise OpsError(f"{path} belongs to another user (uid {owner}) and is not trusted")
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:  # the process of `serve` holds the lock
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
    # The profile of the environment may not exist.
    unread = botocore.session.Session(session_vars={"profile": (None, None, None, None)})
    session = boto3.Session(botocore_session=unread, **embedded["credentials"])
    return [
        Stack.from_outputs(name, outputs, session, embedded["endpoint_url"])
        for name, outputs in sorted(embedded["stacks"].items())
    ]


def _json(text: str | bytes, *, source: str) -> dict[str, Any]:
    try:
        parsed = json.loads(text)  # it detects UTF-16, in which PowerShell 5 writes
    except ValueError as error:
        raise OpsError(f"{source} is not JSON: {error}") from None
    if not isinstance(parsed, dict):
        raise OpsError(f"{source} must be a JSON object, got {type(parsed).__name__}")
    return parsed
