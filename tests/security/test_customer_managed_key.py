"""A stack with a customer-managed key works, encrypts all data with it, and lets few use it.

The embedded AWS encrypts with keys, but does not evaluate key policies. So the tests evaluate the deployed
policies (`local.policies`), as KMS would.
"""

import dataclasses
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.deployer import deploy
from local.embedded_lambda.lambda_service import LambdaService
from local.policies import Decision, Request, evaluate
from local.server import Server
from local.stacks import read_stacks

REGION = "eu-west-1"
ACCOUNT = "123456789012"
KEY = "secret.csv"


@dataclass(frozen=True)
class Deployed:
    """The one stack, and its key."""

    server: Server
    functions: LambdaService
    outputs: dict[str, Any]
    key: str

    def client(self, service: str) -> Any:
        return self.server.client(service, REGION)

    def key_policy(self) -> dict[str, Any]:
        return json.loads(self.client("kms").get_key_policy(KeyId=self.key, PolicyName="default")["Policy"])

    def role_policy(self) -> dict[str, Any]:
        role = f"analytics-lambda-role-{REGION}-dev"
        iam = self.client("iam")
        return iam.get_role_policy(RoleName=role, PolicyName="lambda-permissions")["PolicyDocument"]


@pytest.fixture(scope="module")
def deployed() -> Iterator[Deployed]:
    (stack,) = (stack for stack in read_stacks() if stack.region == REGION)
    config = {**stack.config, "regional-analytics:customerManagedKey": "true"}
    with Server() as server:
        outputs = deploy(server, dataclasses.replace(stack, config=config))
        functions = LambdaService(server, [REGION])
        (alias,) = (
            alias
            for alias in server.client("kms", REGION).list_aliases()["Aliases"]
            if alias["AliasName"] == f"alias/analytics-key-{REGION}-dev"
        )
        arn = server.client("kms", REGION).describe_key(KeyId=alias["TargetKeyId"])["KeyMetadata"]["Arn"]
        yield Deployed(server, functions, outputs, arn)
        functions.close()


def test_upload_is_processed_and_encrypted_with_the_key(deployed: Deployed) -> None:
    bucket, s3 = deployed.outputs["bucketName"], deployed.client("s3")
    s3.put_object(Bucket=bucket, Key=KEY, Body=b"id,name\n1,one\n2,two\n")
    deployed.functions.run_until_idle()
    assert deployed.functions.problems == []
    (job,) = (
        item
        for item in deployed.client("dynamodb").scan(TableName=deployed.outputs["tableName"])["Items"]
        if "status" in item
    )
    assert job["status"]["S"] == "COMPLETED"
    for key in (KEY, job["output_path"]["S"], job["profile_path"]["S"]):
        stored = s3.head_object(Bucket=bucket, Key=key)
        assert (stored["ServerSideEncryption"], stored["SSEKMSKeyId"]) == ("aws:kms", deployed.key), key


def test_everything_with_data_is_encrypted_with_the_key(deployed: Deployed) -> None:
    outputs = deployed.outputs
    sqs = deployed.client("sqs")
    for queue in ("queueUrl", "deadLetterQueueUrl", "deliveryDeadLetterQueueUrl"):
        attributes = sqs.get_queue_attributes(QueueUrl=outputs[queue], AttributeNames=["All"])["Attributes"]
        assert attributes["KmsMasterKeyId"] == deployed.key
    table = deployed.client("dynamodb").describe_table(TableName=outputs["tableName"])["Table"]
    assert table["SSEDescription"]["KMSMasterKeyArn"] == deployed.key
    (group,) = deployed.client("logs").describe_log_groups(logGroupNamePrefix=outputs["logGroupName"])[
        "logGroups"
    ]
    assert group["kmsKeyId"] == deployed.key
    topic = deployed.client("sns").get_topic_attributes(TopicArn=outputs["alarmTopicArn"])["Attributes"]
    assert topic["KmsMasterKeyId"] == deployed.key
    function = deployed.client("lambda").get_function(FunctionName=outputs["functionArn"])["Configuration"]
    assert function["KMSKeyArn"] == deployed.key


