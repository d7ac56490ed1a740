"""Read a contract from a file, or report the problems of the file.

Fields of the standard that only describe the data are accepted. Fields that require an action which the
function does not support are refused.
"""

import functools
import math
import re
import zoneinfo
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import duckdb
from open_data_contract_standard.model import (
    DataQuality,
    OpenDataContractStandard,
    SchemaObject,
    SchemaProperty,
)

from components.contracts import expressions, identifiers, java_dates, rule_engine, types, unsupported
from components.contracts.document import API_VERSION, Document
from components.contracts.model import (
    Column,
    Contract,
    Format,
    Handling,
    Keys,
    Partition,
    Projection,
    Reading,
    Rule,
    Severity,
)
from components.contracts.types import Array, Struct, Type

ENGINE = "regional-analytics"
"""The engine of quality rules that the function applies."""

RESCUED = "_rescued"
"""The column of rescued values, as JSON text, like the rescued data column of Databricks Auto Loader."""

_DATASET = {"keyPrefix": str, "format": str, "reading": dict, "handling": dict, "orderBy": list}
_COLUMN = {"sourceName": str, "projection": dict}
_READING = {
    "delimiter": str, "quote": str, "escape": str, "header": bool, "skipLines": int, "encoding": str,
    "nullMarkers": list, "decimalSeparator": str, "thousandsSeparator": str, "sheet": str,
}  # fmt: skip
_READING_OF: Mapping[Format, tuple[str, ...]] = {
    Format.DELIMITED: tuple(name for name in _READING if name != "sheet"),
    Format.SPREADSHEET: ("sheet", "header", "skipLines", "nullMarkers"),
    Format.JSON: ("encoding",),
    Format.PARQUET: (),
}
_NULL_MARKERS: Mapping[Format, tuple[str, ...]] = {
    Format.DELIMITED: ("",),
    Format.SPREADSHEET: ("",),
    Format.JSON: (),  # JSON and Parquet have their own null.
    Format.PARQUET: (),
}
_ENCODINGS = (
    "utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be", "windows-1252",
    "iso-8859-1",
)  # fmt: skip
_HANDLING = {
    "unexpectedColumns": ("rescue", "drop", "fail"),
    "missingColumns": ("asNull", "fail"),
    "badValues": ("reject", "rescue", "fail"),
}
_PROJECTION = {
    "type": str, "first": str, "last": str, "values": list, "format": str, "interval": int,
    "intervalUnit": str, "digits": int,
}  # fmt: skip
_PROJECTION_OF: Mapping[Projection, tuple[str, ...]] = {
    Projection.DATE: ("type", "first", "last", "format", "interval", "intervalUnit"),
    Projection.INTEGER: ("type", "first", "last", "interval", "digits"),
    Projection.ENUM: ("type", "values"),
    Projection.INJECTED: ("type",),
}
_OPTIONS = {
    "string": {"minLength": "length({0}) >= {1}", "maxLength": "length({0}) <= {1}",
               "pattern": "regexp_full_match({0}, {1})"},
    "number": {"minimum": "{0} >= {1}", "maximum": "{0} <= {1}", "exclusiveMinimum": "{0} > {1}",
               "exclusiveMaximum": "{0} < {1}", "multipleOf": "{0} % {1} = 0"},
}  # fmt: skip
"""The rule on a row for each of the standard's options. `{0}` is the column, `{1}` the option's value."""

_BOUNDS = {name: rule for name, rule in _OPTIONS["number"].items() if name != "multipleOf"}
_OPTIONS |= {"integer": _OPTIONS["number"], "date": _BOUNDS, "timestamp": _BOUNDS}

_UNIT_OF_LETTER = {
    "s": "SECONDS", "m": "MINUTES", "H": "HOURS", "d": "DAYS", "M": "MONTHS", "y": "YEARS",
}  # fmt: skip
"""The unit of each letter in a date format, from the finest to the coarsest."""

E = TypeVar("E", Format, Projection, Severity)


def read(path: Path) -> tuple[Contract | None, list[str]]:
    """Return the contract of a file, or None and the problems of the file."""
    document = Document(path)
    content = document.load()
    contract = _Reader(document).contract(content) if content is not None else None
    return (None if document.problems else contract), document.problems


