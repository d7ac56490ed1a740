"""Values reach the contract as they are in the file, whatever its format: nested, large, empty or far."""

import json
from decimal import Decimal

import pytest

from conversion import EmptyError, UnreadableError
from conversion.contract.model import Type
from conversion.model import HEAD_BYTES
from tests.conversion.test_contract import column, parquet, read, reading, sales
from tests.conversion.test_contract_values import BIGINT, STRING

DOUBLE = Type(kind="double", duckdb="DOUBLE")
EXACT = Type(kind="decimal", duckdb="DECIMAL(20,2)", scale=2)
LIST = Type(kind="array", duckdb="DECIMAL(20,2)[]", items=EXACT)
PAIR = Type(kind="struct", duckdb='STRUCT("x" BIGINT)', fields=(("x", BIGINT),))
TEXTS = Type(kind="struct", duckdb='STRUCT("x" VARCHAR)', fields=(("x", STRING),))
ITEMS = Type(kind="array", duckdb='STRUCT("x" BIGINT)[]', items=PAIR)


@pytest.mark.parametrize("text", ["{x:1}", "[1,2", "not json", '{""x"":01}', '{""x"":1}y', '{""x"":1.5}'])
def test_text_that_is_not_json_does_not_fit_a_nested_column(text: str) -> None:
    data = f'id,o\n1,"{text}"\n' + '2,"{""x"":1}"\n' * 20

    converted = read(data.encode(), sales(column("id", BIGINT), column("o", PAIR)))

    assert [(reject["line"], reject["column"]) for reject in converted.rejects] == [(2, "o")]
    assert converted.account.rows_out == 20


def test_long_numbers_in_nested_text_keep_their_digits() -> None:
    data = b'id,a\n1,"[123456789012345678.91, 2.5,1234567890123456.78]"\n'

    converted = read(data, sales(column("id", BIGINT), column("a", LIST)))

    numbers = ["123456789012345678.91", "2.50", "1234567890123456.78"]
    assert converted.query("SELECT a FROM data") == [(list(map(Decimal, numbers)),)]


@pytest.mark.parametrize(
    "text",
    [
        "12345678901234567890",
        "a 1234567890123456.78",
        "ref:1234567890123456",
        'a "quoted:1234567890123456" \\',
        '\\",[1234567890123456',
        ":\n1234567890123456",
    ],
)
def test_digits_in_nested_strings_stay_as_they_are(text: str) -> None:
    kind = Type(
        kind="struct", duckdb='STRUCT("x" VARCHAR, "n" DECIMAL(20,2))', fields=(("x", STRING), ("n", EXACT))
    )
    nested = json.dumps({"x": text, "n": 0}).replace(": 0", ":123456789012345678.91").replace('"', '""')

    converted = read(f'id,o\n1,"{nested}"\n'.encode(), sales(column("id", BIGINT), column("o", kind)))

    assert converted.query("SELECT o.x, o.n FROM data") == [(text, Decimal("123456789012345678.91"))]
    assert converted.rejects == []


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("[1234567890123456.78::DECIMAL(18,2)]", "1234567890123456.78"),
        ("[{'DECIMAL(9,2)': 1}]", None),
    ],
)
def test_nested_numbers_of_parquet_keep_their_digits(value: str, expected: str | None) -> None:
    contract = sales(column("id", BIGINT), column("a", LIST), reading=reading(format="parquet"))

    converted = read(parquet(f"SELECT 1 AS id, {value} AS a"), contract, "a.parquet", rejected_share_max=1)

    assert converted.query("SELECT a[1] FROM data") == ([(Decimal(expected),)] if expected else [])


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        ("1152921504606846976::DOUBLE", BIGINT, 1152921504606846976),
        ("-1152921504606846976::DOUBLE", BIGINT, -1152921504606846976),
        ("123456792::FLOAT", BIGINT, 123456792),
        ("123456792::FLOAT", DOUBLE, 123456792.0),
        ("0.1::DOUBLE", DOUBLE, 0.1),
        ("0.1::FLOAT", DOUBLE, 0.10000000149011612),
        ("0.1::FLOAT", EXACT, Decimal("0.10")),
        ("0.1::FLOAT", STRING, "0.1"),
        ("1234567.875::FLOAT", DOUBLE, 1234567.875),
        ("1e300::DOUBLE", DOUBLE, 1e300),
        ("'Z\\xC3\\xBCrich'::BLOB", STRING, "Zürich"),
        ("'\\xFF'::BLOB", STRING, "\\xFF"),
    ],
)
def test_values_of_parquet_do_not_change(value: str, kind: Type, expected: object) -> None:
    contract = sales(column("v", kind), reading=reading(format="parquet"))

    converted = read(parquet(f"SELECT {value} AS v"), contract, "a.parquet")

    assert converted.query("SELECT v FROM data") == [(expected,)]


