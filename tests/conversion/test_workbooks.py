"""Workbooks: the values of the one sheet with data, and the memory limit."""

import tempfile
import zipfile
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from io import BytesIO
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversion import DeadlineExceededError, EmptyError, Limits, UnreadableError, workbook
from conversion.budget import Budget
from conversion.workbook import sheet_text, workbook_kind
from tests.conversion.support import gzipped, refused, run
from tests.conversion.workbooks import WRITERS, ods_of, xls, xlsx, zipped

EACH = pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)


def read(data: bytes, **limits) -> str:
    """The sheet as CSV."""
    directory = Path(tempfile.mkdtemp())
    path = directory / "data"
    path.write_bytes(data)
    kind = workbook_kind(path)
    assert kind
    return sheet_text(path, kind, Budget(Limits(**limits), directory)).read_bytes().decode()


def unreadable(data: bytes, **limits) -> str:
    with pytest.raises(UnreadableError) as caught:
        read(data, **limits)
    return str(caught.value)


@EACH
def test_values_of_each_type(write):
    rows = [
        ["id", "name", "price", "day", "moment", "at", "yes"],
        [1, "a", 1.5, date(2024, 1, 31), datetime(2024, 1, 31, 10, 0, 1), time(10, 0, 5), True],
        [2, 'b, "c"\nd', 2.0, date(1999, 12, 31), datetime(2024, 2, 1), time(23, 59, 59), False],
        [3, "007", 0.1 + 0.2, None, None, None, None],
    ]
    assert read(write({"Data": rows})) == (
        '"id","name","price","day","moment","at","yes"\n'
        '1,"a",1.5,2024-01-31,2024-01-31 10:00:01,10:00:05,true\n'
        '2,"b, ""c""\nd",2,1999-12-31,2024-02-01 00:00:00,23:59:59,false\n'
        f'3,"007",{"0.30000000000000004" if write is not xlsx else "0.3"},,,,\n'
    )


@EACH
def test_blank_rows_are_left_out_and_sheets_without_data_do_not_count(write):
    sheets = {"Notes": [], "Data": [["id"], [None], [1], ["x"]], "Blank": [[None, None]]}
    assert read(write(sheets)) == '"id"\n1\n"x"\n'


@EACH
def test_two_sheets_with_data_are_named(write):
    reason = unreadable(write({"North": [["id"], [1]], "Empty": [], "South": [["id"], [2]]}))
    assert "2 sheets with data" in reason
    assert "'North', 'South'" in reason


@EACH
def test_no_data(write):
    with pytest.raises(EmptyError):
        read(write({"Data": []}))


def test_whole_numbers_up_to_what_a_double_holds():
    rows = [[2**53 - 1], [2.0**53], [-5.0], [1e300], [123456.75]]
    assert read(xlsx({"Data": rows})) == "9007199254740991\n9007199254740992.0\n-5\n1e+300\n123456.75\n"


def test_durations_are_hours_minutes_and_seconds():
    rows = [[timedelta(hours=26, minutes=30)], [timedelta(seconds=61)]]
    assert read(xlsx({"Data": rows})) == "26:30:00\n00:01:01\n"


def test_error_values_are_no_values():
    assert read(xlsx({"Data": [["x", "y"], [1, "#DIV/0!"], [2, "#N/A"]]})) == '"x","y"\n1,\n2,\n'


def test_formulas_that_were_never_calculated():
    assert "2 formulas have no calculated value" in unreadable(
        xlsx({"Data": [["x", "y"], [1, "=A2+1"], [2, "=A3+1"]]})
    )


def test_formulas_that_were_calculated():
    data = xlsx({"Data": [["x", "y", "z"], [1, "=A2+1", '=""']]})
    with zipfile.ZipFile(BytesIO(data)) as archive:
        files = {info.filename: archive.read(info) for info in archive.infolist()}
    name = "xl/worksheets/sheet1.xml"
    calculated = files[name].replace(b"<f>A2+1</f><v />", b"<f>A2+1</f><v>2</v>")
    calculated = calculated.replace(b'<c r="C2">', b'<c r="C2" t="str">')
    assert calculated != files[name]
    assert read(zipped({**files, name: calculated})) == '"x","y","z"\n1,2,\n'


def test_a_hidden_sheet_counts():
    book = openpyxl.Workbook()
    book.worksheets[0].append(["id"])
    hidden = book.create_sheet("Hidden")
    hidden.append(["id"])
    hidden.sheet_state = "hidden"
    file = BytesIO()
    book.save(file)
    assert "'Sheet', 'Hidden'" in unreadable(file.getvalue())


def far_apart(write, rows: int = 9000) -> bytes:
    if write is WRITERS["ods"]:
        cell = '<table:table-cell office:value-type="float" office:value="1"'
        row = f"<table:table-row>{cell} table:number-columns-repeated='9000'/></table:table-row>"
        repeated = row.replace("-row>", f"-row table:number-rows-repeated='{rows}'>", 1)
        return ods_of(f"<table:table table:name='Data'>{repeated}</table:table>")
    corner = {xlsx: (1_048_575, 16_383), xls: (65_535, 255)}[write]
    if write is xls:
        import xlwt

        book = xlwt.Workbook()
        sheet = book.add_sheet("Data")
        sheet.write(0, 0, 1)
        sheet.write(*corner, 1)
    else:
        book = openpyxl.Workbook()
        book.worksheets[0].cell(1, 1, 1)
        book.worksheets[0].cell(corner[0] + 1, corner[1] + 1, 1)
    file = BytesIO()
    book.save(file)
    return file.getvalue()