class _Reader:
    def __init__(self, document: Document) -> None:
        self._document = document
        self._refuse = document.refuse
        self._rules: list[Rule] = []

    def contract(self, content: OpenDataContractStandard) -> Contract | None:
        if content.apiVersion != API_VERSION:
            self._refuse("apiVersion", f"must be {API_VERSION}, got {content.apiVersion!r}")
        if not content.version or not content.version.isprintable():
            self._refuse("version", f"must be the contract's version, such as 1.0.0, got {content.version!r}")
        for field, problem in unsupported.of_contract(content):
            self._refuse(field, problem)
        datasets = content.schema_ or []
        if len(datasets) != 1:
            self._refuse("schema", f"must hold one dataset, got {len(datasets)}")
            return None
        dataset = datasets[0]
        place = "schema[0]"
        self._refuse_all(place, unsupported.of_dataset(dataset))
        custom = self._document.custom(place, dataset.customProperties, _DATASET)
        properties = list(enumerate(dataset.properties or ()))
        columns = [
            column
            for index, item in properties
            if not item.partitioned and (column := self._column(f"{place}.properties[{index}]", item))
        ]
        partitions = [
            (item.partitionKeyPosition or 0, partition)
            for index, item in properties
            if item.partitioned and (partition := self._partition(f"{place}.properties[{index}]", item))
        ]
        positions = [position for position, _ in partitions]
        if len(set(positions)) < len(positions):
            self._refuse(
                f"{place}.properties",
                f"must have a partitionKeyPosition of its own for each partition, got {positions}",
            )
        names = [column.name for column in columns]
        kinds = {column.name: column.type.duckdb for column in columns}
        self._add_rules(place, dataset.quality, kinds)
        for index, item in properties:
            self._add_rules(f"{place}.properties[{index}]", item.quality, kinds)
        if not columns:
            self._refuse(
                f"{place}.properties", "must hold at least one column that is not partitioned, got none"
            )
        return Contract(
            name=self._name(f"{place}.name", dataset.name or ""),
            version=content.version or "",
            description=dataset.description or "",
            prefix=self._required(place, custom, "keyPrefix"),
            partitions=tuple(partition for _, partition in sorted(partitions, key=lambda pair: pair[0])),
            columns=tuple(columns),
            reading=self._reading(place, custom),
            handling=self._handling(place, custom.get("handling", {})),
            rules=tuple(self._rules),
            keys=self._keys(place, dataset, custom.get("orderBy"), names),
        )

    def _column(self, place: str, item: SchemaProperty) -> Column | None:
        self._refuse_all(place, unsupported.of_column(item))
        kind = self._type(place, item)
        if kind is None:
            return None
        name = self._name(f"{place}.name", item.name or "")
        custom = self._document.custom(place, item.customProperties, {"sourceName": str})
        options = dict(item.logicalTypeOptions or {})
        pattern, zone = options.pop("format", None), options.pop("defaultTimezone", "UTC")
        options.pop("timezone", None)
        self._add_options(place, item.logicalType or "", name, kind, options)
        return Column(
            name=name,
            source=self._source(place, custom.get("sourceName", name)),
            type=kind,
            required=bool(item.required),
            description=item.description or "",
            format=self._format(place, item, pattern),
            time_zone=self._zone(place, zone),
        )

    def _source(self, place: str, name: str) -> str:
        if not name or name != name.strip():
            self._refuse(
                f"{place}.customProperties.sourceName",
                f"must be a name without space around it, got {name!r}",
            )
        return name

    def _refuse_all(self, place: str, problems: Iterable[tuple[str, str]]) -> None:
        for field, problem in problems:
            self._refuse(f"{place}.{field}", problem)

    def _part(self, place: str, item: SchemaProperty) -> Type | None:
        """Return the type of an object's field or of an array's items."""
        self._refuse_all(place, unsupported.of_part(item))
        return self._type(place, item)

    def _type(self, place: str, item: SchemaProperty) -> Type | None:
        """Return the declared type with its nested types."""
        if item.logicalType == "object":
            fields = [
                (field.name or "", self._part(f"{place}.properties[{index}]", field))
                for index, field in enumerate(item.properties or ())
            ]
            for index, (name, _) in enumerate(fields):
                self._name(f"{place}.properties[{index}].name", name)
            if not fields:
                self._refuse(f"{place}.properties", "must hold the object's fields, got none")
            for name, count in Counter(name for name, _ in fields).items():
                if count > 1:
                    self._refuse(
                        f"{place}.properties", f"must name each field once, got {name!r} {count} times"
                    )
            known = [(name, kind) for name, kind in fields if kind is not None]
            return Struct(tuple(known)) if known and len(known) == len(fields) else None
        if item.logicalType == "array":
            if item.items is None:
                self._refuse(f"{place}.items", "must be the type of the array's values, got none")
                return None
            items = self._part(f"{place}.items", item.items)
            return Array(items) if items else None
        try:
            return types.parse_scalar(item.logicalType or "", item.physicalType)
        except ValueError as error:
            self._refuse(f"{place}.logicalType", str(error))
            return None

    def _format(self, place: str, item: SchemaProperty, pattern: str | None) -> str | None:
        if pattern is None:
            return None
        if item.logicalType not in ("date", "timestamp"):
            self._refuse(
                f"{place}.logicalTypeOptions.format", f"must be left out but for dates, got {pattern!r}"
            )
            return None
        try:
            return java_dates.of_moment(pattern)
        except ValueError as error:
            self._refuse(f"{place}.logicalTypeOptions.format", str(error))
            return None

    def _zone(self, place: str, zone: str) -> str:
        if zone not in _time_zones():
            self._refuse(
                f"{place}.logicalTypeOptions.defaultTimezone",
                f"must be a time zone that DuckDB knows, such as Europe/Paris, got {zone!r}",
            )
        return zone

    def _add_options(
        self, place: str, logical_type: str, name: str, kind: Type, options: Mapping[str, Any]
    ) -> None:
        known = _OPTIONS.get(logical_type, {})
        for option, value in options.items():
            where = f"{place}.logicalTypeOptions.{option}"
            if option not in known:
                allowed = ", ".join(known) or "none"
                self._refuse(where, f"must be one of those that are checked ({allowed}), got {option!r}")
                continue
            try:
                literal = _literal(logical_type, kind, value)
                _check_digits(option, kind, literal)
            except ValueError as error:
                self._refuse(where, f"{error}, got {value!r}")
                continue
            self._add_rule(
                where,
                f"{name}_{option}",
                known[option].format(f'"{name}"', literal),
                "error",
                {name: kind.duckdb},
            )

    def _add_rules(self, place: str, quality: list[DataQuality] | None, columns: Mapping[str, str]) -> None:
        for index, item in enumerate(quality or ()):
            where = f"{place}.quality[{index}]"
            if item.type == "text":
                continue
            if item.type != "custom" or item.engine != ENGINE:
                self._refuse(
                    where,
                    f"must have type custom, engine {ENGINE} and an SQL expression as implementation"
                    f" (or type text, which only describes), got type {item.type!r}, engine {item.engine!r}",
                )
                continue
            self._refuse_all(where, unsupported.of_rule(item))
            self._add_rule(
                where, item.name or "", str(item.implementation), item.severity or "error", columns
            )

    def _add_rule(
        self, place: str, name: str, expression: str, severity: str, columns: Mapping[str, str]
    ) -> None:
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,63}", name):
            self._refuse(
                f"{place}.name", f"must be a letter and up to 63 letters, digits and _, got {name!r}"
            )
        if any(rule.name == name for rule in self._rules):
            self._refuse(f"{place}.name", f"must be the name of one rule, got a second {name!r}")
        level = self._one_of(f"{place}.severity", Severity, severity)
        try:
            parsed = expressions.parse(expression, columns)
        except ValueError as error:
            self._refuse(f"{place}.implementation", str(error))
            return
        if level is not None:
            self._rules.append(Rule(name=name, expression=parsed, severity=level))

    def _partition(self, place: str, item: SchemaProperty) -> Partition | None:
        self._refuse_all(place, unsupported.of_partition(item))
        custom = self._document.custom(place, item.customProperties, {"projection": dict})
        where = f"{place}.customProperties.projection"
        if "projection" not in custom:
            self._refuse(where, f"must say how Athena derives the values of {item.name}, got none")
            return None
        given = self._document.typed(where, custom["projection"], _PROJECTION)
        kind = self._one_of(f"{where}.type", Projection, given.get("type", ""))
        if kind is None:
            return None
        for name in given.keys() - set(_PROJECTION_OF[kind]):
            self._refuse(
                f"{where}.{name}",
                f"must be left out for {kind} ({', '.join(_PROJECTION_OF[kind])}), got {given[name]!r}",
            )
        return Partition(
            name=self._name(f"{place}.name", item.name or ""),
            projection=kind,
            first=given.get("first", ""),
            last=given.get("last", ""),
            values=self._texts(f"{where}.values", given.get("values", ())),
            format=given.get("format", "yyyy-MM-dd"),
            interval=given.get("interval", 1),
            interval_unit=given.get("intervalUnit", unit_of(given.get("format", "yyyy-MM-dd"))),
            digits=given.get("digits", 0),
            description=item.description or "",
        )

    def _texts(self, place: str, values: Iterable[Any]) -> tuple[str, ...]:
        for value in values:
            if not isinstance(value, str):
                self._refuse(place, f"must be texts, got {value!r}; put it in quotes")
        return tuple(map(str, values))

    def _reading(self, place: str, custom: Mapping[str, Any]) -> Reading:
        where = f"{place}.customProperties.reading"
        kind = self._one_of(
            f"{place}.customProperties.format", Format, self._required(place, custom, "format")
        )
        kind = kind or Format.DELIMITED
        given = self._document.typed(where, custom.get("reading", {}), _READING)
        for name in given.keys() - set(_READING_OF[kind]):
            allowed = ", ".join(_READING_OF[kind]) or "none"
            self._refuse(
                f"{where}.{name}", f"must be one that {kind} files have ({allowed}), got {given[name]!r}"
            )
        for problem in _reading_problems(given):
            self._refuse(where, problem)
        return Reading(
            format=kind,
            delimiter=given.get("delimiter", ","),
            quote=given.get("quote", '"'),
            escape=given.get("escape", given.get("quote", '"')),
            header=given.get("header", True),
            skip_lines=given.get("skipLines", 0),
            encoding=given.get("encoding", "utf-8"),
            null_markers=tuple(map(str, given.get("nullMarkers", _NULL_MARKERS[kind]))),
            decimal_separator=given.get("decimalSeparator", "."),
            thousands_separator=given.get("thousandsSeparator", ""),
            sheet=given.get("sheet", ""),
        )

    def _handling(self, place: str, given: Mapping[str, Any]) -> Handling:
        where = f"{place}.customProperties.handling"
        share = given.get("rejectedShareMax")
        if share is not None and (
            isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1
        ):
            self._refuse(f"{where}.rejectedShareMax", f"must be a number from 0 to 1, got {share!r}")
        chosen = {name: value for name, value in given.items() if name != "rejectedShareMax"}
        for name, value in chosen.items():
            if name not in _HANDLING:
                self._refuse(where, f"must be one of {', '.join(_HANDLING)}, rejectedShareMax, got {name!r}")
            elif value not in _HANDLING[name]:
                self._refuse(f"{where}.{name}", f"must be one of {', '.join(_HANDLING[name])}, got {value!r}")
        return Handling(
            unexpected_columns=chosen.get("unexpectedColumns", "rescue"),
            missing_columns=chosen.get("missingColumns", "asNull"),
            bad_values=chosen.get("badValues", "reject"),
            rejected_share_max=share,
        )

    def _keys(
        self, place: str, dataset: SchemaObject, order_by: list[Any] | None, columns: list[str]
    ) -> Keys | None:
        keys = sorted(
            (item for item in dataset.properties or () if item.primaryKey),
            key=lambda item: item.primaryKeyPosition or 0,
        )
        where = f"{place}.customProperties.orderBy"
        if not keys:
            if order_by is not None:
                self._refuse(
                    where, f"must be left out without a column that has primaryKey: true, got {order_by}"
                )
            return None
        required = {item.name for item in dataset.properties or () if item.required or item.partitioned}
        order = [str(name) for name in order_by or ()]
        if len(order) < 2 or len(set(order)) < len(order):
            self._refuse(
                where,
                "must name the column that orders the versions of a row and a second one that breaks ties,"
                f" got {order}",
            )
        for name in (*(item.name or "" for item in keys), *order):
            if name not in (*columns, *(item.name for item in dataset.properties or () if item.partitioned)):
                self._refuse(where, f"must name columns of the contract, got {name!r}")
            elif name not in required:
                self._refuse(where, f"must name columns with required: true, got {name!r}")
        return Keys(columns=tuple(item.name or "" for item in keys), order_by=tuple(order))

    def _name(self, place: str, name: str) -> str:
        for problem in identifiers.problems(name):
            self._refuse(place, problem)
        return name

    def _required(self, place: str, custom: Mapping[str, Any], name: str) -> str:
        if name not in custom:
            self._refuse(f"{place}.customProperties", f"must have the property {name}, got none")
        return custom.get(name, "")

    def _one_of(self, place: str, kind: type[E], value: str) -> E | None:
        if value not in list(kind):
            self._refuse(place, f"must be one of {', '.join(kind)}, got {value!r}")
            return None
        return kind(value)


