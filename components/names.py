"""Physical names, tags and ARNs of one stack's resources."""

from dataclasses import dataclass

from components.account import Account

PROCESSED_PREFIX = "processed/"
REJECTED_PREFIX = "rejected/"
SYSTEM_PREFIXES = (PROCESSED_PREFIX, REJECTED_PREFIX)
"""Key prefixes of the objects that the system writes. The event rule and the handler ignore them."""

SMOKE_TEST_PREFIX = "input/_smoke/"
"""The prefix of the uploads of `ops smoke`. They are always processed, and belong to no dataset."""


@dataclass(frozen=True, kw_only=True)
class Names:
    """The names and tags of one stack's resources.

    Attributes:
        account: The account that the stack is deployed to.
        region: The stack's region.
        environment_suffix: The end of each name, which distinguishes two deployments in one region.
        environment: Value of the `Environment` tag.
    """

    account: Account
    region: str
    environment_suffix: str
    environment: str

    def physical(self, kind: str) -> str:
        """Return the name of a kind of resource: `analytics-{kind}-{region}-{environmentSuffix}`.

        A bucket's name also has the account and the suffix of the account-regional namespace (S3 user guide,
        "Namespaces for general purpose buckets"). In the global namespace, any account could take it.
        """
        if kind == "bucket":
            return f"analytics-bucket-{self.environment_suffix}-{self.account.account_id}-{self.region}-an"
        return f"analytics-{kind}-{self.region}-{self.environment_suffix}"

    def arn(self, service: str, resource: str) -> str:
        """Return the ARN of a resource in the stack's account and region."""
        return self.account.arn(service, self.region, resource)

    @property
    def database(self) -> str:
        """The Glue database. Athena's names only have lower-case letters, digits and `_`."""
        return f"analytics_{self.region}_{self.environment_suffix}".replace("-", "_")

    @property
    def log_group(self) -> str:
        """The log group of the function, which is Lambda's default name."""
        return f"/aws/lambda/{self.physical('etl')}"

    @property
    def common_tags(self) -> dict[str, str]:
        """The tags that all resources have in common."""
        return {"Environment": self.environment, "ManagedBy": "Pulumi", "Region": self.region}

    def tags(self, kind: str) -> dict[str, str]:
        """Return the tags of a kind of resource."""
        return {"Name": self.physical(kind), **self.common_tags}