NAMED = Type(kind="struct", duckdb='STRUCT("x" VARCHAR, "y" BIGINT)', fields=(("x", STRING), ("y", BIGINT)))
NUMBERS = Type(kind="array", duckdb="BIGINT[]", items=BIGINT)


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        ("{'x': 1152921504606846976::DOUBLE}", PAIR, {"x": 1152921504606846976}),
        ("[-1152921504606846976::DOUBLE, NULL, 1::FLOAT]", NUMBERS, [-1152921504606846976, None, 1]),
        ("[4.0, NULL]::DOUBLE[2]", NUMBERS, [4, None]),
        ("[{'x': 1152921504606846976::DOUBLE}, NULL]", ITEMS, [{"x": 1152921504606846976}, None]),
        ("map {'x': 1152921504606846976::DOUBLE}", PAIR, {"x": 1152921504606846976}),
        ("{'x': 'Z\\xC3\\xBCrich'::BLOB, 'y': NULL}", NAMED, {"x": "Zürich", "y": None}),
        ("{'x': '\\xFF'::BLOB, 'y': 7::UBIGINT}", NAMED, {"x": "\\xFF", "y": 7}),
        ("{'x': 0.1::DOUBLE, 'y': 1.0::DECIMAL(38,2)}", NAMED, {"x": "0.1", "y": 1}),
        ("NULL::STRUCT(x DOUBLE)", PAIR, None),
        ("NULL::MAP(VARCHAR, DOUBLE)", PAIR, None),
        ("NULL::DOUBLE[]", NUMBERS, None),
        ("{'y': {'x': 1}, 'x': [1.5::DOUBLE, NULL], 'z': NULL::STRUCT(a BLOB)}", TEXTS, {"x": "[1.5,null]"}),
    ],
)
def test_nested_values_of_parquet_do_not_change(value: str, kind: Type, expected: object) -> None:
    contract = sales(column("v", kind), reading=reading(format="parquet", null_markers=()))

    converted = read(parquet(f"SELECT {value} AS v"), contract, "a.parquet")

    assert converted.query("SELECT v FROM data") == [(expected,)]


@pytest.mark.parametrize("elements", [1, 150])
def test_an_array_that_is_a_column_wraps_no_rows(elements: int) -> None:
    contract = sales(column("id", BIGINT), column("items", ITEMS), reading=reading(format="json"))
    items = ",".join(f'{{"x":{number}}}' for number in range(elements))

    converted = read(f'{{"id":7,"items":[{items}]}}\n'.encode(), contract, "a.json")

    assert converted.query("SELECT id, len(items) FROM data") == [(7, elements)]


@pytest.mark.parametrize("elements", [1, 99, 100])
@pytest.mark.parametrize(
    ("record", "rows"),
    [
        ('{"id":7,"other":%s}', [(7, None)]),
        ('{"other":%s,"ID":7}', [(7, None)]),
        ('{"ITEMS":%s}', [(None, True)]),
        ('{"other":%s}', None),
        ('{"page":{"next":2},"other":%s,"total":3}', None),
        ('{"type":"FeatureCollection","features":%s}', None),
    ],
)
def test_rows_of_json_are_the_objects_with_the_contracts_columns(
    record: str, rows: list[tuple[object, ...]] | None, elements: int
) -> None:
    columns = (column("id", BIGINT), column("items", ITEMS))
    array = "[" + ",".join(['{"x":1}'] * elements) + "]"

    converted = read((record % array).encode(), sales(*columns, reading=reading(format="json")), "a.json")

    expected = [(None, None)] * elements if rows is None else rows
    assert converted.query("SELECT id, len(items) > 0 FROM data") == expected


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        ('{"data":[]}', None),
        ('{"data": [ ], "total": 0, "page": {"next": null}}\n', None),
        ('{"type":"FeatureCollection","features":[]}', None),
        ('{"items":[]}', 1),
        ('{"id":7,"data":[]}', 1),
        ('{"data":[],"tags":["a"]}', 1),
        ('{"data":[]}\n{"id":7}', 2),
        ('{"total":0}', 1),
    ],
)
def test_an_object_around_an_empty_array_has_no_rows(data: str, rows: int | None) -> None:
    columns = (column("id", BIGINT), column("items", ITEMS))
    contract = sales(*columns, reading=reading(format="json"))

    if rows:
        assert read(data.encode(), contract, "a.json").account.rows_out == rows
    else:
        with pytest.raises(EmptyError, match="no rows"):
            read(data.encode(), contract, "a.json")


