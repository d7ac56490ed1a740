"""VPC, subnets, routes, endpoints and security groups."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from local.resources.target import given, key_values

if TYPE_CHECKING:
    from local.resources.target import Creator, Inputs, Outputs, Target

ACCOUNT = "123456789012"


def _create_vpc(target: Target, inputs: Inputs) -> Outputs:
    ec2 = target.client("ec2")
    created = ec2.create_vpc(CidrBlock=inputs["cidrBlock"], TagSpecifications=_tags("vpc", inputs))["Vpc"]
    for attribute, name in (
        ("enableDnsSupport", "EnableDnsSupport"),
        ("enableDnsHostnames", "EnableDnsHostnames"),
    ):
        if attribute in inputs:
            ec2.modify_vpc_attribute(VpcId=created["VpcId"], **{name: {"Value": inputs[attribute]}})
    return _identified(target, "vpc", created["VpcId"])


def _create_subnet(target: Target, inputs: Inputs) -> Outputs:
    created = target.client("ec2").create_subnet(
        VpcId=inputs["vpcId"],
        CidrBlock=inputs["cidrBlock"],
        AvailabilityZone=inputs["availabilityZone"],
        TagSpecifications=_tags("subnet", inputs),
    )["Subnet"]
    target.client("ec2").modify_subnet_attribute(
        SubnetId=created["SubnetId"], MapPublicIpOnLaunch={"Value": inputs.get("mapPublicIpOnLaunch", False)}
    )
    return _identified(target, "subnet", created["SubnetId"])


def _create_route_table(target: Target, inputs: Inputs) -> Outputs:
    created = target.client("ec2").create_route_table(
        VpcId=inputs["vpcId"], TagSpecifications=_tags("route-table", inputs)
    )["RouteTable"]
    return _identified(target, "route-table", created["RouteTableId"])


def _create_route_table_association(target: Target, inputs: Inputs) -> Outputs:
    created = target.client("ec2").associate_route_table(
        RouteTableId=inputs["routeTableId"], SubnetId=inputs["subnetId"]
    )
    return {"id": created["AssociationId"]}


def _create_vpc_endpoint(target: Target, inputs: Inputs) -> Outputs:
    ec2 = target.client("ec2")
    created = ec2.create_vpc_endpoint(
        VpcId=inputs["vpcId"],
        ServiceName=inputs["serviceName"],
        VpcEndpointType=inputs.get("vpcEndpointType", "Gateway"),
        RouteTableIds=inputs.get("routeTableIds", []),
        TagSpecifications=_tags("vpc-endpoint", inputs),
        **given(PolicyDocument=inputs.get("policy")),
    )["VpcEndpoint"]
    prefix_lists = ec2.describe_managed_prefix_lists(
        Filters=[{"Name": "prefix-list-name", "Values": [inputs["serviceName"]]}]
    )["PrefixLists"]
    return {
        **_identified(target, "vpc-endpoint", created["VpcEndpointId"]),
        "prefixListId": prefix_lists[0]["PrefixListId"],
    }


def _create_security_group(target: Target, inputs: Inputs) -> Outputs:
    """A new group allows all egress; the provider takes that rule away unless the program asks for it."""
    ec2 = target.client("ec2")
    name = inputs.get("name") or f"security-group-{uuid.uuid4().hex[:7]}"  # as Pulumi names what has no name
    group_id = ec2.create_security_group(
        GroupName=name,
        Description=inputs["description"],
        VpcId=inputs["vpcId"],
        TagSpecifications=_tags("security-group", inputs),
    )["GroupId"]
    _revoke_all(ec2, group_id)
    return {**_identified(target, "security-group", group_id), "name": name}


def _create_default_security_group(target: Target, inputs: Inputs) -> Outputs:
    """The VPC's own group, taken over and emptied."""
    ec2 = target.client("ec2")
    filters = [{"Name": "vpc-id", "Values": [inputs["vpcId"]]}, {"Name": "group-name", "Values": ["default"]}]
    group_id = ec2.describe_security_groups(Filters=filters)["SecurityGroups"][0]["GroupId"]
    _revoke_all(ec2, group_id)
    ec2.create_tags(Resources=[group_id], Tags=key_values(inputs.get("tags")))
    return _identified(target, "security-group", group_id)


def _create_egress_rule(target: Target, inputs: Inputs) -> Outputs:
    permission = given(
        IpProtocol=inputs["ipProtocol"],
        FromPort=inputs.get("fromPort"),
        ToPort=inputs.get("toPort"),
        PrefixListIds=[
            {"PrefixListId": inputs["prefixListId"], "Description": inputs.get("description", "")}
        ],
    )
    created = target.client("ec2").authorize_security_group_egress(
        GroupId=inputs["securityGroupId"],
        IpPermissions=[permission],
        TagSpecifications=_tags("security-group-rule", inputs),
    )["SecurityGroupRules"][0]
    return _identified(target, "security-group-rule", created["SecurityGroupRuleId"])


def _revoke_all(ec2: Any, group_id: str) -> None:  # noqa: ANN401 - boto3
    group = ec2.describe_security_groups(GroupIds=[group_id])["SecurityGroups"][0]
    if group["IpPermissions"]:
        ec2.revoke_security_group_ingress(GroupId=group_id, IpPermissions=group["IpPermissions"])
    if group["IpPermissionsEgress"]:
        ec2.revoke_security_group_egress(GroupId=group_id, IpPermissions=group["IpPermissionsEgress"])


def _tags(kind: str, inputs: Inputs) -> list[dict[str, Any]]:
    return [{"ResourceType": kind, "Tags": key_values(inputs.get("tags"))}] if inputs.get("tags") else []


def _identified(target: Target, kind: str, identifier: str) -> Outputs:
    return {"id": identifier, "arn": f"arn:aws:ec2:{target.region}:{ACCOUNT}:{kind}/{identifier}"}


CREATORS: dict[str, Creator] = {
    "aws:ec2/vpc:Vpc": _create_vpc,
    "aws:ec2/subnet:Subnet": _create_subnet,
    "aws:ec2/routeTable:RouteTable": _create_route_table,
    "aws:ec2/routeTableAssociation:RouteTableAssociation": _create_route_table_association,
    "aws:ec2/vpcEndpoint:VpcEndpoint": _create_vpc_endpoint,
    "aws:ec2/securityGroup:SecurityGroup": _create_security_group,
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": _create_default_security_group,
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": _create_egress_rule,
}
