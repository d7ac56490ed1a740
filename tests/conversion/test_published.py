"""The published type and name for each source type and name. tests/readers reads them with every engine."""

import json
from dataclasses import replace

import pytest

from conversion.names import BYTES_MAX, column_names, field_names
from conversion.published import LEVELS_MAX, conditions, published
from tests.conversion import support


@pytest.fixture
def connection():
    with support.connection() as connection:
        yield connection


def publish(connection, values: str, type_: str, column: str = "v"):
    """Publish a column of these values (SQL). Return how it is published, and the values as text."""
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE data AS SELECT v::{type_} AS v FROM (VALUES {values}) t(v)"
    )
    (source,) = connection.sql("FROM data").types
    asked = [f"coalesce(bool_and({condition}), true)" for condition in conditions("v", source)]
    fits = connection.execute(f"SELECT {', '.join(asked)} FROM data").fetchall()[0] if asked else ()
    result = published(column, column, "v", source, fits)
    relation = connection.sql(f"SELECT {result.expression} AS v FROM data")
    assert relation.types == [connection.sqltype(result.type)]
    texts = connection.sql("SELECT v::VARCHAR FROM relation").fetchall()
    result = replace(result, type=str(connection.sqltype(result.type)))
    return result, [text for (text,) in texts]


SAME = [
    ("BOOLEAN", "true"),
    ("TINYINT", "-5"),
    ("SMALLINT", "-500"),
    ("INTEGER", "5"),
    ("BIGINT", "9223372036854775807"),
    ("FLOAT", "1.5"),
    ("DOUBLE", "1.5"),
    ("DECIMAL(25,2)", "1.50"),
    ("DECIMAL(38,10)", "1.0000000005"),
    ("VARCHAR", "x"),
    ("BLOB", r"\xFF"),
    ("DATE", "0001-01-01"),
    ("DATE", "9999-12-31"),
    ("TIMESTAMP", "0001-01-01 00:00:00"),
    ("TIMESTAMP", "9999-12-31 23:59:59.999999"),
    ("TIMESTAMP WITH TIME ZONE", "2024-01-31 10:11:12.5+00"),
]


@pytest.mark.parametrize(("type_", "text"), SAME)
@pytest.mark.parametrize("within", ["{}", "{}[]", 'STRUCT("a b" {})', "MAP(VARCHAR, {})"])
def test_types_that_all_engines_read_stay(connection, type_, text, within):
    whole = within.format(type_)
    values = {"{}": f"'{text}'::{type_}", "{}[]": f"['{text}'::{type_}]"}.get(
        within,
        f"{{'a b': '{text}'::{type_}}}" if "STRUCT" in within else f"MAP {{'k': '{text}'::{type_}}}",
    )
    result, _ = publish(connection, f"({values}), (NULL)", whole)
    assert (result.expression, result.type) == ("v", result.source_type)
    assert not result.renamed


CHANGED = [
    ("DECIMAL(4,1)", "1.5", "DECIMAL(20,1)", "1.5"),
    ("DECIMAL(9,2)", "1.50", "DECIMAL(21,2)", "1.50"),
    ("DECIMAL(18,2)", "1.50", "DECIMAL(21,2)", "1.50"),
    ("DECIMAL(18,0)", "15", "DECIMAL(19,0)", "15"),
    ("DECIMAL(18,18)", "0." + "5" * 18, "DECIMAL(37,18)", "0." + "5" * 18),
    ("UTINYINT", "255", "SMALLINT", "255"),
    ("USMALLINT", "65535", "INTEGER", "65535"),
    ("UINTEGER", "4294967295", "BIGINT", "4294967295"),
    ("UBIGINT", "18446744073709551615", "DECIMAL(20,0)", "18446744073709551615"),
    ("HUGEINT", "9" * 38, "DECIMAL(38,0)", "9" * 38),
    ("HUGEINT", "1" + "0" * 38, "VARCHAR", "1" + "0" * 38),
    ("UHUGEINT", "7", "DECIMAL(38,0)", "7"),
    ("TIME", "10:11:12.500", "VARCHAR", "10:11:12.5"),
    ("TIME WITH TIME ZONE", "10:11:12.5+02", "VARCHAR", "10:11:12.5+02"),
    ("TIME_NS", "10:11:12.500000001", "VARCHAR", "10:11:12.500000001"),
    ("INTERVAL", "1 month 2 days 3 seconds", "VARCHAR", "1 month 2 days 00:00:03"),
    ("UUID", "6f1c1f8e-0000-4000-8000-000000000001", "VARCHAR", "6f1c1f8e-0000-4000-8000-000000000001"),
    ("JSON", '{"a": 1.50}', "VARCHAR", '{"a": 1.50}'),
    ("VARIANT", "x", "VARCHAR", '"x"'),
    ("ENUM('a', 'b')", "b", "VARCHAR", "b"),
    ("BIT", "0101", "VARCHAR", "0101"),
    ("BIGNUM", "7" * 50, "VARCHAR", "7" * 50),
    ("TIMESTAMP_S", "2024-01-31 10:11:12", "TIMESTAMP", "2024-01-31 10:11:12"),
    ("TIMESTAMP_S", "20000-01-31 10:11:12", "VARCHAR", "20000-01-31 10:11:12"),
    ("TIMESTAMP_MS", "2024-01-31 10:11:12.5", "TIMESTAMP", "2024-01-31 10:11:12.5"),
    ("TIMESTAMP_NS", "2024-01-31 10:11:12.123456", "TIMESTAMP", "2024-01-31 10:11:12.123456"),
    ("TIMESTAMP_NS", "2024-01-31 10:11:12.123456789", "VARCHAR", "2024-01-31 10:11:12.123456789"),
    ("TIMESTAMP_NS", "infinity", "VARCHAR", "infinity"),
    ("TIMESTAMPTZ_NS", "2024-01-31 10:11:12.5", "TIMESTAMP WITH TIME ZONE", "2024-01-31 10:11:12.5+00"),
    ("TIMESTAMPTZ_NS", "2024-01-31 10:11:12.123456789", "VARCHAR", "2024-01-31 10:11:12.123456789+00"),
    ("DATE", "20000-01-01", "VARCHAR", "20000-01-01"),
    ("DATE", "0044-03-15 (BC)", "VARCHAR", "0044-03-15 (BC)"),
    ("DATE", "infinity", "VARCHAR", "infinity"),
    ("TIMESTAMP", "infinity", "VARCHAR", "infinity"),
    ("TIMESTAMP", "10000-01-01 00:00:00", "VARCHAR", "10000-01-01 00:00:00"),
    ("TIMESTAMP WITH TIME ZONE", "-infinity", "VARCHAR", "-infinity"),
]


