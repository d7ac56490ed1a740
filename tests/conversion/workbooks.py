"""Write workbooks: .xlsx and .xls with their libraries, .ods as XML."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from typing import Any

import openpyxl
import xlwt

Sheet = Sequence[Sequence[Any]]


def xlsx(sheets: Mapping[str, Sheet]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def xlsx_of(rows: str, *, prefix: str = "", part: str = "xl/worksheets/sheet1.xml") -> bytes:
    """A workbook whose sheet has these elements, in this part. ``prefix`` is that of their names."""
    with zipfile.ZipFile(io.BytesIO(xlsx({"Data": []}))) as archive:
        files = {info.filename: archive.read(info) for info in archive.infolist()}
    del files["xl/worksheets/sheet1.xml"]
    relations = "xl/_rels/workbook.xml.rels"
    files[relations] = files[relations].replace(b"xl/worksheets/sheet1.xml", part.encode())
    named = f"xmlns:{prefix[:-1]}" if prefix else "xmlns"
    files[part] = (
        f'<{prefix}worksheet {named}="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        f"<{prefix}sheetData>{rows}</{prefix}sheetData></{prefix}worksheet>"
    ).encode()
    return zipped(files)


_XLS_FORMATS = {datetime: "YYYY-MM-DD HH:MM:SS", date: "YYYY-MM-DD", time: "HH:MM:SS"}
_XLS_STYLES = {type_: xlwt.easyxf(num_format_str=format_) for type_, format_ in _XLS_FORMATS.items()}


def xls(sheets: Mapping[str, Sheet]) -> bytes:
    book = xlwt.Workbook()
    for name, rows in sheets.items():
        sheet = book.add_sheet(name)
        for number, row in enumerate(rows):
            for column, value in enumerate(row):
                sheet.write(number, column, value, _XLS_STYLES.get(type(value), xlwt.Style.default_style))
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


_ODS_NAMESPACES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text")
)
_ODS_TYPE = "application/vnd.oasis.opendocument.spreadsheet"


def ods(sheets: Mapping[str, Sheet]) -> bytes:
    tables = "".join(
        f'<table:table table:name="{name}">'
        + "".join(f"<table:table-row>{''.join(map(_ods_cell, row))}</table:table-row>" for row in rows)
        + "</table:table>"
        for name, rows in sheets.items()
    )
    return ods_of(tables)


def ods_of(tables: str) -> bytes:
    """A workbook of these elements."""
    content = (
        f"<office:document-content {_ODS_NAMESPACES}><office:body><office:spreadsheet>{tables}"
        "</office:spreadsheet></office:body></office:document-content>"
    )
    manifest = (
        '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
        f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{_ODS_TYPE}"/>'
        '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/>'
        "</manifest:manifest>"
    )
    return zipped({"mimetype": _ODS_TYPE, "META-INF/manifest.xml": manifest, "content.xml": content})


def _ods_cell(value: Any) -> str:
    if value is None:
        return "<table:table-cell/>"
    if isinstance(value, bool):
        return f'<table:table-cell office:value-type="boolean" office:boolean-value="{str(value).lower()}"/>'
    if isinstance(value, date):
        return f'<table:table-cell office:value-type="date" office:date-value="{value.isoformat()}"/>'
    if isinstance(value, time):
        written = value.strftime("PT%HH%MM%SS")
        return f'<table:table-cell office:value-type="time" office:time-value="{written}"/>'
    if isinstance(value, str):
        return f'<table:table-cell office:value-type="string"><text:p>{value}</text:p></table:table-cell>'
    return f'<table:table-cell office:value-type="float" office:value="{value}"/>'


WRITERS = {"xlsx": xlsx, "xls": xls, "ods": ods}


def zipped(files: Mapping[str, str | bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()
