"""Access to stored data: not public, only with TLS, and no service on behalf of other accounts."""

from collections.abc import Iterator

from .documents import ENDPOINTS, ROLE, Statement, statements
from .model import UNKNOWN, Resource, Stack, resource_rule, stack_rule

BUCKET = "aws:s3/bucket:Bucket"
OWNERSHIP = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
PERMISSION = "aws:lambda/permission:Permission"
PUBLIC_ACCESS_BLOCK = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
TOPIC = "aws:sns/topic:Topic"
WITH_ENDPOINT = {
    BUCKET: ("aws:s3/bucketPolicy:BucketPolicy", "bucket", "s3:*"),
    "aws:sqs/queue:Queue": ("aws:sqs/queuePolicy:QueuePolicy", "queueUrl", "sqs:*"),
    TOPIC: ("aws:sns/topicPolicy:TopicPolicy", "arn", "sns:Publish"),
}
"""Types with a network endpoint: the type of its policy, the property that refers to it, the action to
deny."""

BOUNDS = ("aws:sourcearn", "aws:sourceaccount", "kms:viaservice", "kms:encryptioncontext:aws:")
"""Prefixes of condition keys that limit a service to the resource or account for which it acts."""


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
    for kind, (policy_type, by, action) in WITH_ENDPOINT.items():
        for owner in stack.of(kind):
            policies = stack.attached(owner, policy_type, by=by)
            known = [policy for policy in policies if policy.at("policy") is not UNKNOWN]
            if policies and not known:
                continue
            denials = (statement for policy in known for _, statement in statements(policy))
            if not any(_denies_plain_http(statement, action) for statement in denials):
                yield owner, f"no policy denies {action} when aws:SecureTransport is false"


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
    """A service acts for all accounts, so its permission must name a source resource or account."""
    if resource.type == ROLE:
        return
    for path, statement in statements(resource):
        services = [name for kind, name in statement.principals if kind == "Service"]
        bound = any(key.startswith(BOUNDS) for key in statement.condition_keys())
        if statement.allows and services and not bound:
            yield f"{path} allows {', '.join(services)} for any account; add a condition on aws:SourceArn"
    if resource.type == PERMISSION and not (resource.at("sourceArn") or resource.at("sourceAccount")):
        yield f"principal {resource.at('principal')} may invoke the function for any account; set sourceArn"


@resource_rule("aws:sqs/queuePolicy:QueuePolicy")
def queue_senders(policy: Resource, _region: str) -> Iterator[str]:
    """A message invokes the function, so only the stack's own rule may send one."""
    for path, statement in statements(policy):
        if not statement.allows:
            continue
        sources = [
            source
            for operator in ("ArnEquals", "StringEquals")
            for key, value in statement.condition.get(operator, {}).items()
            if key.lower() == "aws:sourcearn"
            for source in (value if isinstance(value, list) else [value])
        ]
        if not sources or any("*" in source for source in sources):
            yield f"{path} allows a service from {sources or 'any source'}; name the rule's ARN"
        for kind, name in statement.principals:
            if kind != "Service":
                yield f"{path} allows {kind} {name} to send; allow only a service, for one rule"


def _denies_plain_http(statement: Statement, action: str) -> bool:
    refused = {"*", action, f"{action.partition(':')[0]}:*"}
    transport = {
        key.lower(): str(value).lower() for key, value in statement.condition.get("Bool", {}).items()
    }
    return (
        not statement.allows
        and ("*", "*") in statement.principals
        and bool(refused & set(statement.actions))
        and transport == {"aws:securetransport": "false"}
    )