@pytest.mark.parametrize(("type_", "text", "to", "read"), CHANGED)
def test_other_types_are_published_as_one_that_all_engines_read(connection, type_, text, to, read):
    result, texts = publish(connection, f"('{text}'), (NULL)", type_)
    assert (result.type, texts) == (to, [read, None])
    assert result.source_type == str(connection.sqltype(type_))


@pytest.mark.parametrize(("type_", "text", "to", "read"), CHANGED)
def test_so_they_are_at_any_depth(connection, type_, text, to, read):
    value = f"'{text}'::{type_}"
    nested = f"{{'a': [{{'b': MAP {{'k': {value}, 'n': NULL}}}}, NULL, {{'b': NULL}}], 'c': 5}}"
    whole = f"STRUCT(a STRUCT(b MAP(VARCHAR, {type_}))[], c INTEGER)"
    result, _ = publish(
        connection, f"({nested}), (NULL), ({{'a': NULL, 'c': 6}}), ({{'a': [], 'c': 7}})", whole
    )
    assert result.type == f"STRUCT(a STRUCT(b MAP(VARCHAR, {to}))[], c INTEGER)"
    rows = connection.sql(f"SELECT ({result.expression}) AS v FROM data").query(
        "r", "SELECT v.a[1].b['k']::VARCHAR, v.a[1].b['n'], len(v.a), v.a[2] IS NULL, v IS NULL, v.c FROM r"
    )
    assert rows.fetchall() == [
        (read, None, 3, True, False, 5),
        (None, None, None, True, True, None),
        (None, None, None, True, False, 6),
        (None, None, 0, True, False, 7),
    ]


def test_each_part_of_a_column_is_judged_by_its_own_values(connection):
    values = "({'d': [DATE '2024-01-01'], 't': 'infinity'::TIMESTAMP}), ({'d': [NULL], 't': NULL})"
    result, texts = publish(connection, values, "STRUCT(d DATE[], t TIMESTAMP)")
    assert result.type == "STRUCT(d DATE[], t VARCHAR)"
    assert texts == ["{'d': [2024-01-01], 't': infinity}", "{'d': [NULL], 't': NULL}"]


def test_the_keys_of_a_map_are_published_as_its_values_are(connection):
    result, texts = publish(connection, "(MAP {TIME '10:00:00': UUID '" + "0" * 32 + "'})", "MAP(TIME, UUID)")
    assert (result.type, texts) == (
        "MAP(VARCHAR, VARCHAR)",
        ["{'10:00:00'=00000000-0000-0000-0000-000000000000}"],
    )


def test_arrays_and_unions_and_columns_of_nothing(connection):
    assert publish(connection, "([1, 2]), (NULL)", "INTEGER[2]")[0].type == "INTEGER[]"
    assert publish(connection, "(['10:00:00', NULL])", "TIME[2]")[1] == ["['10:00:00', NULL]"]
    result, texts = publish(connection, "(union_value(a := 5))", "UNION(a INTEGER, b VARCHAR)")
    assert (result.type, texts) == ("VARCHAR", ['{"a":5}'])
    assert publish(connection, "(NULL)", '"NULL"')[0].type == "VARCHAR"


