"""How JSON is laid out: lines, arrays, wrapped arrays and single values of any length, in any encoding."""

import json

import pytest

from conversion.json.shape import Shape, merged
from conversion.model import BLOCK_BYTES, HEAD_BYTES, RECORD_BYTES_MAX
from tests.conversion.support import refused, run

LONG = "x" * (HEAD_BYTES + 100_000)
"""A string that ends after the part of the object from which the layout is detected."""

HALF = "x" * (HEAD_BYTES * 2 // 3)


ROWS = [{"eventVersion": "1.08", "n": number} for number in range(3)]
MANY = ROWS * 40


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        (json.dumps({"a": LONG, "b": 1}), [(LONG, "1")]),
        (json.dumps({"a": LONG, "b": 1}, indent=1), [(LONG, "1")]),
        (json.dumps([{"a": LONG}, {"a": "y"}]), [(LONG,), ("y",)]),
        (json.dumps({"a": LONG}) + '\n{"a":"y"}\n', [(LONG,), ("y",)]),
        ('{"a":"y"}\n' + json.dumps({"a": LONG}), [("y",), (LONG,)]),
    ],
    ids=["an object", "an object over lines", "an array", "a first line", "a later line"],
)
def test_a_value_longer_than_the_beginning(data, rows):
    assert run(data.encode(), "data.json").rows == rows


@pytest.mark.parametrize("text", ["y", HALF, LONG], ids=["short", "half of the beginning", "longer than it"])
def test_one_array_a_line(text):
    rows = [json.dumps([text, 1]), "[2]", "[]"]
    converted = run("\n".join(rows).encode(), "data.ndjson")
    assert (converted.types, converted.source_types) == ({"value": "VARCHAR"}, {"value": "JSON"})
    assert [json.loads(row[0]) for row in converted.rows] == [json.loads(row) for row in rows]


@pytest.mark.parametrize("text", [b'{"a":1}\r{"a":2}\r', b'{"a":1}\r\n{"a":1}\n{"a":1}\n{"a":1}\r{"a":2}\n'])
def test_objects_between_carriage_returns(text):
    count = text.count(b"}")
    assert run(text * 40, "data.ndjson").account.rows_out == 40 * count


@pytest.mark.parametrize("end", ["\r", "\r\r", " \r", "\r ", " \r \r"])
@pytest.mark.parametrize("before", ["\n", '{"a":0}\n' * 9])
def test_objects_between_carriage_returns_with_white_space(end, before):
    values = [f'{{"a":{number}}}' for number in range(4)]
    data = before + end.join(values) + end
    assert run(data.encode(), "data.ndjson").account.rows_out == data.count("a")


def test_arrays_between_line_ends_of_either_kind():
    converted = run(b"[1]\n[2]\r[3]\n[4] \r\r[5]\r\n[6]\r", "data.ndjson")
    assert [json.loads(row[0]) for row in converted.rows] == [[number] for number in range(1, 7)]


def test_a_wrapped_array_of_rows_with_a_number_is_rejected_there():
    data = json.dumps({"rows": [*({"a": number} for number in range(100)), 5], "n": 1})
    converted = run(data.encode(), "data.json")
    assert (converted.account.rows_out, [reject["raw"] for reject in converted.rejects]) == (100, ["5"])


def test_an_object_with_a_type_that_is_no_collection_of_features_wraps_its_long_array():
    data = json.dumps({"type": "x", "rows": [{"a": number} for number in range(100)], "n": 1})
    assert run(data.encode(), "data.json").account.rows_out == 100


def test_an_empty_object_is_a_row():
    assert run(b"{}", "data.json").account.rows_out == 1


@pytest.mark.parametrize("data", [b'[,{"a":1}]', b'[{"a":1},,{"a":2}]'])
def test_a_comma_without_a_value_is_refused(data):
    assert "no value before the comma" in refused(data, "data.json").reason


def test_arrays_between_carriage_returns():
    converted = run(b'[1,"a"]\r[2,"b"]\r[3,"c"]\r', "data.ndjson")
    assert [json.loads(row[0]) for row in converted.rows] == [[1, "a"], [2, "b"], [3, "c"]]


