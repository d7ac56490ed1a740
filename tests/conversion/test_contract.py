"""A file of a dataset gets the contract's columns and types. The contract decides what does not fit."""

import dataclasses
import json
import tempfile
from collections.abc import Callable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from conversion import Assignment, EmptyError, UnreadableError
from conversion.contract.model import Column, Contract, Reading, Rule, Type
from tests.conversion.support import Converted, connection, gzipped, run
from tests.conversion.test_contract_query import contract as simple
from tests.conversion.test_contract_values import BIGINT, DATE, DECIMAL, LINES, READING, STRING, TIMESTAMP
from tests.conversion.workbooks import WRITERS, Sheet, xlsx

Write = Callable[[Mapping[str, Sheet]], bytes]
EACH_WORKBOOK = pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)


def column(name: str, kind: Type, *, source: str | None = None, required: bool = False) -> Column:
    return Column(
        name=name, source=source or name, type=kind, required=required, format=None, time_zone="UTC"
    )


SALES = (column("id", BIGINT, required=True), column("amount", DECIMAL), column("shop", STRING))


def sales(
    *columns: Column, rules: tuple[Rule, ...] = (), reading: Reading = READING, **handling: str
) -> Contract:
    base = simple(rules, **handling)
    return dataclasses.replace(base, columns=columns or SALES, reading=reading)


def by(contract: Contract, **partitions: str) -> Assignment:
    texts = {name: (value,) for name, value in partitions.items()}
    return Assignment(contract=contract, partitions=texts)


def read(data: bytes, contract: Contract, key: str = "input/sales/a.csv", **limits: Any) -> Converted:
    return run(data, key, assignment=by(contract), **limits)


def reading(**changes: Any) -> Reading:
    return dataclasses.replace(READING, **changes)


@pytest.mark.parametrize("amounts", [("1", "2"), ("1.5", "2"), ("1.50", "2.25"), ("", "NA")])
def test_every_file_has_the_same_types_whatever_its_values(amounts: tuple[str, str]) -> None:
    data = f"id,amount,shop\n1,{amounts[0]},x\n2,{amounts[1]},y\n".encode()

    converted = read(data, sales())

    assert converted.types == {
        "id": "BIGINT", "amount": "DECIMAL(9,2)", "shop": "VARCHAR", "_rescued": "VARCHAR",
    }  # fmt: skip
    assert converted.account.rows_out == 2


def test_columns_come_in_the_contracts_order_and_by_their_sources_names() -> None:
    columns = (column("id", BIGINT), column("shop", STRING, source="Shop Name"))
    data = b"Shop Name,extra,id\nnorth,7,1\n"

    converted = read(data, sales(*columns))

    assert converted.rows == [("1", "north", '{"extra":"7"}')]
    assert json.loads(converted.metadata["column_names"]) == {
        "id": "id", "shop": "Shop Name", "_rescued": "_rescued",
    }  # fmt: skip
    assert converted.metadata["org.apache.spark.version"] == "3.5.0"


def test_rows_that_do_not_fit_are_rejected_with_their_place_column_and_text() -> None:
    good = b"".join(b"%d,1.5,x\n" % number for number in range(100))
    data = b"id,amount,shop\n" + good + b"101,dear,y\n102,1.005,z\n" + good

    converted = read(data, sales())

    assert (converted.account.rows_in, converted.account.rows_out) == (202, 200)
    assert [
        (reject["record"], reject["line"], reject["column"], reject["reason"], reject["raw"])
        for reject in converted.rejects
    ] == [
        (101, 102, "amount", "does not fit DECIMAL(9,2)", "101,dear,y"),
        (102, 103, "amount", "does not fit DECIMAL(9,2)", "102,1.005,z"),
    ]
    for reject in converted.rejects:
        raw = reject["raw"].encode()
        assert data[reject["byte_offset"] :].startswith(raw)


def test_damaged_and_unfit_rows_are_rejected_together() -> None:
    good = b"".join(b"%d,1.5,x\n" % number for number in range(50))
    data = b'id,amount,shop\n"1,2,3\n' + good + b'7,many,x\r\n8,1\n9,2,\xff\n"60","3.5","a\nb"\nx,4,y\n'

    converted = read(data, sales(), rejected_share_max=0.5)

    assert [reject.get("raw") for reject in converted.rejects] == [
        '"1,2,3', "7,many,x", "8,1", None, "x,4,y",
    ]  # fmt: skip
    assert [reject["column"] for reject in converted.rejects] == ["id", "amount", None, "shop", "id"]
    assert converted.query("SELECT shop FROM data WHERE id = 60") == [("a\nb",)]


