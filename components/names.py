"""Physical names and tags, by one convention: `analytics-{kind}-{region}-{environmentSuffix}`."""

from dataclasses import dataclass

PROCESSED_PREFIX = "processed/"
REJECTED_PREFIX = "rejected/"
SYSTEM_PREFIXES = (PROCESSED_PREFIX, REJECTED_PREFIX)
"""Keys that the system writes. The event rule leaves them out, and the handler refuses them."""


@dataclass(frozen=True, kw_only=True)
class Names:
    """The names and tags of one stack's resources.

    Attributes:
        region: The stack's region.
        environment_suffix: What tells this deployment from others of the same region.
        environment: Value of the `Environment` tag.
    """

    region: str
    environment_suffix: str
    environment: str

    def physical(self, kind: str) -> str:
        """Return the name that AWS knows the resource of this kind by."""
        return f"analytics-{kind}-{self.region}-{self.environment_suffix}"

    @property
    def log_group(self) -> str:
        """Where Lambda sends the function's logs unless told otherwise."""
        return f"/aws/lambda/{self.physical('etl')}"

    @property
    def common_tags(self) -> dict[str, str]:
        """Tags of everything in the stack."""
        return {"Environment": self.environment, "ManagedBy": "Pulumi", "Region": self.region}

    def tags(self, kind: str) -> dict[str, str]:
        """Return the tags of the resource of this kind."""
        return {"Name": self.physical(kind), **self.common_tags}


@dataclass(frozen=True, kw_only=True)
class Account:
    """The account that a stack is deployed to, as an ARN of one of its resources tells it.

    Attributes:
        partition: `aws`, `aws-cn`, `aws-us-gov` ...
        account_id: Twelve digits.
    """

    partition: str
    account_id: str

    @classmethod
    def of(cls, arn: str) -> "Account":
        """Read the account from an ARN that names one (a role's, a queue's; not a bucket's)."""
        _, partition, _, _, account_id, _ = arn.split(":", 5)
        return cls(partition=partition, account_id=account_id)

    def arn(self, service: str, region: str, resource: str) -> str:
        """Return the ARN of a resource of this account."""
        return f"arn:{self.partition}:{service}:{region}:{self.account_id}:{resource}"
