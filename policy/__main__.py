"""The rule set as a Pulumi policy pack: `pulumi preview --policy-pack policy`."""

from collections.abc import Mapping, Sequence
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
    """Make a rule a policy of Pulumi's."""
    level = EnforcementLevel(rule.level)
    if isinstance(rule, ResourceRule):
        return ResourceValidationPolicy(rule.name, rule.description, _resource_check(rule), level)
    return StackValidationPolicy(rule.name, rule.description, _stack_check(rule), level)


def _resource_check(rule: ResourceRule):  # noqa: ANN202 - a callback of pulumi_policy's own shape
    def check(args: ResourceValidationArgs, report: ReportViolation) -> None:
        for message in rule.messages(_resource(args), _region()):
            report(message, None)

    return check


def _stack_check(rule: StackRule):  # noqa: ANN202 - a callback of pulumi_policy's own shape
    def check(args: StackValidationArgs, report: ReportViolation) -> None:
        stack = Stack(region=_region(), resources=tuple(_resource(resource) for resource in args.resources))
        for violation in rule.violations(stack):
            report(violation.message, violation.resource.urn if violation.resource else None)

    return check


def _region() -> str:
    return pulumi.Config("aws").require("region")


def _resource(given: ResourceValidationArgs | PolicyResource) -> Resource:
    dependencies = getattr(given, "property_dependencies", {})
    return Resource(
        type=given.resource_type,
        name=given.name,
        properties=_known(given.props),
        urn=given.urn,
        protect=given.opts.protect,
        dependencies={
            name: frozenset(source.urn for source in sources) for name, sources in dependencies.items()
        },
    )


def _known(value: Any) -> Any:  # noqa: ANN401 - properties are JSON
    """Copy properties, with `UNKNOWN` where a preview's proxy would raise."""
    if isinstance(value, Mapping):
        return {key: _item(value, key) for key in value}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_item(value, index) for index in range(len(value))]
    return value


def _item(container: Any, key: Any) -> Any:  # noqa: ANN401 - properties are JSON
    try:
        return _known(container[key])
    except UnknownValueError:
        return UNKNOWN


if __name__ == "__main__":
    PolicyPack("regional-analytics", [policy(rule) for rule in RULES])
