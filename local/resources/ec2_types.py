"""VPCs, subnets, route tables, endpoints and security groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.resources.resource_type import Call, Read, ResourceType, Tagging, Values

if TYPE_CHECKING:
    from local.resources.target import Target

_TAGGING = Tagging(
    tag=Call(operation="create_tags", parameters={"Resources": ["$id"]}, takes=frozenset({"tags"})),
    untag=Call(operation="delete_tags", parameters={"Resources": ["$id"], "Tags.Key": "$tagKeys"}),
    read=Read(
        operation="describe_tags",
        parameters={"Filters": [{"Name": "resource-id", "Values": ["$id"]}]},
        at="Tags[].{Key: Key, Value: Value}",
    ),
)


def _arn(kind: str) -> dict[str, str]:
    return {"arn": f"arn:$partition:ec2:$region:$account:{kind}/$id"}


def _attribute(operation: str, resource: str, name: str) -> Call:
    """Declare a call that changes one attribute: EC2 changes only one at a time."""
    return Call(operation=operation, parameters={resource: "$id"}, takes=frozenset({name}))


_VPC = ResourceType(
    pulumi_type="aws:ec2/vpc:Vpc",
    service="ec2",
    create=Call(operation="create_vpc"),
    identifier=".Vpc.VpcId",
    changes=(
        _attribute("modify_vpc_attribute", "VpcId", "enableDnsSupport"),
        _attribute("modify_vpc_attribute", "VpcId", "enableDnsHostnames"),
    ),
    reads=(
        Read(operation="describe_vpcs", parameters={"VpcIds": ["$id"]}, at="Vpcs[0]"),
        *(
            Read(operation="describe_vpc_attribute", parameters={"VpcId": "$id", "Attribute": attribute})
            for attribute in ("enableDnsSupport", "enableDnsHostnames")
        ),
    ),
    deletes=(Call(operation="delete_vpc", parameters={"VpcId": "$id"}),),
    tagging=_TAGGING,
    outputs=_arn("vpc"),
    replaced_by=frozenset({"cidrBlock"}),
)

_SUBNET = ResourceType(
    pulumi_type="aws:ec2/subnet:Subnet",
    service="ec2",
    create=Call(operation="create_subnet"),
    identifier=".Subnet.SubnetId",
    changes=(_attribute("modify_subnet_attribute", "SubnetId", "mapPublicIpOnLaunch"),),
    reads=(Read(operation="describe_subnets", parameters={"SubnetIds": ["$id"]}, at="Subnets[0]"),),
    deletes=(Call(operation="delete_subnet", parameters={"SubnetId": "$id"}),),
    tagging=_TAGGING,
    outputs=_arn("subnet"),
    replaced_by=frozenset({"vpcId", "availabilityZone", "cidrBlock"}),
)

_ROUTE_TABLE = ResourceType(
    pulumi_type="aws:ec2/routeTable:RouteTable",
    service="ec2",
    create=Call(operation="create_route_table"),
    identifier=".RouteTable.RouteTableId",
    reads=(
        Read(
            operation="describe_route_tables",
            parameters={"RouteTableIds": ["$id"]},
            at="RouteTables[0].{VpcId: VpcId, OwnerId: OwnerId}",
        ),
    ),
    deletes=(Call(operation="delete_route_table", parameters={"RouteTableId": "$id"}),),
    tagging=_TAGGING,
    outputs=_arn("route-table"),
    replaced_by=frozenset({"vpcId"}),
)

_ROUTE_TABLE_ASSOCIATION = ResourceType(
    pulumi_type="aws:ec2/routeTableAssociation:RouteTableAssociation",
    service="ec2",
    create=Call(operation="associate_route_table"),
    identifier=".AssociationId",
    reads=(
        Read(
            operation="describe_route_tables",
            parameters={"Filters": [{"Name": "association.route-table-association-id", "Values": ["$id"]}]},
            at="RouteTables[].Associations[] | [?RouteTableAssociationId=='$id'] | [0]",
        ),
    ),
    deletes=(Call(operation="disassociate_route_table", parameters={"AssociationId": "$id"}),),
    replaced_by=frozenset({"subnetId"}),
)

_VPC_ENDPOINT = ResourceType(
    pulumi_type="aws:ec2/vpcEndpoint:VpcEndpoint",
    service="ec2",
    create=Call(operation="create_vpc_endpoint"),
    identifier=".VpcEndpoint.VpcEndpointId",
    changes=(
        Call(
            operation="modify_vpc_endpoint",
            parameters={"VpcEndpointId": "$id"},
            takes=frozenset({"policy"}),
        ),
    ),
    reads=(
        Read(
            operation="describe_vpc_endpoints",
            parameters={"VpcEndpointIds": ["$id"]},
            at="VpcEndpoints[?State!='deleted'] | [0]",
        ),
        Read(
            operation="describe_managed_prefix_lists",
            parameters={"Filters": [{"Name": "prefix-list-name", "Values": ["$serviceName"]}]},
            at="PrefixLists[0].{PrefixListId: PrefixListId}",
            optional=True,
        ),
    ),
    deletes=(Call(operation="delete_vpc_endpoints", parameters={"VpcEndpointIds": ["$id"]}),),
    tagging=_TAGGING,
    renames={"policy": "PolicyDocument"},
    outputs=_arn("vpc-endpoint"),
    replaced_by=frozenset({"vpcId", "serviceName", "vpcEndpointType"}),
)


def _create_security_group(target: Target, values: Values) -> dict[str, Any]:
    """Create a group without rules: the provider revokes the default rule that allows all egress."""
    ec2 = target.service("ec2")
    created = ec2.create_security_group(
        GroupName=values["name"], Description=values["description"], VpcId=values["vpcId"]
    )
    _revoke_rules(ec2, created["GroupId"])
    return created


def _adopt_default_security_group(target: Target, values: Values) -> dict[str, Any]:
    """Adopt the VPC's default group, and revoke its rules."""
    ec2 = target.service("ec2")
    filters = [{"Name": "vpc-id", "Values": [values["vpcId"]]}, {"Name": "group-name", "Values": ["default"]}]
    (group,) = ec2.describe_security_groups(Filters=filters)["SecurityGroups"]
    _revoke_rules(ec2, group["GroupId"])
    return group