def test_too_many_unfit_rows_fail_the_file_and_are_still_listed() -> None:
    with pytest.raises(UnreadableError, match="2 of 3 rows rejected") as failed:
        read(b"id,amount,shop\n1,a,x\n2,b,y\n3,1,z\n", sales())

    assert failed.value.rejects is not None
    assert len(failed.value.rejects.read_text().splitlines()) == 2
    assert failed.value.account is not None
    assert failed.value.account.rows_in == 3


def test_an_unfit_value_fails_the_file_with_its_line() -> None:
    with pytest.raises(UnreadableError, match="line 3: amount: does not fit"):
        read(b"id,amount,shop\n1,1,x\n2,b,y\n", sales(bad_values="fail"))


def test_unfit_values_are_rescued() -> None:
    converted = read(b"id,amount,shop\n1,dear,x\n2,2,y\n", sales(bad_values="rescue"))

    assert converted.rows == [("1", None, "x", '{"amount":"dear"}'), ("2", "2.00", "y", None)]


def test_a_broken_rule_rejects_its_row_with_the_rules_name() -> None:
    rules = (Rule(name="positive", expression='"amount" > 0', severity="error"),)
    good = b"".join(b"%d,1.5,x\n" % number for number in range(20))

    converted = read(b"id,amount,shop\n" + good + b"21,-1,y\n", sales(rules=rules))

    assert [(reject["column"], reject["reason"]) for reject in converted.rejects] == [
        ("positive", "the rule is broken")
    ]


@pytest.mark.parametrize("name", ["file", "file: amount", "a: b"])
def test_a_row_is_rejected_whatever_the_rules_name(name: str) -> None:
    rules = (Rule(name=name, expression='"amount" > 0', severity="error"),)

    converted = read(b"id,amount,shop\n1,1,x\n2,-1,y\n", sales(rules=rules), rejected_share_max=0.5)

    assert [(reject["column"], reject["reason"]) for reject in converted.rejects] == [
        (name, "the rule is broken")
    ]


def test_a_column_or_a_partition_may_be_named_file() -> None:
    contract = sales(column("id", BIGINT), column("file", BIGINT, required=True))
    other = sales(column("id", BIGINT), column("amount", BIGINT))
    key = "input/sales/file=a/1.csv"

    unfit = read(b"id,file\n1,2\n2,x\n3,\n", contract, rejected_share_max=1.0)
    differing = run(b"id,file\n1,a\n2,b\n", key, assignment=by(other, file="a"), rejected_share_max=1.0)

    assert [(reject["column"], reject["reason"]) for reject in unfit.rejects + differing.rejects] == [
        ("file", "does not fit BIGINT"),
        ("file", "is required but null"),
        ("file", "differs from the object's key"),
    ]


def test_a_rule_that_only_warns_publishes_the_row_and_counts_it() -> None:
    rules = (
        Rule(name="small", expression='"amount" < 2', severity="warning"),
        Rule(name="positive", expression='"amount" > 0', severity="warning"),
    )

    converted = read(b"id,amount,shop\n1,1,x\n2,2,y\n3,3,z\n", sales(rules=rules))

    assert converted.account.rows_out == 3
    assert converted.result.facts["rules_broken"] == {"small": 2}
    assert converted.profile["rules_broken"] == {"small": 2}


def test_a_critical_rule_fails_the_file() -> None:
    rules = (Rule(name="positive", expression='"amount" > 0', severity="critical"),)

    with pytest.raises(UnreadableError, match="line 2: positive: the rule is broken"):
        read(b"id,amount,shop\n21,-1,y\n", sales(rules=rules))


def test_the_file_is_read_as_the_contract_writes_it() -> None:
    written = reading(delimiter=";", decimal_separator=",", skip_lines=2, null_markers=("", "-"), quote="'")
    data = b"Sales report\n\nid;amount;shop\n1;1,50;'a;b'\n2;-;c\n"

    converted = read(data, sales(reading=written))

    assert converted.rows == [("1", "1.50", "a;b", None), ("2", None, "c", None)]


