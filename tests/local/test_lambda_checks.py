"""Lambda refuses, when they are made, functions and mappings that it could not run."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from local.server import Server
from tests.local.toys import TRUST, archive, arn

REGION = "eu-west-1"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


def create(server: Server, name: str, allowed: list[Any]) -> None:
    iam = server.client("iam", REGION)
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    document = {"Version": "2012-10-17", "Statement": allowed}
    iam.put_role_policy(RoleName=name, PolicyName="allowed", PolicyDocument=json.dumps(document))
    server.client("lambda", REGION).create_function(
        FunctionName=name,
        Role=role,
        Runtime="python3.11",
        Handler="toy.handler",
        Code={"ZipFile": archive({"toy.py": ""})},
        Timeout=60,
    )


def test_a_queue_that_hides_messages_too_briefly_is_refused_when_the_mapping_is_made(server: Server) -> None:
    create(server, "mapped", [{"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}])
    functions = server.client("lambda", REGION)
    for name, seconds in (("brief", "59"), ("long", "60")):
        server.client("sqs", REGION).create_queue(QueueName=name, Attributes={"VisibilityTimeout": seconds})
    with pytest.raises(
        functions.exceptions.InvalidParameterValueException,
        match="visibility timeout: 59 seconds is less than Function timeout: 60 seconds",
    ):
        functions.create_event_source_mapping(EventSourceArn=arn(REGION, "brief"), FunctionName="mapped")
    functions.create_event_source_mapping(EventSourceArn=arn(REGION, "long"), FunctionName="mapped")
