"""A record is published, rescued or rejected, or fails its file, as the contract says."""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

import pytest

from conversion import UnreadableError
from conversion.contract.model import Column, Contract, Handling, Rule, Type
from conversion.contract.query import Fields, checked, column_names, warnings
from conversion.refused import FAILS_FILE
from tests.conversion.support import connection
from tests.conversion.test_contract_values import READING

INTEGER = Type(kind="bigint", duckdb="BIGINT")
TEXT = Type(kind="string", duckdb="VARCHAR")


def contract(rules: tuple[Rule, ...] = (), **handling: str) -> Contract:
    chosen = Handling(
        **{
            "unexpected_columns": "rescue",
            "missing_columns": "asNull",
            "bad_values": "reject",
            "rejected_share_max": None,
            **handling,
        }
    )
    columns = (
        Column(name="id", source="ID", type=INTEGER, required=True, format=None, time_zone="UTC"),
        Column(name="n", source="n", type=INTEGER, required=False, format=None, time_zone="UTC"),
        Column(name="t", source="some text", type=TEXT, required=False, format=None, time_zone="UTC"),
    )
    rescues = "rescue" in (chosen.unexpected_columns, chosen.bad_values)
    return Contract(
        name="c", version="1", columns=columns, rescues=rescues, reading=READING, handling=chosen, rules=rules
    )


def of_texts(by: Contract, *records: Mapping[str, str | None]) -> list[dict[str, Any]]:
    names = list(records[0])
    rows = ", ".join("(" + ", ".join("?" for _ in names) + ")" for _ in records)
    relation = f"(VALUES {rows}) r({', '.join(f'c{i}' for i in range(len(names)))})"
    fields = Fields(relation=relation, texts={name: f"c{i}" for i, name in enumerate(names)})
    return asked(by, fields, [value for record in records for value in record.values()])


def of_json(by: Contract, *records: str) -> list[dict[str, Any]]:
    rows = ", ".join("(?::JSON)" for _ in records)
    return asked(by, Fields(relation=f"(VALUES {rows}) r(j)", json="j"), list(records))


def asked(by: Contract, fields: Fields, values: list[Any]) -> list[dict[str, Any]]:
    with connection() as connected:
        rows = connected.execute(checked(by, fields), values).fetchall()
    return [dict(zip([*column_names(by), "problem"], row, strict=True)) for row in rows]


HANDLINGS = ("rescue", "drop", "fail")
INNER = Type(kind="struct", duckdb='STRUCT("a" BIGINT)', fields=(("a", INTEGER),))
ITEM = Type(kind="struct", duckdb='STRUCT("k" VARCHAR)', fields=(("k", TEXT),))
USER = Type(
    kind="struct",
    duckdb='STRUCT("userid" BIGINT, "o" STRUCT("a" BIGINT), "l" STRUCT("k" VARCHAR)[])',
    fields=(
        ("userid", INTEGER),
        ("o", INNER),
        ("l", Type(kind="array", duckdb='STRUCT("k" VARCHAR)[]', items=ITEM)),
    ),
)


def with_object(unexpected: str, *, bad_values: str = "reject") -> Contract:
    """Return a contract with one column, ``usr``, that holds an object."""
    column = Column(name="usr", source="usr", type=USER, required=False, format=None, time_zone="UTC")
    by = contract(unexpected_columns=unexpected, bad_values=bad_values)
    return dataclasses.replace(by, columns=(column,))


