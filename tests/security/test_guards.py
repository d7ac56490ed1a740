"""The bucket policy and the endpoint policies still apply if somebody extends the role's policy."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.cloud import Cloud
from local.policies import Decision, Request, evaluate
from tests.policy.stacks import evaluated, one
from tests.program.evaluation import ACCOUNT_ID, STACKS
from tests.program.evaluation import evaluate as evaluate_program

UPLOAD = "guards/upload.csv"
RESULT = "processed/guards/result.parquet"


@pytest.fixture
def widened(cloud: Cloud, region: str) -> Iterator[Any]:
    """Return an S3 client of the function's role, with a policy that allows all of S3."""
    iam = cloud.client("iam", region)
    function = cloud.client("lambda", region).get_function(FunctionName=cloud.outputs[region]["functionArn"])
    role = function["Configuration"]["Role"].rpartition("/")[2]
    statement = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName=role, PolicyName="widened", PolicyDocument=document)
    yield cloud.client("s3", region, cloud.assume_function_role(region))
    iam.delete_role_policy(RoleName=role, PolicyName="widened")


def refused(call: Callable[..., Any], **arguments: Any) -> bool:
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"] in {"AccessDenied", "403"}
    return False


def test_a_widened_role_still_changes_no_upload(cloud: Cloud, region: str, widened: Any) -> None:
    bucket = cloud.outputs[region]["bucketName"]
    version = cloud.upload(region, UPLOAD, b"id\n1\n")
    assert widened.get_object(Bucket=bucket, Key=UPLOAD)["Body"].read() == b"id\n1\n"
    assert refused(widened.put_object, Bucket=bucket, Key=UPLOAD, Body=b"")
    assert refused(widened.delete_object, Bucket=bucket, Key=UPLOAD)
    assert refused(widened.delete_object, Bucket=bucket, Key=UPLOAD, VersionId=version)
    assert cloud.get(region, UPLOAD) == b"id\n1\n"


def test_a_widened_role_still_deletes_no_version_of_a_result(cloud: Cloud, region: str, widened: Any) -> None:
    bucket = cloud.outputs[region]["bucketName"]
    version = widened.put_object(Bucket=bucket, Key=RESULT, Body=b"result")["VersionId"]
    assert refused(widened.delete_object, Bucket=bucket, Key=RESULT, VersionId=version)
    assert not refused(widened.delete_object, Bucket=bucket, Key=RESULT)
    kept = cloud.client("s3", region).get_object(Bucket=bucket, Key=RESULT, VersionId=version)
    assert kept["Body"].read() == b"result"


def test_nobody_deletes_a_version_permanently(cloud: Cloud, region: str) -> None:
    """Not even a principal with all permissions: the setting names no administrator."""
    bucket, s3 = cloud.outputs[region]["bucketName"], cloud.client("s3", region)
    version = cloud.upload(region, UPLOAD, b"id\n1\n")
    assert refused(s3.delete_object, Bucket=bucket, Key=UPLOAD, VersionId=version)
    assert refused(s3.delete_bucket, Bucket=bucket)


@pytest.mark.parametrize(
    ("action", "key"),
    [
        ("s3:DeleteObjectVersion", UPLOAD),
        ("s3:DeleteObjectVersion", RESULT),
        ("s3:PutObject", RESULT),
        ("s3:DeleteObject", RESULT),
    ],
)
def test_only_an_administrator_changes_results_and_deletes_versions(action: str, key: str) -> None:
    administrator = f"arn:aws:iam::{ACCOUNT_ID}:role/administrator"
    config = {"regional-analytics:administratorRoleArns": json.dumps([administrator])}
    evaluation = evaluate_program("eu-west-1", config)
    policy = evaluation.one("aws:s3/bucketPolicy:BucketPolicy").json("policy")
    bucket = evaluation.one("aws:s3/bucket:Bucket").state["arn"]

    def decide(caller: str) -> Decision:
        context = {"aws:PrincipalArn": caller, "aws:SecureTransport": "true", "s3:TlsVersion": "1.3"}
        asked = Request(
            action=action, resource=f"{bucket}/{key}", principals={"AWS": (caller,)}, context=context
        )
        return evaluate(policy, asked)

    assert decide(administrator) is Decision.NONE
    for other in (f"{administrator}-2", f"arn:aws:iam::{ACCOUNT_ID}:user/administrator"):
        assert decide(other) is Decision.DENY


