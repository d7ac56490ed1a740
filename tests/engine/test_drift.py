"""A refresh finds manual changes, and the next `up --refresh` reverts them."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest

from tests.engine.account import WorkingFunction
from tests.engine.deployment import Deployment, Engine

CHANGED = {
    "analytics-processing-function": "update",
    "analytics-ingestion-queue": "update",
    "analytics-ingestion-rule": "update",
    "analytics-storage-versioning": "update",
    "analytics-monitoring-alarms-queue-depth": "create",
    "analytics-network-egress-s3": "create",
}
"""The resources that `_change_by_hand` changes, and the operations that revert them."""


@pytest.fixture(scope="module")
def deployment(engine: Engine) -> Deployment:
    deployed = Deployment(engine)
    deployed.up()
    return deployed


def _change_by_hand(client: Any, outputs: dict[str, Any]) -> None:
    client("lambda").update_function_configuration(FunctionName=outputs["functionArn"], MemorySize=512)
    client("sqs").set_queue_attributes(QueueUrl=outputs["queueUrl"], Attributes={"VisibilityTimeout": "1900"})
    client("sqs").tag_queue(QueueUrl=outputs["queueUrl"], Tags={"Owner": "somebody"})
    (rule,) = client("events").list_rules(NamePrefix="analytics-")["Rules"]
    client("events").disable_rule(Name=rule["Name"])
    client("s3").put_bucket_versioning(
        Bucket=outputs["bucketName"], VersioningConfiguration={"Status": "Suspended"}
    )
    alarms = client("cloudwatch").describe_alarms(AlarmTypes=["CompositeAlarm"])["CompositeAlarms"]
    client("cloudwatch").put_composite_alarm(AlarmName=alarms[0]["AlarmName"], AlarmRule='ALARM("nothing")')
    client("cloudwatch").delete_alarms(AlarmNames=["analytics-queue-depth-us-east-1-dev"])
    (s3,) = [
        found["PrefixListId"]
        for found in client("ec2").describe_prefix_lists()["PrefixLists"]
        if found["PrefixListName"].endswith(".s3")
    ]
    # EC2 may describe rules of one protocol and port as one permission with both prefix lists.
    to_s3 = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "PrefixListIds": [{"PrefixListId": s3}]}
    of_the_vpc = [{"Name": "vpc-id", "Values": [outputs["vpcId"]]}]
    for group in client("ec2").describe_security_groups(Filters=of_the_vpc)["SecurityGroups"]:
        if group["IpPermissionsEgress"]:
            client("ec2").revoke_security_group_egress(GroupId=group["GroupId"], IpPermissions=[to_s3])


def test_changes_by_hand_are_found_and_put_back(deployment: Deployment) -> None:
    outputs = deployment.outputs()
    _change_by_hand(deployment.client, outputs)
    assert list(WorkingFunction(deployment.client, outputs).lacks())
    assert not deployment.preview().operations  # Without a refresh, Pulumi does not see the changes.

    step = deployment.up(refresh=True)

    assert step.operations == CHANGED | {"analytics-monitoring-alarms-region-healthy": "update"}
    assert list(WorkingFunction(deployment.client, outputs).lacks()) == []
    function = deployment.client("lambda").get_function_configuration(FunctionName=outputs["functionArn"])
    assert function["MemorySize"] == 1024
    assert "Owner" not in deployment.client("sqs").list_queue_tags(QueueUrl=outputs["queueUrl"])["Tags"]
    deployment.refresh(expect_no_changes=True)
    assert not deployment.up(expect_no_changes=True).operations


def test_code_changed_by_hand_is_found_by_its_hash_alone(deployment: Deployment) -> None:
    outputs = deployment.outputs()
    functions = deployment.client("lambda")
    name = outputs["functionArn"]
    assert functions.get_function_configuration(FunctionName=name)["CodeSha256"] == outputs["codeSha256"]

    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("index.py", "handler = print")
    functions.update_function_code(FunctionName=name, ZipFile=archive.getvalue())

    # pulumi-aws#906: Pulumi compares archives by what the program gave last, not by what Lambda has.
    assert not deployment.up(refresh=True).operations
    assert functions.get_function_configuration(FunctionName=name)["CodeSha256"] != outputs["codeSha256"]
