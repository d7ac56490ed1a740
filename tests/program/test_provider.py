"""Which AWS provider creates the resources: the given one, or else the stack's default provider."""

from collections.abc import Callable

import pulumi
import pulumi_aws
import pytest

from components.configuration import SettingsError
from components.regional_analytics import RegionalAnalytics, RegionalAnalyticsArgs
from components.settings import Settings
from tests.program.evaluation import Outputs, RecordingMonitor, evaluate

Options = Callable[[pulumi_aws.Provider], pulumi.ResourceOptions]

GIVEN: dict[str, Options] = {
    "provider": lambda provider: pulumi.ResourceOptions(provider=provider),
    "list": lambda provider: pulumi.ResourceOptions(providers=[provider]),
    "mapping": lambda provider: pulumi.ResourceOptions(providers={"aws": provider}),
    "parent": lambda provider: pulumi.ResourceOptions(
        parent=pulumi.ComponentResource(
            "test:index:Parent", "parent", None, pulumi.ResourceOptions(provider=provider)
        )
    ),
}
"""The options that give a component a provider."""


def program(options: Options, *, region: str = "eu-west-1") -> Callable[[], object]:
    """Return a program that gives a provider of eu-west-1 to a component of the region."""

    def run() -> None:
        settings = Settings.of(region=region, cidr_block="10.1.0.0/16")
        provider = pulumi_aws.Provider("mine", region="eu-west-1")
        RegionalAnalytics("lake", RegionalAnalyticsArgs(settings=settings), options(provider))

    return run


@pytest.mark.parametrize("options", GIVEN.values(), ids=GIVEN)
def test_given_provider_makes_every_resource(options: Options) -> None:
    evaluation = evaluate("us-east-1", program=program(options))
    (provider,) = evaluation.all("pulumi:providers:aws")
    assert len(evaluation.custom) > 40
    assert {each.provider for each in evaluation.custom} == {f"{provider.urn}::mine"}


@pytest.mark.parametrize("options", GIVEN.values(), ids=GIVEN)
def test_given_provider_of_another_region_is_refused_before_any_resource(options: Options) -> None:
    monitor = RecordingMonitor(Outputs("us-east-1"))
    with pytest.raises(
        pulumi.RunError, match=r"provider of lake must be of region us-east-1, .* got eu-west-1"
    ):
        evaluate("us-east-1", program=program(options, region="us-east-1"), monitor=monitor)
    assert not [resource for resource in monitor.recorded if resource.type.startswith("aws:")]


@pytest.mark.parametrize("preview", [False, True], ids=["update", "preview"])
def test_a_zone_that_the_account_does_not_have_is_refused_before_any_resource(*, preview: bool) -> None:
    monitor = RecordingMonitor(Outputs("eu-west-1", preview=preview, zones="acd"))
    with pytest.raises(SettingsError) as refused:
        evaluate("eu-west-1", monitor=monitor, preview=preview)
    assert (
        "regional-analytics:availabilityZones: must be two zones that the account has in eu-west-1:"
        " eu-west-1a, eu-west-1c, eu-west-1d, got ['eu-west-1a', 'eu-west-1b']"
    ) in str(refused.value)
    assert {resource.type for resource in monitor.recorded} == {"regional-analytics:index:RegionalAnalytics"}


def test_zones_are_not_checked_by_an_engine_that_does_not_answer() -> None:
    assert evaluate("eu-west-1", monitor=RecordingMonitor(Outputs("eu-west-1", zones=""))).custom


def test_default_provider_of_another_region_is_refused() -> None:
    """The region can come from another program's configuration or from the environment."""

    def run() -> None:
        settings = Settings.of(region="eu-west-1", cidr_block="10.1.0.0/16")
        RegionalAnalytics("lake", RegionalAnalyticsArgs(settings=settings))

    with pytest.raises(pulumi.RunError, match=r"must be of region eu-west-1, .* got us-east-1"):
        evaluate("us-east-1", program=run)


def test_keys_of_the_default_provider_are_accepted() -> None:
    config = {"aws:profile": "mine", "aws:defaultTags": '{"tags": {"Team": "data"}}'}
    assert len(evaluate("eu-west-1", config).custom) > 40
