"""The workflows' roles allow what each workflow needs, and no more."""

import itertools
import json
import re
import runpy
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import botocore.handlers
import pulumi
import pytest
import yaml
from pulumi.runtime import mocks

from bootstrap import deployment_permissions
from bootstrap.deployment_permissions import Document, Scope, deployment, preview, sandbox
from components.configuration import SettingsError
from local import policies
from local.server import Server
from policy.rules import Resource, Stack
from policy.rules import permissions as rules_of_permissions
from tests.program.evaluation import ACCOUNT_ID, STACKS
from tests.sandbox.embedded import EmbeddedDeployment
from tests.security.test_scanners import parliament

PROJECT = Path(__file__).resolve().parents[2]
SCOPE = Scope(account=ACCOUNT_ID, regions=("eu-west-1",), suffix="dev", state_bucket="state")
POLICIES = {"preview": preview(SCOPE), "deployment": deployment(SCOPE), "sandbox": sandbox(SCOPE)}

NAMED_OTHERWISE = {
    "s3:DeleteBucketEncryption": "s3:PutEncryptionConfiguration",
    "s3:DeleteBucketLifecycle": "s3:PutLifecycleConfiguration",
    "s3:DeleteBucketOwnershipControls": "s3:PutBucketOwnershipControls",
    "s3:DeletePublicAccessBlock": "s3:PutBucketPublicAccessBlock",
    "resourcegroupstaggingapi:GetResources": "tag:GetResources",
    "s3:GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "s3:GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
    "s3:GetBucketNotificationConfiguration": "s3:GetBucketNotification",
    "s3:GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:ListObjectVersions": "s3:ListBucketVersions",
    "s3:PutBucketEncryption": "s3:PutEncryptionConfiguration",
    "s3:PutBucketLifecycleConfiguration": "s3:PutLifecycleConfiguration",
    "s3:PutBucketNotificationConfiguration": "s3:PutBucketNotification",
    "s3:PutPublicAccessBlock": "s3:PutBucketPublicAccessBlock",
}
"""Calls whose action has another name (Service Authorization Reference)."""

