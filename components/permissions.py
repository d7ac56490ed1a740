"""What the function's role may do: the calls that the handler and Lambda make, on this stack's resources."""

from dataclasses import dataclass
from typing import Any

from components.names import SYSTEM_PREFIXES, Names

CREATE_INTERFACES = ["ec2:CreateNetworkInterface"]
GIVE_BACK_INTERFACES = [
    *("ec2:DeleteNetworkInterface", "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses")
]
DESCRIBE_INTERFACES = ["ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"]


@dataclass(frozen=True, kw_only=True)
class RoleResources:
    """What the role works on, by ARN.

    Attributes:
        bucket_arn: The bucket.
        table_arn: The job table.
        queue_arn: The queue that Lambda reads for the function.
        log_group_arn: The function's log group.
        subnet_arns: The subnets that the function is attached to.
        security_group_arn: The function's security group.
        key_arn: The KMS key that the others are encrypted with; None for the services' own keys.
    """

    bucket_arn: str
    table_arn: str
    queue_arn: str
    log_group_arn: str
    subnet_arns: list[str]
    security_group_arn: str
    key_arn: str | None


def role_policy(names: Names, to: RoleResources) -> dict[str, Any]:
    """Return what the role may do while the function exists."""
    written = [f"{to.bucket_arn}/{prefix}*" for prefix in SYSTEM_PREFIXES]
    interfaces = names.arn("ec2", "network-interface/*")
    statements = [
        # Uploads lie under any prefix, so reads are bound to the bucket; writes to the system's own prefixes.
        _allow("ReadObjects", ["s3:GetObject", "s3:GetObjectVersion"], f"{to.bucket_arn}/*"),
        # Without it, S3 answers 403 instead of 404 for an object that is gone.
        _allow("TellMissingObjects", ["s3:ListBucket"], to.bucket_arn),
        _allow("WriteResults", ["s3:PutObject", "s3:DeleteObject"], written),
        _allow("KeepJobs", ["dynamodb:GetItem", "dynamodb:UpdateItem"], to.table_arn),
        # Lambda polls under the function's role; the handler itself has no way to SQS.
        _allow(
            "ReceiveMessages",
            ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
            to.queue_arn,
        ),
        _allow("WriteLogs", ["logs:CreateLogStream", "logs:PutLogEvents"], f"{to.log_group_arn}:*"),
        _allow("CreateInterfaces", CREATE_INTERFACES, [*to.subnet_arns, to.security_group_arn, interfaces]),
    ]
    if to.key_arn is not None:
        statements.append(_use_key(to.key_arn, names.region))
    return {"Version": "2012-10-17", "Statement": statements}


def interface_policy(names: Names) -> dict[str, Any]:
    """Return what Lambda needs of the role to give network interfaces back, after the function is gone too.

    Lambda deletes the interfaces some minutes after the function, under the function's role. So this policy
    names no subnet and no security group: what names them is deleted before them. (AWS knowledge center,
    "I can't detach or delete a network interface that Lambda created".)

    When a function is created or changed, Lambda checks these rights without naming an interface. A resource
    `network-interface/*` does not satisfy it, `*/*` does (Lambda developer guide, "Giving Lambda functions
    access to resources in an Amazon VPC", execution role permissions).
    """
    function = names.arn("lambda", f"function:{names.physical('etl')}")
    statements = [
        _allow("GiveBackInterfaces", GIVE_BACK_INTERFACES, names.arn("ec2", "*/*")),
        {
            # EC2 has no resources for these actions, and they work only if allowed on all (same page).
            **_allow("DescribeInterfaces", DESCRIBE_INTERFACES, "*"),
            # It is not documented that Lambda's check tells the region, hence IfExists.
            "Condition": {"StringEqualsIfExists": {"aws:RequestedRegion": names.region}},
        },
        {
            # Lambda may attach the function to its subnets, but not the function's code.
            "Sid": "NoInterfacesForCode",
            "Effect": "Deny",
            "Action": [*CREATE_INTERFACES, *GIVE_BACK_INTERFACES, *DESCRIBE_INTERFACES],
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
