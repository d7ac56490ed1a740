"""Rules, and the stacks and resources that they check, in one form for tests and for Pulumi's engine."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Level = Literal["advisory", "mandatory"]
"""The effect of a violation on `pulumi preview` and `pulumi up`: a warning, or an error."""


class Unknown:
    """The type of `UNKNOWN`."""

    def __repr__(self) -> str:
        return "a value known after the update"


UNKNOWN = Unknown()
"""A value that a preview does not know. Rules accept it, because the update checks the real value."""


@dataclass(frozen=True, kw_only=True)
class Resource:
    """A resource with its inputs and, once it exists, its outputs."""

    type: str
    name: str
    properties: Mapping[str, Any]
    urn: str = ""
    protect: bool = False
    dependencies: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """For each property, the URNs of the resources on whose outputs it depends."""

    def at(self, *path: str | int) -> Any:  # noqa: ANN401 - properties are JSON
        """Return the value at a path of keys and indexes; None if absent, `UNKNOWN` if not known yet."""
        value: Any = self.properties
        for step in path:
            if isinstance(value, Unknown):
                return value
            if isinstance(value, Mapping):
                value = value.get(step)
            elif isinstance(value, list) and isinstance(step, int) and step < len(value):
                value = value[step]
            else:
                return None
        return value

    def listed(self, *path: str | int) -> list[Any]:
        """Return the list at a path, or an empty list if it is absent or unknown."""
        value = self.at(*path)
        return value if isinstance(value, list) else []


@dataclass(frozen=True, kw_only=True)
class Stack:
    """The resources of a stack, and its region."""

    region: str
    resources: tuple[Resource, ...]

    def of(self, *types: str) -> Iterator[Resource]:
        """Return the resources of these types."""
        return (resource for resource in self.resources if resource.type in types)

    def attached(self, owner: Resource, kind: str, *, by: str) -> list[Resource]:
        """Return the resources of type `kind` whose property `by` refers to `owner`."""
        return [resource for resource in self.of(kind) if refers(resource, by, owner)]


def refers(resource: Resource, by: str, owner: Resource) -> bool:
    """Tell whether the property `by` is one of the owner's identifiers, or will be once it is known."""
    value = resource.at(by)
    if isinstance(value, Unknown):
        return owner.urn in resource.dependencies.get(by, frozenset())
    identifiers = (owner.at(name) for name in ("id", "arn", "name", "bucket", "url"))
    return value is not None and value in identifiers


@dataclass(frozen=True, kw_only=True)
class Violation:
    """A violation of a rule by a resource, or by the stack if `resource` is None."""

    rule: str
    resource: Resource | None
    message: str

    def __str__(self) -> str:
        place = f"{self.resource.type} '{self.resource.name}'" if self.resource else "the stack"
        return f"{self.rule}: {place}: {self.message}"


@dataclass(frozen=True, kw_only=True)
class ResourceRule:
    """A rule for single resources, which Pulumi's engine checks before it changes the resource."""

    name: str
    description: str
    level: Level
    types: frozenset[str]
    """The types that it applies to; empty for all types."""
    check: Callable[[Resource, str], Iterator[str]]
    """Yields a message for each violation of a resource in a stack of the given region."""

    def messages(self, resource: Resource, region: str) -> Iterator[str]:
        """Yield a message for each violation of the resource."""
        if not self.types or resource.type in self.types:
            yield from self.check(resource, region)

    def violations(self, stack: Stack) -> Iterator[Violation]:
        """Yield the violations in the stack."""
        for resource in stack.resources:
            for message in self.messages(resource, stack.region):
                yield Violation(rule=self.name, resource=resource, message=message)


@dataclass(frozen=True, kw_only=True)
class StackRule:
    """A rule for a whole stack."""

    name: str
    description: str
    level: Level
    check: Callable[[Stack], Iterator[tuple[Resource | None, str]]]

    def violations(self, stack: Stack) -> Iterator[Violation]:
        """Yield the violations in the stack."""
        for resource, message in self.check(stack):
            yield Violation(rule=self.name, resource=resource, message=message)


Rule = ResourceRule | StackRule


def resource_rule(
    *types: str, level: Level = "mandatory"
) -> Callable[[Callable[[Resource, str], Iterator[str]]], ResourceRule]:
    """Return a decorator that makes a rule of a function, with its name and docstring as description."""
    return lambda check: ResourceRule(
        name=_name(check), description=_description(check), level=level, types=frozenset(types), check=check
    )


def stack_rule(
    *, level: Level = "mandatory"
) -> Callable[[Callable[[Stack], Iterator[tuple[Resource | None, str]]]], StackRule]:
    """Return a decorator like `resource_rule`, for a rule over the whole stack."""
    return lambda check: StackRule(
        name=_name(check), description=_description(check), level=level, check=check
    )


def _name(check: Callable[..., object]) -> str:
    return check.__name__.replace("_", "-")


def _description(check: Callable[..., object]) -> str:
    return " ".join((inspect.getdoc(check) or "").split())
