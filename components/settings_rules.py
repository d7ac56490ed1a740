"""What AWS and the design take for each setting; a refusal names the key, its value and what is right."""

import dataclasses
import difflib
import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from pulumi_aws import Region

from components.configuration import PROJECT, key_of
from components.names import SYSTEM_PREFIXES

if TYPE_CHECKING:
    from components.settings import Settings

PRIVATE_RANGES = tuple(map(ipaddress.IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))
"""RFC 1918."""

VPC_PREFIX_LENGTHS = range(16, 28)
"""A VPC is /16 to /28 (Amazon VPC user guide, "VPC CIDR blocks"); two subnets, /28 at the least, need /27."""

LOG_RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
"""What CloudWatch Logs takes (API reference, PutRetentionPolicy)."""

MAXIMUM_CONCURRENCY = 40
"""What the job index holds. All jobs of one status share a partition of it, which takes 1,000 write units a
second (DynamoDB developer guide, "Best practices for designing partition keys"). A delivery of a small file
lasts 120 ms at the least, so one function ends 8.3 jobs a second, and each costs a partition 2 units:
40 x 8.3 x 2 = 667 (docs/reliability.md, "Floods")."""

INTEGER_RANGES: Mapping[str, tuple[int, int, str]] = {
    "memorySize": (128, 10_240, "MB, Lambda's limits"),
    "timeout": (1, 900, "seconds, Lambda's limits"),
    "ephemeralStorage": (512, 10_240, "MB, Lambda's limits"),
    "batchSize": (1, 10, "SQS's limit without a batching window"),
    "maximumConcurrency": (2, MAXIMUM_CONCURRENCY, "from Lambda's least to what the job index holds"),
    "glacierAfterDays": (1, 2**31 - 1, "days, S3's limits"),
    "noncurrentVersionExpirationDays": (1, 2**31 - 1, "days, S3's limits"),
    "maxDecompressedBytes": (1, 2**50, "bytes"),
    "maxDecompressionRatio": (1, 1_000_000, "bytes out per byte in"),
    "queueDepthThreshold": (1, 2**31 - 1, "messages"),
    "freshnessHours": (0, 168, "hours, CloudWatch evaluates an alarm over 7 days at the most"),
}
"""Lowest and highest value, and of what (Lambda developer guide, "Lambda quotas" and "SQS event sources"; S3
and CloudWatch API references)."""

NAME_LENGTHS: Mapping[str, int] = {"bucket": 63, "lambda-role": 64, "etl": 64, "delivery-dlq": 80}
"""Kinds whose names AWS limits most (S3, IAM, Lambda and SQS), and the limits."""

BUCKET_SUFFIXES_RESERVED = ("-s3alias", "--ol-s3", "--x-s3", "--table-s3")
"""S3 user guide, "General purpose bucket naming rules"."""


def problems(settings: "Settings") -> Iterator[str]:
    """Yield a line per value that cannot be deployed, each starting with the key without its namespace."""
    yield from _region_problems(settings)
    yield from _cidr_problems(settings.cidr_block)
    yield from _name_problems(settings)
    yield from _range_problems(settings)
    yield from _storage_problems(settings)
    yield from _subscriber_problems(settings.alarm_subscribers)


def _region_problems(settings: "Settings") -> Iterator[str]:
    regions = [region.value for region in Region]
    if settings.region not in regions:
        similar = difflib.get_close_matches(settings.region, regions, n=1)
        hint = f"did you mean {similar[0]}?" if similar else "for example eu-west-1"
        yield f"region: must be an AWS region ({hint}), got {settings.region!r}"
        return
    zones = settings.availability_zones
    expected = re.compile(re.escape(settings.region) + "[a-z]")
    if len(zones) != 2 or len(set(zones)) != 2 or not all(map(expected.fullmatch, zones)):
        yield f"availabilityZones: must be two different zones of {settings.region}, got {list(zones)}"


