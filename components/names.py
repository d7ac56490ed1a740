"""Physical names, tags and ARNs of one stack's resources."""

from dataclasses import dataclass

from components.account import Account

PROCESSED_PREFIX = "processed/"
REJECTED_PREFIX = "rejected/"
SYSTEM_PREFIXES = (PROCESSED_PREFIX, REJECTED_PREFIX)
"""Keys that the system writes. The event rule leaves them out, and the handler refuses them."""


@dataclass(frozen=True, kw_only=True)
class Names:
    """The names and tags of one stack's resources.

    Attributes:
        account: The account that the stack is deployed to.
        region: The stack's region.
        environment_suffix: The end of each name, which tells two deployments of one region apart.
        environment: Value of the `Environment` tag.
    """

    account: Account
    region: str
    environment_suffix: str
    environment: str

    def physical(self, kind: str) -> str:
        """Return the name of the resource of this kind: `analytics-{kind}-{region}-{environmentSuffix}`.

        A bucket's name has the account instead, and the ending that the account-regional namespace asks for
        (S3 user guide, "Namespaces for general purpose buckets"): in the global namespace, names belong to
        whoever comes first.
        """
        if kind == "bucket":
            return f"analytics-bucket-{self.environment_suffix}-{self.account.account_id}-{self.region}-an"
        return f"analytics-{kind}-{self.region}-{self.environment_suffix}"

    def arn(self, service: str, resource: str) -> str:
        """Return the ARN of a resource of the stack's account and region."""
        return self.account.arn(service, self.region, resource)

    @property
    def database(self) -> str:
        """The Glue database; Athena's names have only lower-case letters, digits and `_`."""
        return f"analytics_{self.region}_{self.environment_suffix}".replace("-", "_")

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
