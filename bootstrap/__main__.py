"""The IAM roles of GitHub's workflows: one for previews, one for each stack, one for the sandbox."""

import json
from collections.abc import Sequence
from pathlib import Path

import pulumi
import pulumi_aws as aws
import yaml
from deployment_permissions import Document, Scope, deployment, preview, sandbox

ISSUER = "token.actions.githubusercontent.com"
AUDIENCE = "sts.amazonaws.com"
SESSION_SECONDS = 7200
"""The longest timeout of the workflows' jobs; credentials must last as long."""

config = pulumi.Config()
repository = config.require("repository")
state_bucket = config.require("stateBucket")
stack_files = {
    file.name.removeprefix("Pulumi.").removesuffix(".yaml"): yaml.safe_load(file.read_text(encoding="utf-8"))
    for file in sorted(Path(__file__).parents[1].glob("Pulumi.*.yaml"))
}
regions = {stack: document["config"]["aws:region"] for stack, document in stack_files.items()}
"""The region of each of the project's stacks."""
sandbox_region = config.require("sandboxRegion")
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


if config.require_bool("createProvider"):
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
