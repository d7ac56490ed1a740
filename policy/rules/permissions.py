"""IAM policies name actions and resources exactly."""

import re
from collections.abc import Iterator

from .documents import KEYS, ROLE, Statement, has_wildcard, statements
from .model import Resource, resource_rule

GRANT = "aws:kms/grant:Grant"
WITHOUT_RESOURCES = frozenset({"ec2:describenetworkinterfaces", "ec2:describesubnets"})
"""Actions that a function in a VPC needs and that support no resources."""

LIMITED_TO_REGION = frozenset(
    {"ec2:deletenetworkinterface", "ec2:assignprivateipaddresses", "ec2:unassignprivateipaddresses"}
)
"""Actions that Lambda's check of a role does not limit to an interface (see `acceptance.py`)."""

_OBJECTS = re.compile(r"arn:aws[a-z-]*:s3:::[^*?$/]+/(?:[^*?$]*/)?\*")
_LOG_STREAMS = re.compile(r"arn:aws[a-z-]*:logs:[^*?$:]+:[^*?$:]+:log-group:[^*?$:]+:(?:log-stream:)?\*")
_TABLES = re.compile(r"arn:aws[a-z-]*:glue:[^*?$:]+:[^*?$:]+:table/[^*?$/]+/\*")
_WORKGROUPS = re.compile(r"arn:aws[a-z-]*:athena:[^*?$:]+:[^*?$:]+:workgroup/[^*?$]+-\*-[^*?$]+")
"""All tables of one database, and the workgroups of one stack: its names begin with the project and end with
region and suffix."""
_ANYTHING_IN_EC2 = re.compile(r"arn:aws[a-z-]*:ec2:[^*?$:]+:[^*?$:]+:\*/\*")
_NETWORK_INTERFACES = re.compile(r"arn:aws[a-z-]*:ec2:[^*?$:]+:[^*?$:]+:network-interface/\*")

_SERVICE = re.compile("[a-z0-9.-]+")

_WILDCARDS = (_OBJECTS, _LOG_STREAMS, _NETWORK_INTERFACES, _TABLES, _WORKGROUPS)


@resource_rule()
def no_wildcard_action(resource: Resource, _region: str) -> Iterator[str]:
    """A wildcard allows unused actions, and actions that AWS adds later."""
    for path, statement in _grants(resource):
        for action in statement.actions:
            if has_wildcard(action) and not _is_key_owner(resource, statement):
                yield f"{path} allows {action}; name the actions that are used"
        for name in statement.inverted:
            yield f"{path} uses {name}; name what is allowed"


@resource_rule()
def no_wildcard_resource(resource: Resource, _region: str) -> Iterator[str]:
    """A permission names its resource; only what one resource or stack holds may have a wildcard."""
    for path, statement in _grants(resource):
        for named in statement.resources:
            if not has_wildcard(named) or _allowed_wildcard(named):
                continue
            if named == "*" and (resource.type in KEYS or statement.calls <= WITHOUT_RESOURCES):
                continue
            if _ANYTHING_IN_EC2.fullmatch(named) and statement.calls <= LIMITED_TO_REGION:
                continue
            yield f"{path} allows {', '.join(statement.actions)} on {named}; name the resource"


@resource_rule()
def no_managed_policy(resource: Resource, _region: str) -> Iterator[str]:
    """AWS managed policies allow more than one function needs, and AWS changes them."""
    attached = [
        resource.at("policyArn"),
        resource.at("managedPolicyArn"),
        *resource.listed("managedPolicyArns"),
        *resource.listed("policyArns"),
    ]
    for arn in attached:
        if isinstance(arn, str) and ":iam::aws:policy/" in arn:
            yield f"attaches {arn}; use an inline policy with the actions that are used"


@resource_rule(ROLE)
def role_trust(role: Resource, _region: str) -> Iterator[str]:
    """One service may assume a role, and no users, accounts or identity providers."""
    trusted = {
        (kind, name)
        for path, statement in _grants(role)
        if path == "assumeRolePolicy"
        for kind, name in statement.principals
    }
    for kind, name in sorted(trusted):
        if kind != "Service" or len(trusted) > 1:
            yield f"assumeRolePolicy trusts {kind} {name}; trust one service alone"


@resource_rule()
def key_use_bound(resource: Resource, _region: str) -> Iterator[str]:
    """A role uses a key only through services, so that it cannot decrypt stolen ciphertext."""
    if resource.type == GRANT:
        yield f"grants {resource.at('operations')} without a service; use a policy with kms:ViaService"
    for path, statement in _grants(resource):
        uses = [action for action in statement.actions if action.lower().startswith("kms:")]
        if not uses or _is_key_owner(resource, statement) or _is_for_services(statement):
            continue
        if not statement.binds("kms:viaservice", _SERVICE):
            how = "add StringEquals on kms:ViaService with the services' names"
            yield f"{path} allows {', '.join(uses)} without a service; {how}"


def _grants(resource: Resource) -> Iterator[tuple[str, Statement]]:
    return ((path, statement) for path, statement in statements(resource) if statement.allows)


def _allowed_wildcard(named: str) -> bool:
    return any(pattern.fullmatch(named) for pattern in _WILDCARDS)


def _is_for_services(statement: Statement) -> bool:
    """Tell whether only services are allowed, which `services-bound` checks."""
    return {kind for kind, _ in statement.principals} == {"Service"}


def _is_key_owner(resource: Resource, statement: Statement) -> bool:
    """Tell whether this statement lets the account administer the key, which AWS recommends."""
    return resource.type in KEYS and all(
        kind == "AWS" and name.endswith(":root") for kind, name in statement.principals
    )
