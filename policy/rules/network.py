"""The function's network has no connection to or from other networks."""

from collections.abc import Iterator, Mapping
from typing import Any

from .documents import ENDPOINTS, ROLE, has_wildcard, statements
from .model import UNKNOWN, Resource, Stack, resource_rule, stack_rule

FUNCTION = "aws:lambda/function:Function"
STORES = ("aws:s3/bucket:Bucket", "aws:dynamodb/table:Table")
SUBNET = "aws:ec2/subnet:Subnet"
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
ROUTE_TABLES = ("aws:ec2/routeTable:RouteTable", "aws:ec2/defaultRouteTable:DefaultRouteTable")

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
        "aws:ec2/flowLog:FlowLog",
        "aws:ec2/mainRouteTableAssociation:MainRouteTableAssociation",
        "aws:ec2/networkAcl:NetworkAcl",
        "aws:ec2/networkAclAssociation:NetworkAclAssociation",
        "aws:ec2/networkAclRule:NetworkAclRule",
        "aws:ec2/routeTableAssociation:RouteTableAssociation",
        *ROUTE_TABLES,
        SUBNET,
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

OF_THE_STACK = (
    (FUNCTION, ("vpcConfig", "subnetIds"), (SUBNET,)),
    (FUNCTION, ("vpcConfig", "securityGroupIds"), SECURITY_GROUPS[:1]),
    (SUBNET, ("vpcId",), ("aws:ec2/vpc:Vpc",)),
    ("aws:ec2/routeTableAssociation:RouteTableAssociation", ("routeTableId",), ROUTE_TABLES),
)
"""Types whose property refers to another resource, and the types of that resource."""

_OTHER_DESTINATIONS = (
    *("cidrBlocks", "ipv6CidrBlocks", "cidrIpv4", "cidrIpv6"),
    *("securityGroups", "sourceSecurityGroupId", "referencedSecurityGroupId", "self"),
)
"""What a rule of a security group can name instead of a prefix list."""

_ROLES = ("ArnEquals", "StringEquals"), "aws:principalarn"
"""The condition with which an endpoint's policy names its role."""


@resource_rule()
def network_parts(resource: Resource, _region: str) -> Iterator[str]:
    """Gateways, peerings, tunnels and public addresses connect a network, so an allowlist applies."""
    if resource.type.startswith(NETWORK_MODULES) and resource.type not in CLOSED_PARTS:
        yield f"{resource.type} is not on the list of network resources without outside connections"


@resource_rule(*ROUTE_TABLES)
def network_routes(table: Resource, _region: str) -> Iterator[str]:
    """Without a route out of the network, no request can reach another region."""
    for route in table.listed("routes"):
        targets = [
            value
            for name, value in route.items()
            if name.endswith(("Id", "Arn")) and not name.startswith("destination") and value
        ]
        if not targets or not all(one is UNKNOWN or str(one).startswith("vpce-") for one in targets):
            yield f"routes {_destination(route)} to {targets}; only gateway endpoints may add routes"
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
    """An endpoint policy allows one role to use one bucket and table, so that no data leaves through it."""
    kind, service = endpoint.at("vpcEndpointType"), endpoint.at("serviceName")
    if endpoint.type == VPC_ENDPOINT and kind not in (None, "Gateway", UNKNOWN):
        yield f"vpcEndpointType is {kind}; use gateway endpoints of {region}"
    if endpoint.type == VPC_ENDPOINT and service not in (UNKNOWN, *_gateways(region)):
        yield f"serviceName is {service}; use one of {', '.join(_gateways(region))}"
    for path, statement in statements(endpoint):
        if not statement.allows:
            continue
        for resource in (*statement.resources, *statement.inverted):
            if resource in statement.inverted or has_wildcard(resource.removesuffix("/*")):
                yield f"{path} allows {resource}; name the stack's own bucket or table"
        roles = statement.named(*_ROLES)
        if len(roles) != 1 or has_wildcard(roles[0]):
            named = ", ".join(roles) or "any role"
            yield f"{path} allows {named}; add a condition on aws:PrincipalArn with one role"


