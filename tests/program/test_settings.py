"""Invalid settings and their errors, which name the key, its value and what is accepted."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

import pulumi
import pytest
import yaml

from components import settings
from components.configuration import PROJECT_DIRECTORY, Configuration, SettingsError, stack_configurations
from components.settings import Settings
from tests.program.evaluation import Outputs, RecordingMonitor, evaluate, stack_config

MINIMAL = {
    "aws:region": "eu-west-1",
    "regional-analytics:region": "eu-west-1",
    "regional-analytics:cidrBlock": "10.1.0.0/16",
}


def configured(**changes: str) -> Settings:
    keys = {f"regional-analytics:{key}": value for key, value in changes.items()}
    return settings.from_configuration(Configuration(values={**MINIMAL, **keys}))


def refusal(**changes: str) -> str:
    with pytest.raises(SettingsError) as refused:
        configured(**changes)
    return str(refused.value)


@pytest.mark.parametrize(
    ("key", "value", "right"),
    [
        ("cidrBlock", "10.1.0.0", "/16 to /25"),
        ("cidrBlock", "10.1.0.0/33", "must be an IPv4 range such as 10.0.0.0/16"),
        ("cidrBlock", "ten", "must be an IPv4 range such as 10.0.0.0/16"),
        ("cidrBlock", "fd00::/16", "must be an IPv4 range such as 10.0.0.0/16"),
        ("cidrBlock", "10.1.0.1/16", "must start at its network address with its length (10.1.0.0/16)"),
        (
            "cidrBlock",
            "8.8.0.0/16",
            "must be in a private range (10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16)",
        ),
        ("cidrBlock", "172.32.0.0/16", "must be in a private range"),
        ("cidrBlock", "10.0.0.0/8", "must be /16 to /25"),
        ("cidrBlock", "10.1.0.0/26", "room for eight subnets"),
        ("region", "eu-west-9", "must be an AWS region (did you mean eu-west-"),
        ("region", "EU-WEST-1", "must be an AWS region"),
        ("region", "", "must be an AWS region"),
        *(
            ("region", region, "must be a region of the partition aws")
            for region in ("cn-north-1", "us-gov-west-1", "us-iso-east-1", "eu-isoe-west-1", "eusc-de-east-1")
        ),
        ("availabilityZones", '["eu-west-1a"]', "must be two different zones of eu-west-1"),
        ("availabilityZones", '["eu-west-1a", "eu-west-1a"]', "must be two different zones of eu-west-1"),
        ("availabilityZones", '["eu-west-1a", "us-east-1b"]', "must be two different zones of eu-west-1"),
        ("environmentSuffix", "Dev", "must be lower-case letters, digits and inner hyphens"),
        ("environmentSuffix", "dev_1", "must be lower-case letters, digits and inner hyphens"),
        ("environmentSuffix", "dev-", "must be lower-case letters, digits and inner hyphens"),
        ("environmentSuffix", "", "must be lower-case letters, digits and inner hyphens"),
        ("environmentSuffix", "a" * 40, "must have up to"),
        ("environment", "", "must be a tag's value"),
        ("environmentSuffix", "eu-west-1-dev", "must not contain eu-west-1-, or policies of another stack"),
        ("environmentSuffix", "a-eu-west-1-dev", "must not contain eu-west-1-, or policies of another stack"),
        ("environmentSuffix", "us-east-1-copy", "no region but the stack's, eu-west-1 (it names us-east-1)"),
        ("environment", "copy of us-east-1", "no region but the stack's, eu-west-1 (it names us-east-1)"),
        ("environment", "EU-WEST-3", "no region but the stack's, eu-west-1 (it names eu-west-3)"),
        ("environment", "us-west-9", "no region but the stack's, eu-west-1 (it names us-west-9)"),
        ("environment", "euw2-az1", "no region but the stack's, eu-west-1 (it names euw2-az1)"),
        ("environment", "aws:mine", "must be a tag's value"),
        ("environment", "arn:aws:s3:eu:999999999999:b", "must be a tag's value"),
        ("environment", "https://s3.amazonaws.com/", "must be a tag's value"),
        ("environment", "a" * 257, "must be a tag's value"),
        ("memorySize", "127", "must be 128 to 10240"),
        ("memorySize", "10241", "must be 128 to 10240"),
        ("timeout", "0", "must be 1 to 900"),
        ("timeout", "901", "must be 1 to 900"),
        ("ephemeralStorage", "511", "must be 512 to 10240"),
        ("ephemeralStorage", "10241", "must be 512 to 10240"),
        ("availabilityZones", '["eu-west-1a", "eu-west-1i"]', "its letters a to h"),
        ("maximumReceives", "0", "must be 1 to 1000"),
        ("maximumReceives", "1001", "must be 1 to 1000"),
        ("maximumReceives", "97", "must be up to 96, as deliveries 1800 seconds apart"),
        ("pythonRuntime", "python3.10", "must be one of python3.11, python3.12, python3.13, python3.14"),
        ("pythonRuntime", "3.12", "must be one of python3.11,"),
        ("jobRetentionDays", "-1", "must be 0 to 3650"),
        ("jobRetentionDays", "3651", "must be 0 to 3650"),
        ("uploadPrefixes", '["processed/input/"]', "must not overlap the system's prefixes"),
        ("uploadPrefixes", '["rej"]', "must not overlap the system's prefixes"),
        ("uploadPrefixes", '[""]', "must not overlap the system's prefixes"),
        ("uploadPrefixes", '["in/", "in/"]', "must name each prefix once"),
        (
            "administratorRoleArns",
            '["admin"]',
            "must be ARNs of IAM roles, such as arn:aws:iam::123456789012:",
        ),
        (
            "administratorRoleArns",
            '["arn:aws:iam::123456789012:user/admin"]',
            "must be ARNs of IAM roles, such as arn:aws:iam::123456789012:role/admin",
        ),
        ("administratorRoleArns", '["arn:aws:iam::123456789012:role/*"]', "must be ARNs of IAM roles"),
        ("administratorRoleArns", '["arn:aws:iam::123456789012:role/a?"]', "must be ARNs of IAM roles"),
        (
            "administratorRoleArns",
            '["arn:aws:iam::123456789012:role/${aws:username}"]',
            "must be ARNs of IAM",
        ),
        ("administratorRoleArns", '["arn:aws:iam::123456789012:role/a/"]', "must be ARNs of IAM roles"),
        ("alarmSubscribers", '["a@b..c"]', "must be e-mail addresses or https:// endpoints"),
        ("alarmSubscribers", '["a..b@example.com"]', "must be e-mail addresses or https:// endpoints"),
        ("alarmSubscribers", '["a@example.com."]', "must be e-mail addresses or https:// endpoints"),
        ("runbookUrl", "docs/runbook.md", "must be an http:// or https:// address"),
        ("runbookUrl", "https://example.com/runbook#top", "without a fragment"),
        ("maximumConcurrency", "1", "must be 2 to 40"),
        ("maximumConcurrency", "41", "the limit of the job index"),
        ("logRetentionDays", "31", "must be one of 1, 3, 5, 7, 14, 30,"),
        ("logRetentionDays", "0", "must be one of"),
        ("glacierAfterDays", "0", "must be 1 to"),
        ("noncurrentVersionExpirationDays", "-1", "must be 1 to"),
        (
            "archivePrefixes",
            '["processed/"]',
            "must not overlap the system's prefixes (processed/, rejected/)",
        ),
        ("archivePrefixes", '["processed/2026/"]', "must not overlap the system's prefixes"),
        ("archivePrefixes", '[""]', "must not overlap the system's prefixes"),
        ("archivePrefixes", '["r"]', "must not overlap the system's prefixes"),
        ("archivePrefixes", '["a/", "a/"]', "must name each prefix once"),
        ("rejectedShareMax", "1.5", "must be 0 to 1"),
        ("rejectedShareMax", "-0.1", "must be 0 to 1"),
        ("rejectedShareMax", "nan", "must be 0 to 1"),
        ("rejectedShareMax", "10 %", "must be a number"),
        ("maxDecompressedBytes", "0", "must be 1 to"),
        ("maxDecompressionRatio", "0", "must be 1 to"),
        ("queueDepthThreshold", "0", "must be 1 to"),
        ("freshnessHours", "169", "must be 0 to 168"),
        ("alarmSubscribers", '["ops"]', "must be e-mail addresses or https:// endpoints"),
        ("alarmSubscribers", '["http://example.com/hook"]', "must be e-mail addresses or https:// endpoints"),
        ("alarmSubscribers", '["a@example.com", "a@example.com"]', "must name each subscriber once"),
        ("timeout", "long", "must be a whole number"),
        ("timeout", " 300", "must be a whole number"),
        ("timeout", "3_00", "must be a whole number"),
        ("timeout", "1.5", "must be a whole number"),
        ("timeout", "", "must be a whole number"),
        ("protect", "yes", "must be true or false"),
        ("archivePrefixes", "input/", "must be a list of strings"),
        ("archivePrefixes", "[1]", "must be a list of strings"),
    ],
)
def test_error_names_key_value_and_what_is_accepted(key: str, value: str, right: str) -> None:
    message = refusal(**{key: value})
    (line,) = (line for line in message.splitlines() if right in line)
    assert line.startswith(f"  regional-analytics:{key}: ")
    assert value.strip('[]"').partition('"')[0] in line.partition(", got ")[2]


@pytest.mark.parametrize("character", ["\0", "\x07", "\n", "\x7f", "\ud800"])
@pytest.mark.parametrize(
    ("key", "prefix", "right"),
    [
        ("uploadPrefixes", "in/", "must be key prefixes without control characters and lone surrogates"),
        ("archivePrefixes", "in/", "must be key prefixes without control characters and lone surrogates"),
        ("runbookUrl", "https://example.com/", "must be an http:// or https:// address"),
        ("alarmSubscribers", "https://example.com/", "must be e-mail addresses or https:// endpoints"),
    ],
)
def test_characters_that_nobody_sees_are_refused(key: str, prefix: str, right: str, character: str) -> None:
    value = prefix + character
    message = refusal(**{key: value if key == "runbookUrl" else json.dumps([value])})
    assert f"regional-analytics:{key}: {right}" in message
    assert f"got {value!r}" in message


@pytest.mark.parametrize("prefix", ["données/", "データ/", "in put/", "\U0001f4c1/"])
def test_prefixes_may_have_any_visible_character(prefix: str) -> None:
    assert configured(uploadPrefixes=json.dumps([prefix])).upload_prefixes == (prefix,)


def test_length_of_the_suffix_follows_the_longest_name() -> None:
    longest = 63 - len("analytics-bucket--123456789012-eu-west-1-an")
    assert configured(environmentSuffix="a" * longest)
    message = refusal(environmentSuffix="a" * (longest + 1))
    assert f"must have up to {longest} characters (analytics-bucket-a" in message
    assert "-<account-id>-eu-west-1-an must fit in 63)" in message


def test_deleting_data_needs_two_settings() -> None:
    message = refusal(forceDestroy="true")
    assert "regional-analytics:forceDestroy" in message
    assert "regional-analytics:protect" in message
    assert configured(forceDestroy="true", protect="false").force_destroy


def test_all_problems_are_reported_together() -> None:
    message = refusal(timeout="0", memorySize="1", cidrBlock="8.8.0.0/16")
    assert len(message.splitlines()) == 1 + 3


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("regional-analytics:memorysize", "did you mean regional-analytics:memorySize?"),
        ("regional-analytics:cidr", "did you mean regional-analytics:cidrBlock?"),
        ("regional-analytics:runtime", "did you mean regional-analytics:pythonRuntime?"),
        ("regional-analytics:kmsKey", "the settings are administratorRoleArns, "),
        ("regional-analytic:timeout", "did you mean regional-analytics:timeout?"),
    ],
)
def test_unknown_key_is_refused_with_a_hint(key: str, hint: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(key)) as refused:
        settings.from_configuration(Configuration(values={**MINIMAL, key: "1"}))
    assert hint in str(refused.value)


def test_keys_of_other_namespaces_are_not_the_project_s() -> None:
    others = {"aws:profile": "a", "regional-analytics-bootstrap:repository": "owner/name"}
    assert settings.from_configuration(Configuration(values={**MINIMAL, **others})) == configured()


@pytest.mark.parametrize("key", ["region", "cidrBlock"])
def test_missing_required_key_is_reported(key: str) -> None:
    config = {name: value for name, value in MINIMAL.items() if name != f"regional-analytics:{key}"}
    with pytest.raises(SettingsError, match=f"regional-analytics:{key}: must be set"):
        settings.from_configuration(Configuration(values=config))


def test_defaults() -> None:
    defaults = configured()
    assert defaults.availability_zones == ("eu-west-1a", "eu-west-1b")
    assert (defaults.memory_size, defaults.timeout, defaults.log_retention_days) == (1024, 300, 30)
    assert defaults.glacier_after_days == 90
    assert (defaults.maximum_receives, defaults.maximum_concurrency) == (3, 5)
    assert (defaults.protect, defaults.force_destroy, defaults.customer_managed_key) == (True, False, False)


@pytest.mark.parametrize(
    ("cidr_block", "zones", "subnets"),
    [
        ("10.1.0.0/16", "ab", ("10.1.0.0/19", "10.1.32.0/19")),
        ("10.1.0.0/16", "hb", ("10.1.224.0/19", "10.1.32.0/19")),
        ("192.168.4.0/24", "ac", ("192.168.4.0/27", "192.168.4.64/27")),
        ("172.16.0.0/25", "ba", ("172.16.0.16/28", "172.16.0.0/28")),
    ],
)
def test_range_of_a_subnet_follows_from_its_zone_s_letter(
    cidr_block: str, zones: str, subnets: tuple[str, str]
) -> None:
    names = [f"eu-west-1{letter}" for letter in zones]
    made = configured(cidrBlock=cidr_block, availabilityZones=json.dumps(names))
    assert made.subnet_cidr_blocks == dict(zip(names, subnets, strict=True))


def test_length_of_upload_prefixes_is_the_pattern_s() -> None:
    fits = [f"team-{number}/" for number in range(60)]
    assert configured(uploadPrefixes=json.dumps(fits)).upload_prefixes == tuple(fits)
    message = refusal(uploadPrefixes=json.dumps([*fits, *(f"other-{number}/" for number in range(60))]))
    assert "regional-analytics:uploadPrefixes: must take up to 1648 characters" in message


def test_archive_prefixes_are_as_many_as_a_lifecycle_has_rules() -> None:
    most = [f"team-{number}/" for number in range(999)]
    lifecycle = evaluate("eu-west-1", {"regional-analytics:archivePrefixes": json.dumps(most)}).one(
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
    )
    assert len(lifecycle.inputs["rules"]) == 1000
    message = refusal(archivePrefixes=json.dumps([*most, "another/"]))
    assert "archivePrefixes: must be up to 999 prefixes (S3's limit of lifecycle rules), got 1000" in message


def test_administrators_are_as_many_as_fit_in_a_bucket_policy() -> None:
    most = [f"arn:aws:iam::123456789012:role/{number:0>64}" for number in range(84)]
    config = {
        "regional-analytics:administratorRoleArns": json.dumps(most),
        "regional-analytics:customerManagedKey": "true",
        "regional-analytics:environmentSuffix": "a" * 15,
    }
    policy = evaluate("ap-southeast-1", config).one("aws:s3/bucketPolicy:BucketPolicy").inputs["policy"]
    assert 19_000 < len(policy) <= 20 * 1024
    message = refusal(
        administratorRoleArns=json.dumps(
            [
                *most,
                "arn:aws:iam::123456789012:role/" + "a" * 64,
                "arn:aws:iam::123456789012:role/" + "b" * 64,
            ]
        )
    )
    assert "must take up to 8,500 characters in the bucket policy, got 85" in message


SECRETS = {
    "alarmSubscribers": ('["https://example.com/hook?token=hidden"]', '["hidden"]'),
    "administratorRoleArns": ('["arn:aws:iam::123456789012:role/hidden"]', '["hidden"]'),
    "archivePrefixes": ('["hidden/"]', '["processed/hidden"]'),
    "uploadPrefixes": ('["hidden/"]', '["processed/hidden"]'),
    "runbookUrl": ("https://example.com/hidden", "hidden"),
}
"""For each setting that can be a secret, a valid and an invalid value."""


@pytest.mark.parametrize("key", SECRETS)
def test_error_does_not_show_a_secret(key: str) -> None:
    _, bad = SECRETS[key]
    name = f"regional-analytics:{key}"
    with pytest.raises(SettingsError) as refused:
        settings.from_configuration(Configuration(values={**MINIMAL, name: bad}, secrets=frozenset({name})))
    assert f"{name}: must" in str(refused.value)
    assert "got [secret]" in str(refused.value)
    assert "hidden" not in str(refused.value)


@pytest.mark.parametrize("key", SECRETS)
def test_printed_settings_do_not_show_what_may_be_a_secret(key: str) -> None:
    good, _ = SECRETS[key]
    assert "hidden" not in repr(configured(**{key: good}))


@pytest.mark.parametrize("value", ["hidden", "0", "1024"])
def test_setting_that_resources_show_must_not_be_a_secret(value: str) -> None:
    key = "regional-analytics:memorySize"
    with pytest.raises(SettingsError) as refused:
        settings.from_configuration(Configuration(values={**MINIMAL, key: value}, secrets=frozenset({key})))
    (line,) = str(refused.value).splitlines()[1:]
    assert line.startswith(f"  {key}: must ")
    assert line.endswith("got [secret]")


def test_program_of_another_project_makes_checked_settings() -> None:
    made = Settings.of(region="eu-west-1", cidr_block="10.1.0.0/16", memory_size=2048)
    assert made == configured(memorySize="2048")
    with pytest.raises(SettingsError) as refused:
        Settings.of(region="eu-west-1", cidr_block="10.1.0.0/16", memory_size=1, timeout="300", memorysize=1)
    assert "memorysize: no such setting; did you mean memory_size?" in str(refused.value)
    with pytest.raises(SettingsError, match=r"alarmSubscribers: .* did you mean alarm_subscribers\?"):
        Settings.of(region="eu-west-1", cidr_block="10.1.0.0/16", secrets=["alarmSubscribers"])
    with pytest.raises(SettingsError, match="rejectedShareMax: must be a number, got true"):
        Settings.of(region="eu-west-1", cidr_block="10.1.0.0/16", rejected_share_max=True)
    with pytest.raises(SettingsError) as refused:
        Settings.of(region="eu-west-1", cidr_block="ten", timeout="300", archive_prefixes="input/")
    assert "regional-analytics:timeout: must be a whole number, got '300'" in str(refused.value)
    assert "regional-analytics:archivePrefixes: must be a list of strings, got 'input/'" in str(refused.value)


def load(config: Mapping[str, str], *, stack: str, project_directory: Path = PROJECT_DIRECTORY) -> Settings:
    monitor = RecordingMonitor.without_aws()
    pulumi.runtime.set_mocks(monitor.mocks, project="regional-analytics", stack=stack, monitor=monitor)
    pulumi.runtime.set_all_config(dict(config))
    return settings.load(project_directory)


def test_the_engine_gives_the_same_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine passes every key, including its own defaults, in the environment."""
    schema = yaml.safe_load((PROJECT_DIRECTORY / "Pulumi.yaml").read_text())["config"]
    filled = {
        key: value if isinstance(value := declared["default"], str) else json.dumps(value)
        for key, declared in schema.items()
        if "default" in declared
    }
    plain = load(stack_config("eu-west-1"), stack="eu-west-1")
    monkeypatch.setenv("PULUMI_CONFIG", json.dumps({**filled, **stack_config("eu-west-1")}))
    assert load({}, stack="eu-west-1") == plain


