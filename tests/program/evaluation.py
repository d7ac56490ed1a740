"""The real program, evaluated under Pulumi's mock monitor, with everything that it registers on record."""

import json
import runpy
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pulumi
import yaml
from pulumi.runtime import mocks, settings

PROJECT_DIRECTORY = Path(__file__).resolve().parents[2]
PROJECT = "regional-analytics"
STACKS = ("us-east-1", "eu-west-1", "ap-southeast-1")
ACCOUNT_ID = "123456789012"


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One registration: inputs in the provider's camelCase, options as the engine gets them."""

    type: str
    name: str
    urn: str
    id: str | None
    custom: bool
    inputs: Mapping[str, Any]
    state: Mapping[str, Any]
    parent: str
    provider: str
    protect: bool
    depends_on: tuple[str, ...]

    def json(self, key: str) -> Any:
        """The input of this name, which holds a JSON document."""
        return json.loads(self.inputs[key])


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    stack: str
    resources: list[Resource]
    outputs: Mapping[str, Any]

    def all(self, type_: str) -> list[Resource]:
        """All resources of the type: `aws:s3/bucket:Bucket`."""
        return [resource for resource in self.resources if resource.type == type_]

    def one(self, type_: str, name_part: str = "") -> Resource:
        """The only resource of the type (whose name holds the part)."""
        (found,) = (resource for resource in self.all(type_) if name_part in resource.name)
        return found


def stack_config(stack: str) -> dict[str, str]:
    """What the stack file sets, as Pulumi's engine hands it to the program."""
    content = yaml.safe_load((PROJECT_DIRECTORY / f"Pulumi.{stack}.yaml").read_text())
    return {
        key: value if isinstance(value, str) else json.dumps(value)
        for key, value in content["config"].items()
    }


def evaluate(stack: str, config: Mapping[str, str] | None = None, *, preview: bool = False) -> Evaluation:
    """Run `__main__.py` for the stack; `config` overrides what its file sets, by full key."""
    monitor = RecordingMonitor(Outputs(stack_config(stack)["aws:region"], preview=preview))
    settings.set_root_resource(None)  # pyright: ignore[reportArgumentType]  # exports of the last run would stay
    pulumi.runtime.set_mocks(monitor.mocks, project=PROJECT, stack=stack, preview=preview, monitor=monitor)
    pulumi.runtime.set_all_config({**stack_config(stack), **(config or {})})
    outputs: dict[str, Any] = {}

    @pulumi.runtime.test
    def run() -> pulumi.Output[None]:
        runpy.run_path(str(PROJECT_DIRECTORY / "__main__.py"), run_name="__main__")
        root = settings.get_root_resource()
        exported = root.outputs  # pyright: ignore[reportAttributeAccessIssue, reportOptionalMemberAccess]
        return pulumi.Output.from_input(exported).apply(outputs.update)

    run()
    return Evaluation(stack=stack, resources=monitor.recorded, outputs=outputs)


class RecordingMonitor(mocks.MockMonitor):
    """Keeps what `Mocks.new_resource` does not see: parents and options."""

    def __init__(self, mocks_: mocks.Mocks) -> None:
        super().__init__(mocks_)
        self.recorded: list[Resource] = []

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
                    state=registered.state,
                    parent=request.parent,
                    provider=request.provider,
                    protect=request.protect,
                    depends_on=tuple(request.dependencies),
                )
            )
        return response


@dataclass
class Outputs(mocks.Mocks):
    """Gives each resource what AWS would: an id, an ARN, an address."""

    region: str
    preview: bool = False
    calls: list[str] = field(default_factory=list)

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        raise AssertionError(f"the program calls AWS while it is evaluated: {args.token}")

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        if self.preview:
            return None, dict(args.inputs)
        name = args.inputs.get("name") or args.inputs.get("bucket") or args.name
        id_ = {"aws:sqs/queue:Queue": self._queue_url(name)}.get(args.typ, name)
        return id_, {**args.inputs, **self._computed(args.typ, args.inputs, name)}

    def _queue_url(self, name: str) -> str:
        return f"https://sqs.{self.region}.amazonaws.com/{ACCOUNT_ID}/{name}"

    def _arn(self, service: str, resource: str) -> str:
        return f"arn:aws:{service}:{self.region}:{ACCOUNT_ID}:{resource}"

    def _computed(self, type_: str, inputs: Mapping[str, Any], name: str) -> dict[str, Any]:
        match type_.partition("/")[2].partition(":")[2]:
            case "Bucket":
                return {"arn": f"arn:aws:s3:::{name}"}
            case "Queue":
                return {"arn": self._arn("sqs", name), "url": self._queue_url(name)}
            case "Table":
                return {"arn": self._arn("dynamodb", f"table/{name}")}
            case "Role":
                return {"arn": f"arn:aws:iam::{ACCOUNT_ID}:role/{name}"}
            case "Function":
                return {"arn": self._arn("lambda", f"function:{name}")}
            case "LayerVersion":
                return {"arn": self._arn("lambda", f"layer:{inputs['layerName']}:1")}
            case "LogGroup":
                return {"arn": self._arn("logs", f"log-group:{name}")}
            case "EventRule":
                return {"arn": self._arn("events", f"rule/{name}")}
            case "Topic":
                return {"arn": self._arn("sns", name)}
            case "MetricAlarm":
                return {"arn": self._arn("cloudwatch", f"alarm:{name}")}
            case "CompositeAlarm":
                return {"arn": self._arn("cloudwatch", f"alarm:{inputs['alarmName']}")}
            case "Key":
                return {"arn": self._arn("kms", f"key/{name}"), "keyId": name}
            case "VpcEndpoint":
                return {"prefixListId": f"pl-{inputs['serviceName'].rpartition('.')[2]}"}
            case "Subnet":
                return {"arn": self._arn("ec2", f"subnet/{name}")}
            case "SecurityGroup":
                return {"arn": self._arn("ec2", f"security-group/{name}")}
            case _:
                return {}
