"""IAM policy documents in the properties of resources, parsed into statements."""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .model import Resource

ROLE = "aws:iam/role:Role"
KEYS = frozenset({"aws:kms/key:Key", "aws:kms/keyPolicy:KeyPolicy"})
ENDPOINTS = frozenset({"aws:ec2/vpcEndpoint:VpcEndpoint", "aws:ec2/vpcEndpointPolicy:VpcEndpointPolicy"})

BINDING = ("ArnEquals", "ArnLike", "StringEquals")
"""Operators that hold only if the request has the key, with a value that fits a given one."""

_KEY_PREFIX = re.compile(r"(?:^|[._])prefix(?:es)?(?:\[\d+\])?$", re.IGNORECASE)
"""The end of the path of a key's prefix, which people may name as they like."""


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One statement of a policy document."""

    allows: bool
    """Whether the effect is not Deny. IAM accepts only Allow and Deny."""
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    principals: tuple[tuple[str, str], ...]
    """Pairs of kind ("AWS", "Service", "*") and name."""
    condition: Mapping[str, Mapping[str, Any]]
    inverted: tuple[str, ...]
    """Which of NotAction, NotResource and NotPrincipal the statement uses."""

    @property
    def calls(self) -> frozenset[str]:
        """The actions in lower case; IAM ignores their case ("IAM JSON policy elements: Action")."""
        return frozenset(action.lower() for action in self.actions)

    def named(self, operators: Collection[str], key: str) -> tuple[str, ...]:
        """Return the values that one of the operators compares with a key, given in lower case."""
        return tuple(
            str(value)
            for operator, test in self.condition.items()
            for name, compared in test.items()
            if operator in operators and name.lower() == key
            for value in _many(compared)
        )

    def binds(self, key: str, pattern: re.Pattern[str], operators: Collection[str] = BINDING) -> bool:
        """Return whether a condition requires one of some values of a key, which all fit a pattern."""
        values = self.named(operators, key)
        return bool(values) and all(map(pattern.fullmatch, values))

    def condition_keys(self) -> frozenset[str]:
        """Return the statement's condition keys in lower case; AWS ignores their case."""
        return frozenset(key.lower() for test in self.condition.values() for key in test)


def has_wildcard(name: str) -> bool:
    """Return whether a name in a policy is a pattern, or has a variable, which the request replaces."""
    return "*" in name or "?" in name or "${" in name


def statements(resource: Resource) -> Iterator[tuple[str, Statement]]:
    """Yield each statement of the resource's policy documents, with the property's path."""
    for path, value in values(resource.properties):
        if isinstance(value, Mapping):
            for raw in _many(value.get("Statement")):
                if isinstance(raw, Mapping):
                    yield path, _statement(raw)


def values(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Yield every value with its path, including containers. A JSON document is a container too.

    Prefixes of keys are left out: whatever they look like, they are names.
    """
    if isinstance(value, str):
        if _KEY_PREFIX.search(path):
            return
        value = _parsed(value)
    if path:
        yield path, value
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from values(part, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from values(part, f"{path}[{index}]")


def _parsed(text: str) -> object:
    """Return the content of a JSON object or list; any other text as it is."""
    if not text.lstrip().startswith(("{", "[")):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def _statement(raw: Mapping[str, Any]) -> Statement:
    return Statement(
        allows=raw.get("Effect") != "Deny",
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