def of_object(form: str, by: Contract, value: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row of a record whose only field is an object."""
    (row,) = (
        of_texts(by, {"usr": json.dumps(value)})
        if form == "texts"
        else of_json(by, json.dumps({"usr": value}))
    )
    return row


def rescued_object(form: str, row: Mapping[str, Any]) -> Any:
    """Return the object in ``_rescued``. Outside JSON, a rescued value is text."""
    value = json.loads(row["_rescued"])["usr"]
    return json.loads(value) if form == "texts" else value


def test_columns_are_taken_by_name_and_the_rest_is_rescued() -> None:
    rows = of_texts(
        contract(),
        {"n": "2", "extra": "x", " id ": "1", "Some Text": "a", "more": None},
        {"n": "", "extra": None, " id ": "2", "Some Text": "", "more": None},
    )

    assert rows == [
        {"id": 1, "n": 2, "t": "a", "_rescued": '{"extra":"x"}', "problem": None},
        {"id": 2, "n": None, "t": None, "_rescued": None, "problem": None},
    ]


def test_json_is_taken_by_key_and_the_rest_is_rescued() -> None:
    rows = of_json(contract(), '{"n":2,"ID":"1","deep":{"a":[1]}}', '{"ID":2,"some text":"a"}')

    assert rows == [
        {"id": 1, "n": 2, "t": None, "_rescued": '{"deep":{"a":[1]}}', "problem": None},
        {"id": 2, "n": None, "t": "a", "_rescued": None, "problem": None},
    ]


@pytest.mark.parametrize(
    "source", ["*", "#", "$", "$.ID", "a.b", 'a"b', "a\\b", "~", "~1", "/", "/ID", "[0]", "0", "-", " ", "ü"]
)
def test_a_key_of_json_is_taken_literally(source: str) -> None:
    by = contract()
    by = dataclasses.replace(by, columns=(by.columns[0], dataclasses.replace(by.columns[2], source=source)))

    rows = of_json(by, json.dumps({"ID": 1, source: "x", "other": "y"}), '{"ID":2}')

    assert rows == [
        {"id": 1, "t": "x", "_rescued": '{"other":"y"}', "problem": None},
        {"id": 2, "t": None, "_rescued": None, "problem": None},
    ]


@pytest.mark.parametrize("form", ["texts", "json"])
@pytest.mark.parametrize(
    ("value", "published"),
    [
        ({"UserId": 42, "l": [{"k": "x"}]}, {"userid": 42, "o": None, "l": [{"k": "x"}]}),
        ({"o": {"A": 1}, "l": None}, {"userid": None, "o": {"a": 1}, "l": None}),
    ],
)
def test_fields_of_objects_are_taken_as_columns_are(
    form: str, value: dict[str, Any], published: dict[str, Any]
) -> None:
    for by in map(with_object, HANDLINGS):
        assert of_object(form, by, value)["problem"] is None
        assert of_object(form, by, value).get("_rescued") is None
        assert of_object(form, by, value)["usr"] == published


@pytest.mark.parametrize("form", ["texts", "json"])
@pytest.mark.parametrize(
    ("value", "published"),
    [
        ({"userid": 43, "email": "a@b.c"}, {"userid": 43, "o": None, "l": None}),
        ({"userid": 43, "USERID": None}, {"userid": 43, "o": None, "l": None}),
        ({"o": {"a": 1, "lost": "s"}}, {"userid": None, "o": {"a": 1}, "l": None}),
        (
            {"l": [None, {"k": "x"}, {"lost": 5}]},
            {"userid": None, "o": None, "l": [None, {"k": "x"}, {"k": None}]},
        ),
    ],
)
def test_an_object_with_an_unexpected_field_is_rescued_whole_or_fails_the_file(
    form: str, value: dict[str, Any], published: dict[str, Any]
) -> None:
    rescue, drop, fail = (of_object(form, with_object(handling), value) for handling in HANDLINGS)

    assert (rescue["usr"], rescue["problem"]) == (published, None)
    assert rescued_object(form, rescue) == value
    assert (drop["usr"], drop["problem"]) == (published, None)
    assert fail["problem"].startswith(FAILS_FILE)


@pytest.mark.parametrize("form", ["texts", "json"])
def test_an_object_that_does_not_fit_is_rescued_once_with_its_nulls(form: str) -> None:
    value = {"userid": "x", "email": None, "o": {"a": None}}

    row = of_object(form, with_object("rescue", bad_values="rescue"), value)

    assert (row["usr"], row["problem"]) == (None, None)
    assert rescued_object(form, row) == value
    assert row["_rescued"].count("email") == 1


@pytest.mark.parametrize("form", ["texts", "json"])
def test_unexpected_columns_are_dropped(form: str) -> None:
    by = contract(unexpected_columns="drop")

    rows = of_texts(by, {"id": "1", "x": "y"}) if form == "texts" else of_json(by, '{"ID":1,"x":"y"}')

    assert rows == [{"id": 1, "n": None, "t": None, "problem": None}]


def test_unexpected_columns_fail_the_file() -> None:
    by = contract(unexpected_columns="fail")

    with pytest.raises(UnreadableError, match="does not have 1 of"):
        of_texts(by, {"id": "1", "x": "y"})
    assert of_json(by, '{"ID":1,"x":1}')[0]["problem"].startswith(FAILS_FILE)
    assert of_json(by, '{"ID":1}')[0]["problem"] is None


def test_missing_columns_are_null_or_fail_the_file() -> None:
    assert of_texts(contract(), {"id": "1"})[0]["problem"] is None
    with pytest.raises(UnreadableError, match="needs the column 'n'"):
        of_texts(contract(missing_columns="fail"), {"id": "1", "some text": "a"})
    with pytest.raises(UnreadableError, match="needs the column 'ID'"):
        of_texts(contract(), {"n": "1"})


def test_what_does_not_fit_rejects_its_row_with_its_column() -> None:
    (row,) = of_texts(contract(), {"id": "1", "n": "many"})

    assert row["problem"] == "n: does not fit BIGINT"


def test_what_does_not_fit_fails_the_file() -> None:
    (row,) = of_texts(contract(bad_values="fail"), {"id": "1", "n": "many"})

    assert row["problem"] == f"{FAILS_FILE}n: does not fit BIGINT"


@pytest.mark.parametrize("form", ["texts", "json"])
def test_what_does_not_fit_is_rescued(form: str) -> None:
    by = contract(bad_values="rescue")

    rows = (
        of_texts(by, {"id": "1", "n": "many", "x": "y"})
        if form == "texts"
        else of_json(by, '{"ID":1,"n":"many","x":"y"}')
    )

    assert rows == [{"id": 1, "n": None, "t": None, "_rescued": '{"x":"y","n":"many"}', "problem": None}]


def test_a_null_in_a_required_column_rejects_its_row_even_where_values_are_rescued() -> None:
    (row,) = of_texts(contract(bad_values="rescue"), {"id": "one"})

    assert row["problem"] == "id: is required but null"


def test_rules_reject_warn_or_fail() -> None:
    rules = (
        Rule(name="small", expression='"n" < 10', severity="error"),
        Rule(name="tiny", expression='"n" < 3', severity="warning"),
        Rule(name="sane", expression='"n" < 1000', severity="critical"),
    )
    by = contract(rules)
    rows = of_texts(by, *({"id": "1", "n": text} for text in ("1", "5", "50", "", "5000")))

    assert [row["problem"] for row in rows] == [
        None, None, "small: the rule is broken", None, f"{FAILS_FILE}sane: the rule is broken",
    ]  # fmt: skip
    statement = warnings(by, "(VALUES (1), (5), (NULL)) r(n)")
    assert statement is not None
    with connection() as connected:
        assert connected.execute(statement).fetchall() == [(1,)]


@pytest.mark.parametrize(
    ("expression", "record"),
    [
        ('"n" * "n" < 100', {"id": "1", "n": "9223372036854775807"}),
        ('CAST("t" AS BIGINT) > 5', {"id": "1", "some text": "abc"}),
        ('"n" * 1000000000000000000000 <= 100.5', {"id": "1", "n": "9223372036854775807"}),
    ],
)
def test_a_rule_that_cannot_be_evaluated_is_broken(expression: str, record: dict[str, str]) -> None:
    kept = {"id": "2"}
    for severity, problem in (("error", "r: the rule is broken"), ("critical", f"{FAILS_FILE}r: the rule")):
        by = contract((Rule(name="r", expression=expression, severity=severity),))
        broken, null = of_texts(by, record, dict.fromkeys(record) | kept)
        assert broken["problem"].startswith(problem)
        assert null["problem"] is None

    statement = warnings(
        contract((Rule(name="r", expression=expression, severity="warning"),)),
        "(VALUES (9223372036854775807, 'abc'), (NULL, NULL)) r(n, t)",
    )
    assert statement is not None
    with connection() as connected:
        assert connected.execute(statement).fetchall() == [(1,)]


def test_names_with_quotes_are_names() -> None:
    (row,) = of_texts(contract(), {"id": "1", "a'b\"c": "x"})

    assert row["_rescued"] == '{"a\'b\\"c":"x"}'
