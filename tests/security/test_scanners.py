"""Findings of checkov and parliament in the evaluated program, with a reason for each accepted one.

Both run from `.venv-scan`, without the network.
"""

import functools
import json
import re
import subprocess
from pathlib import Path
from typing import Any

from policy.rules import Stack
from tests.policy.stacks import changed, evaluated, every, without
from tests.security import terraform

PROJECT = Path(__file__).resolve().parents[2]
SCANNERS = PROJECT / ".venv-scan" / "bin"

OWN_KEY, BROKEN = "own-key", "broken"

BROKEN_CHECKS = {
    "CKV2_AWS_6",  # public access block
    "CKV_AWS_21",  # versioning
    "CKV_AWS_7",  # key rotation
    "CKV_AWS_28",  # point-in-time recovery
    "CKV_AWS_119",  # the table's key
    "CKV_AWS_27",  # the queue's encryption
    "CKV_AWS_130",  # public addresses
    "CKV_AWS_117",  # function in a network
}
"""Checks that must fail for the broken stack."""

ACCEPTED_BY_CHECKOV = {
    "CKV2_AWS_11": "Flow logs: the only routes are those to S3 and DynamoDB, and the job records say more.",
    "CKV_AWS_18": "Access logs: they need a second bucket to guard; CloudTrail does it for an account.",
    "CKV_AWS_50": "X-Ray: it takes rights on every resource; job records and metrics hold the times.",
    "CKV_AWS_115": "Reserved concurrency: its throttles use up a message's receives; the mapping's cap not.",
    "CKV_AWS_116": "A function's dead-letter queue is for asynchronous calls; this one's source has its own.",
    "CKV_AWS_144": "Cross-region replication: what this project exists to prevent.",
    "CKV_AWS_159": "Query results: Athena keeps and encrypts them; checkov looks for results in a bucket.",
    "CKV_AWS_272": "Code signing: its profile is the account's; an archive follows from its sources alone.",
}
"""Checks that fail by decision, with the reasons."""

ACCEPTED_UNDER_AWS_KEYS = {
    "CKV_AWS_26": "SNS's managed key does not let CloudWatch publish; alarms hold names and figures only.",
    "CKV_AWS_119": "DynamoDB encrypts under its own key; customerManagedKey gives the stack one.",
    "CKV_AWS_145": "S3 encrypts under its own keys (AES256); customerManagedKey gives the stack one.",
    "CKV_AWS_158": "CloudWatch Logs encrypts under its own key; customerManagedKey gives the stack one.",
    "CKV_AWS_173": "Lambda encrypts the environment under its own key, and no secret is in it.",
}
"""Checks that require a customer-managed key, which is a setting."""

ACCEPTED_BY_PARLIAMENT = {
    r"KeyPolicy: RESOURCE_STAR": "In a key's policy, the resource * is the key itself.",
    r"KeyPolicy: MISMATCHED_TYPE .*ArnEquals": "As AWS's guides compare contexts that are ARNs.",
    r"BucketPolicy: MISMATCHED_TYPE .*s3:TlsVersion": "It reads no decimals; S3's versions are.",
    r"BucketPolicy: UNKNOWN_CONDITION_FOR_ACTION .*s3:TlsVersion": "A denial of s3:* holds every action.",
    r"RolePolicy: RESOURCE_MISMATCH .*'ec2:DeleteNetworkInterface'": (
        "Lambda's check of a role names no interface, and asks on */* (Lambda developer guide, VPC access)."
    ),
    r"RolePolicy: UNKNOWN_CONDITION_FOR_ACTION .*lambda:SourceFunctionArn .* ec2:": (
        "Lambda adds this key to whatever a function calls (Lambda developer guide, execution roles)."
    ),
}
"""Wrong findings of parliament, with the reasons."""

SCANNED_TYPES = {
    *(
        "aws_cloudwatch_log_group",
        "aws_dynamodb_table",
        "aws_iam_role",
        "aws_iam_role_policy",
        "aws_lambda_function",
    ),
    *("aws_s3_bucket", "aws_s3_bucket_policy", "aws_security_group", "aws_sns_topic_policy", "aws_sqs_queue"),
    *("aws_sqs_queue_policy", "aws_subnet", "aws_vpc", "aws_vpc_security_group_egress_rule"),
}
"""Types that checkov must report on; otherwise the translation is incomplete."""


