"""IAM policy documents in the properties of resources, parsed into statements."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .model import Resource

ROLE = "aws:iam/role:Role"
KEYS = frozenset({"aws:kms/key:Key", "aws:kms/keyPolicy:KeyPolicy"})
ENDPOINTS = frozenset({"aws:ec2/vpcEndpoint:VpcEndpoint", "aws:ec2/vpcEndpointPolicy:VpcEndpointPolicy"})


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One statement of a policy document."""

    allows: bool
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    principals: tuple[tuple[str, str], ...]
    """Pairs of kind ("AWS", "Service", "*") and name."""
    condition: Mapping[str, Mapping[str, Any]]
    inverted: tuple[str, ...]
    """Which of NotAction, NotResource and NotPrincipal the statement uses."""

    def condition_keys(self) -> frozenset[str]:
        """Return the statement's condition keys in lower case; AWS ignores their case."""
        return frozenset(key.lower() for test in self.condition.values() for key in test)


def statements(resource: Resource) -> Iterator[tuple[str, Statement]]:
    """Yield each statement of the resource's policy documents, with the property's name."""
    for name, value in resource.properties.items():
        for statement in _parse(value):
            yield name, statement


def _parse(value: object) -> Iterator[Statement]:
    if not (isinstance(value, str) and '"Statement"' in value):
        return
    for raw in _many(json.loads(value)["Statement"]):
        yield Statement(
            allows=raw["Effect"] == "Allow",
            actions=tuple(_many(raw.get("Action"))),
            resources=tuple(_many(raw.get("Resource"))),
            principals=tuple(_principals(raw.get("Principal"))),
            condition=raw.get("Condition", {}),
            inverted=tuple(name for name in ("NotAction", "NotResource", "NotPrincipal") if name in raw),
        )


def _principals(value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for kind, names in value.items():
            for name in _many(names):
                yield ("*", "*") if name == "*" else (kind, name)
    elif value is not None:
        yield "*", str(value)


def _many(value: Any) -> list[Any]:  # noqa: ANN401 - IAM allows one value or a list
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
