"""Declared inputs reach AWS, are read back unchanged, and change as by the provider."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import pulumi
import pytest

from local.deployer import deploy
from local.resources import TYPES, hints, lifecycle
from local.resources.lifecycle import Resource
from local.resources.resource_type import ResourceType
from local.resources.target import Target
from local.server import Server
from local.stacks import read_stacks

REGION = "eu-west-1"

# Inputs that force a replacement (ForceNew in the Terraform provider), with a star where Pulumi deletes
# the old resource first, because the program gives its name (pulumi-terraform-bridge).
REPLACED_BY = {
    "aws:ec2/vpc:Vpc": {"cidrBlock"},
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": {"vpcId"},
    "aws:ec2/routeTable:RouteTable": {"vpcId"},
    "aws:ec2/subnet:Subnet": {"vpcId", "availabilityZone", "cidrBlock"},
    "aws:ec2/securityGroup:SecurityGroup": {"name*", "description", "vpcId"},
    "aws:ec2/vpcEndpoint:VpcEndpoint": {"vpcId", "serviceName", "vpcEndpointType"},
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": {"securityGroupId"},
    "aws:ec2/routeTableAssociation:RouteTableAssociation": {"subnetId"},
    "aws:s3/bucket:Bucket": {"bucket*", "bucketNamespace"},
    "aws:s3/bucketVersioning:BucketVersioning": {"bucket"},
    "aws:s3/bucketNotification:BucketNotification": {"bucket"},
    "aws:s3/bucketPolicy:BucketPolicy": {"bucket"},
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": {"bucket"},
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": {"bucket"},
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": {"bucket"},
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": {"bucket"},
    "aws:sqs/queue:Queue": {"name*"},
    "aws:sqs/queuePolicy:QueuePolicy": {"queueUrl"},
    "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": {"queueUrl"},
    "aws:cloudwatch/eventRule:EventRule": {"name*"},
    "aws:cloudwatch/eventTarget:EventTarget": {"rule", "targetId"},
    "aws:dynamodb/table:Table": {"name*", "hashKey", "rangeKey"},
    "aws:iam/role:Role": {"name*"},
    "aws:iam/rolePolicy:RolePolicy": {"name*", "role"},
    "aws:cloudwatch/logGroup:LogGroup": {"name*"},
    "aws:lambda/layerVersion:LayerVersion": {
        "layerName",
        "code",
        "compatibleRuntimes",
        "compatibleArchitectures",
        "description",
    },
    "aws:lambda/function:Function": {"name*"},
    "aws:lambda/eventSourceMapping:EventSourceMapping": {"eventSourceArn"},
    "aws:sns/topic:Topic": {"name*"},
    "aws:sns/topicPolicy:TopicPolicy": {"arn"},
    "aws:sns/topicSubscription:TopicSubscription": {"topic", "protocol", "endpoint"},
    "aws:cloudwatch/metricAlarm:MetricAlarm": {"name*"},
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": {"alarmName"},
    "aws:cloudwatch/dashboard:Dashboard": {"dashboardName"},
    "aws:kms/key:Key": {"multiRegion"},
    "aws:kms/alias:Alias": {"name*"},
    "aws:glue/catalogDatabase:CatalogDatabase": {"name*"},
    "aws:glue/catalogTable:CatalogTable": {"name*", "databaseName"},
    "aws:athena/workgroup:Workgroup": {"name*"},
    "aws:athena/namedQuery:NamedQuery": {"name", "database", "query", "workgroup", "description"},
    "aws:iam/policy:Policy": {"name*", "description"},
}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


@pytest.fixture
def target(server: Server) -> Target:
    return Target(client=server.client, region=REGION)


@dataclass(frozen=True)
class Created:
    kind: ResourceType
    target: Target
    inputs: dict[str, Any]
    resource: Resource


@pytest.fixture(scope="module")
def created(server: Server) -> list[Created]:
    """All resources of a stack with every option."""
    stack = read_stacks()[0]
    full = {
        "regional-analytics:customerManagedKey": "true",
        "regional-analytics:freshnessHours": "2",
        "regional-analytics:alarmSubscribers": '["someone@example.org"]',
        "regional-analytics:environmentSuffix": "full",
        "regional-analytics:datasets": '["*"]',
    }
    made: list[Created] = []
    create = lifecycle.create

    def remember(kind: ResourceType, target: Target, inputs: dict[str, Any]) -> Resource:
        resource = create(kind, target, inputs)
        made.append(Created(kind, target, inputs, resource))
        return resource

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lifecycle, "create", remember)
        deploy(server, replace(stack, config={**stack.config, **full}))
    return made


def test_everything_reads_back_as_it_was_given(created: list[Created]) -> None:
    assert len(created) > 50
    for one in created:
        given = {**one.kind.defaults, **one.inputs}
        found = lifecycle.changes(one.kind, one.target, one.resource.values, given, given)
        assert not found.names, (one.kind.pulumi_type, found.names, one.resource.values)


NOT_READ = {
    # AWS gives no archive back, and moto no description of a rule for a prefix list.
    "aws:lambda/function:Function": {"code"},
    "aws:lambda/layerVersion:LayerVersion": {"code"},
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": {"description"},
}


def test_what_is_changed_by_hand_is_found(created: list[Created]) -> None:
    # Nothing that is read may be a copy of what was given: reading with nothing known gives it too.
    for one in created:
        ids = {key: one.resource.values[key] for key in ("arn", "rule", "targetId") if key in one.inputs}
        known = ids | {key: one.resource.values[key] for key in ("securityGroupId",) if key in one.inputs}
        known |= {"arn": one.resource.values["arn"]} if "arn" in one.resource.values else {}
        read = lifecycle.read(one.kind, one.target, one.resource.identifier, known)
        assert read is not None
        unread = one.inputs.keys() - read.values.keys() - one.kind.provider_only - {"__defaults"}
        assert unread == NOT_READ.get(one.kind.pulumi_type, set()), one.kind.pulumi_type


def test_replacements_are_those_of_the_provider(created: list[Created]) -> None:
    assert {one.kind.pulumi_type for one in created} <= REPLACED_BY.keys()
    for pulumi_type, documented in REPLACED_BY.items():
        kind = TYPES[pulumi_type]
        starred = {name.rstrip("*") for name in documented if name.endswith("*")}
        assert starred == ({kind.name} if kind.name else set()), pulumi_type
        assert kind.replaced_by == {name for name in documented if not name.endswith("*")}, pulumi_type


def test_declared_types_and_inputs_exist_in_pulumi_aws() -> None:
    for kind in TYPES.values():
        arguments = hints.arguments(kind.pulumi_type).members
        named = (
            kind.replaced_by | kind.unset.keys() | kind.provider_only | kind.ordered | kind.defaults.keys()
        )
        assert named <= arguments.keys(), (kind.pulumi_type, named - arguments.keys())


@pytest.mark.parametrize(
    ("pulumi_type", "inputs", "problem"),
    [
        (
            "aws:sqs/queue:Queue",
            {"visibilityTimeout": 3},
            "visibilityTimeout: pulumi_aws has no such argument, got 3",
        ),
        (
            "aws:sqs/queue:Queue",
            {"visibilityTimeoutSeconds": "3"},
            "visibilityTimeoutSeconds: must be a whole number, got '3'",
        ),
        ("aws:sqs/queue:Queue", {"fifoQueue": True}, "fifoQueue: not known to local/resources, got True"),
        ("aws:sqs/queuePolicy:QueuePolicy", {"policy": "{}"}, "queueUrl: must be given"),
        (
            "aws:lambda/function:Function",
            {"role": "r", "loggingConfig": {"logFormat": "JSON", "level": "INFO"}},
            "loggingConfig.level: pulumi_aws has no such argument, got 'INFO'",
        ),
        ("aws:lambda/function:Function", {"role": "r", "layers": "a"}, "layers: must be a list, got 'a'"),
        (
            "aws:lambda/function:Function",
            {"role": "r", "tags": {"a": 1}},
            "tags['a']: must be text, got 1",
        ),
    ],
)
def test_invalid_inputs_are_refused(pulumi_type: str, inputs: dict[str, Any], problem: str) -> None:
    assert lifecycle.problems(TYPES[pulumi_type], inputs) == [problem]


def test_a_type_that_pulumi_aws_does_not_have_is_refused() -> None:
    with pytest.raises(LookupError, match="no resource type aws:sqs/queue:Topic"):
        hints.arguments("aws:sqs/queue:Topic")


def test_an_unknown_value_is_no_problem() -> None:
    inputs = {"queueUrl": hints.UNKNOWN, "policy": hints.UNKNOWN}
    assert lifecycle.problems(TYPES["aws:sqs/queuePolicy:QueuePolicy"], inputs) == []


def test_the_functions_logging_reaches_aws(created: list[Created], server: Server) -> None:
    (function,) = [one for one in created if one.kind.pulumi_type == "aws:lambda/function:Function"]
    configuration = server.client("lambda", function.target.region).get_function_configuration(
        FunctionName=function.resource.identifier
    )
    assert configuration["LoggingConfig"]["LogFormat"] == "JSON"
    assert configuration["LoggingConfig"]["ApplicationLogLevel"] == "INFO"


def _update(kind: ResourceType, target: Target, resource: Resource, olds: Any, **changed: Any) -> Resource:
    news = {name: value for name, value in (olds | changed).items() if value is not None}
    updated = lifecycle.update(kind, target, resource, olds, news)
    assert not lifecycle.changes(kind, target, updated.values, news, news).names
    return updated


def test_a_queue_changes_in_place_and_loses_its_key(target: Target) -> None:
    kind, sqs = TYPES["aws:sqs/queue:Queue"], target.service("sqs")
    key = target.service("kms").create_key()["KeyMetadata"]["Arn"]
    inputs = {"name": "changing", "kmsMasterKeyId": key, "tags": {"a": "1", "b": "2"}}
    queue = lifecycle.create(kind, target, inputs)

    _update(
        kind,
        target,
        queue,
        inputs,
        kmsMasterKeyId=None,
        sqsManagedSseEnabled=True,
        visibilityTimeoutSeconds=77,
        tags={"b": "3"},
    )

    attributes = sqs.get_queue_attributes(QueueUrl=queue.identifier, AttributeNames=["All"])["Attributes"]
    assert attributes["VisibilityTimeout"] == "77"
    assert not attributes.get("KmsMasterKeyId")
    assert sqs.list_queue_tags(QueueUrl=queue.identifier)["Tags"] == {"b": "3"}


def test_a_log_group_loses_its_key_and_its_retention(target: Target) -> None:
    kind, logs = TYPES["aws:cloudwatch/logGroup:LogGroup"], target.service("logs")
    key = target.service("kms").create_key()["KeyMetadata"]["Arn"]
    inputs = {"name": "/changing", "kmsKeyId": key, "retentionInDays": 30}
    group = lifecycle.create(kind, target, inputs)
    _update(kind, target, group, inputs, kmsKeyId=None, retentionInDays=None)
    (described,) = logs.describe_log_groups(logGroupNamePrefix="/changing")["logGroups"]
    assert "retentionInDays" not in described
    assert not described.get("kmsKeyId")


def test_a_bucket_stops_sending_events(target: Target) -> None:
    bucket = lifecycle.create(TYPES["aws:s3/bucket:Bucket"], target, {"bucket": "events-on-and-off"})
    kind = TYPES["aws:s3/bucketNotification:BucketNotification"]
    inputs = {"bucket": bucket.identifier, "eventbridge": True}
    notification = lifecycle.create(kind, target, inputs)
    assert notification.values["eventbridge"] is True
    assert _update(kind, target, notification, inputs, eventbridge=False).values["eventbridge"] is False


def test_encryption_stays_if_its_input_is_removed(target: Target) -> None:
    kind = TYPES["aws:dynamodb/table:Table"]
    key = target.service("kms").create_key()["KeyMetadata"]["Arn"]
    inputs = {
        "name": "encrypted",
        "hashKey": "id",
        "attributes": [{"name": "id", "type": "S"}],
        "billingMode": "PAY_PER_REQUEST",
        "serverSideEncryption": {"enabled": True, "kmsKeyArn": key},
    }
    table = lifecycle.create(kind, target, inputs)
    without = {name: value for name, value in inputs.items() if name != "serverSideEncryption"}
    # terraform-provider-aws#29811: only `enabled` set to false takes the key away.
    assert not lifecycle.changes(kind, target, table.values, inputs, without).names
    _update(kind, target, table, inputs, serverSideEncryption={"enabled": False})
    described = target.service("dynamodb").describe_table(TableName="encrypted")["Table"]
    assert described.get("SSEDescription", {}).get("Status") != "ENABLED"


def test_an_unsupported_change_is_refused(target: Target) -> None:
    kind = TYPES["aws:dynamodb/table:Table"]
    inputs = {
        "name": "stuck",
        "hashKey": "id",
        "attributes": [{"name": "id", "type": "S"}],
        "billingMode": "PAY_PER_REQUEST",
    }
    table = lifecycle.create(kind, target, inputs)
    news = {**inputs, "attributes": [{"name": "id", "type": "N"}]}
    with pytest.raises(ValueError, match="how AWS changes attributes of aws:dynamodb/table:Table"):
        lifecycle.changes(kind, target, table.values, inputs, news)


def test_a_replacement_deletes_first_only_what_the_program_named(target: Target) -> None:
    kind = TYPES["aws:ec2/securityGroup:SecurityGroup"]
    vpc = target.service("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    for name, deletes_first in (("given", True), (None, False)):
        inputs = lifecycle.with_name(
            kind, "logical", {"name": name, "vpcId": vpc, "description": "one"}, Random(1)
        )
        group = lifecycle.create(kind, target, inputs)
        assert str(group.values["name"]).startswith(name or "logical-")
        found = lifecycle.changes(kind, target, group.values, inputs, {**inputs, "description": "two"})
        assert found.replaced_by == {"description"}
        assert found.deletes_first is deletes_first


def test_default_tags_are_no_difference_until_they_change(target: Target) -> None:
    kind = TYPES["aws:sqs/queue:Queue"]
    tagged = replace(target, default_tags={"Environment": "one"})
    inputs = {"name": "tagged", "tags": {"Name": "n"}}
    queue = lifecycle.create(kind, tagged, inputs)
    assert queue.values["tagsAll"] == {"Environment": "one", "Name": "n"}
    assert queue.values["tags"] == {"Name": "n"}
    assert not lifecycle.changes(kind, tagged, queue.values, inputs, inputs).names
    other = replace(target, default_tags={"Environment": "two"})
    assert lifecycle.changes(kind, other, queue.values, inputs, inputs).names == {"tags"}
    assert lifecycle.update(kind, other, queue, inputs, inputs).values["tagsAll"]["Environment"] == "two"


def test_a_deleted_resource_is_read_as_none_and_deleted_without_error(target: Target) -> None:
    kind = TYPES["aws:iam/role:Role"]
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = lifecycle.create(kind, target, {"name": "gone", "assumeRolePolicy": policy})
    assert lifecycle.read(kind, target, "gone") is not None
    lifecycle.delete(kind, target, role)
    assert lifecycle.read(kind, target, "gone") is None
    lifecycle.delete(kind, target, role)


def test_a_full_bucket_is_deleted_only_by_force(target: Target) -> None:
    kind, s3 = TYPES["aws:s3/bucket:Bucket"], target.service("s3")
    inputs = {"bucket": "full-of-versions"}
    bucket = lifecycle.create(kind, target, inputs)
    s3.put_bucket_versioning(Bucket="full-of-versions", VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket="full-of-versions", Key="a", Body=b"1")
    s3.delete_object(Bucket="full-of-versions", Key="a")
    with pytest.raises(s3.exceptions.ClientError, match="BucketNotEmpty"):
        lifecycle.delete(kind, target, bucket)
    lifecycle.delete(kind, target, _update(kind, target, bucket, inputs, forceDestroy=True))
    assert lifecycle.read(kind, target, "full-of-versions") is None


def test_an_archive_must_be_a_file(target: Target) -> None:
    inputs = {"layerName": "no-file", "code": pulumi.FileArchive("nowhere.zip")}
    with pytest.raises(ValueError, match=r"code: must be a FileArchive of a zip file"):
        lifecycle.create(TYPES["aws:lambda/layerVersion:LayerVersion"], target, inputs)


def test_a_partly_created_resource_is_known(target: Target) -> None:
    inputs = {
        "name": "partly",
        "hashKey": "id",
        "attributes": [{"name": "id", "type": "S"}],
        "billingMode": "PAY_PER_REQUEST",
        "pointInTimeRecovery": {"enabled": True, "recoveryPeriodInDays": 0},
    }
    with pytest.raises(lifecycle.PartlyCreatedError, match="RecoveryPeriodInDays") as refused:
        lifecycle.create(TYPES["aws:dynamodb/table:Table"], target, inputs)
    assert refused.value.resource.identifier == "partly"
    assert refused.value.resource.values["pointInTimeRecovery"] == {"enabled": False}
