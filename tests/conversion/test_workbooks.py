"""Workbooks: the values of the one sheet with data, and the memory limit."""

import tempfile
import zipfile
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from io import BytesIO
from pathlib import Path

import openpyxl
import pytest
import xlwt
from hypothesis import given, settings
from hypothesis import strategies as st

from conversion import DeadlineExceededError, EmptyError, Limits, UnreadableError, workbook
from conversion.budget import Budget
from conversion.workbook import sheet_text, workbook_kind
from tests.conversion.support import gzipped, refused, run
from tests.conversion.workbooks import WRITERS, ods, ods_of, xls, xlsx, xlsx_of, zipped

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


def parts(data: bytes) -> dict[str, bytes]:
    """The content of each part of a workbook."""
    with zipfile.ZipFile(BytesIO(data)) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def changed(data: bytes, part: str, *changes: tuple[bytes, bytes]) -> bytes:
    """The workbook with changes to the XML of a part."""
    files = parts(data)
    for old, new in changes:
        assert old in files[part]
        files[part] = files[part].replace(old, new)
    return zipped(files)


SHEET = "xl/worksheets/sheet1.xml"


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


def of_format(number_format: str, *columns: list[float]) -> bytes:
    """A sheet of these values in cells with this format, below names and right of an empty column."""
    book = openpyxl.Workbook()
    for number, values in enumerate(columns, 2):
        for row, value in enumerate(["d", *values], 1):
            book.worksheets[0].cell(row, number, value).number_format = number_format
    file = BytesIO()
    book.save(file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("number_format", "value", "columns", "cell"),
    [
        ("yyyy-mm-dd", -25, 1, "B3"),
        ("yyyy-mm-dd hh:mm", -1.5, 27, "AB3"),
        ("hh:mm:ss", -1e-7, 800, "ADU3"),
    ],
)
def test_a_negative_number_with_a_date_format_is_refused(number_format, value, columns, cell):
    """calamine reads -25 as 00:00:00, and -1.5 as 12:00:00."""
    columns_before = [[0.5, 45000]] * (columns - 1)
    data = of_format(number_format, *columns_before, [45000, value])
    assert f"in cell {cell} of sheet 'Sheet'" in unreadable(data)


def test_a_formula_with_a_date_format_whose_value_is_negative_is_refused():
    cell = (b"<v>-25", b"<f>B1-B2</f>\n<v>-25")
    assert "in cell B3" in unreadable(changed(of_format("yyyy-mm-dd", [0.5, -25]), SHEET, cell))


def test_negative_numbers_beside_times_are_read():
    rows = [[-0.5, time(12)], [None, None], [-25, time(0)]]
    assert read(xlsx({"Data": rows})) == "-0.5,12:00:00\n-25,00:00:00\n"


def test_a_negative_duration_is_one():
    assert read(of_format("[h]:mm:ss", [-0.25])) == '"d"\n-06:00:00\n'


def test_a_duration_that_is_too_long_is_refused():
    assert "more than 999999999 days" in unreadable(of_format("[h]:mm:ss", [1e10]))


def test_error_values_are_no_values():
    assert read(xlsx({"Data": [["x", "y"], [1, "#DIV/0!"], [2, "#N/A"]]})) == '"x","y"\n1,\n2,\n'


def test_formulas_that_were_never_calculated():
    assert "2 formulas have no calculated value" in unreadable(
        xlsx({"Data": [["x", "y"], [1, "=A2+1"], [2, "=A3+1"]]})
    )


def test_a_sheet_of_formulas_that_were_never_calculated_is_not_empty():
    assert "2 formulas have no calculated value" in unreadable(xlsx({"Data": [["=1+1", "=2+2"]]}))


def test_a_part_that_cannot_be_read():
    data = bytearray(xlsx({"Data": [["id"], [1]]}))
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    assert "a damaged workbook" in unreadable(bytes(data))


@pytest.mark.parametrize("end", ["", "<z>", "</table:table><z>", "<![CDATA[", "</table:table"])
def test_an_element_that_does_not_end(end: str):
    table = '<table:table table:name="D"><table:table-row><table:table-cell/></table:table-row>'
    assert "a damaged workbook" in unreadable(ods_of(table + end))


def test_a_control_character():
    assert read(ods({"Data": [["a\x01b"]]})) == '"a\x01b"\n'


def test_formulas_that_were_calculated():
    data = changed(
        xlsx({"Data": [["x", "y", "z"], [1, "=A2+1", '=""']]}),
        SHEET,
        (b"<f>A2+1</f><v />", b"<f>A2+1</f><v>2</v>"),
        (b'<c r="C2">', b'<c r="C2" t="str">'),
    )
    assert read(data) == '"x","y","z"\n1,2,\n'


XLSX_CELLS = '<row r="1"><c r="A1"><v>5</v></c>{}</row><row r="2"><c r="A2"><v>6</v></c></row>'


