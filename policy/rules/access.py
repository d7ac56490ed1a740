"""Access to stored data: not public, only with TLS, and no service on behalf of other accounts."""

import re
from collections.abc import Callable, Iterator, Mapping

from .documents import BINDING, ENDPOINTS, ROLE, Statement, has_wildcard, statements
from .model import UNKNOWN, Resource, Stack, resource_rule, stack_rule

BUCKET = "aws:s3/bucket:Bucket"
OWNERSHIP = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
PERMISSION = "aws:lambda/permission:Permission"
QUEUE = "aws:sqs/queue:Queue"
QUEUE_POLICY = "aws:sqs/queuePolicy:QueuePolicy"
PUBLIC_ACCESS_BLOCK = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
TOPIC = "aws:sns/topic:Topic"
WITH_ENDPOINT = {
    BUCKET: ("aws:s3/bucketPolicy:BucketPolicy", "bucket", "s3:*"),
    QUEUE: (QUEUE_POLICY, "queueUrl", "sqs:*"),
    TOPIC: ("aws:sns/topicPolicy:TopicPolicy", "arn", "sns:Publish"),
}
"""Types with a network endpoint: the type of its policy, the property that refers to it, the action to
deny."""

_ARN = re.compile(r"arn:[^:*?$]+:[^:*?$]+:[^:*?$]*:[0-9]{12}:.+|arn:[^:*?$]+:s3:::[^*?$]+")
_ACCOUNT = re.compile("[0-9]{12}")
_RULE = re.compile(r"arn:aws[a-z-]*:events:[^:*?$]+:[0-9]{12}:rule/[^*?$]+")
BOUNDS: Mapping[str, re.Pattern[str]] = {
    "aws:sourcearn": _ARN,
    "aws:sourceaccount": _ACCOUNT,
    "kms:encryptioncontext:aws:": _ARN,
}
"""Prefixes of condition keys that limit a service to the resource or account for which it acts, with the
values that name one."""

PLAIN_HTTP = ("bool", "aws:securetransport", "false")
OUTDATED_TLS = ("numericlessthan", "s3:tlsversion", "1.2")
CUSTOMER_KEY = ("null", "s3:x-amz-server-side-encryption-customer-algorithm", "false")
"""Conditions of denials: the operator, the key and the value, in lower case."""

BUCKET_PARTS = frozenset(
    {
        BUCKET,
        OWNERSHIP,
        PUBLIC_ACCESS_BLOCK,
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
        "aws:s3/bucketNotification:BucketNotification",
        "aws:s3/bucketPolicy:BucketPolicy",
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
        "aws:s3/bucketVersioning:BucketVersioning",
    }
)
"""Types of S3 that send no data elsewhere; other rules check their properties."""

BUCKET_PROPERTIES = frozenset({"arn", "bucket", "bucketNamespace", "forceDestroy", "id", "region", "tags"})
"""The properties that a bucket may have itself. Its other parts are resources of their own."""


@stack_rule()
def bucket_public_access(stack: Stack) -> Iterator[tuple[Resource | None, str]]:
    """A wrong policy or ACL alone must not make the data public."""
    for bucket in stack.of(BUCKET):
        blocks = stack.attached(bucket, PUBLIC_ACCESS_BLOCK, by="bucket")
        if not blocks:
            yield bucket, "no BucketPublicAccessBlock names it"
        for block in blocks:
            for name in ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"):
                if block.at(name) not in (True, UNKNOWN):
                    yield block, f"{name} is {block.at(name)}; set it"


@stack_rule()
def bucket_ownership(stack: Stack) -> Iterator[tuple[Resource | None, str]]:
    """The bucket's owner owns every object, and ACLs are disabled."""
    for bucket in stack.of(BUCKET):
        controls = stack.attached(bucket, OWNERSHIP, by="bucket")
        if not controls:
            yield bucket, "no BucketOwnershipControls names it"
        for control in controls:
            ownership = control.at("rule", "objectOwnership")
            if ownership not in ("BucketOwnerEnforced", UNKNOWN):
                yield control, f"objectOwnership is {ownership}; it should be BucketOwnerEnforced"


@stack_rule()
def tls_only(stack: Stack) -> Iterator[tuple[Resource | None, str]]:
    """Requests without TLS can be read in transit, so policies deny them to everybody."""
    for kind, (_, _, action) in WITH_ENDPOINT.items():
        for owner in stack.of(kind):
            if not _denies(stack, owner, action, lambda one: _holds_if(one, PLAIN_HTTP)):
                yield owner, f"no policy denies {action} when aws:SecureTransport is false"


@stack_rule()
def bucket_denials(stack: Stack) -> Iterator[tuple[Resource | None, str]]:
    """The bucket refuses outdated TLS, customer-provided keys, and the deletion of versions.

    Named roles may delete versions. A bucket without Pulumi's protection is not checked for that, because it
    is about to be deleted.
    """
    for bucket in stack.of(BUCKET):
        if not _denies(stack, bucket, "s3:*", lambda one: _holds_if(one, OUTDATED_TLS)):
            yield bucket, "no policy denies s3:* when s3:TlsVersion is below 1.2"
        if not _denies(stack, bucket, "s3:PutObject", lambda one: _holds_if(one, CUSTOMER_KEY)):
            yield bucket, "no policy denies s3:PutObject with a customer-provided key"
        if bucket.protect and not _denies(stack, bucket, "s3:DeleteObjectVersion", _excepts_roles_alone):
            yield bucket, "no policy denies s3:DeleteObjectVersion to all but named roles"