def _cidr_problems(cidr_block: str) -> Iterator[str]:
    try:
        network = ipaddress.IPv4Network(cidr_block, strict=False)
    except ValueError:
        yield f"cidrBlock: must be an IPv4 range such as 10.0.0.0/16, got {cidr_block!r}"
        return
    if str(network) != cidr_block:
        yield f"cidrBlock: must start at its network address with its length ({network}), got {cidr_block!r}"
    if not any(map(network.subnet_of, PRIVATE_RANGES)):
        ranges = ", ".join(map(str, PRIVATE_RANGES))
        yield f"cidrBlock: must lie in a private range ({ranges}), got {cidr_block!r}"
    if network.prefixlen not in VPC_PREFIX_LENGTHS:
        shortest, longest = VPC_PREFIX_LENGTHS[0], VPC_PREFIX_LENGTHS[-1]
        yield (
            f"cidrBlock: must be /{shortest} to /{longest} (a VPC's limit, and room for two subnets),"
            f" got {cidr_block!r}"
        )


def _name_problems(settings: "Settings") -> Iterator[str]:
    suffix, names = settings.environment_suffix, settings.names
    if not re.fullmatch("[a-z0-9]([a-z0-9-]*[a-z0-9])?", suffix):
        yield (
            "environmentSuffix: must be lower-case letters, digits and inner hyphens, as bucket names are,"
            f" got {suffix!r}"
        )
    for kind, limit in NAME_LENGTHS.items():
        excess = len(names.physical(kind)) - limit
        if excess > 0:
            yield (
                f"environmentSuffix: must be {excess} shorter, so that {names.physical(kind)} fits in"
                f" {limit} characters, got {suffix!r}"
            )
            break
    if names.physical("bucket").endswith(BUCKET_SUFFIXES_RESERVED):
        reserved = ", ".join(BUCKET_SUFFIXES_RESERVED)
        yield f"environmentSuffix: must not end as S3 reserves it ({reserved}), got {suffix!r}"
    if not re.fullmatch(r"[\w .:/=+@-]{1,256}", settings.environment) or settings.environment.startswith(
        "aws:"
    ):
        yield (
            "environment: must be a tag's value: 1 to 256 letters, digits, spaces and . : / = + @ _ -,"
            f" got {settings.environment!r}"
        )


def _range_problems(settings: "Settings") -> Iterator[str]:
    for field in dataclasses.fields(settings):
        key, value = key_of(field.name), getattr(settings, field.name)
        if key not in INTEGER_RANGES:
            continue
        lowest, highest, reason = INTEGER_RANGES[key]
        if not lowest <= value <= highest:
            yield f"{key}: must be {lowest} to {highest} ({reason}), got {value}"
    if settings.log_retention_days not in LOG_RETENTION_DAYS:
        allowed = ", ".join(map(str, LOG_RETENTION_DAYS))
        yield (
            f"logRetentionDays: must be one of {allowed} (CloudWatch Logs takes no other),"
            f" got {settings.log_retention_days}"
        )
    if not 0 <= settings.rejected_share_max <= 1:
        yield f"rejectedShareMax: must be 0 to 1, got {settings.rejected_share_max}"


def _storage_problems(settings: "Settings") -> Iterator[str]:
    if settings.protect and settings.force_destroy:
        yield (
            f"forceDestroy: needs {PROJECT}:protect to be false, so that two settings agree before data can"
            " be destroyed, got forceDestroy true with protect true"
        )
    prefixes = settings.archive_prefixes
    for prefix in prefixes:
        if any(own.startswith(prefix) or prefix.startswith(own) for own in SYSTEM_PREFIXES):
            yield (
                f"archivePrefixes: must leave out what the system writes ({', '.join(SYSTEM_PREFIXES)}),"
                f" got {prefix!r}"
            )
        if len(prefix.encode()) > 1024:
            yield f"archivePrefixes: must be keys' beginnings of up to 1,024 bytes, got {prefix!r}"
    if len(set(prefixes)) != len(prefixes):
        yield f"archivePrefixes: must name each prefix once, got {list(prefixes)}"


def _subscriber_problems(subscribers: tuple[str, ...]) -> Iterator[str]:
    for subscriber in subscribers:
        if not re.fullmatch(r"https://[^\s/]+\S*|[^\s@:/]+@[^\s@:/]+\.[^\s@:/]+", subscriber):
            yield f"alarmSubscribers: must be e-mail addresses or https:// endpoints, got {subscriber!r}"
    if len(set(subscribers)) != len(subscribers):
        yield f"alarmSubscribers: must name each subscriber once, got {list(subscribers)}"
