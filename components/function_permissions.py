"""The policies of the function's role: the calls of the handler and of Lambda, on this stack's resources."""

from dataclasses import dataclass
from typing import Any

from components.names import SYSTEM_PREFIXES, Names

CREATE_INTERFACES = ["ec2:CreateNetworkInterface"]
RELEASE_INTERFACES = [
    *("ec2:DeleteNetworkInterface", "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses")
]
DESCRIBE_INTERFACES = ["ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"]


@dataclass(frozen=True, kw_only=True)
class RoleResources:
    """ARNs of the resources that the role uses.

    Attributes:
        bucket_arn: The bucket.
        table_arn: The job table.
        queue_arn: The queue that Lambda polls for the function.
        log_group_arn: The function's log group.
        subnet_arns: The subnets that the function is attached resources.
        security_group_arn: The function's security group.
        key_arn: The KMS key that encrypts the others; None for the services' own keys.
    """

    bucket_arn: str
    table_arn: str
    queue_arn: str
    log_group_arn: str
    subnet_arns: list[str]
    security_group_arn: str
    key_arn: str | None


def role_policy(names: Names, resources: RoleResources) -> dict[str, Any]:
    """Return the policy that the function needs while it exists."""
    written = [f"{resources.bucket_arn}/{prefix}*" for prefix in SYSTEM_PREFIXES]
    interfaces = names.arn("ec2", "network-interface/*")
    statements = [
        # Uploads can have any key, so reads are limited to the bucket, and writes to the system's prefixes.
        _allow("ReadObjects", ["s3:GetObject", "s3:GetObjectVersion"], f"{resources.bucket_arn}/*"),
        # Without it, S3 returns 403 instead of 404 for a missing object.
        _allow("TellMissingObjects", ["s3:ListBucket"], resources.bucket_arn),
        _allow("WriteResults", ["s3:PutObject", "s3:DeleteObject"], written),
        _allow("KeepJobs", ["dynamodb:GetItem", "dynamodb:UpdateItem"], resources.table_arn),
        # Lambda polls with the function's role; the handler itself does not call SQS.
        _allow(
            "ReceiveMessages",
            ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
            resources.queue_arn,
        ),
        _allow("WriteLogs", ["logs:CreateLogStream", "logs:PutLogEvents"], f"{resources.log_group_arn}:*"),
        _allow(
            "CreateInterfaces",
            CREATE_INTERFACES,
            [*resources.subnet_arns, resources.security_group_arn, interfaces],
        ),
    ]
    if resources.key_arn is not None:
        statements.append(_use_key(resources.key_arn, names.region))
    return {"Version": "2012-10-17", "Statement": statements}


def interface_policy(names: Names) -> dict[str, Any]:
    """Return the policy that Lambda needs to release network interfaces, also after the function is deleted.

    Lambda deletes the interfaces some minutes after the function, with the function's role (AWS knowledge
    center, "I can't detach or delete a network interface that Lambda created"). So the policy must outlive
    subnets and security group. It does not name them, because a policy that names them is deleted before
    them.

    When a function is created or changed, Lambda checks these permissions without naming an interface. The
    resource `network-interface/*` fails this check, and `*/*` passes (Lambda developer guide, "Giving Lambda
    functions access to resources in an Amazon VPC", execution role permissions).
    """
    function = names.arn("lambda", f"function:{names.physical('etl')}")
    statements = [
        _allow("ReleaseInterfaces", RELEASE_INTERFACES, names.arn("ec2", "*/*")),
        {
            # These actions do not support resources (same page).
            **_allow("DescribeInterfaces", DESCRIBE_INTERFACES, "*"),
            # It is not documented whether Lambda's check sends the region, hence IfExists.
            "Condition": {"StringEqualsIfExists": {"aws:RequestedRegion": names.region}},
        },
        {
            # Lambda itself manages the interfaces. The function's code must not.
            "Sid": "NoInterfacesForCode",
            "Effect": "Deny",
            "Action": [*CREATE_INTERFACES, *RELEASE_INTERFACES, *DESCRIBE_INTERFACES],
            "Resource": "*",
            "Condition": {"ArnEquals": {"lambda:SourceFunctionArn": function}},
        },
    ]
    return {"Version": "2012-10-17", "Statement": statements}


def _use_key(key_arn: str, region: str) -> dict[str, Any]:
    services = ("s3", "dynamodb", "sqs", "lambda")
    return {
        **_allow("UseKeyThroughServices", ["kms:Decrypt", "kms:GenerateDataKey"], key_arn),
        "Condition": {
            "StringEquals": {"kms:ViaService": [f"{service}.{region}.amazonaws.com" for service in services]}
        },
    }


def _allow(sid: str, actions: list[str], resources: str | list[str]) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources}
