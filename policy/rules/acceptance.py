"""Rules that AWS applies and that neither its resource schemas nor its service models contain."""

import re
from collections.abc import Iterator, Mapping

from .documents import ROLE, Statement, statements
from .model import UNKNOWN, Resource, Stack, resource_rule, stack_rule

FUNCTION = "aws:lambda/function:Function"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
BUCKETS = ("aws:s3/bucket:Bucket", "aws:s3/bucketV2:BucketV2")
DESCRIBED = (
    "aws:ec2/securityGroup:SecurityGroup",
    "aws:ec2/securityGroupRule:SecurityGroupRule",
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
)

_EC2_DESCRIPTION = re.compile(r"[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]{0,255}")
"""EC2 API reference, CreateSecurityGroup (GroupDescription) and IpRange (Description)."""

CHECKED_BY_LAMBDA: Mapping[str, re.Pattern[str]] = {
    "ec2:CreateNetworkInterface": re.compile(".+"),
    "ec2:DeleteNetworkInterface": re.compile(r"\*|arn:[^:]+:ec2:[^:]+:[^:]+:(\*/)?\*"),
    "ec2:AssignPrivateIpAddresses": re.compile(r"\*|arn:[^:]+:ec2:[^:]+:[^:]+:(\*/)?\*"),
    "ec2:UnassignPrivateIpAddresses": re.compile(r"\*|arn:[^:]+:ec2:[^:]+:[^:]+:(\*/)?\*"),
    "ec2:DescribeNetworkInterfaces": re.compile(r"\*"),
    "ec2:DescribeSubnets": re.compile(r"\*"),
}
"""The actions that Lambda checks for the role of a function in a VPC, and the resources that pass. It names
no interface (Lambda developer guide, "Giving Lambda functions access to resources in an Amazon VPC";
github.com/hashicorp/terraform-provider-aws/issues/20698)."""

ACCOUNT_WIDE: Mapping[str, str] = {
    "aws:iam/role:Role": "name",
    "aws:iam/policy:Policy": "name",
    "aws:iam/user:User": "name",
    "aws:cloudwatch/dashboard:Dashboard": "dashboardName",
}
"""Types whose names are unique in the whole account, and the property with the name (IAM user guide, "IAM
identifiers"; CloudWatch API reference, PutDashboard: "All dashboards in your account are global")."""


@resource_rule(*DESCRIBED)
def ec2_descriptions(resource: Resource, _region: str) -> Iterator[str]:
    """EC2 allows few special characters in descriptions: no apostrophes, quotation marks or accents."""
    described = [("description", resource.at("description"))]
    for kind in ("ingress", "egress"):
        described += [
            (f"{kind}[{number}].description", rule.get("description"))
            for number, rule in enumerate(resource.listed(kind))
        ]
    for path, text in described:
        if isinstance(text, str) and not _EC2_DESCRIPTION.fullmatch(text):
            yield f"{path} is {text!r}; use up to 255 of letters, digits, spaces and ._-:/()#,@[]+=&;{{}}!$*"


@stack_rule()
def lambda_role_check(stack: Stack) -> Iterator[tuple[Resource | None, str]]:
    """Lambda attaches a function to a VPC only if its role passes a check of its EC2 permissions."""
    for function in stack.of(FUNCTION):
        if not function.at("vpcConfig", "subnetIds"):
            continue
        for role in (role for role in stack.of(ROLE) if role.at("arn") == function.at("role")):
            policies = stack.attached(role, ROLE_POLICY, by="role")
            if any(policy.at("policy") is UNKNOWN for policy in policies):
                continue  # the update checks it again, with the policy
            allowed = [each for policy in policies for _, each in statements(policy) if each.allows]
            for action, resources in CHECKED_BY_LAMBDA.items():
                if not any(_passes_check(statement, action, resources) for statement in allowed):
                    how = f"allow it on {_example(action)}, without a condition on a key of the request"
                    yield role, f"does not allow {action} as Lambda checks it; {how}"


@resource_rule(*BUCKETS)
def bucket_name_owned(bucket: Resource, region: str) -> Iterator[str]:
    """A bucket name in S3's global namespace can be taken by any account."""
    name, namespace = bucket.at("bucket"), bucket.at("bucketNamespace")
    if namespace not in ("account-regional", UNKNOWN):
        yield f"bucketNamespace is {namespace}; set it to account-regional"
    if name is not UNKNOWN and not re.fullmatch(rf".+-\d{{12}}-{region}-an", str(name)):
        yield f"bucket is {name}; an account-regional name ends with the account id, {region} and -an"


@resource_rule(*ACCOUNT_WIDE)
def account_wide_names(resource: Resource, region: str) -> Iterator[str]:
    """All regions share these names: without the region, one stack overwrites or blocks another."""
    path = ACCOUNT_WIDE[resource.type]
    name = resource.at(path)
    if name is not UNKNOWN and region not in str(name):
        yield f"{path} is {name}; it should contain {region}"


def _passes_check(statement: Statement, action: str, resources: re.Pattern[str]) -> bool:
    return (
        action.lower() in statement.calls
        and any(map(resources.fullmatch, statement.resources))
        and all(operator.endswith("IfExists") for operator in statement.condition)
    )


def _example(action: str) -> str:
    return "*" if "Describe" in action else "arn:aws:ec2:REGION:ACCOUNT:*/*"
