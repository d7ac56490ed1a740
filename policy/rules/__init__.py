"""The rules for every stack, used by the tests and by the policy pack."""

from . import acceptance, access, encryption, network, permissions, residency, retention, tables, tags
from .model import UNKNOWN, Resource, ResourceRule, Rule, Stack, StackRule, Violation

_MODULES = (residency, network, encryption, access, permissions, retention, tags, acceptance, tables)

RULES: tuple[Rule, ...] = tuple(
    value
    for module in _MODULES
    for value in vars(module).values()
    if isinstance(value, ResourceRule | StackRule)
)


def violations(stack: Stack) -> list[Violation]:
    """Return all violations in the stack."""
    return [violation for rule in RULES for violation in rule.violations(stack)]


__all__ = [
    "RULES",
    "UNKNOWN",
    "Resource",
    "ResourceRule",
    "Rule",
    "Stack",
    "StackRule",
    "Violation",
    "violations",
]
