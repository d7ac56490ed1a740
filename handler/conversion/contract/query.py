"""A SELECT of a file's records, with the contract's columns and the problem of each record."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from conversion.contract.model import RESCUED, Column, Contract, Rule
from conversion.contract.nested import json_value, members, nested_value, other_key
from conversion.contract.values import Value, column_value, present
from conversion.engine import identifier, literal
from conversion.model import UnreadableError
from conversion.refused import FAILS_FILE

PROBLEM = "_problem"
"""The column with the problem of a record: the column or rule, and the reason. Null if there is none."""

_MEMBERS = identifier("_members of the record")
"""The column with a list of the members of a record of JSON. No column of a file has such a name."""

_LONG_NUMBER = r'"((?:[^"\\]|\\.)*)"|([:\[,]\s*)(-?[0-9.]{16,}(?:[eE][-+]?[0-9]+)?)'
_AS_STRING = r'\2"\1\3"'
"""A number of JSON with 16 or more digits, and its replacement. A double holds every number with 15 (IEEE
754). A string is matched too, and replaced by itself, since there may be digits in it."""


@dataclass(frozen=True)
class Fields:
    """The fields of a file's records.

    Attributes:
        relation: SQL of the records, for a FROM clause.
        texts: SQL of each field's text, by its name in the source. None if the records are JSON.
        exact: For columns of type FLOAT, whose texts are the shortest ones: SQL of the exact text, by SQL of
            the text.
        json: SQL of the record as JSON. Empty if the records are not JSON.
        members: For JSON, SQL of an element of ``members`` by its key in lower case.
        partitions: The texts that a record may hold in each partition column, by the object's key.
    """

    relation: str
    texts: Mapping[str, str] | None = None
    exact: Mapping[str, str] = field(default_factory=dict)
    json: str = ""
    members: Mapping[str, str] = field(default_factory=dict)
    partitions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @cached_property
    def by_name(self) -> Mapping[str, str]:
        """SQL of each field's text, by its name without outer spaces and in lower case."""
        return {name.strip().casefold(): text for name, text in (self.texts or {}).items()}

    def member(self, key: str) -> str:
        """Return SQL of the element of ``members`` with this key."""
        return self.members[key.lower()]


def checked(contract: Contract, fields: Fields) -> str:
    """Return a SELECT of all records, with the contract's columns and ``PROBLEM`` as the last column.

    Raises:
        UnreadableError: The file lacks a column that the contract needs, or has one that it forbids.
    """
    if fields.texts is None:
        fields = _with_members(contract, fields)
    values = _values(contract, fields)
    read = [f"{value.expression} AS {_value(name)}" for name, value in values.items()]
    misfits = {
        name: f"({value.given} AND {_value(name)} IS NULL)"
        for name, value in values.items()
        if value.given != "false"
    }
    rescued = contract.handling.bad_values == "rescue"
    typed = [f"{_value(name)} AS {identifier(name)}" for name in values]
    flags = [f"{misfit} AS {identifier(_flag(name))}" for name, misfit in misfits.items()]
    extra = _unexpected(contract, fields, values, misfits)
    if contract.rescues:
        typed.append(f"{_rescue(contract, fields, misfits, extra)} AS {identifier(RESCUED)}")
    failing = _failing_keys(contract, fields, extra)
    flags += [f"{condition} AS {identifier(_flag(problem))}" for problem, condition in failing.items()]
    differing = _differing(fields)
    flags += [f"{condition} AS {identifier(_flag(name))}" for name, condition in differing.items()]
    # The values are columns before they are checked, so that each is computed once.
    inner = f"SELECT {', '.join([*typed, *flags])} FROM (SELECT *, {', '.join(read)} FROM {fields.relation})"
    problems = [
        *((identifier(_flag(problem)), f"{FAILS_FILE}{problem}") for problem in failing),
        *_misfit_problems(contract, misfits, rescued=rescued),
        *_rule_problems(contract),
        *((identifier(_flag(name)), f"{name}: differs from the object's key") for name in differing),
    ]
    # A record may have several problems. Those that fail the file come first.
    problems.sort(key=lambda pair: not pair[1].startswith(FAILS_FILE))
    cases = " ".join(f"WHEN {condition} THEN {literal(problem)}" for condition, problem in problems)
    problem = f"CASE {cases} END" if cases else "NULL"
    names = [identifier(name) for name in column_names(contract)]
    return f"SELECT {', '.join(names)}, {problem} AS {identifier(PROBLEM)} FROM ({inner})"


def accepted(contract: Contract, records: str) -> str:
    """Return a SELECT of the published rows, given the SELECT of all records."""
    names = ", ".join(map(identifier, column_names(contract)))
    return f"SELECT {names} FROM ({records}) WHERE {identifier(PROBLEM)} IS NULL"


def refused(records: str) -> str:
    """Return a SELECT of the number (from 1) and the problem of each record that is not published."""
    numbered = f"SELECT row_number() OVER () AS number, {identifier(PROBLEM)} AS problem FROM ({records})"
    return f"SELECT number, problem FROM ({numbered}) WHERE problem IS NOT NULL"


