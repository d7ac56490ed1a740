"""No resource of a stack names, uses or copies to another region."""

import re
from collections.abc import Iterator, Mapping

from .documents import values
from .model import UNKNOWN, Resource, Stack, resource_rule, stack_rule

STACK = "pulumi:pulumi:Stack"
PROVIDER = "pulumi:providers:aws"
SUBSCRIPTION = "aws:sns/topicSubscription:TopicSubscription"
BUCKET = "aws:s3/bucket:Bucket"
WORKGROUP = "aws:athena/workgroup:Workgroup"

_REGION = re.compile(
    r"(?<![a-z0-9])"
    r"((?:us-gov|us-iso[a-z]?|eu-iso[a-z]?|eusc-de|us|eu|ap|sa|ca|me|af|il|mx|cn)"
    r"-(?:north|south|east|west|central|northeast|northwest|southeast|southwest)-\d{1,2})"
    r"(?!\d)",
    re.IGNORECASE,
)
_ZONE_ID = re.compile(r"(?<![a-z0-9])[a-z]{3,7}\d{1,2}-az\d", re.IGNORECASE)
_ARN = re.compile(r"arn:aws[a-z-]*:(?P<service>[^:\s\"]*):(?P<region>[^:\s\"]*):(?P<account>[^:\s\"]*):")
_ADDRESS = re.compile(
    r"(?P<url>https?://)?(?P<host>[a-z0-9.-]+\.(?:amazonaws\.com(?:\.cn)?|api\.aws|on\.aws))(?:[:/]\S*)?",
    re.IGNORECASE,
)
_NAME = re.compile(r"[\w.-]+")
_BUCKET = re.compile(r"(?:arn:aws[a-z-]*:s3:::|s3a?://)([^/\s\"]+)")

_IN_BUCKET = re.compile(r"(?:arn:aws[a-z-]*:s3:::|s3[an]?://)(?P<bucket>[^/]*)")

CROSS_REGION_TYPES: Mapping[str, str] = {
    "aws:s3/bucketReplicationConfig:": "replicates objects, possibly to another region",
    "aws:s3control/multiRegionAccessPoint": "serves a bucket from every region",
    "aws:dynamodb/globalTable:": "is a table of several regions",
    "aws:dynamodb/tableReplica:": "is a copy of a table in another region",
    "aws:kms/replicaKey:": "is a copy of a key in another region",
    "aws:kms/replicaExternalKey:": "is a copy of a key in another region",
    "aws:cloudwatch/eventEndpoint:": "is a global endpoint: it fails over to another region",
    "aws:cloudwatch/eventApiDestination:": "sends events to any address",
    "aws:cloudwatch/metricStream:": "streams metrics to any destination",
    "aws:lambda/functionUrl:": "serves the function to the internet",
    "aws:rds/globalCluster:": "is a database of several regions",
    "aws:ecr/replicationConfiguration:": "replicates images to another region",
    "aws:arcregionswitch/": "moves work between regions",
    "aws:cloudfront/": "serves content from every region",
    "aws:datasync/": "copies data between places",
    "aws:globalaccelerator/": "routes traffic between regions",
    "aws:oam/": "shares logs and metrics with other accounts",
    "aws:ram/": "shares resources with other accounts",
    "aws:route53": "answers for every region",
    "pulumi:pulumi:StackReference": "reads another stack, which may be another region's",
}
"""Types, or their prefixes, that work across regions, and what they do."""

CROSS_REGION_PROPERTIES = frozenset(
    {
        "multiRegion",
        "replicas",
        "replicaRegions",
        "replicationConfiguration",
        "replicationConfigurations",
        "serviceRegion",
        "sourceRegion",
        "destinationRegion",
        "enableCrossRegion",
    }
)
"""Properties that make a resource work across regions."""

ACCOUNT_PROPERTIES = frozenset(
    {
        "aws",
        "aws:principalaccount",
        "aws:sourceaccount",
        "catalogid",
        "granteeprincipal",
        "kms:calleraccount",
        "principal",
        "retiringprincipal",
        "sourceaccount",
    }
)
"""Properties and elements of policies that may be the bare id of an account, in lower case: AWS ignores the
case of condition keys."""

_INDEX = re.compile(r"\[\d+\]$")


@resource_rule()
def residency_names(resource: Resource, region: str) -> Iterator[str]:
    """No region, zone, ARN, AWS address or name of a resource is one of another region."""
    for path, text in _texts(resource):
        for named in {match.lower() for part in _names(text) for match in _REGION.findall(part)}:
            if named != region:
                yield f"{path} names {named} (got {_short(text)}); the stack's region is {region}"
        if _ZONE_ID.fullmatch(text) and not text.lower().startswith(f"{_zone_prefix(region)}-"):
            yield f"{path} names {text}, another region's zone; the stack's region is {region}"
        for arn in _ARN.finditer(text):
            if "*" in arn["region"] or "?" in arn["region"]:
                yield f"{path} holds the ARN {arn.group()} of any region; the stack's is {region}"


