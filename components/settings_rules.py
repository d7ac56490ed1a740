"""The rules for the values of settings.

A rule gets a setting's value. For each fault it yields what is accepted, and the part that is not.
"""

import difflib
import ipaddress
import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pulumi_aws import Region

from components.account import Account
from components.configuration import PROJECT
from components.deliveries import QUEUE_RETENTION
from components.names import SYSTEM_PREFIXES, Names
from components.runtimes import RUNTIMES

Fault = tuple[str, object]
Rule = Callable[[Any], Iterator[Fault]]

OTHER_PARTITIONS = ("cn-", "eu-iso", "eusc-", "us-gov-", "us-iso")
"""How regions begin whose services, ARNs and consoles have other names
(https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html)."""

PRIVATE_RANGES = tuple(map(ipaddress.IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))
"""RFC 1918."""

ZONE_LETTERS = "abcdefgh"
"""A zone's letter decides its subnet's range. No region has more zones."""

VPC_PREFIX_LENGTHS = range(16, 26)
"""A VPC must be /16 to /28, and a subnet at least /28 (Amazon VPC user guide, "VPC CIDR blocks"). Eight
subnets, one for each letter, need a /25."""

LOG_RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
"""The values that CloudWatch Logs accepts (API reference, PutRetentionPolicy)."""

MAXIMUM_CONCURRENCY = 40
"""The limit of the job index. Jobs of one status share a partition, which accepts 1,000 write units a second
(DynamoDB developer guide, "Best practices for designing partition keys"). A delivery of a small file takes at
least 120 ms, so one function finishes 8.3 jobs a second. Each job needs 2 units of a partition:
40 x 8.3 x 2 = 667 (docs/reliability.md, "Floods")."""

KEY_BYTES = 1024
"""The maximum length of an object's key (S3 user guide, "Naming Amazon S3 objects")."""

PATTERN_CHARACTERS = 2048
"""The default quota for the length of an event pattern (EventBridge user guide, "Quotas")."""

UPLOAD_PREFIXES_CHARACTERS = PATTERN_CHARACTERS - 400
"""The rest of the rule's pattern, with the prefix of the smoke test, needs up to 400. The function's
environment of 4 KB also has room for this."""

ARCHIVE_PREFIXES = 999
"""S3 takes 1,000 lifecycle rules, and one expires what is left over:
https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLifecycleConfiguration.html"""

ADMINISTRATORS_CHARACTERS = 8_500
"""A bucket policy has up to 20 KB. The roles stand in it twice, and the rest needs up to 3,100:
https://docs.aws.amazon.com/en_us/AmazonS3/latest/userguide/using-iam-policies.html"""

NAME_LENGTHS = {"bucket": 63, "lambda-role": 64, "etl": 64, "delivery-dlq": 80}
"""Maximum lengths of the names of S3, IAM, Lambda and SQS, by the kind with the longest name."""

_INVISIBLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters, and halves of surrogate pairs, which UTF-8 does not have."""

_ROLE = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/(?:[!-~]+/)?[A-Za-z0-9_+=,.@-]{1,64}")
_POLICY_CHARACTERS = frozenset("*?${}")
"""Characters of patterns and variables in a policy."""

_PLACE = re.compile(
    r"(?<![a-z0-9])(?:"
    r"(?:us-gov|us-iso[a-z]?|eu-iso[a-z]?|eusc-de|us|eu|ap|sa|ca|me|af|il|mx|cn)"
    r"-(?:north|south|east|west|central|northeast|northwest|southeast|southwest)-\d{1,2}(?!\d)"
    r"|[a-z]{3,7}\d{1,2}-az\d)",
    re.IGNORECASE,
)
"""Regions and zone ids in names and tags, as the policy pack recognizes them (policy/rules/residency.py)."""

_SUBSCRIBER = re.compile(r"https://[^\s/]+\S*|[^\s@:/.]+(\.[^\s@:/.]+)*@[^\s@:/.]+(\.[^\s@:/.]+)+")


def between(lowest: int, highest: int, reason: str) -> Rule:
    """Return the rule for a number with limits."""

    def check(value: float) -> Iterator[Fault]:
        if not lowest <= value <= highest:
            yield f"must be {lowest} to {highest} ({reason})", value

    return check


def share(value: float) -> Iterator[Fault]:
    """Accept a share, 0 to 1."""
    if not 0 <= value <= 1:
        yield "must be 0 to 1", value


def aws_region(region: str) -> Iterator[Fault]:
    """Accept a region of the commercial partition, as pulumi-aws lists them."""
    regions = [known.value for known in Region]
    if region not in regions:
        similar = difflib.get_close_matches(region, regions, n=1)
        hint = f"did you mean {similar[0]}?" if similar else "for example eu-west-1"
        yield f"must be an AWS region ({hint})", region
    elif region.startswith(OTHER_PARTITIONS):
        yield (
            "must be a region of the partition aws (not of China, GovCloud, a sovereign or isolated cloud)",
            region,
        )


def private_range(cidr_block: str) -> Iterator[Fault]:
    """Accept a private IPv4 range for a VPC with eight subnets."""
    try:
        network = ipaddress.IPv4Network(cidr_block, strict=False)
    except ValueError:
        yield "must be an IPv4 range such as 10.0.0.0/16", cidr_block
        return
    if str(network) != cidr_block:
        yield f"must start at its network address with its length ({network})", cidr_block
    if not any(map(network.subnet_of, PRIVATE_RANGES)):
        yield f"must be in a private range ({', '.join(map(str, PRIVATE_RANGES))})", cidr_block
    if network.prefixlen not in VPC_PREFIX_LENGTHS:
        shortest, longest = VPC_PREFIX_LENGTHS[0], VPC_PREFIX_LENGTHS[-1]
        yield f"must be /{shortest} to /{longest} (a VPC's limit, and room for eight subnets)", cidr_block


def part_of_names(suffix: str) -> Iterator[Fault]:
    """Accept the characters of a bucket's name, which has the strictest rules."""
    if not re.fullmatch("[a-z0-9]([a-z0-9-]*[a-z0-9])?", suffix):
        yield "must be lower-case letters, digits and inner hyphens, as in a bucket's name", suffix


def tag_value(value: str) -> Iterator[Fault]:
    """Accept the value of a tag. It has no colon, so that it is no ARN and no URL."""
    if not re.fullmatch(r"[\w ./=+@-]{1,256}", value):
        yield "must be a tag's value: 1 to 256 letters, digits, spaces and . / = + @ _ -", value


def runtime(name: str) -> Iterator[Fault]:
    """Accept a runtime that the layer can be built for."""
    if name not in RUNTIMES:
        yield f"must be one of {', '.join(RUNTIMES)}", name


def log_retention(days: int) -> Iterator[Fault]:
    """Accept a retention period of CloudWatch Logs."""
    if days not in LOG_RETENTION_DAYS:
        allowed = ", ".join(map(str, LOG_RETENTION_DAYS))
        yield f"must be one of {allowed} (CloudWatch Logs accepts no other)", days


def upload_prefixes(prefixes: Sequence[str]) -> Iterator[Fault]:
    """Accept key prefixes that do not overlap the system's, as many as fit in an event pattern."""
    yield from key_prefixes(prefixes)
    length = len(json.dumps([{"prefix": prefix} for prefix in prefixes]))
    if length > UPLOAD_PREFIXES_CHARACTERS:
        yield (
            f"must take up to {UPLOAD_PREFIXES_CHARACTERS} characters in the rule's event pattern",
            length,
        )


def names_of_datasets(names: Sequence[str]) -> Iterator[Fault]:
    """Accept names of contracts, or `*` alone for all of them."""
    yield from _once(names, "dataset")
    if "*" in names and len(names) > 1:
        yield 'must be names of datasets, or "*" alone', list(names)


def archive_prefixes(prefixes: Sequence[str]) -> Iterator[Fault]:
    """Accept key prefixes that do not overlap the system's, as many as a lifecycle has rules."""
    yield from key_prefixes(prefixes)
    if len(prefixes) > ARCHIVE_PREFIXES:
        yield f"must be up to {ARCHIVE_PREFIXES} prefixes (S3's limit of lifecycle rules)", len(prefixes)


def key_prefixes(prefixes: Sequence[str]) -> Iterator[Fault]:
    """Accept key prefixes that do not overlap the system's."""
    for prefix in prefixes:
        if _INVISIBLE.search(prefix):
            yield "must be key prefixes without control characters and lone surrogates", prefix
            continue
        if any(own.startswith(prefix) or prefix.startswith(own) for own in SYSTEM_PREFIXES):
            yield f"must not overlap the system's prefixes ({', '.join(SYSTEM_PREFIXES)})", prefix
        if len(prefix.encode()) > KEY_BYTES:
            yield f"must be key prefixes of up to {KEY_BYTES:,} bytes", prefix
    yield from _once(prefixes, "prefix")