NEED_NO_RIGHT = {"sts:GetCallerIdentity"}
EMBEDDED_ALONE = {"iam:GetAccountAuthorizationDetails": "The embedded deployer also reads a role with it."}
READS_OF_THE_PROVIDER = {
    *("ec2:DescribeNetworkAcls", "ec2:DescribePrefixLists", "glue:GetPartitionIndexes"),
    *("iam:GetPolicyVersion", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies"),
    *("lambda:GetFunctionCodeSigningConfig", "lambda:GetFunctionConcurrency"),
    *(
        "lambda:ListVersionsByFunction",
        "s3:GetAccelerateConfiguration",
        "s3:GetBucketAcl",
        "s3:GetBucketCORS",
    ),
    *("s3:GetBucketLogging", "s3:GetBucketObjectLockConfiguration", "s3:GetBucketRequestPayment"),
    *("s3:GetBucketWebsite", "s3:GetReplicationConfiguration", "s3:ListTagsForResource"),
    "sns:GetSubscriptionAttributes",
}
"""What the AWS provider calls to read resources, and the embedded deployer does not
(https://github.com/hashicorp/terraform-provider-aws/tree/main/internal/service)."""

CHANGES_OF_THE_PROVIDER = {
    # Before it deletes a subnet or a security group, it deletes the function's interfaces there.
    *("ec2:DeleteNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DetachNetworkInterface"),
    *("ec2:RevokeSecurityGroupIngress", "iam:DeletePolicyVersion", "iam:ListInstanceProfilesForRole"),
    *("s3:TagResource", "s3:UntagResource"),
}
"""What it calls to create, change and delete them."""

DYNAMODB_S_USE_OF_A_KEY = {
    *("kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"),
    *("kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo"),
}
"""What whoever chooses a table's key needs at least
(https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html)."""

OF_OPS = {
    *("s3:PutObject", "dynamodb:GetItem", "cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData"),
    *("sqs:GetQueueAttributes", "lambda:GetFunctionConfiguration"),
}
"""What `python -m ops smoke` and `python -m ops status` call."""

DELETES_DATA = {
    *("s3:DeleteBucket", "s3:DeleteObjectVersion", "dynamodb:DeleteTable", "kms:ScheduleKeyDeletion"),
    "logs:DeleteLogGroup",
}
"""Actions that only the sandbox's role allows."""

ACCEPTED_BY_PARLIAMENT = {
    r"RESOURCE_STAR \['cloudwatch:DescribeAlarms'\]": "It lists alarms by a prefix of their names.",
    r"RESOURCE_STAR \['ec2:": "EC2's ids are not known in advance; conditions name a tag.",
    r"RESOURCE_STAR \['lambda:Delete": "Ids of mappings are not known; a condition names the function.",
    r"RESOURCE_MISMATCH .*'ec2:(Create|Authorize)": "It needs two resources: one statement for each.",
    r"RESOURCE_MISMATCH .*'kms:(Create|Delete)Alias'": "It needs key and alias: one statement for each.",
    r"RESOURCE_POLICY_PRIVILEGE_ESCALATION .*s3:Put(BucketPolicy|LifecycleConfiguration)$": (
        "Changing the bucket's policy or lifecycle can extend permissions; docs/deploying.md says so."
    ),
    r"RESOURCE_MISMATCH .*'athena:ListTagsForResource'": "Tags are read and set only for workgroups.",
}
"""Accepted findings, with the reasons."""


def test_deploying_and_destroying_are_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The calls are those of the embedded AWS's deployer, which imitates Pulumi's provider."""
    needed = {NAMED_OTHERWISE.get(call, call) for call in calls_of_a_deployment(monkeypatch)}
    assert len(needed) > 100
    assert needed - NEED_NO_RIGHT - EMBEDDED_ALONE.keys() - actions("sandbox") == set()
    kept = DELETES_DATA | {"s3:ListBucketVersions", "s3:DeleteObject"}
    assert needed - NEED_NO_RIGHT - EMBEDDED_ALONE.keys() - kept - actions("deployment") == set()


def test_the_provider_s_other_calls_are_allowed() -> None:
    for role in POLICIES:
        assert READS_OF_THE_PROVIDER - actions(role) == set(), role
    for role in ("deployment", "sandbox"):
        assert CHANGES_OF_THE_PROVIDER - actions(role) == set(), role


def test_dynamodb_may_use_the_stack_s_key() -> None:
    for role in ("deployment", "sandbox"):
        assert DYNAMODB_S_USE_OF_A_KEY - actions(role) == set(), role


def test_deployment_allows_smoke_and_status() -> None:
    assert actions("deployment") >= OF_OPS


def test_deployment_deletes_no_data_and_preview_changes_nothing() -> None:
    assert actions("sandbox") >= DELETES_DATA
    assert actions("deployment") & DELETES_DATA == set()
    assert {
        action for action in actions("preview") if not re.search(r":(Get|List|Describe)", action)
    } == set()


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("sqs:DeleteQueue", f"arn:aws:sqs:eu-west-1:{ACCOUNT_ID}:payments"),
        ("sqs:DeleteQueue", f"arn:aws:sqs:eu-west-1:{ACCOUNT_ID}:analytics-queue-eu-west-1-other"),
        ("iam:PutRolePolicy", f"arn:aws:iam::{ACCOUNT_ID}:role/administrators"),
        ("iam:PassRole", f"arn:aws:iam::{ACCOUNT_ID}:role/administrators"),
        ("s3:PutBucketPolicy", "arn:aws:s3:::another-bucket"),
        ("s3:PutObject", f"arn:aws:s3:::analytics-bucket-dev-{ACCOUNT_ID}-eu-west-1-an/processed/a.parquet"),
    ],
)
def test_deployment_is_denied_the_resources_of_others(action: str, resource: str) -> None:
    asked = policies.Request(
        action=action,
        resource=resource,
        context={"aws:RequestedRegion": "eu-west-1", "iam:PassedToService": "lambda.amazonaws.com"},
    )
    assert decide("deployment", asked) is policies.Decision.NONE


EC2, KMS = f"arn:aws:ec2:eu-west-1:{ACCOUNT_ID}:", f"arn:aws:kms:eu-west-1:{ACCOUNT_ID}:key/"
MAPPING = f"arn:aws:lambda:eu-west-1:{ACCOUNT_ID}:event-source-mapping:1"
FUNCTION = f"arn:aws:lambda:eu-west-1:{ACCOUNT_ID}:function:"


@pytest.mark.parametrize(
    ("action", "resource", "key", "own", "others"),
    [
        ("ec2:CreateVpc", f"{EC2}vpc/1", "aws:RequestTag/Name", "analytics-vpc-eu-west-1-dev", "payments"),
        ("ec2:DeleteVpc", f"{EC2}vpc/1", "aws:ResourceTag/Name", "analytics-vpc-eu-west-1-dev", "payments"),
        (
            *("ec2:CreateSubnet", f"{EC2}subnet/1", "aws:RequestTag/Name"),
            *("analytics-subnet-a-eu-west-1-dev", "payments"),
        ),
        (
            *("ec2:CreateSubnet", f"{EC2}vpc/1", "aws:ResourceTag/Name"),
            *("analytics-vpc-eu-west-1-dev", "analytics-vpc-eu-west-1-other"),
        ),
        (
            *("ec2:RevokeSecurityGroupIngress", f"{EC2}security-group/1", "aws:ResourceTag/Name"),
            *("analytics-default-security-group-eu-west-1-dev", "payments"),
        ),
        ("ec2:CreateTags", f"{EC2}vpc/1", "ec2:CreateAction", "CreateVpc", "RunInstances"),
        (
            *("ec2:CreateTags", f"{EC2}security-group/1", "aws:RequestTag/Name"),
            *("analytics-default-security-group-eu-west-1-dev", "payments"),
        ),
        ("kms:CreateKey", f"{KMS}1", "aws:RequestTag/Name", "analytics-key-eu-west-1-dev", "payments"),
        ("kms:PutKeyPolicy", f"{KMS}1", "aws:ResourceTag/Name", "analytics-key-eu-west-1-dev", "payments"),
        (
            *("kms:ScheduleKeyDeletion", f"{KMS}1", "aws:ResourceTag/Name"),
            *("analytics-key-eu-west-1-dev", "payments"),
        ),
        (
            *("lambda:DeleteEventSourceMapping", MAPPING, "lambda:FunctionArn"),
            *(f"{FUNCTION}analytics-etl-eu-west-1-dev", f"{FUNCTION}payments"),
        ),
    ],
)
def test_what_has_no_name_is_the_stack_s_by_its_tag_or_function(
    action: str, resource: str, key: str, own: str, others: str
) -> None:
    role = "sandbox" if action in DELETES_DATA else "deployment"
    for value, decision in {own: policies.Decision.ALLOW, others: policies.Decision.NONE}.items():
        asked = policies.Request(
            action=action, resource=resource, context={"aws:RequestedRegion": "eu-west-1", key: value}
        )
        assert decide(role, asked) is decision, value
    without = policies.Request(action=action, resource=resource, context={"aws:RequestedRegion": "eu-west-1"})
    assert decide(role, without) is policies.Decision.NONE


def test_a_group_with_another_name_cannot_be_named_anew() -> None:
    context = {
        "aws:RequestedRegion": "eu-west-1",
        "aws:RequestTag/Name": "analytics-default-security-group-eu-west-1-dev",
        "aws:ResourceTag/Name": "payments",
    }
    asked = policies.Request(action="ec2:CreateTags", resource=f"{EC2}security-group/1", context=context)
    assert decide("deployment", asked) is policies.Decision.NONE


def test_another_region_is_denied() -> None:
    queue = f"arn:aws:sqs:eu-central-1:{ACCOUNT_ID}:analytics-queue-eu-central-1-dev"
    for region, decision in {
        "eu-central-1": policies.Decision.DENY,
        "eu-west-1": policies.Decision.ALLOW,
    }.items():
        asked = policies.Request(
            action="sqs:CreateQueue", resource=queue, context={"aws:RequestedRegion": region}
        )
        assert decide("deployment", asked) is decision


@pytest.mark.parametrize("policies_of", [preview, deployment, sandbox])
def test_the_policies_fit_a_user_or_role_whatever_the_names(
    policies_of: Callable[[Scope], list[Document]],
) -> None:
    """A managed policy may have 6,144 characters without white space, and a role or user 10 (IAM quotas)."""
    longest = Scope(
        account=ACCOUNT_ID, regions=("ap-southeast-1",) * 30, suffix="s" * 20, state_bucket="b" * 63
    )
    documents = policies_of(longest)
    assert len(documents) <= 4
    assert max(len(re.sub(r"\s", "", json.dumps(document))) for document in documents) <= 6144
    assert statement_ids(documents) == statement_ids(policies_of(SCOPE))


def test_parliament_finds_nothing_without_a_reason(tmp_path: Path) -> None:
    for name, documents in POLICIES.items():
        for number, document in enumerate(documents):
            (tmp_path / f"{name}-{number}.json").write_text(json.dumps(document))
    matched = {
        finding: [pattern for pattern in ACCEPTED_BY_PARLIAMENT if re.search(pattern, finding)]
        for finding in parliament(tmp_path)
    }
    assert [finding for finding, patterns in matched.items() if not patterns] == []
    assert {pattern for patterns in matched.values() for pattern in patterns} == ACCEPTED_BY_PARLIAMENT.keys()


def test_roles_keep_the_policy_pack_s_rule_of_actions(roles: "Recorded") -> None:
    """The pack's other rules are about resources of a region; roles belong to the account."""
    stack = Stack(region="eu-west-1", resources=tuple(roles.resources))
    broken = [violation.message for violation in rules_of_permissions.no_wildcard_action.violations(stack)]
    assert broken == []


def test_only_the_workflows_environments_are_trusted(roles: "Recorded") -> None:
    trusted = {}
    for role in roles.of("aws:iam/role:Role"):
        (statement,) = json.loads(role.properties["assumeRolePolicy"])["Statement"]
        assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
        conditions = statement["Condition"]
        assert conditions.keys() == {"StringEquals"}
        subjects = conditions["StringEquals"]["token.actions.githubusercontent.com:sub"]
        assert conditions["StringEquals"]["token.actions.githubusercontent.com:aud"] == "sts.amazonaws.com"
        trusted[role.name] = {subject.removeprefix("repo:owner/name:environment:") for subject in subjects}
    assert trusted == {
        "preview": {"preview", "drift"},
        **{f"deploy-{stack}": {stack} for stack in STACKS},
        "sandbox": {"sandbox"},
    }
    assert set().union(*trusted.values()) == environments()


def test_a_stack_s_role_is_of_the_region_in_its_file(tmp_path: Path) -> None:
    shutil.copytree(PROJECT / "bootstrap", tmp_path / "bootstrap")
    shutil.copy(PROJECT / "Pulumi.yaml", tmp_path)
    for stack in ("europe.production", "europe.staging"):
        (tmp_path / f"Pulumi.{stack}.yaml").write_text("config:\n  aws:region: eu-west-1\n")
    regions = {
        policy.properties["name"]: statement["Condition"]["StringNotEquals"]["aws:RequestedRegion"]
        for policy in roles_of(tmp_path, Recorded()).of("aws:iam/policy:Policy")
        for statement in json.loads(policy.properties["policy"])["Statement"]
        if statement["Effect"] == "Deny"
    }
    assert regions == {
        "regional-analytics-preview-1": ["eu-west-1"],
        "regional-analytics-deploy-europe.production-1": ["eu-west-1"],
        "regional-analytics-deploy-europe.staging-1": ["eu-west-1"],
        "regional-analytics-sandbox-1": ["us-east-1"],
    }


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("repository", "https://a.com/b/c", "must be OWNER/NAME, got 'https://a.com/b/c'"),
        ("stateBucket", "s3://state", "must be a bucket's name, without s3://, got 's3://state'"),
        ("sandboxRegion", "", "must be an AWS region (for example eu-west-1), got ''"),
        ("sandboxRegion", "us-east-9", "got 'us-east-9'"),
        ("createProvider", "yes", "must be true or false, got 'yes'"),
        ("statebucket", "state", "did you mean regional-analytics-bootstrap:stateBucket?"),
    ],
)
def test_a_wrong_setting_is_refused_before_any_role(key: str, value: str, problem: str) -> None:
    recorded = Recorded()
    with pytest.raises(SettingsError, match=re.escape(f"regional-analytics-bootstrap:{key}: ")) as refused:
        roles_of(PROJECT, recorded, **{key: value})
    assert problem in str(refused.value)
    assert recorded.resources == []


