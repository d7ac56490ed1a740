"""Conversion of date patterns from Java's DateTimeFormatter (the standard) to strptime (the function)."""

import re

_DIRECTIVES = {
    "yyyy": "%Y", "uuuu": "%Y", "yy": "%y", "MMMM": "%B", "MMM": "%b", "MM": "%m", "M": "%-m", "dd": "%d",
    "d": "%-d", "EEEE": "%A", "EEE": "%a", "HH": "%H", "H": "%-H", "hh": "%I", "h": "%-I", "mm": "%M",
    "m": "%-M", "ss": "%S", "s": "%-S", "SSS": "%g", "SSSSSS": "%f", "a": "%p", "XXX": "%z", "XX": "%z",
    "X": "%z", "xxx": "%z", "Z": "%z",
}  # fmt: skip
"""Pattern letters (Java SE, "DateTimeFormatter"), and DuckDB's directives for them ("Date Format")."""

_TOKEN = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|.", re.DOTALL)


def to_strptime(pattern: str) -> str:
    """Return the pattern for strptime.

    Raises:
        ValueError: A pattern letter is not supported, or a quote is not closed.
    """
    parts = []
    for token in _TOKEN.finditer(pattern):
        text = token[0]
        if token[1] is not None:
            parts.append(token[1].replace("''", "'").replace("%", "%%") or "'")
        elif text == "'":
            raise ValueError(f"must close each quote, got {pattern!r}")
        elif token[2] is None:
            parts.append(text.replace("%", "%%"))
        elif text in _DIRECTIVES:
            parts.append(_DIRECTIVES[text])
        else:
            raise ValueError(
                f"must be made of {', '.join(_DIRECTIVES)} and quoted text, got {text!r} in {pattern!r}"
            )
    return "".join(parts)