@pytest.mark.parametrize("region", [None, "us-east-1"])
def test_provider_s_region_must_be_the_declared_one(region: str | None) -> None:
    config = stack_config("eu-west-1")
    del config["aws:region"]
    if region:
        config["aws:region"] = region
    with pytest.raises(SettingsError) as refused:
        load(config, stack="eu-west-1")
    assert "aws:region: must be the same as regional-analytics:region, eu-west-1" in str(refused.value)
    assert ("got nothing" if region is None else "got 'us-east-1'") in str(refused.value)


def project_with(directory: Path, **stack_files: str) -> Path:
    (directory / "Pulumi.yaml").write_bytes((PROJECT_DIRECTORY / "Pulumi.yaml").read_bytes())
    for stack, content in stack_files.items():
        (directory / f"Pulumi.{stack}.yaml").write_text(content)
    return directory


@pytest.mark.parametrize("neighbour", ["10.1.0.0/16", "10.1.128.0/17", "10.0.0.0/15"])
def test_overlap_with_another_stack_file_is_refused(tmp_path: Path, neighbour: str) -> None:
    project = project_with(tmp_path, other=f"config:\n  regional-analytics:cidrBlock: {neighbour}\n")
    with pytest.raises(SettingsError) as refused:
        load(MINIMAL, stack="mine", project_directory=project)
    assert f"must not overlap {neighbour} of Pulumi.other.yaml, got '10.1.0.0/16'" in str(refused.value)


