"""IAM policies for the calls of Pulumi's AWS provider and of `python -m ops`, on this project's resources.

The actions are named as in the Service Authorization Reference. Some resources have ids that are not known in
advance: keys and networks are limited by their tag Name, and event source mappings by their function. Actions
that support neither are limited to the region only.
"""

import argparse
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Actions = tuple[str, ...]
Document = dict[str, Any]

MANAGED_POLICY_CHARACTERS = 6144
"""IAM's limit for a managed policy. The inline policies of a role may have 10,240 in all, those of a user
2,048 (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html)."""


@dataclass(frozen=True, kw_only=True)
class Scope:
    """The stacks that a policy covers.

    Attributes:
        account: The account's id.
        regions: The stacks' regions.
        suffix: Their `environmentSuffix`, or a pattern of it.
        state_bucket: The bucket of their state.
    """

    account: str
    regions: tuple[str, ...]
    suffix: str
    state_bucket: str


@dataclass(frozen=True, kw_only=True)
class Grant:
    """Actions on resources, by the role that needs them.

    Attributes:
        read: Actions of a preview and a refresh.
        change: Further actions of an update.
        remove: Further actions of the sandbox: it deletes data, asks questions and destroys the region. An
            update never needs them.
        resources: ARNs without `arn:aws:`; {account}, {suffix} and {state_bucket} are the scope's.
        condition: The statement's condition, with the same placeholders.
    """

    read: Actions = ()
    change: Actions = ()
    remove: Actions = ()
    resources: tuple[str, ...]
    condition: dict[str, Any] | None = None


ANY = ("*",)
BUCKET = "s3:::analytics-bucket-{suffix}-{account}-*-an"
TAGGED = {"StringLike": {"aws:ResourceTag/Name": "analytics-*-{suffix}"}}
TAGGED_BY_THE_CALL = {"StringLike": {"aws:RequestTag/Name": "analytics-*-{suffix}"}}
"""The tag Name identifies resources whose ids are not known in advance."""
KEY_USERS = ("athena", "dynamodb", "lambda", "logs", "s3", "sns", "sqs")