@pytest.mark.parametrize(
    "encryption",
    [
        {"ServerSideEncryption": "AES256"},
        {"ServerSideEncryption": "aws:kms"},
        {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/another"},
        {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32},
    ],
)
def test_bucket_refuses_uploads_with_another_key(deployed: Deployed, encryption: dict[str, str]) -> None:
    with pytest.raises(ClientError, match=r"AccessDenied|Access Denied|Forbidden"):
        deployed.client("s3").put_object(
            Bucket=deployed.outputs["bucketName"], Key="other.csv", Body=b"", **encryption
        )


def test_bucket_accepts_an_upload_that_names_its_key(deployed: Deployed) -> None:
    deployed.client("s3").put_object(
        Bucket=deployed.outputs["bucketName"],
        Key="named.csv",
        Body=b"id\n1\n",
        ServerSideEncryption="aws:kms",
        SSEKMSKeyId=deployed.key,
    )


def test_key_rotates_in_one_region(deployed: Deployed) -> None:
    kms = deployed.client("kms")
    assert kms.get_key_rotation_status(KeyId=deployed.key)["KeyRotationEnabled"]
    assert kms.describe_key(KeyId=deployed.key)["KeyMetadata"]["MultiRegion"] is False


RULES = {"aws:SourceAccount": ACCOUNT}
TOPIC = {
    "kms:EncryptionContext:aws:sns:topicArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:analytics-alarms-{REGION}-dev"
}
LOG_GROUP = {
    "kms:EncryptionContext:aws:logs:arn": (
        f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/analytics-etl-{REGION}-dev"
    )
}


@pytest.mark.parametrize(
    ("service", "context"),
    [
        ("events.amazonaws.com", RULES),
        ("cloudwatch.amazonaws.com", TOPIC),
        (f"logs.{REGION}.amazonaws.com", LOG_GROUP),
    ],
)
def test_key_policy_allows_a_service_for_the_stack_s_own_resource_only(
    deployed: Deployed, service: str, context: dict[str, str]
) -> None:
    def decide(principal: str, context: dict[str, str], action: str = "kms:GenerateDataKey") -> Decision:
        asked = Request(
            action=action, resource=deployed.key, principals={"Service": (principal,)}, context=context
        )
        return evaluate(deployed.key_policy(), asked)

    assert decide(service, context) is Decision.ALLOW
    assert decide(service, context, "kms:Decrypt") is Decision.ALLOW
    assert decide(service, context, "kms:ScheduleKeyDeletion") is Decision.NONE
    assert decide("s3.amazonaws.com", context) is Decision.NONE
    assert decide(service, {}) is Decision.NONE
    for name, own in context.items():
        others = {own.replace(ACCOUNT, "999999999999"), f"{own}-other", own.replace(REGION, "us-east-1")}
        for other in others - {own}:
            assert decide(service, {name: other}) is Decision.NONE


def test_key_policy_allows_no_principal_of_another_account(deployed: Deployed) -> None:
    for name in ("arn:aws:iam::999999999999:root", "999999999999", "arn:aws:iam::999999999999:role/any"):
        asked = Request(action="kms:Decrypt", resource=deployed.key, principals={"AWS": (name,)})
        assert evaluate(deployed.key_policy(), asked) is Decision.NONE


@pytest.mark.parametrize("action", ["kms:Decrypt", "kms:GenerateDataKey"])
def test_role_uses_the_key_through_its_regions_services_only(deployed: Deployed, action: str) -> None:
    def decide(resource: str, **context: str) -> Decision:
        asked = Request(
            action=action,
            resource=resource,
            context={f"kms:{name}": value for name, value in context.items()},
        )
        return evaluate(deployed.role_policy(), asked)

    for service in ("s3", "dynamodb", "sqs"):
        assert decide(deployed.key, ViaService=f"{service}.{REGION}.amazonaws.com") is Decision.ALLOW
        assert decide(deployed.key, ViaService=f"{service}.us-east-1.amazonaws.com") is Decision.NONE
        assert decide(f"{deployed.key}0", ViaService=f"{service}.{REGION}.amazonaws.com") is Decision.NONE
    assert decide(deployed.key) is Decision.NONE
    assert decide(deployed.key, ViaService=f"secretsmanager.{REGION}.amazonaws.com") is Decision.NONE
