"""Properties that Pulumi's AWS provider and CloudFormation name differently.

All other names agree but for the case of letters, and are found in CloudFormation's schema.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi


@dataclass(frozen=True, kw_only=True)
class Kind:
    """The translation of a type of Pulumi's provider to CloudFormation.

    Attributes:
        type: The type there.
        renamed: For a property's path, its path below the enclosing property there; "" puts the parts of a
            block into the enclosing one.
        left_out: Properties that have no counterpart, and why.
        made: Functions that give the value there.
        belongs_to: Of a resource that is a part of another one there: the property that refers to it.
        at: Where its properties go in that one; a list gets one more item.
        always: Properties that the provider sends by itself.
    """

    type: str
    renamed: Mapping[str, str] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    made: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)
    belongs_to: str = ""
    at: str = ""
    always: Mapping[str, Any] = field(default_factory=dict)


def _uploaded(archive: pulumi.FileArchive) -> dict[str, str]:
    return {"S3Bucket": "uploaded-by-pulumi", "S3Key": archive.path}


def _hash_key(name: str) -> list[dict[str, str]]:
    return [{"AttributeName": name, "KeyType": "HASH"}]


BUCKET = "AWS::S3::Bucket"
CATALOG = {"CatalogId": {"Ref": "AWS::AccountId"}}
KINDS = {
    "athena/namedQuery:NamedQuery": Kind(type="AWS::Athena::NamedQuery", renamed={"query": "QueryString"}),
    "athena/workgroup:Workgroup": Kind(
        type="AWS::Athena::WorkGroup",
        renamed={"configuration": "WorkGroupConfiguration", "forceDestroy": "RecursiveDeleteOption"},
    ),
    "cloudwatch/compositeAlarm:CompositeAlarm": Kind(type="AWS::CloudWatch::CompositeAlarm"),
    "cloudwatch/dashboard:Dashboard": Kind(type="AWS::CloudWatch::Dashboard"),
    "cloudwatch/eventRule:EventRule": Kind(type="AWS::Events::Rule"),
    "cloudwatch/eventTarget:EventTarget": Kind(
        type="AWS::Events::Rule", belongs_to="rule", at="Targets", renamed={"targetId": "Id"}
    ),
    "cloudwatch/logGroup:LogGroup": Kind(type="AWS::Logs::LogGroup", renamed={"name": "LogGroupName"}),
    "cloudwatch/metricAlarm:MetricAlarm": Kind(
        type="AWS::CloudWatch::Alarm",
        renamed={
            "name": "AlarmName",
            "metricQueries": "Metrics",
            "metricQueries.metric": "MetricStat",
            "metricQueries.metric.dimensions": "Metric.Dimensions",
            "metricQueries.metric.metricName": "Metric.MetricName",
            "metricQueries.metric.namespace": "Metric.Namespace",
        },
    ),
    "dynamodb/table:Table": Kind(
        type="AWS::DynamoDB::Table",
        renamed={
            "name": "TableName",
            "attributes": "AttributeDefinitions",
            "attributes.name": "AttributeName",
            "attributes.type": "AttributeType",
            "globalSecondaryIndexes.name": "IndexName",
            "globalSecondaryIndexes.keySchemas": "KeySchema",
            "globalSecondaryIndexes.projectionType": "Projection.ProjectionType",
            "hashKey": "KeySchema",
            "pointInTimeRecovery": "PointInTimeRecoverySpecification",
            "pointInTimeRecovery.enabled": "PointInTimeRecoveryEnabled",
            "serverSideEncryption": "SSESpecification",
            "serverSideEncryption.enabled": "SSEEnabled",
            "serverSideEncryption.kmsKeyArn": "KMSMasterKeyId",
            "ttl": "TimeToLiveSpecification",
        },
        made={"hashKey": _hash_key},
    ),
    "ec2/routeTable:RouteTable": Kind(type="AWS::EC2::RouteTable"),
    "ec2/routeTableAssociation:RouteTableAssociation": Kind(type="AWS::EC2::SubnetRouteTableAssociation"),
    "ec2/securityGroup:SecurityGroup": Kind(
        type="AWS::EC2::SecurityGroup",
        renamed={"description": "GroupDescription"},
    ),
    "ec2/subnet:Subnet": Kind(type="AWS::EC2::Subnet"),
    "ec2/vpc:Vpc": Kind(type="AWS::EC2::VPC"),
    "ec2/vpcEndpoint:VpcEndpoint": Kind(type="AWS::EC2::VPCEndpoint", renamed={"policy": "PolicyDocument"}),
    "glue/catalogDatabase:CatalogDatabase": Kind(
        type="AWS::Glue::Database",
        always=CATALOG,
        renamed={"name": "DatabaseInput.Name", "description": "DatabaseInput.Description"},
        left_out={"tags": "CloudFormation gives a database no tags."},
    ),
    "glue/catalogTable:CatalogTable": Kind(
        type="AWS::Glue::Table",
        always=CATALOG,
        renamed={
            name: f"TableInput.{name}"
            for name in (
                *(
                    "description",
                    "name",
                    "owner",
                    "parameters",
                    "partitionKeys",
                    "storageDescriptor",
                    "tableType",
                ),
                *("viewExpandedText", "viewOriginalText"),
            )
        },
    ),
    "iam/policy:Policy": Kind(
        type="AWS::IAM::ManagedPolicy",
        renamed={"name": "ManagedPolicyName", "policy": "PolicyDocument"},
        left_out={"tags": "CloudFormation gives a managed policy no tags."},
    ),
    "iam/role:Role": Kind(
        type="AWS::IAM::Role", renamed={"name": "RoleName", "assumeRolePolicy": "AssumeRolePolicyDocument"}
    ),
    "iam/rolePolicy:RolePolicy": Kind(
        type="AWS::IAM::RolePolicy",
        renamed={"name": "PolicyName", "role": "RoleName", "policy": "PolicyDocument"},
    ),
    "kms/alias:Alias": Kind(type="AWS::KMS::Alias", renamed={"name": "AliasName"}),
    "kms/key:Key": Kind(
        type="AWS::KMS::Key",
        renamed={"policy": "KeyPolicy", "deletionWindowInDays": "PendingWindowInDays"},
    ),
    "lambda/eventSourceMapping:EventSourceMapping": Kind(type="AWS::Lambda::EventSourceMapping"),
    "lambda/function:Function": Kind(
        type="AWS::Lambda::Function", renamed={"name": "FunctionName"}, made={"code": _uploaded}
    ),
    "lambda/layerVersion:LayerVersion": Kind(
        type="AWS::Lambda::LayerVersion", renamed={"code": "Content"}, made={"code": _uploaded}
    ),
    "s3/bucket:Bucket": Kind(
        type=BUCKET,
        renamed={"bucket": "BucketName"},
        left_out={"forceDestroy": "What Pulumi does before it deletes the bucket."},
    ),
    "s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": Kind(
        type=BUCKET,
        belongs_to="bucket",
        at="LifecycleConfiguration",
        renamed={
            "rules.expiration": "",
            "rules.filter": "",
            "rules.transitions.days": "TransitionInDays",
        },
    ),
    "s3/bucketNotification:BucketNotification": Kind(
        type=BUCKET,
        belongs_to="bucket",
        at="NotificationConfiguration",
        renamed={"eventbridge": "EventBridgeConfiguration.EventBridgeEnabled"},
    ),
    "s3/bucketOwnershipControls:BucketOwnershipControls": Kind(
        type=BUCKET, belongs_to="bucket", at="OwnershipControls", renamed={"rule": "Rules"}
    ),
    "s3/bucketPolicy:BucketPolicy": Kind(type="AWS::S3::BucketPolicy", renamed={"policy": "PolicyDocument"}),
    "s3/bucketPublicAccessBlock:BucketPublicAccessBlock": Kind(
        type=BUCKET, belongs_to="bucket", at="PublicAccessBlockConfiguration"
    ),
    "s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": Kind(
        type=BUCKET,
        belongs_to="bucket",
        at="BucketEncryption",
        renamed={
            "rules": "ServerSideEncryptionConfiguration",
            "rules.applyServerSideEncryptionByDefault": "ServerSideEncryptionByDefault",
            "rules.blockedEncryptionTypes": "BlockedEncryptionTypes.EncryptionType",
        },
    ),
    "s3/bucketVersioning:BucketVersioning": Kind(type=BUCKET, belongs_to="bucket"),
    "sns/topic:Topic": Kind(type="AWS::SNS::Topic", renamed={"name": "TopicName"}),
    "sns/topicPolicy:TopicPolicy": Kind(
        type="AWS::SNS::TopicPolicy", renamed={"arn": "Topics", "policy": "PolicyDocument"}
    ),
    "sns/topicSubscription:TopicSubscription": Kind(
        type="AWS::SNS::Subscription", renamed={"topic": "TopicArn"}
    ),
    "sqs/queue:Queue": Kind(
        type="AWS::SQS::Queue",
        renamed={
            "name": "QueueName",
            "messageRetentionSeconds": "MessageRetentionPeriod",
            "visibilityTimeoutSeconds": "VisibilityTimeout",
        },
    ),
    "sqs/queuePolicy:QueuePolicy": Kind(
        type="AWS::SQS::QueuePolicy", renamed={"queueUrl": "Queues", "policy": "PolicyDocument"}
    ),
    "sqs/redriveAllowPolicy:RedriveAllowPolicy": Kind(type="AWS::SQS::Queue", belongs_to="queueUrl"),
    "vpc/securityGroupEgressRule:SecurityGroupEgressRule": Kind(
        type="AWS::EC2::SecurityGroupEgress",
        renamed={"securityGroupId": "GroupId", "prefixListId": "DestinationPrefixListId"},
        left_out={"tags": "CloudFormation gives a rule no tags."},
    ),
}

LEFT_OUT = {
    "ec2/defaultSecurityGroup:DefaultSecurityGroup": (
        "It takes over the group that EC2 makes with the VPC; CloudFormation has no type for that."
    ),
}
"""Types that are not checked, with the reasons."""
