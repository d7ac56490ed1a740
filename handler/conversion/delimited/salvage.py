"""Find the valid records of a damaged block, and reject the others."""

import re
from itertools import repeat

from conversion.decode import is_text
from conversion.delimited.dialect import Dialect
from conversion.delimited.sample import LINE_END, line_ends
from conversion.delimited.tally import Tally
from conversion.model import RECORD_BYTES_MAX

_ROWS_MIN = 10
"""The number of rows in a quoted field from which its quote is a stray one. Fewer may be prose."""


def split(data: bytes, tally: Tally) -> bytes:
    """Return the valid records of lines without quotes and escapes, which only need to be split."""
    dialect = tally.layout.dialect
    lines = data.splitlines(keepends=True)
    kept: list[bytes] = []
    done = 0
    for index in _odd(data, lines, tally):
        kept.append(_counted(lines[done:index], tally))
        done = index + 1
        line = lines[index]
        bare = line.rstrip(b"\r\n")
        padded = _padded(line, 0, tally)
        if padded:
            kept.append(padded[1] + dialect.newline)
        elif bare:
            tally.reject_invalid(bare)
        tally.count(rows=bool(padded), lines=1, size=len(line))
    kept.append(_counted(lines[done:], tally))
    return dialect.without_markers(b"".join(kept))


def _odd(data: bytes, lines: list[bytes], tally: Tally) -> list[int]:
    """Return the indexes of the lines that are not valid records."""
    dialect = tally.layout.dialect
    delimiters = dialect.width - 1
    counts = map(bytes.count, lines, repeat(dialect.delimiter))
    odd = [index for index, count in enumerate(counts) if count != delimiters]
    more: list[int] = []
    if not delimiters and not dialect.blank_lines:
        more += [index for index, line in enumerate(lines) if line in (b"\n", b"\r", b"\r\n")]
    if not is_text(data):
        more += [index for index, line in enumerate(lines) if not is_text(line)]
    if tally.has_header(data):
        more += [index for index, line in enumerate(lines) if tally.is_header(line.rstrip(b"\r\n"))]
    return sorted({*odd, *more}) if more else odd


def _counted(lines: list[bytes], tally: Tally) -> bytes:
    """Count consecutive valid lines, and return them with the line end for DuckDB."""
    joined, newline = b"".join(lines), tally.layout.dialect.newline
    tally.count(rows=len(lines), lines=len(lines), size=len(joined))
    if b"\r" in joined:
        joined = joined.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return joined if newline == b"\n" else joined.replace(b"\n", newline)


def matched(window: bytes, tally: Tally, *, at_end: bool) -> tuple[bytes, int]:
    """Match the records of a window with quotes or escapes one by one.

    Args:
        window: The text from the next record on.
        tally: Counts the records.
        at_end: Whether the window ends where the object does. Otherwise its last record may be truncated.

    Returns:
        The valid records, and how many bytes of the window were processed.
    """
    dialect = tally.layout.dialect
    position = 0
    kept: list[bytes] = []
    while position < len(window):
        run = dialect.run.match(window, position)
        if run and run[0]:
            kept += _valid(run[0], tally)
            position = run.end()
            continue
        if padded := _padded(window, position, tally):
            kept.append(dialect.rewritten(padded[1] + dialect.newline))
            tally.count(rows=1, lines=line_ends(padded[0]), size=len(padded[0]))
            position = padded.end()
            continue
        end = _rejected(window, position, tally, at_end=at_end)
        if end == position:
            break
        position = end
    return b"".join(kept), position


def _valid(run: bytes, tally: Tally) -> list[bytes]:
    """Return the valid records of a run of records of the table's width."""
    dialect = tally.layout.dialect
    if not is_text(run) or tally.has_header(run) or tally.is_any_refused(line_ends(run)):
        return _checked(run, tally)
    bare = dialect.without_spaces_in(run)
    structure = dialect.without_quoted(bare)
    as_is = not (
        b"\r" in structure or dialect.newline == b"\r\n" or has_blank(structure) or dialect.is_special(bare)
    )
    if as_is:
        tally.count(rows=structure.count(b"\n"), lines=line_ends(run), size=len(run))
        return [bare]
    records = [_bare(match[0]) + dialect.newline for match in dialect.record.finditer(run)]
    tally.count(rows=len(records), lines=line_ends(run), size=len(run))
    return list(map(dialect.rewritten, records))


def _checked(run: bytes, tally: Tally) -> list[bytes]:
    """Check the records of a run one by one, and return the valid ones."""
    dialect = tally.layout.dialect
    kept: list[bytes] = []
    done = 0
    for match in dialect.record.finditer(run):
        record, blank = _bare(match[0]), run[done : match.start()]
        tally.count(rows=0, lines=line_ends(blank), size=len(blank))
        valid = False
        if not is_text(record) or tally.is_header(record):
            tally.reject_invalid(record)
        elif not tally.refuse(record):
            kept.append(dialect.rewritten(record + dialect.newline))
            valid = True
        tally.count(rows=valid, lines=line_ends(match[0]), size=len(match[0]))
        done = match.end()
    tally.count(rows=0, lines=line_ends(run[done:]), size=len(run) - done)
    return kept


def _padded(window: bytes, start: int, tally: Tally) -> re.Match[bytes] | None:
    """Return the padded row that begins at ``start``, if there is one. Group 1 has its fields."""
    dialect = tally.layout.dialect
    found = dialect.padded_record.match(window, start) if dialect.padded else None
    bare = found and _bare(found[0])
    return found if bare and is_text(bare) and not tally.is_header(bare) else None


def _rejected(window: bytes, start: int, tally: Tally, *, at_end: bool) -> int:
    """Reject the record at ``start``.

    A record is the shortest run of lines that is valid. If there is none, or if many rows follow its
    first line, an unclosed quote costs only that line.

    Returns:
        Where the next record begins, or ``start`` if more text is needed.
    """
    dialect = tally.layout.dialect
    other = dialect.other_width.match(window, start)
    may_go_on = not other and not at_end and len(window) - start <= RECORD_BYTES_MAX
    if other and _has_rows(other[0], dialect):
        other = None
    end = LINE_END.search(window, other.end() if other else start)
    if end is None or (may_go_on and dialect.incomplete.match(window, start)):
        return start
    record = window[start : end.start()]
    if other:
        tally.reject_invalid(record)
    else:
        tally.reject_broken(record)
    tally.count(rows=0, lines=line_ends(record) + 1, size=end.end() - start)
    return end.end()


def _has_rows(record: bytes, dialect: Dialect) -> bool:
    """Return whether all lines of a record but the first and the last are rows, and they are many."""
    inside = record.splitlines()[1:-1]
    return (
        dialect.width > 1
        and len(inside) >= _ROWS_MIN
        and all(dialect.record.fullmatch(line + b"\n") for line in inside)
    )


def _bare(record: bytes) -> bytes:
    return record[: -2 if record.endswith(b"\r\n") else -1]


def has_blank(data: bytes) -> bool:
    """Return whether ``data`` may have a blank line."""
    # Searching one byte is much faster than two.
    return data.startswith((b"\n", b"\r")) or b"\n\n" in data or (b"\r" in data and b"\n\r" in data)
