"""The function's network has no way out of the region and no way in."""

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
"""The parts of a network that open no way out by existing; other rules look at what they hold."""


@resource_rule()
def network_parts(resource: Resource, _region: str) -> Iterator[str]:
    """A gateway, peering, tunnel, public address or route opens a way out; only closed parts are used."""
    if resource.type.startswith(NETWORK_MODULES) and resource.type not in CLOSED_PARTS:
        yield f"{resource.type} is not among the parts of a network without a way out or in"


@resource_rule("aws:ec2/routeTable:RouteTable", "aws:ec2/defaultRouteTable:DefaultRouteTable")
def network_routes(table: Resource, _region: str) -> Iterator[str]:
    """Without a route beyond the network a request for another region has nowhere to go."""
    for route in table.listed("routes"):
        target = next((value for key, value in route.items() if key.endswith(("Id", "Arn")) and value), None)
        is_endpoint = target is UNKNOWN or str(target).startswith("vpce-")
        if not is_endpoint:
            yield f"routes {_destination(route)} to {target}; only the gateway endpoints add routes"
    if gateways := table.listed("propagatingVgws"):
        yield f"propagatingVgws is {gateways}; routes come from nowhere else"


@resource_rule("aws:ec2/subnet:Subnet", "aws:ec2/vpc:Vpc")
def network_addresses(part: Resource, _region: str) -> Iterator[str]:
    """A public address is half of a way in and out."""
    for name in ("mapPublicIpOnLaunch", "assignIpv6AddressOnCreation", "assignGeneratedIpv6CidrBlock"):
        if part.at(name) not in (None, False, UNKNOWN):
            yield f"{name} is {part.at(name)}; a private network leaves it false"
    for name in ("customerOwnedIpv4Pool", "ipv6CidrBlock", "ipv6IpamPoolId"):
        if part.at(name) not in (None, "", UNKNOWN):
            yield f"{name} is {part.at(name)}; a private network has private IPv4 addresses only"


@resource_rule(*SECURITY_GROUPS, *SECURITY_GROUP_RULES)
def network_security_groups(resource: Resource, _region: str) -> Iterator[str]:
    """The function may open TLS connections to its region's S3 and DynamoDB; nobody may connect to it."""
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
    """What forgets to name a security group gets the default one, which must allow nothing."""
    for name in ("ingress", "egress"):
        if rules := group.listed(name):
            yield f"{name} is {rules}; the default security group has no rules"


@stack_rule()
def network_closes_default_group(stack: Stack) -> Iterator[tuple[Resource | None, str]]:
    """AWS gives each network a default security group that lets everything out; the stack empties it."""
    for vpc in stack.of("aws:ec2/vpc:Vpc"):
        if not stack.attached(vpc, "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", by="vpcId"):
            yield vpc, "no DefaultSecurityGroup takes over its default security group"


@resource_rule(*ENDPOINTS)
def network_endpoint_policies(endpoint: Resource, region: str) -> Iterator[str]:
    """An endpoint admits the stack's own bucket and table only, so that data cannot leave through it."""
    kind = endpoint.at("vpcEndpointType")
    if endpoint.type == VPC_ENDPOINT and kind not in (None, "Gateway", UNKNOWN):
        yield f"vpcEndpointType is {kind}; gateway endpoints of {region} are all that the function needs"
    for path, statement in statements(endpoint):
        for resource in statement.resources if statement.allows else ():
            if resource.split("/")[0].endswith("*") or "*" in resource.removesuffix("/*"):
                yield f"{path} admits {resource}; it names the stack's own bucket or table"


@stack_rule()
def network_endpoints_limited(stack: Stack) -> Iterator[tuple[Resource | None, str]]:
    """An endpoint without a policy admits every bucket and table of the region, of any account."""
    for endpoint in stack.of(VPC_ENDPOINT):
        attached = stack.attached(endpoint, VPC_ENDPOINT_POLICY, by="vpcEndpointId")
        if endpoint.at("policy") is None and not attached:
            yield endpoint, "has no policy, so it admits any bucket or table"


@resource_rule(FUNCTION)
def function_in_network(function: Resource, _region: str) -> Iterator[str]:
    """A function outside the network reaches the whole internet."""
    for name in ("subnetIds", "securityGroupIds"):
        if function.at("vpcConfig", name) in (None, []):
            yield f"vpcConfig.{name} is {function.at('vpcConfig', name)}; name the stack's own"


def _faults(rule: dict, *, opens_in: bool) -> Iterator[str]:
    if opens_in:
        yield f"lets {_destination(rule)} in; nothing connects to the function"
        return
    for name in ("cidrBlocks", "ipv6CidrBlocks", "cidrIpv4", "cidrIpv6"):
        if rule.get(name) not in (None, [], "", UNKNOWN):
            yield f"lets traffic out to {name} {rule[name]}; name the endpoints' prefix lists"
    protocol = rule.get("protocol", rule.get("ipProtocol"))
    ports = (rule.get("fromPort"), rule.get("toPort"))
    if UNKNOWN not in (protocol, *ports) and (protocol != "tcp" or ports != (443, 443)):
        yield f"lets {protocol} ports {ports[0]} to {ports[1]} out; TCP 443 is enough"


def _destination(rule: dict) -> str:
    names = (
        *("cidrBlock", "ipv6CidrBlock", "destinationPrefixListId"),
        *("cidrBlocks", "ipv6CidrBlocks", "cidrIpv4", "cidrIpv6", "prefixListIds", "prefixListId"),
        *("securityGroups", "sourceSecurityGroupId", "referencedSecurityGroupId", "self"),
    )
    return next((f"{name} {rule[name]}" for name in names if rule.get(name)), "traffic")
