"""What holds for every resource: tags, region, parent, provider, names, and no deprecated input."""

import importlib
import inspect
import json
import re
from collections import Counter

import pulumi
import pytest
from pulumi_aws import Region, s3

from tests.program.evaluation import (
    ACCOUNT_ID,
    STACKS,
    Evaluation,
    Log,
    Outputs,
    RecordingMonitor,
    Resource,
    evaluate,
)


def takes_tags(resource: Resource) -> bool:
    """Whether the provider's schema has tags for the resource, as its SDK class says."""
    module, name = re.fullmatch(r"aws:(\w+)/\w+:(\w+)", resource.type).groups()  # pyright: ignore[reportOptionalMemberAccess]
    sdk = importlib.import_module(f"pulumi_aws.{module + '_' if module == 'lambda' else module}")
    return "tags" in inspect.signature(getattr(sdk, f"{name}Args")).parameters


def test_everything_taggable_is_tagged(evaluation: Evaluation) -> None:
    taggable = [resource for resource in evaluation.custom if takes_tags(resource)]
    assert len(taggable) > 20
    for resource in taggable:
        tags = dict(resource.inputs["tags"])
        name = tags.pop("Name")
        bucket = f"analytics-bucket-dev-{ACCOUNT_ID}-{evaluation.stack}-an"
        assert name == bucket or re.fullmatch(rf"analytics-[a-z0-9-]+-{evaluation.stack}-dev", name), name
        assert tags == {"Environment": "Production", "ManagedBy": "Pulumi", "Region": evaluation.stack}


def test_tags_follow_the_settings() -> None:
    evaluation = evaluate("eu-west-1", {"regional-analytics:environment": "Staging"})
    environments = {each.inputs["tags"]["Environment"] for each in evaluation.custom if "tags" in each.inputs}
    assert environments == {"Staging"}


def test_the_stack_s_default_provider_serves_all(evaluation: Evaluation) -> None:
    """It honours each `aws:` key: profile, assumeRoles, defaultTags, endpoints."""
    assert not evaluation.all("pulumi:providers:aws")
    assert {each.provider for each in evaluation.custom} == {""}
    assert not [each.name for each in evaluation.custom if "region" in each.inputs]


def test_nothing_names_another_region(evaluation: Evaluation) -> None:
    text = json.dumps(
        [[each.name, each.inputs, each.state] for each in evaluation.resources], default=vars
    ) + json.dumps(evaluation.outputs)
    others = [region.value for region in Region if region.value != evaluation.stack]
    assert evaluation.stack in text
    assert not [region for region in others if region in text]


def test_everything_has_a_parent_of_ours(evaluation: Evaluation) -> None:
    (root,) = (each for each in evaluation.resources if each.type.endswith(":RegionalAnalytics"))
    for resource in evaluation.resources:
        if resource is not root:
            parent = evaluation[resource.parent]
            assert parent.type.startswith("regional-analytics:index:"), resource.name
    parts = {each.type.rpartition(":")[2] for each in evaluation.resources if each.parent == root.urn}
    assert {"Network", "Storage", "JobTable", "Ingestion", "Processing", "Monitoring"} <= parts


def test_names_are_unique(evaluation: Evaluation) -> None:
    assert not [urn for urn, count in Counter(each.urn for each in evaluation.resources).items() if count > 1]
    physical = Counter(
        (each.type, each.inputs["name"]) for each in evaluation.custom if "name" in each.inputs
    )
    assert max(physical.values()) == 1


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("customer_managed_key", ["false", "true"])
def test_preview_copes_with_unknown_outputs(stack: str, customer_managed_key: str) -> None:
    config = {"regional-analytics:customerManagedKey": customer_managed_key}
    planned = evaluate(stack, config, preview=True)
    deployed = evaluate(stack, config)
    assert {each.urn for each in planned.resources} == {each.urn for each in deployed.resources}


def test_no_deprecated_class_or_input(evaluation: Evaluation) -> None:
    assert [warning for warning in evaluation.warnings if "deprecated" in warning] == []


def test_a_deprecated_class_would_be_noticed() -> None:
    log = Log()
    monitor = RecordingMonitor(Outputs("eu-west-1"))
    pulumi.runtime.set_mocks(monitor.mocks, monitor=monitor, logger=log)

    @pulumi.runtime.test
    def program() -> None:
        s3.BucketV2("old")

    program()
    assert "deprecated" in "".join(log.warnings)
