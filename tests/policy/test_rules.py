"""All stacks pass every rule, and each rule reports violations with the resource and the value."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from policy.rules import RULES, UNKNOWN, Rule, Stack, violations
from tests.policy.stacks import (
    changed,
    edited,
    evaluated,
    every,
    unprotected,
    with_one_more,
    without,
)

BUCKET = "s3/bucket:Bucket"
BUCKET_ENCRYPTION = "s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
BUCKET_POLICY = "s3/bucketPolicy:BucketPolicy"
CATALOG_DATABASE = "glue/catalogDatabase:CatalogDatabase"
CATALOG_TABLE = "glue/catalogTable:CatalogTable"
DEFAULT_GROUP = "ec2/defaultSecurityGroup:DefaultSecurityGroup"
EGRESS = "vpc/securityGroupEgressRule:SecurityGroupEgressRule"
ENDPOINT = "ec2/vpcEndpoint:VpcEndpoint"
FUNCTION = "lambda/function:Function"
LIFECYCLE = "s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
LOG_GROUP = "cloudwatch/logGroup:LogGroup"
OWNERSHIP = "s3/bucketOwnershipControls:BucketOwnershipControls"
PUBLIC_ACCESS = "s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
QUEUE = "sqs/queue:Queue"
QUEUE_POLICY = "sqs/queuePolicy:QueuePolicy"
READER = "iam/policy:Policy"
ROLE = "iam/role:Role"
ROLE_POLICY = "iam/rolePolicy:RolePolicy"
TABLE = "dynamodb/table:Table"
VERSIONING = "s3/bucketVersioning:BucketVersioning"

Break = Callable[[Stack], Stack]


def statement(**fields: Any) -> Callable[[list[dict[str, Any]]], None]:
    """Add a statement that allows something."""
    return lambda statements: statements.append({"Effect": "Allow", **fields})


def deny_removed(statements: list[dict[str, Any]]) -> None:
    statements[:] = [one for one in statements if one["Effect"] == "Allow"]


def condition_removed(statements: list[dict[str, Any]]) -> None:
    for one in statements:
        if one["Effect"] == "Allow":
            one.pop("Condition", None)


def source_widened(statements: list[dict[str, Any]]) -> None:
    for one in statements:
        if one["Effect"] == "Allow":
            one["Condition"]["ArnEquals"]["aws:SourceArn"] = "arn:aws:events:us-east-1:123456789012:rule/*"


def resource_widened(statements: list[dict[str, Any]]) -> None:
    statements[0]["Resource"] = "arn:aws:s3:::*"


def interfaces_named(statements: list[dict[str, Any]]) -> None:
    for one in statements:
        if one["Sid"] == "ReleaseInterfaces":
            one["Resource"] = "arn:aws:ec2:us-east-1:123456789012:network-interface/*"


def reworded(**fields: Any) -> Callable[[list[dict[str, Any]]], None]:
    """Change the statement that denies plain HTTP, or that allows something; None removes an element."""

    def edit(statements: list[dict[str, Any]]) -> None:
        for one in statements:
            if one["Effect"] == "Allow" or "aws:SecureTransport" in str(one):
                one.update(fields)
                for name in [name for name, value in fields.items() if value is None]:
                    del one[name]

    return edit


def denial(sid: str, **fields: Any) -> Break:
    """Change one of the bucket's denials; without fields, remove it."""

    def edit(statements: list[dict[str, Any]]) -> None:
        (named,) = (one for one in statements if one["Sid"] == sid)
        named.update(fields)
        if not fields:
            statements.remove(named)

    return edited(BUCKET_POLICY, "", edit)


def lifecycle(**rule: Any) -> Break:
    return changed(LIFECYCLE, rules=[{"status": "Enabled", "filter": {"prefix": "input/"}, **rule}])


def allowing(**fields: Any) -> str:
    """Return a document with one statement that allows something."""
    return json.dumps({"Statement": {"Effect": "Allow", **fields}})


FOREIGN = "999999999999"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
A_ROLE = "arn:aws:iam::123456789012:role/a"
OWN_ROLE = "arn:aws:iam::123456789012:role/analytics-lambda-role-us-east-1-dev"
KEY_ARN = "arn:aws:kms:us-east-1:123456789012:key/1"
SERVICE = "s3.us-east-1.amazonaws.com"
RULE_OF_ANOTHER = "arn:aws:events:us-east-1:123456789012:rule/other"
PLAIN_HTTP = {"Bool": {"aws:SecureTransport": "false"}}
FROM = "aws:SourceArn"


def region_demanded(statements: list[dict[str, Any]]) -> None:
    for one in statements:
        if one["Sid"] == "DescribeInterfaces":
            one["Condition"] = {"StringEquals": {"aws:RequestedRegion": "us-east-1"}}


