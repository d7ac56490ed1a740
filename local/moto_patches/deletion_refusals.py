"""Creations and deletions that AWS refuses and moto accepts: duplicates, and resources in use."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from moto.awslambda.exceptions import LambdaClientError
from moto.awslambda.models import LambdaBackend, LambdaFunction, lambda_backends
from moto.cloudwatch.exceptions import ValidationError
from moto.cloudwatch.models import CloudWatchBackend
from moto.ec2.exceptions import DependencyViolationError
from moto.ec2.models import EC2Backend
from moto.iam.exceptions import DeleteConflictException
from moto.iam.models import IAMBackend, iam_backends
from moto.s3.exceptions import BucketAlreadyOwnedByYou, S3ClientError
from moto.s3.models import S3Backend

from local import policies
from local.moto_patches.moto_account import PARTITION

_ACCOUNT_REGIONAL = re.compile(r"-\d{12}-[a-z0-9-]+-an$")
"""The end of a bucket's name in the account-regional namespace."""


@dataclass(frozen=True, kw_only=True)
class _Interfaces:
    """The network interfaces that Lambda has created for a function and has not deleted yet."""

    role: str
    subnets: frozenset[str]
    groups: frozenset[str]


_retained: dict[str, list[_Interfaces]] = {}
"""By region, interfaces of functions that were deleted or moved to another network."""


def install() -> None:
    """Apply the patches; call this once, before the server handles requests."""
    _retain_interfaces_of_functions()
    _protect_networks_of_interfaces()
    _protect_vpcs_in_use()
    _protect_alarms_of_composite_alarms()
    _protect_attached_policies()
    _refuse_second_event_source_mappings()
    _refuse_second_buckets()


def _retain_interfaces_of_functions() -> None:
    """Lambda's interfaces remain after the function or its network configuration is deleted.

    (Lambda Developer Guide, "Giving Lambda functions access to resources in an Amazon VPC".)
    """
    delete_function, update_configuration = LambdaBackend.delete_function, LambdaFunction.update_configuration

    def delete(self: LambdaBackend, function_name: str, qualifier: str | None = None) -> None:
        _retain_interfaces(self.get_function(function_name))
        delete_function(self, function_name, qualifier)

    def update(self: LambdaFunction, config_updates: dict[str, Any]) -> dict[str, Any]:
        if "VpcConfig" in config_updates:
            _retain_interfaces(self)
        return update_configuration(self, config_updates)

    LambdaBackend.delete_function = delete
    LambdaFunction.update_configuration = update


def _retain_interfaces(function: LambdaFunction) -> None:
    if interfaces := _interfaces(function):
        _retained.setdefault(function.region, []).append(interfaces)


def _interfaces(function: LambdaFunction) -> _Interfaces | None:
    network = function.vpc_config
    if not network:
        return None
    return _Interfaces(
        role=function.role,
        subnets=frozenset(network["SubnetIds"]),
        groups=frozenset(network["SecurityGroupIds"]),
    )


def _protect_networks_of_interfaces() -> None:
    """EC2 refuses to delete a subnet or security group of an interface (DependencyViolation).

    Unused interfaces are deleted here when they prevent a deletion, and not 20 minutes later as on AWS. They
    remain if the function's role may not delete them, because Lambda deletes them with this role.
    """
    delete_subnet, delete_security_group = EC2Backend.delete_subnet, EC2Backend.delete_security_group

    def subnet(self: EC2Backend, subnet_id: str) -> Any:  # noqa: ANN401 - moto's class
        _check_unused(self, subnet_id)
        return delete_subnet(self, subnet_id)

    def security_group(self: EC2Backend, name: str | None = None, group_id: str | None = None) -> None:
        _check_unused(self, group_id or name)
        delete_security_group(self, name=name, group_id=group_id)

    EC2Backend.delete_subnet = subnet
    EC2Backend.delete_security_group = security_group


def _check_unused(ec2: EC2Backend, used: str | None) -> None:
    """Raise an error if an interface uses the subnet or group."""
    functions = lambda_backends[ec2.account_id][ec2.region_name].list_functions()
    in_use = [interfaces for function in functions if (interfaces := _interfaces(function))]
    retained = _retained.get(ec2.region_name, [])
    retained[:] = [
        one for one in retained if used not in one.subnets | one.groups or not _may_delete(ec2, one.role)
    ]
    if any(used in interfaces.subnets | interfaces.groups for interfaces in [*in_use, *retained]):
        raise DependencyViolationError(f"resource {used} has a dependent object")


