"""The program, evaluated with Pulumi's mock monitor, which records all registered resources."""

import json
import logging
import runpy
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pulumi
from google.protobuf import json_format
from pulumi.runtime import mocks, settings

from components import configuration

PROJECT_DIRECTORY = Path(__file__).resolve().parents[2]
PROJECT = "regional-analytics"
STACKS = tuple(configuration.stack_configurations())
"""Every stack that has a stack file; each is named after its region."""
ACCOUNT_ID = "123456789012"

ARNS = {
    "Queue": ("sqs", "{name}"),
    "Table": ("dynamodb", "table/{name}"),
    "Function": ("lambda", "function:{name}"),
    "LayerVersion": ("lambda", "layer:{layerName}:1"),
    "LogGroup": ("logs", "log-group:{name}"),
    "EventRule": ("events", "rule/{name}"),
    "Topic": ("sns", "{name}"),
    "MetricAlarm": ("cloudwatch", "alarm:{name}"),
    "CompositeAlarm": ("cloudwatch", "alarm:{alarmName}"),
    "Key": ("kms", "key/{name}"),
    "Subnet": ("ec2", "subnet/{name}"),
    "Workgroup": ("athena", "workgroup/{name}"),
    "SecurityGroup": ("ec2", "security-group/{name}"),
}
"""Service and resource part of each kind's ARN."""


@dataclass(frozen=True, kw_only=True)
class Resource:
    """A registered resource: its inputs in the provider's camelCase, and its options."""

    type: str
    name: str
    urn: str
    id: str | None
    custom: bool
    inputs: Mapping[str, Any]
    sent: Mapping[str, Any]
    """The inputs as sent to the engine, with marked secrets."""
    secret_outputs: tuple[str, ...]
    state: Mapping[str, Any]
    parent: str
    provider: str
    protect: bool
    depends_on: tuple[str, ...]
    ignore_changes: tuple[str, ...]
    replace_on_changes: tuple[str, ...]

    def json(self, key: str) -> Any:
        """The parsed JSON document of an input."""
        return json.loads(self.inputs[key])


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    stack: str
    resources: list[Resource]
    outputs: Mapping[str, Any]
    warnings: list[str]

    def __getitem__(self, urn: str) -> Resource:
        (found,) = (resource for resource in self.resources if resource.urn == urn)
        return found

    @property
    def custom(self) -> list[Resource]:
        """The AWS resources, without components and providers."""
        return [resource for resource in self.resources if resource.type.startswith("aws:")]

    def dependencies(self, type_: str, name_part: str = "") -> set[str]:
        """URNs of all dependencies, which are created before the resource and deleted after it."""
        found: set[str] = set()
        waiting = [self.one(type_, name_part)]
        while waiting:
            for urn in set(waiting.pop().depends_on) - found:
                found.add(urn)
                waiting.append(self[urn])
        return found

    def all(self, type_: str) -> list[Resource]:
        """All resources of the type: `aws:s3/bucket:Bucket`."""
        return [resource for resource in self.resources if resource.type == type_]

    def one(self, type_: str, name_part: str = "") -> Resource:
        """The only resource of the type (whose name contains the part)."""
        (found,) = (resource for resource in self.all(type_) if name_part in resource.name)
        return found


def stack_config(stack: str) -> dict[str, str]:
    """The configuration of a stack file as Pulumi passes it to the program, without encrypted values."""
    return dict(configuration.stack_configurations()[stack].values)


def evaluate(
    stack: str,
    config: Mapping[str, str] | None = None,
    *,
    secrets: Iterable[str] = (),
    preview: bool = False,
    monitor: "RecordingMonitor | None" = None,
    program: Callable[[], object] | None = None,
) -> Evaluation:
    """Run `__main__.py`, or another program, for the stack.

    `config` overrides what the stack's file sets, by full key; `secrets` are the keys that are secret.
    """
    monitor = monitor or RecordingMonitor(Outputs(stack_config(stack)["aws:region"], preview=preview))
    settings.set_root_resource(None)  # pyright: ignore[reportArgumentType]  # exports of the last run would stay
    log = Log()
    pulumi.runtime.set_mocks(
        monitor.mocks, project=PROJECT, stack=stack, preview=preview, monitor=monitor, logger=log
    )
    pulumi.runtime.set_all_config({**stack_config(stack), **(config or {})}, list(secrets))
    outputs: dict[str, Any] = {}

    @pulumi.runtime.test
    def run() -> pulumi.Output[None]:
        if program:
            program()
        else:
            runpy.run_path(str(PROJECT_DIRECTORY / "__main__.py"), run_name="__main__")
        root = settings.get_root_resource()
        exported = root.outputs  # pyright: ignore[reportAttributeAccessIssue, reportOptionalMemberAccess]
        return pulumi.Output.from_input(exported).apply(outputs.update)

    run()
    return Evaluation(stack=stack, resources=monitor.recorded, outputs=outputs, warnings=log.warnings)


