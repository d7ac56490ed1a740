"""What a rule sees: a stack's resources in one form, whoever hands them over, a test or Pulumi's engine."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Level = Literal["advisory", "mandatory"]
"""What a violation does to `pulumi preview` and `pulumi up`: it warns, or it stops them."""


class Unknown:
    """The type of `UNKNOWN`."""

    def __repr__(self) -> str:
        return "a value known after the update"


UNKNOWN = Unknown()
"""Stands for a value that a preview cannot know. No rule blames it: the update is checked again with it."""


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One resource as the program declares it, with what AWS gave back once it exists."""

    type: str
    name: str
    properties: Mapping[str, Any]
    urn: str = ""
    protect: bool = False
    dependencies: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """For each property, the URNs of the resources that its value comes from."""

    def at(self, *path: str | int) -> Any:  # noqa: ANN401 - properties are JSON
        """Give the value at a path of keys and positions: None if absent, `UNKNOWN` if a preview hides it."""
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
        """Give the list at a path; an absent, empty or unknown one is empty."""
        value = self.at(*path)
        return value if isinstance(value, list) else []


@dataclass(frozen=True, kw_only=True)
class Stack:
    """All resources of one stack, and the region that it may use."""

    region: str
    resources: tuple[Resource, ...]

    def of(self, *types: str) -> Iterator[Resource]:
        """Give the resources of these types."""
        return (resource for resource in self.resources if resource.type in types)

    def attached(self, owner: Resource, kind: str, *, by: str) -> list[Resource]:
        """Give the resources of type `kind` whose property `by` refers to `owner`."""
        return [resource for resource in self.of(kind) if refers(resource, by, owner)]


def refers(resource: Resource, by: str, owner: Resource) -> bool:
    """Tell whether the property `by` holds one of the owner's identifiers, or will once it is known."""
    value = resource.at(by)
    if isinstance(value, Unknown):
        return owner.urn in resource.dependencies.get(by, frozenset())
    identifiers = (owner.at(name) for name in ("id", "arn", "name", "bucket", "url"))
    return value is not None and value in identifiers


@dataclass(frozen=True, kw_only=True)
class Violation:
    """One resource (or the stack, if None) that breaks one rule; the message names the value it had."""

    rule: str
    resource: Resource | None
    message: str

    def __str__(self) -> str:
        place = f"{self.resource.type} '{self.resource.name}'" if self.resource else "the stack"
        return f"{self.rule}: {place}: {self.message}"


@dataclass(frozen=True, kw_only=True)
class ResourceRule:
    """A rule that one resource alone can break: Pulumi's engine asks before the resource is touched."""

    name: str
    description: str
    level: Level
    types: frozenset[str]
    """The types it looks at; empty for all."""
    check: Callable[[Resource, str], Iterator[str]]
    """Gives a message for each violation of a resource; the text is the stack's region."""

    def messages(self, resource: Resource, region: str) -> Iterator[str]:
        """Give a message for each way in which the resource breaks the rule."""
        if not self.types or resource.type in self.types:
            yield from self.check(resource, region)

    def violations(self, stack: Stack) -> Iterator[Violation]:
        """Give what in the stack breaks the rule."""
        for resource in stack.resources:
            for message in self.messages(resource, stack.region):
                yield Violation(rule=self.name, resource=resource, message=message)


@dataclass(frozen=True, kw_only=True)
class StackRule:
    """A rule about how resources belong together."""

    name: str
    description: str
    level: Level
    check: Callable[[Stack], Iterator[tuple[Resource | None, str]]]

    def violations(self, stack: Stack) -> Iterator[Violation]:
        """Give what in the stack breaks the rule."""
        for resource, message in self.check(stack):
            yield Violation(rule=self.name, resource=resource, message=message)


Rule = ResourceRule | StackRule


def resource_rule(
    *types: str, level: Level = "mandatory"
) -> Callable[[Callable[[Resource, str], Iterator[str]]], ResourceRule]:
    """Make a function a rule: its name and its docstring become the rule's name and description."""
    return lambda check: ResourceRule(
        name=_name(check), description=_why(check), level=level, types=frozenset(types), check=check
    )


def stack_rule(
    *, level: Level = "mandatory"
) -> Callable[[Callable[[Stack], Iterator[tuple[Resource | None, str]]]], StackRule]:
    """Make a function a rule over the whole stack, named and described as by `resource_rule`."""
    return lambda check: StackRule(name=_name(check), description=_why(check), level=level, check=check)


def _name(check: Callable[..., object]) -> str:
    return check.__name__.replace("_", "-")


def _why(check: Callable[..., object]) -> str:
    return " ".join((inspect.getdoc(check) or "").split())
