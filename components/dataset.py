"""The AWS resources of a dataset: table, view of the newest rows, workgroup, query and reader policy."""

import json
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_aws import athena, glue, iam

from components import table_definitions as definitions
from components.contracts.model import Contract
from components.contracts.types import Type
from components.names import Names
from components.reader_policy import Readable, reader_policy

ENGINE_VERSION = "Athena engine version 3"


@dataclass(frozen=True, kw_only=True)
class DatasetArgs:
    """Inputs of `Dataset`.

    Attributes:
        names: Names and tags.
        contract: The dataset's contract.
        database: Name of the stack's database.
        bucket_name: Name of the stack's bucket.
        bucket_arn: ARN of the stack's bucket.
        key_arn: The stack's KMS key, which encrypts query results; None for Athena's own key.
        scan_limit_bytes: Bytes after which Athena cancels a query.
    """

    names: Names
    contract: Contract
    database: pulumi.Input[str]
    bucket_name: pulumi.Input[str]
    bucket_arn: pulumi.Input[str]
    key_arn: pulumi.Input[str] | None
    scan_limit_bytes: int


class Dataset(pulumi.ComponentResource):
    """A table to query with SQL, and the resources that its readers need."""

    outputs: pulumi.Output[dict[str, Any]]
    """Names of table, view and workgroup, ARN of the reader policy, key prefix and contract version."""

    def __init__(self, name: str, args: DatasetArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("regional-analytics:index:Dataset", name, None, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        contract = args.contract
        self._physical_name = args.names.physical(contract.name)
        table = self._add_table()
        view = self._add_view(table) if contract.keys else None
        workgroup = self._add_workgroup()
        athena.NamedQuery(
            f"{name}-example",
            name=self._physical_name,
            database=args.database,
            workgroup=workgroup.id,
            description=f"Some rows of {view or contract.name}",
            query=pulumi.Output.from_input(args.database).apply(
                lambda database: definitions.example_query(contract, database)
            ),
            opts=self._child,
        )
        policy = self._add_reader_policy()
        known: dict[str, pulumi.Input[str]] = {
            "table": table.name,
            "workgroup": workgroup.name,
            "readerPolicyArn": policy.arn,
            "keyPrefix": contract.prefix,
            "version": contract.version,
        }
        self.outputs = pulumi.Output.all(**known, **({"view": view} if view else {}))
        self.register_outputs({"outputs": self.outputs})

    def _add_table(self) -> glue.CatalogTable:
        args, contract = self._args, self._args.contract
        bucket = pulumi.Output.from_input(args.bucket_name)
        return glue.CatalogTable(
            f"{self._name}-table",
            name=contract.name,
            database_name=args.database,
            description=definitions.comment(contract.description),
            # Without a type, SHOW CREATE TABLE fails (Athena user guide, "Troubleshooting in Athena").
            table_type="EXTERNAL_TABLE",
            parameters=bucket.apply(lambda name: definitions.table_parameters(contract, name)),
            partition_keys=[
                glue.CatalogTablePartitionKeyArgs(
                    name=partition.name, type="string", comment=definitions.comment(partition.description)
                )
                for partition in contract.partitions
            ],
            storage_descriptor=glue.CatalogTableStorageDescriptorArgs(
                columns=_columns(definitions.columns(contract)),
                location=bucket.apply(lambda name: definitions.location(contract, name)),
                input_format=definitions.PARQUET_INPUT,
                output_format=definitions.PARQUET_OUTPUT,
                ser_de_info=glue.CatalogTableStorageDescriptorSerDeInfoArgs(
                    serialization_library=definitions.PARQUET_SERDE, parameters={"serialization.format": "1"}
                ),
            ),
            opts=self._child,
        )

    def _add_view(self, table: glue.CatalogTable) -> str:
        """Add the view of the newest row of each key, and return its name."""
        args, contract = self._args, self._args.contract
        view = definitions.current_view(contract.name)
        glue.CatalogTable(
            f"{self._name}-view",
            name=view,
            database_name=args.database,
            # No description: Trino would read it as the comment, by which it recognizes its own views.
            table_type="VIRTUAL_VIEW",
            # Trino runs a view as its owner, and refuses a view without one. Athena's DDL sets this owner.
            owner="hadoop",
            parameters={"presto_view": "true", "comment": "Presto View"},
            partition_keys=[],
            storage_descriptor=glue.CatalogTableStorageDescriptorArgs(
                columns=_columns(definitions.view_columns(contract)),
                # Trino fails on a table or view without SerDe information. "-" means none.
                ser_de_info=glue.CatalogTableStorageDescriptorSerDeInfoArgs(
                    name="-", serialization_library="-"
                ),
            ),
            view_original_text=pulumi.Output.from_input(args.database).apply(
                lambda database: definitions.view_text(contract, database)
            ),
            view_expanded_text="/* Presto View */",
            opts=pulumi.ResourceOptions(parent=self, depends_on=[table]),
        )
        return view

    def _add_workgroup(self) -> athena.Workgroup:
        """Add the dataset's own workgroup. A workgroup's users can read each other's results and SQL."""
        args = self._args
        encryption = (
            athena.WorkgroupConfigurationManagedQueryResultsConfigurationEncryptionConfigurationArgs(
                kms_key=args.key_arn
            )
            if args.key_arn is not None
            else None
        )
        return athena.Workgroup(
            f"{self._name}-workgroup",
            name=self._physical_name,
            description=f"Queries of {args.contract.name}",
            # Without this, Athena does not delete a workgroup that has named queries or a query history.
            force_destroy=True,
            configuration=athena.WorkgroupConfigurationArgs(
                enforce_workgroup_configuration=True,
                bytes_scanned_cutoff_per_query=args.scan_limit_bytes,
                publish_cloudwatch_metrics_enabled=True,
                engine_version=athena.WorkgroupConfigurationEngineVersionArgs(
                    selected_engine_version=ENGINE_VERSION
                ),
                # In the bucket, results would be processed as uploads.
                managed_query_results_configuration=athena.WorkgroupConfigurationManagedQueryResultsConfigurationArgs(
                    enabled=True, encryption_configuration=encryption
                ),
            ),
            tags=args.names.tags(args.contract.name),
            opts=self._child,
        )

    def _add_reader_policy(self) -> iam.Policy:
        args, contract = self._args, self._args.contract
        view = definitions.view_name(contract)
        return iam.Policy(
            f"{self._name}-reader-policy",
            name=self._physical_name,
            description=f"Query {contract.name} and read its Parquet",
            policy=pulumi.Output.all(args.bucket_arn, args.database, args.key_arn).apply(
                lambda known: json.dumps(
                    reader_policy(
                        Readable(
                            names=args.names,
                            bucket_arn=known[0],
                            database=known[1],
                            tables=[contract.name, view] if view else [contract.name],
                            workgroups=[self._physical_name],
                            prefix=contract.prefix,
                            key_arn=known[2],
                        )
                    )
                )
            ),
            tags=args.names.tags(contract.name),
            opts=self._child,
        )


def _columns(columns: list[tuple[str, Type, str]]) -> list[glue.CatalogTableStorageDescriptorColumnArgs]:
    return [
        glue.CatalogTableStorageDescriptorColumnArgs(name=name, type=kind.hive, comment=comment or None)
        for name, kind, comment in columns
    ]
