"""Resources of a sandbox that still exist after it was destroyed."""

from collections.abc import Callable, Iterator
from typing import Any

Client = Callable[[str], Any]
"""Returns a boto3 client for a service, in the sandbox's region."""


def leftovers(client: Client, suffix: str) -> list[str]:
    """Return the ARNs or names of the resources that still exist.

    Most resources have the tag Environment with the suffix. Types that the tagging API does not support are
    listed by their names.
    """
    return sorted({*_tagged(client, suffix), *_named(client, suffix)})


def _tagged(client: Client, suffix: str) -> Iterator[str]:
    pages = client("resourcegroupstaggingapi").get_paginator("get_resources")
    for page in pages.paginate(TagFilters=[{"Key": "Environment", "Values": [suffix]}]):
        for found in page["ResourceTagMappingList"]:
            if not _is_pending_deletion(client, found["ResourceARN"]):
                yield found["ResourceARN"]


def _is_pending_deletion(client: Client, arn: str) -> bool:
    """Tell whether the resource is a KMS key that is scheduled for deletion, which takes days."""
    if ":kms:" not in arn:
        return False
    return client("kms").describe_key(KeyId=arn)["KeyMetadata"]["KeyState"] == "PendingDeletion"


def _named(client: Client, suffix: str) -> Iterator[str]:
    end = f"-{suffix}"
    for page in client("iam").get_paginator("list_roles").paginate():
        yield from (role["Arn"] for role in page["Roles"] if role["RoleName"].endswith(end))
    for page in client("cloudwatch").get_paginator("list_dashboards").paginate():
        names = (entry["DashboardName"] for entry in page["DashboardEntries"])
        yield from (name for name in names if name.endswith(end))
    for page in client("logs").get_paginator("describe_log_groups").paginate():
        names = (group["logGroupName"] for group in page["logGroups"])
        yield from (name for name in names if name.endswith(end))