def test_a_file_without_header_has_the_contracts_columns() -> None:
    converted = read(b"1,1.5,north\n2,2,south\n", sales(reading=reading(header=False)))

    assert converted.rows == [("1", "1.50", "north", None), ("2", "2.00", "south", None)]


@pytest.mark.parametrize(
    "encoding", ["windows-1252", "iso-8859-1", "utf-8", "utf-16", "utf-16-le", "utf-32-be"]
)
def test_text_is_decoded_as_declared(encoding: str) -> None:
    data = "id,amount,shop\n1,1,Zürich\n".encode(encoding)

    assert read(data, sales(reading=reading(encoding=encoding))).rows == [("1", "1.00", "Zürich", None)]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
@pytest.mark.parametrize("data", [b"id,amount,shop\n1,1,x\n", "id,amount,shop\n1,1,x\n".encode("utf-16-be")])
def test_an_encoding_with_a_mark_needs_the_mark(encoding: str, data: bytes) -> None:
    with pytest.raises(UnreadableError, match=f"no byte-order mark.*{encoding}-le or {encoding}-be"):
        read(data, sales(reading=reading(encoding=encoding)))


def test_a_wrong_encoding_is_never_guessed() -> None:
    rows = b"".join(b"%d,1,Z\xfcrich\n" % number for number in range(9))

    with pytest.raises(UnreadableError, match="9 of 9 rows rejected"):
        read(b"id,amount,shop\n" + rows, sales())


def test_backslashes_escape_where_the_contract_says_so() -> None:
    data = b'id,amount,shop\n1,1,"a \\"b\\", c"\n'

    assert read(data, sales(reading=reading(escape="\\"))).rows == [("1", "1.00", 'a "b", c', None)]


def test_a_header_that_names_a_column_twice_fails_the_file() -> None:
    with pytest.raises(UnreadableError, match="twice"):
        read(b"id,amount,ID\n1,1,1\n", sales())


@EACH_WORKBOOK
def test_columns_without_a_name_are_rescued_by_their_places(write: Write) -> None:
    data = b"id,shop,, ,column_3,x\n1,a,b,c,d,e\n"
    rescued = '{"column_3_2":"b","column_4":"c","column_3":"d","x":"e"}'
    columns = (column("id", BIGINT), column("shop", STRING))

    assert read(data, sales(*columns)).rows == [("1", "a", rescued)]
    sheet = write({"Data": [["id", "shop"], [1, "a", None, "note"]]})
    assert read(sheet, sales(*columns), key="a").rows == [("1", "a", '{"column_4":"note"}')]


@pytest.mark.parametrize(
    ("value", "published"),
    [
        ("{'userId': 1, 'Sku': 'x'}", "{'userid': 1, 'sku': x}"),
        ("{'userid': 1, 'sku': 'x', 'secret': 's'}", "{'userid': 1, 'sku': x}"),
        ("MAP {'sku': 'x', 'secret': 's'}", "{'userid': NULL, 'sku': x}"),
    ],
)
def test_fields_of_a_parquet_struct_are_compared_as_columns_are(value: str, published: str) -> None:
    kind = Type(
        kind="struct",
        duckdb='STRUCT("userid" BIGINT, "sku" VARCHAR)',
        fields=(("userid", BIGINT), ("sku", STRING)),
    )
    columns, of_parquet = (
        (column("id", BIGINT), column("usr", kind)),
        reading(format="parquet", null_markers=()),
    )
    data = parquet(f"SELECT 1 AS id, {value} AS usr")

    ((_, usr, rescued),) = read(data, sales(*columns, reading=of_parquet)).rows
    assert usr == published
    assert (rescued is not None) is ("secret" in value)
    if rescued:
        assert json.loads(json.loads(rescued)["usr"])["secret"] == "s"
        with pytest.raises(UnreadableError, match="line 1: a key"):
            read(data, sales(*columns, reading=of_parquet, unexpected_columns="fail"))


def test_columns_of_parquet_without_a_name_are_rescued_by_their_places() -> None:
    contract = sales(column("id", BIGINT), reading=reading(format="parquet", null_markers=()))

    converted = read(parquet('SELECT 1 AS id, 2 AS " ", 3 AS "  "'), contract)

    assert converted.rows == [("1", '{"column_2":"2","column_3":"3"}')]


