"""SQL of objects and arrays in JSON, and of the members of a record.

DuckDB needs memory for each expression, and twice the time to plan with each lambda within a lambda. So an
object is read with all objects in it at once: one call extracts all values, one expression casts those of one
type, and the rest packs them. An array is read with its items in the same way.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from conversion.contract.model import Column, Reading, Type
from conversion.contract.values import Value, bound, cast, column_value
from conversion.engine import identifier, literal
from conversion.json.plan import token

_STRING = Type(kind="string", duckdb="VARCHAR")


def json_value(member: str, column: Column, reading: Reading) -> Value:
    """Return the value of a column that may be nested.

    Args:
        member: SQL of an element of ``members``.
        column: The column.
        reading: The notation of numbers in strings.
    """
    kind = column.type.kind
    if kind in ("struct", "array"):
        return nested_value(f"{member}.json", column, reading)
    text = "string" if kind == "string" else "scalar"
    return column_value(f"{member}.{text}", column, reading)


def nested_value(json: str, column: Column, reading: Reading) -> Value:
    """Return the value of a column of objects or arrays.

    Args:
        json: SQL of its JSON; null if it is missing.
        column: The column.
        reading: The notation of numbers in strings.
    """
    return Value(
        expression=f"{_values(f'[{json}]', column.type, column, reading)}[1]",
        given=f"coalesce(json_type({json}) <> 'NULL', false)",
        unexpected=_unexpected(f"[{json}]", column.type),
    )


def members(json: str, keys: Sequence[str]) -> str:
    """Return SQL of a list of a record's members, one for each key. A missing member is null.

    If no key of the record is exactly as given, a key that differs only in case is taken. One call extracts
    all members, because each call holds many parsed records in memory.

    Args:
        json: SQL of the record.
        keys: The keys of the members.
    """
    record = Type(kind="struct", duckdb="", fields=tuple((key, _STRING) for key in keys))
    json = f"{_held(f'[{json}]', _nodes(record))}[1][2:]"
    forms = {"json": "member", "string": _string("member"), "scalar": _scalar_text("member")}
    packed = ", ".join(f"{name} := {form}" for name, form in forms.items())
    return f"list_transform({json}, lambda member: struct_pack({packed}))"


@dataclass(frozen=True, kw_only=True)
class _Node:
    """A value within an object, or the object itself.

    Attributes:
        kind: Its type.
        pointer: The JSON pointer to it.
        name: Its name.
        parent: The place of the object that it is a member of, from 1.
    """

    kind: Type
    pointer: str = ""
    name: str = ""
    parent: int = 0


def _nodes(kind: Type) -> list[_Node]:
    """Return an object and all values in it that are not in an array, level by level."""
    nodes = [_Node(kind=kind)]
    for place, node in enumerate(nodes, 1):
        nodes += (
            _Node(kind=part, pointer=f"{node.pointer}/{token(name)}", name=name, parent=place)
            for name, part in node.kind.fields
        )
    return nodes


def _values(jsons: str, kind: Type, column: Column, reading: Reading, depth: int = 0) -> str:
    """Return SQL of a list of values, given a list of JSON. Those in which something does not fit are null.

    Lists are read as a whole, because DuckDB needs twice the time to plan with each lambda within a lambda.
    """
    if kind.fields:
        return _objects(jsons, kind, column, reading, depth)
    node = f"node_{depth}"
    if kind.items:
        # Part of a value is not what the file says, so an item that does not fit makes the array null.
        items = _values(_elements(node), kind.items, column, reading, depth + 1)
        fits = f"list_count(items) = list_count({_elements(node)})"
        value = f"list_filter([{items}], lambda items: {fits})[1]"
    else:
        text = _string(node) if kind.kind == "string" else _scalar_text(node)
        value = cast(text, kind, column, reading)
    return f"list_transform({jsons}, lambda {node}: {value})"


def _string(json: str) -> str:
    """Return SQL of the text of a string, or the JSON text of another value; null if it is null."""
    return f"({json} ->> '$')"


def _scalar_text(json: str) -> str:
    """Return SQL of the text of a value; null if it is null.

    For an object or an array, the text is empty, which fits no type.
    """
    return f"CASE WHEN json_type({json}) IN ('OBJECT', 'ARRAY') THEN '' ELSE {_string(json)} END"


def _objects(jsons: str, kind: Type, column: Column, reading: Reading, depth: int) -> str:
    """Return SQL of a list of objects, given a list of JSON.

    All values of a type are read by one expression, because DuckDB needs memory for each.
    """
    nodes, held, read = _nodes(kind), f"held_{depth}", f"read_{depth}"
    lists, found, counts = [], {}, []
    for part, places in _by_type(nodes).items():
        name, width = f"of_{len(lists)}", len(places)
        alike = _alike(held, places)
        is_object = (
            f"list_transform({alike}, lambda node: CASE WHEN json_type(node) = 'OBJECT' THEN true END)"
        )
        inside = _values(alike, part, column, reading, depth + 1) if part else is_object
        lists.append(f"{name} := {inside}")
        first = f"{width} * (place - 1)"
        found |= {at: f"{read}.{name}[{first} + {index}]" for index, at in enumerate(places, 1)}
        counts.append(f"list_count({read}.{name}[{first} + 1:{first} + {width}])")
    given = "len(list_filter(object, lambda node: json_type(node) <> 'NULL'))"
    lists.append(f"given := list_transform({held}, lambda object: {given})")

    def packed(place: int) -> str:
        members = [
            f"{identifier(node.name)} := {packed(at) if node.kind.fields else found[at]}"
            for at, node in enumerate(nodes, 1)
            if node.parent == place
        ]
        # Part of a value is not what the file says, so a value that does not fit makes the object null.
        fits = "" if nodes[place - 1].parent else f" AND given = {' + '.join(counts)}"
        return f"CASE WHEN {found[place]}{fits} THEN struct_pack({', '.join(members)}) END"

    values = bound(_held(jsons, nodes), held, f"struct_pack({', '.join(lists)})")
    return bound(values, read, f"list_transform({read}.given, lambda given, place: {packed(1)})")


def _alike(held: str, places: Sequence[int]) -> str:
    """Return SQL of a list of the values at these places of each object."""
    return f"flatten(list_transform({held}, lambda object: list_select(object, {places})))"


def _by_type(nodes: Sequence[_Node]) -> dict[Type | None, list[int]]:
    """Return the places of the values of each type. The type of objects is None."""
    alike = dict[Type | None, list[int]]()
    for place, node in enumerate(nodes, 1):
        alike.setdefault(None if node.kind.fields else node.kind, []).append(place)
    return alike


def _unexpected(jsons: str, kind: Type, depth: int = 0) -> str:
    """Return SQL that is true if an object in a list of JSON has a member that its type does not have."""
    if kind.items:
        elements = f"flatten(list_transform({jsons}, lambda node: {_elements('node')}))"
        return _unexpected(elements, kind.items, depth)
    if not kind.fields:
        return "false"
    nodes, held = _nodes(kind), f"held_{depth}"
    others = f"list_transform({held}, lambda object: {_has_others('object', nodes)})"
    conditions = [f"coalesce(list_bool_or({others}), false)"]
    for part, places in _by_type(nodes).items():
        if part and (inside := _unexpected(_alike(held, places), part, depth + 1)) != "false":
            conditions.append(inside)
    return bound(_held(jsons, nodes), held, " OR ".join(conditions))


def _elements(json: str) -> str:
    """Return SQL of the elements of an array, in which null is null; null if it is no array."""
    return f"TRY_CAST({json} AS JSON[])"


def _held(jsons: str, nodes: Sequence[_Node]) -> str:
    """Return SQL of a list of lists. Each has an object, and then the values in it.

    A missing value is null. If no key is exactly the name, a key that differs only in case is taken. The keys
    are compared only if the object, or an object in it, has other keys than the names.
    """
    object_ = "known[wanted.parent]"
    other = other_key(f"json_keys({object_})")
    # In a path, even a quoted * stands for every key. In a pointer (RFC 6901), no character does.
    alike = f"replace(replace({other}, '~', '~0'), '/', '~1')"
    member = f"coalesce({object_} -> ('/' || wanted.token), {object_} -> ('/' || {alike}))"
    known = "[exact[1]]"
    for _, level in groupby(nodes[1:], lambda node: node.pointer.count("/")):
        wanted = ", ".join(
            f"{{'parent': {node.parent}, 'token': {literal(token(node.name))},"
            f" 'name': {literal(node.name.lower())}}}"
            for node in level
        )
        members = f"list_transform([{wanted}], lambda wanted: {member})"
        known = bound(known, "known", f"list_concat(known, {members})")
    pointers = ", ".join(literal(node.pointer) for node in nodes)
    exact = f"json_extract(coalesce(node, CAST('null' AS JSON)), [{pointers}])"
    resolved = f"CASE WHEN {_has_others('exact', nodes)} THEN {known} ELSE exact END"
    return f"list_transform(list_transform({jsons}, lambda node: {exact}), lambda exact: {resolved})"


def other_key(keys: str) -> str:
    """Return SQL of the first key that is ``wanted.name``, a name in lower case, without regard to case."""
    return f"list_filter({keys}, lambda key: lower(key) = wanted.name)[1]"


def _has_others(held: str, nodes: Sequence[_Node]) -> str:
    """Return SQL that is true if the objects have more keys than values that are held."""
    objects = f"list_select({held}, {_by_type(nodes)[None]})"
    keys = f"list_sum(list_transform({objects}, lambda member: len(json_keys(member))))"
    return f"{keys} > list_count({held}) - 1"
