"""Definitions of a dataset's table and view in the Glue Data Catalog, and its example query."""

import base64
import json
from collections.abc import Mapping, Sequence

from components.contracts import types
from components.contracts.checks import current_view
from components.contracts.model import Contract, Partition, Projection
from components.contracts.reader import RESCUED
from components.contracts.types import Type
from components.names import PROCESSED_PREFIX

COMMENT_BYTES_MAX = 255
"""The limit of a column's comment (https://docs.aws.amazon.com/glue/latest/webapi/API_Column.html). The page
does not name the unit, so bytes are counted."""

PARQUET_INPUT = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat"
PARQUET_OUTPUT = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat"
PARQUET_SERDE = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
"""Athena user guide, "Parquet SerDe"."""

CATALOG = "awsdatacatalog"
"""The name of the Glue Data Catalog in Athena SQL."""


def columns(contract: Contract) -> list[tuple[str, Type, str]]:
    """Return the name, type and comment of each column of the dataset's files, in order."""
    declared = [(column.name, column.type, comment(column.description)) for column in contract.columns]
    rescued = [(RESCUED, types.STRING, "What did not fit, as JSON")] if contract.rescues else []
    return declared + rescued


def comment(description: str) -> str:
    """Return a description as a comment for Glue: one line without control characters, cut to the limit."""
    visible = "".join(character if character.isprintable() else " " for character in description)
    return " ".join(visible.split()).encode()[:COMMENT_BYTES_MAX].decode(errors="ignore")


def location(contract: Contract, bucket: str) -> str:
    """Return the S3 location of the dataset's Parquet files."""
    return f"s3://{bucket}/{PROCESSED_PREFIX}{contract.prefix}"


def table_parameters(contract: Contract, bucket: str) -> dict[str, str]:
    """Return the parameters of the table, with its partition projection.

    Every partition column is a string with a projection type, so that queries compare the text of its values
    in the key (Athena user guide, "Partition projection").
    """
    parameters = {"EXTERNAL": "TRUE", "classification": "parquet", "contractVersion": contract.version}
    if not contract.partitions:
        return parameters
    folders = "".join(f"{partition.name}=${{{partition.name}}}/" for partition in contract.partitions)
    parameters["projection.enabled"] = "true"
    parameters["storage.location.template"] = location(contract, bucket) + folders
    for partition in contract.partitions:
        for name, value in _projection(partition).items():
            parameters[f"projection.{partition.name}.{name}"] = value
    return parameters


def _projection(partition: Partition) -> Mapping[str, str]:
    kind = {"type": partition.projection.value}
    bounds = {"range": f"{partition.first},{partition.last}"}
    match partition.projection:
        case Projection.ENUM:
            return {**kind, "values": ",".join(partition.values)}
        case Projection.INJECTED:
            return kind
        case Projection.INTEGER:
            digits = {"digits": str(partition.digits)} if partition.digits else {}
            return {**kind, **bounds, "interval": str(partition.interval), **digits}
        case Projection.DATE:
            steps = {"interval": str(partition.interval), "interval.unit": partition.interval_unit}
            return {**kind, **bounds, "format": partition.format, **steps}


def view_columns(contract: Contract) -> list[tuple[str, Type, str]]:
    """Return the name, type and comment of each column of the view: file columns, then partition columns."""
    partitions = [(part.name, types.STRING, comment(part.description)) for part in contract.partitions]
    return columns(contract) + partitions


def view_query(contract: Contract, database: str) -> str:
    """Return the SQL of the view, which selects the newest row of each key.

    Raises:
        ValueError: The contract has no keys.
    """
    if contract.keys is None:
        raise ValueError(f"{contract.name}: has no keys, so no view")
    names = ", ".join(f'"{name}"' for name, _, _ in view_columns(contract))
    keys = ", ".join(f'"{name}"' for name in contract.keys.columns)
    order = ", ".join(f'"{name}" DESC' for name in contract.keys.order_by)
    # No column begins with an underscore but the one of rescued values.
    versions = f'row_number() OVER (PARTITION BY {keys} ORDER BY {order}) AS "_version"'
    table = f'"{database}"."{contract.name}"'
    # The contract's names have been checked, so they need no escaping.
    return f'SELECT {names} FROM (SELECT {names}, {versions} FROM {table}) WHERE "_version" = 1'  # noqa: S608


def view_text(contract: Contract, database: str) -> str:
    """Return the text of the view as Athena stores it in the catalog: JSON in base64, with Trino's types.

    AWS documents no way to create a view other than DDL. This text is what the DDL writes.
    """
    definition = {
        "originalSql": view_query(contract, database),
        "catalog": CATALOG,
        "schema": database,
        "columns": [{"name": name, "type": kind.trino} for name, kind, _ in view_columns(contract)],
        "runAsInvoker": False,
        "properties": {},
    }
    encoded = base64.b64encode(json.dumps(definition).encode()).decode()
    return f"/* Presto View: {encoded} */"


def example_query(contract: Contract, database: str) -> str:
    """Return an example query, which reads some rows of the view or, without keys, of the table."""
    table = current_view(contract.name) if contract.keys else contract.name
    names = ", ".join(f'"{name}"' for name, _, _ in view_columns(contract))
    return f'SELECT {names}\nFROM "{database}"."{table}"{_example_filter(contract.partitions)}\nLIMIT 100'


def _example_filter(partitions: Sequence[Partition]) -> str:
    """Return the conditions on injected partitions, without which a query fails."""
    injected = [part.name for part in partitions if part.projection is Projection.INJECTED]
    return "\nWHERE " + " AND ".join(f"\"{name}\" = 'value'" for name in injected) if injected else ""


def view_name(contract: Contract) -> str | None:
    """Return the name of the contract's view, if it has one."""
    return current_view(contract.name) if contract.keys else None
