import json

import pytest

from tests.conversion.support import run


def column(*values: str):
    """Convert a column of these values, beside a column of text."""
    return run(("value,text\n" + "".join(f"{value},x\n" for value in values)).encode())


SAME = [
    ("BIGINT", ["1", "-5", "0", "9223372036854775807", "-9223372036854775808"]),
    ("DECIMAL(18,2)", ["1.50", "-0.25", "1234567890123456.00"]),
    ("DECIMAL(38,10)", ["1234567890123456789.0123456789", "0.0000000001"]),
    ("DOUBLE", ["1.5", "0.25", "-3.125", "0.30000000000000004", "1e-07", "1.7976931348623157e+308"]),
    ("DATE", ["2024-01-01", "1969-12-31", "0001-01-01"]),
    ("TIMESTAMP", ["2024-01-01 10:00:00", "2024-01-01 10:00:00.5", "1900-01-01 00:00:00"]),
    ("BOOLEAN", ["true", "false"]),
]


@pytest.mark.parametrize(("type_", "values"), SAME)
def test_values_come_back_as_written(type_, values):
    converted = column(*values)
    assert converted.source_types["value"] == type_
    assert [row[0] for row in converted.rows] == values


def test_times_are_published_as_text():
    """Spark cannot open files with a TIME column. A null marker in such a column is still null."""
    converted = column("00:00:00", "23:59:59", "NA")
    assert (converted.types["value"], converted.source_types["value"]) == ("VARCHAR", "TIME")
    assert [row[0] for row in converted.rows] == ["00:00:00", "23:59:59", None]
    assert json.loads(converted.metadata["source_types"]) == {"value": "TIME"}


@pytest.mark.parametrize("value", ["20000-01-01", "0000-01-01"])
@pytest.mark.parametrize("form", ["{}", "{} 10:00:00", "{}T10:00:00", "{} 10:00:00+02:00", "{}T10:00:00Z"])
def test_years_beyond_9999_stay_text_wherever_they_come(form, value):
    values = [form.format(day) for day in ["2024-01-31"] * 3000 + [value]]
    converted = column(*values)
    assert converted.types["value"] == "VARCHAR"
    assert converted.rows[-1][0] == values[-1]


EQUAL = [
    ("DOUBLE", ["1.50", "2.5", "1E3", "12"], ["1.5", "2.5", "1000.0", "12.0"]),
    ("DOUBLE", ["48.053808600000004", "-72.886806000000007", "66.6"], ["48.0538086", "-72.886806", "66.6"]),
    ("BOOLEAN", ["True", "FALSE"], ["true", "false"]),
    (
        "TIMESTAMP",
        ["2024-01-01T10:00:00", "2024-01-01T10:00:00.500"],
        ["2024-01-01 10:00:00", "2024-01-01 10:00:00.5"],
    ),
    ("TIMESTAMP", ["2024-01-01 10:00"], ["2024-01-01 10:00:00"]),
    ("TIMESTAMP WITH TIME ZONE", ["2024-01-01T10:00:00Z"], ["2024-01-01 10:00:00+00"]),
    ("TIMESTAMP WITH TIME ZONE", ["2024-01-01 10:00:00+02:00"], ["2024-01-01 08:00:00+00"]),
    ("TIMESTAMP WITH TIME ZONE", ["2024-01-01 10:00:00+02"], ["2024-01-01 08:00:00+00"]),
    ("TIMESTAMP WITH TIME ZONE", ["2024-01-01T10:00:00.25-0530"], ["2024-01-01 15:30:00.25+00"]),
    ("DATE", ["31/12/2024", "01/02/2024"], ["2024-12-31", "2024-02-01"]),
    ("DATE", ["12/31/2024", "1/2/2024"], ["2024-12-31", "2024-01-02"]),
    ("DATE", ["31.12.2024", "1.2.2024"], ["2024-12-31", "2024-02-01"]),
    ("DATE", ["2024/12/31", "2024/1/2"], ["2024-12-31", "2024-01-02"]),
    ("TIMESTAMP", ["31/12/2024 10:30", "01/02/2024 00:00"], ["2024-12-31 10:30:00", "2024-02-01 00:00:00"]),
    ("BIGINT", [" 77516", " 83311", " 7"], ["77516", "83311", "7"]),
    ("BIGINT", ["    5", "  123", "     ", " NA"], ["5", "123", None, None]),
    ("DOUBLE", ["1.5 ", "  .25", " 2 "], ["1.5", "0.25", "2.0"]),
    ("DATE", [" 2024-01-31", " 2024-02-01"], ["2024-01-31", "2024-02-01"]),
]