BROKEN: list[tuple[str, Break, tuple[str, ...]]] = [
    # Residency
    (
        "residency-names",
        changed(BUCKET, tags={"Region": "eu-west-1"}),
        ("Bucket", "tags.Region", "eu-west-1"),
    ),
    ("residency-names", changed(TABLE, region="us-west-2"), ("Table", "region names us-west-2")),
    ("residency-names", changed("ec2/subnet:Subnet", availabilityZone="us-east-2a"), ("Subnet", "us-east-2")),
    ("residency-names", changed("ec2/subnet:Subnet", availabilityZoneId="usw2-az1"), ("Subnet", "usw2-az1")),
    (
        "residency-names",
        changed("cloudwatch/eventTarget:EventTarget", arn="arn:aws:sqs:eu-west-1:123456789012:queue"),
        ("EventTarget", "arn:aws:sqs:eu-west-1"),
    ),
    (
        "residency-names",
        edited(
            ROLE_POLICY,
            "",
            statement(Action="sqs:SendMessage", Resource="arn:aws:sqs:*:123456789012:analytics-queue"),
        ),
        ("RolePolicy", "arn:aws:sqs:*:123456789012: of any region"),
    ),
    (
        "residency-names",
        changed(FUNCTION, environment={"variables": {"PEER": "analytics-bucket-ap-southeast-1-dev"}}),
        ("Function", "environment.variables.PEER names ap-southeast-1"),
    ),
    (
        "residency-names",
        with_one_more("pulumi:pulumi:Stack", peerUrl="https://sqs.eu-west-1.amazonaws.com/1/queue"),
        ("Stack", "peerUrl names eu-west-1"),
    ),
    (
        "residency-endpoints",
        with_one_more(
            "pulumi:providers:aws", region="us-east-1", endpoints='[{"s3":"https://s3.amazonaws.com"}]'
        ),
        ("providers", "https://s3.amazonaws.com"),
    ),
    (
        "residency-endpoints",
        changed(ENDPOINT, serviceName="com.amazonaws.s3-global.accesspoint"),
        ("VpcEndpoint", "com.amazonaws.s3-global.accesspoint"),
    ),
    *(
        ("residency-query-results", with_one_more("aws:athena/workgroup:Workgroup", **broken), (names,))
        for names, broken in {
            "enforceWorkgroupConfiguration is False": {
                "configuration": {"enforceWorkgroupConfiguration": False}
            },
            "managedQueryResultsConfiguration.enabled is None": {"configuration": {}},
            "bytesScannedCutoffPerQuery is None": {"configuration": {}},
        }.items()
    ),
    (
        "residency-features",
        with_one_more("aws:s3/bucketReplicationConfig:BucketReplicationConfig"),
        ("BucketReplicationConfig", "replicates objects"),
    ),
    (
        "residency-features",
        with_one_more("pulumi:pulumi:StackReference"),
        ("StackReference", "another stack"),
    ),
    ("residency-features", with_one_more("aws:dynamodb/globalTable:GlobalTable"), ("GlobalTable",)),
    ("residency-features", with_one_more("aws:kms/replicaKey:ReplicaKey"), ("ReplicaKey",)),
    ("residency-features", with_one_more("aws:lambda/functionUrl:FunctionUrl"), ("FunctionUrl",)),
    (
        "residency-features",
        with_one_more("aws:kms/key:Key", multiRegion=True),
        ("Key", "multiRegion is True"),
    ),
    ("residency-features", changed(TABLE, replicas=[{"regionName": "us-east-1"}]), ("Table", "replicas")),
    (
        "residency-provider",
        with_one_more("pulumi:providers:aws", region="eu-west-1"),
        ("providers", "region is eu-west-1"),
    ),
    ("residency-provider", with_one_more("pulumi:providers:aws"), ("providers", "region is None")),
    (
        "one-account",
        changed(FUNCTION, layers=["arn:aws:lambda:us-east-1:017000801446:layer:AWSLambdaPowertools:1"]),
        ("Function", "layers[0]", "017000801446"),
    ),
    (
        "one-account",
        edited(
            ROLE_POLICY, "", statement(Action="sqs:SendMessage", Resource="arn:aws:sqs:us-east-1:*:queue")
        ),
        ("RolePolicy", "arn:aws:sqs:us-east-1:*:", "no single account"),
    ),
    # The network
    ("network-parts", with_one_more("aws:ec2/internetGateway:InternetGateway"), ("InternetGateway",)),
    ("network-parts", with_one_more("aws:ec2/natGateway:NatGateway"), ("NatGateway",)),
    (
        "network-parts",
        with_one_more("aws:ec2/egressOnlyInternetGateway:EgressOnlyInternetGateway"),
        ("EgressOnly",),
    ),
    ("network-parts", with_one_more("aws:ec2/vpcPeeringConnection:VpcPeeringConnection"), ("VpcPeering",)),
    ("network-parts", with_one_more("aws:ec2transitgateway/vpcAttachment:VpcAttachment"), ("VpcAttachment",)),
    ("network-parts", with_one_more("aws:ec2/vpnGateway:VpnGateway"), ("VpnGateway",)),
    ("network-parts", with_one_more("aws:ec2/eip:Eip"), ("Eip",)),
    ("network-parts", with_one_more("aws:ec2/route:Route"), ("aws:ec2/route:Route",)),
    ("network-parts", with_one_more("aws:vpclattice/service:Service"), ("aws:vpclattice/service:Service",)),
    (
        "network-routes",
        changed("ec2/routeTable:RouteTable", routes=[{"cidrBlock": "0.0.0.0/0", "gatewayId": "igw-1"}]),
        ("RouteTable", "0.0.0.0/0", "igw-1"),
    ),
    (
        "network-routes",
        changed("ec2/routeTable:RouteTable", propagatingVgws=["vgw-1"]),
        ("RouteTable", "vgw-1"),
    ),
    (
        "network-routes",
        changed("ec2/routeTable:RouteTable", routes=[{"vpcEndpointId": "vpce-1", "natGatewayId": "nat-1"}]),
        ("RouteTable", "nat-1"),
    ),
    (
        "network-addresses",
        changed("ec2/subnet:Subnet", mapPublicIpOnLaunch=True),
        ("mapPublicIpOnLaunch is True",),
    ),
    ("network-addresses", changed("ec2/vpc:Vpc", assignGeneratedIpv6CidrBlock=True), ("Vpc", "Ipv6")),
    ("network-addresses", changed("ec2/subnet:Subnet", ipv6CidrBlock="2600:1f18::/64"), ("2600:1f18::/64",)),
    ("network-security-groups", changed(EGRESS, cidrIpv4="0.0.0.0/0"), ("EgressRule", "0.0.0.0/0")),
    ("network-security-groups", changed(EGRESS, ipProtocol="-1"), ("EgressRule", "-1 ports")),
    ("network-security-groups", changed(EGRESS, toPort=8443), ("EgressRule", "8443")),
    (
        "network-security-groups",
        changed("ec2/securityGroup:SecurityGroup", egress=[{"protocol": "-1", "ipv6CidrBlocks": ["::/0"]}]),
        ("SecurityGroup", "::/0"),
    ),
    (
        "network-security-groups",
        with_one_more("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", cidrIpv4="10.0.0.0/8"),
        ("IngressRule", "10.0.0.0/8", " in;"),
    ),
    (
        "network-security-groups",
        with_one_more(
            "aws:ec2/securityGroupRule:SecurityGroupRule", type="ingress", cidrBlocks=["10.0.0.0/8"]
        ),
        ("SecurityGroupRule", "10.0.0.0/8"),
    ),
    (
        "network-default-group",
        changed(DEFAULT_GROUP, egress=[{"protocol": "tcp", "prefixListIds": ["pl-1"]}]),
        ("DefaultSecurityGroup", "pl-1"),
    ),
    ("network-closes-default-group", without(DEFAULT_GROUP), ("Vpc", "DefaultSecurityGroup")),
    (
        "network-endpoint-policies",
        edited(ENDPOINT, "s3", resource_widened),
        ("VpcEndpoint", "arn:aws:s3:::*"),
    ),
    ("network-endpoint-policies", changed(ENDPOINT, vpcEndpointType="Interface"), ("Interface",)),
    ("network-endpoints-limited", changed(ENDPOINT, "dynamodb", policy=None), ("dynamodb", "no policy")),
    ("function-in-network", changed(FUNCTION, vpcConfig=None), ("Function", "vpcConfig.subnetIds is None")),
    # Encryption
    ("bucket-encryption", without(BUCKET_ENCRYPTION), ("Bucket", "no BucketServerSideEncryption")),
    ("bucket-encryption", changed(BUCKET_ENCRYPTION, rules=[]), ("sseAlgorithm is None",)),
    (
        "queue-encryption",
        changed(QUEUE, "-dlq", sqsManagedSseEnabled=False),
        ("dlq", "sqsManagedSseEnabled is False"),
    ),
    ("queue-encryption", changed(QUEUE, kmsMasterKeyId="alias/aws/sqs"), ("Queue", "alias/aws/sqs")),
    (
        "topic-encryption",
        changed("sns/topic:Topic", kmsMasterKeyId="alias/aws/sns"),
        ("Topic", "alias/aws/sns"),
    ),
    (
        "key-rotation",
        with_one_more("aws:kms/key:Key", enableKeyRotation=False),
        ("enableKeyRotation is False",),
    ),
    (
        "key-rotation",
        with_one_more("aws:kms/key:Key", enableKeyRotation=True, deletionWindowInDays=7.0),
        ("deletionWindowInDays is 7",),
    ),
    ("key-everywhere", with_one_more("aws:kms/key:Key", arn="arn:1"), ("Topic", "kmsMasterKeyId is None")),
    # Access
    ("bucket-public-access", without(PUBLIC_ACCESS), ("Bucket", "no BucketPublicAccessBlock")),
    (
        "bucket-public-access",
        changed(PUBLIC_ACCESS, blockPublicPolicy=False),
        ("blockPublicPolicy is False",),
    ),
    ("bucket-ownership", without(OWNERSHIP), ("Bucket", "no BucketOwnershipControls")),
    (
        "bucket-ownership",
        changed(OWNERSHIP, rule={"objectOwnership": "ObjectWriter"}),
        ("objectOwnership is ObjectWriter",),
    ),
    ("tls-only", edited(BUCKET_POLICY, "", deny_removed), ("Bucket", "no policy denies s3:*")),
    ("tls-only", edited(QUEUE_POLICY, "queue-policy", deny_removed), ("Queue", "no policy denies sqs:*")),
    ("tls-only", without(QUEUE_POLICY, "-dlq-policy"), ("Queue", "-dlq'", "no policy denies sqs:*")),
    ("tls-only", without("sns/topicPolicy:TopicPolicy"), ("Topic", "no policy denies sns:Publish")),
    *(
        ("bucket-denials", denial(sid, **fields), ("Bucket", f"no policy denies {denied}"))
        for sid, denied, changes in (
            (
                "NoOutdatedTls",
                "s3:* when s3:TlsVersion is below 1.2",
                (
                    {"Condition": {"NumericLessThan": {"s3:TlsVersion": "1.1"}}},
                    {"Resource": "arn:aws:s3:::analytics-bucket-dev-123456789012-us-east-1-an"},
                ),
            ),
            (
                "NoCustomerProvidedKeys",
                "s3:PutObject with a customer-provided key",
                ({"Principal": {"AWS": A_ROLE}}, {"Action": "s3:PutObjectTagging"}),
            ),
            (
                "NoDeletesForGood",
                "s3:DeleteObjectVersion to all but named roles",
                (
                    {"Condition": {"ArnNotEquals": {"aws:PrincipalArn": "arn:aws:iam::123456789012:role/*"}}},
                    {"Condition": {"StringNotEquals": {"aws:PrincipalArn": A_ROLE}}},
                    {"Condition": {"ArnNotEquals": {"aws:SourceArn": A_ROLE}}},
                    {"Action": "s3:DeleteBucket"},
                ),
            ),
        )
        for fields in ({}, *changes)
    ),
    (
        "no-public-policy",
        edited(
            BUCKET_POLICY, "", statement(Principal="*", Action="s3:GetObject", Resource="arn:aws:s3:::b/*")
        ),
        ("BucketPolicy", "s3:GetObject to everybody"),
    ),
    (
        "no-public-policy",
        with_one_more("aws:lambda/permission:Permission", principal="*", sourceArn="arn:1"),
        ("Permission", "principal is *"),
    ),
    (
        "services-bound",
        edited(QUEUE_POLICY, "queue", condition_removed),
        ("QueuePolicy", "events.amazonaws.com"),
    ),
    (
        "services-bound",
        edited("sns/topicPolicy:TopicPolicy", "", condition_removed),
        ("cloudwatch.amazonaws.com",),
    ),
    (
        "services-bound",
        with_one_more("aws:lambda/permission:Permission", principal="events.amazonaws.com"),
        ("Permission", "events.amazonaws.com"),
    ),
    ("queue-senders", edited(QUEUE_POLICY, "queue-policy", source_widened), ("QueuePolicy", "rule/*")),
    (
        "queue-senders",
        edited(
            QUEUE_POLICY,
            "queue-policy",
            statement(Principal={"AWS": "123456789012"}, Action="sqs:SendMessage", Resource="arn:1"),
        ),
        ("QueuePolicy", "AWS 123456789012"),
    ),
    # Forms that are not the one that is right
    *(
        ("one-account", break_, (FOREIGN,))
        for break_ in (
            edited(
                BUCKET_POLICY,
                "",
                statement(Principal={"AWS": FOREIGN}, Action="s3:GetObject", Resource="arn:1"),
            ),
            edited(
                BUCKET_POLICY,
                "",
                statement(Principal={"CanonicalUser": FOREIGN}, Action="s3:GetObject", Resource="arn:1"),
            ),
            edited(
                QUEUE_POLICY,
                "queue-policy",
                reworded(Condition={"StringEquals": {"aws:SourceAccount": FOREIGN}}),
            ),
            edited(
                QUEUE_POLICY,
                "queue-policy",
                reworded(Condition={"StringEquals": {"AWS:SOURCEACCOUNT": FOREIGN}}),
            ),
            with_one_more("aws:lambda/permission:Permission", principal=FOREIGN, sourceArn="arn:1"),
            with_one_more("aws:kms/grant:Grant", granteePrincipal=FOREIGN),
            changed(CATALOG_TABLE, targetTable={"catalogId": FOREIGN, "databaseName": "d", "name": "t"}),
        )
    ),
    *(
        ("network-endpoint-policies", edited(ENDPOINT, "s3", edit), (names,))
        for names, edit in {
            "any role": reworded(Condition=None),
            "role/*": reworded(
                Condition={"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::123456789012:role/*"}}
            ),
            "NotResource": reworded(Resource=None, NotResource="arn:aws:s3:::other"),
            "arn:aws:s3:::b?": reworded(Resource="arn:aws:s3:::b?"),
        }.items()
    ),
    (
        "network-endpoint-policies",
        edited(ENDPOINT, "s3", reworded(Condition={"ArnEquals": {"aws:PrincipalArn": [OWN_ROLE, A_ROLE]}})),
        (f"allows {OWN_ROLE}, {A_ROLE}",),
    ),
    (
        "network-endpoints-limited",
        edited(ENDPOINT, "s3", reworded(Condition={"ArnEquals": {"aws:PrincipalArn": A_ROLE}})),
        (f"allows {A_ROLE}",),
    ),
    (
        "network-endpoint-policies",
        changed(ENDPOINT, serviceName="com.amazonaws.us-east-1.execute-api"),
        ("execute-api",),
    ),
    (
        "network-endpoints-limited",
        edited(ENDPOINT, "s3", reworded(Resource="arn:aws:s3:::other/*")),
        ("arn:aws:s3:::other/*",),
    ),
    (
        "network-endpoints-limited",
        edited(ENDPOINT, "dynamodb", reworded(Resource="arn:aws:dynamodb:us-east-1:123456789012:table/b")),
        ("table/b",),
    ),
    ("network-endpoints-limited", changed(ENDPOINT, policy=""), ("no policy",)),
    (
        "network-of-the-stack",
        changed(FUNCTION, vpcConfig={"subnetIds": ["subnet-1"], "securityGroupIds": ["sg-1"]}),
        ("vpcConfig.subnetIds has subnet-1",),
    ),
    (
        "network-of-the-stack",
        changed(FUNCTION, vpcConfig={"subnetIds": ["subnet-1"], "securityGroupIds": ["sg-1"]}),
        ("vpcConfig.securityGroupIds has sg-1",),
    ),
    ("network-of-the-stack", changed(EGRESS, prefixListId="pl-other"), ("EgressRule", "pl-other")),
    (
        "network-of-the-stack",
        changed("ec2/securityGroup:SecurityGroup", egress=[{"prefixListIds": ["pl-other"]}]),
        ("SecurityGroup", "pl-other"),
    ),
    (
        "network-of-the-stack",
        changed("ec2/subnet:Subnet", vpcId="vpc-other"),
        ("Subnet", "vpcId has vpc-other"),
    ),
    (
        "network-of-the-stack",
        changed("ec2/routeTableAssociation:RouteTableAssociation", routeTableId="rtb-other"),
        ("RouteTableAssociation", "routeTableId has rtb-other"),
    ),
    *(
        (
            "network-security-groups",
            changed(
                "ec2/securityGroup:SecurityGroup",
                egress=[
                    {"protocol": "tcp", "fromPort": 443, "toPort": 443, "prefixListIds": ["pl-s3"], **to}
                ],
            ),
            ("SecurityGroup", *to),
        )
        for to in ({"self": True}, {"securityGroups": ["sg-1"]})
    ),
    ("network-security-groups", changed(EGRESS, referencedSecurityGroupId="sg-1"), ("EgressRule", "sg-1")),
    ("network-security-groups", changed(EGRESS, prefixListId=None), ("EgressRule", "no prefix list")),
    *(
        ("tls-only", edited(BUCKET_POLICY, "", reworded(**fields)), ("no policy denies s3:*",))
        for fields in (
            {"Resource": ["arn:aws:s3:::analytics-bucket-dev-123456789012-us-east-1-an"]},
            {"Resource": None, "NotResource": "arn:aws:s3:::other"},
            {"Condition": {**PLAIN_HTTP, "StringEquals": {"aws:PrincipalAccount": "123456789012"}}},
            {"Condition": {"Bool": {"aws:SecureTransport": "false", "aws:ViaAWSService": "false"}}},
            {"Principal": {"AWS": "arn:aws:iam::123456789012:role/one"}},
        )
    ),
    *(
        ("services-bound", edited(QUEUE_POLICY, "queue-policy", reworded(Condition=condition)), ("events",))
        for condition in (
            {"ArnLike": {FROM: "*"}},
            {"ArnLike": {FROM: "arn:aws:events:us-east-1:*:rule/a"}},
            {"StringNotEquals": {FROM: RULE_OF_ANOTHER}},
            {"Null": {FROM: "false"}},
            {"ArnEqualsIfExists": {FROM: RULE_OF_ANOTHER}},
            {"StringEqualsIfExists": {"aws:SourceAccount": "123456789012"}},
            {"StringLike": {"aws:SourceAccount": "*"}},
            {"StringEquals": {"kms:ViaService": SERVICE}},
            {"ArnLike": {FROM: "arn:aws:s3:::${aws:username}"}},
        )
    ),
    *(
        (
            "services-bound",
            with_one_more("aws:lambda/permission:Permission", principal="s3.amazonaws.com", **source),
            ("Permission", "s3.amazonaws.com"),
        )
        for source in ({"sourceArn": "arn:aws:s3:::*"}, {"sourceArn": "*"}, {"sourceAccount": "1"})
    ),
    *(
        (
            "key-use-bound",
            edited(ROLE_POLICY, "", statement(Action="kms:Decrypt", Resource=KEY_ARN, Condition=condition)),
            ("RolePolicy", "kms:Decrypt"),
        )
        for condition in (
            {"StringNotEquals": {"kms:ViaService": SERVICE}},
            {"Null": {"kms:ViaService": "true"}},
            {"StringLike": {"kms:ViaService": "*"}},
            {"StringLike": {"kms:ViaService": SERVICE}},
            {"StringEquals": {"kms:ViaService": [SERVICE, "*"]}},
            {"StringEquals": {"kms:ViaService": "${kms:ViaService}"}},
            {"StringEquals": {"kms:ViaService": []}},
            {"StringEqualsIfExists": {"kms:ViaService": SERVICE}},
            {"ForAllValues:StringEquals": {"kms:ViaService": SERVICE}},
        )
    ),
    (
        "key-use-bound",
        edited(ROLE_POLICY, "", statement(Action="KMS:Decrypt", Resource=KEY_ARN)),
        ("RolePolicy", "KMS:Decrypt"),
    ),
    (
        "key-use-bound",
        with_one_more(
            "aws:kms/key:Key",
            policy=allowing(Principal={"AWS": A_ROLE}, Action="kms:Decrypt", Resource="*"),
        ),
        ("Key", "kms:Decrypt"),
    ),
    ("key-use-bound", with_one_more("aws:kms/grant:Grant", operations=["Decrypt"]), ("Grant", "Decrypt")),
    *(
        ("queue-senders", edited(QUEUE_POLICY, "queue-policy", reworded(**fields)), (names,))
        for names, fields in {
            "rule/?": {"Condition": {"ArnEquals": {FROM: f"{RULE_OF_ANOTHER[:-5]}?"}}},
            "arn:aws:sns": {"Condition": {"ArnEquals": {FROM: "arn:aws:sns:us-east-1:123456789012:t"}}},
            "any source": {"Condition": {"ArnNotEquals": {FROM: RULE_OF_ANOTHER}}},
            "sns.amazonaws.com": {"Principal": {"Service": "sns.amazonaws.com"}},
        }.items()
    ),
    (
        "queue-senders",
        changed(
            QUEUE,
            policy=json.dumps({"Statement": {"Effect": "Allow", "Principal": "*", "Action": "sqs:*"}}),
        ),
        ("Queue", "any source"),
    ),
    (
        "queue-rules",
        edited(QUEUE_POLICY, "queue-policy", reworded(Condition={"ArnEquals": {FROM: RULE_OF_ANOTHER}})),
        ("QueuePolicy", RULE_OF_ANOTHER),
    ),
    *(
        ("bucket-parts", with_one_more(kind), (kind,))
        for kind in (
            "aws:s3/bucketLogging:BucketLogging",
            "aws:s3/inventory:Inventory",
            "aws:s3/analyticsConfiguration:AnalyticsConfiguration",
        )
    ),
    *(
        ("bucket-parts", changed(BUCKET, **{name: value}), ("Bucket", f"{name} is {value}"))
        for name, value in {
            "accelerationStatus": "Enabled",
            "acl": "public-read",
            "corsRules": [{"allowedOrigins": ["*"]}],
            "lifecycleRules": [{"enabled": True, "expiration": {"days": 1}}],
            "loggings": [{"targetBucket": "other"}],
            "policy": allowing(Principal="*", Action="s3:GetObject", Resource="arn:1"),
            "versioning": {"enabled": False},
            "website": {"indexDocument": "index.html"},
        }.items()
    ),
    *(
        ("buckets-of-the-stack", break_, (path, "arn:aws:s3:::other"))
        for path, break_ in {
            "logDestination": with_one_more("aws:ec2/flowLog:FlowLog", logDestination="arn:aws:s3:::other"),
            "policy.Statement[0].Resource": with_one_more(
                "aws:iam/policy:Policy",
                policy=json.dumps({"Statement": [{"Effect": "Allow", "Resource": "arn:aws:s3:::other/*"}]}),
            ),
        }.items()
    ),
    (
        "no-wildcard-action",
        edited(ROLE_POLICY, "", statement(Action="s3:?utObject", Resource="arn:1")),
        ("s3:?utObject",),
    ),
    (
        "no-wildcard-action",
        changed(
            ROLE,
            inlinePolicies=[{"policy": '{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}'}],
        ),
        ("inlinePolicies[0].policy allows *",),
    ),
    *(
        ("no-wildcard-action", edited(ROLE_POLICY, "", lambda all_, one=one: all_.append(one)), ("allows *",))
        for one in (
            {"Effect": "allow", "Action": "*", "Resource": "arn:1"},
            {"Action": "*", "Resource": "arn:1"},
        )
    ),
    *(
        ("no-wildcard-action", with_one_more("aws:iam/policy:Policy", policy=document), ("allows *",))
        for document in (
            "\n " + allowing(Action="*", Resource="arn:1"),
            allowing(Action="*", Resource="arn:1").replace("Statement", "\\u0053tatement"),
        )
    ),
    (
        "no-wildcard-resource",
        edited(
            ROLE_POLICY,
            "",
            statement(
                Action="dynamodb:GetItem",
                Resource="arn:aws:dynamodb:us-east-1:123456789012:table/${aws:PrincipalTag/table}",
            ),
        ),
        ("RolePolicy", "${aws:PrincipalTag/table}"),
    ),
    *(
        ("tables-in-the-stack", break_, ("s3://other/",))
        for break_ in (
            changed(
                CATALOG_TABLE,
                storageDescriptor={"additionalLocations": ["s3://other/"]},
            ),
            changed(CATALOG_DATABASE, locationUri="s3://other/"),
        )
    ),
    ("objects-kept", lifecycle(expiration={"days": 1}), ("rules[0].expiration.days is 1",)),
    *(
        ("objects-kept", lifecycle(filter={"prefix": prefix}, transitions=[{"days": 1}]), ("moves", shown))
        for prefix, shown in (("processed/", "processed/"), ("p", "p"), ("", "every object"))
    ),
    *(
        ("objects-kept", lifecycle(**place, transitions=[{"days": 1}]), ("rules[0] moves processed/",))
        for place in (
            {"filter": {"and": {"prefix": "processed/", "objectSizeGreaterThan": 1}}},
            {"filter": None, "prefix": "processed/"},
        )
    ),
    # Permissions
    (
        "no-wildcard-action",
        edited(ROLE_POLICY, "", statement(Action="dynamodb:*", Resource="arn:1")),
        ("RolePolicy", "dynamodb:*"),
    ),
    (
        "no-wildcard-action",
        edited(ROLE_POLICY, "", statement(NotAction="iam:*", Resource="arn:1")),
        ("RolePolicy", "NotAction"),
    ),
    (
        "no-wildcard-action",
        edited(BUCKET_POLICY, "", statement(Principal={"AWS": "1"}, Action="s3:*", Resource="arn:1")),
        ("BucketPolicy", "s3:*"),
    ),
    (
        "no-wildcard-resource",
        edited(ROLE_POLICY, "", statement(Action="s3:GetObject", Resource="*")),
        ("RolePolicy", "s3:GetObject on *"),
    ),
    (
        "no-wildcard-resource",
        edited(ROLE_POLICY, "", statement(Action="s3:GetObject", Resource="arn:aws:s3:::analytics-*/*")),
        ("RolePolicy", "arn:aws:s3:::analytics-*/*"),
    ),
    (
        "no-wildcard-resource",
        edited(
            ROLE_POLICY,
            "",
            statement(Action="dynamodb:GetItem", Resource="arn:aws:dynamodb:us-east-1:123456789012:table/*"),
        ),
        ("RolePolicy", "table/*"),
    ),
    (
        "no-managed-policy",
        with_one_more(
            "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
            policyArn="arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
        ),
        ("RolePolicyAttachment", "AWSLambdaBasicExecutionRole"),
    ),
    *(
        ("no-managed-policy", with_one_more(type_, policyArn=ADMINISTRATOR), (type_, ADMINISTRATOR))
        for type_ in (
            "aws:iam/userPolicyAttachment:UserPolicyAttachment",
            "aws:iam/groupPolicyAttachment:GroupPolicyAttachment",
        )
    ),
    (
        "no-wildcard-resource",
        edited(ROLE_POLICY, "", statement(Action="ec2:CreateNetworkInterface", Resource="*")),
        ("RolePolicy", "ec2:CreateNetworkInterface on *"),
    ),
    (
        "no-wildcard-resource",
        edited(
            ROLE_POLICY,
            "",
            statement(Action="ec2:CreateNetworkInterface", Resource="arn:aws:ec2:us-east-1:123456789012:*/*"),
        ),
        ("RolePolicy", "ec2:CreateNetworkInterface on arn:aws:ec2:us-east-1:123456789012:*/*"),
    ),
    (
        "no-public-policy",
        with_one_more("aws:lambda/layerVersionPermission:LayerVersionPermission", principal="*"),
        ("LayerVersionPermission", "principal is *"),
    ),
    (
        "role-trust",
        edited(
            ROLE,
            "",
            statement(Principal={"AWS": "arn:aws:iam::123456789012:root"}, Action="sts:AssumeRole"),
            document="assumeRolePolicy",
        ),
        ("Role", "trusts AWS arn:aws:iam::123456789012:root"),
    ),
    (
        "role-trust",
        edited(
            ROLE,
            "",
            statement(Principal={"Service": "ec2.amazonaws.com"}, Action="sts:AssumeRole"),
            document="assumeRolePolicy",
        ),
        ("Role", "trusts Service ec2.amazonaws.com"),
    ),
    (
        "key-use-bound",
        edited(ROLE_POLICY, "", statement(Action="kms:Decrypt", Resource="arn:1")),
        ("RolePolicy", "kms:Decrypt"),
    ),
    # What is kept
    ("log-retention", changed(LOG_GROUP, retentionInDays=None), ("LogGroup", "retentionInDays is None")),
    ("log-retention", changed(LOG_GROUP, retentionInDays=0.0), ("LogGroup", "retentionInDays is 0")),
    ("function-log-group", without(LOG_GROUP), ("Function", "/aws/lambda/analytics-etl-us-east-1-dev")),
    (
        "function-log-group",
        changed(FUNCTION, loggingConfig={"logGroup": "/aws/lambda/other"}),
        ("Function", "/aws/lambda/other"),
    ),
    ("bucket-versioning", without(VERSIONING), ("Bucket", "no BucketVersioning")),
    (
        "bucket-versioning",
        changed(VERSIONING, versioningConfiguration={"status": "Suspended"}),
        ("BucketVersioning", "Suspended"),
    ),
    ("bucket-lifecycle", without(LIFECYCLE), ("Bucket", "no BucketLifecycleConfiguration")),
    ("bucket-lifecycle", changed(LIFECYCLE, rules=[]), ("noncurrentVersionExpiration",)),
    (
        "bucket-lifecycle",
        changed(LIFECYCLE, rules=[{"status": "Disabled", "abortIncompleteMultipartUpload": {"days": 1}}]),
        ("abortIncompleteMultipartUpload",),
    ),
    (
        "table-recovery",
        changed(TABLE, pointInTimeRecovery=None),
        ("Table", "pointInTimeRecovery.enabled is None"),
    ),
    ("data-protected", with_one_more("aws:kms/key:Key"), ("Key", "protect is False")),
    ("data-protected", unprotected(BUCKET), ("Bucket", "protect is False")),
    ("data-protected", unprotected(TABLE), ("Table", "protect is False")),
    ("data-protected", unprotected(QUEUE), ("Queue", "protect is False")),
    ("data-protected", unprotected(LOG_GROUP), ("LogGroup", "protect is False")),
    ("data-protected", changed(BUCKET, forceDestroy=True), ("Bucket", "forceDestroy is True")),
    (
        "data-protected",
        changed(TABLE, deletionProtectionEnabled=False),
        ("deletionProtectionEnabled is False",),
    ),
    (
        "dead-letters-kept",
        changed(QUEUE, "ingestion-dlq", messageRetentionSeconds=345600.0),
        ("dlq", "keeps messages 4 days, its source 4"),
    ),
    # What AWS refuses
    (
        "ec2-descriptions",
        changed("ec2/securityGroup:SecurityGroup", description="To this region's S3"),
        ("SecurityGroup", "this region's S3"),
    ),
    (
        "ec2-descriptions",
        changed(EGRESS, description="to S3 \u2013 only"),
        ("EgressRule", "to S3 \u2013 only"),
    ),
    (
        "ec2-descriptions",
        changed("ec2/securityGroup:SecurityGroup", egress=[{"description": "a" * 256}]),
        ("SecurityGroup", "egress[0].description"),
    ),
    *(
        ("lambda-role-check", edited(ROLE_POLICY, "interface", broken), ("Role ", f"not allow {action}"))
        for action, broken in {
            "ec2:DeleteNetworkInterface": interfaces_named,
            "ec2:UnassignPrivateIpAddresses": interfaces_named,
            "ec2:DescribeSubnets": region_demanded,
        }.items()
    ),
    ("lambda-role-check", without(ROLE_POLICY, "role-policy"), ("not allow ec2:CreateNetworkInterface",)),
    ("bucket-name-owned", changed(BUCKET, bucketNamespace=None), ("Bucket", "bucketNamespace is None")),
    (
        "bucket-name-owned",
        changed(BUCKET, bucket="analytics-bucket-us-east-1-dev"),
        ("Bucket", "analytics-bucket-us-east-1-dev"),
    ),
    ("account-wide-names", changed(ROLE, name="analytics-role"), ("Role", "name is analytics-role")),
    (
        "account-wide-names",
        changed("cloudwatch/dashboard:Dashboard", dashboardName="monitoring"),
        ("Dashboard", "dashboardName is monitoring"),
    ),
    # Tables and workgroups
    *(
        ("tables-in-the-stack", break_, (part,))
        for break_, part in (
            (
                changed(CATALOG_TABLE, "flights", storageDescriptor={"location": "s3://other/x/"}),
                "s3://other/",
            ),
            (changed(CATALOG_TABLE, "flights", storageDescriptor={"location": "s3://other"}), "s3://other"),
            (
                changed(CATALOG_TABLE, parameters={"storage.location.template": "s3://o/x=${x}/"}),
                "template is",
            ),
        )
    ),
    ("catalog-names", changed(CATALOG_TABLE, name="Flights"), ("name is 'Flights'",)),
    ("catalog-names", changed(CATALOG_DATABASE, name="a-b"), ("name is 'a-b'",)),
    (
        "catalog-names",
        changed(CATALOG_TABLE, partitionKeys=[{"name": "D"}]),
        ("partitionKeys[0].name is 'D'",),
    ),
    ("table-readable", changed(CATALOG_TABLE, tableType=None), ("tableType is None",)),
    (
        "table-readable",
        changed(CATALOG_TABLE, tableType="VIRTUAL_VIEW", partitionKeys=None),
        ("partitionKeys is None",),
    ),
    (
        "table-readable",
        changed(CATALOG_TABLE, partitionKeys=[{"name": "d"}], parameters={"projection.enabled": "true"}),
        ("projection.d.type",),
    ),
    *(
        ("workgroup-accepted", with_one_more("aws:athena/workgroup:Workgroup", **broken), (names,))
        for names, broken in {
            "bytesScannedCutoffPerQuery is 5": {"configuration": {"bytesScannedCutoffPerQuery": 5}},
            "outputLocation is s3://a/": {
                "configuration": {"resultConfiguration": {"outputLocation": "s3://a/"}}
            },
            "selectedEngineVersion is None": {"configuration": {}},
            "forceDestroy is None": {},
        }.items()
    ),
    *(
        (
            "no-wildcard-resource",
            edited(READER, "flights", statement(Action=action, Resource=f"arn:aws:{service}:{resource}")),
            (resource,),
        )
        for action, service, resource in (
            ("athena:GetWorkGroup", "athena", "us-east-1:123456789012:workgroup/*"),
            ("athena:GetWorkGroup", "athena", "us-east-1:123456789012:workgroup/analytics-*"),
            ("glue:GetTable", "glue", "us-east-1:123456789012:table/*/*"),
            ("glue:GetTable", "glue", "us-east-1:123456789012:table/analytics_*/flights"),
            ("glue:GetDatabase", "glue", "us-east-1:123456789012:database/*"),
        )
    ),
    # Tags
    ("tagged", changed(QUEUE, "queue", tags={"Name": "queue"}), ("Queue", "tag Environment is missing")),
    ("tagged", changed(ROLE, tags=None), ("Role", "tag Name is missing")),
]