@resource_rule()
def no_public_policy(resource: Resource, _region: str) -> Iterator[str]:
    """A policy that allows everybody makes its resource public. Endpoint policies limit resources instead."""
    for path, statement in statements(resource):
        if resource.type in ENDPOINTS or not statement.allows:
            continue
        if ("*", "*") in statement.principals:
            yield f"{path} allows {', '.join(statement.actions)} to everybody; name who needs it"
    if resource.at("principal") == "*":
        yield "principal is *; name who needs it"


@resource_rule()
def services_bound(resource: Resource, _region: str) -> Iterator[str]:
    """A service acts for all accounts, so its permission must name a source resource or account.

    Only `kms:DescribeKey`, which returns no data, may be without a source if the request has none.
    """
    if resource.type == ROLE:
        return
    for path, statement in statements(resource):
        services = [name for kind, name in statement.principals if kind == "Service"]
        if statement.allows and services and not _is_bound(statement):
            yield f"{path} allows {', '.join(services)} for any account; add a condition on aws:SourceArn"
    bounds = (("sourceArn", _ARN), ("sourceAccount", _ACCOUNT))
    if resource.type == PERMISSION and not any(_fits(resource.at(name), one) for name, one in bounds):
        yield f"principal {resource.at('principal')} may invoke the function for any account; set sourceArn"


@resource_rule(QUEUE, QUEUE_POLICY)
def queue_senders(policy: Resource, _region: str) -> Iterator[str]:
    """A message invokes the function, so only EventBridge may send one, for rules that are named."""
    for path, statement in statements(policy):
        if not statement.allows:
            continue
        sources = statement.named(("ArnEquals", "StringEquals"), "aws:sourcearn")
        if not sources or not all(map(_RULE.fullmatch, sources)):
            yield f"{path} allows a service from {list(sources) or 'any source'}; name the rule's ARN"
        for kind, name in statement.principals:
            if (kind, name) != ("Service", "events.amazonaws.com"):
                yield f"{path} allows {kind} {name} to send; allow only events.amazonaws.com, for one rule"


@stack_rule()
def queue_rules(stack: Stack) -> Iterator[tuple[Resource | None, str]]:
    """The rules that may send messages to a queue are the stack's own."""
    own = [rule.at("arn") for rule in stack.of("aws:cloudwatch/eventRule:EventRule")]
    for policy in stack.of(QUEUE, QUEUE_POLICY):
        for path, statement in statements(policy):
            for source in statement.named(("ArnEquals", "StringEquals"), "aws:sourcearn"):
                if source not in own and UNKNOWN not in own:
                    yield policy, f"{path} allows {source} to send, which is no rule of the stack"


@resource_rule()
def bucket_parts(resource: Resource, _region: str) -> Iterator[str]:
    """Logs, inventories, analytics and replicas of a bucket go elsewhere, so an allowlist applies.

    A bucket's own properties can replace most parts, and no other rule reads them, so they are refused.
    """
    if resource.type.startswith(("aws:s3/", "aws:s3control/")) and resource.type not in BUCKET_PARTS:
        yield f"{resource.type} is not on the list of a bucket's parts that send no data elsewhere"
    for name in sorted(resource.properties.keys() - BUCKET_PROPERTIES) if resource.type == BUCKET else ():
        value = resource.at(name)
        if value not in (None, False, "", [], {}, UNKNOWN):
            yield f"{name} is {value}; use a separate resource for this part"


def _fits(value: object, pattern: re.Pattern[str]) -> bool:
    return value is UNKNOWN or bool(pattern.fullmatch(str(value)))


def _is_bound(statement: Statement) -> bool:
    """Tell whether a condition names a source: an ARN of one account, an account or a service's resource."""
    without_source = statement.calls == {"kms:describekey"}
    operators = (*BINDING, "StringEqualsIfExists") if without_source else BINDING
    return any(
        key.startswith(prefix) and statement.binds(key, pattern, operators)
        for key in statement.condition_keys()
        for prefix, pattern in BOUNDS.items()
    )


def _denies(stack: Stack, owner: Resource, action: str, on_condition: Callable[[Statement], bool]) -> bool:
    """Tell whether a policy denies an action on all of a resource to everybody, or may once it is known."""
    policy_type, by, _ = WITH_ENDPOINT[owner.type]
    policies = stack.attached(owner, policy_type, by=by)
    known = [policy for policy in policies if policy.at("policy") is not UNKNOWN]
    denials = (statement for policy in known for _, statement in statements(policy) if not statement.allows)
    return (bool(policies) and not known) or any(
        statement.principals == (("*", "*"),)
        and not statement.inverted
        and bool({"*", action.lower(), f"{action.partition(':')[0]}:*"} & statement.calls)
        and (owner.at("arn") is UNKNOWN or _parts(owner, action) <= set(statement.resources))
        and on_condition(statement)
        for statement in denials
    )


def _parts(owner: Resource, action: str) -> set[str]:
    """Return the ARNs that an action on all of a resource is about."""
    arn = owner.at("arn")
    if owner.type != BUCKET:
        return {arn}
    return {arn, f"{arn}/*"} if action == "s3:*" else {f"{arn}/*"}


def _holds_if(statement: Statement, condition: tuple[str, str, str]) -> bool:
    """Tell whether an operator, a key and a value, in lower case, are the whole condition."""
    operator, key, value = condition
    return (
        [name.lower() for name in statement.condition] == [operator]
        and statement.condition_keys() == {key}
        and [text.lower() for text in statement.named(statement.condition, key)] == [value]
    )


def _excepts_roles_alone(statement: Statement) -> bool:
    """Tell whether a statement has no condition, or one for all principals but those that it names."""
    named = statement.named(("ArnNotEquals",), "aws:principalarn")
    return (
        statement.condition.keys() <= {"ArnNotEquals"}
        and statement.condition_keys() <= {"aws:principalarn"}
        and not any(map(has_wildcard, named))
    )