@EACH
def test_cells_that_are_far_from_each_other(write):
    reason = unreadable(far_apart(write), memory_bytes=100)
    assert "needs too much memory: more than the" in reason


def test_cells_that_are_more_than_the_reader_takes():
    reason = unreadable(far_apart(WRITERS["ods"], rows=1_000_000))
    assert "needs too much memory" in reason


@EACH
def test_what_unpacks_to_more_than_memory_holds_is_refused_before_it_is_opened(write, monkeypatch):
    rows = [["id", "name"], *([number, f"name {number}"] for number in range(3000))]
    data = write({"Data": rows})

    def opened(*_: object, **__: object) -> None:
        raise AssertionError("opened")

    monkeypatch.setattr(workbook.subprocess, "Popen", opened)
    monkeypatch.setattr(workbook, "resident_bytes", lambda: Budget(Limits(), Path()).memory_bytes - 10_000)
    assert "needs too much memory: about" in unreadable(data)


def test_the_limit_on_decompressed_bytes():
    data = xlsx({"Data": [[number] for number in range(5000)]})
    assert "decompresses to more than 100000 bytes" in unreadable(data, decompressed_bytes_max=100_000)


def test_the_deadline_ends_the_reader():
    data = xlsx({"Data": [[number, "text"] for number in range(30_000)]})
    with pytest.raises(DeadlineExceededError):
        read(data, seconds=0.06)


TABLE = [
    ["Sales of May", None, None, None],
    [None, None, None, None],
    ["region", "units", "amount", "day"],
    ["North", 10, 1.5, date(2024, 5, 1)],
    ["South", 20, 2.25, date(2024, 5, 2)],
]


@pytest.mark.parametrize("name", WRITERS)
def test_a_workbook_becomes_a_table(name):
    data = WRITERS[name]({"Notes": [], "Data": TABLE})
    converted = run(data, "input/sales.bin")
    assert converted.types == {
        "region": "VARCHAR",
        "units": "BIGINT",
        "amount": "DOUBLE",
        "day": "DATE",
    }
    assert converted.rows == [("North", "10", "1.5", "2024-05-01"), ("South", "20", "2.25", "2024-05-02")]
    assert (converted.result.format, converted.result.compression) == (name, "none")
    assert converted.profile["preamble"] == ['"Sales of May",,,']


@pytest.mark.parametrize("key", ["orders.json.xlsx", "orders.ndjson", "orders.geojson.csv.xlsx"])
def test_a_workbook_is_not_json_whatever_its_name(key):
    converted = run(xlsx({"Data": [["id"], [1]]}), f"input/{key}")
    assert (converted.rows, converted.result.format) == ([("1",)], "xlsx")


def test_a_workbook_that_is_compressed():
    assert run(gzipped(xlsx({"Data": [["id"], [1]]}))).rows == [("1",)]


def test_a_workbook_that_is_read_twice():
    rows = [["id", "value"], *([number, number] for number in range(40_000)), [1, "text"]]
    converted = run(xlsx({"Data": rows}))
    assert converted.types == {"id": "BIGINT", "value": "VARCHAR"}
    assert converted.account.rows_out == 40_001


def test_encrypted_workbooks_are_named():
    stored_in_streams = workbook.OLD_MAGIC + bytes(1016) + "EncryptedPackage".encode("utf-16-le") + bytes(480)
    plain = xls({"a": [["id"], [1]]})
    begin = plain.index(b"\x09\x08\x10\x00\x00\x06\x05\x00") + 20
    with_password = plain[:begin] + b"\x2f\x00" + plain[begin + 2 :]
    for data in (stored_in_streams, with_password):
        assert "an encrypted workbook" in refused(data, "a.xlsx").reason


def test_a_workbook_in_an_archive_is_not_looked_for():
    data = zipped({"sales.xlsx": xlsx({"Data": [["id"], [1]]})})
    assert "an archive or a workbook in another archive" in refused(data).reason


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("xl/workbook.bin", "an Excel binary workbook"),
        ("word/document.xml", "a Word document"),
        ("ppt/presentation.xml", "a PowerPoint document"),
    ],
)
def test_other_documents_are_named(name, said, tmp_path):
    path = tmp_path / "data"
    path.write_bytes(zipped({"[Content_Types].xml": "<Types/>", name: "x"}))
    with pytest.raises(UnreadableError, match=said):
        workbook_kind(path)


SMALL = {
    name: write({"Data": [["id", "name"], *([number, f"name {number}"] for number in range(20))]})
    for name, write in WRITERS.items()
}


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(sorted(SMALL)), st.data())
def test_damaged_workbooks(name, data):
    damaged = bytearray(SMALL[name])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(8, len(damaged) - 1))
        if data.draw(st.booleans()):
            damaged[at] = data.draw(st.integers(0, 255))
        else:
            del damaged[at : at + data.draw(st.integers(1, 500))]
        damaged = damaged.ljust(20)
    path = Path(tempfile.mkdtemp()) / "data"
    path.write_bytes(damaged)
    with suppress(UnreadableError, EmptyError):
        if kind := workbook_kind(path):
            sheet_text(path, kind, Budget(Limits(), path.parent)).read_bytes().decode()