@functools.cache
def _time_zones() -> frozenset[str]:
    """Return the time zones that both Python and DuckDB know, so not ``localtime``.

    They are cached, because reading them takes as long as reading a contract.
    """
    known = duckdb.execute("SELECT name FROM pg_timezone_names()").fetchall()
    return frozenset(zoneinfo.available_timezones()).intersection(name for (name,) in known)


def unit_of(java_format: str) -> str:
    """Return the finest unit in a date format."""
    return next((unit for letter, unit in _UNIT_OF_LETTER.items() if letter in java_format), "DAYS")


def _literal(logical_type: str, kind: Type, value: object) -> str:
    """Return SQL of an option's value.

    Raises:
        ValueError: The value does not suit the column.
    """
    if logical_type in ("date", "timestamp"):
        return _moment(str(value))
    if not isinstance(value, int | float):
        return "'" + str(value).replace("'", "''") + "'"
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("must be a finite number")
    if kind == types.DOUBLE:
        return str(value)
    # DuckDB compares a literal with an exponent as DOUBLE, which has 15 digits.
    return f"{Decimal(str(value)):f}".removesuffix(".0")


def _check_digits(option: str, kind: Type, literal: str) -> None:
    """Check that DuckDB computes a rule about a number exactly.

    Raises:
        ValueError: Column and literal together have more digits than a decimal.
    """
    if option == "multipleOf" and rule_engine.type_of_remainder(kind.duckdb, literal) == types.DOUBLE.duckdb:
        raise ValueError(
            "must be left out where DuckDB computes with a double, which only comes near to most multiples;"
            " declare the physicalType decimal(digits,decimals), or one with fewer digits"
        )
    if kind == types.BIGINT or isinstance(kind, types.Decimal):
        whole = kind.precision - kind.scale if isinstance(kind, types.Decimal) else types.BIGINT_DIGITS
        most = types.DECIMAL_DIGITS_MAX - whole
        if len(literal.partition(".")[2]) > most:
            # DuckDB compares both as one decimal, and long values of the column would not fit in it.
            raise ValueError(
                f"must have up to {most} decimals, because the column has {whole} digits before its decimals"
            )


