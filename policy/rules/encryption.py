"""Stored data is encrypted, with AWS's keys or with the stack's key if it has one."""

from collections.abc import Iterator

from .model import UNKNOWN, Resource, Stack, refers, resource_rule, stack_rule

BUCKET = "aws:s3/bucket:Bucket"
BUCKET_ENCRYPTION = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
FUNCTION = "aws:lambda/function:Function"
KEY = "aws:kms/key:Key"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
QUEUE = "aws:sqs/queue:Queue"
TABLE = "aws:dynamodb/table:Table"
TOPIC = "aws:sns/topic:Topic"
WORKGROUP = "aws:athena/workgroup:Workgroup"

_DEFAULT = ("rules", 0, "applyServerSideEncryptionByDefault")
KEY_PROPERTIES: dict[str, tuple[str | int, ...]] = {
    BUCKET_ENCRYPTION: (*_DEFAULT, "kmsMasterKeyId"),
    FUNCTION: ("kmsKeyArn",),
    LOG_GROUP: ("kmsKeyId",),
    QUEUE: ("kmsMasterKeyId",),
    TABLE: ("serverSideEncryption", "kmsKeyArn"),
    TOPIC: ("kmsMasterKeyId",),
    WORKGROUP: ("configuration", "managedQueryResultsConfiguration", "encryptionConfiguration", "kmsKey"),
}
"""The property of each type that names its KMS key."""


@stack_rule()
def bucket_encryption(stack: Stack) -> Iterator[tuple[Resource | None, str]]:
    """The bucket must define how objects are encrypted, whoever uploads them."""
    for bucket in stack.of(BUCKET):
        configurations = stack.attached(bucket, BUCKET_ENCRYPTION, by="bucket")
        if not configurations:
            yield bucket, "no BucketServerSideEncryptionConfiguration names it"
        for configuration in configurations:
            algorithm = configuration.at(*_DEFAULT, "sseAlgorithm")
            if algorithm not in ("AES256", "aws:kms", UNKNOWN):
                yield configuration, f"sseAlgorithm is {algorithm}; use AES256 or aws:kms"


@resource_rule(QUEUE)
def queue_encryption(queue: Resource, _region: str) -> Iterator[str]:
    """Messages contain names of files, and EventBridge cannot send with the managed key alias/aws/sqs."""
    key = queue.at("kmsMasterKeyId")
    if key in (None, "") and queue.at("sqsManagedSseEnabled") not in (True, UNKNOWN):
        yield f"sqsManagedSseEnabled is {queue.at('sqsManagedSseEnabled')} and it has no key; set one of them"
    if str(key).endswith("alias/aws/sqs"):
        yield f"kmsMasterKeyId is {key}, with which EventBridge cannot send; use SSE-SQS"


@resource_rule(TOPIC)
def topic_encryption(topic: Resource, _region: str) -> Iterator[str]:
    """CloudWatch cannot publish with SNS's managed key, so alarms would be lost without an error."""
    key = topic.at("kmsMasterKeyId")
    if str(key).endswith("alias/aws/sns"):
        yield f"kmsMasterKeyId is {key}, with which CloudWatch cannot publish; use a key of your own or none"


@resource_rule(KEY)
def key_rotation(key: Resource, _region: str) -> Iterator[str]:
    """A key is rotated every year, has one region, and waits for the longest period before deletion."""
    if key.at("enableKeyRotation") not in (True, UNKNOWN):
        yield f"enableKeyRotation is {key.at('enableKeyRotation')}; set it"
    if key.at("multiRegion") not in (None, False, UNKNOWN):
        yield f"multiRegion is {key.at('multiRegion')}; set it to false for a key of one region"
    window = key.at("deletionWindowInDays")
    if isinstance(window, int | float) and window < 30:
        yield f"deletionWindowInDays is {window:g}; set it to 30"


@stack_rule()
def key_everywhere(stack: Stack) -> Iterator[tuple[Resource | None, str]]:
    """A stack with its own key encrypts all data with it, so that disabling the key blocks all access."""
    keys = list(stack.of(KEY))
    if not keys:
        return
    for resource in stack.of(*KEY_PROPERTIES):
        path = KEY_PROPERTIES[resource.type]
        value = resource.at(*path)
        if value is UNKNOWN:
            continue
        if not any(
            value is not None and value in (key.at("arn"), key.at("id"), key.at("keyId")) for key in keys
        ):
            yield resource, f"{'.'.join(map(str, path))} is {value}; use the stack's key"
    for table in stack.of(TABLE):
        if table.at("serverSideEncryption", "enabled") is False:
            yield table, "serverSideEncryption.enabled is False, so the table ignores its key; set it"
    for bucket in stack.of(BUCKET):
        if not any(refers(configuration, "bucket", bucket) for configuration in stack.of(BUCKET_ENCRYPTION)):
            yield bucket, "no encryption configuration uses the stack's key for it"
