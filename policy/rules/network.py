"""The function's network has no connection to or from other networks."""

from collections.abc import Iterator

from .documents import ENDPOINTS, has_wildcard, statements
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
        roles = statement.named(("ArnEquals", "StringEquals"), "aws:principalarn")
        if not roles or any(map(has_wildcard, roles)):
            yield f"{path} allows {roles or 'any role'}; add a condition on aws:PrincipalArn with one role"


@stack_rule()
def network_endpoints_limited(stack: Stack) -> Iterator[tuple[Resource | None, str]]:
    """An endpoint's policy allows the stack's own bucket and table, and without one it allows any."""
    for endpoint in stack.of(VPC_ENDPOINT):
        attached = stack.attached(endpoint, VPC_ENDPOINT_POLICY, by="vpcEndpointId")
        if endpoint.at("policy") in (None, "") and not attached:
            yield endpoint, "has no policy, so it allows any bucket or table"
    own = {store.at("arn") for store in stack.of(*STORES)}
    for endpoint in stack.of(*ENDPOINTS) if UNKNOWN not in own else ():
        for path, statement in statements(endpoint):
            for resource in statement.resources if statement.allows else ():
                if resource.removesuffix("/*") not in own:
                    yield endpoint, f"{path} allows {resource}; name the stack's own bucket or table"


@stack_rule()
def network_of_the_stack(stack: Stack) -> Iterator[tuple[Resource | None, str]]:
    """The function runs in the stack's subnets and security group, whose traffic goes to its endpoints."""
    parts = [
        (function, ("vpcConfig", name), kind)
        for function in stack.of(FUNCTION)
        for name, kind in (("subnetIds", SUBNET), ("securityGroupIds", SECURITY_GROUPS[0]))
    ]
    for function, path, kind in parts:
        own = [part.at("id") for part in stack.of(kind)]
        for used in function.listed(*path):
            if used not in own and UNKNOWN not in (used, *own):
                yield function, f"{'.'.join(path)} has {used}, which is not of the stack"
    lists = [endpoint.at("prefixListId") for endpoint in stack.of(VPC_ENDPOINT)]
    for rule in stack.of(*SECURITY_GROUP_RULES):
        for used in (rule.at("prefixListId"), *rule.listed("prefixListIds")):
            if used not in (None, UNKNOWN, *lists) and UNKNOWN not in lists:
                yield rule, f"allows traffic out to {used}, which is no endpoint of the stack"


@resource_rule(FUNCTION)
def function_in_network(function: Resource, _region: str) -> Iterator[str]:
    """A function outside the network can connect to the internet."""
    for name in ("subnetIds", "securityGroupIds"):
        if function.at("vpcConfig", name) in (None, []):
            yield f"vpcConfig.{name} is {function.at('vpcConfig', name)}; name the stack's own"


def _gateways(region: str) -> tuple[str, ...]:
    return tuple(f"com.amazonaws.{region}.{service}" for service in ("s3", "dynamodb"))


def _faults(rule: dict, *, opens_in: bool) -> Iterator[str]:
    if opens_in:
        yield f"allows {_destination(rule)} in; remove the rule"
        return
    for name in ("cidrBlocks", "ipv6CidrBlocks", "cidrIpv4", "cidrIpv6"):
        if rule.get(name) not in (None, [], "", UNKNOWN):
            yield f"allows traffic out to {name} {rule[name]}; name the endpoints' prefix lists"
    if not any(rule.get(name) for name in ("prefixListId", "prefixListIds")):
        yield "allows traffic out to no prefix list; name those of the endpoints"
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
