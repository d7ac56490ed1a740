"""Fields of the standard that the function does not support."""

from collections.abc import Iterator, Mapping

from open_data_contract_standard.model import (
    DataQuality,
    OpenDataContractStandard,
    SchemaObject,
    SchemaProperty,
)
from pydantic import BaseModel

_CONTRACT: Mapping[str, str] = {"slaProperties": "no service level is checked; use alarms"}
_RELATIONSHIPS: Mapping[str, str] = {"relationships": "a row is judged by itself; join the tables in a query"}
_RULE: Mapping[str, str] = dict.fromkeys(
    ("schedule", "scheduler"), "each row is checked when its file is converted"
)
_EVERYWHERE: Mapping[str, str] = {
    **_RELATIONSHIPS,
    "unique": "a row is judged by itself; use primaryKey, and query the view of the newest rows",
    "encryptedName": "nothing is encrypted by column",
    "transformLogic": "nothing is computed; use rules, or a view of your own",
}
_PARTITION: Mapping[str, str] = {"logicalTypeOptions": "the projection says which values there are"}
_WHOLE_COLUMNS = "it holds for whole columns; use a rule over the column"
_NESTED: Mapping[str, str] = {
    "required": _WHOLE_COLUMNS,
    "primaryKey": _WHOLE_COLUMNS,
    "partitioned": _WHOLE_COLUMNS,
    "logicalTypeOptions": _WHOLE_COLUMNS,
    "quality": _WHOLE_COLUMNS,
    "customProperties": _WHOLE_COLUMNS,
}


def of_contract(item: OpenDataContractStandard) -> Iterator[tuple[str, str]]:
    """Yield the name and the problem of each refused field of a contract."""
    yield from _given(item, _CONTRACT)


def of_dataset(item: SchemaObject) -> Iterator[tuple[str, str]]:
    """Yield the name and the problem of each refused field of a dataset."""
    yield from _given(item, _RELATIONSHIPS)
    yield from physical_name(item.name, item.physicalName)


def of_rule(item: DataQuality) -> Iterator[tuple[str, str]]:
    """Yield the name and the problem of each refused field of a rule."""
    yield from _given(item, _RULE)


def of_column(item: SchemaProperty) -> Iterator[tuple[str, str]]:
    """Yield the name and the problem of each refused field of a column."""
    yield from _given(item, _EVERYWHERE)
    yield from _positions(item)
    yield from physical_name(item.name, item.physicalName)


def of_partition(item: SchemaProperty) -> Iterator[tuple[str, str]]:
    """Yield the name and the problem of each refused field of a partition column."""
    yield from _given(item, {**_EVERYWHERE, **_PARTITION})
    yield from _positions(item)
    yield from physical_name(item.name, item.physicalName)
    if item.logicalType != "string" or item.physicalType not in (None, "string"):
        found = item.physicalType if item.logicalType == "string" else item.logicalType
        yield "logicalType", f"must be string, as folders are named by texts, got {found!r}"


def of_part(item: SchemaProperty) -> Iterator[tuple[str, str]]:
    """Yield the name and the problem of each refused field of a nested type."""
    yield from _given(item, {**_EVERYWHERE, **_NESTED})
    yield from _positions(item)
    yield from physical_name(item.name, item.physicalName)


def physical_name(name: str | None, physical: str | None) -> Iterator[tuple[str, str]]:
    """Yield a problem if the physical name differs from the name, which the table uses."""
    if physical not in (None, name):
        yield "physicalName", f"must be left out or {name!r}, as it is called in the table, got {physical!r}"


def _positions(item: SchemaProperty) -> Iterator[tuple[str, str]]:
    for position, flag in (("primaryKeyPosition", "primaryKey"), ("partitionKeyPosition", "partitioned")):
        value = getattr(item, position)
        # The standard's default is -1.
        if value not in (None, -1) and not getattr(item, flag):
            yield position, f"must be left out without {flag}: true, got {value!r}"


def _given(item: BaseModel, fields: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, remedy in fields.items():
        if value := getattr(item, name):
            yield name, f"must be left out ({remedy}), got {value!r}"