@pytest.mark.parametrize(
    ("stack", "region", "problem"),
    [
        ("europe", "eu-west-9", "Pulumi.europe.yaml: aws:region: must be an AWS region"),
        ("e" * 39, "eu-west-1", "the stack's name: must be of up to 38 characters, got 'eee"),
    ],
)
def test_a_stack_file_of_which_iam_would_refuse_the_role_is_refused(
    tmp_path: Path, stack: str, region: str, problem: str
) -> None:
    shutil.copytree(PROJECT / "bootstrap", tmp_path / "bootstrap")
    shutil.copy(PROJECT / "Pulumi.yaml", tmp_path)
    (tmp_path / f"Pulumi.{stack}.yaml").write_text(f"config:\n  aws:region: {region}\n")
    with pytest.raises(SettingsError, match=re.escape(problem)):
        roles_of(tmp_path, Recorded())


def test_the_outputs_are_the_roles_for_the_workflows(roles: "Recorded") -> None:
    assert roles.outputs["previewRoleArn"].endswith(":role/regional-analytics-preview")
    assert roles.outputs["deployRoleArns"].keys() == set(STACKS)
    assert roles.outputs["sandboxRoleArn"].endswith(":role/regional-analytics-sandbox")


def test_a_role_has_all_of_its_policies(roles: "Recorded") -> None:
    attached: dict[str, set[str]] = {}
    for one in roles.of("aws:iam/rolePolicyAttachment:RolePolicyAttachment"):
        attached.setdefault(one.properties["role"], set()).add(one.properties["policyArn"])
    written = {one.properties["name"]: one for one in roles.of("aws:iam/policy:Policy")}
    assert attached.keys() == {role.properties["name"] for role in roles.of("aws:iam/role:Role")}
    for role, arns in attached.items():
        names = {arn.rpartition("/")[2] for arn in arns}
        assert names == {name for name in written if name.rpartition("-")[0] == role}
    assert len(written) == sum(map(len, attached.values()))


