"""The rule for tags covers every type that supports tags."""

import sys

import pulumi
import pulumi_aws
import pytest

from policy.rules.tags import TAGGABLE
from tests.policy.stacks import evaluated, every


def taggable(type_: str) -> bool:
    """Tell whether pulumi-aws's class of this type has tags."""
    _, module, name = type_.split(":")
    module = module.partition("/")[0]
    package = getattr(pulumi_aws, {"lambda": "lambda_"}.get(module, module))
    arguments = getattr(sys.modules[package.__name__], f"{name}Args")
    return issubclass(getattr(package, name), pulumi.CustomResource) and "tags" in vars(arguments)


@pytest.mark.parametrize(("region", "customer_managed_key"), every())
def test_rule_covers_every_type_with_tags(region: str, customer_managed_key: bool) -> None:
    types = {one.type for one in evaluated(region, customer_managed_key=customer_managed_key).resources}
    for type_ in sorted(type_ for type_ in types if type_.startswith("aws:")):
        assert taggable(type_) == (type_ in TAGGABLE), type_
