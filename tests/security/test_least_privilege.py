"""Each resource of the role's policy is needed: work fails when another of its kind replaces it.

tests/local/test_permissions.py tests the same for each action. The permissions for ec2:* and KMS cannot be
tested so: Lambda itself uses the former, and the embedded AWS does not evaluate the latter.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from components.account import Account
from components.function_permissions import RoleResources, role_policy
from components.names import Names
from local.cloud import Cloud

GOOD = b"id,name\n" + b"".join(b"%d,name %d\n" % (row, row) for row in range(30))
FLAWED = GOOD + b"31,too,many\n"

NOT_SHOWN = ("ec2:", "kms:")
NAMES = Names(
    account=Account(partition="aws", account_id="123456789012"),
    region="eu-west-1",
    environment_suffix="dev",
    environment="Production",
)


@dataclass(frozen=True)
class Grant:
    """Some actions of one statement, on one of its resources."""

    sid: str
    actions: tuple[str, ...]
    resource: int

    def __str__(self) -> str:
        return f"{self.sid}-{'+'.join(self.actions)}-{self.resource}"


def grants() -> Iterator[Grant]:
    """Return every grant; actions of a statement are separate only if it has several resources."""
    arn = "arn:aws:any:eu-west-1:123456789012:any"
    anything = RoleResources(
        bucket_arn=arn,
        table_arn=arn,
        queue_arn=arn,
        log_group_arn=arn,
        subnet_arns=[arn],
        security_group_arn=arn,
        key_arn=None,
    )
    for statement in role_policy(NAMES, anything)["Statement"]:
        if statement["Effect"] != "Allow" or statement["Action"][0].startswith(NOT_SHOWN):
            continue
        resources = resources_of(statement)
        together = [tuple(statement["Action"])]
        for resource in range(len(resources)):
            for actions in together if len(resources) == 1 else zip(statement["Action"]):
                yield Grant(statement["Sid"], actions, resource)


def resources_of(statement: dict[str, Any]) -> list[str]:
    return statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]


def sibling(arn: str) -> str:
    """Return the ARN of another resource of the kind: bucket, prefix, table, queue or log group."""
    return re.sub(r"((?:[/:]\*)?)$", r"-sibling\1", arn, count=1)


def narrowed(document: dict[str, Any], grant: Grant) -> dict[str, Any]:
    """Return the policy with the grant on another resource of the kind, otherwise unchanged."""
    statements = []
    for statement in document["Statement"]:
        if statement.get("Sid") != grant.sid:
            statements.append(statement)
            continue
        resources = resources_of(statement)
        others = [action for action in statement["Action"] if action not in grant.actions]
        if others:
            statements.append({**statement, "Sid": f"{grant.sid}Others", "Action": others})
        moved = [sibling(one) if index == grant.resource else one for index, one in enumerate(resources)]
        statements.append({**statement, "Action": list(grant.actions), "Resource": moved})
    return {**document, "Statement": statements}


class Role:
    """The deployed function's role."""

    def __init__(self, cloud: Cloud, region: str) -> None:
        function = cloud.client("lambda", region).get_function(
            FunctionName=cloud.outputs[region]["functionArn"]
        )
        self._iam = cloud.client("iam", region)
        self._name = function["Configuration"]["Role"].rpartition("/")[2]
        self._policy = "lambda-permissions"

    def read(self) -> dict[str, Any]:
        return self._iam.get_role_policy(RoleName=self._name, PolicyName=self._policy)["PolicyDocument"]

    def write(self, document: dict[str, Any]) -> None:
        self._iam.put_role_policy(
            RoleName=self._name, PolicyName=self._policy, PolicyDocument=json.dumps(document)
        )


@pytest.fixture
def role(cloud: Cloud, region: str) -> Iterator[Role]:
    """Restore the policy afterwards."""
    deployed = Role(cloud, region)
    document = deployed.read()
    yield deployed
    deployed.write(document)


