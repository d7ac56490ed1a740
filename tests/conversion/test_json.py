import json
from decimal import Decimal

import pytest

from conversion import EmptyError
from tests.conversion.support import refused, run

ROWS = [
    {"id": i, "name": f'n "{i}"', "when": f"2024-01-{i % 28 + 1:02}", "price": i / 8, "on": i % 2 == 0}
    for i in range(200)
]
TYPES = {"id": "BIGINT", "name": "VARCHAR", "when": "DATE", "price": "DOUBLE", "on": "BOOLEAN"}
COMPACT = {"separators": (",", ":")}


def lines(rows, **how):
    return "".join(json.dumps(row, **how) + "\n" for row in rows).encode()


@pytest.mark.parametrize(
    "data",
    [
        lines(ROWS, **COMPACT),
        lines(ROWS),
        lines(ROWS).replace(b"\n", b"\r\n"),
        b"\n" + lines(ROWS).replace(b"\n", b"\n \n"),
        lines(ROWS).rstrip(),
        json.dumps(ROWS).encode(),
        json.dumps(ROWS, indent=2).encode(),
        b"\n".join(json.dumps(row, indent=1).encode() for row in ROWS),
        b"".join(json.dumps(row).encode() for row in ROWS),
        lines(ROWS).decode().encode("utf-16"),
        b"\xef\xbb\xbf" + lines(ROWS),
    ],
)
def test_every_layout(data):
    converted = run(data, "data.json")
    assert converted.types == TYPES
    assert converted.result.format == "json"
    assert converted.query("FROM data")[7] == tuple(
        __import__("datetime").date(2024, 1, 8) if name == "when" else value
        for name, value in ROWS[7].items()
    )
    assert converted.account.rows_out == len(ROWS)


def test_keys_that_come_and_go():
    rows = [{"a": 1}, {"b": "x"}, {"c": 2.5, "a": None}, {}]
    converted = run(lines(rows * 50), "data.json")
    assert converted.types == {"a": "BIGINT", "b": "VARCHAR", "c": "DOUBLE"}
    assert converted.rows[:4] == [
        ("1", None, None),
        (None, "x", None),
        (None, None, "2.5"),
        (None, None, None),
    ]


def test_a_key_that_comes_once_and_late_is_kept():
    converted = run(lines([*[{"a": 1}] * 5000, {"a": 2, "late": "here"}], **COMPACT), "data.json")
    assert converted.rows[-1] == ("2", "here")


def test_a_key_that_is_lost_in_exchange_for_another():
    rows = [*[{"a": 1, "b": 2}] * 3000, {"a": 3, "c": 4}, {"a": 5, "b": 6}]
    converted = run(lines(rows, **COMPACT), "data.json")
    assert converted.rows[-2:] == [("3", None, "4"), ("5", "6", None)]


@pytest.mark.parametrize("twice", ['{"at":{"x":1,"x":2}}', '{"at":{"x":1},"in":[{"y":[{"z":1,"z":1}]}]}'])
@pytest.mark.parametrize("spaced", [False, True])
def test_a_key_twice_in_an_object_inside_is_rejected(twice, spaced):
    good = lines([{"at": {"x": i}, "in": [{"y": [{"z": i}, {"z": '":'}]}]} for i in range(30)], **COMPACT)
    again = twice.replace(":", " : ").replace(",", " , ") if spaced else twice
    converted = run(good + again.encode() + b"\n" + good, "data.json")
    assert [(reject["line"], reject["reason"], reject["raw"]) for reject in converted.rejects] == [
        (31, "a repeated key, or text that is not Unicode", again)
    ]
    assert converted.account.rows_out == 60


@pytest.mark.parametrize(
    "row",
    [
        {"id": 1, "ID": 2, "at": {"x": 1}},
        {"id": {"x": 1}, "Id": [{"x": 2}]},
        {**{f"key{number}": number for number in range(3000)}, "at": {"x": 1}},
    ],
    ids=["keys that clash", "objects whose keys clash", "too many keys"],
)
@pytest.mark.parametrize(
    ("found", "put"), [('{"x":', '{"x":0,"x":'), ('{"', '{"id":0,"id":0,"'), ("}\n", '}{"id":1}\n')]
)
def test_a_line_with_a_repeated_key_or_two_values_is_rejected_whatever_the_shape(row, found, put):
    good = lines([row] * 20, **COMPACT)
    [line] = lines([row], **COMPACT).decode().splitlines(keepends=True)
    converted = run(good + line.replace(found, put, 1).encode() + good, "data.ndjson")
    assert [reject["line"] for reject in converted.rejects] == [21]
    assert converted.account.rows_out == 40