def test_a_damaged_line_between_carriage_returns_is_rejected():
    converted = run(b'{"a":1}\r' * 20 + b'{"a":\r' + b'{"a":2}\r' * 60_000, "data.ndjson")
    assert [(reject["line"], reject["raw"]) for reject in converted.rejects] == [(21, '{"a":')]
    assert converted.account.rows_out == 60_020


BLOCK = "x" * BLOCK_BYTES


@pytest.mark.parametrize(
    ("data", "rows", "rejected"),
    [
        (f'["{BLOCK}"]\r[1]\r[2]\r', 3, []),
        (f'{{"s":"{BLOCK}"}}\r{{"a":\r' + '{"a":3}\r' * 30, 31, [(2, '{"a":')]),
        (" \r".join([f'{{"s":"{BLOCK}"}}', '{"a":1}', '{"a":2}'] * 2), 6, []),
        (f'{{"a":1,\r"s":"{BLOCK}"}}\n{{"a":2}}\n{{"a":3}}\n', 3, []),
        (f'[1]\r["{LONG}"]\r', 2, []),
        (f'[{{"a":"{BLOCK}"}},\r7,\r' + '{"a":1},\r' * 30 + '{"a":1}]', 32, [(2, "7")]),
    ],
    ids=["arrays", "a damaged line", "spaces", "one CR among LF", "a long second array", "elements"],
)
def test_a_line_end_is_what_the_beginning_shows(data, rows, rejected):
    converted = run(data.encode(), "data.json")
    assert converted.account.rows_out == rows
    assert [(reject["line"], reject["raw"]) for reject in converted.rejects] == rejected


@pytest.mark.parametrize("first", [b"garbage", b'"a":1}', b"[1]", b"{"])
def test_a_damaged_first_line_of_ndjson_is_rejected(first):
    converted = run(first + b"\n" + b'{"a":1}\n' * 30, "data.ndjson")
    assert [(reject["line"], reject["raw"]) for reject in converted.rejects] == [(1, first.decode())]


def test_an_array_after_objects_is_rejected():
    objects = '{\n"a":1}\n' * 20
    converted = run((objects + '[\n{"a":99}\n]\n').encode(), "data.json")
    assert [reject["line"] for reject in converted.rejects] == [41]


def test_arrays_over_several_lines_after_one_another_are_refused_with_the_place():
    assert "line 4, byte 12: text after" in refused(b'[\n{"a":1}\n]\n[\n{"a":2}\n]\n', "data.json").reason


@pytest.mark.parametrize("layout", [b"%b", b"[%b]"])
def test_a_value_that_is_too_long_is_named(layout):
    value = b'{"a":"%b"}' % (b"x" * (RECORD_BYTES_MAX + HEAD_BYTES))
    assert f"a value longer than {RECORD_BYTES_MAX} bytes" in refused(layout % value, "data.json").reason


OBJECTS = [{"id": number, "items": [{"x": number}]} for number in range(5)]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"id": 9, "items": [{"x": LONG}]}) + "\n" + json.dumps(OBJECTS[0]),
        json.dumps({"id": 9, "items": [{"x": HALF}] * 3}) + ("\n" + json.dumps(OBJECTS[0])) * 3000,
        "\n".join(json.dumps(value, indent=1) for value in OBJECTS),
        "".join(json.dumps(value) for value in OBJECTS),
        "\r".join(json.dumps(value) for value in OBJECTS),
    ],
    ids=["a long first line", "a longer one before many", "over lines", "without line ends", "CR"],
)
@pytest.mark.parametrize("key", ["data.json", "data.ndjson"])
def test_objects_of_which_the_first_has_an_array_are_a_row_each(text, key):
    converted = run(text.encode(), key)
    assert list(converted.types) == ["id", "items"]
    assert converted.account.rows_out == text.count('"id"')


@pytest.mark.parametrize(
    ("number", "kept"),
    [("NaN", "NaN"), ("1e400", "1e400"), (str(2**64), str(2**64)), (str(2**63 - 1), 2**63 - 1), ("0.5", 0.5)],
)
def test_numbers_around_the_rows_are_kept(number, kept):
    value = f'{{"n":{number},"at":"x","items":{json.dumps(MANY)}}}'
    assert run(value.encode(), "data.json").profile["around_rows"] == {"n": kept, "at": "x"}


