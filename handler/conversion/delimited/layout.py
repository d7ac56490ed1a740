"""The layout of a delimited file, detected at its beginning: dialect, titles, comments, header and names."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import PurePosixPath

from conversion.delimited.beginning import unfinished_at, without_unfinished
from conversion.delimited.cells import Kind, kind_of, looks_like
from conversion.delimited.detection import Detected, detect
from conversion.delimited.dialect import Dialect, lines_dialect
from conversion.delimited.evidence import Header
from conversion.delimited.header import Begin, find_header
from conversion.delimited.sample import Grammar, Record, is_again, line_ends
from conversion.model import UnreadableError

_DELIMITED_SUFFIXES = {".csv", ".tsv", ".tab", ".psv", ".ssv", ".dsv"}
_LIKENESS_MIN = 0.9
"""The share of records that must have the table's width if the name does not say that the file is delimited.
With a smaller share, the object would be FAILED by default, because too many rows would be rejected."""
_TAG = re.compile(rb"\s*<(?:\?xml\s|!DOCTYPE\s|!--|[A-Za-z_][\w:.-]*(?:\s|/?>))", re.IGNORECASE)
_OPENED = re.compile(rb"<[?!A-Za-z_]")
_CLOSED = re.compile(rb"</|/>|\?>|<(?:br|hr|img)\b", re.IGNORECASE)
_IN_NUMBER = re.compile(rb"(?<!\w)\d{1,3},(?=\d{3}(?!\d))")
"""The beginning of a number with a comma: ``1,234`` or ``48,960``."""
_SAMPLE_RECORDS = 1000
_TITLE_LENGTH_MAX = 200


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The layout of a file."""

    dialect: Dialect
    names: tuple[str, ...]
    """The column names in the source; empty for columns without a name."""
    sample: tuple[tuple[str, ...], ...] = ()
    """The values of the first rows."""
    header: Header = Header.NONE
    """The evidence for the header."""
    header_record: bytes = b""
    """The header's bytes without the line end; empty if there is no header."""
    repeats: tuple[bytes, ...] = ()
    """The records that repeat the header, or the line ``sep=``, as in concatenated files."""
    header_line: int | None = None
    """The header's first line, from 1."""
    body_offset: int = 0
    """The offset of the first row. Nothing before it is a row."""
    body_line: int = 1
    """The first row's line, from 1."""
    comments: bool = False
    """Whether a line of another width that begins with ``#`` is a comment, and not a damaged row."""
    preamble: tuple[str, ...] = ()
    """The titles and comments before the table, and the line ``sep=``. Long ones are truncated."""

    def note(self, index: int) -> str | None:
        """Describe a text column whose values look like amounts or dates; None for any other."""
        return looks_like(row[index] for row in self.sample)

    @property
    def is_text(self) -> bool:
        """Whether it is plain text. Then each line, also a blank one, is a row of one column."""
        return self.dialect.blank_lines

    @property
    def facts(self) -> Mapping[str, object]:
        """The layout, for the profile."""
        if self.is_text:
            return {}
        facts: dict[str, object] = {
            "delimiter": self.dialect.delimiter.decode(),
            "quote": self.dialect.quote.decode(),
            "escape": self.dialect.escape.decode(),
            "header": self.header.value,
        }
        if self.dialect.spaced:
            facts["spaces_before_quotes"] = True
        if self.header is not Header.NONE:
            facts["header_record"] = self.header_record.decode(errors="replace")
            facts["header_line"] = self.header_line
        if self.preamble:
            facts["preamble"] = list(self.preamble)
        return facts

    @property
    def format(self) -> str:
        """The name of the format in the job record."""
        return "text" if self.is_text else "delimited"


