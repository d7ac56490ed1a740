"""A region's tables: one database, and a dataset for each contract that the stack deploys."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_aws import glue, iam

from components.contracts.model import Contract
from components.dataset import Dataset, DatasetArgs
from components.names import Names
from components.reader_policy import Readable, reader_policy


@dataclass(frozen=True, kw_only=True)
class CatalogArgs:
    """Inputs of `Catalog`.

    Attributes:
        names: Names and tags.
        contracts: Contracts of the datasets; at least one.
        bucket_name: Name of the stack's bucket.
        bucket_arn: ARN of the stack's bucket.
        key_arn: The stack's KMS key; None for the services' own keys.
        scan_limit_bytes: Bytes after which Athena cancels a query.
    """

    names: Names
    contracts: Sequence[Contract]
    bucket_name: pulumi.Input[str]
    bucket_arn: pulumi.Input[str]
    key_arn: pulumi.Input[str] | None
    scan_limit_bytes: int


class Catalog(pulumi.ComponentResource):
    """A database of tables that Athena queries in the region. It needs no crawler and no server."""

    database_name: pulumi.Output[str]
    reader_policy_arn: pulumi.Output[str]
    datasets: Mapping[str, pulumi.Output[dict[str, Any]]]
    """The outputs of each dataset, by its name. See `Dataset.outputs`."""

    def __init__(self, name: str, args: CatalogArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("regional-analytics:index:Catalog", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        names = args.names
        database = glue.CatalogDatabase(
            f"{name}-database",
            name=names.database,
            description=f"Datasets of {names.physical('bucket')}",
            tags=names.tags("database"),
            opts=child,
        )
        self.datasets = {
            contract.name: Dataset(
                f"{name}-{contract.name}",
                DatasetArgs(
                    names=names,
                    contract=contract,
                    database=database.name,
                    bucket_name=args.bucket_name,
                    bucket_arn=args.bucket_arn,
                    key_arn=args.key_arn,
                    scan_limit_bytes=args.scan_limit_bytes,
                ),
                child,
            ).outputs
            for contract in args.contracts
        }
        policy = iam.Policy(
            f"{name}-reader-policy",
            # No dataset can have this name, because a dataset's name has no hyphen.
            name=names.physical("all-datasets"),
            description="Query all datasets of the region and read all that is published",
            policy=pulumi.Output.all(args.bucket_arn, database.name, args.key_arn).apply(
                lambda known: json.dumps(
                    reader_policy(
                        Readable(
                            names=names,
                            bucket_arn=known[0],
                            database=known[1],
                            tables=["*"],
                            workgroups=[names.physical("*")],
                            prefix="",
                            key_arn=known[2],
                        )
                    )
                )
            ),
            tags=names.tags("all-datasets"),
            opts=child,
        )
        self.database_name = database.name
        self.reader_policy_arn = policy.arn
        self.register_outputs(
            {
                "databaseName": self.database_name,
                "datasets": self.datasets,
                "readerPolicyArn": self.reader_policy_arn,
            }
        )
