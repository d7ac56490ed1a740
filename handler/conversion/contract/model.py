"""A dataset's contract, as the program compiled it into the function's archive."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

RESCUED = "_rescued"
"""The column that holds what was rescued, as text of JSON."""


@dataclass(frozen=True, kw_only=True)
class Type:
    """The type of a column, or of a part of one.

    Attributes:
        kind: `string`, `bigint`, `double`, `boolean`, `date`, `timestamp`, `decimal`, `struct` or `array`.
        duckdb: What it is written as.
        scale: Decimals, of a decimal.
        fields: Name and type of each part, of a struct.
        items: Type of the values, of an array.
    """

    kind: str
    duckdb: str
    scale: int = 0
    fields: tuple[tuple[str, "Type"], ...] = ()
    items: "Type | None" = None

    @classmethod
    def of(cls, compiled: Mapping[str, Any]) -> "Type":
        """Read a type as it was compiled."""
        items = compiled.get("items")
        return cls(
            kind=compiled["kind"],
            duckdb=compiled["duckdb"],
            scale=compiled.get("scale", 0),
            fields=tuple((field["name"], cls.of(field["type"])) for field in compiled.get("fields", ())),
            items=cls.of(items) if items else None,
        )


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of the table: where it comes from and what it must hold."""

    name: str
    source: str
    type: Type
    required: bool
    format: str | None
    time_zone: str

    @classmethod
    def of(cls, compiled: Mapping[str, Any]) -> "Column":
        """Read a column as it was compiled."""
        return cls(
            name=compiled["name"],
            source=compiled["source"],
            type=Type.of(compiled["type"]),
            required=compiled["required"],
            format=compiled["format"],
            time_zone=compiled["time_zone"],
        )


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How the files are read. `format` is `delimited`, `json`, `parquet` or `spreadsheet`."""

    format: str
    delimiter: str
    quote: str
    escape: str
    header: bool
    skip_lines: int
    encoding: str
    null_markers: tuple[str, ...]
    decimal_separator: str
    thousands_separator: str
    sheet: str


@dataclass(frozen=True, kw_only=True)
class Handling:
    """What happens to what does not fit: to columns that nobody expects or misses, and to values."""

    unexpected_columns: str
    missing_columns: str
    bad_values: str
    rejected_share_max: float | None


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A condition on each row. `severity` is `error` (reject), `warning` or `critical` (fail the file)."""

    name: str
    expression: str
    severity: str


@dataclass(frozen=True, kw_only=True)
class Contract:
    """What the files of one dataset are, and what becomes of them."""

    name: str
    version: str
    columns: tuple[Column, ...]
    rescues: bool
    reading: Reading
    handling: Handling
    rules: tuple[Rule, ...]

    @classmethod
    def of(cls, compiled: Mapping[str, Any]) -> "Contract":
        """Read a contract as it was compiled."""
        reading = {**compiled["reading"], "null_markers": tuple(compiled["reading"]["null_markers"])}
        return cls(
            name=compiled["name"],
            version=compiled["version"],
            columns=tuple(map(Column.of, compiled["columns"])),
            rescues=compiled["rescues"],
            reading=Reading(**reading),
            handling=Handling(**compiled["handling"]),
            rules=tuple(Rule(**rule) for rule in compiled["rules"]),
        )
