"""Lambda refuses to create functions and mappings that it cannot run."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from local.server import Server
from tests.local.sample_function import TRUST, archive, arn

REGION = "eu-west-1"
EC2 = f"arn:aws:ec2:{REGION}:123456789012"
CREATE = ["ec2:CreateNetworkInterface"]
MANAGE = ["ec2:DeleteNetworkInterface", "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses"]
DESCRIBE = ["ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


@pytest.fixture(scope="module")
def network(server: Server) -> dict[str, list[str]]:
    ec2 = server.client("ec2", REGION)
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/24")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/25")["Subnet"]["SubnetId"]
    group = ec2.create_security_group(VpcId=vpc, GroupName="function", Description="function")["GroupId"]
    return {"SubnetIds": [subnet], "SecurityGroupIds": [group]}


def statements(network: dict[str, list[str]], *, manage: str = f"{EC2}:*/*") -> dict[str, Any]:
    """Return the minimal statements that Lambda requires."""
    places = [f"{EC2}:subnet/{name}" for name in network["SubnetIds"]]
    places += [f"{EC2}:security-group/{name}" for name in network["SecurityGroupIds"]]
    return {
        "create": {"Effect": "Allow", "Action": CREATE, "Resource": [*places, f"{EC2}:network-interface/*"]},
        "manage": {"Effect": "Allow", "Action": MANAGE, "Resource": manage},
        "describe": {"Effect": "Allow", "Action": DESCRIBE, "Resource": "*"},
    }


def create(server: Server, name: str, allowed: list[Any], network: dict[str, list[str]] | None) -> None:
    iam = server.client("iam", REGION)
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    document = {"Version": "2012-10-17", "Statement": allowed}
    iam.put_role_policy(RoleName=name, PolicyName="allowed", PolicyDocument=json.dumps(document))
    server.client("lambda", REGION).create_function(
        FunctionName=name,
        Role=role,
        Runtime="python3.11",
        Handler="index.handler",
        Code={"ZipFile": archive({"index.py": ""})},
        Timeout=60,
        **({"VpcConfig": network} if network else {}),
    )


def test_the_minimal_role_is_accepted(server: Server, network: dict[str, list[str]]) -> None:
    create(server, "narrow", list(statements(network).values()), network)


def test_a_role_for_interfaces_alone_is_refused(server: Server, network: dict[str, list[str]]) -> None:
    allowed = statements(network, manage=f"{EC2}:network-interface/*")
    refused = server.client("lambda", REGION).exceptions.InvalidParameterValueException
    with pytest.raises(refused, match="not have permissions to call DeleteNetworkInterface on EC2"):
        create(server, "interfaces-alone", list(allowed.values()), network)


@pytest.mark.parametrize(
    ("missing", "action"),
    [("create", "CreateNetworkInterface"), ("describe", "DescribeNetworkInterfaces")],
)
def test_a_role_without_a_permission_is_refused(
    server: Server, network: dict[str, list[str]], missing: str, action: str
) -> None:
    allowed = [statement for name, statement in statements(network).items() if name != missing]
    refused = server.client("lambda", REGION).exceptions.InvalidParameterValueException
    with pytest.raises(refused, match=f"not have permissions to call {action} on EC2"):
        create(server, f"without-{missing}", allowed, network)


def test_permissions_are_checked_when_a_function_gets_a_network(
    server: Server, network: dict[str, list[str]]
) -> None:
    nothing = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket/*"}
    create(server, "no-network", [nothing], None)
    functions = server.client("lambda", REGION)
    with pytest.raises(functions.exceptions.InvalidParameterValueException, match="CreateNetworkInterface"):
        functions.update_function_configuration(FunctionName="no-network", VpcConfig=network)


def test_a_queue_with_a_short_visibility_timeout_is_refused(server: Server) -> None:
    create(server, "mapped", [{"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}], None)
    functions = server.client("lambda", REGION)
    for name, seconds in (("brief", "59"), ("long", "60")):
        server.client("sqs", REGION).create_queue(QueueName=name, Attributes={"VisibilityTimeout": seconds})
    with pytest.raises(
        functions.exceptions.InvalidParameterValueException,
        match="visibility timeout: 59 seconds is less than Function timeout: 60 seconds",
    ):
        functions.create_event_source_mapping(EventSourceArn=arn(REGION, "brief"), FunctionName="mapped")
    functions.create_event_source_mapping(EventSourceArn=arn(REGION, "long"), FunctionName="mapped")
