"""The component in another program: several regions, and the example of docs/for-platform-engineers.md."""

import re
from typing import Any

import pulumi
import pulumi_aws
import pytest

from components.configuration import SettingsError
from components.regional_analytics import RegionalAnalytics, RegionalAnalyticsArgs
from components.settings import Settings
from tests.program.evaluation import PROJECT_DIRECTORY, Evaluation, Resource, evaluate

PAGE = PROJECT_DIRECTORY / "docs" / "for-platform-engineers.md"
REGIONS = {"eu-central-1": "10.8.0.0/16", "eu-north-1": "10.9.0.0/16"}


@pytest.fixture(scope="module")
def two_regions() -> Evaluation:
    """The page's example, evaluated as the program of a stack."""
    (example,) = re.findall(r"```python\n(import pulumi\n.*?)```", PAGE.read_text("utf-8"), flags=re.DOTALL)
    return evaluate("us-east-1", program=lambda: exec(compile(example, PAGE.name, "exec"), {}))


def of_region(evaluation: Evaluation, region: str) -> list[Resource]:
    (provider,) = (each for each in evaluation.all("pulumi:providers:aws") if each.name == region)
    return [each for each in evaluation.custom if each.provider == f"{provider.urn}::{region}"]


def test_two_regions_fit_in_one_program(two_regions: Evaluation) -> None:
    sizes = {region: len(of_region(two_regions, region)) for region in REGIONS}
    assert min(sizes.values()) > 40
    assert sum(sizes.values()) == len(two_regions.custom)
    urns = [each.urn for each in two_regions.resources]
    assert len(urns) == len(set(urns))


@pytest.mark.parametrize("region", REGIONS)
def test_each_region_has_its_own_range_names_and_settings(two_regions: Evaluation, region: str) -> None:
    (vpc,) = (each for each in of_region(two_regions, region) if each.type == "aws:ec2/vpc:Vpc")
    assert vpc.inputs["cidrBlock"] == REGIONS[region]
    (function,) = (
        each for each in of_region(two_regions, region) if each.type == "aws:lambda/function:Function"
    )
    assert function.inputs["name"] == f"analytics-etl-{region}-dev"
    assert function.inputs["memorySize"] == 2048


@pytest.mark.parametrize("region", REGIONS)
def test_no_resource_of_a_region_names_the_other(two_regions: Evaluation, region: str) -> None:
    others = {two_regions.stack, *REGIONS} - {region}
    resources = of_region(two_regions, region)
    assert [each.name for each in resources for other in others if other in str(each.inputs)] == []
    assert [each.name for each in resources if each.id and region in each.state.get("arn", "")]


def test_the_outputs_are_by_region(two_regions: Evaluation) -> None:
    assert two_regions.outputs.keys() == REGIONS.keys()
    outputs = two_regions.outputs["eu-north-1"]
    assert outputs["region"] == "eu-north-1"
    assert "eu-north-1" in outputs["bucketName"]


def test_the_handler_is_found_from_any_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """A program that imports the component runs in its own directory."""
    monkeypatch.chdir(tmp_path)

    def program() -> None:
        settings = Settings.of(region="eu-west-1", cidr_block="10.1.0.0/16")
        provider = pulumi_aws.Provider("own", region="eu-west-1")
        options = pulumi.ResourceOptions(provider=provider)
        RegionalAnalytics("lake", RegionalAnalyticsArgs(settings=settings), options)

    assert len(evaluate("us-east-1", program=program).custom) > 40


def test_two_components_of_equal_names_are_refused() -> None:
    def program(*suffixes: str) -> None:
        for number, suffix in enumerate(suffixes):
            settings = Settings.of(
                region="us-east-1", cidr_block=f"10.{number}.0.0/16", environment_suffix=suffix
            )
            RegionalAnalytics(f"lake-{number}", RegionalAnalyticsArgs(settings=settings))

    evaluate("us-east-1", program=lambda: program("dev", "test"))
    with pytest.raises(
        SettingsError,
        match=r"environmentSuffix: must differ from that of the component 'lake-0', .* got 'dev'",
    ):
        evaluate("us-east-1", program=lambda: program("dev", "dev"))
