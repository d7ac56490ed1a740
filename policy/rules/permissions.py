"""Rights are named one by one, on resources named one by one."""

import re
from collections.abc import Iterator, Mapping

from .documents import KEYS, ROLE, Statement, statements
from .model import Resource, resource_rule

UNBOUNDED: Mapping[str, str] = {
    "ec2:DescribeNetworkInterfaces": "EC2 knows no resource for it",
    "ec2:DescribeSubnets": "EC2 knows no resource for it",
}
"""Actions that a function in a network needs and AWS does not let a policy bind to resources, and why."""

BOUND_TO_REGION = frozenset(
    {"ec2:DeleteNetworkInterface", "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses"}
)
"""Actions for which Lambda's check of a role names no interface (see `acceptance.py`)."""

_OBJECTS = re.compile(r"arn:aws[a-z-]*:s3:::[^*?/]+/(?:[^*?]*/)?\*")
_LOG_STREAMS = re.compile(r"arn:aws[a-z-]*:logs:[^*?:]+:[^*?:]+:log-group:[^*?:]+:(?:log-stream:)?\*")
_ANYTHING_IN_EC2 = re.compile(r"arn:aws[a-z-]*:ec2:[^*?:]+:[^*?:]+:\*/\*")
_NETWORK_INTERFACES = re.compile(r"arn:aws[a-z-]*:ec2:[^*?:]+:[^*?:]+:network-interface/\*")


@resource_rule()
def no_wildcard_action(resource: Resource, _region: str) -> Iterator[str]:
    """A wildcard allows what nobody thought of, and what AWS invents tomorrow."""
    for path, statement in _grants(resource):
        for action in statement.actions:
            if "*" in action and not _is_key_owner(resource, statement):
                yield f"{path} allows {action}; name the actions that are used"
        for name in statement.inverted:
            yield f"{path} allows everything but {name}; name what is meant"


@resource_rule()
def no_wildcard_resource(resource: Resource, _region: str) -> Iterator[str]:
    """A right on any name is a right on everybody's; only names that data makes end in a wildcard."""
    for path, statement in _grants(resource):
        for named in statement.resources:
            if not ("*" in named or "?" in named) or _bounded(named):
                continue
            if named == "*" and (resource.type in KEYS or set(statement.actions) <= UNBOUNDED.keys()):
                continue
            if _ANYTHING_IN_EC2.fullmatch(named) and set(statement.actions) <= BOUND_TO_REGION:
                continue
            yield f"{path} allows {', '.join(statement.actions)} on {named}; name the resource"


@resource_rule(
    ROLE,
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
    "aws:iam/policyAttachment:PolicyAttachment",
    "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive",
)
def no_managed_policy(resource: Resource, _region: str) -> Iterator[str]:
    """AWS's managed policies allow far more than one function needs, and AWS changes them."""
    attached = [
        resource.at("policyArn"),
        *resource.listed("managedPolicyArns"),
        *resource.listed("policyArns"),
    ]
    for arn in attached:
        if isinstance(arn, str) and ":iam::aws:policy/" in arn:
            yield f"attaches {arn}; write the actions that are used"


@resource_rule(ROLE)
def role_trust(role: Resource, _region: str) -> Iterator[str]:
    """A role is taken by the one service that runs the code, not by people, accounts or federations."""
    for path, statement in statements(role):
        for kind, name in statement.principals:
            if statement.allows and path == "assumeRolePolicy" and kind != "Service":
                yield f"{path} trusts {kind} {name}; it should trust one service"


@resource_rule()
def key_use_bound(resource: Resource, _region: str) -> Iterator[str]:
    """A role uses a key through the services that hold its data, so that stolen ciphertext stays closed."""
    if resource.type in KEYS:
        return
    for path, statement in _grants(resource):
        uses = [action for action in statement.actions if action.startswith("kms:")]
        if uses and "kms:viaservice" not in statement.condition_keys():
            yield f"{path} allows {', '.join(uses)} by any way; bind it by kms:ViaService"


def _grants(resource: Resource) -> Iterator[tuple[str, Statement]]:
    return ((path, statement) for path, statement in statements(resource) if statement.allows)


def _bounded(named: str) -> bool:
    return any(pattern.fullmatch(named) for pattern in (_OBJECTS, _LOG_STREAMS, _NETWORK_INTERFACES))


def _is_key_owner(resource: Resource, statement: Statement) -> bool:
    """Tell whether this is the statement without which nobody could ever change a key's policy again."""
    return resource.type in KEYS and all(
        kind == "AWS" and name.endswith(":root") for kind, name in statement.principals
    )