@pytest.mark.parametrize("elements", [2, 150])
def test_an_object_that_shares_a_key_with_its_rows_wraps_them(elements: int) -> None:
    columns = (column("type", STRING), column("id", BIGINT))
    array = ",".join(['{"type":"a","id":1}'] * (elements - 1) + ["5"])
    contract = sales(*columns, reading=reading(format="json"))

    converted = read(f'{{"type":"all","rows":[{array}]}}'.encode(), contract, "a.json", rejected_share_max=1)

    assert converted.query("SELECT type, id FROM data") == [("a", 1)] * (elements - 1)
    assert [reject["reason"] for reject in converted.rejects] == ["not a JSON object"]


@pytest.mark.parametrize(
    ("record", "row"),
    [
        ('{"ID":1,"SHOP~A/b":"x"}', (1, "x", None)),
        ('{"id":1,"Shop~a/B":"x"}', (1, "x", None)),
        ('{"Id":3,"id":1,"Z":2}', (1, None, '{"Id":3,"Z":2}')),
        ('{"iD":null}', (None, None, None)),
    ],
)
def test_keys_of_json_are_compared_without_regard_to_case(record: str, row: tuple[object, ...]) -> None:
    columns = (column("id", BIGINT), column("shop", STRING, source="Shop~a/B"))

    converted = read(f"{record}\n".encode(), sales(*columns, reading=reading(format="json")), "a.ndjson")

    assert converted.query("SELECT * FROM data") == [row]


def test_rows_of_json_that_are_arrays_are_rejected() -> None:
    contract = sales(column("id", BIGINT), reading=reading(format="json"))

    converted = read(b'[1,"a"]\n[2,"b"]\n', contract, "a.ndjson", rejected_share_max=1)

    assert [reject["reason"] for reject in converted.rejects] == ["not a JSON object"] * 2


def test_an_open_quote_in_the_first_row_of_a_long_file_costs_one_row() -> None:
    contract = sales(column("id", BIGINT), column("shop", STRING), reading=reading(header=False))
    rows = HEAD_BYTES // 4 + 1000

    converted = read(b'1,"x\n' + b"2,y\n" * rows, contract)

    assert [reject["line"] for reject in converted.rejects] == [1]
    assert converted.account.rows_out == rows


@pytest.mark.parametrize(
    ("data", "skipped", "reason"),
    [
        (b'id,"shop\n' + b"2,y\n" * HEAD_BYTES, 0, "a quote may be open"),
        (b"x" * (HEAD_BYTES + 1) + b"\nid,shop\n1,x\n", 1, "skipLines"),
    ],
)
def test_a_header_that_is_not_at_the_beginning_is_no_reason_to_skip_a_file(
    data: bytes, skipped: int, reason: str
) -> None:
    contract = sales(column("id", BIGINT), column("shop", STRING), reading=reading(skip_lines=skipped))

    with pytest.raises(UnreadableError, match=reason):
        read(data, contract)


def test_a_file_with_a_header_alone_is_empty() -> None:
    with pytest.raises(EmptyError):
        read(b"id,shop\n", sales(column("id", BIGINT), column("shop", STRING)))


@pytest.mark.parametrize(
    ("markers", "shops"),
    [((), ["", "", "NA"]), (("NA",), ["", "", None]), (("",), [None, None, "NA"]), (("", "NA"), [None] * 3)],
)
def test_an_empty_field_is_null_only_if_the_contract_says_so(
    markers: tuple[str, ...], shops: list[str | None]
) -> None:
    contract = sales(column("id", BIGINT), column("shop", STRING), reading=reading(null_markers=markers))

    converted = read(b'id,shop\n1,\n2,""\n3,NA\n', contract)

    assert converted.query("SELECT shop FROM data") == [(shop,) for shop in shops]