def test_the_command_writes_the_policies(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    given = ["--account", ACCOUNT_ID, "--region", "eu-west-1", "--suffix", "dev", "--state-bucket", "state"]
    command = ["deployment_permissions", "deployment", *given, "--folder", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", command)
    deployment_permissions.main()
    files = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert [json.loads(file.read_text()) for file in files] == POLICIES["deployment"]


@pytest.mark.parametrize(
    ("argument", "value", "problem"),
    [
        ("--account", "12", "must be 12 digits, got '12'"),
        ("--region", "us-east-1,eu-west-1", "must be an AWS region"),
        ("--region", "cn-north-1", "must be a region of the partition aws"),
        ("--suffix", "sb_1", "got 'sb_1'"),
        ("--state-bucket", "s3://state", "must be a bucket's name, without s3://, got 's3://state'"),
        ("--folder", "/nonexistent", "/nonexistent/deployment-1.json cannot be written: No such file"),
    ],
)
def test_the_command_refuses_a_wrong_argument(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    argument: str,
    value: str,
    problem: str,
) -> None:
    given = {"--account": ACCOUNT_ID, "--region": "eu-west-1", "--state-bucket": "state"}
    given |= {"--folder": str(tmp_path), argument: value}
    command = ["deployment_permissions", "deployment", *itertools.chain(*given.items())]
    monkeypatch.setattr(sys, "argv", command)
    with pytest.raises(SystemExit, match="2"):
        deployment_permissions.main()
    assert f"error: argument {argument}: " in (said := capsys.readouterr().err)
    assert problem in said
    assert list(tmp_path.iterdir()) == []


def test_the_page_names_every_environment() -> None:
    page = (PROJECT / "docs" / "deploying.md").read_text()
    assert [name for name in environments() - set(STACKS) if f"`{name}`" not in page] == []


class Recorded(mocks.Mocks):
    """Records registered resources and outputs."""

    def __init__(self) -> None:
        self.resources: list[Resource] = []
        self.outputs: dict[str, Any] = {}

    def of(self, type_: str) -> list[Resource]:
        return [resource for resource in self.resources if resource.type == type_]

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        assert args.token == "aws:index/getCallerIdentity:getCallerIdentity"
        return {"accountId": ACCOUNT_ID, "arn": "", "id": ACCOUNT_ID, "userId": ""}, []

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        self.resources.append(Resource(type=args.typ, name=args.name, properties=args.inputs))
        kind = {"aws:iam/role:Role": "role", "aws:iam/policy:Policy": "policy"}.get(args.typ, "oidc-provider")
        name = args.inputs.get("name", args.name)
        return name, {**args.inputs, "arn": f"arn:aws:iam::{ACCOUNT_ID}:{kind}/{name}"}


@pytest.fixture(scope="module")
def roles() -> Recorded:
    return roles_of(PROJECT, Recorded())


def roles_of(project: Path, recorded: Recorded, **settings: str) -> Recorded:
    """Run the program of a project's folder with settings, and return what it registers."""
    declared = yaml.safe_load((PROJECT / "bootstrap" / "Pulumi.yaml").read_text())["config"]
    values = {key: one["default"] for key, one in declared.items() if "default" in one}
    values["regional-analytics-bootstrap:repository"] = "owner/name"
    values["regional-analytics-bootstrap:stateBucket"] = "state"
    values |= {f"regional-analytics-bootstrap:{key}": value for key, value in settings.items()}
    pulumi.runtime.set_mocks(recorded, project="regional-analytics-bootstrap", stack="roles", preview=False)
    pulumi.runtime.set_all_config(
        {key: value if isinstance(value, str) else json.dumps(value) for key, value in values.items()}
    )

    @pulumi.runtime.test
    def program() -> pulumi.Output[None]:
        root = pulumi.runtime.get_root_resource()
        root.outputs = {}  # pyright: ignore[reportAttributeAccessIssue, reportOptionalMemberAccess]
        runpy.run_path(str(project / "bootstrap" / "__main__.py"), run_name="__main__")
        outputs = root.outputs  # pyright: ignore[reportAttributeAccessIssue, reportOptionalMemberAccess]
        return pulumi.Output.all(**outputs).apply(recorded.outputs.update)

    with pytest.MonkeyPatch.context() as patched:
        patched.syspath_prepend(str(PROJECT / "bootstrap"))
        try:
            program()
        finally:
            sys.modules.pop("deployment_permissions", None)
    return recorded


def calls_of_a_deployment(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Deploy a region with all optional resources, destroy it, and return the calls."""
    calls: set[str] = set()

    def note(model: Any, **_: Any) -> None:
        calls.add(f"{model.service_model.service_name}:{model.name}")

    handlers = [*botocore.handlers.BUILTIN_HANDLERS, ("before-parameter-build", note)]
    monkeypatch.setattr(botocore.handlers, "BUILTIN_HANDLERS", handlers)
    more = {"customerManagedKey": True, "datasets": ["*"], "jobRetentionDays": 30}
    with Server() as server:
        embedded = EmbeddedDeployment(server, monkeypatch, more)
        embedded.up()
        embedded.destroy()
    return calls


def environments() -> set[str]:
    """Return the environments of the workflows' jobs."""
    return set(_environments())


def _environments() -> Iterator[str]:
    for path in (PROJECT / ".github" / "workflows").glob("*.yml"):
        for job in yaml.safe_load(path.read_text())["jobs"].values():
            if name := job.get("environment"):
                yield from STACKS if name == "${{ matrix.stack }}" else [name]


def statement_ids(documents: list[Document]) -> list[str]:
    return [statement["Sid"] for document in documents for statement in document["Statement"]]


def actions(name: str) -> set[str]:
    """Return the actions that a policy allows."""
    return {
        action
        for document in POLICIES[name]
        for statement in document["Statement"]
        if statement["Effect"] == "Allow"
        for action in statement["Action"]
    }


def decide(name: str, asked: policies.Request) -> policies.Decision:
    """Return the decision of all policies of a role on a request."""
    decisions = {policies.evaluate(document, asked) for document in POLICIES[name]}
    ordered = (policies.Decision.DENY, policies.Decision.ALLOW, policies.Decision.NONE)
    return next(decision for decision in ordered if decision in decisions)
