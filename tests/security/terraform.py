"""A stack's resources as a Terraform plan, which is what scanners of infrastructure read.

Pulumi's AWS provider is made from Terraform's, so the names differ by rule: camelCase for snake_case, plurals for
repeated blocks, single blocks without their list.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from policy.rules import Resource, Stack

MAPS = frozenset({"tags", "variables", "dimensions"})
"""Properties whose keys are data, not names of properties."""

BLOCKS = {
    "attributes": "attribute",
    "globalSecondaryIndexes": "global_secondary_index",
    "keySchemas": "key_schema",
    "metricQueries": "metric_query",
    "rules": "rule",
    "transitions": "transition",
}
"""Repeated blocks, which Pulumi names in the plural."""

TYPES = {"aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": "aws_sqs_queue_redrive_allow_policy"}
"""Types that do not follow the rule."""


def plan(stack: Stack) -> dict[str, Any]:
    """Make the plan, with references between resources where one holds another's id, ARN or name."""
    resources = [resource for resource in stack.resources if resource.type.startswith("aws:")]
    owners = dict(_identifiers(resources))
    planned, configured = [], []
    for resource in resources:
        kind, here = terraform_type(resource.type), address(resource)
        values = {
            _block_name(name): _value(name, value)
            for name, value in resource.properties.items()
            if value is not None and name != "id"
        }
        references = {
            name: {"references": [owners[value]]}
            for name, value in values.items()
            if isinstance(value, str) and not owners.get(value, here).startswith(here)
        }
        planned.append(
            {
                "address": here,
                "mode": "managed",
                "type": kind,
                "name": resource.name,
                "provider_name": "registry.terraform.io/hashicorp/aws",
                "values": {name: value for name, value in values.items() if name not in references},
            }
        )
        configured.append(
            {
                "address": here,
                "mode": "managed",
                "type": kind,
                "name": resource.name,
                "provider_config_key": "aws",
                "expressions": references,
            }
        )
    return {
        "format_version": "1.2",
        "terraform_version": "1.9.0",
        "planned_values": {"root_module": {"resources": planned}},
        "configuration": {
            "provider_config": {"aws": {"name": "aws", "expressions": {"region": {"constant_value": stack.region}}}},
            "root_module": {"resources": configured},
        },
    }


def address(resource: Resource) -> str:
    """Give the name that a scanner reports the resource by."""
    return f"{terraform_type(resource.type)}.{resource.name}"


def terraform_type(token: str) -> str:
    """Give the Terraform type of a Pulumi type: aws_s3_bucket_policy for aws:s3/bucketPolicy:BucketPolicy."""
    _, module, name = token.split(":")
    service = module.partition("/")[0]
    return TYPES.get(token) or "_".join(["aws", *([] if service == "ec2" else [service]), _snake(_lower(name))])


def _identifiers(resources: list[Resource]) -> Iterator[tuple[str, str]]:
    for resource in resources:
        for attribute in ("id", "arn"):
            if isinstance(value := resource.at(attribute), str):
                yield value, f"{address(resource)}.{attribute}"


def _value(name: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        if name in MAPS:
            return dict(value)
        return [{_block_name(key): _value(key, part) for key, part in value.items() if part is not None}]
    if isinstance(value, list):
        return [_value(name, part)[0] if isinstance(part, Mapping) else part for part in value]
    return value


def _block_name(name: str) -> str:
    return BLOCKS.get(name) or _snake(name)


def _lower(name: str) -> str:
    return name[0].lower() + name[1:]


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
