"""How a delimited file is laid out, told by its beginning: dialect, titles and comments, header, names."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import PurePosixPath

from conversion.delimited.cells import looks_like
from conversion.delimited.detection import COMMENT, Detected, detect
from conversion.delimited.dialect import Dialect, lines_dialect
from conversion.delimited.header import Begin, Header, find_header
from conversion.delimited.sample import line_ends
from conversion.model import UnreadableError

_DELIMITED_SUFFIXES = {".csv", ".tsv", ".tab", ".psv", ".ssv", ".dsv"}
_LIKENESS_MIN = 0.8
"""The share of its records that must have the same number of fields, for a file to be delimited that does not
say so in its name."""
_TAG = re.compile(rb"\s*<(?:\?xml\s|!DOCTYPE\s|!--|[A-Za-z_][\w:.-]*(?:\s|/?>))", re.IGNORECASE)
_SAMPLE_RECORDS = 1000
_TITLE_LENGTH_MAX = 200


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What the beginning of a file says of it."""

    dialect: Dialect
    names: tuple[str, ...]
    """The columns' names as the source writes them, empty where it has none."""
    sample: tuple[tuple[str, ...], ...] = ()
    """The values of the first rows."""
    header: Header = Header.NONE
    """On what evidence a row was taken for the header."""
    header_record: bytes = b""
    """That row's bytes, without its line end; empty if there is none."""
    header_line: int | None = None
    """The number of its first line, from 1."""
    body_offset: int = 0
    """Where the first row begins. What stands before it is no row."""
    body_line: int = 1
    """The number of its first line, from 1."""
    preamble: tuple[str, ...] = ()
    """The titles and comments before the table, and the line ``sep=``; the beginning of a long one."""

    @cached_property
    def notes(self) -> Mapping[int, str]:
        """What a column looks like, by its index, if its owner would take its text for numbers or dates."""
        columns = enumerate(zip(*self.sample, strict=True))
        found = {index: looks_like(values) for index, values in columns}
        return {index: note for index, note in found.items() if note}

    @property
    def is_text(self) -> bool:
        """Whether it is plain text: each line, blank ones included, is a row of one column."""
        return self.dialect.blank_lines

    @property
    def format(self) -> str:
        """What it is called in the record."""
        return "text" if self.is_text else "delimited"


def layout_of(head: bytes, key: str, *, whole: bool) -> Layout:
    """Tell the layout of a file.

    Args:
        head: Its beginning, as UTF-8 without a mark.
        key: Its name, which counts only where the beginning leaves a choice: one column of text.
        whole: Whether ``head`` is all of it. If not, its last record may be cut.

    Raises:
        UnreadableError: It is XML or HTML: it begins with a tag, and no dialect explains it.
    """
    detected = detect(head, whole=whole)
    begin = find_header(detected.grammar, detected.records, detected.width)
    explained = bool(detected.separator_line) or _is_delimited(detected, begin)
    if not explained and _TAG.match(head):
        raise UnreadableError("not a format that is read, by its first tag: XML or HTML")
    if not explained and not _is_declared(key):
        return Layout(dialect=lines_dialect(blank_lines=True, newline=newline_of(head)), names=("line",))
    grammar, records = detected.grammar, detected.records
    header = None if begin.index is None else records[begin.index]
    offset = _body_offset(detected, begin)
    before = [record for record in records[: begin.body] if record is not header]
    titles = [detected.separator_line.rstrip(b"\r\n"), *(record.raw for record in before)]
    sample = tuple(
        islice(
            (
                tuple(grammar.value(written) for written in record.fields)
                for record in grammar.records(head, start=offset, whole=whole)
                if record.width == detected.width and not (header and record.is_again(header))
            ),
            _SAMPLE_RECORDS,
        )
    )
    return Layout(
        dialect=Dialect(
            delimiter=grammar.delimiter,
            width=detected.width,
            quote=grammar.quote,
            escape=grammar.escape,
            escapes_outside=grammar.escapes_outside,
            newline=newline_of(head),
        ),
        names=begin.names,
        sample=sample,
        header=begin.header,
        header_record=header.raw if header else b"",
        header_line=header.line if header else None,
        body_offset=offset,
        body_line=1 + line_ends(head[:offset]),
        preamble=tuple(_shown(title) for title in titles if title),
    )


def _shown(title: bytes) -> str:
    text = title.decode(errors="replace")
    return text if len(text) <= _TITLE_LENGTH_MAX else text[:_TITLE_LENGTH_MAX] + "..."


def newline_of(head: bytes) -> bytes:
    """Give the line end of the first line: CR LF, or LF, into which all others are made."""
    end = head.find(b"\n")
    return b"\r\n" if end > 0 and head[end - 1] == ord("\r") else b"\n"


def _is_declared(key: str) -> bool:
    suffixes = {suffix.lower() for suffix in PurePosixPath(key).suffixes}
    return bool(suffixes & _DELIMITED_SUFFIXES)


def _is_delimited(detected: Detected, begin: Begin) -> bool:
    """Tell whether a dialect explains a file that does not say in its name that it is delimited."""
    first = begin.index or 0 if begin.header in (Header.TYPED, Header.YEARS) else 0
    records = [record for record in detected.records[first:] if not record.raw.startswith(COMMENT)]
    rows = sum(record.width == detected.width for record in records)
    return detected.width > 1 and len(records) > 1 and rows >= _LIKENESS_MIN * len(records)


def _body_offset(detected: Detected, begin: Begin) -> int:
    records = detected.records
    if begin.body < len(records):
        return records[begin.body].start
    return records[-1].end if records else len(detected.separator_line)
