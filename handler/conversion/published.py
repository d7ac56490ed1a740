"""The published type for each DuckDB type: one that every engine reads, at any depth.

``tests/readers`` reads each type with each engine. The reasons, in short:

- Spark cannot open files with TIME, UUID, INTERVAL, VARIANT or nanoseconds. They become text.
- Trino reads unsigned integers of 32 and 64 bits as signed. They become BIGINT and DECIMAL(20,0).
- polars reads a column with the annotation JSON as bytes. JSON becomes text without the annotation.
- Parquet stores decimals of up to 18 digits as integers of 64 bits. Spark reads them as whole numbers (10.50
  as 1050) if another file of the folder has those. With more digits they are bytes, and Spark reports an
  error. They get 19 digits before the point, so that one type holds decimals of two scales.
- Python, and so pandas and Spark's Python API, holds dates and timestamps of the years 1 to 9999 only.
- Arrow cannot open schemas with more than a hundred levels. Columns with more than 50 become JSON text.

Some types depend on the values: nanoseconds that are all whole microseconds become a TIMESTAMP. For these,
``conditions`` gives what to query first.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import repeat

from duckdb.sqltypes import DuckDBPyType

from conversion.engine import identifier
from conversion.model import RenamedField
from conversion.names import Names, field_names

LEVELS_MAX = 50
"""The most levels of structs, lists and maps in a column."""

LISTS_MAX = 16
"""The most lists and maps in one another. With each, DuckDB needs twice the time to open a file: 0.01 s for
16, 5 s for 24."""

_KEPT = frozenset(
    {
        "boolean",
        "tinyint",
        "smallint",
        "integer",
        "bigint",
        "float",
        "double",
        "varchar",
        "blob",
        "geometry",
    }
)
_NARROW_DIGITS = 18
"""The most digits of a decimal that Parquet stores as an integer."""
_WIDENED = {
    "utinyint": "SMALLINT",
    "usmallint": "INTEGER",
    "uinteger": "BIGINT",
    "ubigint": "DECIMAL(20,0)",
}
_YEARS = {
    "DATE": ("DATE '0001-01-01'", "DATE '9999-12-31'"),
    "TIMESTAMP": ("TIMESTAMP '0001-01-01'", "TIMESTAMP '9999-12-31 23:59:59.999999'"),
    "TIMESTAMP WITH TIME ZONE": (
        "TIMESTAMPTZ '0001-01-01 00:00:00+00'",
        "TIMESTAMPTZ '9999-12-31 23:59:59.999999+00'",
    ),
}
"""The first and the last value that each type is published with."""


def within_years(value: str, type_: str) -> str:
    """Return SQL that is true for a finite value of the years 1 to 9999, and NULL for NULL."""
    first, last = _YEARS[type_]
    return f"{value} BETWEEN {first} AND {last}"


_IN_MICROSECONDS = within_years("TRY_CAST({value} AS TIMESTAMP)", "TIMESTAMP")
_WHOLE_MICROSECONDS = "epoch_ns({value}) % 1000 = 0"
_AS_DECIMAL = "TRY_CAST({value} AS DECIMAL(38,0)) IS NOT NULL"
_IF_FIT: Mapping[str, tuple[str, str]] = {
    "date": ("DATE", within_years("{value}", "DATE")),
    "timestamp": ("TIMESTAMP", _IN_MICROSECONDS),
    "timestamp_s": ("TIMESTAMP", _IN_MICROSECONDS),
    "timestamp_ms": ("TIMESTAMP", _IN_MICROSECONDS),
    "timestamp with time zone": (
        "TIMESTAMP WITH TIME ZONE",
        within_years("{value}", "TIMESTAMP WITH TIME ZONE"),
    ),
    "timestamp_ns": ("TIMESTAMP", _WHOLE_MICROSECONDS),
    "timestamptz_ns": ("TIMESTAMP WITH TIME ZONE", _WHOLE_MICROSECONDS),
    "hugeint": ("DECIMAL(38,0)", _AS_DECIMAL),
    "uhugeint": ("DECIMAL(38,0)", _AS_DECIMAL),
}
"""By type name: the type to publish, and the condition that every value must meet. Otherwise it is text."""

_LISTS = ("list", "array", "map")


@dataclass(frozen=True, kw_only=True)
class Published:
    """How a column, or a value within it, is published.

    Attributes:
        name: The name of the column; empty for a value within one.
        source_name: Its name in the source.
        expression: SQL of the published value.
        type: Its DuckDB type.
        source_type: Its type before.
        renamed: The fields within it that are renamed.
    """

    name: str = ""
    source_name: str = ""
    expression: str
    type: str
    source_type: str
    renamed: tuple[RenamedField, ...] = ()


def published(
    name: str,
    source_name: str,
    value: str,
    type_: DuckDBPyType,
    fits: Sequence[bool] | None = None,
    fields: Names = (),
) -> Published:
    """Return how to publish a column.

    Args:
        name: The published name.
        source_name: The name in the source.
        value: SQL of the value.
        type_: The value's DuckDB type.
        fits: For each of ``conditions(value, type_)``, whether the whole column meets it. None: all do.
        fields: The fields' names in the source. Empty: those of ``type_``.
    """
    answers = repeat(True) if fits is None else iter(fits)
    found = (
        _text(_as_json(value), type_)
        if is_too_deep(type_)
        else _published(value, type_, answers, _Place((name,), fields))
    )
    return replace(found, name=name, source_name=source_name)


def conditions(value: str, type_: DuckDBPyType) -> tuple[str, ...]:
    """Return SQL for each part of a column that may not fit, true or NULL for a value that fits.

    Query the whole column with ``coalesce(bool_and(condition), true)``.
    """
    return () if is_too_deep(type_) else tuple(_conditions(value, type_, _Place(())))


def is_too_deep(type_: DuckDBPyType) -> bool:
    """Return whether a type has more levels than are published, so that its column becomes JSON text."""
    levels, lists = _levels(type_)
    return levels > LEVELS_MAX or lists > LISTS_MAX


@dataclass(frozen=True)
class _Place:
    """The place of a value within a column."""

    path: tuple[str, ...]
    fields: Names = ()
    lists: int = 0

    @property
    def element(self) -> str:
        """The SQL name of a list's element at this place."""
        return f"x{self.lists}"

    def names(self, type_: DuckDBPyType) -> list[str]:
        """Return the names of a struct's fields in the source.

        DuckDB renames a field whose name differs from another's by case only: it appends a number.
        """
        named = self.fields if len(self.fields) == len(type_.children) else type_.children
        return [name for name, _ in named]

    def field(self, name: str, number: int) -> "_Place":
        inner = self.fields[number][1] if number < len(self.fields) else ()
        return replace(self, path=(*self.path, name), fields=inner)

    def inside(self) -> "_Place":
        return replace(self, lists=self.lists + 1)