def layout_of(
    head: bytes, key: str, *, whole: bool, read_on: Callable[[], tuple[bytes, bool]] | None = None
) -> Layout:
    """Detect the layout of a file.

    Args:
        head: The file's beginning, in UTF-8 without a byte-order mark.
        key: Its name, which counts only for one column of text.
        whole: Whether ``head`` is the whole file. Otherwise its last record may be truncated.
        read_on: Returns a beginning in which the longest record ends, and whether it is the whole file.

    Raises:
        UnreadableError: It is XML or HTML: it begins with a tag, and no dialect explains it.
    """
    detected = detect(head, whole=whole)
    if read_on and not whole and not _TAG.match(head):
        start = unfinished_at(head, detected)
        if start is not None:
            more, all_read = read_on()
            head, whole = without_unfinished(head, start, detected, more, whole=all_read)
            detected = detect(head, whole=whole)
    begin = find_header(detected)
    is_table = bool(detected.separator_line) or _is_delimited(detected, begin)
    if _TAG.match(head) and not (is_table and _is_row_with_tag(detected)):
        raise UnreadableError("unsupported format, by its first tag: XML or HTML")
    if not is_table and not _is_declared(key):
        return Layout(dialect=lines_dialect(newline_of(head)), names=("line",))
    grammar, records = detected.grammar, detected.records
    header = None if begin.index is None else records[begin.index]
    offset = _body_offset(detected, begin)
    before = [record for record in records[: begin.body] if record is not header]
    titles = [detected.separator_line.rstrip(b"\r\n"), *(record.raw for record in before)]
    rows = _rows(detected, grammar.records(head, start=offset, whole=whole))
    repeats = grammar.spellings(header) if header else ()
    if detected.separator_line:
        repeats = (*repeats, titles[0])
    sample = (grammar.values(row) for row in rows if not is_again(row.raw, repeats))
    return Layout(
        dialect=Dialect(
            delimiter=grammar.delimiter,
            width=detected.width,
            quote=grammar.quote,
            escape=grammar.escape,
            escapes_outside=grammar.escapes_outside,
            spaced=grammar.spaced,
            newline=newline_of(head),
            padded=detected.padded,
        ),
        names=begin.names,
        sample=tuple(islice(sample, _SAMPLE_RECORDS)),
        header=begin.header,
        header_record=header.raw if header else b"",
        repeats=repeats,
        header_line=header.line if header else None,
        body_offset=offset,
        body_line=1 + line_ends(head[:offset]),
        comments=_has_comments(before, records[begin.body :], detected.width),
        preamble=tuple(_shown(title) for title in titles if title),
    )


def _rows(detected: Detected, records: Iterable[Record]) -> Iterator[Record]:
    """Yield the records of the table's width, without extra empty fields."""
    for record in records:
        row = record.without_padding(detected.width) if detected.padded else record
        if row.width == detected.width:
            yield row


def _shown(title: bytes) -> str:
    text = title.decode(errors="replace")
    return text if len(text) <= _TITLE_LENGTH_MAX else text[:_TITLE_LENGTH_MAX] + "..."


def newline_of(head: bytes) -> bytes:
    """Return the line end for DuckDB: CR LF if the first line has it, else LF."""
    end = head.find(b"\n")
    return b"\r\n" if end > 0 and head[end - 1] == ord("\r") else b"\n"


def _is_declared(key: str) -> bool:
    suffixes = {suffix.lower() for suffix in PurePosixPath(key).suffixes}
    return bool(suffixes & _DELIMITED_SUFFIXES)


def _is_delimited(detected: Detected, begin: Begin) -> bool:
    """Return whether a dialect explains a file whose name does not say that it is delimited."""
    has_header = begin.header in (Header.TYPED, Header.YEARS)
    body = begin.body if has_header else 0
    records = [record for record in detected.records[body:] if not record.is_comment]
    rows = sum(
        record.width == detected.width and not _is_split_in_numbers(detected.grammar, record)
        for record in records
    )
    likely = rows + has_header >= _LIKENESS_MIN * (len(records) + has_header)
    return detected.width > 1 and len(records) + has_header > 1 and likely


def _is_row_with_tag(detected: Detected) -> bool:
    """Return whether the first record is a row, whose tags begin and end in the same field."""
    first = detected.records[0]
    if first.width != detected.width:
        return False
    ends = b"</" in first.raw or b"/>" in first.raw
    return not ends or len(_OPENED.findall(first.fields[0])) <= len(_CLOSED.findall(first.fields[0]))


def _is_split_in_numbers(grammar: Grammar, record: Record) -> bool:
    """Return whether a record is text whose delimiters are all commas in numbers such as ``48,960``."""
    if grammar.delimiter != b"," or len(_IN_NUMBER.findall(record.raw)) < record.raw.count(grammar.delimiter):
        return False
    return any(kind_of(value) is Kind.TEXT for value in grammar.values(record))


def _has_comments(before: Sequence[Record], rows: Sequence[Record], width: int) -> bool:
    """Return whether lines of another width that begin with ``#`` are comments, because no row begins so."""
    comments = [record for record in rows if record.is_comment]
    is_row = any(record.width == width for record in comments)
    return not is_row and (bool(comments) or any(record.is_comment for record in before))


def _body_offset(detected: Detected, begin: Begin) -> int:
    records = detected.records
    if begin.body < len(records):
        return records[begin.body].start
    return records[-1].end if records else len(detected.separator_line)
