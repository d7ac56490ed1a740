"""Network, policies and role allow exactly what is needed."""

import json
from typing import Any

import pytest

from local.policies import Decision, Request
from local.policies import evaluate as policy_decision
from tests.program.evaluation import ACCOUNT_ID, Evaluation, evaluate

GIVE_BACK = ("ec2:DeleteNetworkInterface", "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses")
OPENINGS = (
    "InternetGateway",
    "EgressOnlyInternetGateway",
    "NatGateway",
    "VpcPeeringConnection",
    "VpnGateway",
    "TransitGateway",
    "Route",
    "Eip",
    "SecurityGroupIngressRule",
    "SecurityGroupRule",
)


def test_gateway_endpoints_are_the_only_routes(evaluation: Evaluation) -> None:
    kinds = {resource.type.rpartition(":")[2] for resource in evaluation.resources}
    assert not [kind for kind in kinds if kind.startswith(OPENINGS) and not kind.startswith("RouteTable")]
    assert "routes" not in evaluation.one("aws:ec2/routeTable:RouteTable").inputs
    assert len(evaluation.all("aws:ec2/vpcEndpoint:VpcEndpoint")) == 2


def test_function_may_send_https_to_the_two_services_only(evaluation: Evaluation) -> None:
    group = evaluation.one("aws:ec2/securityGroup:SecurityGroup")
    assert not {"ingress", "egress"} & set(group.inputs)
    rules = [
        rule.inputs for rule in evaluation.all("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule")
    ]
    assert {rule["prefixListId"] for rule in rules} == {"pl-s3", "pl-dynamodb"}
    for rule in rules:
        assert rule["securityGroupId"] == group.id
        assert (rule["ipProtocol"], rule["fromPort"], rule["toPort"]) == ("tcp", 443, 443)
        assert not {"cidrIpv4", "cidrIpv6", "referencedSecurityGroupId"} & set(rule)


def test_default_security_group_is_closed(evaluation: Evaluation) -> None:
    group = evaluation.one("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup").inputs
    assert group["vpcId"] == evaluation.one("aws:ec2/vpc:Vpc").id
    assert not {"ingress", "egress"} & set(group)


def test_endpoints_allow_this_stack_s_role_bucket_and_table_only(evaluation: Evaluation) -> None:
    bucket = evaluation.one("aws:s3/bucket:Bucket").state["arn"]
    table = evaluation.one("aws:dynamodb/table:Table").state["arn"]
    role = evaluation.one("aws:iam/role:Role").state["arn"]
    for service, resources in {"s3": [bucket, f"{bucket}/*"], "dynamodb": [table]}.items():
        endpoint = evaluation.one("aws:ec2/vpcEndpoint:VpcEndpoint", f"{service}-endpoint")
        (statement,) = endpoint.json("policy")["Statement"]
        assert statement["Resource"] == resources
        assert statement["Condition"] == {"ArnEquals": {"aws:PrincipalArn": role}}
        assert all("*" not in action for action in statement["Action"])


def test_endpoints_allow_what_the_role_may_call(evaluation: Evaluation) -> None:
    allowed = {action for each in role_statements(evaluation) for action in each["Action"]}
    for service in ("s3", "dynamodb"):
        endpoint = evaluation.one("aws:ec2/vpcEndpoint:VpcEndpoint", f"{service}-endpoint")
        (statement,) = endpoint.json("policy")["Statement"]
        assert set(statement["Action"]) == {action for action in allowed if action.startswith(f"{service}:")}


def role_statements(evaluation: Evaluation, effect: str = "Allow") -> list[dict[str, Any]]:
    policies = evaluation.all("aws:iam/rolePolicy:RolePolicy")
    statements = [each for policy in policies for each in policy.json("policy")["Statement"]]
    return [each for each in statements if each["Effect"] == effect]


def test_role_may_do_what_the_handler_does(evaluation: Evaluation) -> None:
    bucket = evaluation.one("aws:s3/bucket:Bucket").state["arn"]
    table = evaluation.one("aws:dynamodb/table:Table").state["arn"]
    queue = evaluation.one("aws:sqs/queue:Queue", "ingestion-queue").state["arn"]
    log_group = evaluation.one("aws:cloudwatch/logGroup:LogGroup").state["arn"]
    granted = {
        action: statement["Resource"]
        for statement in role_statements(evaluation)
        for action in statement["Action"]
    }
    written = [f"{bucket}/processed/*", f"{bucket}/rejected/*"]
    ec2 = {action for action in granted if action.startswith("ec2:")}
    assert {action: granted[action] for action in granted.keys() - ec2} == {
        "s3:GetObject": f"{bucket}/*",
        "s3:GetObjectVersion": f"{bucket}/*",
        "s3:ListBucket": bucket,
        "s3:PutObject": written,
        "s3:DeleteObject": written,
        "dynamodb:GetItem": table,
        "dynamodb:UpdateItem": table,
        "sqs:ReceiveMessage": queue,
        "sqs:DeleteMessage": queue,
        "sqs:GetQueueAttributes": queue,
        "logs:CreateLogStream": f"{log_group}:*",
        "logs:PutLogEvents": f"{log_group}:*",
    }


