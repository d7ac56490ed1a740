"""The IAM roles of GitHub's workflows: one for previews, one for each stack, one for the sandbox."""

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws as aws
from deployment_permissions import (
    Document,
    Scope,
    bucket_name,
    deployment,
    matching,
    preview,
    region_name,
    sandbox,
)

# Pulumi runs this folder without the project's packages.
sys.path.append(str(Path(__file__).resolve().parents[1]))

from components.configuration import Configuration, SettingsError, read, stack_configurations

FOLDER = Path(__file__).resolve().parent
NAMESPACE = "regional-analytics-bootstrap"
ISSUER = "token.actions.githubusercontent.com"
AUDIENCE = "sts.amazonaws.com"
SESSION_SECONDS = 7200
"""The longest timeout of the workflows' jobs; credentials must last as long."""

STACK_CHARACTERS = 38
"""A role's name has up to 64 characters (IAM quotas), and those before the stack's name are 26."""

settings = read(Configuration.of_this_stack(), FOLDER)
repository, state_bucket, sandbox_region = (
    settings[name] for name in ("repository", "stateBucket", "sandboxRegion")
)
regions = {
    stack: configured.values.get("aws:region", "")
    for stack, configured in stack_configurations(FOLDER.parent).items()
}
"""The region of each of the project's stacks."""


def problems() -> Iterator[str]:
    """Yield what AWS would refuse, or never match."""
    checks: list[tuple[str, str, Callable[[str], Any]]] = [
        (f"{NAMESPACE}:repository", repository, matching("[A-Za-z0-9_-]+/[A-Za-z0-9_.-]+", "OWNER/NAME")),
        (f"{NAMESPACE}:stateBucket", state_bucket, bucket_name),
        (f"{NAMESPACE}:sandboxRegion", sandbox_region, region_name),
    ]
    short = matching(f".{{1,{STACK_CHARACTERS}}}", f"of up to {STACK_CHARACTERS} characters")
    for stack, region in regions.items():
        checks += [
            (f"Pulumi.{stack}.yaml: the stack's name", stack, short),
            (f"Pulumi.{stack}.yaml: aws:region", region, region_name),
        ]
    for place, value, check in checks:
        try:
            check(value)
        except argparse.ArgumentTypeError as error:
            yield f"{place}: {error}"


if found := [*problems()]:
    raise SettingsError(found)
account = aws.get_caller_identity().account_id


def scope(regions: Sequence[str], suffix: str) -> Scope:
    """Return the scope of policies for stacks of this account."""
    return Scope(account=account, regions=tuple(regions), suffix=suffix, state_bucket=state_bucket)


def trust(issuer: str, environments: Sequence[str]) -> str:
    """Return a trust policy for the jobs of some of the repository's environments.

    Source: GitHub's documentation, "Configuring OpenID Connect in Amazon Web Services".
    """
    subjects = [f"repo:{repository}:environment:{environment}" for environment in environments]
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": issuer},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {f"{ISSUER}:aud": AUDIENCE, f"{ISSUER}:sub": subjects}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def role(name: str, environments: Sequence[str], policies: Sequence[Document]) -> pulumi.Output[str]:
    """Create a role with managed policies, and return its ARN."""
    created = aws.iam.Role(
        name,
        name=f"regional-analytics-{name}",
        description=f"Assumed by the workflows of {repository} in the environment {', '.join(environments)}",
        assume_role_policy=provider_arn.apply(lambda issuer: trust(issuer, environments)),
        max_session_duration=SESSION_SECONDS,
        tags={"Name": f"regional-analytics-{name}", "ManagedBy": "Pulumi"},
    )
    for number, document in enumerate(policies, start=1):
        policy = aws.iam.Policy(
            f"{name}-policy-{number}",
            name=f"regional-analytics-{name}-{number}",
            policy=json.dumps(document),
            tags={"Name": f"regional-analytics-{name}-{number}", "ManagedBy": "Pulumi"},
        )
        aws.iam.RolePolicyAttachment(f"{name}-policy-{number}", role=created.name, policy_arn=policy.arn)
    return created.arn


if settings["createProvider"]:
    provider_arn = aws.iam.OpenIdConnectProvider(
        "github", url=f"https://{ISSUER}", client_id_lists=[AUDIENCE], tags={"ManagedBy": "Pulumi"}
    ).arn
else:
    provider_arn = pulumi.Output.from_input(f"arn:aws:iam::{account}:oidc-provider/{ISSUER}")

pulumi.export(
    "previewRoleArn",
    role("preview", ["preview", "drift"], preview(scope(sorted(set(regions.values())), "*"))),
)
pulumi.export(
    "deployRoleArns",
    {
        stack: role(f"deploy-{stack}", [stack], deployment(scope([region], "*")))
        for stack, region in regions.items()
    },
)
pulumi.export("sandboxRoleArn", role("sandbox", ["sandbox"], sandbox(scope([sandbox_region], "sb*"))))
