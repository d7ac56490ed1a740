"""The policy pack, run as a process with gRPC, as Pulumi's engine does."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest
import yaml
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc
from pulumi_policy.deserialize import SPECIAL_ARCHIVE_SIG, SPECIAL_SECRET_SIG, SPECIAL_SIG_KEY
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE

from policy.rules import RULES, Resource, ResourceRule, Stack
from tests.policy.stacks import changed, evaluated, unprotected, with_one_more, without
from tests.program.evaluation import STACKS

LEVELS = {"advisory": analyzer_pb2.ADVISORY, "mandatory": analyzer_pb2.MANDATORY}
NO_ENGINE = "127.0.0.1:0"
"""The pack does not call the engine."""
PACK = Path(__file__).resolve().parents[2] / "policy"


@dataclass(frozen=True)
class Pack:
    """The pack, running for the stack of one region."""

    region: str
    engine: analyzer_pb2_grpc.AnalyzerStub

    def report(self, stack: Stack) -> list[str]:
        """Analyze each resource and the stack, as `pulumi preview` does; return the violations."""
        asked = [self.engine.Analyze(_request(resource)) for resource in stack.resources]
        asked.append(
            self.engine.AnalyzeStack(
                analyzer_pb2.AnalyzeStackRequest(resources=[_stack_resource(one) for one in stack.resources])
            )
        )
        for answer in asked:
            for diagnostic in answer.diagnostics:
                # An unknown value must not prevent a rule from running.
                assert not diagnostic.message.startswith("can't run policy"), diagnostic.message
        return [f"{one.policyName}: {one.message}" for answer in asked for one in answer.diagnostics]


@pytest.fixture(scope="module")
def start_pack() -> Iterator[Callable[[str], Pack]]:
    processes: list[subprocess.Popen[bytes]] = []

    def start(region: str) -> Pack:
        engine = {
            "PULUMI_CONFIG": json.dumps({"aws:region": region}),
            "PULUMI_PROJECT": "regional-analytics",
            "PULUMI_STACK": region,
            "PULUMI_DRY_RUN": "true",
        }
        process = subprocess.Popen(
            [sys.executable, "-u", "-m", "pulumi.policy", NO_ENGINE, str(PACK)],
            stdout=subprocess.PIPE,
            cwd=PACK,
            env=os.environ | engine,
        )
        processes.append(process)
        assert process.stdout
        port = int(process.stdout.readline())
        return Pack(region, analyzer_pb2_grpc.AnalyzerStub(grpc.insecure_channel(f"127.0.0.1:{port}")))

    yield start
    for process in processes:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def pack(start_pack: Callable[[str], Pack]) -> Pack:
    return start_pack("us-east-1")


def test_pack_declares_every_rule(pack: Pack) -> None:
    declared = {policy.name: policy for policy in pack.engine.GetAnalyzerInfo(empty_pb2.Empty()).policies}
    assert declared.keys() == {rule.name for rule in RULES}
    for rule in RULES:
        assert declared[rule.name].description == rule.description
        assert declared[rule.name].enforcementLevel == LEVELS[rule.level]
        kind = (
            analyzer_pb2.POLICY_TYPE_RESOURCE
            if isinstance(rule, ResourceRule)
            else analyzer_pb2.POLICY_TYPE_STACK
        )
        assert declared[rule.name].policy_type == kind


@pytest.mark.parametrize("customer_managed_key", [False, True])
def test_stack_passes(pack: Pack, customer_managed_key: bool) -> None:
    assert pack.report(evaluated("us-east-1", customer_managed_key=customer_managed_key)) == []


def test_stack_of_another_region_is_refused(pack: Pack) -> None:
    for region in set(STACKS) - {pack.region}:
        refused = {message.partition(":")[0] for message in pack.report(evaluated(region))}
        assert {"residency-names", "residency-provider", "tagged"} <= refused


@pytest.mark.parametrize(
    ("rule", "break_", "value"),
    [
        ("residency-names", changed("dynamodb/table:Table", region="eu-west-1"), "eu-west-1"),
        ("network-parts", with_one_more("aws:ec2/natGateway:NatGateway"), "aws:ec2/natGateway:NatGateway"),
        ("bucket-public-access", without("s3/bucketPublicAccessBlock:BucketPublicAccessBlock"), "no Bucket"),
        ("data-protected", unprotected("s3/bucket:Bucket"), "protect is False"),
    ],
)
def test_violation_stops_the_preview(
    pack: Pack, rule: str, break_: Callable[[Stack], Stack], value: str
) -> None:
    reported = pack.report(break_(evaluated("us-east-1")))
    assert any(message.startswith(f"{rule}: ") and value in message for message in reported), reported


def test_values_known_after_the_update_are_no_violation(pack: Pack) -> None:
    assert pack.report(previewed(evaluated("us-east-1", customer_managed_key=True))) == []


def test_missing_companion_is_found_in_a_preview(pack: Pack) -> None:
    broken = without("s3/bucketVersioning:BucketVersioning")(previewed(evaluated("us-east-1")))
    assert [message.partition(":")[0] for message in pack.report(broken)] == ["bucket-versioning"]


def test_wrong_value_next_to_an_unknown_one_is_found_in_a_preview(pack: Pack) -> None:
    broken = changed("ec2/subnet:Subnet", mapPublicIpOnLaunch=True)(previewed(evaluated("us-east-1")))
    assert [message.partition(":")[0] for message in pack.report(broken)] == ["network-addresses"]


def test_rule_can_be_switched_off(start_pack: Callable[[str], Pack]) -> None:
    pack = start_pack("us-east-1")
    off = analyzer_pb2.PolicyConfig(enforcementLevel=analyzer_pb2.DISABLED)
    pack.engine.Configure(analyzer_pb2.ConfigureAnalyzerRequest(policyConfig={"data-protected": off}))
    assert pack.report(unprotected("s3/bucket:Bucket")(evaluated("us-east-1"))) == []


@pytest.mark.parametrize(("region", "refused"), [("us-east-1", []), ("eu-west-1", ["residency-provider"])])
def test_provider_that_only_its_resources_name_is_checked(
    pack: Pack, region: str, refused: list[str]
) -> None:
    stack = without_provider(evaluated("us-east-1"))
    provider = analyzer_pb2.AnalyzerProviderResource(
        type="pulumi:providers:aws", name="any", urn="urn:any", properties=struct_pb2.Struct()
    )
    provider.properties.update({"region": region})
    resources = [_stack_resource(one) for one in stack.resources]
    resources[0].provider.CopyFrom(provider)
    answer = pack.engine.AnalyzeStack(analyzer_pb2.AnalyzeStackRequest(resources=resources))
    assert [diagnostic.policyName for diagnostic in answer.diagnostics] == refused


def test_archives_and_secrets_are_read_as_the_engine_sends_them(pack: Pack) -> None:
    archive = {SPECIAL_SIG_KEY: SPECIAL_ARCHIVE_SIG, "path": "handler.zip"}
    secret = {SPECIAL_SIG_KEY: SPECIAL_SECRET_SIG, "value": "eu-west-1"}
    stack = changed("lambda/function:Function", code=archive, description=secret)(evaluated("us-east-1"))
    (reported,) = pack.report(stack)
    assert "description names eu-west-1" in reported


def test_project_file_names_the_runtime_and_pins_what_it_needs() -> None:
    project = yaml.safe_load((PACK / "PulumiPolicy.yaml").read_text())
    assert project["runtime"]["name"] == "python"
    assert "pulumi-policy==" in (PACK / "requirements.txt").read_text()


def without_provider(stack: Stack) -> Stack:
    kept = tuple(one for one in stack.resources if not one.type.startswith("pulumi:providers:"))
    return Stack(region=stack.region, resources=kept)


def previewed(stack: Stack) -> Stack:
    """Replace ids, ARNs and values that contain them by unknown values, and keep references."""
    made = {
        str(resource.at(name)): resource.urn
        for resource in reversed(
            stack.resources
        )  # what belongs to a bucket has the bucket's id: the first owns it
        for name in ("arn", "id", "url", "keyId", "prefixListId")
        if resource.type.startswith("aws:") and isinstance(resource.at(name), str)
    }

    def hidden(resource: Resource) -> Resource:
        properties, dependencies = {}, {}
        for name, value in resource.properties.items():
            held = {urn for text, urn in made.items() if text in json.dumps(value)}
            is_own_name = name not in ("arn", "id", "url") and held == {resource.urn}
            if held and not is_own_name and name != "tags":
                properties[name], dependencies[name] = UNKNOWN_STRING_VALUE, frozenset(held)
            else:
                properties[name] = value
        return Resource(
            type=resource.type,
            name=resource.name,
            properties=properties,
            urn=resource.urn,
            protect=resource.protect,
            dependencies=dependencies,
        )

    resources = tuple(hidden(one) for one in stack.resources if one.type != "pulumi:pulumi:Stack")
    return Stack(region=stack.region, resources=resources)


def _properties(resource: Resource) -> struct_pb2.Struct:
    return json_format.ParseDict(dict(resource.properties), struct_pb2.Struct())


def _options(resource: Resource) -> analyzer_pb2.AnalyzerResourceOptions:
    return analyzer_pb2.AnalyzerResourceOptions(protect=resource.protect)


def _request(resource: Resource) -> analyzer_pb2.AnalyzeRequest:
    return analyzer_pb2.AnalyzeRequest(
        type=resource.type,
        name=resource.name,
        urn=resource.urn,
        properties=_properties(resource),
        options=_options(resource),
    )


def _stack_resource(resource: Resource) -> analyzer_pb2.AnalyzerResource:
    return analyzer_pb2.AnalyzerResource(
        type=resource.type,
        name=resource.name,
        urn=resource.urn,
        properties=_properties(resource),
        options=_options(resource),
        propertyDependencies={
            name: analyzer_pb2.AnalyzerPropertyDependencies(urns=sorted(urns))
            for name, urns in resource.dependencies.items()
        },
    )
