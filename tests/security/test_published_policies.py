"""The policies in docs/security.md, and the function's own, tested with IAM enforced."""

import json
import re
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.cloud import Cloud
from local.server import Credentials

PAGE = Path(__file__).resolve().parents[2] / "docs" / "security.md"
GOOD = b"id,price\n1,2\n3,4\n"
PART = b"0" * (5 << 20)


def offered(sid: str) -> str:
    """Return the policy in the page that has the statement."""
    blocks = re.findall(r"```json\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    (found,) = [block for block in blocks if f'"{sid}"' in block]
    return found


@pytest.fixture
def holder(cloud: Cloud, region: str) -> Iterator[Callable[[str], Any]]:
    """Returns an S3 client of a user with only the given policy."""
    iam, users = cloud.client("iam", region), list[str]()

    def hold(policy: str) -> Any:
        user = f"holder-{uuid.uuid4().hex[:8]}"
        users.append(user)
        iam.create_user(UserName=user)
        iam.put_user_policy(UserName=user, PolicyName="the-only-one", PolicyDocument=policy)
        key = iam.create_access_key(UserName=user)["AccessKey"]
        return cloud.client("s3", region, Credentials(key["AccessKeyId"], key["SecretAccessKey"]))

    yield hold
    for user in users:
        for key in iam.list_access_keys(UserName=user)["AccessKeyMetadata"]:
            iam.delete_access_key(UserName=user, AccessKeyId=key["AccessKeyId"])
        iam.delete_user_policy(UserName=user, PolicyName="the-only-one")
        iam.delete_user(UserName=user)


def is_refused(call: Callable[..., Any], **arguments: Any) -> bool:
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    return False


def test_an_uploader_can_only_put_objects_below_the_prefix(
    cloud: Cloud, region: str, holder: Callable[[str], Any]
) -> None:
    bucket = cloud.outputs[region]["bucketName"]
    s3 = holder(offered("UploadBelowOnePrefix").replace("BUCKET", bucket).replace("TEAM", "sales"))
    own, others = "input/sales/own.csv", "input/others/theirs.csv"
    cloud.upload(region, others, GOOD)
    s3.put_object(Bucket=bucket, Key=own, Body=GOOD)
    upload = {"Bucket": bucket, "Key": "input/sales/large.csv"}
    upload_id = s3.create_multipart_upload(**upload)["UploadId"]
    etag = s3.upload_part(**upload, UploadId=upload_id, PartNumber=1, Body=PART)["ETag"]
    parts = {"Parts": [{"ETag": etag, "PartNumber": 1}]}
    s3.complete_multipart_upload(**upload, UploadId=upload_id, MultipartUpload=parts)
    s3.abort_multipart_upload(**upload, UploadId=s3.create_multipart_upload(**upload)["UploadId"])
    cloud.run_until_idle()
    result = f"processed/{own}.parquet"
    before = cloud.get(region, result)

    for key in (others, result, f"rejected/{own}.jsonl", f"processed/_profiles/{own}.json", "input/salesx/a"):
        assert is_refused(s3.put_object, Bucket=bucket, Key=key, Body=b"forged"), key
        assert is_refused(s3.create_multipart_upload, Bucket=bucket, Key=key), key
        assert is_refused(s3.copy_object, Bucket=bucket, Key=key, CopySource=f"{bucket}/{own}"), key
        assert is_refused(s3.delete_object, Bucket=bucket, Key=key), key
        assert is_refused(s3.get_object, Bucket=bucket, Key=key), key
    assert is_refused(s3.delete_object, Bucket=bucket, Key=own)
    assert is_refused(s3.get_object, Bucket=bucket, Key=own)
    assert is_refused(s3.list_objects_v2, Bucket=bucket)
    assert is_refused(s3.list_object_versions, Bucket=bucket)
    assert is_refused(s3.put_bucket_policy, Bucket=bucket, Policy="{}")
    assert cloud.get(region, result) == before


def test_a_reader_can_only_read_results(cloud: Cloud, region: str, holder: Callable[[str], Any]) -> None:
    bucket, key = cloud.outputs[region]["bucketName"], "input/read/table.csv"
    cloud.upload(region, key, GOOD)
    cloud.run_until_idle()
    s3 = holder(offered("ReadResults").replace("BUCKET", bucket))
    result = f"processed/{key}.parquet"
    assert s3.get_object(Bucket=bucket, Key=result)["Body"].read(4) == b"PAR1"
    assert is_refused(s3.get_object, Bucket=bucket, Key=key)
    assert is_refused(s3.list_objects_v2, Bucket=bucket, Prefix="input/")
    assert is_refused(s3.list_objects_v2, Bucket=bucket)
    for target in (key, result):
        assert is_refused(s3.put_object, Bucket=bucket, Key=target, Body=b"forged")
        assert is_refused(s3.delete_object, Bucket=bucket, Key=target)


def changes(outputs: dict[str, Any], role: str) -> dict[tuple[str, str], dict[str, Any]]:
    """Calls that would change the stack, or the function's permissions or code."""
    function, bucket, table = outputs["functionArn"], outputs["bucketName"], outputs["tableName"]
    everything = json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    )
    return {
        ("lambda", "update_function_code"): {"FunctionName": function, "ZipFile": b"PK"},
        ("lambda", "update_function_configuration"): {"FunctionName": function, "Timeout": 900},
        ("lambda", "invoke"): {"FunctionName": function},
        ("iam", "put_role_policy"): {"RoleName": role, "PolicyName": "x", "PolicyDocument": everything},
        ("iam", "create_access_key"): {"UserName": "operator"},
        ("sqs", "send_message"): {"QueueUrl": outputs["queueUrl"], "MessageBody": "x"},
        ("sqs", "set_queue_attributes"): {"QueueUrl": outputs["queueUrl"], "Attributes": {"Policy": ""}},
        ("events", "put_rule"): {"Name": "x", "ScheduleExpression": "rate(1 minute)"},
        ("s3", "delete_bucket_policy"): {"Bucket": bucket},
        ("s3", "put_bucket_cors"): {
            "Bucket": bucket,
            "CORSConfiguration": {"CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]},
        },
        ("dynamodb", "delete_table"): {"TableName": table},
        ("dynamodb", "scan"): {"TableName": table},
        ("logs", "delete_log_group"): {"logGroupName": outputs["logGroupName"]},
        ("cloudwatch", "delete_alarms"): {"AlarmNames": ["x"]},
        ("sns", "publish"): {"TopicArn": outputs["alarmTopicArn"], "Message": "x"},
    }


def test_the_function_s_role_changes_nothing_of_the_stack(cloud: Cloud, region: str) -> None:
    outputs = cloud.outputs[region]
    configuration = cloud.client("lambda", region).get_function_configuration(
        FunctionName=outputs["functionArn"]
    )
    role = configuration["Role"].rpartition("/")[2]
    credentials = cloud.assume_function_role(region)
    for (service, call), arguments in changes(outputs, role).items():
        client = cloud.client(service, region, credentials)
        assert is_refused(getattr(client, call), **arguments), f"{service}: {call}"