def test_lambda_and_not_the_code_manages_network_interfaces(evaluation: Evaluation) -> None:
    region = evaluation.stack
    interfaces = f"arn:aws:ec2:{region}:{ACCOUNT_ID}:network-interface/*"
    granted = {
        action: each
        for each in role_statements(evaluation)
        for action in each["Action"]
        if action[:4] == "ec2:"
    }
    assert set(granted["ec2:CreateNetworkInterface"]["Resource"]) == {
        *(subnet.state["arn"] for subnet in evaluation.all("aws:ec2/subnet:Subnet")),
        evaluation.one("aws:ec2/securityGroup:SecurityGroup").state["arn"],
        interfaces,
    }
    # As Lambda checks them: without naming an interface, and perhaps without telling the region.
    for action in GIVE_BACK:
        assert granted[action]["Resource"] == f"arn:aws:ec2:{region}:{ACCOUNT_ID}:*/*"
        assert "Condition" not in granted[action]
    for action in ("ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"):
        assert granted[action]["Resource"] == "*"
        assert granted[action]["Condition"] == {"StringEqualsIfExists": {"aws:RequestedRegion": region}}
    (denied,) = role_statements(evaluation, "Deny")
    assert set(denied["Action"]) == set(granted)
    assert denied["Condition"] == {
        "ArnEquals": {"lambda:SourceFunctionArn": evaluation.one("aws:lambda/function:Function").state["arn"]}
    }


def test_lambda_can_release_interfaces_until_subnets_and_group_are_deleted(evaluation: Evaluation) -> None:
    """A destroy deletes the function, then subnets and group, then this policy, then the role."""
    policy = evaluation.one("aws:iam/rolePolicy:RolePolicy", "interface-policy")
    allowed = [each for each in policy.json("policy")["Statement"] if each["Effect"] == "Allow"]
    assert {*GIVE_BACK} <= {action for each in allowed for action in each["Action"]}
    role = evaluation.one("aws:iam/role:Role")
    assert evaluation.dependencies(policy.type, "interface-policy") == {role.urn}
    held = [
        *evaluation.all("aws:ec2/subnet:Subnet"),
        evaluation.one("aws:ec2/securityGroup:SecurityGroup"),
    ]
    function = evaluation.dependencies("aws:lambda/function:Function")
    for each in held:
        assert {policy.urn, role.urn} <= evaluation.dependencies(each.type, each.name)
        assert each.urn in function
    assert policy.urn in function


def test_function_moves_only_to_a_complete_network(evaluation: Evaluation) -> None:
    function = evaluation.dependencies("aws:lambda/function:Function")
    for type_ in (
        "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
        "aws:ec2/vpcEndpoint:VpcEndpoint",
        "aws:ec2/routeTableAssociation:RouteTableAssociation",
    ):
        assert {each.urn for each in evaluation.all(type_)} <= function


def test_security_group_can_be_replaced_while_the_function_uses_it(evaluation: Evaluation) -> None:
    """With a fixed name it would be deleted first, because EC2 allows no second group with the name."""
    group = evaluation.one("aws:ec2/securityGroup:SecurityGroup")
    assert "name" not in group.inputs
    assert group.inputs["tags"]["Name"] == f"analytics-function-{evaluation.stack}-dev"


def bucket_denials(evaluation: Evaluation) -> dict[str, dict[str, Any]]:
    policy = evaluation.one("aws:s3/bucketPolicy:BucketPolicy").json("policy")
    assert {(each["Effect"], each["Principal"]) for each in policy["Statement"]} == {("Deny", "*")}
    return {each["Sid"]: each for each in policy["Statement"]}


def test_bucket_accepts_tls_only(evaluation: Evaluation) -> None:
    bucket = evaluation.one("aws:s3/bucket:Bucket").state["arn"]
    denials = bucket_denials(evaluation)
    for sid, condition in {
        "NoPlainHttp": {"Bool": {"aws:SecureTransport": "false"}},
        "NoOutdatedTls": {"NumericLessThan": {"s3:TlsVersion": "1.2"}},
    }.items():
        assert denials[sid]["Condition"] == condition
        assert denials[sid]["Principal"] == "*"
        assert denials[sid]["Action"] == "s3:*"
        assert denials[sid]["Resource"] == [bucket, f"{bucket}/*"]


