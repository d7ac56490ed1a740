"""Classes that represent a contract after it is read."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

import pulumi

from components.contracts.types import Type


class ContractError(pulumi.RunError):
    """Contracts that cannot be deployed: one line per problem, with the file, field, value and remedy.

    Pulumi shows a `RunError` without a stack trace.
    """

    def __init__(self, problems: Iterable[str]) -> None:
        super().__init__(
            "\n".join(["the stack's contracts are refused:", *(f"  {line}" for line in problems)])
        )


class Format(StrEnum):
    """The format of a dataset's files."""

    DELIMITED = "delimited"
    JSON = "json"
    PARQUET = "parquet"
    SPREADSHEET = "spreadsheet"


class Severity(StrEnum):
    """The effect of a row that breaks a rule."""

    REJECT_ROW = "error"
    WARN = "warning"
    FAIL_FILE = "critical"


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of the table.

    Attributes:
        name: Its name in the table.
        source: Its name in the files.
        type: Its type.
        required: Whether a row with a null in this column is rejected.
        description: Its description; empty if the contract has none.
        format: The `strptime` format of dates and timestamps; None means ISO 8601.
        time_zone: Time zone of timestamps without one.
    """

    name: str
    source: str
    type: Type
    required: bool = False
    description: str = ""
    format: str | None = None
    time_zone: str = "UTC"


class Projection(StrEnum):
    """How Athena derives the values of a partition (Athena user guide, "Supported types")."""

    DATE = "date"
    INTEGER = "integer"
    ENUM = "enum"
    INJECTED = "injected"


@dataclass(frozen=True, kw_only=True)
class Partition:
    """A partition column, whose value is in a folder of the key: `name=value/`.

    Attributes:
        name: Its name in the table and in the key.
        projection: How its values are derived.
        first: Lowest value, for a date or an integer.
        last: Highest value; `NOW` and `NOW+1DAY` are allowed for a date.
        values: All values, for an enum.
        format: Format of a date, in the pattern letters of Java's DateTimeFormatter.
        interval: Step between values.
        interval_unit: Unit of the step for a date, such as `DAYS`.
        digits: Number of digits to which an integer is padded with zeros; 0 means no padding.
        description: Its description; empty if the contract has none.
    """

    name: str
    projection: Projection
    first: str = ""
    last: str = ""
    values: tuple[str, ...] = ()
    format: str = "yyyy-MM-dd"
    interval: int = 1
    interval_unit: str = "DAYS"
    digits: int = 0
    description: str = ""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """Options for reading the files, which are declared instead of detected.

    Attributes:
        format: Format of the files.
        delimiter: Character between fields.
        quote: Character around quoted fields; empty if fields are never quoted.
        escape: Character before an escaped character. If it is the quote, a quote is written twice.
        header: Whether the first row names the columns; otherwise fields are in the contract's order.
        skip_lines: Lines before the header or the first row.
        encoding: Encoding of the text.
        null_markers: Texts that mean null.
        decimal_separator: Character before the fraction of a number.
        thousands_separator: Character between groups of digits; empty if there is none.
        sheet: Sheet of a spreadsheet; empty for the only sheet with data.
    """

    format: Format
    delimiter: str = ","
    quote: str = '"'
    escape: str = '"'
    header: bool = True
    skip_lines: int = 0
    encoding: str = "utf-8"
    null_markers: tuple[str, ...] = ("",)
    decimal_separator: str = "."
    thousands_separator: str = ""
    sheet: str = ""


@dataclass(frozen=True, kw_only=True)
class Handling:
    """The handling of columns and values that do not fit the contract.

    Attributes:
        unexpected_columns: `rescue`, `drop` or `fail`.
        missing_columns: `asNull` or `fail`.
        bad_values: `reject`, `rescue` or `fail`.
        rejected_share_max: Share of rejected rows above which a file fails; None for the stack's setting.
    """

    unexpected_columns: str = "rescue"
    missing_columns: str = "asNull"
    bad_values: str = "reject"
    rejected_share_max: float | None = None


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A condition that each row must meet. As in an SQL CHECK constraint, a null result meets it."""

    name: str
    expression: str
    severity: Severity


@dataclass(frozen=True, kw_only=True)
class Keys:
    """The columns that identify a row, and the columns that order its versions.

    Versions are sorted by the first column of `order_by`. The other columns break ties.
    """

    columns: tuple[str, ...]
    order_by: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Contract:
    """A dataset: its key prefix, its table, and how its files are read and checked."""

    name: str
    version: str
    description: str
    prefix: str
    partitions: tuple[Partition, ...]
    columns: tuple[Column, ...]
    reading: Reading
    handling: Handling
    rules: tuple[Rule, ...]
    keys: Keys | None

    @property
    def rescues(self) -> bool:
        """Whether the table has the column `_rescued`."""
        return "rescue" in (self.handling.unexpected_columns, self.handling.bad_values)
