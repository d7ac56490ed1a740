"""As AWS does, the embedded AWS refuses to create duplicates and to delete resources in use."""

import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.server import Server

REGION = "eu-west-1"
MANAGES_INTERFACES = {
    "Effect": "Allow",
    "Action": [
        "ec2:AssignPrivateIpAddresses",
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:UnassignPrivateIpAddresses",
    ],
    "Resource": "*",
}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


class Account:
    """Creates the resources of a test, with a name of the test."""

    def __init__(self, server: Server, name: str) -> None:
        self.server, self.name = server, name
        self.ec2, self.iam, self.functions = (self.client(service) for service in ("ec2", "iam", "lambda"))

    def client(self, service: str) -> Any:
        return self.server.client(service, REGION)

    def network(self, cidr_block: str = "10.0.0.0/16") -> tuple[str, str, str]:
        """Create a VPC with a subnet and a group."""
        vpc = self.ec2.create_vpc(CidrBlock=cidr_block)["Vpc"]["VpcId"]
        subnet = self.ec2.create_subnet(VpcId=vpc, CidrBlock=cidr_block.replace("/16", "/24"))["Subnet"]
        return vpc, subnet["SubnetId"], self.group(vpc, self.name)

    def group(self, vpc: str, name: str) -> str:
        return self.ec2.create_security_group(GroupName=name, Description="d", VpcId=vpc)["GroupId"]

    def role(self) -> str:
        trusted = {"Service": "lambda.amazonaws.com"}
        trust = {"Effect": "Allow", "Principal": trusted, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        role = self.iam.create_role(RoleName=self.name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
        allowed = json.dumps({"Version": "2012-10-17", "Statement": [MANAGES_INTERFACES]})
        self.iam.put_role_policy(RoleName=self.name, PolicyName="p", PolicyDocument=allowed)
        return role

    def function(self, subnet: str, group: str) -> None:
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as file:
            file.writestr("index.py", "")
        self.functions.create_function(
            FunctionName=self.name,
            Role=self.role(),
            Handler="index.handler",
            Runtime="python3.11",
            Code={"ZipFile": archive.getvalue()},
            VpcConfig={"SubnetIds": [subnet], "SecurityGroupIds": [group]},
        )


@pytest.fixture
def account(server: Server, request: pytest.FixtureRequest) -> Account:
    return Account(server, request.node.name[-50:].replace("[", "-").replace("]", ""))


@contextmanager
def refused(code: str) -> Iterator[None]:
    with pytest.raises(ClientError) as error:
        yield
    assert error.value.response["Error"]["Code"] == code


def test_a_functions_subnet_and_group_stay(account: Account) -> None:
    _, subnet, group = account.network()
    account.function(subnet, group)
    with refused("DependencyViolation"):
        account.ec2.delete_security_group(GroupId=group)
    with refused("DependencyViolation"):
        account.ec2.delete_subnet(SubnetId=subnet)

    account.functions.delete_function(FunctionName=account.name)
    account.ec2.delete_security_group(GroupId=group)
    account.ec2.delete_subnet(SubnetId=subnet)


@pytest.mark.parametrize("gone", ["policy", "role"])
def test_interfaces_stay_without_the_permission_to_delete_them(account: Account, gone: str) -> None:
    _, subnet, group = account.network()
    account.function(subnet, group)
    account.functions.delete_function(FunctionName=account.name)
    account.iam.delete_role_policy(RoleName=account.name, PolicyName="p")
    if gone == "role":
        account.iam.delete_role(RoleName=account.name)
    with refused("DependencyViolation"):
        account.ec2.delete_security_group(GroupId=group)
    with refused("DependencyViolation"):
        account.ec2.delete_subnet(SubnetId=subnet)


def test_a_group_can_go_when_the_function_has_moved(account: Account) -> None:
    vpc, subnet, group = account.network()
    account.function(subnet, group)
    other = account.group(vpc, "other")
    account.functions.update_function_configuration(
        FunctionName=account.name, VpcConfig={"SubnetIds": [subnet], "SecurityGroupIds": [other]}
    )
    account.ec2.delete_security_group(GroupId=group)
    with refused("DependencyViolation"):
        account.ec2.delete_security_group(GroupId=other)


def test_a_vpc_stays_while_anything_is_in_it(account: Account) -> None:
    ec2 = account.ec2
    vpc, subnet, group = account.network()
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    endpoint = ec2.create_vpc_endpoint(
        VpcId=vpc, ServiceName=f"com.amazonaws.{REGION}.s3", VpcEndpointType="Gateway"
    )["VpcEndpoint"]["VpcEndpointId"]
    for delete in (
        lambda: ec2.delete_subnet(SubnetId=subnet),
        lambda: ec2.delete_security_group(GroupId=group),
        lambda: ec2.delete_route_table(RouteTableId=table),
        lambda: ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint]),
    ):
        with refused("DependencyViolation"):
            ec2.delete_vpc(VpcId=vpc)
        delete()
    ec2.delete_vpc(VpcId=vpc)


def test_subnets_may_not_overlap(account: Account) -> None:
    vpc, _, _ = account.network()
    with refused("InvalidSubnet.Conflict"):
        account.ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.128/25")


