"""What a contract says, once it is read and checked."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

import pulumi

from components.contracts.types import Type


class ContractError(pulumi.RunError):
    """Contracts that cannot be deployed: one line per problem, each naming file, place, value and remedy.

    Pulumi shows a `RunError` without a stack trace.
    """

    def __init__(self, problems: Iterable[str]) -> None:
        super().__init__(
            "\n".join(["the stack's contracts are refused:", *(f"  {line}" for line in problems)])
        )


class Format(StrEnum):
    """What the files of a dataset are."""

    DELIMITED = "delimited"
    JSON = "json"
    PARQUET = "parquet"
    SPREADSHEET = "spreadsheet"


class Severity(StrEnum):
    """What a broken rule does."""

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
        required: Whether a null in it rejects the row.
        description: What it holds; empty if the contract does not say.
        format: How dates and timestamps are written, as `strptime` takes it; None is ISO 8601.
        time_zone: Zone of timestamps that are written without one.
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
    """A column whose value stands in the key's folder: `name=value/`.

    Attributes:
        name: Its name in the table and in the folder.
        projection: How its values are derived.
        first: Lowest value, for a date or an integer.
        last: Highest value; `NOW` and `NOW+1DAY` are allowed for a date.
        values: All values, for an enum.
        format: How a date is written, in the pattern letters of Java's DateTimeFormatter.
        interval: Step between values.
        interval_unit: Unit of the step for a date, `DAYS` and its like.
        digits: Digits that an integer is padded to with zeros; 0 is no padding.
        description: What it holds.
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
    """How the files are read, so that nothing is guessed.

    Attributes:
        format: What the files are.
        delimiter: Character between fields.
        quote: Character around quoted fields; empty if fields are never quoted.
        escape: Character before an escaped character; a quote is doubled if it is the quote itself.
        header: Whether the first row names the columns; otherwise fields are taken in the contract's order.
        skip_lines: Lines before the header or the first row.
        encoding: Encoding of the text.
        null_markers: Texts that stand for null.
        decimal_separator: Character before the fraction of a number.
        thousands_separator: Character between groups of digits; empty if there is none.
        sheet: Sheet of a spreadsheet; empty takes the only one.
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
    """What happens to what does not fit.

    Attributes:
        unexpected_columns: `rescue`, `drop` or `fail`.
        missing_columns: `asNull` or `fail`.
        bad_values: `reject`, `rescue` or `fail`.
        rejected_share_max: Share of rejected rows that fails a file; None takes the stack's setting.
    """

    unexpected_columns: str = "rescue"
    missing_columns: str = "asNull"
    bad_values: str = "reject"
    rejected_share_max: float | None = None


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A condition that each row must meet; a row for which it is null meets it, as with a CHECK of SQL."""

    name: str
    expression: str
    severity: Severity


@dataclass(frozen=True, kw_only=True)
class Keys:
    """The columns that name a row, and those that order its versions.

    The first column of the order decides; the others break ties.
    """

    columns: tuple[str, ...]
    order_by: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Contract:
    """One dataset: which objects, what their table looks like, how they are read."""

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
        """Whether its table has the column `_rescued`."""
        return "rescue" in (self.handling.unexpected_columns, self.handling.bad_values)