FLOATS = [
    *("9.903269621787359", "-0.00912889439741599", "1.5E5", "1E-007", "1E100", "1E-5", "-2.5e+10", "0", "-7"),
    *(".097", "-.5"),
]


@pytest.mark.parametrize("value", FLOATS)
def test_a_float_may_be_written_in_other_forms(value):
    converted = column("0.5", "1.25", value)
    assert converted.types["value"] == "DOUBLE"
    assert float(converted.rows[-1][0]) == float(value)


@pytest.mark.parametrize("value", ["1.2345678901234567891e5", "inf", "0x10", "1_000.5", " 1.5"])
def test_what_a_float_does_not_hold_as_written_stays_text(value):
    converted = column("0.5", "1.25", value)
    assert converted.types["value"] == "VARCHAR"
    assert converted.rows[-1][0] == value


@pytest.mark.parametrize("values", [[" 5", "6"], [" x", " 5"], [" 007", " 008"], [" 5", " 1.5.5"]])
def test_text_keeps_its_spaces(values):
    converted = column(*values)
    assert converted.types["value"] == "VARCHAR"
    assert [row[0] for row in converted.rows] == values


@pytest.mark.parametrize(("late", "type_"), [("5", "BIGINT"), ("  5 ", "BIGINT"), (" x", "VARCHAR")])
def test_a_padded_column_is_checked_to_its_end(late, type_):
    data = "id,n\n" + "".join(f"{i}, {i}\n" for i in range(200_000)) + f"1,{late}\n"
    converted = run(data.encode())
    assert converted.types["n"] == type_
    assert converted.rows[-1][1] == (late.strip() if type_ == "BIGINT" else late)


def test_nan_is_a_null_marker_of_floats():
    assert [row[0] for row in column("0.5", "NaN", "1.25").rows] == ["0.5", None, "1.25"]


@pytest.mark.parametrize(("type_", "values", "read"), EQUAL)
def test_values_mean_what_is_written(type_, values, read):
    converted = column(*values)
    assert converted.types["value"] == type_
    assert [row[0] for row in converted.rows] == read


TEXT = [
    ["2024-01-01 10:00:00.5", "2024-01-01 10:00:00."],
    ["007", "008"],
    ["+49301234", "+49305678"],
    ["12345678901234567890", "1"],
    ["9223372036854775808", "1"],
    ["0x1F", "0x20"],
    ["1_000", "2_000"],
    ["0.12345678901234567890", "0.5"],
    ["1e400", "1.5"],
    ["1e-400", "1.5"],
    ["5.", "1.5"],
    ["2024-02-30", "2024-01-01"],
    ["2024-01-01", "2024-01-01 10:00:00"],
    ["2024-01-01T10:00:00Z", "2024-01-01T10:00:00+02:00"],
    ["2024-01-01 10:00:00.1234567", "2024-01-01 10:00:00"],
    ["01/02/2024", "02/03/2024"],
    ["31/12/2024", "12/31/2024"],
    ["25:00:00", "10:00:00"],
    ["yes", "no"],
    ["t", "f"],
    ["inf", "1.5"],
    ["1", "true"],
    ["NA", "x"],
    ["null", "none"],
]


@pytest.mark.parametrize("values", TEXT)
def test_values_that_fail_the_round_trip_check_stay_text(values):
    converted = column(*values)
    assert converted.types["value"] == "VARCHAR" or converted.rows == [(None, "x")] * len(values)
    if converted.rows[0][0] is not None:
        assert [row[0] for row in converted.rows] == values


@pytest.mark.parametrize(
    ("type_", "good"),
    [
        ("BIGINT", "5"),
        ("DECIMAL(18,2)", "5.25"),
        ("DATE", "2024-01-01"),
        ("TIMESTAMP", "2024-01-01 10:00:00"),
        ("BOOLEAN", "true"),
    ],
)
def test_null_markers_are_nulls_only_where_there_is_a_type(type_, good):
    markers = ["NA", "N/A", "null", "NaN", "None", '""', ""]
    converted = column(good, good, *markers, good)
    assert converted.source_types["value"] == type_
    assert [row[0] for row in converted.rows] == [good, good, *[None] * len(markers), good]
    profile = converted.profile["columns"][0]
    assert profile["nulls"] == len(markers)
    assert profile["null_marker_share"] == 6 / 10