@pytest.mark.parametrize("layout", ["[%s]", '{"Records":[%s]}'])
def test_one_invalid_byte_in_a_line_of_many_values_does_not_garble_the_others(layout):
    values = ",".join(f'{{"a":"Käse {number}"}}' for number in range(50))
    text = (layout % (values + ',{"a":"?"}')).encode().replace(b"?", b"\xe4")
    place = text.index(b'{"a":"\xe4')
    assert refused(text, "data.json").reason.startswith(f"malformed JSON at line 1, byte {place}")


@pytest.mark.parametrize(
    ("value", "rows", "around"),
    [
        ({"Records": ROWS}, 3, None),
        ({"type": "FeatureCollection", "features": ROWS}, 3, {"type": "FeatureCollection"}),
        (
            {"type": "FeatureCollection", "links": [{"rel": "self"}], "features": ROWS, "n": 3},
            3,
            {"type": "FeatureCollection", "links": [{"rel": "self"}], "n": 3},
        ),
        ({"count": 120, "items": MANY, "next": None}, 120, {"count": 120, "next": None}),
        ({"count": 3, "items": ROWS}, 1, None),
        ({"meta": {"page": 1}, "items": MANY}, 1, None),
        ({"items": MANY, "links": ["x"]}, 1, None),
        ({"Records": [*ROWS, None]}, 1, None),
    ],
    ids=[
        "CloudTrail", "GeoJSON", "GeoJSON with links", "many elements", "few elements", "an object before",
        "an array after", "null",
    ],
)  # fmt: skip
def test_an_array_in_an_object_holds_the_rows_if_the_object_is_its_wrapper(value, rows, around):
    for data in (json.dumps(value), json.dumps(value, indent=2)):
        converted = run(data.encode(), "data.json")
        assert converted.account.rows_out == rows
        assert converted.profile.get("around_rows") == around


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("data", ['{"a":"é"}\n{"a":"ü"}\n', '[{"a":"é"},\n {"a":"ü"}]'])
def test_encodings(data, encoding):
    assert run(data.encode(encoding), "data.json").rows == [("é",), ("ü",)]


@pytest.mark.parametrize(
    ("key", "data", "place"),
    [
        ("a.json", b"id,name\n1,a\n", "line 1, byte 0"),
        ("a.ndjson", b'{"a":1}{"b":\n{"a":2\n{"a":3}\n', "line 1, byte 7"),
        ("a.jsonl", b"{'a':1}\n{'a':2}\n", "line 1, byte 1"),
        ("a.geojson", b'{"a":1},\n{"a":2},\n', "line 1, byte 7"),
        ("a.geojson", b'\xef\xbb\xbf{"a":1},\n{"a":2},\n', "line 1, byte 10"),
        ("a.json", b'\r\r{"a":1},\r', "line 3, byte 9"),
        ("a.json.gz", b"[1,2]\tx\n", "line 1, byte 6"),
    ],
)
def test_a_json_name_with_other_content(key, data, place):
    assert refused(data, key).reason.startswith(f"malformed JSON at {place}")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b'{"a":1}}', "byte 7: text after the end"),
        (b'{"a":1}\n}\n', "line 2, byte 8: text after the end"),
        (b'{"a":1},{"a":2}', "byte 7: text after the end"),
        (b" 42", "byte 1: a value that is no object or array"),
        (b'"x"\n"y"\n', "byte 0: a value that is no object or array"),
    ],
)
def test_what_is_wrong_with_a_json_name_is_said(data, said):
    assert said in refused(data, "data.json").reason


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        (b"[1,2]\tx\n[3,4]\ty\n", [("[1,2]", "x"), ("[3,4]", "y")]),
        (b"[1],[2]\n3,4\n", [("[1]", "[2]"), ("3", "4")]),
        (b'["a"]\t["b"]\n["c"]\t["d"]\n', [('["a"]', '["b"]'), ('["c"]', '["d"]')]),
        (b'{"a":1}\t{"b":2}\n{"a":3}\t{"b":4}\n', [('{"a":1}', '{"b":2}'), ('{"a":3}', '{"b":4}')]),
        (b'{"a":1};x\n{"a":2};y\n', [('{"a":1}', "x"), ('{"a":2}', "y")]),
    ],
)
def test_a_table_whose_first_column_is_json(data, rows):
    converted = run(data, "data.tsv")
    assert (converted.result.format, converted.rows) == ("delimited", rows)


