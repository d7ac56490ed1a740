"""A stack under Pulumi's engine, from its first preview to its deletion. The tests are steps, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local.embedded_lambda.lambda_service import LambdaService
from local.stacks import read_stacks
from tests.engine.account import inventory
from tests.engine.deployment import Deployment, Engine, Step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.server import Server

ROWS = b"id,price\n" + b"".join(b"%d,1.5\n" % number for number in range(100))


@pytest.fixture(scope="module", params=[stack.name for stack in read_stacks()])
def stack(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def before(server: Server, stack: str) -> set[str]:
    return inventory(server, stack)


@pytest.fixture(scope="module")
def deployment(engine: Engine, stack: str, before: set[str]) -> Deployment:
    return Deployment(engine, stack)


@pytest.fixture(scope="module")
def functions(server: Server, stack: str) -> Iterator[LambdaService]:
    service = LambdaService(server, [stack])
    yield service
    service.close()


def test_the_first_preview_knows_no_outputs_and_keeps_every_rule(
    deployment: Deployment, before: set[str], server: Server
) -> None:
    step = deployment.preview(policy_packs=[str(deployment.pack)])
    assert set(step.operations.values()) == {"create"}
    assert not step.errors
    assert not step.policies
    assert inventory(server, deployment.stack) == before


def test_up_succeeds_at_the_first_try(deployment: Deployment) -> None:
    step = deployment.up()
    assert set(step.operations.values()) == {"create"}
    assert not step.errors


def test_a_second_up_changes_nothing(deployment: Deployment) -> None:
    assert not deployment.up(expect_no_changes=True).operations


def test_a_refresh_finds_nothing_changed(deployment: Deployment) -> None:
    deployment.refresh(expect_no_changes=True)


def test_the_outputs_name_existing_resources(deployment: Deployment) -> None:
    outputs = deployment.outputs()
    assert outputs["region"] == deployment.stack
    deployment.client("s3").head_bucket(Bucket=outputs["bucketName"])
    deployment.client("dynamodb").describe_table(TableName=outputs["tableName"])
    deployment.client("sqs").get_queue_attributes(QueueUrl=outputs["queueUrl"], AttributeNames=["All"])
    function = deployment.client("lambda").get_function_configuration(FunctionName=outputs["functionArn"])
    assert function["VpcConfig"]["SubnetIds"]


def _process(deployment: Deployment, functions: LambdaService, key: str) -> None:
    outputs, s3 = deployment.outputs(), deployment.client("s3")
    s3.put_object(Bucket=outputs["bucketName"], Key=key, Body=ROWS)
    functions.run_until_idle()
    assert functions.problems == []
    written = s3.get_object(Bucket=outputs["bucketName"], Key=f"processed/{key}.parquet")["Body"].read()
    assert written.startswith(b"PAR1")


def test_an_object_goes_through_the_stack(deployment: Deployment, functions: LambdaService) -> None:
    _process(deployment, functions, "input/first.csv")


def test_settings_change_their_own_resources_alone(deployment: Deployment, functions: LambdaService) -> None:
    deployment.set(memorySize=2048, queueDepthThreshold=77, alarmSubscribers=["someone@example.org"])
    step = deployment.up()
    assert _kinds(step) == {
        "analytics-processing-function": "update",
        "analytics-monitoring-alarms-queue-depth": "update",
        "analytics-monitoring-dashboard": "update",
        "analytics-monitoring-subscriber": "create",
    }
    outputs = deployment.outputs()
    function = deployment.client("lambda").get_function_configuration(FunctionName=outputs["functionArn"])
    assert function["MemorySize"] == 2048
    alarms = deployment.client("cloudwatch").describe_alarms(AlarmNamePrefix="analytics-queue-depth-")
    assert [alarm["Threshold"] for alarm in alarms["MetricAlarms"]] == [77]
    topic = deployment.client("sns").list_subscriptions_by_topic(TopicArn=outputs["alarmTopicArn"])
    assert [one["Endpoint"] for one in topic["Subscriptions"]] == ["someone@example.org"]


def _kinds(step: Step) -> dict[str, str]:
    """Return the operations by logical name, without the hash at the end of a subscriber's name."""
    return {
        name.rpartition("-")[0] if "-subscriber-" in name else name: operation
        for name, operation in step.operations.items()
    }


def test_a_customer_managed_key_is_added_to_existing_resources(
    deployment: Deployment, functions: LambdaService
) -> None:
    deployment.set(customerManagedKey=True)
    step = deployment.up()
    created = {name for name, operation in step.operations.items() if operation == "create"}
    assert {name.rpartition("-")[2] for name in created} == {"encryption", "key", "alias"}
    # A stash in Pulumi's state notes that the stack has a key. It is replaced.
    assert step.operations.pop("analytics-identity-key") == "delete-replaced"
    assert set(step.operations.values()) == {"create", "update"}
    (key,) = [one["outputs"]["arn"] for one in deployment.state() if one["type"] == "aws:kms/key:Key"]
    outputs = deployment.outputs()
    encryption = deployment.client("s3").get_bucket_encryption(Bucket=outputs["bucketName"])
    (rule,) = encryption["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"] == key
    table = deployment.client("dynamodb").describe_table(TableName=outputs["tableName"])["Table"]
    assert table["SSEDescription"]["KMSMasterKeyArn"] == key
    _process(deployment, functions, "input/second.csv")
    assert not deployment.preview(expect_no_changes=True).operations


def test_destroy_leaves_nothing(deployment: Deployment, before: set[str], server: Server) -> None:
    deployment.set(protect=False, forceDestroy=True)
    deployment.up()
    step = deployment.destroy()

    order = step.order("delete")
    function, policy = _position(order, "function"), _position(order, "interface-policy")
    network = [
        position
        for position, name in enumerate(order)
        if name.startswith(("analytics-network-subnet-", "analytics-network-security-group"))
        and not name.endswith("-routes")
    ]
    # Lambda uses the role to delete the function's interfaces, after the function.
    assert function < min(network)
    assert max(network) < policy < _position(order, "function-role-role")
    assert _position(order, "processing-mapping") < function
    assert _position(order, "ingestion-target") < _position(order, "ingestion-rule")
    assert _position(order, "region-healthy") < _position(order, "monitoring-alarms-queue-depth")
    assert max(network) < _position(order, "network-vpc")
    assert deployment.state() == []
    assert inventory(server, deployment.stack) == before


def _position(order: list[str], end: str) -> int:
    (name,) = [name for name in order if name.endswith(f"-{end}")]
    return order.index(name)