def test_a_stack_s_own_file_and_distant_ranges_are_no_overlap(tmp_path: Path) -> None:
    project = project_with(
        tmp_path,
        mine="config:\n  regional-analytics:cidrBlock: 10.1.0.0/16\n",
        other="config:\n  regional-analytics:cidrBlock: 10.2.0.0/16\n",
        bare="",
        broken="config:\n  regional-analytics:cidrBlock: nonsense\n",
    )
    assert load(MINIMAL, stack="mine", project_directory=project).cidr_block == "10.1.0.0/16"


def test_two_stacks_of_one_name_are_refused(tmp_path: Path) -> None:
    project = project_with(
        tmp_path,
        other="config:\n  regional-analytics:region: eu-west-1\n",
    )
    with pytest.raises(SettingsError, match=r"environmentSuffix: must differ from Pulumi\.other\.yaml"):
        load(MINIMAL, stack="mine", project_directory=project)


def test_encrypted_values_of_other_stack_files_are_no_neighbours(tmp_path: Path) -> None:
    project = project_with(
        tmp_path,
        other="""\
config:
  regional-analytics:region: eu-west-1
  regional-analytics:cidrBlock: {secure: AAABAGHK}
  regional-analytics:environmentSuffix: {secure: AAABAGHK}
  regional-analytics:alarmSubscribers: [ops@example.com, {secure: AAABAGHK}]
""",
    )
    assert load(MINIMAL, stack="mine", project_directory=project).region == "eu-west-1"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("config: [\n", "Pulumi.broken.yaml: must be YAML"),
        ("config: [ab]\n", "Pulumi.broken.yaml: must be YAML"),
        *(
            (
                f"config:\n  environment: {value}\n",
                "Pulumi.broken.yaml: regional-analytics:environment: must be",
            )
            for value in ("2026-11-29", "[2026-11-29T10:00:00Z]", "{a: 2026-11-29}", ".inf", "!!binary aGk=")
        ),
        *(
            (f"config:\n  {key}: {value}\n", f"Pulumi.broken.yaml: regional-analytics:{key}: must be {right}")
            for key, value, right in (
                ("datasets", "'[\"flights\"]'", "a list, got '[\"flights\"]'"),
                ("datasets", "flights", "a list, got 'flights'"),
                ("datasets", "", "a list, got None"),
                ("environment", "[Production]", "one value, got ['Production']"),
                ("timeout", "{seconds: 5}", "one value, got {'seconds': 5}"),
            )
        ),
    ],
)
def test_stack_file_that_cannot_be_read_is_named(tmp_path: Path, content: str, problem: str) -> None:
    project = project_with(tmp_path, broken=content)
    with pytest.raises(SettingsError, match=re.escape(problem)):
        load(MINIMAL, stack="mine", project_directory=project)