def _revoke_rules(ec2: Any, group_id: str) -> None:  # noqa: ANN401 - boto3
    group = ec2.describe_security_groups(GroupIds=[group_id])["SecurityGroups"][0]
    if group["IpPermissions"]:
        ec2.revoke_security_group_ingress(GroupId=group_id, IpPermissions=group["IpPermissions"])
    if group["IpPermissionsEgress"]:
        ec2.revoke_security_group_egress(GroupId=group_id, IpPermissions=group["IpPermissionsEgress"])


_READ_GROUP = Read(
    operation="describe_security_groups",
    parameters={"GroupIds": ["$id"]},
    # Its rules are separate resources.
    at="SecurityGroups[0].{GroupName: GroupName, Description: Description, VpcId: VpcId, OwnerId: OwnerId}",
)

_SECURITY_GROUP = ResourceType(
    pulumi_type="aws:ec2/securityGroup:SecurityGroup",
    service="ec2",
    create=_create_security_group,
    identifier=".GroupId",
    reads=(_READ_GROUP,),
    deletes=(Call(operation="delete_security_group", parameters={"GroupId": "$id"}, takes=frozenset()),),
    tagging=_TAGGING,
    renames={"name": "GroupName"},
    outputs=_arn("security-group"),
    defaults={"description": "Managed by Pulumi"},
    name="name",
    replaced_by=frozenset({"description", "vpcId"}),
    provider_only=frozenset({"name", "vpcId"}),
)

_DEFAULT_SECURITY_GROUP = ResourceType(
    pulumi_type="aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
    service="ec2",
    create=_adopt_default_security_group,
    identifier=".GroupId",
    reads=(_READ_GROUP,),
    tagging=_TAGGING,
    renames={"name": "GroupName"},
    outputs=_arn("security-group"),
    replaced_by=frozenset({"vpcId"}),
    provider_only=frozenset({"vpcId"}),
)

_RULE = {
    "securityGroupId": "GroupId",
    "ipProtocol": "IpPermissions.IpProtocol",
    "fromPort": "IpPermissions.FromPort",
    "toPort": "IpPermissions.ToPort",
    "prefixListId": "IpPermissions.PrefixListIds.PrefixListId",
    "description": "IpPermissions.PrefixListIds.Description",
}

_EGRESS_RULE = ResourceType(
    pulumi_type="aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
    service="ec2",
    create=Call(operation="authorize_security_group_egress", takes=frozenset(_RULE), renames=_RULE),
    identifier=".SecurityGroupRules[0].SecurityGroupRuleId",
    changes=(
        Call(
            operation="modify_security_group_rules",
            parameters={"GroupId": "$securityGroupId", "SecurityGroupRules.SecurityGroupRuleId": "$id"},
            takes=frozenset(_RULE) - {"securityGroupId"},
            renames={
                "ipProtocol": "SecurityGroupRules.SecurityGroupRule.IpProtocol",
                "fromPort": "SecurityGroupRules.SecurityGroupRule.FromPort",
                "toPort": "SecurityGroupRules.SecurityGroupRule.ToPort",
                "prefixListId": "SecurityGroupRules.SecurityGroupRule.PrefixListId",
                "description": "SecurityGroupRules.SecurityGroupRule.Description",
            },
        ),
    ),
    reads=(
        Read(
            operation="describe_security_group_rules",
            parameters={"SecurityGroupRuleIds": ["$id"]},
            at="SecurityGroupRules[0]",
        ),
    ),
    deletes=(
        Call(
            operation="revoke_security_group_egress",
            parameters={"GroupId": "$securityGroupId", "SecurityGroupRuleIds": ["$id"]},
            takes=frozenset(),
        ),
    ),
    tagging=_TAGGING,
    renames={"securityGroupId": "GroupId", "securityGroupRuleId": "SecurityGroupRuleId"},
    outputs=_arn("security-group-rule"),
    replaced_by=frozenset({"securityGroupId"}),
)

TYPES = (
    _VPC,
    _SUBNET,
    _ROUTE_TABLE,
    _ROUTE_TABLE_ASSOCIATION,
    _VPC_ENDPOINT,
    _SECURITY_GROUP,
    _DEFAULT_SECURITY_GROUP,
    _EGRESS_RULE,
)
