"""Each patch of moto works, tested through the API."""

import concurrent.futures
import json
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.cloud import Cloud
from tests.local.workload import GOOD


def code(error: pytest.ExceptionInfo[ClientError]) -> tuple[str, int]:
    response = error.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def test_the_tls_only_policy_stands_as_deployed_and_shuts_out_plain_http_alone(
    cloud: Cloud, region: str
) -> None:
    bucket = cloud.outputs[region]["bucketName"]
    deployed = json.loads(cloud.client("s3", region).get_bucket_policy(Bucket=bucket)["Policy"])
    assert {"Bool": {"aws:SecureTransport": "false"}} in [
        item.get("Condition") for item in deployed["Statement"]
    ]
    cloud.upload(region, "moto-patches/tls.csv", GOOD)
    cloud.run_until_idle()
    plain = cloud.server.new_client("s3", region, cloud.server.operator)
    plain.meta.events.register(
        "before-call.s3", lambda params, **_: params["headers"].update({"X-Forwarded-Proto": "http"})
    )

    with pytest.raises(ClientError) as refused:
        plain.get_object(Bucket=bucket, Key="moto-patches/tls.csv")

    assert code(refused)[1] == 403


def test_events_have_ids_of_their_own_and_sequencers_that_grow(cloud: Cloud, region: str) -> None:
    outputs = cloud.outputs[region]
    for _ in range(3):
        cloud.upload(region, "moto-patches/sequence.csv", GOOD)
    sqs = cloud.client("sqs", region)
    messages = sqs.receive_message(QueueUrl=outputs["queueUrl"], MaxNumberOfMessages=10, VisibilityTimeout=0)
    events = [json.loads(message["Body"]) for message in messages["Messages"]]
    cloud.run_until_idle()

    sequencers = [event["detail"]["object"]["sequencer"] for event in events]
    assert len(events) == 3
    assert len({event["id"] for event in events}) == 3
    assert sorted(sequencers) == sequencers
    assert len(set(sequencers)) == 3
    assert events[0]["detail"]["reason"] == "PutObject"
    assert events[0]["detail"]["object"]["etag"] == events[1]["detail"]["object"]["etag"]


@pytest.mark.parametrize("version", [None, "0" * 32])
@pytest.mark.parametrize("operation", ["get_object", "head_object"])
def test_what_is_missing_is_forbidden_to_those_who_may_not_list(
    cloud: Cloud, region: str, operation: str, version: str | None
) -> None:
    bucket = cloud.outputs[region]["bucketName"]
    wanted: dict[str, Any] = {"Bucket": bucket, "Key": f"moto-patches/{uuid.uuid4()}"}
    wanted |= {"VersionId": version} if version else {}
    iam = cloud.client("iam", region)
    name = f"reader-{uuid.uuid4().hex[:8]}"
    iam.create_user(UserName=name)
    statement = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:GetObjectVersion"], "Resource": "*"}
    iam.put_user_policy(
        UserName=name,
        PolicyName="read",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )
    key = iam.create_access_key(UserName=name)["AccessKey"]
    credentials = type(cloud.server.operator)(key["AccessKeyId"], key["SecretAccessKey"])

    with pytest.raises(ClientError) as missing:
        getattr(cloud.client("s3", region), operation)(**wanted)
    with pytest.raises(ClientError) as forbidden:
        getattr(cloud.client("s3", region, credentials), operation)(**wanted)

    assert code(missing)[1] == 404
    assert code(forbidden)[1] == 403


def test_conditional_writes_and_deletes_are_atomic(cloud: Cloud, region: str) -> None:
    s3 = cloud.client("s3", region, cloud.assume_function_role(region))
    bucket, key = cloud.outputs[region]["bucketName"], f"processed/moto-patches/{uuid.uuid4()}"

    def create(number: int) -> bool:
        try:
            s3.put_object(Bucket=bucket, Key=key, Body=b"%d" % number, IfNoneMatch="*")
        except ClientError as error:
            if error.response["Error"]["Code"] != "PreconditionFailed":
                raise
            return False
        return True

    with concurrent.futures.ThreadPoolExecutor(8) as writers:
        assert sum(writers.map(create, range(16))) == 1
    with pytest.raises(ClientError) as refused:
        s3.delete_object(Bucket=bucket, Key=key, IfMatch='"0123456789abcdef0123456789abcdef"')
    assert code(refused) == ("PreconditionFailed", 412)


def test_a_message_is_received_once(cloud: Cloud, region: str) -> None:
    sqs = cloud.client("sqs", region)
    url = sqs.create_queue(QueueName=f"once-{uuid.uuid4().hex[:8]}")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="{}")
    with concurrent.futures.ThreadPoolExecutor(8) as receivers:
        received = receivers.map(
            lambda _: len(sqs.receive_message(QueueUrl=url).get("Messages", [])), range(16)
        )
    assert sum(received) == 1


def test_other_attributes_of_a_queue_do_not_change(cloud: Cloud, region: str) -> None:
    sqs, url = cloud.client("sqs", region), cloud.outputs[region]["queueUrl"]
    before = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    visibility = before["VisibilityTimeout"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": visibility})
    after = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert after["Policy"] == before["Policy"]
    assert after["RedrivePolicy"] == before["RedrivePolicy"]


def test_the_dead_letter_queue_keeps_who_may_redrive_to_it(cloud: Cloud, region: str) -> None:
    url = cloud.outputs[region]["deadLetterQueueUrl"]
    attributes = cloud.client("sqs", region).get_queue_attributes(QueueUrl=url, AttributeNames=["All"])[
        "Attributes"
    ]
    assert "redrivePermission" in attributes["RedriveAllowPolicy"]


def test_the_functions_role_reaches_its_table_and_no_other(cloud: Cloud, region: str) -> None:
    dynamodb = cloud.client("dynamodb", region, cloud.assume_function_role(region))
    key = {"job_id": {"S": "nobody"}}
    assert "Item" not in dynamodb.get_item(TableName=cloud.outputs[region]["tableName"], Key=key)
    with pytest.raises(ClientError) as refused:
        dynamodb.get_item(TableName="another-table", Key=key)
    assert code(refused) == ("AccessDeniedException", 403)


@pytest.mark.parametrize(
    ("call", "action"),
    [
        ("delete_bucket_encryption", "s3:PutEncryptionConfiguration"),
        ("delete_bucket_ownership_controls", "s3:PutBucketOwnershipControls"),
        ("delete_public_access_block", "s3:PutBucketPublicAccessBlock"),
    ],
)
def test_s3_asks_for_the_action_of_a_bucket_s_configuration(
    cloud: Cloud, region: str, call: str, action: str
) -> None:
    s3, bucket = cloud.client("s3", region), call.replace("_", "-")
    where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    s3.create_bucket(Bucket=bucket, **where)

    def deny(denied: str) -> None:
        resource = f"arn:aws:s3:::{bucket}"
        statement = {"Effect": "Deny", "Principal": "*", "Action": denied, "Resource": resource}
        document = {"Version": "2012-10-17", "Statement": [statement]}
        s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(document))

    deny("s3:DeleteBucket")
    getattr(s3, call)(Bucket=bucket)
    deny(action)
    with pytest.raises(ClientError, match="AccessDenied"):
        getattr(s3, call)(Bucket=bucket)
