"""The settings of a stack, typed and checked before any resource is created."""

import dataclasses
import ipaddress
import typing
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Self, TypeVar

import pulumi

from components import configuration, settings_rules
from components.account import Account
from components.configuration import PROJECT, SECRET, Configuration, SettingsError, key_of
from components.deliveries import VISIBILITY_PER_TIMEOUT
from components.names import SMOKE_TEST_PREFIX, Names
from components.runtimes import RUNTIMES
from components.settings_rules import Fault, Rule

ANY_ACCOUNT = Account(partition="aws", account_id="<account-id>")
"""A placeholder with 12 characters, as an account's id has, for the length of names."""

NEW_ACCOUNT_CONCURRENCY = 10
NEW_ACCOUNT_MEMORY = 3008
"""Quotas that new accounts often have. AWS raises them with use and on request (Lambda developer guide,
"Lambda quotas": "New AWS accounts have reduced concurrency and memory quotas")."""

SUBNET_BITS = 3
"""A VPC's range is divided into eight equal parts, one for each letter that a zone's name can end with."""

_Value = TypeVar("_Value")


def _setting(*rules: Rule, may_be_secret: bool = False) -> Any:  # noqa: ANN401 - a field of any type
    """Declare a setting with the rules for its value, and whether it can be a secret."""
    metadata = {"rules": rules, "may_be_secret": may_be_secret}
    return dataclasses.field(metadata=metadata, repr=not may_be_secret)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of a stack. Pulumi.yaml has the description and the default of each.

    Create them with `Settings.of`, which uses the defaults.

    Attributes:
        secrets: Names of the fields with secret values.

    Raises:
        SettingsError: Values that AWS or this program does not accept.
    """

    region: str = _setting(settings_rules.aws_region)
    cidr_block: str = _setting(settings_rules.private_range)
    environment_suffix: str = _setting(settings_rules.part_of_names)
    environment: str = _setting(settings_rules.tag_value)
    availability_zones: tuple[str, ...] = _setting()
    python_runtime: str = _setting(settings_rules.runtime)
    memory_size: int = _setting(settings_rules.between(128, 10_240, "MB, Lambda's limits"))
    timeout: int = _setting(settings_rules.between(1, 900, "seconds, Lambda's limits"))
    ephemeral_storage: int = _setting(settings_rules.between(512, 10_240, "MB, Lambda's limits"))
    maximum_concurrency: int = _setting(
        settings_rules.between(
            2, settings_rules.MAXIMUM_CONCURRENCY, "from Lambda's minimum to the limit of the job index"
        )
    )
    maximum_receives: int = _setting(settings_rules.between(1, 1000, "SQS's limits"))
    upload_prefixes: tuple[str, ...] = _setting(settings_rules.upload_prefixes, may_be_secret=True)
    log_retention_days: int = _setting(settings_rules.log_retention)
    job_retention_days: int = _setting(settings_rules.between(0, 3650, "days, 0 keeps records for ever"))
    glacier_after_days: int = _setting(settings_rules.between(1, 2**31 - 1, "days, S3's limits"))
    archive_prefixes: tuple[str, ...] = _setting(settings_rules.archive_prefixes, may_be_secret=True)
    noncurrent_version_expiration_days: int = _setting(
        settings_rules.between(1, 2**31 - 1, "days, S3's limits")
    )
    rejected_share_max: float = _setting(settings_rules.share)
    max_decompressed_bytes: int = _setting(settings_rules.between(1, 2**50, "bytes"))
    max_decompression_ratio: int = _setting(settings_rules.between(1, 1_000_000, "bytes out per byte in"))
    protect: bool = _setting()
    force_destroy: bool = _setting()
    administrator_role_arns: tuple[str, ...] = _setting(settings_rules.role_arns, may_be_secret=True)
    datasets: tuple[str, ...] = _setting(settings_rules.names_of_datasets)
    query_scan_limit_bytes: int = _setting(
        settings_rules.between(10_000_000, 2**53, "bytes, Athena's minimum is 10 MB")
    )
    customer_managed_key: bool = _setting()
    queue_depth_threshold: int = _setting(settings_rules.between(1, 2**31 - 1, "messages"))
    freshness_hours: int = _setting(
        settings_rules.between(0, 168, "hours, CloudWatch evaluates an alarm over at most 7 days")
    )
    alarm_subscribers: tuple[str, ...] = _setting(settings_rules.subscribers, may_be_secret=True)
    runbook_url: str = _setting(settings_rules.page_url, may_be_secret=True)
    secrets: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if problems := (
            [*self._misplaced_secrets()] or [*self._wrong_values()] or [*self._wrong_combinations()]
        ):
            raise SettingsError(problems)

    @classmethod
    def of(cls, *, region: str, cidr_block: str, secrets: Iterable[str] = (), **others: Any) -> Self:  # noqa: ANN401 - of each field's type
        """Return checked settings, with the defaults of Pulumi.yaml for those that are not given.

        Args:
            region: The AWS region.
            cidr_block: The VPC's private IPv4 range.
            secrets: Names of the fields with secret values.
            others: Any other field of this class.

        Raises:
            SettingsError: Names of unknown settings, and values that are not accepted.
        """
        types = {name: kind for name, kind in typing.get_type_hints(cls).items() if name != "secrets"}
        secrets = frozenset(secrets)
        given = {"region": region, "cidr_block": cidr_block, **others}
        if unknown := [
            f"{name}: {configuration.no_such(name, types)}"
            for name in (*given, *secrets)
            if name not in types
        ]:
            raise SettingsError(unknown)
        defaults = configuration.defaults()
        values: dict[str, Any] = {}
        problems = []
        for name, kind in types.items():
            value = given[name] if name in given else defaults[key_of(name)]
            try:
                values[name] = _converted(value, kind)
            except ValueError as error:
                problems.append(_problem(name, str(error), SECRET if name in secrets else value))
        if problems:
            raise SettingsError(problems)
        values["availability_zones"] = values["availability_zones"] or (f"{region}a", f"{region}b")
        return cls(**values, secrets=secrets)

    def names(self, account: Account) -> Names:
        """Return the names and tags of the stack's resources in an account."""
        return Names(
            account=account,
            region=self.region,
            environment_suffix=self.environment_suffix,
            environment=self.environment,
        )

    def check_account(self, account: Account) -> None:
        """Check the settings that name the account.

        Raises:
            SettingsError: Roles of another account.
        """
        faults = settings_rules.roles_of(self.administrator_role_arns, account=account)
        if problems := [*self._problems("administrator_role_arns", faults)]:
            raise SettingsError(problems)

    @property
    def visibility_timeout(self) -> int:
        """The queue's visibility timeout in seconds."""
        return VISIBILITY_PER_TIMEOUT * self.timeout

    @property
    def taken_prefixes(self) -> tuple[str, ...]:
        """The key prefixes of the objects that are processed; empty for every key.

        Those of the smoke test are always among them, so that `ops smoke` works in each stack.
        """
        own = self.upload_prefixes
        return (*own, SMOKE_TEST_PREFIX) if own and not SMOKE_TEST_PREFIX.startswith(own) else own

    @property
    def subnet_cidr_blocks(self) -> dict[str, str]:
        """The range of each zone's subnet, chosen by the zone's letter only.

        A zone keeps its range when other zones of the setting change, so one zone can replace another.
        """
        parts = list(ipaddress.IPv4Network(self.cidr_block).subnets(prefixlen_diff=SUBNET_BITS))
        return {
            zone: str(parts[settings_rules.ZONE_LETTERS.index(zone[-1])]) for zone in self.availability_zones
        }

    def warnings(self, today: date) -> Iterator[str]:
        """Yield a warning for each setting that can be deployed but may cause problems."""
        if deprecation := RUNTIMES[self.python_runtime].deprecation(today):
            yield f"{PROJECT}:pythonRuntime: {deprecation}"
        if self.upload_prefixes:
            for prefix in self.archive_prefixes:
                if not any(own.startswith(prefix) or prefix.startswith(own) for own in self.upload_prefixes):
                    yield self._problem(
                        "archive_prefixes", "no upload is archived, as uploadPrefixes leave it out", prefix
                    )
        for name, quota, what in (
            ("memory_size", NEW_ACCOUNT_MEMORY, "MB for a function"),
            ("maximum_concurrency", NEW_ACCOUNT_CONCURRENCY, "functions running at one time"),
        ):
            if (value := getattr(self, name)) > quota:
                yield (
                    f"{PROJECT}:{key_of(name)}: {value} is more than a new AWS account often has"
                    f" ({quota:,} {what}); see the account's quotas of Lambda"
                )

    def keep_secret(self, field_name: str, value: _Value) -> pulumi.Input[_Value]:
        """Return a value that depends on the field, as a Pulumi secret if the field is secret."""
        return pulumi.Output.secret(value) if field_name in self.secrets else value

    def _misplaced_secrets(self) -> Iterator[str]:
        for field in dataclasses.fields(self):
            if field.name in self.secrets and not field.metadata["may_be_secret"]:
                yield self._problem(
                    field.name,
                    "must not be a secret, because the resources show values that depend on it;"
                    " set it without --secret",
                    None,
                )

    def _wrong_values(self) -> Iterator[str]:
        for field in dataclasses.fields(self):
            for rule in field.metadata.get("rules", ()):
                yield from self._problems(field.name, rule(getattr(self, field.name)))

    def _wrong_combinations(self) -> Iterator[str]:
        yield from self._problems(
            "availability_zones", settings_rules.zones(self.availability_zones, region=self.region)
        )
        for name in ("environment", "environment_suffix"):
            yield from self._problems(
                name, settings_rules.no_other_region(getattr(self, name), region=self.region)
            )
        yield from self._problems(
            "environment_suffix", settings_rules.own_names(self.environment_suffix, region=self.region)
        )
        yield from self._problems(
            "environment_suffix",
            settings_rules.length_of_names(self.environment_suffix, names=self.names(ANY_ACCOUNT)),
        )
        yield from self._problems(
            "maximum_receives",
            settings_rules.receives(self.maximum_receives, visibility_timeout=self.visibility_timeout),
        )
        yield from self._problems(
            "force_destroy", settings_rules.destruction(self.force_destroy, protect=self.protect)
        )

    def _problems(self, field_name: str, faults: Iterator[Fault]) -> Iterator[str]:
        return (self._problem(field_name, right, got) for right, got in faults)

    def _problem(self, field_name: str, right: str, got: object) -> str:
        return _problem(field_name, right, SECRET if field_name in self.secrets else got)