def test_a_missing_required_column_fails_the_file() -> None:
    with pytest.raises(UnreadableError, match="needs the column 'id'"):
        read(b"amount,shop\n1,x\n", sales())


@pytest.mark.parametrize("data", [b"id,amount,shop\n", b"\n\n"])
def test_a_file_without_rows_is_empty(data: bytes) -> None:
    with pytest.raises(EmptyError):
        read(data, sales())


@pytest.mark.parametrize(
    "data",
    [
        b'{"id":1,"amount":1.50,"shop":"x"}\n{"id":"2","amount":"2","more":[1]}\n',
        b'[{"id":1,"amount":1.50,"shop":"x"},\n{"id":"2","amount":"2","more":[1]}]',
    ],
)
def test_json_is_read_by_its_keys(data: bytes) -> None:
    converted = read(data, sales(reading=reading(format="json", null_markers=())), key="input/sales/a.json")

    assert converted.rows == [("1", "1.50", "x", None), ("2", "2.00", None, '{"more":[1]}')]


def test_json_rows_that_do_not_fit_are_rejected() -> None:
    good = b"".join(b'{"id":%d}\n' % number for number in range(30))
    data = good + b'{"id":1.5}\n{"amount":1}\nnot json\n' + good

    contract = sales(reading=reading(format="json", null_markers=()))
    converted = read(data, contract, key="input/sales/a.ndjson")

    assert [(reject["line"], reject["column"], reject["raw"]) for reject in converted.rejects] == [
        (31, "id", '{"id":1.5}'), (32, "id", '{"amount":1}'), (33, None, "not json"),
    ]  # fmt: skip
    assert converted.account.rows_out == 60


@pytest.mark.parametrize("rows", [[1, None], [None, 1], [None], [None, None]])
def test_well_formed_json_rows_that_do_not_fit_are_rejected(rows: list[int | None]) -> None:
    data = "".join(json.dumps({"id": value}) + "\n" for value in rows).encode()
    contract = sales(reading=reading(format="json", null_markers=()))

    converted = read(data, contract, key="input/sales/a.ndjson", rejected_share_max=1.0)

    assert converted.account.rows_rejected == rows.count(None)
    assert [row[0] for row in converted.rows] == ["1"] * rows.count(1)


def test_an_object_where_an_array_is_declared_rejects_its_row() -> None:
    columns = (column("id", BIGINT, required=True), column("lines", LINES))
    data = b'{"id": 1, "lines": null}\n{"id": 2, "lines": {"sku": "a"}}\n{"id": 3, "lines": []}\n'
    contract = sales(*columns, reading=reading(format="json", null_markers=()))

    converted = read(data, contract, key="input/sales/a.ndjson", rejected_share_max=0.5)

    assert [(reject["record"], reject["column"]) for reject in converted.rejects] == [(2, "lines")]
    assert converted.query("SELECT id FROM data") == [(1,), (3,)]


@pytest.mark.parametrize("item", ['{"sku": "a", "price": 1.005}', '{"sku": "a", "price": "dear"}', "[]"])
def test_a_nested_value_is_rescued_whole(item: str) -> None:
    columns = (column("id", BIGINT), column("lines", LINES))
    lines = f'[{{"sku": "b", "price": 1}}, {item}]'
    contract = sales(*columns, reading=reading(format="json", null_markers=()), bad_values="rescue")

    converted = read(f'{{"id": 1, "lines": {lines}}}\n'.encode(), contract, key="input/sales/a.ndjson")

    ((identifier, published, rescued),) = converted.rows
    assert (identifier, published, json.loads(rescued)) == ("1", None, {"lines": json.loads(lines)})


@pytest.mark.parametrize("second", ["{}", '{"id": 1}', '{"id": 1, "amount": 2}'])
def test_a_json_row_without_a_key_fails_the_file_where_the_contract_says_so(second: str) -> None:
    data = f'{{"id": 1, "amount": null, "shop": "x"}}\n{second}\n'.encode()
    contract = sales(reading=reading(format="json", null_markers=()), missing_columns="fail")

    with pytest.raises(UnreadableError, match="line 2: a key of the contract is missing"):
        read(data, contract, key="input/sales/a.ndjson", rejected_share_max=1.0)


