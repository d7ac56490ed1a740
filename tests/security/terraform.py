"""A stack's resources as a Terraform plan, which is what scanners of infrastructure read.

Pulumi's AWS provider is made from Terraform's, so the names differ by rule: camelCase for snake_case, plurals
for repeated blocks, single blocks without their list.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from policy.rules import Resource, Stack

MAPS = frozenset({"dimensions", "tags", "variables"})
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
    """Make the plan: values, and references where one resource holds another's id or ARN."""
    resources = [resource for resource in stack.resources if resource.type.startswith("aws:")]
    owners = dict(_identifiers(resources))
    planned, configured = [], []
    for resource in resources:
        head = {
            "address": address(resource),
            "mode": "managed",
            "type": terraform_type(resource.type),
            "name": resource.name,
        }
        foreign = {
            text: owner for text, owner in owners.items() if not owner.startswith(f"{address(resource)}.")
        }
        properties = {name: value for name, value in resource.properties.items() if name != "id"}
        values, expressions = _block(properties, foreign)
        planned.append({**head, "values": values})
        configured.append({**head, "expressions": expressions})
    region = {"constant_value": stack.region}
    return {
        "format_version": "1.2",
        "terraform_version": "1.9.0",
        "planned_values": {"root_module": {"resources": planned}},
        "configuration": {
            "provider_config": {"aws": {"name": "aws", "expressions": {"region": region}}},
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
    return TYPES.get(token) or "_".join(["aws", *([] if service == "ec2" else [service]), _snake(name)])


def _identifiers(resources: list[Resource]) -> Iterator[tuple[str, str]]:
    # What belongs to a bucket has the bucket's id too: the first one owns it, so it comes last.
    for resource in reversed(resources):
        for attribute in ("id", "arn"):
            if isinstance(value := resource.at(attribute), str):
                yield value, f"{address(resource)}.{attribute}"


def _block(properties: Mapping[str, Any], owners: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Give a block's values, empty where they are references, and its references."""
    values: dict[str, Any] = {}
    expressions: dict[str, Any] = {}
    for property_, value in properties.items():
        name = BLOCKS.get(property_) or _snake(property_)
        blocks = [value] if isinstance(value, Mapping) and name not in MAPS else value
        if isinstance(blocks, list) and blocks and isinstance(blocks[0], Mapping):
            parts = [_block(block, owners) for block in blocks]
            values[name] = [part for part, _ in parts]
            expressions[name] = [inner for _, inner in parts]
        elif references := _references(value, owners):
            values[name] = [None] if isinstance(value, list) else None
            expressions[name] = {"references": references}
        else:
            values[name] = value
    return values, expressions


def _references(value: object, owners: Mapping[str, str]) -> list[str]:
    texts = value if isinstance(value, list) else [value]
    return [owners[text] for text in texts if isinstance(text, str) and text in owners]


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