def _levels(type_: DuckDBPyType) -> tuple[int, int]:
    """Return the depth in levels of any kind, and of lists and maps alone."""
    children = [_levels(child) for child in children_of(type_)]
    if not children:
        return 0, 0
    levels, lists = (max(depths) for depths in zip(*children, strict=True))
    return levels + 1, lists + (type_.id in _LISTS)


def children_of(type_: DuckDBPyType) -> list[DuckDBPyType]:
    """Return the types of the fields, elements, or keys and values of a nested type."""
    if type_.id not in _NESTED:
        return []
    # The length of an array is among them.
    return [child for _, child in type_.children if isinstance(child, DuckDBPyType)]


def _published(value: str, type_: DuckDBPyType, fits: Iterator[bool], place: _Place) -> Published:
    kind = type_.id
    if str(type_) == "JSON":
        return _text(value, type_)
    if kind in _KEPT:
        return _kept(value, type_)
    if kind == "decimal":
        return _cast(value, type_, _decimal(type_))
    if kind in _NESTED:
        return _NESTED[kind](value, type_, fits, place)
    if kind in _IF_FIT and next(fits):
        return _cast(value, type_, _IF_FIT[kind][0])
    if kind in _WIDENED:
        return _cast(value, type_, _WIDENED[kind])
    if kind == "variant":
        return _text(f"CAST({value} AS JSON)", type_)
    return _text(_as_json(value) if kind == "union" else value, type_)


def _kept(value: str, type_: DuckDBPyType) -> Published:
    return Published(expression=value, type=str(type_), source_type=str(type_))


def _text(value: str, type_: DuckDBPyType) -> Published:
    return Published(expression=f"CAST({value} AS VARCHAR)", type="VARCHAR", source_type=str(type_))


def _as_json(value: str) -> str:
    return f"to_json({value})"