@pytest.mark.parametrize(("region", "customer_managed_key"), every())
def test_stack_keeps_every_rule(region: str, customer_managed_key: bool) -> None:
    stack = evaluated(region, customer_managed_key=customer_managed_key)
    assert [str(violation) for violation in violations(stack)] == []


@pytest.mark.parametrize(
    ("rule", "break_", "expected"),
    BROKEN,
    ids=[f"{rule}-{index}" for index, (rule, *_) in enumerate(BROKEN)],
)
def test_violation_is_reported_with_its_resource_and_value(
    rule: str, break_: Break, expected: tuple[str, ...]
) -> None:
    (asked,) = (one for one in RULES if one.name == rule)
    reported = [str(violation) for violation in asked.violations(break_(evaluated("us-east-1")))]
    assert any(all(part in message for part in expected) for message in reported), reported


def test_every_rule_has_a_violation_here() -> None:
    assert {rule for rule, *_ in BROKEN} == {rule.name for rule in RULES}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_rule_says_why(rule: Rule) -> None:
    assert rule.description.endswith(".")


def test_all_rules_but_that_of_costs_stop_a_deployment() -> None:
    assert [rule.name for rule in RULES if rule.level != "mandatory"] == ["bucket-lifecycle"]


def test_customer_managed_key_must_encrypt_all_data() -> None:
    stack = evaluated("us-east-1", customer_managed_key=True)
    key = next(stack.of("aws:kms/key:Key")).at("arn")
    for type_, change in (
        (
            BUCKET_ENCRYPTION,
            {"rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}]},
        ),
        (FUNCTION, {"kmsKeyArn": None}),
        (LOG_GROUP, {"kmsKeyId": None}),
        (QUEUE, {"kmsMasterKeyId": None, "sqsManagedSseEnabled": True}),
        (TABLE, {"serverSideEncryption": None}),
        (TABLE, {"serverSideEncryption": {"enabled": False, "kmsKeyArn": key}}),
        ("sns/topic:Topic", {"kmsMasterKeyId": "alias/other"}),
        (
            "athena/workgroup:Workgroup",
            {"configuration": {"managedQueryResultsConfiguration": {"enabled": True}}},
        ),
    ):
        reported = [
            str(one) for one in violations(changed(type_, **change)(stack)) if one.rule == "key-everywhere"
        ]
        assert len(reported) == 1, type_
        assert type_ in reported[0]


@pytest.mark.parametrize(
    "place",
    [
        {"filter": {"and": {"prefix": "input/", "objectSizeGreaterThan": 1}}},
        {"filter": None, "prefix": "input/"},
    ],
)
def test_uploads_may_move_wherever_the_rule_names_them(place: dict[str, Any]) -> None:
    (asked,) = (one for one in RULES if one.name == "objects-kept")
    moving = lifecycle(**place, transitions=[{"days": 1}])(evaluated("us-east-1"))
    assert [str(violation) for violation in asked.violations(moving)] == []


@pytest.mark.parametrize(
    "change",
    [
        denial("NoOutdatedTls", Action=["S3:*"], Condition={"NumericLessThan": {"S3:TLSVERSION": ["1.2"]}}),
        denial("NoCustomerProvidedKeys", Action="*", Principal={"AWS": "*"}),
        denial("NoDeletesForGood", Condition={"ArnNotEquals": {"aws:PrincipalArn": [A_ROLE]}}),
        lambda stack: unprotected(BUCKET)(denial("NoDeletesForGood")(stack)),
        changed(BUCKET_POLICY, policy=UNKNOWN),
    ],
)
def test_a_denial_may_be_written_in_other_words(change: Break) -> None:
    broken = violations(change(evaluated("us-east-1")))
    assert [str(one) for one in broken if one.rule != "data-protected"] == []


def test_principal_aws_star_is_everybody() -> None:
    public = edited(
        BUCKET_POLICY,
        "",
        statement(Principal={"AWS": ["*"]}, Action="s3:GetObject", Resource="arn:aws:s3:::b/*"),
    )
    reported = [one.rule for one in violations(public(evaluated("us-east-1")))]
    assert "no-public-policy" in reported


def test_case_of_actions_and_condition_keys_is_ignored() -> None:
    def fold(statements: list[dict[str, Any]]) -> None:
        for one in statements:
            actions = one["Action"]
            one["Action"] = [each.upper() for each in ([actions] if isinstance(actions, str) else actions)]
            one["Condition"] = {
                operator: {key.upper(): value for key, value in test.items()}
                for operator, test in one.get("Condition", {}).items()
            }

    stack = evaluated("us-east-1", customer_managed_key=True)
    for type_, part in (
        (QUEUE_POLICY, "queue-policy"),
        ("sns/topicPolicy:TopicPolicy", ""),
        ("kms/key:Key", ""),
        (ENDPOINT, "s3"),
        (ROLE_POLICY, "role-policy"),
        (ROLE_POLICY, "interface"),
    ):
        stack = edited(type_, part, fold)(stack)
    assert [str(violation) for violation in violations(stack)] == []


def test_policy_in_any_property_of_any_resource_is_read() -> None:
    document = json.dumps({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}})
    stack = with_one_more("aws:iam/policy:Policy", policy=document)(evaluated("us-east-1"))
    assert {"no-wildcard-action", "no-wildcard-resource"} <= {one.rule for one in violations(stack)}
