"""The stack's settings: typed, and refused with a reason before any resource exists."""

import dataclasses
import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime.config import CONFIG, get_config_env

from components import configuration, settings_rules
from components.configuration import PROJECT, SettingsError, key_of
from components.names import Names

SUBNET_PREFIX_LENGTH = 24
"""Of a private subnet, where the VPC has room: the function's interfaces take a few of its 251 addresses."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a stack may choose. Pulumi.yaml declares and describes each under its camelCase name.

    Raises:
        SettingsError: Values that AWS or the design would not take; one line for each.
    """

    region: str
    cidr_block: str
    environment_suffix: str
    environment: str
    availability_zones: tuple[str, ...]
    memory_size: int
    timeout: int
    ephemeral_storage: int
    batch_size: int
    maximum_concurrency: int
    log_retention_days: int
    glacier_after_days: int
    archive_prefixes: tuple[str, ...]
    noncurrent_version_expiration_days: int
    rejected_share_max: float
    max_decompressed_bytes: int
    max_decompression_ratio: int
    protect: bool
    force_destroy: bool
    customer_managed_key: bool
    queue_depth_threshold: int
    freshness_hours: int
    alarm_subscribers: tuple[str, ...]

    def __post_init__(self) -> None:
        if problems := [f"{PROJECT}:{problem}" for problem in settings_rules.problems(self)]:
            raise SettingsError(problems)

    @property
    def names(self) -> Names:
        """Names and tags of the stack's resources."""
        return Names(
            region=self.region, environment_suffix=self.environment_suffix, environment=self.environment
        )

    @property
    def subnet_cidr_blocks(self) -> tuple[str, str]:
        """The first two subnets of the VPC's range."""
        network = ipaddress.IPv4Network(self.cidr_block)
        subnets = network.subnets(new_prefix=max(SUBNET_PREFIX_LENGTH, network.prefixlen + 1))
        return str(next(subnets)), str(next(subnets))


def load(project_directory: Path = configuration.PROJECT_DIRECTORY) -> Settings:
    """Return the settings of the stack that is being deployed.

    Raises:
        SettingsError: Settings that cannot be deployed, by themselves or beside the project's other stacks.
    """
    config = {**get_config_env(), **CONFIG.get()}
    settings = from_config(config, project_directory)
    problems = [*_provider_problems(settings, config), *_neighbour_problems(settings, project_directory)]
    if problems:
        raise SettingsError(problems)
    return settings


def from_config(
    config: Mapping[str, str], project_directory: Path = configuration.PROJECT_DIRECTORY
) -> Settings:
    """Return the settings that a stack's configuration makes, each key as `configuration.read` takes it."""
    values = configuration.read(config, project_directory)
    try:
        values["rejectedShareMax"] = float(values["rejectedShareMax"])
    except ValueError:
        raise SettingsError(
            [f"{PROJECT}:rejectedShareMax: must be a number, got {values['rejectedShareMax']!r}"]
        ) from None
    values["availabilityZones"] = values["availabilityZones"] or [
        f"{values['region']}{zone}" for zone in "ab"
    ]
    fields: dict[str, Any] = {}
    for field in dataclasses.fields(Settings):
        value = values[key_of(field.name)]
        fields[field.name] = tuple(value) if isinstance(value, list) else value
    return Settings(**fields)


def _provider_problems(settings: Settings, config: Mapping[str, Any]) -> Iterator[str]:
    """Data stays in the region that the stack declares, so no other setting may name another."""
    provider_region = config.get("aws:region")
    if provider_region != settings.region:
        yield (
            f"aws:region: must be set to {PROJECT}:region, {settings.region},"
            f" got {'nothing' if provider_region is None else repr(provider_region)}"
        )
    # Pulumi gives these to its default provider; the program makes its own, so they would be lost in silence.
    for key in sorted(config):
        if key.startswith("aws:") and key != "aws:region":
            yield f"{key}: must be set in the environment (AWS_PROFILE and its like), got it in the stack"


def _neighbour_problems(settings: Settings, project_directory: Path) -> Iterator[str]:
    """VPCs whose ranges overlap can never be connected, and stacks of one name fight over their resources."""
    own_stack = pulumi.get_stack()
    own_network = ipaddress.IPv4Network(settings.cidr_block)
    for stack, config in configuration.stack_configs(project_directory).items():
        if stack == own_stack:
            continue
        region, suffix, cidr_block = (
            config.get(f"{PROJECT}:{key}") for key in ("region", "environmentSuffix", "cidrBlock")
        )
        if (region, suffix) == (settings.region, settings.environment_suffix):
            yield (
                f"{PROJECT}:environmentSuffix: must differ from Pulumi.{stack}.yaml's, which is of the same"
                f" region, got {settings.environment_suffix!r}"
            )
        try:
            network = ipaddress.IPv4Network(str(cidr_block))
        except ValueError:
            continue  # the other stack is refused for it when it is deployed
        if own_network.overlaps(network):
            yield (
                f"{PROJECT}:cidrBlock: must not overlap {network} of Pulumi.{stack}.yaml,"
                f" got {settings.cidr_block!r}"
            )