def test_what_fails_the_file_comes_before_what_rejects_the_row() -> None:
    with pytest.raises(UnreadableError, match="line 2: amount: does not fit"):
        read(b"id,amount,shop\n,dear,x\n", sales(bad_values="fail"), rejected_share_max=1.0)


def test_exact_decimals_and_nested_values_come_out_of_json() -> None:
    columns = (column("id", BIGINT), column("lines", LINES))
    data = b'{"id":9007199254740993,"lines":[{"sku":"a","price":0.10},{"sku":"b","price":2}]}\n'

    converted = read(data, sales(*columns, reading=reading(format="json")), key="input/sales/a.ndjson")

    assert converted.rows == [
        ("9007199254740993", "[{'sku': a, 'price': 0.10}, {'sku': b, 'price': 2.00}]", None)
    ]


def test_what_is_not_json_fails_where_the_contract_expects_it() -> None:
    with pytest.raises(UnreadableError, match="not JSON"):
        read(b"id,amount\n1,2\n", sales(reading=reading(format="json")), key="input/sales/a.csv")


def parquet(select: str) -> bytes:
    with tempfile.TemporaryDirectory() as directory, connection() as connected:
        path = Path(directory) / "x.parquet"
        connected.execute(f"COPY ({select}) TO '{path}' (FORMAT parquet)")
        return path.read_bytes()


def test_parquet_is_held_to_the_contract_too() -> None:
    rows = parquet(
        "SELECT i::INTEGER id, (i / 4)::DOUBLE amount, 'x' shop, [i] AS more FROM range(1, 40) r(i)"
        " WHERE i % 2 = 0 UNION ALL SELECT 99, 0.125, 'y', [1]"
    )
    contract = sales(reading=reading(format="parquet", null_markers=()), unexpected_columns="drop")

    converted = read(rows, contract, key="input/sales/a.parquet")

    assert converted.types == {"id": "BIGINT", "amount": "DECIMAL(9,2)", "shop": "VARCHAR"}
    assert [(reject["record"], reject["column"]) for reject in converted.rejects] == [(20, "amount")]
    assert json.loads(converted.rejects[0]["raw"])["amount"] == 0.125


def test_rows_of_parquet_are_rejected_whatever_the_columns_names() -> None:
    names = ("t", "raw", "number", "problem", "_problem", "_", "c0")
    values = ", ".join(f"{at} AS {name}" for at, name in enumerate(names, 7))
    rows = parquet(f"SELECT {values}, i AS id FROM (VALUES ('1'), ('x'), ('3')) v(i)")
    columns = (column("id", BIGINT), *(column(name, BIGINT) for name in names if not name.startswith("_")))
    contract = sales(*columns, reading=reading(format="parquet", null_markers=()))

    converted = read(rows, contract, key="input/sales/a.parquet", rejected_share_max=0.5)

    (reject,) = converted.rejects
    assert (reject["record"], reject["column"]) == (2, "id")
    assert json.loads(reject["raw"]) == {**{name: at for at, name in enumerate(names, 7)}, "id": "x"}
    assert converted.query("SELECT id, t, raw, number FROM data") == [(1, 7, 8, 9), (3, 7, 8, 9)]


@pytest.mark.parametrize("second", ["amount ", "AMOUNT"])
def test_a_parquet_file_that_names_a_column_twice_fails(second: str) -> None:
    # DuckDB writes no two names that differ only in case.
    written = second.replace("AMOUNT", "AMOUNX")
    file = parquet(f'SELECT 1 AS id, 2 AS amount, 3 AS "{written}"').replace(b"AMOUNX", b"AMOUNT")
    contract = sales(reading=reading(format="parquet", null_markers=()))

    with pytest.raises(UnreadableError, match="twice"):
        read(file, contract, key="input/sales/a.parquet")


def test_timestamps_of_parquet_are_published_in_milliseconds_and_utc() -> None:
    rows = parquet("SELECT TIMESTAMPTZ '2026-01-31 10:00:00.5+02:00' AS t, 1 AS id")
    contract = sales(
        column("t", TIMESTAMP), column("id", BIGINT), reading=reading(format="parquet", null_markers=())
    )

    assert read(rows, contract, key="a.parquet").rows == [("2026-01-31 08:00:00.5", "1", None)]


def test_compressed_files_are_read_alike() -> None:
    data = b"id,amount,shop\n1,1.5,x\n"

    assert read(gzipped(data), sales(), key="input/sales/a.csv.gz").rows == [("1", "1.50", "x", None)]


