"""The availability zones of an account, whose names differ between accounts."""

import pulumi
import pulumi_aws

from components.configuration import PROJECT, SettingsError
from components.settings import Settings


def check(component: pulumi.Resource, settings: Settings) -> None:
    """Refuse zones that the account of the component's AWS provider does not have.

    Not every account has <region>a and <region>b, which are the default. The call also runs in a preview.

    Raises:
        SettingsError: A zone of the settings does not exist in the account.
    """
    names = pulumi_aws.get_availability_zones(
        # Local Zones and Wavelength Zones have other values.
        filters=[
            pulumi_aws.GetAvailabilityZonesFilterArgs(name="opt-in-status", values=["opt-in-not-required"])
        ],
        opts=pulumi.InvokeOptions(parent=component),
    ).names
    # A mocked engine may not answer.
    if names and not set(settings.availability_zones) <= set(names):
        right = f"must be two zones that the account has in {settings.region}: {', '.join(sorted(names))}"
        got = list(settings.availability_zones)
        raise SettingsError([f"{PROJECT}:availabilityZones: {right}, got {got}"])