@stack_rule()
def network_endpoints_limited(stack: Stack) -> Iterator[tuple[Resource | None, str]]:
    """An endpoint's policy allows the stack's own role, bucket and table, and without one it allows any."""
    for endpoint in stack.of(VPC_ENDPOINT):
        attached = stack.attached(endpoint, VPC_ENDPOINT_POLICY, by="vpcEndpointId")
        if endpoint.at("policy") in (None, "") and not attached:
            yield endpoint, "has no policy, so it allows any bucket or table"
    own = {part.at("arn") for part in stack.of(ROLE, *STORES)}
    for endpoint in stack.of(*ENDPOINTS) if UNKNOWN not in own else ():
        for path, statement in statements(endpoint):
            for named in (*statement.resources, *statement.named(*_ROLES)) if statement.allows else ():
                if named.removesuffix("/*") not in own:
                    yield endpoint, f"{path} allows {named}; name the stack's own role, bucket or table"


@stack_rule()
def network_of_the_stack(stack: Stack) -> Iterator[tuple[Resource | None, str]]:
    """The function's subnets, their routes and its security group are the stack's, as are its endpoints."""
    for kind, path, kinds in OF_THE_STACK:
        own = [part.at("id") for part in stack.of(*kinds)]
        for resource in stack.of(kind):
            value = resource.at(*path)
            for used in value if isinstance(value, list) else [value]:
                if used not in (None, UNKNOWN, *own) and UNKNOWN not in own:
                    yield resource, f"{'.'.join(path)} has {used}, which is not of the stack"
    lists = [endpoint.at("prefixListId") for endpoint in stack.of(VPC_ENDPOINT)]
    for resource in stack.of(*SECURITY_GROUPS, *SECURITY_GROUP_RULES):
        for used in _prefix_lists(resource.properties, *resource.listed("egress")):
            if used not in (None, UNKNOWN, *lists) and UNKNOWN not in lists:
                yield resource, f"allows traffic out to {used}, which is no endpoint of the stack"


@resource_rule(FUNCTION)
def function_in_network(function: Resource, _region: str) -> Iterator[str]:
    """A function outside the network can connect to the internet."""
    for name in ("subnetIds", "securityGroupIds"):
        if function.at("vpcConfig", name) in (None, []):
            yield f"vpcConfig.{name} is {function.at('vpcConfig', name)}; name the stack's own"


def _gateways(region: str) -> tuple[str, ...]:
    return tuple(f"com.amazonaws.{region}.{service}" for service in ("s3", "dynamodb"))


def _prefix_lists(*rules: Mapping[str, Any]) -> Iterator[Any]:
    for rule in rules:
        yield rule.get("prefixListId")
        listed = rule.get("prefixListIds")
        yield from listed if isinstance(listed, list) else ()


def _faults(rule: dict, *, opens_in: bool) -> Iterator[str]:
    if opens_in:
        yield f"allows {_destination(rule)} in; remove the rule"
        return
    for name in _OTHER_DESTINATIONS:
        if rule.get(name) not in (None, False, [], "", UNKNOWN):
            yield f"allows traffic out to {name} {rule[name]}; name the endpoints' prefix lists"
    if not any(rule.get(name) for name in ("prefixListId", "prefixListIds")):
        yield "allows traffic out to no prefix list; name those of the endpoints"
    protocol = rule.get("protocol", rule.get("ipProtocol"))
    ports = (rule.get("fromPort"), rule.get("toPort"))
    if UNKNOWN not in (protocol, *ports) and (protocol != "tcp" or ports != (443, 443)):
        yield f"allows {protocol} ports {ports[0]} to {ports[1]} out; allow TCP 443 only"


def _destination(rule: dict) -> str:
    names = (
        *("cidrBlock", "ipv6CidrBlock", "destinationPrefixListId", "prefixListIds", "prefixListId"),
        *_OTHER_DESTINATIONS,
    )
    return next((f"{name} {rule[name]}" for name in names if rule.get(name)), "traffic")
