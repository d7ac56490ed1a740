"""Parquet files that the function would not write, as Athena reads them.

The files are in `sandbox/files/`. Each has one row with `id` 1 and the time 2026-01-01 10:00:00.1236.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from components.table_definitions import PARQUET_INPUT, PARQUET_OUTPUT, PARQUET_SERDE
from ops import athena
from ops.deployed_stacks import Stack
from sandbox.orders import DATASET

FILES = Path(__file__).resolve().parent / "files"
PREFIX = "input/sandbox/"
"""The bucket policy reserves `processed/` for the function, so the files are uploads, and start jobs."""


def microseconds(stack: Stack, _wait: Callable[[float], None]) -> str:
    """Read a timestamp with microseconds."""
    return _read(stack, "microseconds", "moment")


def adjusted_to_utc(stack: Stack, _wait: Callable[[float], None]) -> str:
    """Read a timestamp with `isAdjustedToUTC`."""
    return _read(stack, "adjusted_to_utc", "moment")


def missing_column(stack: Stack, _wait: Callable[[float], None]) -> str:
    """Read the column `note`, which no file has."""
    return _read(stack, "microseconds", "note")


def _read(stack: Stack, file: str, column: str) -> str:
    """Return the value of a column, read through a table that exists for this query only."""
    prefix, table = f"{PREFIX}{file}/", f"sandbox_{file}"
    body = (FILES / f"{file}.parquet").read_bytes()
    stack.client("s3").put_object(Bucket=stack.bucket, Key=f"{prefix}{file}.parquet", Body=body)
    glue = stack.client("glue")
    glue.create_table(
        DatabaseName=stack.database, TableInput=_definition(table, f"s3://{stack.bucket}/{prefix}")
    )
    try:
        statement = f"SELECT id, {column} FROM {table}"  # noqa: S608 - names of this file
        answer = athena.run_query(stack, statement, stack.datasets[DATASET]["workgroup"])
        return ", ".join("null" if value is None else value for _, value in answer.rows)
    finally:
        glue.delete_table(DatabaseName=stack.database, Name=table)


def _definition(name: str, location: str) -> dict[str, Any]:
    columns = {"id": "bigint", "moment": "timestamp", "note": "string"}
    return {
        "Name": name,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"EXTERNAL": "TRUE", "classification": "parquet"},
        "StorageDescriptor": {
            "Columns": [{"Name": column, "Type": kind} for column, kind in columns.items()],
            "Location": location,
            "InputFormat": PARQUET_INPUT,
            "OutputFormat": PARQUET_OUTPUT,
            "SerdeInfo": {"SerializationLibrary": PARQUET_SERDE, "Parameters": {"serialization.format": "1"}},
        },
    }
