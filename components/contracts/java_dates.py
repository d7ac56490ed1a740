"""Conversion of date patterns from Java's DateTimeFormatter (the standard) to strptime (the function)."""

import re

_DIRECTIVES = {
    "yyyy": "%Y", "uuuu": "%Y", "yy": "%y", "MMMM": "%B", "MMM": "%b", "MM": "%m", "M": "%-m", "dd": "%d",
    "d": "%-d", "EEEE": "%A", "EEE": "%a", "HH": "%H", "H": "%-H", "hh": "%I", "h": "%-I", "mm": "%M",
    "m": "%-M", "ss": "%S", "s": "%-S", "SSS": "%g", "SSSSSS": "%f", "a": "%p", "XXX": "%z", "XX": "%z",
    "X": "%z", "xxx": "%z", "Z": "%z",
}  # fmt: skip
"""Pattern letters (Java SE, "DateTimeFormatter"), and DuckDB's directives for them ("Date Format")."""

_DATE = ("yu", "M", "d")
_TIME = ("Hh", "m", "s", "S")
_BESIDE = ("a", "XxZ")
"""The letters of each field: those of a date, those of a time from the coarsest, and those beside them."""

_FOLDER = ("yyyy", "MM", "dd", "HH", "mm", "ss")
"""The fields of a folder's name, from the coarsest."""

_TOKEN = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|.", re.DOTALL)


def to_strptime(pattern: str) -> str:
    """Return the pattern for strptime.

    Raises:
        ValueError: A letter or a bracket is not supported, or a quote is not closed.
    """
    parts = []
    for token in _TOKEN.finditer(pattern):
        text = token[0]
        if token[1] is not None:
            parts.append(token[1].replace("''", "'").replace("%", "%%") or "'")
        elif text == "'":
            raise ValueError(f"must close each quote, got {pattern!r}")
        elif text in "[]":
            raise ValueError(
                f"must have brackets in quotes, since a part cannot be optional, got {pattern!r}"
            )
        elif token[2] is None:
            parts.append(text.replace("%", "%%"))
        elif text in _DIRECTIVES:
            parts.append(_DIRECTIVES[text])
        else:
            raise ValueError(
                f"must be made of {', '.join(_DIRECTIVES)} and quoted text, got {text!r} in {pattern!r}"
            )
    return "".join(parts)


def of_moment(pattern: str) -> str:
    """Return the pattern for strptime of a date or a timestamp.

    It must have all parts of a date, because strptime invents those that are missing.

    Raises:
        ValueError: It is no pattern, or leaves out or repeats a part of a date or time.
    """
    written = to_strptime(pattern)
    letters = [token[2] for token in _TOKEN.finditer(pattern) if token[2]]
    date, time, beside = (
        [sum(map(letters.count, field)) for field in fields] for fields in (_DATE, _TIME, _BESIDE)
    )
    if date != [1, 1, 1]:
        raise ValueError(f"must have year, month and day once each, as in dd.MM.yyyy, got {pattern!r}")
    if time != sorted(time, reverse=True) or max(*time, *beside) > 1:
        raise ValueError(
            "must have each field of a time once, and no minutes without an hour, seconds without minutes or"
            f" fraction without seconds, got {pattern!r}"
        )
    if "h" in letters and "a" not in letters:
        raise ValueError(f"must have a half of the day (a) beside an hour of it (h), or HH, got {pattern!r}")
    return written


def of_folder(pattern: str) -> str:
    """Return the pattern for strptime of the dates that name the folders of a partition.

    Each field has a fixed number of digits, so that each folder has one date and each date has one folder.

    Raises:
        ValueError: It has other letters or marks, or leaves out or repeats a field.
    """
    fields = re.findall("|".join(_FOLDER), pattern)
    is_made_of_fields = re.fullmatch(f"({'|'.join(_FOLDER)}|[-_.])*", pattern) is not None
    if not fields or not is_made_of_fields or sorted(fields) != sorted(_FOLDER[: len(fields)]):
        raise ValueError(
            f"must be the first of {', '.join(_FOLDER)}, in any order, once each, with - _ . between them,"
            f" got {pattern!r}"
        )
    return to_strptime(pattern)
