"""Retention, recovery and protection of data."""

import json
from collections.abc import Iterator

from .model import UNKNOWN, Resource, Stack, resource_rule, stack_rule

BUCKET = "aws:s3/bucket:Bucket"
FUNCTION = "aws:lambda/function:Function"
KEY = "aws:kms/key:Key"
LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
QUEUE = "aws:sqs/queue:Queue"
TABLE = "aws:dynamodb/table:Table"
SYSTEM_PREFIXES = ("processed/", "rejected/")
"""The prefixes of the results."""
VERSIONING = "aws:s3/bucketVersioning:BucketVersioning"


@resource_rule(LOG_GROUP)
def log_retention(group: Resource, _region: str) -> Iterator[str]:
    """Every log group has a retention period, because logs are kept and billed for ever without one."""
    days = group.at("retentionInDays")
    if days in (None, 0):
        yield f"retentionInDays is {days}; set it; without it logs are kept for ever"


@stack_rule()
def function_log_group(stack: Stack) -> Iterator[tuple[Resource | None, str]]:
    """A function uses a log group of the stack, because Lambda creates its own without a retention period."""
    for function in stack.of(FUNCTION):
        named = function.at("loggingConfig", "logGroup") or f"/aws/lambda/{function.at('name')}"
        groups = [group.at("name") for group in stack.of(LOG_GROUP)]
        if named is not UNKNOWN and named not in groups and UNKNOWN not in groups:
            yield function, f"logs to {named}; the stack has {', '.join(map(str, groups)) or 'no log group'}"


@stack_rule()
def bucket_versioning(stack: Stack) -> Iterator[tuple[Resource | None, str]]:
    """Versions allow the recovery of objects, and events name the version that they are about."""
    for bucket in stack.of(BUCKET):
        versionings = stack.attached(bucket, VERSIONING, by="bucket")
        if not versionings:
            yield bucket, "no BucketVersioning names it"
        for versioning in versionings:
            status = versioning.at("versioningConfiguration", "status")
            if status not in ("Enabled", UNKNOWN):
                yield versioning, f"versioningConfiguration.status is {status}; it should be Enabled"


@stack_rule(level="advisory")  # it costs money, not data
def bucket_lifecycle(stack: Stack) -> Iterator[tuple[Resource | None, str]]:
    """Noncurrent versions and incomplete uploads are billed and not visible, so they expire."""
    for bucket in stack.of(BUCKET):
        configurations = stack.attached(bucket, LIFECYCLE, by="bucket")
        if not configurations:
            yield bucket, "no BucketLifecycleConfiguration names it"
        for configuration in configurations:
            rules = [rule for rule in configuration.listed("rules") if rule.get("status") == "Enabled"]
            for name in ("noncurrentVersionExpiration", "abortIncompleteMultipartUpload"):
                if not any(rule.get(name) for rule in rules):
                    yield configuration, f"no enabled rule has {name}; add one"


@resource_rule(LIFECYCLE)
def objects_kept(configuration: Resource, _region: str) -> Iterator[str]:
    """Objects do not expire, and results do not move to a storage class that Athena cannot read."""
    prefixes = (("filter", "prefix"), ("filter", "and", "prefix"), ("prefix",))
    for number in range(len(configuration.listed("rules"))):
        for name in ("days", "date"):
            if value := configuration.at("rules", number, "expiration", name):
                yield f"rules[{number}].expiration.{name} is {value}; only old versions may expire"
        prefix = next(filter(None, (configuration.at("rules", number, *path) for path in prefixes)), "")
        if not configuration.at("rules", number, "transitions") or prefix is UNKNOWN:
            continue
        if any(prefix.startswith(own) or own.startswith(prefix) for own in SYSTEM_PREFIXES):
            yield f"rules[{number}] moves {prefix or 'every object'}; name prefixes of uploads"


@resource_rule(TABLE)
def table_recovery(table: Resource, _region: str) -> Iterator[str]:
    """Point-in-time recovery allows restoring the job records."""
    enabled = table.at("pointInTimeRecovery", "enabled")
    if enabled not in (True, UNKNOWN):
        yield f"pointInTimeRecovery.enabled is {enabled}; set it"


@resource_rule(BUCKET, KEY, TABLE, QUEUE, LOG_GROUP)
def data_protected(resource: Resource, _region: str) -> Iterator[str]:
    """Data, its key and waiting messages are protected against deletion, by Pulumi and if possible by AWS.

    To take a stack down, disable this rule in the pack's configuration and change the stack's settings.
    """
    if not resource.protect:
        yield "protect is False; set it"
    if resource.type == BUCKET and resource.at("forceDestroy") not in (None, False, UNKNOWN):
        yield f"forceDestroy is {resource.at('forceDestroy')}; set it to false"
    if resource.type == TABLE and resource.at("deletionProtectionEnabled") not in (True, UNKNOWN):
        yield f"deletionProtectionEnabled is {resource.at('deletionProtectionEnabled')}; set it"


@stack_rule()
def dead_letters_kept(stack: Stack) -> Iterator[tuple[Resource | None, str]]:
    """A message keeps its age when it moves, so the dead-letter queue needs a longer retention period."""
    by_arn = {queue.at("arn"): queue for queue in stack.of(QUEUE)}
    for queue in stack.of(QUEUE):
        target = _dead_letter_arn(queue)
        dead_letters = by_arn.get(target) if target else None
        if dead_letters is None:
            continue
        kept, needed = _days(dead_letters), _days(queue)
        if kept <= needed:
            yield (
                dead_letters,
                f"keeps messages {kept:g} days, its source {needed:g}; keep them longer",
            )


def _dead_letter_arn(queue: Resource) -> str | None:
    policy = queue.at("redrivePolicy")
    return json.loads(policy)["deadLetterTargetArn"] if isinstance(policy, str) and policy else None


def _days(queue: Resource) -> float:
    seconds = queue.at("messageRetentionSeconds")
    return (seconds if isinstance(seconds, int | float) else 4 * 86_400) / 86_400