GRANTS = {
    "Bucket": Grant(
        read=(
            *("s3:GetAccelerateConfiguration", "s3:GetBucketAcl", "s3:GetBucketCORS", "s3:GetBucketLocation"),
            *("s3:GetBucketLogging", "s3:GetBucketNotification", "s3:GetBucketObjectLockConfiguration"),
            *("s3:GetBucketOwnershipControls", "s3:GetBucketPolicy", "s3:GetBucketPublicAccessBlock"),
            *("s3:GetBucketRequestPayment", "s3:GetBucketTagging", "s3:GetBucketVersioning"),
            *("s3:GetBucketWebsite", "s3:GetEncryptionConfiguration", "s3:GetLifecycleConfiguration"),
            *("s3:GetReplicationConfiguration", "s3:ListBucket", "s3:ListTagsForResource"),
        ),
        change=(
            *("s3:CreateBucket", "s3:DeleteBucketPolicy", "s3:PutBucketNotification"),
            *("s3:PutBucketOwnershipControls", "s3:PutBucketPolicy", "s3:PutBucketPublicAccessBlock"),
            *("s3:PutBucketTagging", "s3:PutBucketVersioning", "s3:PutEncryptionConfiguration"),
            *("s3:PutLifecycleConfiguration", "s3:TagResource", "s3:UntagResource"),
        ),
        remove=("s3:DeleteBucket", "s3:ListBucketVersions"),
        resources=(BUCKET,),
    ),
    "SmokeTest": Grant(change=("s3:PutObject",), resources=(f"{BUCKET}/input/_smoke/*",)),
    "Objects": Grant(
        remove=(
            *("s3:DeleteObject", "s3:DeleteObjectVersion", "s3:GetObject", "s3:GetObjectVersion"),
            "s3:PutObject",
        ),
        resources=(f"{BUCKET}/*",),
    ),
    "Table": Grant(
        read=(
            *("dynamodb:DescribeContinuousBackups", "dynamodb:DescribeTable", "dynamodb:DescribeTimeToLive"),
            "dynamodb:ListTagsOfResource",
        ),
        change=(
            *("dynamodb:CreateTable", "dynamodb:GetItem", "dynamodb:TagResource", "dynamodb:UntagResource"),
            *("dynamodb:UpdateContinuousBackups", "dynamodb:UpdateTable", "dynamodb:UpdateTimeToLive"),
        ),
        remove=("dynamodb:DeleteTable",),
        resources=("dynamodb:*:{account}:table/analytics-jobs-*-{suffix}",),
    ),
    "Queues": Grant(
        read=("sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:ListQueueTags"),
        change=(
            *("sqs:CreateQueue", "sqs:DeleteQueue", "sqs:SetQueueAttributes"),
            *("sqs:TagQueue", "sqs:UntagQueue"),
        ),
        resources=("sqs:*:{account}:analytics-*-{suffix}",),
    ),
    "Rule": Grant(
        read=("events:DescribeRule", "events:ListTagsForResource", "events:ListTargetsByRule"),
        change=(
            *("events:DeleteRule", "events:DisableRule", "events:EnableRule", "events:PutRule"),
            *("events:PutTargets", "events:RemoveTargets", "events:TagResource", "events:UntagResource"),
        ),
        resources=("events:*:{account}:rule/analytics-*-{suffix}",),
    ),
    "Function": Grant(
        read=(
            *("lambda:GetFunction", "lambda:GetFunctionCodeSigningConfig", "lambda:GetFunctionConcurrency"),
            *("lambda:GetFunctionConfiguration", "lambda:ListTags", "lambda:ListVersionsByFunction"),
        ),
        change=(
            *("lambda:CreateFunction", "lambda:DeleteFunction", "lambda:TagResource", "lambda:UntagResource"),
            *("lambda:UpdateFunctionCode", "lambda:UpdateFunctionConfiguration"),
        ),
        resources=("lambda:*:{account}:function:analytics-etl-*-{suffix}",),
    ),
    "LayerVersions": Grant(
        read=("lambda:GetLayerVersion",),
        change=("lambda:DeleteLayerVersion",),
        resources=("lambda:*:{account}:layer:analytics-layer-*-{suffix}:*",),
    ),
    "Layer": Grant(
        change=("lambda:PublishLayerVersion",),
        resources=("lambda:*:{account}:layer:analytics-layer-*-{suffix}",),
    ),
    "Mappings": Grant(
        read=("lambda:GetEventSourceMapping", "lambda:ListTags"),
        change=("lambda:TagResource", "lambda:UntagResource"),
        resources=("lambda:*:{account}:event-source-mapping:*",),
    ),
    "MappingsOfTheFunction": Grant(
        change=(
            *("lambda:CreateEventSourceMapping", "lambda:DeleteEventSourceMapping"),
            "lambda:UpdateEventSourceMapping",
        ),
        resources=ANY,
        condition={
            "ArnLike": {"lambda:FunctionArn": "arn:aws:lambda:*:{account}:function:analytics-etl-*-{suffix}"}
        },
    ),
    "LambdaAtLarge": Grant(
        read=("lambda:GetAccountSettings", "lambda:ListEventSourceMappings"), resources=ANY
    ),
    "Roles": Grant(
        read=(
            *("iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies"),
            *("iam:ListInstanceProfilesForRole", "iam:ListRolePolicies", "iam:ListRoleTags"),
        ),
        change=(
            *("iam:CreateRole", "iam:DeleteRole", "iam:DeleteRolePolicy", "iam:PutRolePolicy", "iam:TagRole"),
            *("iam:UntagRole", "iam:UpdateAssumeRolePolicy", "iam:UpdateRole", "iam:UpdateRoleDescription"),
        ),
        resources=("iam::{account}:role/analytics-*-{suffix}",),
    ),
    "PassTheFunctionsRole": Grant(
        change=("iam:PassRole",),
        resources=("iam::{account}:role/analytics-lambda-role-*-{suffix}",),
        condition={"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}},
    ),
    "ReadersPolicies": Grant(
        read=("iam:GetPolicy", "iam:GetPolicyVersion", "iam:ListPolicyTags", "iam:ListPolicyVersions"),
        change=(
            *("iam:CreatePolicy", "iam:CreatePolicyVersion", "iam:DeletePolicy", "iam:DeletePolicyVersion"),
            *("iam:TagPolicy", "iam:UntagPolicy"),
        ),
        resources=("iam::{account}:policy/analytics-*-{suffix}",),
    ),
    "TemporaryRoles": Grant(
        remove=("sts:AssumeRole",), resources=("iam::{account}:role/analytics-*-{suffix}",)
    ),
    "ListRoles": Grant(remove=("iam:ListRoles",), resources=ANY),
    "Network": Grant(
        read=(
            *("ec2:DescribeAvailabilityZones", "ec2:DescribeManagedPrefixLists", "ec2:DescribeNetworkAcls"),
            "ec2:DescribeNetworkInterfaces",
            *("ec2:DescribePrefixLists", "ec2:DescribeRouteTables", "ec2:DescribeSecurityGroupRules"),
            *("ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeTags"),
            *("ec2:DescribeVpcAttribute", "ec2:DescribeVpcEndpoints", "ec2:DescribeVpcs"),
        ),
        # The interfaces are Lambda's: they have no tags, and their VPC is not known in advance.
        change=("ec2:DeleteNetworkInterface", "ec2:DetachNetworkInterface"),
        resources=ANY,
    ),
    "NewVpc": Grant(
        change=("ec2:CreateVpc",), resources=("ec2:*:{account}:vpc/*",), condition=TAGGED_BY_THE_CALL
    ),
    "NewInVpc": Grant(
        change=(
            *("ec2:CreateRouteTable", "ec2:CreateSecurityGroup", "ec2:CreateSubnet"),
            "ec2:CreateVpcEndpoint",
        ),
        resources=(
            *("ec2:*:{account}:route-table/*", "ec2:*:{account}:security-group/*"),
            *("ec2:*:{account}:subnet/*", "ec2:*:{account}:vpc-endpoint/*"),
        ),
        condition=TAGGED_BY_THE_CALL,
    ),
    "OwnNetwork": Grant(
        change=(
            *("ec2:AssociateRouteTable", "ec2:AuthorizeSecurityGroupEgress", "ec2:CreateRouteTable"),
            *("ec2:CreateSecurityGroup", "ec2:CreateSubnet", "ec2:CreateTags", "ec2:CreateVpcEndpoint"),
            *("ec2:DeleteRouteTable", "ec2:DeleteSecurityGroup", "ec2:DeleteSubnet", "ec2:DeleteTags"),
            *("ec2:DeleteVpc", "ec2:DeleteVpcEndpoints", "ec2:DisassociateRouteTable"),
            *("ec2:ModifySecurityGroupRules", "ec2:ModifySubnetAttribute", "ec2:ModifyVpcAttribute"),
            *("ec2:ModifyVpcEndpoint", "ec2:ReplaceRouteTableAssociation", "ec2:RevokeSecurityGroupEgress"),
            "ec2:RevokeSecurityGroupIngress",
        ),
        resources=ANY,
        condition=TAGGED,
    ),
    # The rule's group must have the tag. The prefix lists are AWS's.
    "RulesOfOwnGroups": Grant(
        change=("ec2:AuthorizeSecurityGroupEgress", "ec2:ModifySecurityGroupRules"),
        resources=("ec2:*:{account}:security-group-rule/*", "ec2:*:*:prefix-list/*"),
    ),
    "TagWhatIsNew": Grant(
        change=("ec2:CreateTags",),
        resources=ANY,
        condition={
            "StringEquals": {
                "ec2:CreateAction": [
                    *("AuthorizeSecurityGroupEgress", "CreateRouteTable", "CreateSecurityGroup"),
                    *("CreateSubnet", "CreateVpc", "CreateVpcEndpoint"),
                ]
            }
        },
    ),
    # A VPC's default group has no tag when the provider finds it. The provider may also tag new rules later.
    "TagGroups": Grant(
        change=("ec2:CreateTags",),
        resources=("ec2:*:{account}:security-group/*", "ec2:*:{account}:security-group-rule/*"),
        condition={**TAGGED_BY_THE_CALL, "Null": {"aws:ResourceTag/Name": "true"}},
    ),
    "Logs": Grant(
        read=("logs:ListTagsForResource",),
        change=(
            *("logs:AssociateKmsKey", "logs:CreateLogGroup", "logs:DeleteRetentionPolicy"),
            *("logs:DisassociateKmsKey", "logs:PutRetentionPolicy", "logs:TagResource", "logs:UntagResource"),
        ),
        remove=("logs:DeleteLogGroup", "logs:FilterLogEvents"),
        resources=(
            # Of these actions, tagging needs the first form, all others the second (CloudWatch Logs API
            # reference, "LogGroup").
            "logs:*:{account}:log-group:/aws/lambda/analytics-etl-*-{suffix}",
            "logs:*:{account}:log-group:/aws/lambda/analytics-etl-*-{suffix}:*",
        ),
    ),
    "ListLogGroups": Grant(read=("logs:DescribeLogGroups",), resources=ANY),
    "Alarms": Grant(
        read=("cloudwatch:ListTagsForResource",),
        change=(
            *("cloudwatch:DeleteAlarms", "cloudwatch:PutCompositeAlarm", "cloudwatch:PutMetricAlarm"),
            *("cloudwatch:TagResource", "cloudwatch:UntagResource"),
        ),
        resources=("cloudwatch:*:{account}:alarm:analytics-*-{suffix}",),
    ),
    "Dashboard": Grant(
        read=("cloudwatch:GetDashboard",),
        change=("cloudwatch:DeleteDashboards", "cloudwatch:PutDashboard"),
        resources=("cloudwatch::{account}:dashboard/analytics-*-{suffix}",),
    ),
    "Metrics": Grant(
        read=("cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData", "cloudwatch:ListDashboards"),
        resources=ANY,
    ),
    "Topic": Grant(
        read=("sns:GetTopicAttributes", "sns:ListTagsForResource"),
        change=(
            *("sns:CreateTopic", "sns:DeleteTopic", "sns:SetTopicAttributes", "sns:Subscribe"),
            *("sns:TagResource", "sns:UntagResource"),
        ),
        resources=("sns:*:{account}:analytics-alarms-*-{suffix}",),
    ),
    "Subscriptions": Grant(
        read=("sns:GetSubscriptionAttributes",),
        change=("sns:SetSubscriptionAttributes", "sns:Unsubscribe"),
        resources=ANY,
    ),
    # Until KMS knows the tags of a new key, which can take minutes, only these actions are needed
    # (https://docs.aws.amazon.com/kms/latest/developerguide/abac.html).
    "Keys": Grant(
        read=("kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListResourceTags"),
        change=("kms:CreateAlias", "kms:EnableKeyRotation"),
        resources=("kms:*:{account}:key/*",),
    ),
    "OwnKeys": Grant(
        change=(
            *("kms:DeleteAlias", "kms:PutKeyPolicy", "kms:TagResource", "kms:UntagResource"),
            *("kms:UpdateAlias", "kms:UpdateKeyDescription"),
        ),
        remove=("kms:ScheduleKeyDeletion",),
        resources=("kms:*:{account}:key/*",),
        condition=TAGGED,
    ),
    "Aliases": Grant(
        change=("kms:CreateAlias", "kms:DeleteAlias", "kms:UpdateAlias"),
        resources=("kms:*:{account}:alias/analytics-*-{suffix}",),
    ),
    "ListAliases": Grant(read=("kms:ListAliases",), resources=ANY),
    "NewKeys": Grant(change=("kms:CreateKey",), resources=ANY, condition=TAGGED_BY_THE_CALL),
    "TagNewKeys": Grant(
        change=("kms:TagResource",), resources=("kms:*:{account}:key/*",), condition=TAGGED_BY_THE_CALL
    ),
    "KeysThroughServices": Grant(
        change=(
            *("kms:CreateGrant", "kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"),
            *("kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo"),
        ),
        resources=("kms:*:{account}:key/*",),
        condition={"StringLike": {"kms:ViaService": [f"{service}.*.amazonaws.com" for service in KEY_USERS]}},
    ),
    "Catalog": Grant(
        read=("glue:GetDatabase", "glue:GetPartitionIndexes", "glue:GetTable", "glue:GetTags"),
        change=(
            *("glue:CreateDatabase", "glue:CreateTable", "glue:DeleteDatabase", "glue:DeleteTable"),
            *("glue:TagResource", "glue:UntagResource", "glue:UpdateDatabase", "glue:UpdateTable"),
        ),
        remove=("glue:GetPartition", "glue:GetPartitions"),
        resources=(
            "glue:*:{account}:catalog",
            "glue:*:{account}:database/analytics_*_{suffix}",
            "glue:*:{account}:table/analytics_*_{suffix}/*",
            # DeleteDatabase also needs the database's functions, of which there are none.
            "glue:*:{account}:userDefinedFunction/analytics_*_{suffix}/*",
        ),
    ),
    # A query also reads this database (Athena user guide, "Fine-grained access to databases and tables").
    "DefaultDatabase": Grant(
        remove=("glue:GetDatabase",),
        resources=("glue:*:{account}:catalog", "glue:*:{account}:database/default"),
    ),
    "Workgroups": Grant(
        read=("athena:GetNamedQuery", "athena:GetWorkGroup", "athena:ListTagsForResource"),
        change=(
            *("athena:CreateNamedQuery", "athena:CreateWorkGroup", "athena:DeleteNamedQuery"),
            *("athena:DeleteWorkGroup", "athena:TagResource", "athena:UntagResource"),
            *("athena:UpdateNamedQuery", "athena:UpdateWorkGroup"),
        ),
        remove=(
            *("athena:GetQueryExecution", "athena:GetQueryResults", "athena:StartQueryExecution"),
            "athena:StopQueryExecution",
        ),
        resources=("athena:*:{account}:workgroup/analytics-*-{suffix}",),
    ),
    "WhatIsLeft": Grant(remove=("tag:GetResources",), resources=ANY),
    "EventsAtLarge": Grant(remove=("events:TestEventPattern",), resources=ANY),
    "State": Grant(read=("s3:ListBucket",), resources=("s3:::{state_bucket}",)),
    "StateFiles": Grant(
        read=("s3:GetObject",),
        change=("s3:DeleteObject", "s3:PutObject"),
        resources=("s3:::{state_bucket}/*",),
    ),
}


def preview(scope: Scope) -> list[Document]:
    """Return the policies for previews and drift detection, without access to objects and job records."""
    return _policies(scope, lambda grant: grant.read)


def deployment(scope: Scope) -> list[Document]:
    """Return the policies for deployments, which cannot delete bucket, objects, table, logs and keys."""
    return _policies(scope, lambda grant: (*grant.read, *grant.change))


def sandbox(scope: Scope) -> list[Document]:
    """Return the policies for deploying and destroying a region."""
    return _policies(scope, lambda grant: (*grant.read, *grant.change, *grant.remove))


def _policies(scope: Scope, actions_of: Callable[[Grant], Actions]) -> list[Document]:
    """Return the statements, in as few managed policies as their order allows."""
    documents = [_document()]
    statements = (
        _statement(sid, grant, sorted(actions_of(grant)), scope)
        for sid, grant in GRANTS.items()
        if actions_of(grant)
    )
    for statement in (_only_in_regions(scope), *statements):
        extended = _document(*documents[-1]["Statement"], statement)
        if size(extended) <= MANAGED_POLICY_CHARACTERS:
            documents[-1] = extended
        else:
            documents.append(_document(statement))
    return documents


def _document(*statements: Document) -> Document:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def size(document: Document) -> int:
    """Return the number of characters that IAM counts, which excludes white space."""
    return len(re.sub(r"\s", "", json.dumps(document)))


def _statement(sid: str, grant: Grant, actions: Iterable[str], scope: Scope) -> Document:
    values = {"account": scope.account, "suffix": scope.suffix, "state_bucket": scope.state_bucket}
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Action": list(actions),
        "Resource": [name if name == "*" else f"arn:aws:{name.format(**values)}" for name in grant.resources],
        **({"Condition": _filled(grant.condition, values)} if grant.condition else {}),
    }


