"""What the function's role may do: the calls that the handler and Lambda make, on this stack's resources."""

from dataclasses import dataclass
from typing import Any

from components.names import SYSTEM_PREFIXES, Account


@dataclass(frozen=True, kw_only=True)
class RoleResources:
    """What the role works on, by ARN.

    Attributes:
        region: The stack's region.
        function_name: The function's name; its ARN follows from it before the function exists.
        bucket_arn: The bucket.
        table_arn: The job table.
        queue_arn: The queue that Lambda reads for the function.
        log_group_arn: The function's log group.
        subnet_arns: The subnets that the function is attached to.
        security_group_arn: The function's security group.
        key_arn: The KMS key that the others are encrypted with; None for the services' own keys.
    """

    region: str
    function_name: str
    bucket_arn: str
    table_arn: str
    queue_arn: str
    log_group_arn: str
    subnet_arns: list[str]
    security_group_arn: str
    key_arn: str | None


def role_policy(to: RoleResources) -> dict[str, Any]:
    """Return the role's policy."""
    written = [f"{to.bucket_arn}/{prefix}*" for prefix in SYSTEM_PREFIXES]
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
        *_network_interfaces(to),
    ]
    if to.key_arn is not None:
        statements.append(_use_key(to.key_arn, to.region))
    return {"Version": "2012-10-17", "Statement": statements}


def _network_interfaces(to: RoleResources) -> list[dict[str, Any]]:
    """Let Lambda, but not the function's code, attach the function to its subnets.

    Lambda developer guide, "Giving Lambda functions access to resources in an Amazon VPC".
    """
    account = Account.of(to.queue_arn)
    interfaces = account.arn("ec2", to.region, "network-interface/*")
    function = account.arn("lambda", to.region, f"function:{to.function_name}")
    create = ["ec2:CreateNetworkInterface"]
    # Lambda asks for them before the interfaces exist, so no interface can be named.
    manage = ["ec2:DeleteNetworkInterface", "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses"]
    # EC2 knows no resources for these two, so the region is all that narrows them.
    describe = ["ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"]
    return [
        _allow("CreateInterfaces", create, [*to.subnet_arns, to.security_group_arn, interfaces]),
        _allow("ManageInterfaces", manage, interfaces),
        {
            **_allow("DescribeInterfaces", describe, "*"),
            "Condition": {"StringEquals": {"aws:RequestedRegion": to.region}},
        },
        {
            "Sid": "NoInterfacesForCode",
            "Effect": "Deny",
            "Action": [*create, *manage, *describe],
            "Resource": "*",
            "Condition": {"ArnEquals": {"lambda:SourceFunctionArn": function}},
        },
    ]


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