def _moment(text: str) -> str:
    """Return SQL of a bound in UTC. DuckDB would drop the offset of a literal."""
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo:
            moment = moment.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        raise ValueError("must be a date as in ISO 8601, such as 2026-01-31") from None
    return f"TIMESTAMP '{moment}'"


def _reading_problems(given: Mapping[str, Any]) -> Iterator[str]:
    for name in ("delimiter", "quote", "escape", "decimalSeparator", "thousandsSeparator"):
        if name in given:
            yield from _character_problems(name, given[name])
    delimiter, quote = given.get("delimiter", ","), given.get("quote", '"')
    if delimiter == quote:
        yield f"quote must differ from the delimiter, got {quote!r}"
    if quote == "\\":
        yield f"quote must be another character than the backslash, which escapes, got {quote!r}"
    if given.get("escape", quote) not in ((quote, "\\") if quote else ("",)):
        yield f"escape must be the quote or a backslash, left out without a quote, got {given['escape']!r}"
    if given.get("decimalSeparator", ".") == given.get("thousandsSeparator", ""):
        yield f"thousandsSeparator must differ from decimalSeparator, got {given['thousandsSeparator']!r}"
    if given.get("encoding", "utf-8") not in _ENCODINGS:
        yield f"encoding must be one of {', '.join(_ENCODINGS)}, got {given['encoding']!r}"
    if given.get("skipLines", 0) < 0:
        yield f"skipLines must be 0 or more, got {given['skipLines']}"
    if not all(isinstance(marker, str) for marker in given.get("nullMarkers", ())):
        yield f"nullMarkers must be texts, got {given['nullMarkers']!r}"


def _character_problems(name: str, value: str) -> Iterator[str]:
    is_optional, is_of_numbers = name not in ("delimiter", "decimalSeparator"), name.endswith("Separator")
    if len(value) != 1:
        if value or not is_optional:
            yield f"{name} must be one character{' or empty' if is_optional else ''}, got {value!r}"
    elif value.isalnum() or (value in "\r\n\0" or (is_of_numbers and value in "+-")):
        yield f"{name} must be no letter, digit, line end or sign of a number, got {value!r}"
    elif not is_of_numbers and not value.isascii():
        yield f"{name} must be an ASCII character, got {value!r}"