def test_a_marker_that_the_sample_does_not_show():
    data = b"id,n\n" + b"".join(b"%d,%d\n" % (i, i) for i in range(30_000)) + b"1,NA\n" * 3 + b"2,5\n"
    converted = run(data)
    assert converted.types["n"] == "BIGINT"
    assert converted.profile["columns"][1]["nulls"] == 3
    assert converted.profile["columns"][1]["null_marker_share"] == 3 / 30_004


def test_nulls_that_the_sample_does_not_show_are_counted_once():
    sample = b"".join(b"%d,%b,%d.25\n" % (i, b"" if i % 3 else b"7", i) for i in range(3000))
    converted = run(b"a,b,c\n" + sample + b"NA,,NA\n,NA,5.25\n8,NA,\nNA,9,1.50\n" * 500)
    assert list(converted.source_types.values()) == ["BIGINT", "BIGINT", "DECIMAL(18,2)"]
    columns = converted.profile["columns"]
    assert [column["nulls"] for column in columns] == [1500, 3500, 1000]
    assert [round(column["null_marker_share"] * 5000) for column in columns] == [1000, 1000, 500]


def test_a_column_that_begins_empty_is_typed_by_what_follows():
    data = b"id,n,d\n" + b"1,,\n" * 30_000 + b"2,5,2024-01-01\n"
    assert run(data).types == {"id": "BIGINT", "n": "BIGINT", "d": "DATE"}


@pytest.mark.parametrize(
    ("good", "odd"),
    [
        ("2024-01-01", "infinity"),
        ("2024-01-01 10:00:00", "-infinity"),
        ("2024-01-01T10:00:00Z", "infinityZ"),
        ("2024-01-01 10:00:00+02:00", "290309-12-22 (BC) 00:00:00+02:00"),
        ("10:00:00", "24:00:00"),
    ],
)
def test_what_other_readers_of_parquet_do_not_know_is_text(good, odd):
    data = b"t,n\n" + f"{good},1\n".encode() * 2000 + f"{odd},1\n".encode()
    converted = run(data)
    assert converted.types["t"] == "VARCHAR"
    assert converted.rows[-1] == (odd, "1")


def test_markers_of_a_guess_that_was_wrong_are_no_nulls():
    converted = run(b"n,t\n" + b"5,x\nNA,x\n" * 1000 + b"abc,x\n")
    assert converted.types["n"] == "VARCHAR"
    assert converted.profile["columns"][0]["null_marker_share"] == 0


def test_a_column_of_nothing_is_text():
    assert run(b"id,n\n1,\n2,\n").types["n"] == "VARCHAR"


def test_a_few_fractions_among_integers_make_text_and_many_make_floats():
    few = run(b"n,t\n" + b"5,x\n" * 300 + b"1.7,x\n")
    many = run(b"n,t\n" + b"5,x\n1.75,x\n" * 150)
    assert (few.types["n"], many.types["n"]) == ("VARCHAR", "DOUBLE")


@pytest.mark.parametrize(("fractions", "type_"), [(50, "VARCHAR"), (2000, "DOUBLE")])
@pytest.mark.parametrize("before", [5_000, 95_000], ids=["early", "late"])
def test_fractions_after_the_sample_count_as_those_in_it(before, fractions, type_):
    """An early pass is abandoned, and a late one finishes. Either knows only some of the fractions."""
    integer, fraction = b"5,%b\n" % (b"x" * 100), b"1.75,x\n"
    data = b"n,t\n" + integer * before + fraction * fractions + integer * (100_000 - before)
    assert run(data).types["n"] == type_


def test_several_guesses_that_fail_late():
    data = b"a,b,c,d\n" + b"1,2024-01-01,1.50,true\n" * 40_000 + b"x,y,1.505,true\n"
    assert run(data).types == {"a": "VARCHAR", "b": "VARCHAR", "c": "DOUBLE", "d": "BOOLEAN"}
