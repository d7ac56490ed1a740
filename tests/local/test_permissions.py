"""The role's policy is minimal: without any one action, the workload does not succeed."""

import json
from collections.abc import Iterator

import pytest

from local.cloud import Cloud
from tests.local.workload import healthy, run_workload

ACTIONS = (
    "dynamodb:GetItem",
    "dynamodb:UpdateItem",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "s3:DeleteObject",
    "s3:GetObject",
    "s3:GetObjectVersion",
    "s3:ListBucket",
    "s3:PutObject",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:ReceiveMessage",
)
NETWORK = "ec2:"
"""Lambda uses these actions to attach the function to its subnets; the embedded AWS has no network."""


class RolePolicy:
    """The deployed policy of the function's role."""

    def __init__(self, cloud: Cloud, region: str) -> None:
        function = cloud.client("lambda", region).get_function(
            FunctionName=cloud.outputs[region]["functionArn"]
        )
        self._iam = cloud.client("iam", region)
        self._role = function["Configuration"]["Role"].rpartition("/")[2]
        self._name = "lambda-permissions"
        self.document = self._iam.get_role_policy(RoleName=self._role, PolicyName=self._name)[
            "PolicyDocument"
        ]

    def put(self, document: dict) -> None:
        self._iam.put_role_policy(
            RoleName=self._role, PolicyName=self._name, PolicyDocument=json.dumps(document)
        )

    def without(self, action: str) -> dict:
        statements = []
        for statement in self.document["Statement"]:
            actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            kept = [other for other in actions if other != action]
            if kept:
                statements.append(statement | {"Action": kept})
        return self.document | {"Statement": statements}


@pytest.fixture
def policy(cloud: Cloud, region: str) -> Iterator[RolePolicy]:
    """Restore the policy after the test, and process waiting messages."""
    deployed = RolePolicy(cloud, region)
    yield deployed
    deployed.put(deployed.document)
    cloud.run_until_quiet()
    assert cloud.messages(region) == 0


def test_the_experiment_covers_every_action_of_the_policy(policy: RolePolicy) -> None:
    allowed = {
        action
        for statement in policy.document["Statement"]
        if statement["Effect"] == "Allow"
        for action in statement["Action"]
        if not action.startswith(NETWORK)
    }
    assert allowed == set(ACTIONS)


@pytest.mark.parametrize("action", ACTIONS)
def test_the_workload_fails_without_any_one_action(
    cloud: Cloud, region: str, policy: RolePolicy, action: str
) -> None:
    folder = action.replace(":", "-")
    policy.put(policy.without(action))
    if action == "logs:CreateLogStream":  # a warm environment has its stream
        cloud.functions.recycle()

    assert run_workload(cloud, region, folder) != healthy(folder)


def test_logging_resumes_when_the_role_may_log(cloud: Cloud, region: str, policy: RolePolicy) -> None:
    policy.put(policy.without("logs:CreateLogStream"))
    cloud.functions.recycle()
    assert not run_workload(cloud, region, "unlogged")["logged"]

    policy.put(policy.document)
    assert run_workload(cloud, region, "logged") == healthy("logged")


def test_the_role_reaches_no_other_region(cloud: Cloud, region: str) -> None:
    other = cloud.regions[1]
    credentials = cloud.assume_function_role(region)
    s3 = cloud.client("s3", other, credentials)
    with pytest.raises(s3.exceptions.ClientError, match=r"Access Denied|Forbidden"):
        s3.put_object(Bucket=cloud.outputs[other]["bucketName"], Key="processed/stolen", Body=b"")
