"""Every resource of a region, with its name and figures."""

import base64
import hashlib
import ipaddress
from pathlib import Path

import pytest

from tests.program.evaluation import ACCOUNT_ID, Evaluation, evaluate, stack_config


def named(evaluation: Evaluation, kind: str) -> str:
    return f"analytics-{kind}-{evaluation.stack}-dev"


def test_vpc_has_dns_and_its_region_s_range(evaluation: Evaluation) -> None:
    vpc = evaluation.one("aws:ec2/vpc:Vpc").inputs
    assert vpc["cidrBlock"] == stack_config(evaluation.stack)["regional-analytics:cidrBlock"]
    assert vpc["enableDnsSupport"]
    assert vpc["enableDnsHostnames"]


def test_private_subnets_in_two_zones_within_the_vpc(evaluation: Evaluation) -> None:
    subnets = [subnet.inputs for subnet in evaluation.all("aws:ec2/subnet:Subnet")]
    assert {subnet["availabilityZone"] for subnet in subnets} == {
        f"{evaluation.stack}a",
        f"{evaluation.stack}b",
    }
    first, second = (ipaddress.IPv4Network(subnet["cidrBlock"]) for subnet in subnets)
    assert not first.overlaps(second)
    vpc = ipaddress.IPv4Network(evaluation.one("aws:ec2/vpc:Vpc").inputs["cidrBlock"])
    assert first.subnet_of(vpc)
    assert second.subnet_of(vpc)
    assert not any(subnet["mapPublicIpOnLaunch"] for subnet in subnets)


def test_bucket_is_versioned_encrypted_and_private(evaluation: Evaluation) -> None:
    bucket = evaluation.one("aws:s3/bucket:Bucket").inputs
    assert bucket["bucket"] == f"analytics-bucket-dev-{ACCOUNT_ID}-{evaluation.stack}-an"
    assert bucket["bucketNamespace"] == "account-regional"
    versioning = evaluation.one("aws:s3/bucketVersioning:BucketVersioning").inputs
    assert versioning["versioningConfiguration"] == {"status": "Enabled"}
    (rule,) = evaluation.one(
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    ).inputs["rules"]
    assert rule["applyServerSideEncryptionByDefault"] == {"sseAlgorithm": "AES256"}
    block = evaluation.one("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock").inputs
    settings = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
    assert all(block[setting] for setting in settings)
    ownership = evaluation.one("aws:s3/bucketOwnershipControls:BucketOwnershipControls").inputs
    assert ownership["rule"] == {"objectOwnership": "BucketOwnerEnforced"}


def test_uploads_move_to_glacier_after_90_days_and_results_never(evaluation: Evaluation) -> None:
    rules = evaluation.one("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration").inputs["rules"]
    archive, expire = rules
    lifecycle = evaluation.one("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration").inputs
    assert lifecycle["transitionDefaultMinimumObjectSize"] == "all_storage_classes_128K"
    assert archive["filter"] == {"prefix": "input/"}
    assert archive["transitions"] == [{"days": 90, "storageClass": "GLACIER"}]
    assert all("transitions" not in rule for rule in rules if rule is not archive)
    assert expire["noncurrentVersionExpiration"] == {"noncurrentDays": 30}
    assert expire["abortIncompleteMultipartUpload"] == {"daysAfterInitiation": 7}
    assert {rule["status"] for rule in rules} == {"Enabled"}


def test_lifecycle_archives_every_configured_prefix() -> None:
    evaluation = evaluate(
        "eu-west-1",
        {
            "regional-analytics:archivePrefixes": '["raw/", "landing/"]',
            "regional-analytics:glacierAfterDays": "7",
        },
    )
    rules = evaluation.one("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration").inputs["rules"]
    archived = {rule["filter"]["prefix"]: rule["transitions"] for rule in rules if "transitions" in rule}
    transition = [{"days": 7, "storageClass": "GLACIER"}]
    assert archived == {"raw/": transition, "landing/": transition}
    assert len({rule["id"] for rule in rules}) == len(rules)