@pytest.mark.parametrize("prefix", ["processed/", "rejected/"])
def test_an_uploader_of_the_whole_bucket_forges_and_removes_no_result(
    cloud: Cloud, region: str, prefix: str
) -> None:
    bucket, s3 = cloud.outputs[region]["bucketName"], cloud.client("s3", region)
    result, forged = f"{prefix}guards/result.parquet", f"{prefix}guards/forged.parquet"
    own = cloud.client("s3", region, cloud.assume_function_role(region))
    own.put_object(Bucket=bucket, Key=result, Body=b"result")
    assert refused(s3.put_object, Bucket=bucket, Key=result, Body=b"forged")
    assert refused(s3.put_object, Bucket=bucket, Key=forged, Body=b"forged")
    assert refused(s3.delete_object, Bucket=bucket, Key=result)
    assert refused(s3.put_object_tagging, Bucket=bucket, Key=result, Tagging={"TagSet": []})
    assert s3.get_object(Bucket=bucket, Key=result)["Body"].read() == b"result"
    own.delete_object(Bucket=bucket, Key=result)


@pytest.mark.parametrize(
    "encryption",
    [
        {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "arn:aws:kms:eu-west-1:999999999999:key/theirs"},
        {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32},
    ],
    ids=["foreign key", "key in the request"],
)
def test_an_upload_with_a_key_that_the_function_cannot_use_is_refused(
    cloud: Cloud, region: str, encryption: dict[str, str]
) -> None:
    put = cloud.client("s3", region).put_object
    assert refused(put, Bucket=cloud.outputs[region]["bucketName"], Key=UPLOAD, Body=b"id\n1\n", **encryption)


def test_the_role_sends_nothing_to_the_queue(cloud: Cloud, region: str) -> None:
    sqs = cloud.client("sqs", region, cloud.assume_function_role(region))
    with pytest.raises(ClientError, match="AccessDenied"):
        sqs.send_message(QueueUrl=cloud.outputs[region]["queueUrl"], MessageBody="{}")


@pytest.mark.parametrize("region", STACKS)
@pytest.mark.parametrize("service", ["s3", "dynamodb"])
def test_endpoint_allows_the_role_its_own_resources_only(service: str, region: str) -> None:
    stack = evaluated(region)
    endpoint = one(stack, "ec2/vpcEndpoint:VpcEndpoint", f"{service}-endpoint")
    role = one(stack, "iam/role:Role").at("arn")
    own = {
        "s3": ("s3:GetObject", f"{one(stack, 's3/bucket:Bucket').at('arn')}/input/any.csv"),
        "dynamodb": ("dynamodb:GetItem", one(stack, "dynamodb/table:Table").at("arn")),
    }
    action, resource = own[service]

    def decide(resource: str, role: str = role, action: str = action) -> Decision:
        asked = Request(
            action=action,
            resource=resource,
            principals={"AWS": (role,)},
            context={"aws:PrincipalArn": role},
        )
        return evaluate(json.loads(endpoint.at("policy")), asked)

    other = resource.replace("analytics-", "another-")
    assert decide(resource) is Decision.ALLOW
    assert decide(other) is Decision.NONE
    assert decide(resource, role=f"arn:aws:iam::{ACCOUNT_ID}:role/another") is Decision.NONE
    assert decide(resource, action=f"{service}:ListAllMyBuckets") is Decision.NONE