def column_names(contract: Contract) -> list[str]:
    """Return the published column names, which are the same for every file of the dataset."""
    return [column.name for column in contract.columns] + ([RESCUED] if contract.rescues else [])


def warnings(contract: Contract, published: str) -> str | None:
    """Return a SELECT of how many published rows break each warning rule; None if there is no such rule."""
    rules = [rule for rule in contract.rules if rule.severity == "warning"]
    if not rules:
        return None
    counts = ", ".join(f"count(*) FILTER ({_is_broken(rule)}) AS {identifier(rule.name)}" for rule in rules)
    return f"SELECT {counts} FROM {published}"


def _with_members(contract: Contract, fields: Fields) -> Fields:
    """Return the fields of JSON with its members as a column of the relation."""
    keys = _keys(contract, fields)
    relation = f"(SELECT *, {members(fields.json, keys)} AS {_MEMBERS} FROM {fields.relation})"
    places = {key.lower(): f"{_MEMBERS}[{place}]" for place, key in enumerate(keys, 1)}
    return replace(fields, relation=relation, members=places)


def _keys(contract: Contract, fields: Fields) -> list[str]:
    """Return the keys that are read. A column may have the key of a partition column."""
    sources = (column.source for column in contract.columns)
    return list({key.lower(): key for key in (*fields.partitions, *sources)}.values())


def _values(contract: Contract, fields: Fields) -> dict[str, Value]:
    if fields.texts is None:
        return {
            column.name: json_value(fields.member(column.source), column, contract.reading)
            for column in contract.columns
        }
    _require_columns(contract, fields.by_name, fields.partitions)
    return {column.name: _field_value(fields, column, contract) for column in contract.columns}


def _field_value(fields: Fields, column: Column, contract: Contract) -> Value:
    text = fields.by_name.get(column.source.casefold())
    if text is None:
        return Value(expression=f"CAST(NULL AS {column.type.duckdb})")
    if column.type.kind == "double":
        text = fields.exact.get(text, text)
    text = present(text, contract.reading)
    if column.type.fields or column.type.items:
        # The text of a nested column is JSON. DuckDB would round a long number that is not a string.
        exact = f"regexp_replace({text}, {literal(_LONG_NUMBER)}, {literal(_AS_STRING)}, 'g')"
        json = f"TRY_CAST({exact} AS JSON)"
        value = nested_value(json, column, contract.reading)
        return replace(value, given=f"({text} IS NOT NULL AND json_type({json}) IS DISTINCT FROM 'NULL')")
    return column_value(text, column, contract.reading)


def _require_columns(contract: Contract, held: Mapping[str, str], partitions: Collection[str]) -> None:
    missing = [column for column in contract.columns if column.source.casefold() not in held]
    for column in missing:
        if column.required or contract.handling.missing_columns == "fail":
            raise UnreadableError(
                f"the contract {contract.name} {contract.version} needs the column {column.source!r},"
                " and the file does not have it"
            )
    known = {column.source.casefold() for column in contract.columns}
    unexpected = held.keys() - known - {name.casefold() for name in partitions}
    if unexpected and contract.handling.unexpected_columns == "fail":
        raise UnreadableError(
            f"the contract {contract.name} {contract.version} does not have {len(unexpected)} of the file's"
            " columns. The profile of a published file lists the expected columns"
        )


def _unexpected(
    contract: Contract, fields: Fields, values: Mapping[str, Value], misfits: Mapping[str, str]
) -> str:
    """Return SQL of a JSON object with what is not in the contract; empty if there is nothing.

    It has the fields that are not in the contract, and the whole value of each column that holds an object
    with such a field.
    """
    handling = contract.handling
    are_rescued = handling.unexpected_columns == handling.bad_values == "rescue"
    # A value that does not fit is rescued whole in any case, and must not be rescued twice.
    nested = {
        column.source: f"({value.unexpected} AND NOT {misfits[column.name]})"
        if are_rescued
        else value.unexpected
        for column in contract.columns
        if (value := values[column.name]).unexpected != "false"
    }
    if fields.texts is None:
        return _unexpected_keys(_keys(contract, fields), fields, nested)
    known = {
        name.casefold() for name in (*(column.source for column in contract.columns), *fields.partitions)
    }
    pairs = [
        f"{literal(name)}, {text}"
        for name, text in fields.texts.items()
        if name.strip().casefold() not in known
    ]
    pairs += (
        f"{literal(source)}, CASE WHEN {inside} THEN {fields.by_name[source.casefold()]} END"
        for source, inside in nested.items()
    )
    # The merge removes null fields, which have nothing to rescue.
    return f"json_merge_patch('{{}}', json_object({', '.join(pairs)}))" if pairs else ""