def test_a_workbooks_sheet_is_the_one_that_the_contract_names() -> None:
    sheets = {"notes": [["x"]], "data": [["id", "amount", "shop"], [1, 1.5, "north"], [2, "dear", "south"]]}
    contract = sales(reading=reading(format="spreadsheet", sheet="data"))

    converted = read(xlsx(sheets), contract, key="input/sales/a.xlsx", rejected_share_max=0.5)

    assert converted.rows == [("1", "1.50", "north", None)]
    assert [reject["column"] for reject in converted.rejects] == ["amount"]
    with pytest.raises(UnreadableError, match="no sheet 'other', which the contract names"):
        read(xlsx(sheets), sales(reading=reading(format="spreadsheet", sheet="other")), key="a.xlsx")


TABLE = [["id", "amount", "shop"], [1, 1.5, "north"], [None, None, None], [2, 2, "south"]]


@EACH_WORKBOOK
@pytest.mark.parametrize(
    "before",
    [
        [["Sales"], []],
        [[], ["Sales"]],
        [[None], [None]],
        [["Sales\nof the\nyear"], [datetime(2026, 1, 1, 10)]],
    ],
)
def test_rows_of_a_sheet_are_skipped_as_rows(write: Write, before: list[list[Any]]) -> None:
    contract = sales(reading=reading(format="spreadsheet", skip_lines=2))

    converted = read(write({"Data": [*before, *TABLE]}), contract, key="input/sales/a")

    assert converted.rows == [("1", "1.50", "north", None), ("2", "2.00", "south", None)]
    assert converted.rejects == []


@EACH_WORKBOOK
def test_rows_of_a_sheet_without_header_are_skipped(write: Write) -> None:
    contract = sales(reading=reading(format="spreadsheet", header=False, skip_lines=3))

    assert read(write({"Data": TABLE}), contract, key="input/sales/a").rows == [("2", "2.00", "south", None)]


@pytest.mark.parametrize("skipped", [4, 5])
def test_a_sheet_whose_rows_are_all_skipped_is_empty(skipped: int) -> None:
    with pytest.raises(EmptyError):
        read(xlsx({"Data": TABLE}), sales(reading=reading(format="spreadsheet", skip_lines=skipped)))


@pytest.mark.parametrize(
    "notation",
    [
        {"encoding": "windows-1252"},
        {"encoding": "utf-16-le"},
        {"decimal_separator": ",", "thousands_separator": "."},
        {"delimiter": ";", "quote": ""},
        {"quote": "'", "escape": "\\"},
    ],
    ids=str,
)
@EACH_WORKBOOK
def test_the_notation_of_text_files_is_not_that_of_sheets(write: Write, notation: dict[str, str]) -> None:
    kind = Type(kind="decimal", duckdb="DECIMAL(18,3)", scale=3)
    columns = (column("shop", STRING), column("amount", kind), column("at", TIMESTAMP))
    rows = [["shop", "amount", "at"], ["Zürich", 1.234, NOON], ['it\'s "new"\\', None, DAY]]

    converted = read(write({"Data": rows}), sales(*columns, reading=reading(**notation)), key="a")

    assert converted.rows == [
        ("Zürich", "1.234", "2026-01-02 12:00:00", None),
        ('it\'s "new"\\', None, "2026-01-04 00:00:00", None),
    ]


@EACH_WORKBOOK
@pytest.mark.parametrize("form", ["spreadsheet", "delimited"])
def test_an_empty_cell_is_null_whatever_else_stands_for_null(write: Write, form: str) -> None:
    contract = sales(reading=reading(format=form, null_markers=("NA",)))
    rows = [["id", "amount", "shop"], [1, None, None], [2, "NA", "NA"]]

    assert read(write({"Data": rows}), contract, key="a").rows == [
        ("1", None, None, None), ("2", None, None, None),
    ]  # fmt: skip


NOON, MIDNIGHT, DAY = datetime(2026, 1, 2, 12), datetime(2026, 1, 3), date(2026, 1, 4)