@pytest.mark.parametrize(
    ("value", "read"),
    [("true", "true"), ("False", "false"), ("no", "no"), ("On", "On"), ("", ""), ("~", ""), ("0x10", "16")],
)
def test_value_of_a_stack_file_is_the_one_that_pulumi_reads(tmp_path: Path, value: str, read: str) -> None:
    project = project_with(tmp_path, mine=f"config:\n  environment: {value}\n")
    configured = stack_configurations(project)["mine"]
    assert configured.values == {"regional-analytics:environment": read}


@pytest.mark.parametrize(
    "arn", ["arn:aws:iam::210987654321:role/admin", "arn:aws-cn:iam::123456789012:role/admin"]
)
def test_administrators_of_another_account_are_refused_before_any_resource_of_aws(arn: str) -> None:
    monitor = RecordingMonitor(Outputs("eu-west-1"))
    with pytest.raises(SettingsError) as refused:
        evaluate(
            "eu-west-1", {"regional-analytics:administratorRoleArns": json.dumps([arn])}, monitor=monitor
        )
    assert (
        "regional-analytics:administratorRoleArns: must be roles of the stack's account"
        f" (arn:aws:iam::123456789012:role/...), got '{arn}'"
    ) in str(refused.value)
    assert not [resource for resource in monitor.recorded if resource.type.startswith("aws:")]


def test_nothing_is_registered_before_the_settings_are_checked() -> None:
    monitor = RecordingMonitor.without_aws()
    with pytest.raises(SettingsError):
        evaluate("eu-west-1", {"regional-analytics:timeout": "0"}, monitor=monitor)
    assert monitor.recorded == []
