"""A small valid contract that tests change in one place."""

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from components.contracts import loading
from components.contracts.model import Contract, ContractError

SYSTEM_PREFIXES = ("processed/", "rejected/")

VALID: Mapping[str, Any] = {
    "apiVersion": "v3.1.0",
    "kind": "DataContract",
    "id": "sales",
    "version": "1.2.0",
    "status": "active",
    "schema": [
        {
            "name": "sales",
            "logicalType": "object",
            "description": "One row for each sale.",
            "customProperties": [
                {"property": "keyPrefix", "value": "input/sales/"},
                {"property": "format", "value": "delimited"},
            ],
            "properties": [
                {"name": "id", "logicalType": "integer", "required": True},
                {"name": "amount", "logicalType": "number", "physicalType": "decimal(18,2)"},
                {"name": "sold_at", "logicalType": "timestamp", "required": True},
                {"name": "shop", "logicalType": "string"},
            ],
        }
    ],
}


def draft() -> dict[str, Any]:
    """Return a copy of the contract as parsed YAML, which the caller may change."""
    return copy.deepcopy(dict(VALID))


def dataset(content: dict[str, Any]) -> dict[str, Any]:
    """Return the only schema object of a contract."""
    return content["schema"][0]


def column(content: dict[str, Any], name: str) -> dict[str, Any]:
    """Return a column of a contract."""
    return next(item for item in dataset(content)["properties"] if item["name"] == name)


def partition(name: str, position: int = 1, **projection: Any) -> dict[str, Any]:
    """Return a partition column."""
    return {
        "name": name,
        "logicalType": "string",
        "partitioned": True,
        "partitionKeyPosition": position,
        "customProperties": [{"property": "projection", "value": projection}],
    }


def custom(name: str, value: Any) -> dict[str, Any]:
    """Return a custom property."""
    return {"property": name, "value": value}


def write(directory: Path, content: Any, name: str = "sales") -> None:
    """Write a contract to a directory as `<name>.yaml`."""
    (directory / f"{name}.yaml").write_text(yaml.safe_dump(content, sort_keys=False))


def load(
    directory: Path, *contents: dict[str, Any], upload_prefixes: tuple[str, ...] = ()
) -> tuple[Contract, ...]:
    """Write contracts to a directory, and load all of them as a stack does."""
    for content in contents:
        write(directory, content, dataset(content)["name"])
    return loading.load(["*"], directory, system_prefixes=SYSTEM_PREFIXES, upload_prefixes=upload_prefixes)


def refusal(directory: Path, *contents: dict[str, Any], upload_prefixes: tuple[str, ...] = ()) -> str:
    """Return the error message that a stack gets for invalid contracts."""
    try:
        load(directory, *contents, upload_prefixes=upload_prefixes)
    except ContractError as error:
        return str(error)
    raise AssertionError("the contract was taken")