@pytest.mark.parametrize(("levels", "kept"), [(LEVELS_MAX, True), (LEVELS_MAX + 1, False), (90, False)])
def test_structs_that_are_too_deep_are_text_of_json(connection, levels, kept):
    value, type_ = "DATE '20000-01-01'", "DATE"
    for _ in range(levels):
        value, type_ = f"{{'a': {value}}}", f"STRUCT(a {type_})"
    result, texts = publish(connection, f"({value}), (NULL)", type_)
    assert result.type.startswith("STRUCT") == kept
    if not kept:
        assert json.loads(texts[0]) == json.loads('{"a":' * levels + '"20000-01-01"' + "}" * levels)
        assert texts[1] is None


def test_fields_are_renamed_and_said_to_be(connection):
    result, texts = publish(
        connection,
        "({'a,b': 1, 'a:b': [{'@type': 'x'}], 'userId': 2, 'map': MAP {'k': {'x/y': 3}}})",
        'STRUCT("a,b" INTEGER, "a:b" STRUCT("@type" VARCHAR)[], "userId" INTEGER, '
        'map MAP(VARCHAR, STRUCT("x/y" INTEGER)))',
        "col",
    )
    assert texts == ["{'a_b': 1, 'a_b_2': [{'_type': x}], 'userId': 2, 'map': {k={'x_y': 3}}}"]
    assert [(".".join(field.field), field.source_name) for field in result.renamed] == [
        ("col.a_b", "a,b"),
        ("col.a_b_2", "a:b"),
        ("col.a_b_2._type", "@type"),
        ("col.map.value.x_y", "x/y"),
    ]


@pytest.mark.parametrize(
    ("sources", "names"),
    [
        (["id", "id", "ID"], ["id", "id_2", "ID_3"]),
        (["id", "id", "id_2"], ["id", "id_3", "id_2"]),
        ([" a ", "a"], ["a_2", "a"]),
        (["", "x", " "], ["column_1", "x", "column_3"]),
        (["", "column_1"], ["column_1_2", "column_1"]),
        (["$path", "$PATH", "$bucket", "$partition"], ["_path", "_PATH_2", "_bucket", "_partition"]),
        (["$file_size", "$file_modified_time", "$row_id"], ["_file_size", "_file_modified_time", "_row_id"]),
        (["$path", "_path"], ["_path_2", "_path"]),
        (["$price", "a-b", "größe", "名"], ["$price", "a-b", "größe", "名"]),
        (["İd", "id"], ["Id_2", "id"]),
        (["\u0131", "i", "I"], ["\u0131", "i_2", "I_3"]),
        (["\ufeffa", "a\nb", "a\u2028b"], ["a", "a b", "a b_2"]),
    ],
)
def test_names_of_columns(sources, names):
    assert column_names(sources) == tuple(names)


@pytest.mark.parametrize(
    ("sources", "names"),
    [
        (["a-b", "a,b", "a_b"], ["a_b_2", "a_b_3", "a_b"]),
        (["dc:title", "@type", "a/b", "a;b"], ["dc_title", "_type", "a_b", "a_b_2"]),
        (
            ["a.b", "a b", "$oid", "Größe", "名", "userId", "7"],
            ["a.b", "a b", "$oid", "Größe", "名", "userId", "7"],
        ),
        (["gro\u0308ße", "x²", "🎉", "\U0001d49c"], ["größe", "x_", "_", "__2"]),
        (["İd", "$path", " a ", "", "\n"], ["Id", "_path", "a", "field_4", "_"]),
    ],
)
def test_names_of_fields(sources, names):
    assert field_names(sources) == tuple(names)


@pytest.mark.parametrize("char", ["x", "名", "🎉", "ß"])
@pytest.mark.parametrize("names_of", [column_names, field_names])
def test_names_have_at_most_255_bytes(char, names_of):
    long = char * 300
    names = names_of([long, long, long + "y", " " + long])
    assert all(len(name.encode()) <= BYTES_MAX for name in names)
    assert len({name.casefold() for name in names}) == len(names)
    assert len(names[0].encode()) > BYTES_MAX - 4


def test_thousands_of_equal_names_take_linear_time(monkeypatch):
    """Each name is compared a bounded number of times. Counts are stable where times are not."""
    looked_at = 0

    def key(name: str) -> str:
        nonlocal looked_at
        looked_at += 1
        return name.casefold()

    monkeypatch.setattr("conversion.names._key", key)
    equal = ["id"] * 5000 + ["ID_7"] * 5000 + ["x" * 250 + str(i // 3) for i in range(6000)]
    assert len(set(column_names(equal))) == 16_000
    assert looked_at < 16_000 * 10