@pytest.mark.parametrize(
    "again",
    [
        r'{"a"\t:1,"a":2}',
        r'{"a"\r:1,"a":2}',
        r'{"a" :1,"a":2}',
        r'{"a":1,"a":2,"s":"\u0022:"}',
        r'{"a":1,"a":2,"s":"\"\u003a"}',
    ],
)
@pytest.mark.parametrize("inside", [True, False])
def test_a_repeated_key_is_found_however_it_is_written(again, inside):
    again = again.replace(r"\t", "\t").replace(r"\r", "\r")
    good = b'{"j":1}\n{"j":{"q":"x"}}\n' * 20
    row = f'{{"j":{again}}}' if inside else again
    converted = run(good + row.encode() + b"\n", "data.ndjson")
    assert [(reject["line"], reject["raw"]) for reject in converted.rejects] == [(41, row)]


@pytest.mark.parametrize("blank", [b"", b"   \n", b"\t\n", b"\n"])
@pytest.mark.parametrize(
    "bad", [b"[1]\n", b'{"a":1.000000000000000000001}\n', b"{\n", b'{"a":"\xff"}\n', b""]
)
def test_what_is_taken_out_first_moves_no_number(blank, bad):
    good = [b'{"a":%d}\n' % i if i % 2 else b'{"a":%d,"b":1}\n' % i for i in range(60)]
    data = b"".join([*good[:5], blank, *good[5:10], bad, *good[10:20], b'{"a":7,"a":8}\n', *good[20:]])
    converted = run(data, "data.json")
    rejected = [reject.get("raw") for reject in converted.rejects]
    assert '{"a":7,"a":8}' in rejected
    assert len(rejected) == (2 if bad in (b"[1]\n", b"{\n") else 1)
    numbers = [row[0] for row in converted.rows if row[0].isdigit()]
    assert numbers == [str(i) for i in range(60)]


@pytest.mark.parametrize("layout", [b"%b", b"[%b]", b'[{"a":1},%b]'])
def test_an_integer_of_thousands_of_digits_is_kept(layout):
    digits = b"1" * 5000
    converted = run(layout % (b'{"a":%b}' % digits), "data.json")
    assert converted.rows[-1] == (digits.decode(),)


def test_a_key_that_is_not_unicode():
    good = b'{"a":1}\n' * 30
    assert run(good + b'{"\\ud800":1}\n', "data.json").account.rows_rejected == 1
    assert "30 of 30 rows rejected" in refused(b'{"\\ud800":1}\n' * 30, "data.json").reason


def test_keys_that_differ_in_case_alone_have_nulls():
    assert run(b'{"a":1,"A":null}\n{"a":null,"A":2}\n' * 3, "data.json").rows[:2] == [
        ("1", None),
        (None, "2"),
    ]


def test_strings_that_look_like_numbers_stay_text():
    converted = run(lines([{"zip": "10115", "flag": "true"}] * 3), "data.json")
    assert converted.types == {"zip": "VARCHAR", "flag": "VARCHAR"}


def test_nested_values_keep_their_structure():
    rows = [{"at": {"x": 1, "y": 2.5}, "tags": ["a", "b"]}, {"at": {"x": 2, "z": [True]}, "tags": []}]
    converted = run(lines(rows), "data.json")
    assert converted.types == {"at": "STRUCT(x BIGINT, y DOUBLE, z BOOLEAN[])", "tags": "VARCHAR[]"}
    assert converted.query('SELECT "at".x, "at".y, "at".z, tags FROM data') == [
        (1, 2.5, None, ["a", "b"]),
        (2, None, [True], []),
    ]


@pytest.mark.parametrize(
    "values", [[{"x": 1}, [1]], [{"x": 1}, "s"], [1, "1"], [True, 1], [{"x": {"a": 1, "A": 2}}, None]]
)
def test_shapes_that_disagree_stay_json(values):
    converted = run(lines([{"v": value} for value in values]), "data.json")
    assert (converted.types, converted.source_types) == ({"v": "VARCHAR"}, {"v": "JSON"})
    assert [None if row[0] is None else json.loads(row[0]) for row in converted.rows] == values


@pytest.mark.parametrize(
    "number", ["12345678901234567890", "0.12345678901234567890", "1234567.12345678901", "-0.1e-3", "1e5"]
)
def test_numbers_lose_no_digit(number):
    data = b'{"n":1.5,"m":[1]}\n' + b'{"n":%b,"m":[%b]}\n' % (number.encode(), number.encode())
    value, nested = run(data, "data.json").rows[1]
    assert Decimal(value.strip('"')) == Decimal(number)
    assert Decimal(nested.strip('[]"')) == Decimal(number)


@pytest.mark.parametrize("number", ["1E-400", "9007199254740993", "-9223372036854775809"])
def test_a_number_that_its_column_does_not_hold_stays_text(number):
    converted = run(b'{"n":%b}\n{"n":0.5}\n' % number.encode(), "data.json")
    assert Decimal(converted.rows[0][0].strip('"')) == Decimal(number)


def test_keys_and_strings_beside_a_long_number_stay():
    data = b'{"value.e":0.12345678901234567890,"text":"1e5 . e"}\n'
    assert run(data, "data.json").rows == [('"0.12345678901234567890"', "1e5 . e")]