def test_a_route_table_stays_while_a_subnet_uses_it(account: Account) -> None:
    vpc, subnet, _ = account.network()
    table = account.ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    account.ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    with refused("DependencyViolation"):
        account.ec2.delete_route_table(RouteTableId=table)


def test_a_rule_stays_while_it_has_targets(account: Account) -> None:
    events = account.client("events")
    events.put_rule(Name="targeted", EventPattern='{"source": ["aws.s3"]}')
    events.put_targets(Rule="targeted", Targets=[{"Id": "q", "Arn": f"arn:aws:sqs:{REGION}:123456789012:q"}])
    with refused("ValidationException"):
        events.delete_rule(Name="targeted")


def test_an_alarm_stays_while_a_composite_alarm_names_it(account: Account) -> None:
    alarms = account.client("cloudwatch")
    for name in ("watched", "watched-too"):
        alarms.put_metric_alarm(
            AlarmName=name,
            Namespace="n",
            MetricName="m",
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
        )
    alarms.put_composite_alarm(AlarmName="all", AlarmRule='ALARM("watched-too")')
    alarms.delete_alarms(AlarmNames=["watched"])
    with refused("ValidationError"):
        alarms.delete_alarms(AlarmNames=["watched-too"])
    alarms.delete_alarms(AlarmNames=["all"])
    alarms.delete_alarms(AlarmNames=["watched-too"])


def test_a_policy_stays_while_it_is_attached(account: Account) -> None:
    account.role()
    document = json.dumps({"Version": "2012-10-17", "Statement": [MANAGES_INTERFACES]})
    arn = account.iam.create_policy(PolicyName=account.name, PolicyDocument=document)["Policy"]["Arn"]
    account.iam.attach_role_policy(RoleName=account.name, PolicyArn=arn)
    with refused("DeleteConflict"):
        account.iam.delete_policy(PolicyArn=arn)
    account.iam.detach_role_policy(RoleName=account.name, PolicyArn=arn)
    account.iam.delete_policy(PolicyArn=arn)


def test_a_second_resource_with_a_name_is_refused(account: Account) -> None:
    vpc, subnet, group = account.network()
    with refused("InvalidGroup.Duplicate"):
        account.group(vpc, account.name)
    account.function(subnet, group)
    with refused("EntityAlreadyExists"):
        account.role()
    logs, tables, kms = account.client("logs"), account.client("dynamodb"), account.client("kms")
    logs.create_log_group(logGroupName="twice")
    with refused("ResourceAlreadyExistsException"):
        logs.create_log_group(logGroupName="twice")
    table = {
        "TableName": "twice",
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    }
    tables.create_table(**table)
    with refused("ResourceInUseException"):
        tables.create_table(**table)
    alias = {"AliasName": "alias/twice", "TargetKeyId": kms.create_key()["KeyMetadata"]["KeyId"]}
    kms.create_alias(**alias)
    with refused("AlreadyExistsException"):
        kms.create_alias(**alias)


def test_a_second_function_with_a_name_is_refused(account: Account) -> None:
    _, subnet, group = account.network()
    account.function(subnet, group)
    account.iam.delete_role_policy(RoleName=account.name, PolicyName="p")
    account.iam.delete_role(RoleName=account.name)
    with refused("ResourceConflictException"):
        account.function(subnet, group)


def test_a_queue_is_mapped_to_a_function_once(account: Account) -> None:
    _, subnet, group = account.network()
    account.function(subnet, group)
    account.client("sqs").create_queue(QueueName="mapped")
    mapping = {
        "EventSourceArn": f"arn:aws:sqs:{REGION}:123456789012:mapped",
        "FunctionName": account.name,
    }
    account.functions.create_event_source_mapping(**mapping)
    with refused("ResourceConflictException"):
        account.functions.create_event_source_mapping(**mapping)


@pytest.mark.parametrize("region", ["us-east-1", REGION])
def test_a_second_bucket_of_an_accounts_own_name_is_refused(server: Server, region: str) -> None:
    bucket: dict[str, Any] = {
        "Bucket": f"analytics-123456789012-{region}-an",
        "BucketNamespace": "account-regional",
    }
    if region != "us-east-1":
        bucket["CreateBucketConfiguration"] = {"LocationConstraint": region}
    s3 = server.client("s3", region)
    with refused("MissingNamespaceHeader"):
        s3.create_bucket(**{name: value for name, value in bucket.items() if name != "BucketNamespace"})
    s3.create_bucket(**bucket)
    with refused("BucketAlreadyOwnedByYou"):
        s3.create_bucket(**bucket)


def test_a_queue_with_the_attributes_of_an_existing_one_is_that_one(account: Account) -> None:
    sqs = account.client("sqs")
    first = sqs.create_queue(QueueName="same", Attributes={"VisibilityTimeout": "77"})["QueueUrl"]
    assert sqs.create_queue(QueueName="same", Attributes={"VisibilityTimeout": "77"})["QueueUrl"] == first
    with refused("QueueAlreadyExists"):
        sqs.create_queue(QueueName="same", Attributes={"VisibilityTimeout": "78"})
