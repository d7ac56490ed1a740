"""Invalid settings and broken rules are refused before any resource is created."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi
import pytest

from tests.engine.account import inventory
from tests.engine.deployment import NAME, Deployment, Engine, Refused

if TYPE_CHECKING:
    from local.server import Server


@pytest.fixture(scope="module")
def deployment(engine: Engine) -> Deployment:
    return Deployment(engine)


@pytest.fixture(scope="module")
def before(server: Server) -> set[str]:
    return inventory(server, "us-east-1")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"memorysize": 2048}, f"{NAME}:memorysize: no such setting; did you mean {NAME}:memorySize?"),
        ({"cidrBlock": None}, f"{NAME}:cidrBlock"),
        ({"memorySize": "much"}, f"{NAME}:memorySize"),
        ({"memorySize": 64}, f"{NAME}:memorySize"),
        ({"region": "eu-west-1"}, "aws:region"),
    ],
    ids=["unknown", "missing", "of another type", "out of range", "another region"],
)
@pytest.mark.parametrize("command", ["preview", "up"])
def test_wrong_settings_are_refused(
    deployment: Deployment,
    before: set[str],
    server: Server,
    command: str,
    settings: dict[str, object],
    said: str,
) -> None:
    deployed = {"cidrBlock": "10.0.0.0/16", "region": "us-east-1"}
    deployment.set(**settings)
    with pytest.raises(Refused) as refused:
        getattr(deployment, command)()
    deployment.set(**{name: deployed.get(name) for name in settings})
    assert said in str(refused.value)
    assert inventory(server, "us-east-1") == before


def _open_to_the_public(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
    if args.type_ != "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock":
        return None
    return pulumi.ResourceTransformResult({**args.props, "blockPublicPolicy": False}, args.opts)


def test_a_stack_that_breaks_a_rule_is_refused(
    deployment: Deployment, before: set[str], server: Server
) -> None:
    deployment.transform = _open_to_the_public
    with pytest.raises(Refused) as refused:
        deployment.preview(policy_packs=[str(deployment.pack)])
    deployment.transform = None
    assert "bucket-public-access" in refused.value.step.policies
    assert inventory(server, "us-east-1") == before
    assert not deployment.preview(policy_packs=[str(deployment.pack)]).policies