def test_function_can_never_change_an_upload(evaluation: Evaluation) -> None:
    bucket = evaluation.one("aws:s3/bucket:Bucket").state["arn"]
    of_the_role = {"ArnEquals": {"aws:PrincipalArn": evaluation.one("aws:iam/role:Role").state["arn"]}}
    changes = bucket_denials(evaluation)["NoFunctionChangesUploads"]
    assert changes["Action"] == ["s3:PutObject", "s3:DeleteObject"]
    assert changes["NotResource"] == [f"{bucket}/processed/*", f"{bucket}/rejected/*"]
    assert changes["Condition"] == of_the_role
    deletes = bucket_denials(evaluation)["NoFunctionDeletesVersions"]
    assert (deletes["Action"], deletes["Resource"]) == ("s3:DeleteObjectVersion", [f"{bucket}/*"])
    assert deletes["Condition"] == of_the_role


ADMINISTRATOR = f"arn:aws:iam::{ACCOUNT_ID}:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_0123"
NAMED = {"regional-analytics:administratorRoleArns": json.dumps([ADMINISTRATOR])}


@pytest.mark.parametrize(
    ("config", "condition"),
    [({}, None), (NAMED, {"ArnNotEquals": {"aws:PrincipalArn": [ADMINISTRATOR]}})],
    ids=["nobody", "administrator"],
)
def test_protected_versions_are_deleted_by_administrators_only(
    config: dict[str, str], condition: dict[str, Any] | None
) -> None:
    denied = bucket_denials(evaluate("eu-west-1", config))["NoDeletesForGood"]
    assert set(denied["Action"]) == {"s3:DeleteObjectVersion", "s3:DeleteBucket"}
    assert denied["Principal"] == "*"
    assert denied.get("Condition") == condition


def test_versions_of_a_stack_without_protection_can_be_deleted() -> None:
    denied = bucket_denials(evaluate("eu-west-1", {"regional-analytics:protect": "false"}))
    assert "NoDeletesForGood" not in denied


@pytest.mark.parametrize("config", [{}, NAMED], ids=["nobody", "administrator"])
def test_results_are_changed_by_the_function_and_administrators_only(config: dict[str, str]) -> None:
    evaluation = evaluate("eu-west-1", config)
    bucket = evaluation.one("aws:s3/bucket:Bucket").state["arn"]
    role = evaluation.one("aws:iam/role:Role").state["arn"]
    denied = bucket_denials(evaluation)["NoChangesOfResults"]
    assert denied["NotAction"] == ["s3:Get*", "s3:List*"]
    assert denied["Resource"] == [f"{bucket}/processed/*", f"{bucket}/rejected/*"]
    excepted = [role, ADMINISTRATOR] if config else [role]
    assert denied["Condition"] == {"ArnNotEquals": {"aws:PrincipalArn": excepted}}


@pytest.mark.parametrize("protect", ["true", "false"])
def test_bucket_s_policy_never_denies_its_own_change(protect: str) -> None:
    """A mistake in the policy could otherwise not be corrected."""
    evaluation = evaluate("eu-west-1", {"regional-analytics:protect": protect})
    policy = evaluation.one("aws:s3/bucketPolicy:BucketPolicy").json("policy")
    bucket = evaluation.one("aws:s3/bucket:Bucket").state["arn"]
    for action in ("s3:PutBucketPolicy", "s3:DeleteBucketPolicy", "s3:GetBucketPolicy"):
        asked = Request(
            action=action,
            resource=bucket,
            principals={"AWS": ("anybody",)},
            context={
                "aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT_ID}:role/anybody",
                "aws:SecureTransport": "true",
                "s3:TlsVersion": "1.3",
            },
        )
        assert policy_decision(policy, asked) is Decision.NONE


def test_bucket_policy_is_relaxed_before_the_bucket_is_emptied() -> None:
    """With forceDestroy, the provider deletes versions, which the policy denies."""
    evaluation = evaluate("eu-west-1")
    bucket = evaluation.one("aws:s3/bucket:Bucket")
    assert bucket.urn in evaluation.dependencies("aws:s3/bucketPolicy:BucketPolicy")


OWN_KEY = {"regional-analytics:customerManagedKey": "true"}


@pytest.mark.parametrize("config", [{}, OWN_KEY], ids=["services' keys", "own key"])
def test_bucket_refuses_uploads_with_a_key_that_the_function_cannot_use(config: dict[str, str]) -> None:
    evaluation = evaluate("eu-west-1", config)
    denials = bucket_denials(evaluation)
    provided = denials["NoCustomerProvidedKeys"]
    assert provided["Action"] == "s3:PutObject"
    assert provided["Condition"] == {"Null": {"s3:x-amz-server-side-encryption-customer-algorithm": "false"}}
    other = denials["NoOtherKmsKeys"]
    assert other["Action"] == "s3:PutObject"
    key_id = "s3:x-amz-server-side-encryption-aws-kms-key-id"
    if config:
        key = evaluation.one("aws:kms/key:Key").state["arn"]
        assert other["Condition"]["ArnNotEquals"] == {key_id: key}
    else:
        assert other["Condition"] == {"Null": {key_id: "false"}}
    (rule,) = evaluation.one(
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    ).inputs["rules"]
    assert rule["blockedEncryptionTypes"] == ["SSE-C"]