class Log(logging.Logger):
    """Records Pulumi's warnings, for example of deprecated inputs."""

    def __init__(self) -> None:
        super().__init__("pulumi")
        self.warnings: list[str] = []
        self.addHandler(logging.NullHandler())

    def warning(self, msg: object, *args: object, **kwargs: Any) -> None:
        self.warnings.append(str(msg))


class RecordingMonitor(mocks.MockMonitor):
    """Records parents and options, which `Mocks.new_resource` does not get."""

    def __init__(self, mocks_: mocks.Mocks) -> None:
        super().__init__(mocks_)
        self.recorded: list[Resource] = []

    @classmethod
    def without_aws(cls) -> "RecordingMonitor":
        """Return a monitor for programs that must fail before they register a resource."""
        return cls(Outputs("nowhere"))

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - gRPC's name
        response = super().RegisterResource(request)
        if request.type != "pulumi:pulumi:Stack":
            registered = self.resources[response.urn]
            self.recorded.append(
                Resource(
                    type=request.type,
                    name=request.name,
                    urn=response.urn,
                    id=registered.id,
                    custom=request.custom,
                    inputs=pulumi.runtime.rpc.deserialize_properties(request.object),
                    sent=json_format.MessageToDict(request.object),
                    secret_outputs=tuple(request.additionalSecretOutputs),
                    state=registered.state,
                    parent=request.parent,
                    provider=request.provider,
                    protect=request.protect,
                    depends_on=tuple(request.dependencies),
                    ignore_changes=tuple(request.ignoreChanges),
                    replace_on_changes=tuple(request.replaceOnChanges),
                )
            )
        return response


@dataclass
class Outputs(mocks.Mocks):
    """Gives each resource the id, ARN and URL that AWS would."""

    region: str
    preview: bool = False
    providers: dict[str, str] = field(default_factory=dict)
    """Region of each provider that the program creates, by id; `region` is the default provider's."""

    zones: str = "abcd"
    """The letters of the account's availability zones."""

    stashed: dict[str, Any] = field(default_factory=dict)
    """Stored value of each `Stash`, by name; other stashes return their input."""

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        answers = {
            "aws:index/getRegion:getRegion": {"region": self._region_of(args.provider)},
            "aws:index/getAvailabilityZones:getAvailabilityZones": {
                "names": [f"{self._region_of(args.provider)}{letter}" for letter in self.zones]
            },
            "aws:index/getCallerIdentity:getCallerIdentity": {
                "accountId": ACCOUNT_ID,
                "arn": f"arn:aws:sts::{ACCOUNT_ID}:assumed-role/deployer/session",
            },
        }
        return answers[args.token], []

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        if args.typ == "pulumi:index:Stash":
            kept = self.stashed.get(args.name, args.inputs.get("input"))
            return args.name, {**args.inputs, "output": kept}
        if args.typ == "pulumi:providers:aws":
            self.providers[args.name] = args.inputs["region"]
            return args.name, dict(args.inputs)
        if self.preview:
            return None, dict(args.inputs)
        name = args.inputs.get("name") or args.inputs.get("bucket") or args.name
        region = self._region_of(args.provider)
        queue_url = f"https://sqs.{region}.amazonaws.com/{ACCOUNT_ID}/{name}"
        computed = self._computed(args.typ.rpartition(":")[2], args.inputs, name, region)
        if args.typ == "aws:sqs/queue:Queue":
            return queue_url, {**args.inputs, **computed, "url": queue_url}
        return name, {**args.inputs, **computed}

    def _region_of(self, provider: str | None) -> str:
        """The region of a provider, given as `<urn>::<id>`; without one, that of the default provider."""
        return self.providers[provider.rpartition("::")[2]] if provider else self.region

    def _computed(self, kind: str, inputs: Mapping[str, Any], name: str, region: str) -> dict[str, Any]:
        if kind in ARNS:
            service, resource = ARNS[kind]
            resource = resource.format(**{**inputs, "name": name})
            return {"arn": f"arn:aws:{service}:{region}:{ACCOUNT_ID}:{resource}", "keyId": name}
        if kind == "Bucket":
            return {"arn": f"arn:aws:s3:::{name}"}
        if kind == "Role":
            return {"arn": f"arn:aws:iam::{ACCOUNT_ID}:role/{name}"}
        if kind == "Policy":
            return {"arn": f"arn:aws:iam::{ACCOUNT_ID}:policy/{name}"}
        if kind == "VpcEndpoint":
            return {"prefixListId": f"pl-{inputs['serviceName'].rpartition('.')[2]}"}
        return {}