def test_lines_that_begin_with_a_number_in_brackets_are_text():
    assert run(b"[1] first\n[2] second\n", "input/app.log").rows == [("[1] first",), ("[2] second",)]


@pytest.mark.parametrize(
    "data",
    [
        b"[17, main] started\n[18, worker] job 1 done\n",
        b'["a", main] "started"\n["b", worker] done\n',
        b"[1, 5),A\n[5, 10),B\n",
        b"[1997, ford, e350]\n[1999, null, venture]\n",
        b"[null, main] started\n" * 60_000,
    ],
)
def test_lines_that_begin_as_an_array_of_values_are_text_or_a_table(data):
    converted = run(data, "input/data.log")
    assert converted.result.format in ("delimited", "text")
    assert [",".join(row) for row in converted.rows] == data.decode().splitlines()


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (b'[{"a":1},{"b"', "byte 9"),
        (b"[[1,2],[3", "byte 7"),
        (b"[" + b"1, " * 500_000 + b"x y]", "byte 1500003"),
        (b'["' + b"a" * 1_100_000 + b'", b c]', "byte 1100007"),
    ],
    ids=["objects", "arrays", "numbers", "a text"],
)
def test_a_damaged_array_is_json_whatever_its_name(data, place):
    assert f"malformed JSON at line 1, {place}" in refused(data, "data").reason


@pytest.mark.parametrize(("levels", "kept"), [(60, 51), (500, 51), (900, 51), (100_000, 50)])
def test_a_value_that_is_nested_deeply_is_text_or_its_line_is_rejected(levels, kept):
    deep = b"[" * levels + b"]" * levels
    converted = run(b'{"a":1}\n' * 50 + b'{"a":' + deep + b"}\n", "data.ndjson")
    assert converted.account.rows_out == kept
    if kept == 51:
        assert converted.rows[-1] == (deep.decode(),)
    else:
        assert [reject["line"] for reject in converted.rejects] == [51]


@pytest.mark.parametrize("levels", [60, 350, 500, 900])
@pytest.mark.parametrize("key", ["data.json", "data.ndjson"])
def test_objects_that_are_nested_deeply_are_text(levels, key):
    deep = b'{"a":' * levels + b"1" + b"}" * levels
    assert run(deep, key).rows == [(deep[5:-1].decode(),)]
    rows = b'{"b":1}\n' * 50 + deep + b"\n"
    assert run(rows, key).rows[-1] == (None, deep[5:-1].decode())


LONG = b'{"a":1,"t":"%b"}\n' % (b"x" * 1_100_000)


@pytest.mark.parametrize(
    ("data", "line"),
    [(LONG + b'{"a":bad}\n', 2), (LONG.replace(b'"}', b"}"), 1), (LONG + b"\n\nx\n", 4)],
)
def test_a_malformed_line_beside_a_first_line_that_is_longer_than_the_sample_is_rejected(data, line):
    converted = run(data + b'{"a":3,"t":"z"}\n' * 30, "data.ndjson")
    assert [reject["line"] for reject in converted.rejects] == [line]


def test_a_wrapped_array_in_one_long_line_is_one_whatever_the_name():
    elements = b",".join(b'{"a":%d,"t":"%b"}' % (number, b"x" * 50) for number in range(20_000))
    assert run(b'{"Records":[%b]}' % elements, "data.ndjson").account.rows_out == 20_000