def role_arns(arns: Sequence[str]) -> Iterator[Fault]:
    """Accept ARNs of IAM roles, as in `aws:PrincipalArn` for a session of the role."""
    for arn in arns:
        if not _ROLE.fullmatch(arn) or not _POLICY_CHARACTERS.isdisjoint(arn):
            yield "must be ARNs of IAM roles, such as arn:aws:iam::123456789012:role/admin", arn
    length = len(json.dumps(arns))
    if length > ADMINISTRATORS_CHARACTERS:
        yield f"must take up to {ADMINISTRATORS_CHARACTERS:,} characters in the bucket policy", length
    yield from _once(arns, "role")


def roles_of(arns: Sequence[str], *, account: Account) -> Iterator[Fault]:
    """Accept roles of the account. No other has access, as the bucket policy only denies."""
    for arn in arns:
        if not arn.startswith(account.arn("iam", "", "role/")):
            yield f"must be roles of the stack's account ({account.arn('iam', '', 'role/')}...)", arn


def subscribers(addresses: Sequence[str]) -> Iterator[Fault]:
    """Accept e-mail addresses and HTTPS endpoints, for SNS."""
    for address in addresses:
        if not _SUBSCRIBER.fullmatch(address) or _INVISIBLE.search(address):
            yield "must be e-mail addresses or https:// endpoints", address
    yield from _once(addresses, "subscriber")


def page_url(url: str) -> Iterator[Fault]:
    """Accept the address of a page without a fragment, or an empty string."""
    if url and (not re.fullmatch(r"https?://[^\s/#]+[^\s#]*", url) or _INVISIBLE.search(url)):
        yield "must be an http:// or https:// address without a fragment (#...), or empty", url
    if len(url) > 512:
        yield "must have up to 512 characters", url


def zones(availability_zones: Sequence[str], *, region: str) -> Iterator[Fault]:
    """Accept two zones of the region."""
    expected = re.compile(f"{re.escape(region)}[{ZONE_LETTERS}]")
    distinct = {zone for zone in availability_zones if expected.fullmatch(zone)}
    if len(availability_zones) != 2 or len(distinct) != 2:
        yield f"must be two different zones of {region} (its letters a to h)", list(availability_zones)


def no_other_region(value: str, *, region: str) -> Iterator[Fault]:
    """Accept a text without another region or a zone's id, for names and tags tell where a resource is."""
    others = {place.lower() for place in _PLACE.findall(value)} - {region}
    if others:
        named = ", ".join(sorted(others))
        yield f"must name no zone's id, and no region but the stack's, {region} (it names {named})", value


def own_names(suffix: str, *, region: str) -> Iterator[Fault]:
    """Accept a suffix with which no name matches another stack's pattern, `analytics-*-{region}-{suffix}`."""
    if f"-{region}-" in f"-{suffix}":
        yield f"must not contain {region}-, or policies of another stack would allow this one's names", suffix


def length_of_names(suffix: str, *, names: Names) -> Iterator[Fault]:
    """Accept a suffix with which no name is too long."""
    excess, kind = max((len(names.physical(kind)) - limit, kind) for kind, limit in NAME_LENGTHS.items())
    if excess > 0:
        reason = f"{names.physical(kind)} must fit in {NAME_LENGTHS[kind]}"
        yield f"must have up to {len(suffix) - excess} characters ({reason})", suffix


def receives(maximum_receives: int, *, visibility_timeout: int) -> Iterator[Fault]:
    """Accept a number of receives that ends before the queue deletes the message."""
    most = QUEUE_RETENTION // 2 // visibility_timeout
    if maximum_receives > most:
        reason = f"deliveries {visibility_timeout} seconds apart must end within half of the queue's 4 days"
        yield f"must be up to {most}, as {reason}", maximum_receives


def destruction(force_destroy: bool, *, protect: bool) -> Iterator[Fault]:
    """Accept `forceDestroy` only without `protect`."""
    if force_destroy and protect:
        yield f"needs {PROJECT}:protect to be false, so that one setting alone cannot delete data", True


def _once(values: Sequence[str], what: str) -> Iterator[Fault]:
    if len(set(values)) != len(values):
        yield f"must name each {what} once", list(values)