@resource_rule()
def residency_endpoints(resource: Resource, region: str) -> Iterator[str]:
    """An AWS address without a region is a global endpoint, which another region can serve."""
    for path, text in _texts(resource):
        address = _ADDRESS.fullmatch(text)
        if address and address["url"] and region not in address["host"].split("."):
            yield f"{path} is the address {text}, which does not name {region}"
    service = resource.at("serviceName")
    is_endpoint = resource.type == "aws:ec2/vpcEndpoint:VpcEndpoint" and isinstance(service, str)
    if is_endpoint and region not in service.split("."):
        yield f"serviceName is {service}; use an endpoint of {region}"


@resource_rule()
def residency_features(resource: Resource, region: str) -> Iterator[str]:
    """Replication, global tables, multi-region keys and stack references work across regions."""
    for beginning, how in CROSS_REGION_TYPES.items():
        if resource.type.startswith(beginning):
            yield f"a {resource.type} {how}; {region} is the only region of this stack"
    for path, value in values(resource.properties):
        if path.rpartition(".")[2] in CROSS_REGION_PROPERTIES and value not in (
            None,
            False,
            [],
            {},
            "",
            region,
        ):
            yield f"{path} is {_short(value)}; do not set it"


@resource_rule(WORKGROUP)
def residency_query_results(workgroup: Resource, _region: str) -> Iterator[str]:
    """A query must not choose the location of its results, and must have a scan limit."""
    if workgroup.at("configuration", "enforceWorkgroupConfiguration") not in (None, True, UNKNOWN):
        yield "enforceWorkgroupConfiguration is False; a query could write its results to any bucket"
    managed = workgroup.at("configuration", "managedQueryResultsConfiguration", "enabled")
    if managed not in (True, UNKNOWN):
        yield f"managedQueryResultsConfiguration.enabled is {managed}; set it to true"
    if workgroup.at("configuration", "bytesScannedCutoffPerQuery") is None:
        yield "bytesScannedCutoffPerQuery is None; set the bytes that one query may scan"


@stack_rule()
def residency_provider(stack: Stack) -> Iterator[tuple[Resource | None, str]]:
    """A provider of another region, or without a region, would create the resources elsewhere."""
    providers = list(stack.of(PROVIDER))
    if not providers:
        yield None, f"has no AWS provider; set aws:region to {stack.region}"
    for provider in providers:
        if provider.at("region") != stack.region:
            yield provider, f"region is {provider.at('region')}; the stack's is {stack.region}"


@stack_rule()
def one_account(stack: Stack) -> Iterator[tuple[Resource | None, str]]:
    """Another account, or any account, can get data or permissions if an ARN, id or principal names it."""
    own: str | None = None
    for resource in stack.resources:
        for path, text in _texts(resource):
            for arn in _ARN.finditer(text):
                account = arn["account"]
                if "*" in account or "?" in account:
                    yield resource, f"{path} holds the ARN {arn.group()}, which names no single account"
                elif account.isdigit():
                    own = own or account
                    if account != own:
                        yield resource, f"{path} holds the ARN {arn.group()}; the stack's account is {own}"
    for resource in stack.resources:
        for path, text in _texts(resource):
            kind = _INDEX.sub("", path).rpartition(".")[2].lower()
            if kind == "canonicaluser" or (kind in ACCOUNT_PROPERTIES and text.isdigit() and text != own):
                yield resource, f"{path} is {text}; the stack's account is {own}"


@stack_rule()
def buckets_of_the_stack(stack: Stack) -> Iterator[tuple[Resource | None, str]]:
    """The ARN or location of a bucket names no region or account, so the bucket must be the stack's."""
    own = {bucket.at("bucket") for bucket in stack.of(BUCKET)}
    if UNKNOWN in own:
        return
    for resource in stack.resources:
        for path, text in _texts(resource):
            named = _IN_BUCKET.match(text)
            if named and named["bucket"] not in own:
                yield resource, f"{path} names {_short(text)}; name a bucket of the stack"


def _names(text: str) -> Iterator[str]:
    """Yield the parts of a text in which AWS names a region. The path of an IAM ARN is none of them."""
    if _NAME.fullmatch(text):
        yield text
    if address := _ADDRESS.fullmatch(text):
        yield address["host"]
    yield from (arn["region"] for arn in _ARN.finditer(text))
    yield from _BUCKET.findall(text)


def _texts(resource: Resource) -> Iterator[tuple[str, str]]:
    """Yield every string with its path, including the keys of mappings.

    Addresses of the alarms' subscribers are left out, since they may be anywhere (docs/security.md).
    """
    for path, part in values(resource.properties):
        if isinstance(part, str):
            if resource.type != SUBSCRIPTION or path != "endpoint" or part.startswith("arn:"):
                yield path, part
        elif isinstance(part, Mapping):
            yield from ((f"{path}.{key}", str(key)) for key in part)


def _zone_prefix(region: str) -> str:
    """Return the prefix of the region's zone ids: use1 for us-east-1, apse1 for ap-southeast-1."""
    *area, direction, number = region.split("-")
    letters = {"northeast": "ne", "northwest": "nw", "southeast": "se", "southwest": "sw"}
    return "".join(area).replace("gov", "g") + letters.get(direction, direction[0]) + number


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 120 else f"{text[:117]}..."