def test_function_has_the_predecessor_s_figures(evaluation: Evaluation) -> None:
    function = evaluation.one("aws:lambda/function:Function").inputs
    assert function["name"] == named(evaluation, "etl")
    assert function["runtime"] == "python3.11"
    assert function["architectures"] == ["arm64"]
    assert function["handler"] == "index.handler"
    assert function["memorySize"] == 1024
    assert function["timeout"] == 300
    assert function["ephemeralStorage"] == {"size": 4096}


def test_log_group_keeps_30_days_and_belongs_to_the_function(evaluation: Evaluation) -> None:
    log_group = evaluation.one("aws:cloudwatch/logGroup:LogGroup").inputs
    function = evaluation.one("aws:lambda/function:Function").inputs
    assert log_group["retentionInDays"] == 30
    assert log_group["name"] == f"/aws/lambda/{named(evaluation, 'etl')}"
    assert function["loggingConfig"]["logGroup"] == log_group["name"]


def test_role_is_lambda_s(evaluation: Evaluation) -> None:
    role = evaluation.one("aws:iam/role:Role")
    assert role.inputs["name"] == named(evaluation, "lambda-role")
    (statement,) = role.json("assumeRolePolicy")["Statement"]
    assert statement["Principal"] == {"Service": "lambda.amazonaws.com"}
    assert statement["Action"] == "sts:AssumeRole"
    assert not evaluation.all("aws:iam/rolePolicyAttachment:RolePolicyAttachment")


def test_table_answers_by_id_and_by_status_and_time(evaluation: Evaluation) -> None:
    table = evaluation.one("aws:dynamodb/table:Table").inputs
    assert table["name"] == named(evaluation, "jobs")
    assert table["billingMode"] == "PAY_PER_REQUEST"
    assert table["pointInTimeRecovery"] == {"enabled": True}
    assert table["hashKey"] == "job_id"
    (index,) = table["globalSecondaryIndexes"]
    assert index["name"] == "timestamp-index"
    assert index["projectionType"] == "ALL"
    assert index["keySchemas"] == [
        {"attributeName": "status", "keyType": "HASH"},
        {"attributeName": "timestamp", "keyType": "RANGE"},
    ]
    assert {attribute["name"]: attribute["type"] for attribute in table["attributes"]} == {
        "job_id": "S",
        "status": "S",
        "timestamp": "N",
    }


def test_queues_hide_and_keep_messages_long_enough(evaluation: Evaluation) -> None:
    queue, dead_letters, undelivered = (
        evaluation.one("aws:sqs/queue:Queue", f"ingestion-{kind}").inputs
        for kind in ("queue", "dlq", "delivery-dlq")
    )
    assert [each["name"] for each in (queue, dead_letters, undelivered)] == [
        named(evaluation, kind) for kind in ("queue", "dlq", "delivery-dlq")
    ]
    assert queue["visibilityTimeoutSeconds"] >= 6 * 300
    assert queue["messageRetentionSeconds"] == 4 * 86_400
    assert dead_letters["messageRetentionSeconds"] == 14 * 86_400
    assert undelivered["messageRetentionSeconds"] == 14 * 86_400
    assert all(each["sqsManagedSseEnabled"] for each in (queue, dead_letters, undelivered))


def test_visibility_follows_the_timeout() -> None:
    evaluation = evaluate("eu-west-1", {"regional-analytics:timeout": "900"})
    assert (
        evaluation.one("aws:sqs/queue:Queue", "ingestion-queue").inputs["visibilityTimeoutSeconds"] >= 5_400
    )