@pytest.mark.parametrize(
    "cell",
    [
        '<c r="B1"><f>A1*2</f></c>',
        '<c r="B1"><f>A1*2</f><v/></c>',
        '<c r="B1">\n  <f>A1*2</f>\r\n</c>',
        '<c r="B1"><f>A1*2</f>\n <v>\n</v>\n</c >',
        '<c r="B1"><f><![CDATA[A1<3]]></f></c>',
        '<c r="B1"><f>A1<![CDATA[<]]>3</f ><v xml:space="preserve"> </v></c>',
        '<c r="B1"><!-- doubled --><f>A1*2</f><!-- not calculated --></c>',
        '<c r="B1"><f t="shared" ref="B1:B3" si="0">A1*2</f> </c>',
        '<c r="B1">\n<f t="shared" si="0"/></c>',
        '<c r="B1">\n<f\n/>\n</c>',
        '<c r="B1" t="n">\n<f>A1&amp;" t=""str"""</f></c>',
        "<c r='B1' t='b'>\n<f>A1=3</f></c>",
        '<c r="B1"><f>IF( t="str",1,2)</f></c>',
    ],
)
def test_formulas_of_an_xlsx_without_a_value(cell):
    assert "1 formulas have no calculated value" in unreadable(xlsx_of(XLSX_CELLS.format(cell)))


@pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", "xl/worksheets/more/A.XML", "sheets/data"])
@pytest.mark.parametrize("prefix", ["", "x:", "main-1.0:"])
def test_names_of_parts_and_prefixes(part, prefix):
    cell = '<c r="B1"><f>A1*2</f>{}</c>'
    for value in ("", "<v/>", "<v>10</v>"):
        rows = XLSX_CELLS.format(cell.format(value)).replace("<", f"<{prefix}")
        data = xlsx_of(rows.replace(f"<{prefix}/", f"</{prefix}"), prefix=prefix, part=part)
        if "10" in value:
            assert read(data) == "5,10\n6,\n"
        else:
            assert "1 formulas have no calculated value" in unreadable(data)


@pytest.mark.parametrize(
    ("cell", "read_as"),
    [
        ('<c r="B1"><f>A1*2</f><v>10</v></c>', "10"),
        ('<c r="B1">\n <f ca="1">A1*2</f>\n <v>10</v>\n</c>', "10"),
        ('<c r="B1"><f><![CDATA[A1<3]]></f><v>0</v></c>', "0"),
        ('<c r="B1" t="str"><f>A1&amp;"f"</f><v>5f</v></c>', '"5f"'),
        ('<c r="B1" t="str"><f>""</f><v></v></c>', ""),
        ('<c r="B1" s="0" t="str"><f aca="false">""</f><v/></c>', ""),
        ("<c r='B1' t='str' s='0'>\n <f>\"\"</f>\n</c>", ""),
        ('<c r="B1" t="str"><f t="shared" si="0"/></c>', ""),
        ('<c r="B1" t="e"><f>1/0</f><v>#DIV/0!</v></c>', ""),
        ('<c r="B1" s="0"/><c r="C1" s="0"></c>', ""),
        ('<!-- <c r="B1"><f>A1*2</f></c> -->', ""),
        (
            '<c r="B1" t="inlineStr"><is><t><![CDATA[<c><f>A1</f></c>]]>&lt;f>&lt;/f></t></is></c>',
            '"<c><f>A1</f></c><f></f>"',
        ),
    ],
)
def test_cells_of_an_xlsx_that_have_a_value_or_no_formula(cell, read_as):
    assert read(xlsx_of(XLSX_CELLS.format(cell))).splitlines()[0].rstrip(",") == f"5,{read_as}".rstrip(",")


ODS_ROW = (
    "<table:table table:name='Data'><table:table-row>"
    '<table:table-cell office:value-type="float" office:value="5"/>{}</table:table-row></table:table>'
)


@pytest.mark.parametrize(
    "cell",
    [
        '<table:table-cell table:formula="of:=[.A1]*2"/>',
        '<table:table-cell table:formula="of:=[.A1]*2"/><table:table-cell table:style-name="a"/>',
        '<table:table-cell table:style-name="a" table:formula="of:=[.A1]>2" table:x="y"></table:table-cell>',
        "<table:table-cell table:formula = 'of:=[.A1]&amp;\" office\"' >\n<text:p/></table:table-cell>",
        "<table:table-cell table:formula='of:=1'><text:p></text:p><!-- none --><text:p /></table:table-cell>",
        '<table:table-cell office:value-type="float" table:formula="of:=1"/>',
        '<table:table-cell table:formula="1"><office:annotation>a</office:annotation></table:table-cell>',
        '<table:covered-table-cell table:formula="of:=1"/>',
    ],
)
def test_formulas_of_an_ods_without_a_value(cell):
    assert "1 formulas have no calculated value" in unreadable(ods_of(ODS_ROW.format(cell)))


