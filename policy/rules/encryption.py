"""What is stored is encrypted, under AWS's keys or, when the stack has one, wholly under its own."""

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

_DEFAULT = ("rules", 0, "applyServerSideEncryptionByDefault")
KEY_PROPERTIES: dict[str, tuple[str | int, ...]] = {
    BUCKET_ENCRYPTION: (*_DEFAULT, "kmsMasterKeyId"),
    FUNCTION: ("kmsKeyArn",),
    LOG_GROUP: ("kmsKeyId",),
    QUEUE: ("kmsMasterKeyId",),
    TABLE: ("serverSideEncryption", "kmsKeyArn"),
    TOPIC: ("kmsMasterKeyId",),
}
"""Where each resource that holds data names the key it is encrypted under."""


@stack_rule()
def bucket_encryption(stack: Stack) -> Iterator[tuple[Resource | None, str]]:
    """Objects are people's data: the bucket says how they are encrypted, whoever uploads them."""
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
    """Messages name people's files; and EventBridge cannot write under the managed key alias/aws/sqs."""
    key = queue.at("kmsMasterKeyId")
    if key in (None, "") and queue.at("sqsManagedSseEnabled") not in (True, UNKNOWN):
        yield f"sqsManagedSseEnabled is {queue.at('sqsManagedSseEnabled')} and it has no key; set one of them"
    if str(key).endswith("alias/aws/sqs"):
        yield f"kmsMasterKeyId is {key}, under which EventBridge cannot write; use SSE-SQS"


@resource_rule(TOPIC)
def topic_encryption(topic: Resource, _region: str) -> Iterator[str]:
    """CloudWatch cannot publish under SNS's managed key: alarms would be lost without a sign."""
    key = topic.at("kmsMasterKeyId")
    if str(key).endswith("alias/aws/sns"):
        yield f"kmsMasterKeyId is {key}, under which CloudWatch cannot publish; use none or a key of your own"


@resource_rule(KEY)
def key_rotation(key: Resource, _region: str) -> Iterator[str]:
    """A key is replaced every year, kept to its region, and not deleted before its loss is noticed."""
    if key.at("enableKeyRotation") not in (True, UNKNOWN):
        yield f"enableKeyRotation is {key.at('enableKeyRotation')}; set it"
    if key.at("multiRegion") not in (None, False, UNKNOWN):
        yield f"multiRegion is {key.at('multiRegion')}; a key of one region leaves it false"
    window = key.at("deletionWindowInDays")
    if isinstance(window, int | float) and window < 30:
        yield f"deletionWindowInDays is {window:g}; 30 leave time to notice"


@stack_rule()
def key_everywhere(stack: Stack) -> Iterator[tuple[Resource | None, str]]:
    """A stack with a key of its own encrypts all it holds under it: disabling it must close everything."""
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
            yield resource, f"{'.'.join(map(str, path))} is {value}; it is not the stack's key"
    for bucket in stack.of(BUCKET):
        if not any(refers(configuration, "bucket", bucket) for configuration in stack.of(BUCKET_ENCRYPTION)):
            yield bucket, "no encryption configuration puts it under the stack's key"
