"""Calls that AWS's service models do not allow are detected, in every part of a call."""

import json
import re
from pathlib import Path
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.exceptions import ParamValidationError
from botocore.loaders import Loader
from botocore.model import ServiceModel

from local.embedded_lambda.execution_environment import ExecutionEnvironment
from local.embedded_lambda.function_archives import Function
from local.embedded_lambda.host_layer import host_layer
from local.server import Credentials
from tests import service_models
from tests.handler.aws import FunctionProcess, Stack
from tests.handler.deliveries import batch, eventbridge

VPC = {"SubnetIds": [], "SecurityGroupIds": []}
FORBIDDEN = [
    ("lambda", "CreateFunction", {"MemorySize": 64}, "MemorySize must be at least 128, got 64"),
    ("lambda", "CreateFunction", {"MemorySize": 10**6}, "MemorySize must be at most"),
    ("lambda", "CreateFunction", {"Runtime": "python3.99"}, "Runtime must be one of .*, got 'python3.99'"),
    ("lambda", "CreateFunction", {"FunctionName": "a function"}, "FunctionName must match"),
    ("lambda", "CreateFunction", {"Description": "d" * 257}, "Description: the length must be at most 256"),
    (
        "lambda",
        "CreateFunction",
        {"VpcConfig": {**VPC, "SecurityGroupIds": ["sg"] * 6}},
        r"VpcConfig\.SecurityGroupIds: the number of items must be at most 5, got 6",
    ),
    (
        "lambda",
        "CreateFunction",
        {"Environment": {"Variables": {"1st": "x"}}},
        "Environment.Variables: the key '1st' must match",
    ),
    ("lambda", "CreateFunction", {"Layers": ["arn:aws:s3:::no-layer"]}, r"Layers\[0\] must match"),
    (
        "lambda",
        "CreateEventSourceMapping",
        {"ScalingConfig": {"MaximumConcurrency": 1}},
        r"ScalingConfig\.MaximumConcurrency must be at least 2",
    ),
    ("dynamodb", "GetItem", {"TableName": ""}, "TableName: the length must be at least 1"),
    ("dynamodb", "CreateTable", {"BillingMode": "FREE"}, "BillingMode must be one of"),
    ("logs", "CreateLogGroup", {"logGroupName": "a b"}, "logGroupName must match"),
    ("events", "PutRule", {"EventPattern": "p" * 4097}, "EventPattern: the length must be at most 4096"),
    ("events", "PutRule", {"Name": "n" * 65}, "Name: the length must be at most 64"),
    ("cloudwatch", "PutMetricAlarm", {"EvaluationPeriods": 0}, "EvaluationPeriods must be at least 1"),
    ("glue", "CreateDatabase", {"DatabaseInput": {"Name": "a\0b"}}, r"DatabaseInput\.Name must match"),
]


@pytest.mark.parametrize(("service", "operation", "params", "message"), FORBIDDEN)
def test_what_a_model_does_not_allow_is_detected(
    service: str, operation: str, params: dict[str, object], message: str
) -> None:
    shape = _model(service).operation_model(operation).input_shape
    assert shape
    found = "\n".join(service_models.violations(shape, params))
    assert re.search(message, found), found


def test_every_pattern_of_the_services_can_be_applied() -> None:
    services = ("athena", "cloudwatch", "dynamodb", "ec2", "events", "glue", "iam", "kms", "lambda", "logs")
    for service in (*services, "s3", "sns", "sqs", "stepfunctions", "sts"):
        model = _model(service)
        names: Any = model.shape_names
        for name in names:
            if pattern := model.shape_for(name).metadata.get("pattern"):
                service_models._compiled(pattern)


def test_a_client_refuses_the_call_before_it_is_sent() -> None:
    client = boto3.client("lambda", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
    with pytest.raises(ParamValidationError, match="AWS refuses lambda:Invoke: FunctionName must match"):
        client.invoke(FunctionName="a function")


def test_the_function_of_the_embedded_lambda_is_held_to_the_models(tmp_path: Path) -> None:
    (tmp_path / "fault.py").write_text(
        "import boto3\n"
        "def handler(event, context):\n"
        "    boto3.client('lambda').get_function(FunctionName='a function')\n"
    )
    function = Function(
        arn="arn:aws:lambda:eu-west-1:123456789012:function:fault",
        name="fault",
        region="eu-west-1",
        handler="fault.handler",
        runtime="python3.11",
        architecture="arm64",
        memory_mb=512,
        timeout_seconds=30,
        role="arn:aws:iam::123456789012:role/fault",
        variables=(),
        code_location="",
        reserved_concurrency=None,
        layers=(),
    )
    credentials, nowhere = Credentials("key", "secret"), "http://127.0.0.1:9"
    environment = ExecutionEnvironment(function, credentials, nowhere, tmp_path, [host_layer()])
    try:
        error = environment.invoke({}).error
    finally:
        environment.stop()
    assert error
    assert "AWS refuses lambda:GetFunction: FunctionName must match" in error["errorMessage"]


def test_the_handlers_process_is_held_to_the_models(aws: str, tmp_path: Path) -> None:
    """The handler makes no call that the models forbid, so this process has a stricter one.

    Its log has the place of an error, never the text, which could hold a value.
    """
    model = Loader().load_service_model("dynamodb", "service-2")
    model["shapes"]["TableArn"]["max"] = 3
    folder = tmp_path / "dynamodb" / model["metadata"]["apiVersion"]
    folder.mkdir(parents=True)
    (folder / "service-2.json").write_text(json.dumps(model))
    process = FunctionProcess({**Stack(aws, "four").environment, "AWS_DATA_PATH": str(tmp_path)})
    try:
        delivered = process.deliver(batch([eventbridge("a.csv", "v1", bucket="four")]), stack="four")
    finally:
        process.close()
    assert "ParamValidationError at service_models.py" in "\n".join(delivered.log)


def _model(service: str) -> ServiceModel:
    return botocore.session.get_session().get_service_model(service)
