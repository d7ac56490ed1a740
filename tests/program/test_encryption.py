"""With a customer-managed key, everything that stores data uses it, and only the necessary services may."""

import functools
from typing import Any

import pytest

from tests.program.evaluation import ACCOUNT_ID, STACKS, Evaluation, evaluate

SWITCH = {"regional-analytics:customerManagedKey": "true"}
evaluated = functools.cache(lambda stack: evaluate(stack, SWITCH))


@pytest.fixture(params=STACKS)
def evaluation(request: pytest.FixtureRequest) -> Evaluation:
    return evaluated(request.param)


def key_arn(evaluation: Evaluation) -> str:
    return evaluation.one("aws:kms/key:Key").state["arn"]


def test_services_own_keys_by_default(one_stack: Evaluation) -> None:
    assert not one_stack.all("aws:kms/key:Key")
    assert "kms" not in one_stack.one("aws:iam/rolePolicy:RolePolicy", "role-policy").inputs["policy"]
    assert "serverSideEncryption" not in one_stack.one("aws:dynamodb/table:Table").inputs


def test_key_rotates_and_stays_in_its_region(evaluation: Evaluation) -> None:
    key = evaluation.one("aws:kms/key:Key")
    assert key.inputs["enableKeyRotation"] is True
    assert key.inputs["multiRegion"] is False
    assert key.inputs["deletionWindowInDays"] == 30
    assert key.protect
    alias = evaluation.one("aws:kms/alias:Alias").inputs
    assert alias["name"] == f"alias/analytics-key-{evaluation.stack}-dev"
    assert alias["targetKeyId"] == key.state["keyId"]


def test_everything_that_stores_data_uses_it(evaluation: Evaluation) -> None:
    arn = key_arn(evaluation)
    (rule,) = evaluation.one(
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    ).inputs["rules"]
    assert rule["applyServerSideEncryptionByDefault"] == {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": arn}
    assert rule["bucketKeyEnabled"] is True
    table = evaluation.one("aws:dynamodb/table:Table").inputs
    assert table["serverSideEncryption"] == {"enabled": True, "kmsKeyArn": arn}
    queues = [queue.inputs for queue in evaluation.all("aws:sqs/queue:Queue")]
    assert [queue["kmsMasterKeyId"] for queue in queues] == [arn] * 3
    assert not any("sqsManagedSseEnabled" in queue for queue in queues)
    assert evaluation.one("aws:cloudwatch/logGroup:LogGroup").inputs["kmsKeyId"] == arn
    assert evaluation.one("aws:sns/topic:Topic").inputs["kmsMasterKeyId"] == arn
    assert evaluation.one("aws:lambda/function:Function").inputs["kmsKeyArn"] == arn


def test_role_uses_it_through_the_services_of_its_region_only(evaluation: Evaluation) -> None:
    statements = evaluation.one("aws:iam/rolePolicy:RolePolicy", "role-policy").json("policy")["Statement"]
    (granted,) = (each for each in statements if any("kms:" in action for action in each["Action"]))
    assert granted["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
    assert granted["Resource"] == key_arn(evaluation)
    assert granted["Condition"] == {
        "StringEquals": {
            "kms:ViaService": [
                f"{service}.{evaluation.stack}.amazonaws.com"
                for service in ("s3", "dynamodb", "sqs", "lambda")
            ]
        }
    }


def test_key_policy_allows_the_account_and_four_services(evaluation: Evaluation) -> None:
    region = evaluation.stack
    statements = evaluation.one("aws:kms/key:Key").json("policy")["Statement"]
    account, *services = statements
    assert account["Principal"] == {"AWS": f"arn:aws:iam::{ACCOUNT_ID}:root"}
    (describes,) = (each for each in services if each["Action"] == ["kms:DescribeKey"])
    assert describes["Principal"] == {"Service": f"logs.{region}.amazonaws.com"}
    assert describes["Condition"] == {"StringEqualsIfExists": {"aws:SourceAccount": ACCOUNT_ID}}
    services.remove(describes)
    admitted: dict[str, Any] = {each["Principal"]["Service"]: each for each in services}
    named = f"analytics-*-{region}-dev"
    topic = evaluation.one("aws:sns/topic:Topic").state["arn"]
    log_group = evaluation.one("aws:cloudwatch/logGroup:LogGroup").state["arn"]
    assert {service: each["Condition"] for service, each in admitted.items()} == {
        "events.amazonaws.com": {"StringEquals": {"aws:SourceAccount": ACCOUNT_ID}},
        "cloudwatch.amazonaws.com": {"ArnEquals": {"kms:EncryptionContext:aws:sns:topicArn": topic}},
        f"logs.{region}.amazonaws.com": {"ArnEquals": {"kms:EncryptionContext:aws:logs:arn": log_group}},
        "encryption.athena.amazonaws.com": {
            "ArnLike": {"aws:SourceArn": f"arn:aws:athena:{region}:{ACCOUNT_ID}:workgroup/{named}"},
            "StringEquals": {"aws:SourceAccount": ACCOUNT_ID},
        },
    }
    for service in ("events.amazonaws.com", "cloudwatch.amazonaws.com"):
        assert admitted[service]["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