def test_checkov_fails_nothing_without_a_reason(tmp_path: Path) -> None:
    """One run for all stacks and modes and for a broken stack, because checkov starts slowly."""
    for name, stack in {**stacks(), BROKEN: broken()}.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(terraform.plan(stack)))
    checked = checkov(tmp_path)
    for name in stacks():
        failed = {check["check_id"]: check for check in of(name, checked["failed_checks"])}
        accepted = {*ACCEPTED_BY_CHECKOV, *(() if name.endswith(OWN_KEY) else ACCEPTED_UNDER_AWS_KEYS)}
        unargued = [
            f"{check['check_id']} {check['check_name']}: {check['resource']}"
            for check in failed.values()
            if check["check_id"] not in accepted
        ]
        assert unargued == [], name
        assert failed.keys() == accepted, f"{name}: accepted without need"
        passed = {check["resource"].partition(".")[0] for check in of(name, checked["passed_checks"])}
        assert passed >= SCANNED_TYPES, name
    assert {check["check_id"] for check in of(BROKEN, checked["failed_checks"])} >= BROKEN_CHECKS


@functools.cache
def stacks() -> dict[str, Stack]:
    """Return each stack in each mode, by their names."""
    return {
        f"{region}-{OWN_KEY if own_key else 'aws-keys'}": evaluated(region, customer_managed_key=own_key)
        for region, own_key in every()
    }


def of(name: str, checks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the checks of one stack."""
    return [check for check in checks if check["file_path"] == f"/{name}.json"]


def broken() -> Stack:
    """Return a stack that fails `BROKEN_CHECKS`."""
    stack = evaluated("us-east-1", customer_managed_key=True)
    for break_ in (
        without("s3/bucketPublicAccessBlock:BucketPublicAccessBlock"),
        without("s3/bucketVersioning:BucketVersioning"),
        changed("kms/key:Key", enableKeyRotation=False),
        changed("dynamodb/table:Table", pointInTimeRecovery=None, serverSideEncryption=None),
        changed("sqs/queue:Queue", kmsMasterKeyId=None, sqsManagedSseEnabled=False),
        changed("ec2/subnet:Subnet", mapPublicIpOnLaunch=True),
        changed("lambda/function:Function", vpcConfig=None),
    ):
        stack = break_(stack)
    return stack


def test_parliament_finds_nothing_without_a_reason(tmp_path: Path) -> None:
    for name, stack in stacks().items():
        write_policies(tmp_path, name, stack)
    findings = parliament(tmp_path)
    matched = {
        finding: [pattern for pattern in ACCEPTED_BY_PARLIAMENT if re.match(pattern, finding)]
        for finding in findings
    }
    assert [finding for finding, patterns in matched.items() if not patterns] == []
    assert {pattern for patterns in matched.values() for pattern in patterns} == ACCEPTED_BY_PARLIAMENT.keys()


def test_parliament_finds_what_is_broken(tmp_path: Path) -> None:
    for action in ("s3:GetObjct", "s3:ListBucket"):
        statement = {"Effect": "Allow", "Action": action, "Resource": "arn:aws:s3:::bucket/*"}
        document = {"Version": "2012-10-17", "Statement": [statement]}
        (tmp_path / f"RolePolicy-{action[3:]}.json").write_text(json.dumps(document))
    issues = {finding.split()[1] for finding in parliament(tmp_path)}
    assert issues == {"UNKNOWN_ACTION", "RESOURCE_MISMATCH"}


def write_policies(folder: Path, name: str, stack: Stack) -> None:
    """Write each policy document of the stack to a file that begins with its kind.

    Trust policies are left out: they have no resources, which parliament knows no grammar for.
    """
    for resource in stack.resources:
        document = resource.at("policy")
        if isinstance(document, str) and '"Statement"' in document:
            kind = resource.type.rpartition(":")[2]
            kind = kind if kind.endswith("Policy") else f"{kind}Policy"
            (folder / f"{kind}-{resource.name}-{name}.json").write_text(document)


def checkov(folder: Path) -> dict[str, Any]:
    """Run checkov over all plans of a folder in one process."""
    framework = ("--framework", "terraform_plan", "--skip-download", "--soft-fail", "--output", "json")
    (report,) = _run(str(SCANNERS / "checkov"), "--directory", str(folder), *framework)
    assert report["summary"]["parsing_errors"] == 0
    return report["results"]


def parliament(folder: Path) -> list[str]:
    """Run parliament over all policies of a folder: kind, issue and detail of each finding."""
    findings = _run(str(SCANNERS / "parliament"), "--directory", str(folder), "--json")
    return sorted(
        f"{Path(one['location']['filepath']).name.partition('-')[0]}: {one['issue']} {one['detail']}"
        for one in findings
    )


def _run(*command: str) -> list[dict[str, Any]]:
    """Run a scanner and return its JSON documents, one for each line or one in all."""
    assert Path(command[0]).exists(), f"{command[0]}: missing; `make test` installs it"
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert result.stdout or result.returncode == 0, result.stderr
    try:
        return [json.loads(result.stdout)]
    except json.JSONDecodeError:
        return [json.loads(line) for line in result.stdout.splitlines()]