def load(project_directory: Path = configuration.PROJECT_DIRECTORY) -> Settings:
    """Return the settings of the current stack.

    Raises:
        SettingsError: Settings that cannot be deployed, or that conflict with the project's other stacks.
    """
    return of_stack(pulumi.get_stack(), Configuration.of_this_stack(), project_directory)


def of_stack(
    stack: str, configured: Configuration, project_directory: Path = configuration.PROJECT_DIRECTORY
) -> Settings:
    """Return the settings of a stack of the project.

    Raises:
        SettingsError: Settings that cannot be deployed, or that conflict with the project's other stacks.
    """
    settings = from_configuration(configured, project_directory)
    problems = [
        *_provider_problems(settings, configured),
        *_neighbour_problems(stack, settings, project_directory),
    ]
    if problems:
        raise SettingsError(problems)
    return settings


def from_configuration(
    configured: Configuration, project_directory: Path = configuration.PROJECT_DIRECTORY
) -> Settings:
    """Return the settings of a stack's configuration.

    Raises:
        SettingsError: Unknown keys, and values that are not accepted.
    """
    values = configuration.read(configured, project_directory)
    fields = {key_of(field.name): field.name for field in dataclasses.fields(Settings)}
    secrets = {name for key, name in fields.items() if f"{PROJECT}:{key}" in configured.secrets}
    return Settings.of(secrets=secrets, **{fields[key]: value for key, value in values.items()})