def test_settings_reach_the_function() -> None:
    evaluation = evaluate(
        "eu-west-1",
        {
            "regional-analytics:environmentSuffix": "qa",
            "regional-analytics:memorySize": "2048",
            "regional-analytics:timeout": "60",
            "regional-analytics:ephemeralStorage": "512",
            "regional-analytics:maximumConcurrency": "3",
            "regional-analytics:logRetentionDays": "7",
            "regional-analytics:rejectedShareMax": "0.25",
            "regional-analytics:maxDecompressedBytes": "1000",
            "regional-analytics:maxDecompressionRatio": "20",
        },
    )
    function = evaluation.one("aws:lambda/function:Function").inputs
    assert function["name"] == "analytics-etl-eu-west-1-qa"
    assert (function["memorySize"], function["timeout"]) == (2048, 60)
    assert function["ephemeralStorage"] == {"size": 512}
    variables = function["environment"]["variables"]
    assert variables["REJECTED_SHARE_MAX"] == "0.25"
    assert variables["MAX_DECOMPRESSED_BYTES"] == "1000"
    assert variables["MAX_DECOMPRESSION_RATIO"] == "20"
    mapping = evaluation.one("aws:lambda/eventSourceMapping:EventSourceMapping").inputs
    assert mapping["scalingConfig"] == {"maximumConcurrency": 3}
    assert evaluation.one("aws:cloudwatch/logGroup:LogGroup").inputs["retentionInDays"] == 7


@pytest.mark.parametrize(
    ("config", "protected", "emptied"),
    [
        ({}, True, False),
        ({"regional-analytics:protect": "false"}, False, False),
        ({"regional-analytics:protect": "false", "regional-analytics:forceDestroy": "true"}, False, True),
    ],
)
def test_data_is_deleted_only_with_two_settings(
    config: dict[str, str], protected: bool, emptied: bool
) -> None:
    evaluation = evaluate("eu-west-1", config)
    bucket = evaluation.one("aws:s3/bucket:Bucket")
    table = evaluation.one("aws:dynamodb/table:Table")
    assert (bucket.protect, table.protect) == (protected, protected)
    holders = [
        *evaluation.all("aws:sqs/queue:Queue"),
        evaluation.one("aws:cloudwatch/logGroup:LogGroup"),
    ]
    assert [each.protect for each in holders] == [protected] * 4
    assert table.inputs["deletionProtectionEnabled"] is protected
    assert bucket.inputs["forceDestroy"] is emptied


def test_outputs_name_the_created_resources(evaluation: Evaluation) -> None:
    outputs = evaluation.outputs
    region = evaluation.stack
    assert outputs["bucketName"] == evaluation.one("aws:s3/bucket:Bucket").inputs["bucket"]
    assert outputs["functionArn"] == evaluation.one("aws:lambda/function:Function").state["arn"]
    assert outputs["tableName"] == named(evaluation, "jobs")
    code = Path(evaluation.one("aws:lambda/function:Function").inputs["code"].path).read_bytes()
    assert outputs["codeSha256"] == base64.b64encode(hashlib.sha256(code).digest()).decode()
    for output, kind in {
        "queueUrl": "queue",
        "deadLetterQueueUrl": "dlq",
        "deliveryDeadLetterQueueUrl": "delivery-dlq",
    }.items():
        assert outputs[output] == f"https://sqs.{region}.amazonaws.com/123456789012/{named(evaluation, kind)}"
    assert outputs["vpcId"] == "analytics-network-vpc"
    assert outputs["logGroupName"] == f"/aws/lambda/{named(evaluation, 'etl')}"
    assert outputs["alarmTopicArn"] == evaluation.one("aws:sns/topic:Topic").state["arn"]
    assert outputs["dashboardUrl"].endswith(named(evaluation, "monitoring"))
    assert outputs["region"] == region


def test_bucket_s_name_is_known_in_a_preview(evaluation: Evaluation) -> None:
    planned = evaluate(evaluation.stack, preview=True).one("aws:s3/bucket:Bucket").inputs["bucket"]
    assert planned == evaluation.one("aws:s3/bucket:Bucket").inputs["bucket"]


@pytest.mark.parametrize(("days", "enabled"), [("0", False), ("30", True)])
def test_job_records_expire_if_configured(days: str, enabled: bool) -> None:
    """Disabled is set explicitly: the provider treats a missing block as no change."""
    evaluation = evaluate("eu-west-1", {"regional-analytics:jobRetentionDays": days})
    table = evaluation.one("aws:dynamodb/table:Table").inputs
    assert table["ttl"] == {"attributeName": "expires_at", "enabled": enabled}
    variables = evaluation.one("aws:lambda/function:Function").inputs["environment"]["variables"]
    assert variables["JOB_RETENTION_DAYS"] == days
