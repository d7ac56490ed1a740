"""A dataset's contract, compiled into the function's archive by the Pulumi program."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

RESCUED = "_rescued"
"""The column with the rescued values, as JSON text."""


@dataclass(frozen=True, kw_only=True)
class Type:
    """The type of a column, or of a field or an item in it.

    Attributes:
        kind: ``string``, ``bigint``, ``double``, ``boolean``, ``date``, ``timestamp``, ``decimal``,
            ``struct`` or ``array``.
        duckdb: The DuckDB type in the published file.
        scale: For a decimal, the digits after the point.
        fields: For a struct, the name and type of each field.
        items: For an array, the type of its values.
    """

    kind: str
    duckdb: str
    scale: int = 0
    fields: tuple[tuple[str, "Type"], ...] = ()
    items: "Type | None" = None

    @classmethod
    def of(cls, compiled: Mapping[str, Any]) -> "Type":
        """Read a compiled type."""
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
    """A column of the table: its source and its type."""

    name: str
    source: str
    type: Type
    required: bool
    format: str | None
    time_zone: str

    @classmethod
    def of(cls, compiled: Mapping[str, Any]) -> "Column":
        """Read a compiled column."""
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
    """The settings for reading the files.

    ``format`` is ``delimited``, ``json``, ``parquet`` or ``spreadsheet``.
    """

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

    def of_sheet(self) -> "Reading":
        """Return the settings for the CSV that ``conversion.sheet`` writes, which ignores the contract's.

        The source has already skipped the rows of the sheet. Lines cannot be skipped instead: a row may have
        several lines or, if it is blank, none. A cell without a value is an empty field.
        """
        return replace(
            self,
            format="spreadsheet",
            delimiter=",",
            quote='"',
            escape='"',
            skip_lines=0,
            encoding="utf-8",
            null_markers=("", *self.null_markers),
            decimal_separator=".",
            thousands_separator="",
        )


@dataclass(frozen=True, kw_only=True)
class Handling:
    """The handling of unexpected columns, missing columns, and values that do not fit."""

    unexpected_columns: str
    missing_columns: str
    bad_values: str
    rejected_share_max: float | None


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A condition on each row.

    If a row breaks it, the ``severity`` decides: ``error`` rejects the row, ``critical`` fails the file, and
    ``warning`` only counts the row.
    """

    name: str
    expression: str
    severity: str


@dataclass(frozen=True, kw_only=True)
class Contract:
    """The contract of a dataset: its columns, and how its files are read and checked."""

    name: str
    version: str
    columns: tuple[Column, ...]
    rescues: bool
    reading: Reading
    handling: Handling
    rules: tuple[Rule, ...]

    @classmethod
    def of(cls, compiled: Mapping[str, Any]) -> "Contract":
        """Read a compiled contract."""
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