def _provider_problems(settings: Settings, configured: Configuration) -> Iterator[str]:
    """Yield a problem if the AWS provider has another region than the stack."""
    if configured.values.get("aws:region") != settings.region:
        yield (
            f"aws:region: must be the same as {PROJECT}:region, {settings.region},"
            f" got {configured.shown('aws:region')}"
        )


def _neighbour_problems(own_stack: str, settings: Settings, project_directory: Path) -> Iterator[str]:
    """Yield conflicts with other stacks: overlapping VPC ranges, and equal names of resources."""
    own_network = ipaddress.IPv4Network(settings.cidr_block)
    defaults = {f"{PROJECT}:{key}": value for key, value in configuration.defaults(project_directory).items()}
    for stack, configured in configuration.stack_configurations(project_directory).items():
        if stack == own_stack:
            continue
        values = {**defaults, **configured.values, **dict.fromkeys(configured.secrets)}
        region, suffix, cidr_block = (
            values.get(f"{PROJECT}:{key}") for key in ("region", "environmentSuffix", "cidrBlock")
        )
        if (region, suffix) == (settings.region, settings.environment_suffix):
            yield (
                f"{PROJECT}:environmentSuffix: must differ from Pulumi.{stack}.yaml's, which has the same"
                f" region, got {settings.environment_suffix!r}"
            )
        try:
            network = ipaddress.IPv4Network(str(cidr_block))
        except ValueError:
            continue  # the deployment of that stack refuses it
        if own_network.overlaps(network):
            yield (
                f"{PROJECT}:cidrBlock: must not overlap {network} of Pulumi.{stack}.yaml,"
                f" got {settings.cidr_block!r}"
            )


def _problem(field_name: str, right: str, got: object) -> str:
    return f"{PROJECT}:{key_of(field_name)}: {right}, got {_shown(got)}"


def _shown(value: object) -> str:
    if value == SECRET:
        return SECRET
    if isinstance(value, bool):
        return str(value).lower()
    return repr(list(value) if isinstance(value, tuple) else value)


def _converted(value: Any, kind: Any) -> Any:  # noqa: ANN401 - of the field's type
    """Return the value as the field's type.

    Raises:
        ValueError: The value has another type.
    """
    if kind is float:
        try:
            return float(str(value))  # `float(True)` is 1.0
        except ValueError:
            raise ValueError("must be a number") from None
    if kind not in (str, bool, int):
        if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
            return tuple(value)
        raise ValueError("must be a list of strings")
    if type(value) is not kind:
        raise ValueError(f"must be {_KINDS[kind]}")
    return value


_KINDS = {str: "text", bool: "true or false", int: "a whole number"}