@EACH_WORKBOOK
@pytest.mark.parametrize("format_", [None, "%Y-%m-%d"])
def test_a_time_in_a_sheet_rejects_only_its_own_row(write: Write, format_: str | None) -> None:
    day = dataclasses.replace(column("day", DATE), format=format_)
    contract = sales(day, reading=reading(format="spreadsheet"))
    rows = [["day"], [DAY], [NOON], [MIDNIGHT]]

    converted = read(write({"Data": rows}), contract, key="input/sales/a", rejected_share_max=0.5)

    assert converted.rows == [("2026-01-04", None), ("2026-01-03", None)]
    assert [(reject["line"], reject["column"]) for reject in converted.rejects] == [(3, "day")]


@EACH_WORKBOOK
@pytest.mark.parametrize("moments", [[MIDNIGHT], [DAY], [DAY, "2026-01-04 00:00:00", NOON]])
@pytest.mark.parametrize("format_", [None, "%Y-%m-%d %-H:%M:%S"])
def test_a_day_in_a_sheet_is_midnight_in_the_columns_zone(
    write: Write, moments: list[Any], format_: str | None
) -> None:
    moment = dataclasses.replace(column("at", TIMESTAMP), format=format_, time_zone="America/New_York")
    contract = sales(moment, reading=reading(format="spreadsheet"))

    converted = read(write({"Data": [["at"], *([value] for value in moments)]}), contract, key="a")

    expected = {MIDNIGHT: "2026-01-03 05:00:00", NOON: "2026-01-02 17:00:00"}
    assert [row[0] for row in converted.rows] == [
        expected.get(value, "2026-01-04 05:00:00") for value in moments
    ]


def test_midnights_of_parquet_are_days_and_days_are_midnights() -> None:
    rows = parquet(
        "SELECT TIMESTAMP '2026-01-01' AS day, DATE '2026-01-02' AS at"
        " UNION ALL SELECT TIMESTAMP '2026-01-01 00:00:01', NULL"
    )
    contract = sales(
        column("day", DATE), column("at", TIMESTAMP), reading=reading(format="parquet", null_markers=())
    )

    converted = read(rows, contract, key="input/sales/a.parquet", rejected_share_max=0.5)

    assert converted.rows == [("2026-01-01", "2026-01-02 00:00:00", None)]
    assert [(reject["record"], reject["column"]) for reject in converted.rejects] == [(2, "day")]


@EACH_WORKBOOK
def test_dates_of_a_sheet_fit_whatever_the_format_of_texts(write: Write) -> None:
    day = dataclasses.replace(column("day", DATE), format="%d.%m.%Y")
    at = dataclasses.replace(column("at", TIMESTAMP), format="%d.%m.%Y %H:%M %z", time_zone="Asia/Tokyo")
    rows = [["day", "at"], [DAY, NOON], ["31.01.2026", "31.01.2026 10:00 +02"], ["1.2.26", DAY]]
    contract = sales(day, at, reading=reading(format="spreadsheet"))

    converted = read(write({"Data": rows}), contract, key="a", rejected_share_max=0.5)

    assert converted.rows == [
        ("2026-01-04", "2026-01-02 03:00:00", None), ("2026-01-31", "2026-01-31 08:00:00", None),
    ]  # fmt: skip
    assert [reject["column"] for reject in converted.rejects] == ["day"]


def test_dates_of_parquet_fit_whatever_the_format_of_texts() -> None:
    day = dataclasses.replace(column("day", DATE), format="%d.%m.%Y")
    at = dataclasses.replace(column("at", TIMESTAMP), format="%d.%m.%Y")
    contract = sales(day, at, reading=reading(format="parquet", null_markers=()))

    converted = read(parquet("SELECT DATE '2026-01-31' AS day, TIMESTAMP '2026-01-31 10:00' AS at"), contract)

    assert converted.rows == [("2026-01-31", "2026-01-31 10:00:00", None)]


def test_nested_midnights_of_parquet_are_days_and_nested_days_are_midnights() -> None:
    parts = (("day", DATE), ("at", TIMESTAMP))
    kind = Type(kind="struct", duckdb='STRUCT("day" DATE, "at" TIMESTAMP_MS)', fields=parts)
    contract = sales(column("o", kind), reading=reading(format="parquet", null_markers=()))
    value = "{'day': TIMESTAMP '2026-01-01', 'at': DATE '2026-01-02'}"

    converted = read(parquet(f"SELECT {value} AS o"), contract)

    assert converted.query("SELECT o FROM data") == [
        ({"day": date(2026, 1, 1), "at": datetime(2026, 1, 2)},)
    ]  # fmt: skip


