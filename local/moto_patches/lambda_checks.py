"""Functions and event source mappings that Lambda refuses and moto accepts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from moto.awslambda.exceptions import InvalidParameterValueException
from moto.awslambda.models import LambdaBackend
from moto.iam.models import iam_backends
from moto.sqs.models import sqs_backends

from local import policies
from local.moto_patches.moto_account import ACCOUNT, PARTITION

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_DESCRIBED = ("ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets")
_MANAGED = ("ec2:DeleteNetworkInterface", "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses")


def install() -> None:
    """Apply the patches; call this once, before the server handles requests."""
    _check_the_role_of_a_function_in_a_network()
    _check_the_queue_of_a_mapping()


def _check_the_role_of_a_function_in_a_network() -> None:
    """Lambda creates network interfaces with the function's role, and checks its permissions first.

    It checks the deletion and the addresses without naming an interface. So a policy for
    `network-interface/*` does not match, and one for `*/*` does. Sources: Lambda Developer Guide, "Giving
    Lambda functions access to resources in an Amazon VPC"; terraform-provider-aws issue 20698. Whether this
    check has condition keys is not documented, so it has none here.
    """
    create, update = LambdaBackend.create_function, LambdaBackend.update_function_configuration

    def create_checked(self: LambdaBackend, spec: dict[str, Any]) -> Any:  # noqa: ANN401 - moto's class
        _check_role(self.region_name, spec["Role"], spec.get("VpcConfig") or {})
        return create(self, spec)

    def update_checked(self: LambdaBackend, function_name: str, qualifier: str, body: dict[str, Any]) -> Any:  # noqa: ANN401 - moto's class
        function: Any = self.get_function(function_name, qualifier)
        network = body.get("VpcConfig", function.vpc_config) or {}
        _check_role(self.region_name, body.get("Role", function.role), network)
        return update(self, function_name, qualifier, body)

    LambdaBackend.create_function = create_checked
    LambdaBackend.update_function_configuration = update_checked


def _check_role(region: str, role: str, network: Mapping[str, Any]) -> None:
    if not network.get("SubnetIds"):
        return
    documents = list(_documents(role))
    for action, resource in _required_permissions(f"arn:{PARTITION}:ec2:{region}:{ACCOUNT}", network):
        request = policies.Request(action=action, resource=resource)
        decisions = {policies.evaluate(document, request) for document in documents}
        if policies.Decision.DENY in decisions or policies.Decision.ALLOW not in decisions:
            name = action.partition(":")[2]
            raise InvalidParameterValueException(
                f"The provided execution role does not have permissions to call {name} on EC2"
            )


def _required_permissions(ec2: str, network: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each action that Lambda checks, with its resource."""
    for resource in (
        *(f"{ec2}:subnet/{subnet}" for subnet in network["SubnetIds"]),
        *(f"{ec2}:security-group/{group}" for group in network.get("SecurityGroupIds", ())),
        f"{ec2}:network-interface/*",
    ):
        yield "ec2:CreateNetworkInterface", resource
    for action in _MANAGED:
        yield action, f"{ec2}:*/*"
    for action in _DESCRIBED:
        yield action, "*"


def _documents(role_arn: str) -> Iterator[dict[str, Any]]:
    iam = iam_backends[ACCOUNT][PARTITION]
    role = iam.get_role_by_arn(role_arn)
    for document in role.policies.values():
        yield json.loads(document)
    for policy in role.managed_policies.values():
        (default,) = (version for version in policy.versions if version.is_default)
        yield json.loads(default.document)


def _check_the_queue_of_a_mapping() -> None:
    """Lambda refuses a queue whose visibility timeout is shorter than the function's timeout.

    (Lambda Developer Guide, "Creating and configuring an Amazon SQS event source mapping".)
    """
    create = LambdaBackend.create_event_source_mapping

    def create_checked(self: LambdaBackend, spec: dict[str, Any]) -> Any:  # noqa: ANN401 - moto's class
        queues: Any = sqs_backends[ACCOUNT][self.region_name].queues
        queue = queues.get(spec["EventSourceArn"].rpartition(":")[2])
        function: Any = self.get_function(spec["FunctionName"])
        if queue and int(queue.visibility_timeout or 0) < int(function.timeout):
            raise InvalidParameterValueException(
                f"Queue visibility timeout: {queue.visibility_timeout} seconds is less than"
                f" Function timeout: {function.timeout} seconds"
            )
        return create(self, spec)

    LambdaBackend.create_event_source_mapping = create_checked
