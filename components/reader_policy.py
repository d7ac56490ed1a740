"""The IAM policy of readers, who query one or all datasets of a stack and read their Parquet files.

The actions are those that Athena requires with the Glue Data Catalog (Athena user guide, "Identity-based
policies" and "Fine-grained access to databases and tables"; Service Authorization Reference). AWS also lists
`glue:CreateDatabase` on `default`. The policy omits it, because it is used only if `default` does not exist.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from components.names import PROCESSED_PREFIX, Names

_WORKGROUP = [
    "athena:BatchGetNamedQuery",
    "athena:BatchGetQueryExecution",
    "athena:GetNamedQuery",
    "athena:GetQueryExecution",
    "athena:GetQueryResults",
    "athena:GetQueryResultsStream",
    "athena:GetWorkGroup",
    "athena:ListNamedQueries",
    "athena:ListQueryExecutions",
    "athena:StartQueryExecution",
    "athena:StopQueryExecution",
]
_TABLES = [
    "glue:BatchGetPartition",
    "glue:GetPartition",
    "glue:GetPartitions",
    "glue:GetTable",
    "glue:GetTables",
]


@dataclass(frozen=True, kw_only=True)
class Readable:
    """The resources that a reader policy allows access to.

    Attributes:
        names: The stack's names, with its account and region.
        bucket_arn: ARN of the stack's bucket.
        database: Name of the stack's database.
        tables: Names of tables and views; `*` for all.
        workgroups: Names of workgroups, in which `*` matches any text.
        prefix: Key prefix of the dataset's uploads; empty for all datasets.
        key_arn: The stack's KMS key; None for the services' own keys.
    """

    names: Names
    bucket_arn: str
    database: str
    tables: Sequence[str]
    workgroups: Sequence[str]
    prefix: str
    key_arn: str | None


def reader_policy(to: Readable) -> dict[str, Any]:
    """Return the policy document."""

    def glue(*resources: str) -> list[str]:
        return [to.names.arn("glue", resource) for resource in resources]

    published = f"{PROCESSED_PREFIX}{to.prefix}*"
    databases = ("catalog", "database/default", f"database/{to.database}")
    tables = [f"table/{to.database}/{table}" for table in to.tables]
    statements = [
        _allow(
            "Query",
            _WORKGROUP,
            [to.names.arn("athena", f"workgroup/{name}") for name in to.workgroups],
        ),
        _allow(
            "FindCatalog",
            ["athena:GetDataCatalog"],
            [to.names.arn("athena", "datacatalog/AwsDataCatalog")],
        ),
        _allow("FindDatabase", ["glue:GetDatabase", "glue:GetDatabases"], glue(*databases)),
        _allow("FindTables", _TABLES, glue("catalog", f"database/{to.database}", *tables)),
        _allow("FindBucket", ["s3:GetBucketLocation"], [to.bucket_arn]),
        {
            **_allow("ListObjects", ["s3:ListBucket"], [to.bucket_arn]),
            "Condition": {"StringLike": {"s3:prefix": published}},
        },
        _allow("ReadObjects", ["s3:GetObject"], [f"{to.bucket_arn}/{published}"]),
    ]
    if to.key_arn is not None:
        services = [f"{service}.{to.names.region}.amazonaws.com" for service in ("s3", "athena")]
        # A reader who queries also encrypts the managed results
        # (https://docs.aws.amazon.com/athena/latest/ug/encrypting-managed-results.html).
        statements.append(
            {
                **_allow("UseKey", ["kms:Decrypt", "kms:GenerateDataKey"], [to.key_arn]),
                "Condition": {"StringEquals": {"kms:ViaService": services}},
            }
        )
    return {"Version": "2012-10-17", "Statement": statements}


def _allow(sid: str, actions: list[str], resources: list[str]) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources}
