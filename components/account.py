"""The AWS account that a stack is deployed to."""

from dataclasses import dataclass
from typing import Self

import pulumi
import pulumi_aws


@dataclass(frozen=True, kw_only=True)
class Account:
    """An AWS account.

    Attributes:
        partition: `aws`, `aws-cn`, `aws-us-gov` ...
        account_id: Twelve digits.
    """

    partition: str
    account_id: str

    @classmethod
    def of(cls, arn: str) -> Self:
        """Return the account that an ARN names. ARNs of buckets name none."""
        _, partition, _, _, account_id, _ = arn.split(":", 5)
        return cls(partition=partition, account_id=account_id)

    @classmethod
    def of_provider(cls, component: pulumi.Resource, region: str) -> Self:
        """Return the account of the component's AWS provider.

        The call also runs in a preview, because the bucket's name contains the account.

        Args:
            component: The component whose provider is used; without one, the stack's default provider.
            region: The region that the provider must have.

        Raises:
            pulumi.RunError: The provider has another region.
        """
        options = pulumi.InvokeOptions(parent=component)
        provided = pulumi_aws.get_region(opts=options).region
        if provided != region:
            raise pulumi.RunError(
                f"the AWS provider of {component.pulumi_resource_name} must be of region {region},"
                f" as its settings say, got {provided}"
            )
        return cls.of(pulumi_aws.get_caller_identity(opts=options).arn)

    def arn(self, service: str, region: str, resource: str) -> str:
        """Return the ARN of a resource of this account."""
        return f"arn:{self.partition}:{service}:{region}:{self.account_id}:{resource}"
