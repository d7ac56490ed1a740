"""The function's network has no connection to or from other networks."""

from collections.abc import Iterator

from .documents import ENDPOINTS, statements
from .model import UNKNOWN, Resource, Stack, resource_rule, stack_rule

FUNCTION = "aws:lambda/function:Function"
VPC_ENDPOINT = "aws:ec2/vpcEndpoint:VpcEndpoint"
VPC_ENDPOINT_POLICY = "aws:ec2/vpcEndpointPolicy:VpcEndpointPolicy"
SECURITY_GROUPS = (
    "aws:ec2/securityGroup:SecurityGroup",
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
)
SECURITY_GROUP_RULES = (
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
    "aws:ec2/securityGroupRule:SecurityGroupRule",
)

NETWORK_MODULES = (
    "aws:alb/",
    "aws:apigateway/",
    "aws:apigatewayv2/",
    "aws:directconnect/",
    "aws:ec2/",
    "aws:ec2clientvpn/",
    "aws:ec2transitgateway/",
    "aws:elb/",
    "aws:lb/",
    "aws:networkmanager/",
    "aws:verifiedaccess/",
    "aws:vpc/",
    "aws:vpclattice/",
    "aws:vpn/",
)
CLOSED_PARTS = frozenset(
    {
        "aws:ec2/defaultNetworkAcl:DefaultNetworkAcl",
        "aws:ec2/defaultRouteTable:DefaultRouteTable",
        "aws:ec2/flowLog:FlowLog",
        "aws:ec2/mainRouteTableAssociation:MainRouteTableAssociation",
        "aws:ec2/networkAcl:NetworkAcl",
        "aws:ec2/networkAclAssociation:NetworkAclAssociation",
        "aws:ec2/networkAclRule:NetworkAclRule",
        "aws:ec2/routeTable:RouteTable",
        "aws:ec2/routeTableAssociation:RouteTableAssociation",
        "aws:ec2/subnet:Subnet",
        "aws:ec2/vpc:Vpc",
        "aws:ec2/vpcBlockPublicAccessOptions:VpcBlockPublicAccessOptions",
        "aws:ec2/vpcEndpointRouteTableAssociation:VpcEndpointRouteTableAssociation",
        VPC_ENDPOINT,
        VPC_ENDPOINT_POLICY,
        *SECURITY_GROUPS,
        *SECURITY_GROUP_RULES,
    }
)
"""Types of network resources that alone open no connection; other rules check their properties."""


@resource_rule()
def network_parts(resource: Resource, _region: str) -> Iterator[str]:
    """Gateways, peerings, tunnels and public addresses connect a network, so an allowlist applies."""
    if resource.type.startswith(NETWORK_MODULES) and resource.type not in CLOSED_PARTS:
        yield f"{resource.type} is not on the list of network resources without outside connections"


@resource_rule("aws:ec2/routeTable:RouteTable", "aws:ec2/defaultRouteTable:DefaultRouteTable")
def network_routes(table: Resource, _region: str) -> Iterator[str]:
    """Without a route out of the network, no request can reach another region."""
    for route in table.listed("routes"):
        target = next((value for key, value in route.items() if key.endswith(("Id", "Arn")) and value), None)
        is_endpoint = target is UNKNOWN or str(target).startswith("vpce-")
        if not is_endpoint:
            yield f"routes {_destination(route)} to {target}; only gateway endpoints may add routes"
    if gateways := table.listed("propagatingVgws"):
        yield f"propagatingVgws is {gateways}; set none"


@resource_rule("aws:ec2/subnet:Subnet", "aws:ec2/vpc:Vpc")
def network_addresses(part: Resource, _region: str) -> Iterator[str]:
    """Resources in the network must not have public addresses."""
    for name in ("mapPublicIpOnLaunch", "assignIpv6AddressOnCreation", "assignGeneratedIpv6CidrBlock"):
        if part.at(name) not in (None, False, UNKNOWN):
            yield f"{name} is {part.at(name)}; set it to false"
    for name in ("customerOwnedIpv4Pool", "ipv6CidrBlock", "ipv6IpamPoolId"):
        if part.at(name) not in (None, "", UNKNOWN):
            yield f"{name} is {part.at(name)}; use private IPv4 addresses only"