@pytest.mark.parametrize(
    ("cell", "read_as"),
    [
        ('<table:table-cell table:formula="of:=1" office:value-type="float" office:value="1"/>', ",1"),
        ('<table:table-cell office:value-type="float" office:value="1" table:formula="of:=1"/>', ",1"),
        (
            '<table:table-cell table:formula="of:=1=1" office:boolean-value="true"></table:table-cell>',
            ",true",
        ),
        ('<table:table-cell table:formula="of:=&quot;&quot;" office:value-type="string"/>', ","),
        (
            '<table:table-cell table:formula="of:=1/0" office:string-value=""><text:p/></table:table-cell>',
            ",",
        ),
        ('<table:table-cell table:formula="of:=1/0"><text:p>#DIV/0!</text:p></table:table-cell>', ""),
        ('<table:table-cell><!-- <table:table-cell table:formula="of:=1"/> --></table:table-cell>', ""),
    ],
)
def test_cells_of_an_ods_that_have_a_value_or_no_formula(cell, read_as):
    assert read(ods_of(ODS_ROW.format(cell))) == f"5{read_as}\n"


def test_the_list_of_changes_of_an_ods_has_no_cells():
    changes = '<table:change-track-table-cell table:formula="of:=1"></table:change-track-table-cell>'
    changes = f"<table:tracked-changes>{changes}</table:tracked-changes>"
    assert read(ods_of(changes + ODS_ROW.format(""))) == "5\n"


@pytest.mark.parametrize(
    "data",
    [
        xlsx({"Data": [["=A2+1", None, "=A3+1"] for _ in range(10_000)]}),
        ods_of(ODS_ROW.format("<table:table-cell table:formula='of:=1'/>" * 20_000)),
    ],
    ids=["xlsx", "ods"],
)
def test_all_formulas_of_a_large_sheet_are_counted(data):
    assert "20000 formulas have no calculated value" in unreadable(data)


def test_a_formula_of_an_xls_is_null_without_a_value():
    """Its record is that of an empty text, so the file does not tell them apart."""
    assert read(xls({"Data": [[5, xlwt.Formula("A1*2")]]})) == "5,\n"


def test_tabs_line_breaks_and_long_times_of_an_ods():
    texts = ("a<text:tab/>b", "a<text:line-break/>b", "a</text:p><text:p>b")
    cells = [
        f'<table:table-cell office:value-type="string"><text:p>{t}</text:p></table:table-cell>' for t in texts
    ]
    times = ("PT10H00M05.5S", "PT26H30M05.5S", "-PT01H00M00S")
    cells += [f'<table:table-cell office:value-type="time" office:time-value="{t}"/>' for t in times]
    assert read(ods_of(ODS_ROW.format("".join(cells)))) == (
        '5,"ab","ab","a\nb",10:00:05.500000,"PT26H30M05.5S","-PT01H00M00S"\n'
    )


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


def moved(data: bytes, folder: str, separator: str) -> bytes:
    """An .xlsx whose parts are in another folder than ``xl/``."""
    files = parts(data)
    return zipped(
        {
            name.replace("xl/", folder, 1).replace("/", separator): content.replace(
                b"/xl/", f"/{folder}".encode()
            ).replace(b'"xl/', f'"{folder}'.encode())
            for name, content in files.items()
        }
    )


@pytest.mark.parametrize(
    ("folder", "separator"), [("", "/"), ("other/", "/"), ("xl/", "\\")], ids=["none", "other", "backslash"]
)
def test_parts_may_be_in_any_folder(folder, separator, monkeypatch):
    """As in ``minimal_package.xlsx`` and ``issue_530.xlsx`` of calamine, and ``wtf_path.xlsx`` of SheetJS."""
    rows = [["id", "name"], *([number, f"name {number}"] for number in range(3000))]
    data = moved(xlsx({"Data": rows}), folder, separator)
    assert read(data).startswith('"id","name"\n0,"name 0"\n')
    monkeypatch.setattr(workbook, "resident_bytes", lambda: Budget(Limits(), Path()).memory_bytes - 10_000)
    assert "needs too much memory: about" in unreadable(data)


def test_a_formula_is_found_in_any_folder():
    data = moved(xlsx({"Data": [["x"], ["=A1"]]}), "xl/", "\\")
    assert "1 formulas have no calculated value" in unreadable(data)


def test_a_workbook_that_cannot_be_read_is_named_as_one():
    data = zipped({"[Content_Types].xml": "<Types/>", "other/workbook.xml": "<workbook/>"})
    assert "a damaged workbook" in refused(data).reason


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


@pytest.mark.parametrize("part", ["content.xml", "encrypted-package"])
def test_an_encrypted_ods_is_named(part):
    """LibreOffice encrypts each part, or all as one."""
    mark = b"<manifest:encryption-data manifest:checksum='x'/></manifest:manifest>"
    data = changed(ods({"Data": [["id"]]}), "META-INF/manifest.xml", (b"</manifest:manifest>", mark))
    files = parts(data)
    del files["content.xml"]
    assert "an encrypted workbook" in refused(zipped({**files, part: bytes(range(256))})).reason


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