def _unexpected_keys(keys: Sequence[str], fields: Fields, nested: Mapping[str, str]) -> str:
    """Return SQL of a record of JSON without its members that have these keys.

    Args:
        keys: The keys.
        fields: The fields.
        nested: SQL conditions under which a member is kept, by its key.
    """
    wanted = ", ".join(f"{{'key': {literal(key)}, 'name': {literal(key.lower())}}}" for key in keys)
    other = other_key("record.keys")
    held = f"CASE WHEN list_contains(record.keys, wanted.key) THEN wanted.key ELSE {other} END"
    removed = f"CASE WHEN NOT record.kept[place] THEN {held} END"
    removed = f"list_transform([{wanted}], lambda wanted, place: {removed})"
    removed = f"list_filter({removed}, lambda key: key IS NOT NULL)"
    texts = f"list_transform({removed}, lambda key: CAST(to_json(key) AS VARCHAR) || ':null')"
    # A merge patch removes the keys whose value is null in the patch (RFC 7396).
    patch = f"CAST('{{' || array_to_string({texts}, ',') || '}}' AS JSON)"
    given = f"list_filter({_MEMBERS}, lambda member: member.json IS NOT NULL)"
    has_more = f"list_bool_or(record.kept) OR len(record.keys) > len({given})"
    rest = f"CASE WHEN {has_more} THEN json_merge_patch({fields.json}, {patch}) ELSE '{{}}' END"
    kept = ", ".join(nested.get(key, "false") for key in keys)
    record = f"{{'keys': json_keys({fields.json}), 'kept': [{kept}]}}"
    return f"list_transform([{record}], lambda record: {rest})[1]"


def _failing_keys(contract: Contract, fields: Fields, extra: str) -> dict[str, str]:
    """Return SQL conditions under which a record fails the file, by reason.

    The columns of a file that is not JSON have been checked before. Its nested values have not.
    """
    conditions = {}
    if extra and contract.handling.unexpected_columns == "fail":
        conditions["a key that the contract does not have"] = f"{extra} <> '{{}}'"
    if fields.texts is None and contract.handling.missing_columns == "fail":
        absent = " OR ".join(f"{fields.member(column.source)}.json IS NULL" for column in contract.columns)
        conditions["a key of the contract is missing"] = f"({absent})"
    return conditions


def _rescue(contract: Contract, fields: Fields, misfits: Mapping[str, str], extra: str) -> str:
    """Return SQL of the JSON text for ``_rescued``; null if there is nothing to rescue."""
    members = []
    if extra and contract.handling.unexpected_columns == "rescue":
        members.append(f"nullif(CAST({extra} AS VARCHAR)[2:-2], '')")
    if contract.handling.bad_values == "rescue":
        for column in contract.columns:
            if column.name in misfits:
                key = literal(f"{json.dumps(column.source, ensure_ascii=False)}:")
                value = f"CAST(to_json({_raw(column, fields)}) AS VARCHAR)"
                members.append(f"CASE WHEN {misfits[column.name]} THEN {key} || {value} END")
    if not members:
        return "CAST(NULL AS VARCHAR)"
    # A merge of JSON objects would remove the nulls in their values (RFC 7396).
    return f"nullif('{{' || concat_ws(',', {', '.join(members)}) || '}}', '{{}}')"


def _raw(column: Column, fields: Fields) -> str:
    if fields.texts is None:
        return f"{fields.member(column.source)}.json"
    return fields.by_name[column.source.casefold()]


def _misfit_problems(
    contract: Contract, misfits: Mapping[str, str], *, rescued: bool
) -> list[tuple[str, str]]:
    fails = FAILS_FILE if contract.handling.bad_values == "fail" else ""
    problems = []
    for column in contract.columns:
        name = identifier(column.name)
        if column.name in misfits and not rescued:
            problems.append(
                (identifier(_flag(column.name)), f"{fails}{column.name}: does not fit {column.type.duckdb}")
            )
        if column.required:
            problems.append((f"{name} IS NULL", f"{column.name}: is required but null"))
    return problems


def _rule_problems(contract: Contract) -> list[tuple[str, str]]:
    return [
        (
            _is_broken(rule),
            f"{FAILS_FILE if rule.severity == 'critical' else ''}{rule.name}: the rule is broken",
        )
        for rule in contract.rules
        if rule.severity != "warning"
    ]


def _is_broken(rule: Rule) -> str:
    """Return SQL that is true if a row breaks a rule. An error breaks it too; a null does not."""
    return f"TRY(({rule.expression}) IS NOT FALSE) IS NOT TRUE"


def _differing(fields: Fields) -> dict[str, str]:
    """Return, for each partition column in the records, SQL that tells whether it differs from the key."""
    conditions = {}
    for name, texts in fields.partitions.items():
        if fields.texts is None:
            text = f"{fields.member(name)}.string"
        else:
            text = fields.by_name.get(name.casefold(), "")
        if text:
            conditions[name] = f"coalesce({text} NOT IN ({', '.join(map(literal, texts))}), false)"
    return conditions


def _flag(column: str) -> str:
    return f"_misfit {column}"


def _value(column: str) -> str:
    """Return the SQL name of a column's value before it is checked. No column of a file has such a name."""
    return identifier(f"_value {column}")