@resource_rule(*SECURITY_GROUPS, *SECURITY_GROUP_RULES)
def network_security_groups(resource: Resource, _region: str) -> Iterator[str]:
    """Security groups allow TLS connections to the region's S3 and DynamoDB, and no incoming connection."""
    if resource.type in SECURITY_GROUP_RULES:
        opens_in = "Ingress" in resource.type or resource.at("type") == "ingress"
        yield from _faults(dict(resource.properties), opens_in=opens_in)
        return
    for rule in resource.listed("ingress"):
        yield from _faults(rule, opens_in=True)
    for rule in resource.listed("egress"):
        yield from _faults(rule, opens_in=False)


@resource_rule("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup")
def network_default_group(group: Resource, _region: str) -> Iterator[str]:
    """Resources without a security group get the default one, which must allow nothing."""
    for name in ("ingress", "egress"):
        if rules := group.listed(name):
            yield f"{name} is {rules}; remove them"


@stack_rule()
def network_closes_default_group(stack: Stack) -> Iterator[tuple[Resource | None, str]]:
    """AWS creates a default security group that allows all outgoing traffic, so the stack must manage it."""
    for vpc in stack.of("aws:ec2/vpc:Vpc"):
        if not stack.attached(vpc, "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", by="vpcId"):
            yield vpc, "no DefaultSecurityGroup manages its default security group"


@resource_rule(*ENDPOINTS)
def network_endpoint_policies(endpoint: Resource, region: str) -> Iterator[str]:
    """An endpoint policy allows only the stack's bucket and table, so that data cannot leave through it."""
    kind = endpoint.at("vpcEndpointType")
    if endpoint.type == VPC_ENDPOINT and kind not in (None, "Gateway", UNKNOWN):
        yield f"vpcEndpointType is {kind}; use gateway endpoints of {region}"
    for path, statement in statements(endpoint):
        for resource in statement.resources if statement.allows else ():
            if resource.split("/")[0].endswith("*") or "*" in resource.removesuffix("/*"):
                yield f"{path} allows {resource}; name the stack's own bucket or table"


@stack_rule()
def network_endpoints_limited(stack: Stack) -> Iterator[tuple[Resource | None, str]]:
    """An endpoint without a policy allows every bucket and table of the region, in any account."""
    for endpoint in stack.of(VPC_ENDPOINT):
        attached = stack.attached(endpoint, VPC_ENDPOINT_POLICY, by="vpcEndpointId")
        if endpoint.at("policy") is None and not attached:
            yield endpoint, "has no policy, so it allows any bucket or table"


@resource_rule(FUNCTION)
def function_in_network(function: Resource, _region: str) -> Iterator[str]:
    """A function outside the network can connect to the internet."""
    for name in ("subnetIds", "securityGroupIds"):
        if function.at("vpcConfig", name) in (None, []):
            yield f"vpcConfig.{name} is {function.at('vpcConfig', name)}; name the stack's own"


def _faults(rule: dict, *, opens_in: bool) -> Iterator[str]:
    if opens_in:
        yield f"allows {_destination(rule)} in; remove the rule"
        return
    for name in ("cidrBlocks", "ipv6CidrBlocks", "cidrIpv4", "cidrIpv6"):
        if rule.get(name) not in (None, [], "", UNKNOWN):
            yield f"allows traffic out to {name} {rule[name]}; name the endpoints' prefix lists"
    protocol = rule.get("protocol", rule.get("ipProtocol"))
    ports = (rule.get("fromPort"), rule.get("toPort"))
    if UNKNOWN not in (protocol, *ports) and (protocol != "tcp" or ports != (443, 443)):
        yield f"allows {protocol} ports {ports[0]} to {ports[1]} out; allow TCP 443 only"


def _destination(rule: dict) -> str:
    names = (
        *("cidrBlock", "ipv6CidrBlock", "destinationPrefixListId"),
        *("cidrBlocks", "ipv6CidrBlocks", "cidrIpv4", "cidrIpv6", "prefixListIds", "prefixListId"),
        *("securityGroups", "sourceSecurityGroupId", "referencedSecurityGroupId", "self"),
    )
    return next((f"{name} {rule[name]}" for name in names if rule.get(name)), "traffic")