def _may_delete(ec2: EC2Backend, role_arn: str) -> bool:
    """Return whether a role exists and may delete network interfaces."""
    iam = iam_backends[ec2.account_id][PARTITION]
    role = next((role for role in iam.roles.values() if role.arn == role_arn), None)
    if role is None:
        return False
    request = policies.Request(
        action="ec2:DeleteNetworkInterface",
        resource=f"arn:{PARTITION}:ec2:{ec2.region_name}:{ec2.account_id}:network-interface/eni-0",
        context={"aws:RequestedRegion": ec2.region_name},
    )
    documents = [json.loads(document) for document in role.policies.values()]
    documents += [
        json.loads(version.document)
        for policy in role.managed_policies.values()
        for version in policy.versions
        if version.is_default_version
    ]
    decisions = {policies.evaluate(document, request) for document in documents}
    return policies.Decision.ALLOW in decisions and policies.Decision.DENY not in decisions


def _protect_vpcs_in_use() -> None:
    """Moto deletes a VPC with security groups or endpoints; EC2 deletes only an empty VPC."""
    delete_vpc = EC2Backend.delete_vpc

    def delete(self: EC2Backend, vpc_id: str) -> Any:  # noqa: ANN401 - moto's class
        groups = [group for group in self.groups.get(vpc_id, {}).values() if group.name != "default"]
        endpoints = [
            endpoint
            for endpoint in self.vpc_end_points.values()
            if endpoint.vpc_id == vpc_id and endpoint.state != "deleted"
        ]
        if groups or endpoints:
            raise DependencyViolationError(f"The vpc '{vpc_id}' has dependencies and cannot be deleted.")
        return delete_vpc(self, vpc_id)

    EC2Backend.delete_vpc = delete


def _protect_alarms_of_composite_alarms() -> None:
    """CloudWatch does not delete an alarm in the rule of a composite alarm (CloudWatch API, DeleteAlarms)."""
    delete_alarms = CloudWatchBackend.delete_alarms

    def delete(self: CloudWatchBackend, alarm_names: list[str]) -> None:
        for composite in self.alarms.values():
            if composite.rule is None or composite.name in alarm_names:
                continue
            if named := _alarms_of(composite.rule) & set(alarm_names):
                raise ValidationError(
                    f"Cannot delete {', '.join(named)} as the composite alarm {composite.name} depends on it."
                )
        delete_alarms(self, alarm_names)

    CloudWatchBackend.delete_alarms = delete


def _alarms_of(rule: str) -> set[str]:
    """Return the names of the alarms in a composite alarm's rule, which has names or ARNs."""
    named = re.findall(r"""(?:ALARM|OK|INSUFFICIENT_DATA)\(\s*["']?([^"')]+)""", rule)
    return {name.rpartition(":alarm:")[2].strip() for name in named}


def _protect_attached_policies() -> None:
    """IAM does not delete a managed policy that a user, group or role has (IAM API, DeletePolicy)."""
    delete_policy = IAMBackend.delete_policy

    def delete(self: IAMBackend, policy_arn: str) -> None:
        if self.get_policy(policy_arn).attachment_count:
            raise DeleteConflictException("Cannot delete a policy attached to entities.")
        delete_policy(self, policy_arn)

    IAMBackend.delete_policy = delete


def _refuse_second_event_source_mappings() -> None:
    """Lambda refuses a second mapping of a queue to the same function; moto accepts it."""
    create_event_source_mapping = LambdaBackend.create_event_source_mapping

    def create(self: LambdaBackend, spec: dict[str, Any]) -> Any:  # noqa: ANN401 - moto's class
        name = spec.get("FunctionName", "").rpartition(":")[2]
        for mapping in self.list_event_source_mappings(spec.get("EventSourceArn", ""), ""):
            if mapping.function_arn.rpartition(":")[2] == name:
                refused = LambdaClientError(
                    "ResourceConflictException",
                    f"An event source mapping with {mapping.event_source_arn} and {mapping.function_arn}"
                    f" already exists. Please update or delete the existing mapping {mapping.uuid}",
                )
                refused.code = 409
                raise refused
        return create_event_source_mapping(self, spec)

    LambdaBackend.create_event_source_mapping = create


def _refuse_second_buckets() -> None:
    """In us-east-1, moto accepts a second CreateBucket of every name; S3 accepts it of global names only.

    (S3 User Guide, "Namespaces for general purpose buckets".)
    """
    create_bucket = S3Backend.create_bucket

    def create(
        self: S3Backend, bucket_name: str, region_name: str, bucket_namespace: str | None = None
    ) -> Any:  # noqa: ANN401 - moto's class
        if bucket_namespace is None and _ACCOUNT_REGIONAL.search(bucket_name):
            raise S3ClientError(
                "MissingNamespaceHeader", f"The name {bucket_name} needs the header x-amz-bucket-namespace"
            )
        if bucket_namespace is not None and bucket_name in self.buckets:
            raise BucketAlreadyOwnedByYou(bucket_name=bucket_name)
        return create_bucket(self, bucket_name, region_name, bucket_namespace)

    S3Backend.create_bucket = create
