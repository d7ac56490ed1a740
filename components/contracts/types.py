"""The types of a contract, and their names in Hive, Trino and DuckDB."""

import re
from dataclasses import dataclass

DECIMAL_DIGITS_MAX = 38
"""The limit of Hive, Trino and readers of Parquet (Athena user guide, "Data types in Amazon Athena")."""

BIGINT_DIGITS = 19


@dataclass(frozen=True)
class Scalar:
    """A type without nested types.

    Attributes:
        name: Its name in a contract.
        hive: Its name in a table of the Glue Data Catalog.
        trino: Its name in Athena SQL and in a view.
        duckdb: Its name in DuckDB, with which the function writes it.
    """

    name: str
    hive: str
    trino: str
    duckdb: str


@dataclass(frozen=True)
class Decimal:
    """An exact number of up to `precision` digits, `scale` of them after the decimal point."""

    precision: int
    scale: int

    @property
    def name(self) -> str:
        """Its name in a contract, which all engines accept."""
        return f"decimal({self.precision},{self.scale})"

    @property
    def hive(self) -> str:
        """Its name in a table of the Glue Data Catalog."""
        return self.name

    @property
    def trino(self) -> str:
        """Its name in Athena SQL and in a view."""
        return self.name

    @property
    def duckdb(self) -> str:
        """Its name in DuckDB, with which the function writes it."""
        return self.name.upper()


@dataclass(frozen=True)
class Struct:
    """Named fields, each with its own type."""

    fields: tuple[tuple[str, "Type"], ...]

    @property
    def name(self) -> str:
        """Its name in a contract."""
        return self.hive

    @property
    def hive(self) -> str:
        """Its name in a table of the Glue Data Catalog."""
        return "struct<" + ",".join(f"{name}:{kind.hive}" for name, kind in self.fields) + ">"

    @property
    def trino(self) -> str:
        """Its name in Athena SQL and in a view."""
        return "row(" + ", ".join(f"{name} {kind.trino}" for name, kind in self.fields) + ")"

    @property
    def duckdb(self) -> str:
        """Its name in DuckDB, with which the function writes it."""
        return "STRUCT(" + ", ".join(f'"{name}" {kind.duckdb}' for name, kind in self.fields) + ")"


@dataclass(frozen=True)
class Array:
    """A list of values of one type."""

    items: "Type"

    @property
    def name(self) -> str:
        """Its name in a contract."""
        return self.hive

    @property
    def hive(self) -> str:
        """Its name in a table of the Glue Data Catalog."""
        return f"array<{self.items.hive}>"

    @property
    def trino(self) -> str:
        """Its name in Athena SQL and in a view."""
        return f"array({self.items.trino})"

    @property
    def duckdb(self) -> str:
        """Its name in DuckDB, with which the function writes it."""
        return f"{self.items.duckdb}[]"


Type = Scalar | Decimal | Struct | Array

STRING = Scalar("string", hive="string", trino="varchar", duckdb="VARCHAR")
BIGINT = Scalar("bigint", hive="bigint", trino="bigint", duckdb="BIGINT")
DOUBLE = Scalar("double", hive="double", trino="double", duckdb="DOUBLE")
BOOLEAN = Scalar("boolean", hive="boolean", trino="boolean", duckdb="BOOLEAN")
DATE = Scalar("date", hive="date", trino="date", duckdb="DATE")
TIMESTAMP = Scalar("timestamp", hive="timestamp", trino="timestamp(3)", duckdb="TIMESTAMP_MS")
"""In milliseconds. Athena rounds finer values (Athena engine version 3 reference, "Timestamp changes")."""

BY_LOGICAL_TYPE: dict[str, tuple[Scalar, ...]] = {
    "string": (STRING,),
    "integer": (BIGINT,),
    "number": (DOUBLE,),
    "boolean": (BOOLEAN,),
    "date": (DATE,),
    "timestamp": (TIMESTAMP,),
}
"""The logical types of the Open Data Contract Standard that a column may have, apart from object and array.

The physical type of a `number` is double or decimal. `time` is not supported, because Hive has no such type.
"""

_DECIMAL = re.compile(r"decimal\((\d+), ?(\d+)\)")


def parse_scalar(logical_type: str, physical_type: str | None) -> Scalar | Decimal:
    """Return the type that a property declares.

    Raises:
        ValueError: The type is not supported. The message says what to change.
    """
    if logical_type not in BY_LOGICAL_TYPE:
        allowed = ", ".join([*BY_LOGICAL_TYPE, "object", "array"])
        remedy = "; declare a time of day as string" if logical_type == "time" else ""
        raise ValueError(f"must be one of {allowed}{remedy}, got {logical_type!r}")
    if logical_type == "number":
        return _number(physical_type)
    (scalar,) = BY_LOGICAL_TYPE[logical_type]
    if physical_type not in (None, scalar.name):
        raise ValueError(f"needs the physicalType {scalar.name} or none, got {physical_type!r}")
    return scalar


def _number(physical_type: str | None) -> Scalar | Decimal:
    if physical_type == DOUBLE.name:
        return DOUBLE
    match = _DECIMAL.fullmatch(physical_type or "")
    if not match:
        raise ValueError(
            "number needs the physicalType double or decimal(digits,decimals), such as decimal(18,2),"
            f" got {physical_type!r}"
        )
    precision, scale = map(int, match.groups())
    if not 1 <= precision <= DECIMAL_DIGITS_MAX or scale > precision:
        raise ValueError(
            f"needs a decimal of 1 to {DECIMAL_DIGITS_MAX} digits, no more of them decimals,"
            f" got {physical_type!r}"
        )
    return Decimal(precision, scale)