def work(cloud: Cloud, region: str, folder: str) -> dict[str, Any]:
    """Upload, replace, empty and delete objects; return their state after one delivery of each event."""
    cloud.upload(region, f"{folder}/mended.csv", FLAWED)
    cloud.upload(region, f"{folder}/emptied.csv", GOOD)
    cloud.run_until_idle()
    first = seen(cloud, region, folder)["results"]
    cloud.upload(region, f"{folder}/mended.csv", GOOD)
    cloud.upload(region, f"{folder}/emptied.csv", b"")
    cloud.upload(region, f"{folder}/deleted.csv", GOOD)
    cloud.delete(region, f"{folder}/deleted.csv")
    cloud.run_until_idle()
    return {"first": first, **seen(cloud, region, folder)}


def seen(cloud: Cloud, region: str, folder: str) -> dict[str, Any]:
    """Return the objects and jobs of the folder."""
    return {
        "results": sorted(
            [*cloud.keys(region, f"processed/{folder}/"), *cloud.keys(region, f"rejected/{folder}/")]
        ),
        "jobs": sorted(
            (job["input_path"].rpartition("/")[2], job["status"])
            for job in cloud.jobs(region)
            if job["input_path"].startswith(f"{folder}/")
        ),
        "logged": any(f"{folder}/mended.csv" in line for line in cloud.log(region)),
        "waiting": cloud.messages(region),
    }


def whole(folder: str) -> dict[str, Any]:
    """Return the result of `work` with all permissions."""
    mended, emptied = f"processed/{folder}/mended.csv.parquet", f"processed/{folder}/emptied.csv.parquet"
    return {
        "first": [emptied, mended, f"rejected/{folder}/mended.csv.jsonl"],
        "results": [mended],
        "jobs": [
            ("deleted.csv", "SKIPPED"),
            ("emptied.csv", "COMPLETED"),
            ("emptied.csv", "SKIPPED"),
            ("mended.csv", "COMPLETED"),
            ("mended.csv", "COMPLETED"),
        ],
        "logged": True,
        "waiting": 0,
    }


def test_work_succeeds_with_the_deployed_policy(cloud: Cloud, region: str, role: Role) -> None:
    assert work(cloud, region, "privileges/all") == whole("privileges/all")


@pytest.mark.parametrize("grant", list(grants()), ids=str)
def test_work_fails_when_a_resource_is_replaced_by_another_of_its_kind(
    cloud: Cloud, region: str, role: Role, grant: Grant
) -> None:
    folder = f"privileges/{grant}".replace(":", "-")
    deployed = role.read()
    role.write(narrowed(deployed, grant))
    assert work(cloud, region, folder) != whole(folder)
    # It was the policy: with it back, the deliveries that failed end well.
    role.write(deployed)
    cloud.run_until_quiet()
    healed = seen(cloud, region, folder)
    assert (healed["results"], healed["waiting"]) == (whole(folder)["results"], 0)


def test_every_grant_of_the_deployed_policy_is_tried(role: Role) -> None:
    deployed = {
        (statement["Sid"], action, index)
        for statement in role.read()["Statement"]
        if statement["Effect"] == "Allow" and not statement["Action"][0].startswith(NOT_SHOWN)
        for index, _ in enumerate(resources_of(statement))
        for action in statement["Action"]
    }
    assert deployed == {(grant.sid, action, grant.resource) for grant in grants() for action in grant.actions}


def test_replacements_are_of_the_same_kind() -> None:
    assert sibling("arn:aws:s3:::bucket/*") == "arn:aws:s3:::bucket-sibling/*"
    assert sibling("arn:aws:s3:::bucket/processed/*") == "arn:aws:s3:::bucket/processed-sibling/*"
    assert (
        sibling("arn:aws:logs:r:1:log-group:/aws/lambda/f:*")
        == "arn:aws:logs:r:1:log-group:/aws/lambda/f-sibling:*"
    )
    assert sibling("arn:aws:sqs:r:1:queue") == "arn:aws:sqs:r:1:queue-sibling"
