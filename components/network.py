"""The function's network: private subnets with routes only to the region's S3 and DynamoDB."""

import json
from dataclasses import dataclass

import pulumi
from pulumi_aws import ec2, vpc

from components.function_role import FunctionRole
from components.names import Names
from components.settings import Settings

HTTPS = 443


@dataclass(frozen=True, kw_only=True)
class NetworkArgs:
    """Inputs of `Network`.

    Attributes:
        names: Names and tags.
        settings: The stack's settings.
        bucket_arn: The only bucket that the endpoint policies allow.
        table_arn: The only table that they allow.
        role: The only role that they allow.
    """

    names: Names
    settings: Settings
    bucket_arn: pulumi.Input[str]
    table_arn: pulumi.Input[str]
    role: FunctionRole


class Network(pulumi.ComponentResource):
    """A VPC without internet gateway, NAT or peering, so no request can leave the region."""

    vpc_id: pulumi.Output[str]
    subnet_arns: list[pulumi.Output[str]]
    subnet_ids: list[pulumi.Output[str]]
    security_group_arn: pulumi.Output[str]
    security_group_id: pulumi.Output[str]

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("regional-analytics:index:Network", name, None, opts)
        self._name, self._names = name, args.names
        self._child = pulumi.ResourceOptions(parent=self)
        # Lambda needs the policy to release its interfaces in these resources, so it must be deleted last.
        self._before_policy = pulumi.ResourceOptions(parent=self, depends_on=[args.role.interface_policy])
        self._vpc = ec2.Vpc(
            f"{name}-vpc",
            cidr_block=args.settings.cidr_block,
            enable_dns_hostnames=True,
            enable_dns_support=True,
            tags=args.names.tags("vpc"),
            opts=self._child,
        )
        # The default security group of a VPC allows all traffic. Managing it without rules removes them.
        ec2.DefaultSecurityGroup(
            f"{name}-default-security-group",
            vpc_id=self._vpc.id,
            tags=args.names.tags("default-security-group"),
            opts=self._child,
        )
        route_table = ec2.RouteTable(
            f"{name}-route-table",
            vpc_id=self._vpc.id,
            tags=args.names.tags("route-table"),
            opts=self._child,
        )
        subnets = [
            self._add_subnet(zone, cidr_block, route_table)
            for zone, cidr_block in args.settings.subnet_cidr_blocks.items()
        ]
        security_group = ec2.SecurityGroup(
            f"{name}-security-group",
            # Pulumi chooses the name: with a fixed name, Pulumi would delete the group before it replaces it.
            # EC2 allows few special characters in a description, and no apostrophe.
            description="Function: HTTPS to S3 and DynamoDB of this region, nothing else",
            vpc_id=self._vpc.id,
            tags=args.names.tags("function"),
            opts=self._before_policy,
        )
        endpoints = {
            "s3": self._add_endpoint("s3", route_table, s3_endpoint_policy(args)),
            "dynamodb": self._add_endpoint("dynamodb", route_table, dynamodb_endpoint_policy(args)),
        }
        for service, endpoint in endpoints.items():
            vpc.SecurityGroupEgressRule(
                f"{name}-egress-{service}",
                security_group_id=security_group.id,
                description=f"HTTPS to {service} of this region",
                ip_protocol="tcp",
                from_port=HTTPS,
                to_port=HTTPS,
                prefix_list_id=endpoint.prefix_list_id,
                tags=args.names.tags(f"egress-{service}"),
                opts=self._child,
            )
        self.vpc_id = self._vpc.id
        self.subnet_arns = [subnet.arn for subnet in subnets]
        self.subnet_ids = [subnet.id for subnet in subnets]
        self.security_group_arn = security_group.arn
        self.security_group_id = security_group.id
        self.register_outputs(
            {
                "vpcId": self.vpc_id,
                "subnetIds": self.subnet_ids,
                "securityGroupId": self.security_group_id,
            }
        )

    def _add_subnet(self, zone: str, cidr_block: str, route_table: ec2.RouteTable) -> ec2.Subnet:
        kind = f"subnet-{zone.removeprefix(self._names.region)}"
        subnet = ec2.Subnet(
            f"{self._name}-{kind}",
            vpc_id=self._vpc.id,
            availability_zone=zone,
            cidr_block=cidr_block,
            map_public_ip_on_launch=False,
            tags=self._names.tags(kind),
            opts=self._before_policy,
        )
        ec2.RouteTableAssociation(
            f"{self._name}-{kind}-routes",
            subnet_id=subnet.id,
            route_table_id=route_table.id,
            opts=self._child,
        )
        return subnet

    def _add_endpoint(
        self, service: str, route_table: ec2.RouteTable, policy: pulumi.Output[str]
    ) -> ec2.VpcEndpoint:
        """Add a gateway endpoint, which is a free route to the service in this region."""
        return ec2.VpcEndpoint(
            f"{self._name}-{service}-endpoint",
            vpc_id=self._vpc.id,
            service_name=f"com.amazonaws.{self._names.region}.{service}",
            vpc_endpoint_type="Gateway",
            route_table_ids=[route_table.id],
            policy=policy,
            tags=self._names.tags(f"{service}-endpoint"),
            opts=self._child,
        )


def s3_endpoint_policy(args: NetworkArgs) -> pulumi.Output[str]:
    """Return a policy that allows the role the handler's calls to this stack's bucket."""
    actions = ["s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket", "s3:PutObject", "s3:DeleteObject"]
    return pulumi.Output.all(args.bucket_arn, args.role.arn).apply(
        lambda arns: _endpoint_policy(actions, [arns[0], f"{arns[0]}/*"], arns[1])
    )


def dynamodb_endpoint_policy(args: NetworkArgs) -> pulumi.Output[str]:
    """Return a policy that allows the role the handler's calls to this stack's table."""
    return pulumi.Output.all(args.table_arn, args.role.arn).apply(
        lambda arns: _endpoint_policy(["dynamodb:GetItem", "dynamodb:UpdateItem"], [arns[0]], arns[1])
    )


def _endpoint_policy(actions: list[str], resources: list[str], role_arn: str) -> str:
    # The principal of a gateway endpoint's policy must be "*", so a condition names the role (Amazon VPC user
    # guide, "Endpoint policies for gateway endpoints").
    statement = {
        "Sid": "ThisStackAlone",
        "Effect": "Allow",
        "Principal": "*",
        "Action": actions,
        "Resource": resources,
        "Condition": {"ArnEquals": {"aws:PrincipalArn": role_arn}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
