"""The JSON file in the function's archive that contains the contracts."""

import json
from collections.abc import Iterable
from typing import Any

from components.contracts import java_dates
from components.contracts.model import Column, Contract, Partition, Projection
from components.contracts.types import Array, Decimal, Struct, Type

FILE_NAME = "datasets.json"


def compile_contracts(contracts: Iterable[Contract]) -> bytes:
    """Return the content of the file, which is the same for the same contracts."""
    content = {"datasets": [_dataset(contract) for contract in contracts]}
    return json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True).encode()


def _dataset(contract: Contract) -> dict[str, Any]:
    reading, handling = contract.reading, contract.handling
    return {
        "name": contract.name,
        "version": contract.version,
        "prefix": contract.prefix,
        "partitions": [_partition(partition) for partition in contract.partitions],
        "columns": [_column(column) for column in contract.columns],
        "rescues": contract.rescues,
        "reading": {
            "format": reading.format.value,
            "delimiter": reading.delimiter,
            "quote": reading.quote,
            "escape": reading.escape,
            "header": reading.header,
            "skip_lines": reading.skip_lines,
            "encoding": reading.encoding,
            "null_markers": list(reading.null_markers),
            "decimal_separator": reading.decimal_separator,
            "thousands_separator": reading.thousands_separator,
            "sheet": reading.sheet,
        },
        "handling": {
            "unexpected_columns": handling.unexpected_columns,
            "missing_columns": handling.missing_columns,
            "bad_values": handling.bad_values,
            "rejected_share_max": handling.rejected_share_max,
        },
        "rules": [
            {"name": rule.name, "expression": rule.expression, "severity": rule.severity.value}
            for rule in contract.rules
        ],
    }


def _column(column: Column) -> dict[str, Any]:
    return {
        "name": column.name,
        "source": column.source,
        "type": _type(column.type),
        "required": column.required,
        "format": column.format,
        "time_zone": column.time_zone,
    }


def _type(kind: Type) -> dict[str, Any]:
    """Return the JSON of a type: its kind, the properties of that kind, and its name in DuckDB."""
    match kind:
        case Struct(fields):
            parts = {
                "kind": "struct",
                "fields": [{"name": name, "type": _type(part)} for name, part in fields],
            }
        case Array(items):
            parts = {"kind": "array", "items": _type(items)}
        case Decimal(precision, scale):
            parts = {"kind": "decimal", "precision": precision, "scale": scale}
        case scalar:
            parts = {"kind": scalar.name}
    return {**parts, "duckdb": kind.duckdb}


def _partition(partition: Partition) -> dict[str, Any]:
    shared = {"name": partition.name, "projection": partition.projection.value}
    match partition.projection:
        case Projection.ENUM:
            return {**shared, "values": list(partition.values)}
        case Projection.INTEGER:
            return {
                **shared,
                "first": int(partition.first),
                "last": int(partition.last),
                "interval": partition.interval,
                "digits": partition.digits,
            }
        case Projection.DATE:
            return {
                **shared,
                "first": partition.first,
                "last": partition.last,
                "format": java_dates.of_folder(partition.format),
                "interval": partition.interval,
                "interval_unit": partition.interval_unit,
            }
        case _:
            return shared
