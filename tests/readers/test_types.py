"""Every type of an upload, alone, in a list, in a struct and as the value of a map."""

import pytest

from tests.readers.published import difference, publish, publish_query

VALUES = {
    "BOOLEAN": ["true", "false"],
    "TINYINT": ["-128", "127"],
    "SMALLINT": ["-32768", "32767"],
    "INTEGER": ["-2147483648", "2147483647"],
    "BIGINT": ["-9007199254740992", "9007199254740992"],
    "UTINYINT": ["255", "0"],
    "USMALLINT": ["65535", "0"],
    "UINTEGER": ["4294967295", "1"],
    "UBIGINT": ["18446744073709551615", "1"],
    "FLOAT": ["1.1", "nan", "-inf", "-0.0"],
    "DOUBLE": ["1.1", "nan", "inf", "-0.0", "5e-324", "1.7976931348623157e308"],
    "DECIMAL(4,1)": ["-999.9", "0.1"],
    "DECIMAL(9,2)": ["-9999999.99", "0.01"],
    "DECIMAL(18,2)": ["-9999999999999999.99", "0.01"],
    "DECIMAL(38,10)": ["-9999999999999999999999999999.9999999999", "0.0000000001"],
    "VARCHAR": ["", "größe", "名 🎉", "a\nb"],
    "BLOB": [r"\xFF\x00", ""],
    "DATE": ["0001-01-01", "1500-03-01", "1582-10-10", "1970-01-01", "9999-12-31"],
    "TIME": ["10:11:12.5", "23:59:59.999999"],
    "TIMETZ": ["10:11:12.5+02"],
    "TIME_NS": ["10:11:12.123456789"],
    "TIMESTAMP": [
        "0001-01-01 00:00:00",
        "1800-01-01 10:00:00",
        "2024-01-31 10:11:12.123",
        "9999-12-31 23:59:59",
    ],
    "TIMESTAMPTZ": ["0001-01-02 00:00:00+00", "1800-01-01 10:00:00+00", "2024-01-31 10:11:12.123+00"],
    "TIMESTAMP_S": ["2024-01-31 10:11:12"],
    "TIMESTAMP_MS": ["2024-01-31 10:11:12.123"],
    "TIMESTAMP_NS": ["2024-01-31 10:11:12.123", "1900-01-01 00:00:00"],
    "UUID": ["6f1c1f8e-0000-4000-8000-000000000001"],
    "INTERVAL": ["1 month 2 days 00:00:03"],
    "JSON": ['{"a": [1, 2.50, null]}', '"x"'],
    "ENUM('a', 'b')": ["a", "b"],
    "BIT": ["0101"],
    "BIGNUM": ["7" * 50],
}
BEYOND = {
    "DATE": ["20000-01-01", "0044-03-15 (BC)", "infinity", "2024-01-01"],
    "TIMESTAMP": ["infinity", "2024-01-01 10:00:00", "20000-01-01 00:00:00"],
    "TIMESTAMPTZ": ["-infinity", "2024-01-01 10:00:00+00"],
    "TIMESTAMP_NS": ["2024-01-31 10:11:12.123456789"],
}
FORMS = ("v", "[v, NULL]", "{'a b': v, 'c': 1}", "MAP {'k': v, 'n': NULL}", "[{'x': [v]}]")


@pytest.mark.parametrize("type_", VALUES)
def test_a_type(engine, folder, type_):
    check(engine, folder, type_, VALUES[type_])


@pytest.mark.parametrize("type_", BEYOND)
def test_values_beyond_what_a_type_can_hold_everywhere(engine, folder, type_):
    check(engine, folder, type_, BEYOND[type_], "beyond")


def check(engine, folder, type_, values, kind="type"):
    path = folder / f"{kind}-{''.join(filter(str.isalnum, type_))}.parquet"
    if not path.exists():
        rows = ", ".join("('{}')".format(value.replace("'", "''")) for value in values)
        columns = ", ".join(f"{form} AS c{number}" for number, form in enumerate(FORMS))
        publish_query(
            f"SELECT {columns}, r FROM (SELECT t::{type_} AS v, r FROM (VALUES {rows}, (NULL)) t(t) "
            "POSITIONAL JOIN range(100) u(r) WHERE r <= " + str(len(values)) + ")",
            path,
        )
    assert difference(engine, path) is None


NESTED = {
    "deep": b'{"id":1,"s":' + b'{"a":' * 100 + b"1" + b"}" * 101 + b"\n",
    "shapes": b'{"v":1}\n{"v":"x"}\n{"v":{"a":1}}\n',
    "nothing": b'{"id":1,"v":null}\n{"id":2,"v":null}\n',
    "empty objects": b'{"id":1,"v":{}}\n{"id":2,"v":{}}\n',
    "empty lists": b'{"id":1,"v":[]}\n{"id":2,"v":[]}\n',
    "lists of nulls": b'{"v":[null]}\n{"v":[]}\n{"v":null}\n',
    "structs of lists": b'{"v":{"a":[{"b":[1,2]},{"b":null}]}}\n{"v":null}\n{"v":{"a":[]}}\n',
    "lists of lists": b'{"v":[[1],[],null,[2,null]]}\n{"v":[]}\n',
}


@pytest.mark.parametrize("name", NESTED)
def test_nested_json(engine, folder, name):
    path = folder / f"nested-{name}.parquet"
    if not path.exists():
        publish(NESTED[name], path, "input/nested.ndjson")
    assert difference(engine, path) is None