@pytest.mark.parametrize("after", ["", "\n", '\n{"a":2}\n'])
@pytest.mark.parametrize("key", ["data.json", "data.ndjson"])
def test_objects_in_a_line_that_is_longer_than_the_beginning(after, key):
    data = '{"a":1}' * (HEAD_BYTES // 6) + after
    assert run(data.encode(), key).account.rows_out == data.count("a")


def test_a_feature_collection_with_a_box_before_its_features():
    features = [{"type": "Feature", "properties": {"a": number}} for number in range(3)]
    collection = {"type": "FeatureCollection", "bbox": [1, 2, 3, 4], "features": features}
    assert run(json.dumps(collection).encode(), "data.geojson").account.rows_out == 3


@pytest.mark.parametrize(("before", "after"), [("", " \n" * BLOCK_BYTES), (" " * BLOCK_BYTES, "")])
def test_white_space_around_an_object_is_no_part_of_what_it_wraps(before, after):
    data = before + json.dumps({"Records": ROWS}) + after
    assert run(data.encode(), "data.json").account.rows_out == len(ROWS)


def test_a_feature_collection_that_says_so_at_its_end():
    collection = {"links": [{"rel": "self"}], "features": ROWS, "type": "FeatureCollection"}
    converted = run(json.dumps(collection).encode(), "data.geojson")
    assert converted.account.rows_out == len(ROWS)
    assert converted.profile["around_rows"] == {"links": [{"rel": "self"}], "type": "FeatureCollection"}


def test_many_keys_of_which_two_clash_have_a_column_each():
    values = [1, 1.5, True, None, "x", "null", 2**60, [1, None], {"y": "z"}]
    row = {"id": 1, "ID": 2} | {f"k{number}": values[number % len(values)] for number in range(60)}
    converted = run((json.dumps(row) + "\n").encode() * 3000, "data.ndjson")
    assert len(converted.types) == 62
    texts = ["1", "1.5", "true", None, "x", "null", str(2**60), "[1, NULL]", "{'y': z}"]
    assert list(converted.rows[-1]) == ["1", "2", *(texts[number % len(texts)] for number in range(60))]


@pytest.mark.parametrize(("objects", "is_text"), [(20, False), (150, True)])
def test_an_object_of_objects_that_needs_too_much_memory_is_text(objects, is_text):
    value = {f"p{number}": {f"x{number}": "text" for number in range(10)} for number in range(objects)}
    converted = run(json.dumps({"id": 1, "a": value}).encode(), "a.json")
    assert (converted.types["id"], converted.types["a"] == "VARCHAR") == ("BIGINT", is_text)
    ((found,),) = converted.query("SELECT a FROM data")
    assert (json.loads(found) if is_text else found) == value


@pytest.mark.parametrize("value", [["x"], [5], {"x": [1]}])
def test_too_many_objects_and_lists_are_one_column(value):
    row = {f"k{n}": value for n in range(2000)}
    converted = run(json.dumps(row).encode(), "a.json")
    assert converted.types == {"value": "VARCHAR"}
    assert json.loads(converted.rows[0][0]) == row


def test_a_key_of_its_own_in_each_of_many_rows_takes_no_quadratic_time():
    data = "".join(f'{{"k{number}":1}}\n' for number in range(50_000))
    assert run(data.encode(), "data.ndjson", seconds=20).types == {"value": "VARCHAR"}


@pytest.mark.parametrize(
    "data",
    [
        '{"b":1}\n' + json.dumps({"b": 1, "a": [{f"k{number}": 1} for number in range(20_000)]}),
        "".join(json.dumps({f"k{row},{n}": n for n in range(80)}) + "\n" for row in range(1500)),
    ],
    ids=["elements of one row", "rows"],
)
def test_many_keys_take_no_quadratic_time(data):
    assert "VARCHAR" in run(data.encode(), "data.ndjson", seconds=5).types.values()


def test_a_row_that_adds_nothing_to_a_wide_shape_does_not_copy_it():
    shape: Shape = {f"k{number}": "BIGINT" for number in range(2000)}
    assert merged(shape, {"k7": "BIGINT", "k8": "NULL"}) is shape


def test_too_many_keys_that_clash_are_one_column():
    row = {("k" if number % 2 else "K") + str(number // 2): [number] for number in range(1000)}
    assert run((json.dumps(row) + "\n").encode() * 100, "data.ndjson").types == {"value": "VARCHAR"}


def test_keys_that_clash_have_structs_whose_fields_come_and_go():
    rows = [
        {"a": {"x": 1, "q'\"": [1.5]}, "A": [{"y": True}]},
        {"a": {"z": "s"}, "A": [{}, None]},
        {"a": None},
    ]
    converted = run("".join(json.dumps(row) + "\n" for row in rows).encode(), "data.ndjson")
    assert converted.query("FROM data") == [
        ({"x": 1, "q__": [1.5], "z": None}, [{"y": True}]),
        ({"x": None, "q__": None, "z": "s"}, [{"y": None}, None]),
        (None, None),
    ]
