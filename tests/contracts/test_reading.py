"""A valid contract is loaded. An invalid one is refused with the file, the value and what is accepted."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components.contracts import types
from components.contracts.model import Format, Partition, Projection, Severity
from components.contracts.types import Array, Decimal, Struct
from tests.contracts.drafts import column, custom, dataset, draft, load, partition, refusal

Change = Callable[[dict[str, Any]], object]


def test_what_a_contract_says_is_what_is_read(tmp_path: Path) -> None:
    content = draft()
    dataset(content)["customProperties"] += [
        custom(
            "reading", {"delimiter": ";", "decimalSeparator": ",", "nullMarkers": ["", "NA"], "skipLines": 2}
        ),
        custom("handling", {"unexpectedColumns": "drop", "badValues": "fail", "rejectedShareMax": 0.25}),
        custom("orderBy", ["sold_at", "id"]),
    ]
    column(content, "id")["primaryKey"] = True
    column(content, "sold_at")["logicalTypeOptions"] = {
        "format": "dd.MM.yyyy HH:mm",
        "defaultTimezone": "Europe/Paris",
    }
    column(content, "shop")["customProperties"] = [custom("sourceName", "Shop name")]
    dataset(content)["properties"].append(partition("dt", type="date", first="2026-01-01", last="NOW+1DAY"))

    (contract,) = load(tmp_path, content)

    assert (contract.name, contract.version, contract.prefix) == ("sales", "1.2.0", "input/sales/")
    assert [(item.name, item.source, item.type.name, item.required) for item in contract.columns] == [
        ("id", "id", "bigint", True),
        ("amount", "amount", "decimal(18,2)", False),
        ("sold_at", "sold_at", "timestamp", True),
        ("shop", "Shop name", "string", False),
    ]
    assert (contract.columns[2].format, contract.columns[2].time_zone) == ("%d.%m.%Y %H:%M", "Europe/Paris")
    assert contract.partitions == (
        Partition(name="dt", projection=Projection.DATE, first="2026-01-01", last="NOW+1DAY"),
    )
    reading = contract.reading
    assert (reading.format, reading.delimiter, reading.decimal_separator, reading.skip_lines) == (
        Format.DELIMITED, ";", ",", 2,
    )  # fmt: skip
    assert reading.null_markers == ("", "NA")
    assert contract.handling.unexpected_columns == "drop"
    assert contract.handling.rejected_share_max == 0.25
    assert not contract.rescues
    assert contract.keys is not None
    assert (contract.keys.columns, contract.keys.order_by) == (("id",), ("sold_at", "id"))


@pytest.mark.parametrize(("form", "markers"), [("delimited", ("",)), ("json", ()), ("parquet", ())])
def test_an_empty_text_is_null_only_where_the_format_has_no_null(
    tmp_path: Path, form: str, markers: tuple[str, ...]
) -> None:
    content = draft()
    for item in dataset(content)["customProperties"]:
        if item["property"] == "format":
            item["value"] = form

    (contract,) = load(tmp_path, content)

    assert contract.reading.null_markers == markers


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_an_encoding_may_name_the_order_of_the_bytes(tmp_path: Path, encoding: str) -> None:
    content = draft()
    dataset(content)["customProperties"].append(custom("reading", {"encoding": encoding}))

    (contract,) = load(tmp_path, content)

    assert contract.reading.encoding == encoding


def test_nested_columns_have_the_types_of_every_engine(tmp_path: Path) -> None:
    content = draft()
    dataset(content)["properties"].append(
        {
            "name": "lines",
            "logicalType": "array",
            "items": {
                "logicalType": "object",
                "properties": [
                    {"name": "sku", "logicalType": "string"},
                    {"name": "price", "logicalType": "number", "physicalType": "decimal(9,2)"},
                ],
            },
        }
    )

    (contract,) = load(tmp_path, content)

    kind = contract.columns[-1].type
    assert kind == Array(Struct((("sku", types.STRING), ("price", Decimal(9, 2)))))
    assert kind.hive == "array<struct<sku:string,price:decimal(9,2)>>"
    assert kind.trino == "array(row(sku varchar, price decimal(9,2)))"
    assert kind.duckdb == 'STRUCT("sku" VARCHAR, "price" DECIMAL(9,2))[]'


def test_options_of_the_standard_become_rules(tmp_path: Path) -> None:
    content = draft()
    column(content, "amount")["logicalTypeOptions"] = {"minimum": 0}
    column(content, "shop")["logicalTypeOptions"] = {"maxLength": 20, "pattern": "[A-Z]'?.*"}
    dataset(content)["quality"] = [
        {
            "name": "not_in_the_future",
            "type": "custom",
            "engine": "regional-analytics",
            "implementation": "sold_at < DATE '2100-01-01'",
            "severity": "warning",
        },
        {"type": "text", "description": "Sales of shops that are closed stay."},
    ]

    (contract,) = load(tmp_path, content)

    assert [(rule.name, rule.expression, rule.severity) for rule in contract.rules] == [
        ("amount_minimum", '"amount" >= 0', Severity.REJECT_ROW),
        ("shop_maxLength", 'LENGTH("shop") <= 20', Severity.REJECT_ROW),
        ("shop_pattern", "REGEXP_FULL_MATCH(\"shop\", '[A-Z]''?.*')", Severity.REJECT_ROW),
        ("not_in_the_future", "\"sold_at\" < CAST('2100-01-01' AS DATE)", Severity.WARN),
    ]


@pytest.mark.parametrize(
    ("name", "options", "expression"),
    [
        ("id", {"maximum": 1e18}, '"id" <= 1000000000000000000'),
        ("id", {"maximum": 9007199254740993}, '"id" <= 9007199254740993'),
        ("id", {"exclusiveMinimum": -0.5}, '"id" > -0.5'),
        ("amount", {"maximum": 1e15}, '"amount" <= 1000000000000000'),
        ("amount", {"minimum": 1e-7}, '"amount" >= 0.0000001'),
        ("amount", {"multipleOf": 0.05}, '"amount" % 0.05 = 0'),
        ("id", {"minimum": 1e-19}, '"id" >= 0.0000000000000000001'),
        (
            "sold_at",
            {"maximum": "2026-01-01T02:00:00+02:00"},
            "\"sold_at\" <= CAST('2026-01-01 00:00:00' AS TIMESTAMP)",
        ),
        (
            "sold_at",
            {"minimum": "2026-01-01T00:00:00.5-01:30"},
            "\"sold_at\" >= CAST('2026-01-01 01:30:00.500000' AS TIMESTAMP)",
        ),
        (
            "sold_at",
            {"exclusiveMaximum": "2026-01-31"},
            "\"sold_at\" < CAST('2026-01-31 00:00:00' AS TIMESTAMP)",
        ),
    ],
)
def test_bounds_are_compared_exactly(
    name: str, options: dict[str, Any], expression: str, tmp_path: Path
) -> None:
    content = draft()
    column(content, name)["logicalTypeOptions"] = options

    (contract,) = load(tmp_path, content)

    assert [rule.expression for rule in contract.rules] == [expression]


@pytest.mark.parametrize(
    "name", ["any", "attach", "call", "comment", "glob", "load", "qualify", "show", "use"]
)
def test_options_are_for_columns_of_any_name(name: str, tmp_path: Path) -> None:
    content = draft()
    column(content, "id").update(name=name, logicalTypeOptions={"minimum": 0, "multipleOf": 2})

    (contract,) = load(tmp_path, content)

    assert [rule.expression for rule in contract.rules] == [f'"{name}" >= 0', f'"{name}" % 2 = 0']


def test_a_bound_without_an_exact_literal_is_that_of_a_double(tmp_path: Path) -> None:
    content = draft()
    column(content, "amount").update(physicalType="double", logicalTypeOptions={"maximum": 1e300})

    (contract,) = load(tmp_path, content)

    assert [rule.expression for rule in contract.rules] == ['"amount" <= 1e+300']


RULE = {"name": "r", "type": "custom", "engine": "regional-analytics", "implementation": "id > 0"}


def dated(content: dict[str, Any], **projection: Any) -> None:
    given = {"type": "date", "first": "2024-01-01", "last": "NOW+1DAY", **projection}
    dataset(content)["properties"].append(partition("dt", **given))


def nested(levels: int) -> dict[str, Any]:
    """Return a column of arrays in one another."""
    kind: dict[str, Any] = {"logicalType": "integer"}
    for _ in range(levels):
        kind = {"logicalType": "array", "items": kind}
    return {"name": "deep", **kind}


STRING_FIELD = {"name": "x", "logicalType": "string"}
BROKEN: dict[str, tuple[Change, str, str]] = {
    "another version of the standard": (
        lambda content: content.update(apiVersion="v3.0.2"), "apiVersion", "'v3.0.2'",
    ),
    "a field that the standard does not have": (
        lambda content: content.update(colour="red"), "must follow the Open Data Contract Standard", "colour",
    ),
    "two datasets": (
        lambda content: content["schema"].append(dict(content["schema"][0], name="more")), "schema", "got 2",
    ),
    "no prefix": (
        lambda content: dataset(content)["customProperties"].pop(0), "keyPrefix", "got none",
    ),
    "an unknown property": (
        lambda content: dataset(content)["customProperties"].append(custom("keyPrefx", "x/")),
        "schema[0].customProperties[2]", "'keyPrefx'",
    ),
    "an unknown format": (
        lambda content: dataset(content)["customProperties"][1].update(value="csv"), "delimited", "'csv'",
    ),
    "an upper-case name": (
        lambda content: column(content, "shop").update(name="Shop"), "schema[0].properties[3].name", "'Shop'",
    ),
    "a reserved word": (
        lambda content: column(content, "shop").update(name="order"), "order_", "'order'",
    ),
    "a number of no width": (
        lambda content: column(content, "amount").pop("physicalType"), "decimal(18,2)", "got None",
    ),
    "a decimal too wide": (
        lambda content: column(content, "amount").update(physicalType="decimal(39,2)"),
        "1 to 38", "decimal(39,2)",
    ),
    "a time of day": (
        lambda content: column(content, "shop").update(logicalType="time"), "as string", "'time'",
    ),
    "a physical type of another logical one": (
        lambda content: column(content, "id").update(physicalType="int"), "bigint", "'int'",
    ),
    "unique": (
        lambda content: column(content, "id").update(unique=True), "primaryKey", "True",
    ),
    "an option that is not checked": (
        lambda content: column(content, "shop").update(logicalTypeOptions={"format": "email"}),
        "format", "'email'",
    ),
    "an unsupported date pattern": (
        lambda content: column(content, "sold_at").update(logicalTypeOptions={"format": "YYYY-MM-dd"}),
        "yyyy", "'YYYY'",
    ),
    "an unknown time zone": (
        lambda content: column(content, "sold_at").update(logicalTypeOptions={"defaultTimezone": "Paris"}),
        "Europe/Paris", "'Paris'",
    ),
    "a time zone that DuckDB does not know": (
        lambda content: column(content, "sold_at").update(
            logicalTypeOptions={"defaultTimezone": "localtime"}
        ),
        "that DuckDB knows", "'localtime'",
    ),
    "a multiple that a double rarely is": (
        lambda content: column(content, "amount").update(
            physicalType="double", logicalTypeOptions={"multipleOf": 0.01}
        ),
        "decimal(digits,decimals)", "got 0.01",
    ),
    **{
        f"a multiple of {multiple} for which {kind} has too many digits": (
            lambda content, kind=kind, multiple=multiple: column(content, "amount").update(
                physicalType=kind, logicalTypeOptions={"multipleOf": multiple}
            ),
            "or one with fewer digits", f"got {multiple}",
        )
        for kind, multiple in (
            ("decimal(38,2)", 0.001), ("decimal(20,0)", 1e-20), ("decimal(38,30)", 5), ("decimal(18,2)", 1e37)
        )
    },
    "a multiple of too many digits for an integer": (
        lambda content: column(content, "id").update(logicalTypeOptions={"multipleOf": 1e-20}),
        "or one with fewer digits", "got 1e-20",
    ),
    "a bound of more decimals than fit beside the column's digits": (
        lambda content: column(content, "amount").update(
            physicalType="decimal(38,2)", logicalTypeOptions={"minimum": 0.001}
        ),
        "must have up to 2 decimals", "got 0.001",
    ),
    "a bound of more decimals than fit beside an integer": (
        lambda content: column(content, "id").update(logicalTypeOptions={"exclusiveMaximum": 1e-20}),
        "must have up to 19 decimals", "got 1e-20",
    ),
    "a service level": (
        lambda content: content.update(slaProperties=[{"property": "latency", "value": 4, "unit": "h"}]),
        "slaProperties: must be left out", "latency",
    ),
    "a relationship of a table": (
        lambda content: dataset(content).update(relationships=[{"from": "sales.id", "to": "shops.id"}]),
        "relationships: must be left out", "shops.id",
    ),
    "a relationship of a column": (
        lambda content: column(content, "id").update(relationships=[{"to": "shops.id"}]),
        "relationships: must be left out", "shops.id",
    ),
    "a schedule of a rule": (
        lambda content: dataset(content).update(quality=[{**RULE, "schedule": "0 20 * * *"}]),
        "schedule: must be left out", "'0 20 * * *'",
    ),
    "an infinite bound": (
        lambda content: column(content, "id").update(logicalTypeOptions={"maximum": float("inf")}),
        "must be a finite number", "inf",
    ),
    "a bound before the first year": (
        lambda content: column(content, "sold_at").update(
            logicalTypeOptions={"minimum": "0001-01-01T00:00:00+02:00"}
        ),
        "ISO 8601", "'0001-01-01T00:00:00+02:00'",
    ),
    "a rule for another engine": (
        lambda content: dataset(content).update(
            quality=[{"type": "custom", "engine": "soda", "implementation": "x"}]
        ),
        "regional-analytics", "'soda'",
    ),
    "a rule that names no column": (
        lambda content: dataset(content).update(
            quality=[
                {"name": "r", "type": "custom", "engine": "regional-analytics", "implementation": "x > 1"}
            ]
        ),
        "id, amount, sold_at, shop", "'x'",
    ),
    "keys without an order": (
        lambda content: column(content, "id").update(primaryKey=True), "breaks ties", "got []",
    ),
    "a key that may be null": (
        lambda content: (
            column(content, "shop").update(primaryKey=True),
            dataset(content)["customProperties"].append(custom("orderBy", ["sold_at", "id"])),
        ),
        "required: true", "'shop'",
    ),
    "an order without keys": (
        lambda content: dataset(content)["customProperties"].append(custom("orderBy", ["sold_at", "id"])),
        "primaryKey", "got ['sold_at', 'id']",
    ),
    "a delimiter of two characters": (
        lambda content: dataset(content)["customProperties"].append(custom("reading", {"delimiter": "||"})),
        "one character", "'||'",
    ),
    "an escape that is neither the quote nor a backslash": (
        lambda content: dataset(content)["customProperties"].append(custom("reading", {"escape": "^"})),
        "escape", "'^'",
    ),
    "an escape without a quote": (
        lambda content: dataset(content)["customProperties"].append(
            custom("reading", {"quote": "", "escape": "\\"})
        ),
        "left out without a quote", r"got '\\'",
    ),
    "one character for two things": (
        lambda content: dataset(content)["customProperties"].append(
            custom("reading", {"thousandsSeparator": "."})
        ),
        "differ", "'.'",
    ),
    "a sheet of a text file": (
        lambda content: dataset(content)["customProperties"].append(custom("reading", {"sheet": "A"})),
        "delimited files have", "got 'A'",
    ),
    "an unknown way to handle": (
        lambda content: dataset(content)["customProperties"].append(
            custom("handling", {"badValues": "ignore"})
        ),
        "reject, rescue, fail", "'ignore'",
    ),
    "a backslash as quote": (
        lambda content: dataset(content)["customProperties"].append(custom("reading", {"quote": "\\"})),
        "another character than the backslash", r"got '\\'",
    ),
    "a range far before now": (
        lambda content: dated(content, first="NOW-3000YEARS"), "within 1,000 years", "got 'NOW-3000YEARS'",
    ),
    "a range far after now": (
        lambda content: dated(content, last="NOW+9000YEARS"), "within 1,000 years", "got 'NOW+9000YEARS'",
    ),
    "a range of very many days": (
        lambda content: dated(content, first="NOW-999999999999DAYS"),
        "within 1,000 years", "got 'NOW-999999999999DAYS'",
    ),
    "a range of more digits than a number has": (
        lambda content: dated(content, first=f"NOW-{'9' * 5000}DAYS"), "first must be a date as",
        "got 'NOW-9",
    ),
    "a very long interval": (
        lambda content: dated(content, interval=10**12), "interval must be 1 to 100,000,000",
        f"got {10**12}",
    ),
    "a key of a projection of another type": (
        lambda content: dataset(content)["properties"].append(partition("dt", type="enum", digits=2)),
        "left out for enum (type, values)", "got 2",
    ),
    "an invalid share": (
        lambda content: dataset(content)["customProperties"].append(
            custom("handling", {"rejectedShareMax": 10})
        ),
        "0 to 1", "got 10",
    ),
    "a partition without projection": (
        lambda content: dataset(content)["properties"].append(
            {"name": "dt", "logicalType": "string", "partitioned": True}
        ),
        "Athena derives", "dt",
    ),
    "a column twice": (
        lambda content: dataset(content)["properties"].append({"name": "shop", "logicalType": "string"}),
        "once", "'shop' 2 times",
    ),
    "a source twice": (
        lambda content: column(content, "shop").update(customProperties=[custom("sourceName", "ID")]),
        "source", "'id' 2 times",
    ),
    "a field of an object twice": (
        lambda content: dataset(content)["properties"].append(
            {"name": "o", "logicalType": "object", "properties": [STRING_FIELD, STRING_FIELD]}
        ),
        "each field once", "'x' 2 times",
    ),
    "a required field of an object": (
        lambda content: dataset(content)["properties"].append(
            {"name": "o", "logicalType": "object", "properties": [{**STRING_FIELD, "required": True}]}
        ),
        "properties[0].required", "whole columns",
    ),
    "a format of an array's values": (
        lambda content: dataset(content)["properties"].append(
            {
                "name": "o", "logicalType": "array",
                "items": {"logicalType": "date", "logicalTypeOptions": {"format": "dd.MM.yyyy"}},
            }
        ),
        "items.logicalTypeOptions", "dd.MM.yyyy",
    ),
    "a partition that is no text": (
        lambda content: dataset(content)["properties"].append(
            {**partition("dt", type="date", first="2026-01-01", last="NOW+1DAY"), "logicalType": "date"}
        ),
        "must be string", "'date'",
    ),
    "partitions in no order": (
        lambda content: dataset(content)["properties"].extend(
            [partition("a", type="injected"), partition("b", type="injected")]
        ),
        "partitionKeyPosition", "[1, 1]",
    ),
    "a position of no partition": (
        lambda content: column(content, "shop").update(partitionKeyPosition=1), "partitioned: true", "got 1",
    ),
    "another physical name": (
        lambda content: column(content, "shop").update(physicalName="boutique"), "'shop'", "'boutique'",
    ),
    "a table's other physical name": (
        lambda content: dataset(content).update(physicalName="ventes"), "'sales'", "'ventes'",
    ),
    "a bound that is no date": (
        lambda content: column(content, "sold_at").update(logicalTypeOptions={"minimum": "soon"}),
        "ISO 8601", "'soon'",
    ),
    "a pattern that the engine does not know": (
        lambda content: column(content, "shop").update(logicalTypeOptions={"pattern": "(?=a)b"}),
        "a condition that DuckDB can evaluate", "(?=a)b",
    ),
    "an invalid pattern": (
        lambda content: column(content, "shop").update(logicalTypeOptions={"pattern": "("}),
        "a condition that DuckDB can evaluate", r"'(\'",
    ),
    "a quote that is not closed in a date's format": (
        lambda content: column(content, "sold_at").update(
            logicalTypeOptions={"format": "yyyy-MM-dd'T'HH:mm'Z"}
        ),
        "close each quote", "'Z",
    ),
    "a delimiter that is the quote": (
        lambda content: dataset(content)["customProperties"].append(custom("reading", {"delimiter": '"'})),
        "differ from the delimiter", "'\"'",
    ),
    "a line end as delimiter": (
        lambda content: dataset(content)["customProperties"].append(custom("reading", {"delimiter": "\n"})),
        "line end", r"'\n'",
    ),
    "a delimiter of several bytes": (
        lambda content: dataset(content)["customProperties"].append(custom("reading", {"delimiter": "€"})),
        "ASCII", "'€'",
    ),
    "a digit as separator": (
        lambda content: dataset(content)["customProperties"].append(
            custom("reading", {"decimalSeparator": "5"})
        ),
        "digit", "'5'",
    ),
    "a source of spaces": (
        lambda content: column(content, "shop").update(customProperties=[custom("sourceName", " X ")]),
        "without space", "' X '",
    ),
    "an order that breaks no tie": (
        lambda content: (
            column(content, "id").update(primaryKey=True),
            dataset(content)["customProperties"].append(custom("orderBy", ["sold_at", "sold_at"])),
        ),
        "breaks ties", "['sold_at', 'sold_at']",
    ),
    "no version": (
        lambda content: content.update(version=""), "such as 1.0.0", "''",
    ),
    "a version with a control character": (
        lambda content: content.update(version="1.0\x07"), "such as 1.0.0", r"'1.0\x07'",
    ),
    "more columns than a view can name": (
        lambda content: dataset(content)["properties"].extend(
            {"name": f"c{index}", "logicalType": "string"} for index in range(997)
        ),
        "up to 1,000 columns", "got 1,001",
    ),
    "longer columns than a view can name": (
        lambda content: dataset(content)["properties"].extend(
            {"name": f"c{index:0>200}", "logicalType": "string"} for index in range(320)
        ),
        "names and types of up to 64,000 characters", "got 66,",
    ),
    "a file too large for a table's parameters": (
        lambda content: dataset(content)["properties"].append(
            partition("dt", type="enum", values=[f"v{index}" for index in range(100_000)])
        ),
        "must have up to 512,000 bytes", "got ",
    ),
    "seven arrays in one another": (
        lambda content: dataset(content)["properties"].append(nested(7)),
        "up to 6 objects and arrays in one another", "got more",
    ),
    "300 arrays in one another": (
        lambda content: dataset(content)["properties"].append(nested(300)),
        "up to 6 objects and arrays in one another", "got more",
    ),
    "a name too long for a workgroup": (
        lambda content: dataset(content).update(name="s" * 65), "up to 64", "got 65",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_what_cannot_be_carried_out_is_refused(case: str, tmp_path: Path) -> None:
    change, remedy, value = BROKEN[case]
    content = draft()
    change(content)

    message = refusal(tmp_path, content)

    assert f"{tmp_path.name}/" in message
    assert ".yaml: " in message
    assert remedy in message
    assert value in message


@pytest.mark.parametrize(
    ("pattern", "remedy"),
    [
        ("dd.MM", "year, month and day once"),
        ("HH:mm", "year, month and day once"),
        ("'x'", "year, month and day once"),
        ("yyyy-MM-dd HH:mm yyyy", "year, month and day once"),
        ("yyyy-MM-dd MMM", "year, month and day once"),
        ("uuuu-MM-dd[ HH:mm]", "brackets in quotes"),
        ("yyyy-MM-dd mm:ss", "minutes without an hour"),
        ("yyyy-MM-dd HH:ss", "seconds without minutes"),
        ("yyyy-MM-dd HH:mm.SSS", "fraction without seconds"),
        ("yyyy-MM-dd HH:mm:mm", "each field of a time once"),
        ("yyyy-MM-dd HH:mmXX xxx", "each field of a time once"),
        ("yyyy-MM-dd hh:mm", "half of the day"),
    ],
)
@pytest.mark.parametrize("kind", ["date", "timestamp"])
def test_a_format_says_all_of_a_date(kind: str, pattern: str, remedy: str, tmp_path: Path) -> None:
    content = draft()
    column(content, "sold_at").update(logicalType=kind, logicalTypeOptions={"format": pattern})

    message = refusal(tmp_path, content)

    assert remedy in message
    assert message.rstrip().endswith(f"got {pattern!r}")


@pytest.mark.parametrize(
    ("pattern", "written"),
    [
        ("dd.MM.yyyy", "%d.%m.%Y"),
        ("EEEE, d MMMM uuuu", "%A, %-d %B %Y"),
        ("yyMMdd'['HH']'", "%y%m%d[%H]"),
        ("hh:mm a 'on' M/d/yyyy", "%I:%M %p on %-m/%-d/%Y"),
        ("yyyy-MM-dd'T'HH:mm:ss.SSSXXX", "%Y-%m-%dT%H:%M:%S.%g%z"),
    ],
)
def test_a_format_may_have_any_order(pattern: str, written: str, tmp_path: Path) -> None:
    content = draft()
    column(content, "sold_at")["logicalTypeOptions"] = {"format": pattern}

    (contract,) = load(tmp_path, content)

    assert contract.columns[2].format == written


@pytest.mark.parametrize("text", ["- a\n- b\n", "a: [1\n", "\xff", "", "a: 1\na: 2\n", "a: 1\n---\nb: 2\n"])
def test_what_is_no_yaml_mapping_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "sales.yaml").write_bytes(text.encode("latin-1"))

    assert f"{tmp_path.name}/sales.yaml: must be" in refusal(tmp_path)


def test_an_alias_in_itself_is_refused(tmp_path: Path) -> None:
    (tmp_path / "sales.yaml").write_text("schema: &it [*it]")

    assert "up to 6 objects and arrays in one another" in refusal(tmp_path)


def test_every_problem_is_reported_at_once(tmp_path: Path) -> None:
    content = draft()
    column(content, "shop")["name"] = "select"
    column(content, "amount")["physicalType"] = "money"

    message = refusal(tmp_path, content)

    assert "'select'" in message
    assert "'money'" in message
