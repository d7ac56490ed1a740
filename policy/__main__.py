"""The rule set as a Pulumi policy pack: `pulumi preview --policy-pack policy`."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pulumi
from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyPack,
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UnknownValueError
from rules import RULES, UNKNOWN, Resource, ResourceRule, Rule, Stack, StackRule


def policy(rule: Rule) -> Policy:
    """Return a rule as a Pulumi policy."""
    level = EnforcementLevel(rule.level)
    if isinstance(rule, ResourceRule):
        return ResourceValidationPolicy(rule.name, rule.description, _resource_check(rule), level)
    return StackValidationPolicy(rule.name, rule.description, _stack_check(rule), level)


def _resource_check(rule: ResourceRule):  # noqa: ANN202 - a callback that pulumi_policy defines
    def check(args: ResourceValidationArgs, report: ReportViolation) -> None:
        for message in rule.messages(_resource(args), _region()):
            report(message, None)

    return check


def _stack_check(rule: StackRule):  # noqa: ANN202 - a callback that pulumi_policy defines
    def check(args: StackValidationArgs, report: ReportViolation) -> None:
        for violation in rule.violations(Stack(region=_region(), resources=tuple(_resources(args)))):
            report(violation.message, violation.resource.urn if violation.resource else None)

    return check


def _resources(args: StackValidationArgs) -> Iterator[Resource]:
    """Yield the stack's resources, and their providers if these are not among them."""
    providers = {given.provider.urn: given.provider for given in args.resources if given.provider}
    for given in args.resources:
        providers.pop(given.urn, None)
        yield _resource(given)
    for urn, given in providers.items():
        yield Resource(
            type=given.resource_type, name=given.name, properties=_with_unknowns(given.props), urn=urn
        )


def _region() -> str:
    return pulumi.Config("aws").require("region")


def _resource(given: ResourceValidationArgs | PolicyResource) -> Resource:
    dependencies = getattr(given, "property_dependencies", {})
    return Resource(
        type=given.resource_type,
        name=given.name,
        properties=_with_unknowns(given.props),
        urn=given.urn,
        protect=given.opts.protect,
        dependencies={
            name: frozenset(source.urn for source in sources) for name, sources in dependencies.items()
        },
    )


def _with_unknowns(value: Any) -> Any:  # noqa: ANN401 - properties are JSON
    """Return a copy of the properties, with `UNKNOWN` for values that a preview does not know."""
    if isinstance(value, Mapping):
        return {key: _item(value, key) for key in value}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_item(value, index) for index in range(len(value))]
    return value


def _item(container: Any, key: Any) -> Any:  # noqa: ANN401 - properties are JSON
    try:
        return _with_unknowns(container[key])
    except UnknownValueError:
        return UNKNOWN


if __name__ == "__main__":
    PolicyPack("regional-analytics", [policy(rule) for rule in RULES])