@pytest.mark.parametrize("kind", [DATE, TIMESTAMP])
def test_a_day_and_a_midnight_of_text_differ(kind: Type) -> None:
    text = "2026-01-01 00:00:00" if kind is DATE else "2026-01-01"

    with pytest.raises(UnreadableError, match="1 of 1 rows rejected"):
        read(f"at\n{text}\n".encode(), sales(column("at", kind)))


def test_a_column_of_a_partitions_name_agrees_with_the_key() -> None:
    good = b"".join(b"%d,1,x,2026-01-31\n" % number for number in range(20))
    data = b"id,amount,shop,dt\n" + good + b"21,1,x,2026-02-01\n"

    converted = run(data, "input/sales/dt=2026-01-31/a.csv", assignment=by(sales(), dt="2026-01-31"))

    assert "dt" not in converted.types
    assert converted.query("SELECT count(_rescued) FROM data") == [(0,)]
    assert [(reject["column"], reject["reason"]) for reject in converted.rejects] == [
        ("dt", "differs from the object's key")
    ]


@pytest.mark.parametrize("source", ["dt", "DT"])
def test_a_column_may_be_read_from_the_key_of_a_partition_column(source: str) -> None:
    contract = sales(column("day", STRING, source=source), reading=reading(format="json", null_markers=()))
    data = f'{{"{source}": "a", "more": 1}}\n{{"{source}": "b"}}\n'.encode()

    converted = run(data, "input/sales/a.ndjson", assignment=by(contract, dt="a"), rejected_share_max=0.5)

    assert converted.rows == [("a", '{"more":1}')]
    assert [reject["column"] for reject in converted.rejects] == ["dt"]


def test_a_large_file_with_unfit_rows_far_apart_is_accounted_for() -> None:
    lines = [b"%d,%s,shop %d\n" % (i, b"bad" if i % 50_000 == 7 else b"1.25", i % 10) for i in range(300_000)]
    data = b"id,amount,shop\n" + b"".join(lines)

    converted = read(data, sales())

    assert [reject["record"] for reject in converted.rejects] == [i + 1 for i in range(7, 300_000, 50_000)]
    assert converted.query("SELECT count(*), count(DISTINCT id) FROM data") == [(299_994, 299_994)]


@pytest.mark.parametrize(("kind", "text"), [(DECIMAL, "1.5"), (TIMESTAMP, "2026-01-31 10:00")])
def test_null_markers_take_little_memory(kind: Type, text: str) -> None:
    names = [f"c{index}" for index in range(50)]
    markers = tuple(f"N{index}|" for index in range(12))
    data = ",".join(names) + "\n" + ",".join([text, markers[1]] * 25) + "\n"

    converted = read(
        data.encode(),
        sales(*(column(name, kind) for name in names), reading=reading(null_markers=markers)),
        memory_bytes=450 * 1024**2,
    )

    assert [value is None for value in converted.rows[0][:50]] == [False, True] * 25


def levels(count: int) -> tuple[Type, Any]:
    """Return a type with two objects in each object, and a value of it."""
    if not count:
        return TIMESTAMP, "2026-01-31T10:00:00Z"
    kind, value = levels(count - 1)
    duckdb = f'STRUCT("a" {kind.duckdb}, "b" {kind.duckdb})'
    return Type(kind="struct", duckdb=duckdb, fields=(("a", kind), ("b", kind))), {"a": value, "b": value}


@pytest.mark.parametrize(
    ("members", "rows"),
    [
        ({"o": levels(6)}, 200),
        ({f"c{number}": (TIMESTAMP, "2026-01-31T10:00:00Z") for number in range(60)}, 3000),
    ],
    ids=["objects of six levels", "many columns"],
)
def test_deep_objects_and_many_columns_of_json_take_little_memory(
    members: dict[str, tuple[Type, Any]], rows: int
) -> None:
    columns = (column(name, kind) for name, (kind, _) in members.items())
    row = json.dumps({name: value for name, (_, value) in members.items()}).encode()

    converted = read(
        (row + b"\n") * rows,
        sales(*columns, reading=reading(format="json", null_markers=())),
        "a.ndjson",
        memory_bytes=450 * 1024**2,
    )

    assert converted.account.rows_out == rows