def _cast(value: str, type_: DuckDBPyType, to: str) -> Published:
    if to == str(type_):
        return _kept(value, type_)
    return Published(expression=f"CAST({value} AS {to})", type=to, source_type=str(type_))


def _decimal(type_: DuckDBPyType) -> str:
    """Return the type that decimals of ``type_`` are published with."""
    digits, scale = (int(str(number)) for _, number in type_.children)
    return f"DECIMAL({_NARROW_DIGITS + 1 + scale},{scale})" if digits <= _NARROW_DIGITS else str(type_)


def _struct(value: str, type_: DuckDBPyType, fits: Iterator[bool], place: _Place) -> Published:
    sources = place.names(type_)
    names = field_names(sources)
    values = [_extracted(value, number) for number in range(len(names))]
    parts = [
        _published(inner, child, fits, place.field(name, number))
        for number, (name, inner, child) in enumerate(zip(names, values, children_of(type_), strict=True))
    ]
    is_renamed = list(names) != [name for name, _ in type_.children]
    if [part.expression for part in parts] == values and not is_renamed:
        return _kept(value, type_)
    fields, types, renamed = [], [], list[RenamedField]()
    for name, source, part in zip(names, sources, parts, strict=True):
        fields.append(f"{identifier(name)} := {part.expression}")
        types.append(f"{identifier(name)} {part.type}")
        if name != source:
            renamed.append(RenamedField(field=(*place.path, name), source_name=source))
        renamed.extend(part.renamed)
    packed = f"CASE WHEN {value} IS NOT NULL THEN struct_pack({', '.join(fields)}) END"
    return Published(
        expression=packed,
        type=f"STRUCT({', '.join(types)})",
        source_type=str(type_),
        renamed=tuple(renamed),
    )


def _extracted(value: str, number: int) -> str:
    """Return SQL of a struct's field by its number, because its name may not be unique."""
    return f"struct_extract_at({value}, {number + 1})"


def _list(value: str, type_: DuckDBPyType, fits: Iterator[bool], place: _Place) -> Published:
    part = _published(place.element, children_of(type_)[0], fits, place.inside())
    if part.expression == place.element:
        # Parquet has no arrays of a fixed length.
        return _cast(value, type_, f"{part.type}[]")
    transformed = f"list_transform({value}, lambda {place.element}: {part.expression})"
    return Published(
        expression=transformed, type=f"{part.type}[]", source_type=str(type_), renamed=part.renamed
    )


def _map(value: str, type_: DuckDBPyType, fits: Iterator[bool], place: _Place) -> Published:
    key_type, value_type = children_of(type_)
    entry = place.element
    parts = f"{entry}.key", f"{entry}.value"
    key = _published(parts[0], key_type, fits, place.inside().field("key", 0))
    inner = _published(parts[1], value_type, fits, place.inside().field("value", 1))
    if (key.expression, inner.expression) == parts:
        return _kept(value, type_)
    packed = f"struct_pack(key := {key.expression}, value := {inner.expression})"
    entries = f"list_transform(map_entries({value}), lambda {entry}: {packed})"
    return Published(
        expression=f"map_from_entries({entries})",
        type=f"MAP({key.type}, {inner.type})",
        source_type=str(type_),
        renamed=(*key.renamed, *inner.renamed),
    )


_NESTED: Mapping[str, Callable[[str, DuckDBPyType, Iterator[bool], _Place], Published]] = {
    "struct": _struct,
    "list": _list,
    "array": _list,
    "map": _map,
}


def _conditions(value: str, type_: DuckDBPyType, place: _Place) -> Iterator[str]:
    """Yield the conditions in the order in which ``_published`` takes the results."""
    if type_.id in _IF_FIT:
        condition = _IF_FIT[type_.id][1].format(value=value)
        yield f"({value} IS NULL OR coalesce({condition}, false))"
    elif type_.id == "struct":
        for number, child in enumerate(children_of(type_)):
            yield from _conditions(_extracted(value, number), child, place.field(str(number), number))
    elif type_.id in _LISTS:
        for part, child in zip(("keys", "values"), children_of(type_), strict=False):
            elements = f"map_{part}({value})" if type_.id == "map" else value
            for condition in _conditions(place.element, child, place.inside()):
                yield f"list_bool_and(list_transform({elements}, lambda {place.element}: {condition}))"