def _filled(condition: Document, values: Mapping[str, str]) -> Document:
    """Return a condition with the values in place of the placeholders."""

    def text(wanted: str | list[str]) -> str | list[str]:
        return (
            wanted.format(**values) if isinstance(wanted, str) else [one.format(**values) for one in wanted]
        )

    return {
        operator: {key: text(wanted) for key, wanted in keys.items()} for operator, keys in condition.items()
    }


def _only_in_regions(scope: Scope) -> Document:
    """Deny all other regions, except for IAM, which is global, and for the state, which may be in another."""
    state = f"arn:aws:s3:::{scope.state_bucket}"
    return {
        "Sid": "OnlyInItsRegions",
        "Effect": "Deny",
        "Action": "*",
        "NotResource": [f"arn:aws:iam::{scope.account}:*", state, f"{state}/*"],
        "Condition": {"StringNotEquals": {"aws:RequestedRegion": list(scope.regions)}},
    }


def matching(pattern: str, right: str) -> Callable[[str], str]:
    """Return the check of an argument that must have a pattern."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise argparse.ArgumentTypeError(f"must be {right}, got {text!r}")
        return text

    return check


bucket_name = matching("[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "a bucket's name, without s3://")


def region_name(text: str) -> str:
    """Check a region as the program does."""
    from components.settings_rules import aws_region  # importing Pulumi takes a second

    for right, got in aws_region(text):
        raise argparse.ArgumentTypeError(f"{right}, got {got!r}")
    return text


def main() -> None:
    """Write the policies of a role to files, for a user or role that this program does not create."""
    parser = argparse.ArgumentParser(
        prog="python -m bootstrap.deployment_permissions", description=main.__doc__
    )
    parser.add_argument("role", choices=["preview", "deployment", "sandbox"])
    parser.add_argument(
        "--account", required=True, type=matching("[0-9]{12}", "12 digits"), help="the account's id"
    )
    parser.add_argument(
        "--region", required=True, action="append", type=region_name, help="a region; can be repeated"
    )
    parser.add_argument(
        "--suffix",
        default="*",
        type=matching("[a-z0-9*?-]+", "lower-case letters, digits, hyphens, * and ?"),
        help="the environmentSuffix, or a pattern of it (default *)",
    )
    parser.add_argument(
        "--state-bucket",
        required=True,
        type=bucket_name,
        help="the S3 bucket of the stacks' state",
    )
    parser.add_argument(
        "--folder", type=Path, default=Path(), help="where to write the files (default: the current folder)"
    )
    given = parser.parse_args()
    scope = Scope(
        account=given.account,
        regions=tuple(given.region),
        suffix=given.suffix,
        state_bucket=given.state_bucket,
    )
    policies = {"preview": preview, "deployment": deployment, "sandbox": sandbox}[given.role](scope)
    for number, policy in enumerate(policies, start=1):
        file = given.folder / f"{given.role}-{number}.json"
        try:
            file.write_text(json.dumps(policy, indent=2) + "\n", encoding="utf-8")
        except OSError as error:
            parser.error(f"argument --folder: {file} cannot be written: {error.strerror}")
        print(file)


if __name__ == "__main__":
    main()