def test_an_integer_of_seventeen_digits_in_an_array_of_rows_stays_a_number():
    data = b"[]\n[0.12345678901234567,12345678901234567]\n"
    assert json.loads(run(data, "data.json").rows[1][0]) == ["0.12345678901234567", 12345678901234567]


def test_text_of_any_kind():
    text = 'tab\t, "quotes", back\\slash, \u2028 line, 🎉, \x7f and \x01'
    converted = run(lines([{"text": text}, {"text": ""}, {"text": None}]), "data.json")
    assert converted.rows == [(text,), ("",), (None,)]


def test_keys_of_any_kind():
    row = {"a/b": 1, "a~b": 2, "": 3, "A": 4, "a": 5, "größe": 6, 'q"uote': 7, "select": 8, "a.b": 9, "$": 10}
    converted = run(lines([row, row]), "data.json")
    assert converted.rows == [tuple(str(value) for value in row.values())] * 2
    assert list(json.loads(converted.metadata["column_names"]).values()) == list(row)


def test_invalid_bytes_in_a_line():
    good = lines([{"name": "größe"}] * 20, ensure_ascii=False)
    converted = run(good + b'{"name":"gr\xf6\xdfe"}\n' + good, "data.json")
    assert converted.account.rows_out == 40
    (reject,) = converted.rejects
    assert (reject["line"], reject["byte_offset"]) == (21, len(good))
    assert "0xf6" in reject["reason"]


def test_an_invalid_byte_in_a_line_of_another_encoding():
    data = b'{"a":"\xe9"}\n' * 10
    (reject,) = run(data + b'{"a":"\x81"}\n', "data.json").rejects
    assert reject["reason"] == f"0x81 is not text in windows-1252 at byte {len(data) + 10 + 6}"


@pytest.mark.parametrize("data", [b"[]", b" [ ] \n", b"{}"[:0] + b"\n\n"])
def test_nothing_in_it(data):
    with pytest.raises(EmptyError):
        run(data, "data.json")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b'[{"a":1},{"a":2}', "inside the array"),
        (b'[{"a":1},{"a":2},]', "comma"),
        (b'[{"a":1} {"a":2}]', "no comma"),
        (b'[{"a":1},{"a":}]', "byte 9"),
        (b'[{"a":1}] [2]', "after the end"),
        (b"[" * 100_000, "malformed"),
        (b'[{"d":{"k":1,"k":2},"s":"a"b"},{"v":"c"d"},{"w":1},{"w":2}]', "byte 1: malformed"),
    ],
)
def test_an_error_inside_an_array_makes_it_unreadable(data, words):
    error = refused(data, "data.json")
    assert words in error.reason


def test_elements_that_are_no_objects_are_rejected():
    converted = run(b"[" + b'{"a":1},' * 30 + b"\n 5, null]", "data.json")
    assert [(r["raw"], r["record"], r["line"]) for r in converted.rejects] == [("5", 31, 2), ("null", 32, 2)]


def test_a_file_with_brackets_that_is_no_json():
    converted = run(b"[name],[size]\nx,1\ny,2\n")
    assert converted.result.format == "delimited"
    assert converted.rows == [("x", "1"), ("y", "2")]


@pytest.mark.parametrize("parts", [0, 2, 40])
@pytest.mark.parametrize("separator", [",", ",\n", " , "])
def test_elements_that_hold_objects_like_themselves(parts, separator):
    rows = [{"id": number, "parts": [{"id": part} for part in range(parts)]} for number in range(4000)]
    elements = [json.dumps(row) for row in rows]
    elements.insert(3000, "7")
    text = f"[{separator.join(elements)}]"
    converted = run(text.encode(), "data.json")
    assert converted.query("SELECT id, len(parts) FROM data") == [(number, parts) for number in range(4000)]
    (rejected,) = converted.rejects
    offset = text.index(f"{separator}7{separator}") + len(separator)
    assert (rejected["byte_offset"], rejected["raw"]) == (offset, "7")
    assert rejected["line"] == 1 + text.count("\n", 0, offset)


@pytest.mark.parametrize("layout", ["%s", "[%s]"], ids=["lines", "an array"])
def test_rows_with_few_of_many_keys_that_are_read_in_parts(layout, monkeypatch):
    monkeypatch.setattr("conversion.json.rows._ATTRIBUTES_MAX", 200)
    wide = json.dumps({f"k{number}": number for number in range(60)})
    values = [
        wide,
        *(f'{{"k{number % 60}":{number}}}' for number in range(100)),
        "7",
        wide,
        "{}",
        '{"late":1}',
    ]
    text = layout % (",\n\n" if layout == "[%s]" else "\n\n").join(values)
    converted = run(text.encode(), "data.json")
    assert [[cell for cell in row if cell] for row in converted.rows[1:101]] == [[str(n)] for n in range(100)]
    (reject,) = converted.rejects
    assert (reject["line"], reject["byte_offset"], reject["record"]) == (203, text.index("\n7") + 1, 102)
