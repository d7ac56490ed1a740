"""What the text of a cell looks like: nothing, a number, a date, a boolean, or text.

More looks like a number than has a numeric type. ``1.234,56`` stays text, but looks like a number, so a word
above it is a column name.
"""

import re
from collections.abc import Iterable, Sequence
from enum import Enum
from itertools import islice

from conversion.roundtrip import NULL_MARKERS


class Kind(Enum):
    """What a cell looks like."""

    EMPTY = "nothing"
    NULL = "a null marker"
    NUMBER = "a number"
    DATE = "a date or a time"
    BOOLEAN = "true or false"
    TEXT = "text"

    @property
    def typed(self) -> bool:
        """Whether such a cell has a type other than text."""
        return self in (Kind.NUMBER, Kind.DATE, Kind.BOOLEAN)


_MARKERS = frozenset(NULL_MARKERS)
_NO_VALUE = re.compile(
    r"(?:[-.?*_/\\\u2010-\u2015\u2026]+|[-+]?nan|none|nil|nul|[-+]?inf|\$null\$"
    r"|[(<\[](?:null|nul|na|none|empty|blank)[)>\]]|(?-i:n[./]?[ad]\.?|N[./]?[AD]\.?|nat|NaT|NAT)"
    r"|:(?: [a-z]{1,2})?|[<>] ?[lu]?lo[dq]|b[dq]l|blq|n\.s\.|k\.a\.|s\.o\.|tbd"
    r"|unknown|missing|undefined|not (?:available|applicable|reported)|no data"
    r"|unbekannt|keine angabe|fehlt|inconnue?|non renseign\u00e9"
    r"|desconocid[oa]|sin datos|sconosciut[oa]|onbekend"
    r"|#\u00a1?(?:div/0|value|ref|num|null|nv|n/v|n/d|wert|bezug|zahl|fehler|error|spill|calc)[!?]?|#name\?"
    r")(?:\*+| ?[(\[]\w[)\]])?",
    re.IGNORECASE,
)
"""What people write for a missing value, besides the null markers. The mark of a footnote may follow. ``Na``
and ``Nd`` are not in it, because they are chemical elements."""

_DIGITS = r"(?:\d+|\d{1,3}(?:([,.'_ \u00a0\u202f])\d{3})(?:\1\d{3})*)"
_AMOUNT = rf"{_DIGITS}(?:[.,]\d*)?|[.,]\d+"
_UNIT = (
    r"(?:[%\u2030$\u20ac\u00a3\u00a5]|US\$|R\$|Rs\.?|kr|EUR|USD|GBP|CHF|JPY|CNY|INR|SGD|AUD|CAD|NZD|HKD"
    r"|SEK|NOK|DKK|PLN|CZK|HUF|RON|BRL|MXN|ZAR|RUB)"
)
_NUMBER = re.compile(
    rf"\(?[-+\u2212]?(?:{_UNIT} ?)?[-+\u2212]?(?:{_AMOUNT})(?:[eE][-+]?\d+)?(?: ?{_UNIT})?-?\)?"
    rf"|{_UNIT} ?-|- ?{_UNIT}|0[xX][0-9a-fA-F]+|[-+]?(?:[iI]nf(?:inity)?|\u221e)|-?1\.#[A-Z]{{3,4}}",
)
"""Excel writes zero as ``$ -``, and C's library on Windows infinity as ``1.#INF``."""
_MONTH = (
    r"(?:jan|ene|gen|feb|f\u00e9v|fev|mar|m\u00e4r|maa|mrt|apr|abr|avr|may|mai|mag|mei|maj|jun|jui|giu|jul|lug"
    r"|aug|ago|ao\u00fb|aou|sep|set|oct|okt|ott|out|nov|dec|dez|d\u00e9c|dic)[^\W\d_]{0,7}\.?"
)
"""Months in languages of Western Europe."""
_ORDINAL = r"\d{1,2}(?:st|nd|rd|th|er|\u00ba)?"
_CLOCK = r"\d{1,2}:\d\d(?::\d\d(?:[.,]\d+)?)?(?: ?[ap]m)?(?: ?(?:Z|UTC|GMT|[-+]\d\d(?::?\d\d)?))?"
_DAY = (
    r"\d{4}([-/.])\d{1,2}(?:\1\d{1,2})?|\d{1,2}([-/.])\d{1,2}\2(?:\d{4}|\d\d)|\d{4}-?W\d\d(?:-?\d)?"
    rf"|{_ORDINAL}[-. /]{{1,2}}(?:de )?{_MONTH}[-. /,]{{1,2}}(?:de )?\d{{2,4}}"
    rf"|{_MONTH}[- ](?:\d{{1,2}},? )?\d{{4}}"
)
_DATE = re.compile(rf"(?:{_DAY})(?:[T ]{{1,2}}{_CLOCK})?|{_CLOCK}", re.IGNORECASE)
_BOOLEAN = re.compile(r"true|false", re.IGNORECASE)
_CELL_LENGTH_MAX = 64
"""The most characters of a number or date that is matched by pattern. A longer number has only digits."""


def kind_of(cell: str) -> Kind:
    """Return what ``cell`` looks like."""
    text = cell.strip()
    if not text:
        return Kind.EMPTY
    if text in _MARKERS:
        return Kind.NULL
    if len(text) > _CELL_LENGTH_MAX:
        return Kind.NUMBER if text.lstrip("-").replace(".", "", 1).isdecimal() else Kind.TEXT
    if _NUMBER.fullmatch(text):
        return Kind.NUMBER
    if _DATE.fullmatch(text):
        return Kind.DATE
    if _BOOLEAN.fullmatch(text):
        return Kind.BOOLEAN
    return Kind.NULL if _NO_VALUE.fullmatch(text) else Kind.TEXT


_SPACE_BYTES = rb"(?: |\xc2\xa0|\xe2\x80\xaf)"
"""A space in UTF-8: usual, no-break or narrow no-break."""
# The following match UTF-8.
_CURRENCY_BYTES = rb"(?:%|\$|US\$|kr|[A-Z]{3}|\xe2\x82\xac|\xc2\xa3|\xc2\xa5)"
"""A currency or a per cent sign. Three capital letters may be any currency."""
_BEFORE_BYTES = rb"(?:[$<>~]|US\$|[A-Z]{3}|\xe2\x82\xac|\xc2\xa3|\xc2\xa5)"
"""A currency, or a sign such as ``<``."""
_AFTER_BYTES = rb"(?:[%$A-Za-z/]{1,5}|(?:\xc2\xb0|\xc2\xb5)[A-Za-z]{0,2}|\xe2\x82\xac|\xc2\xa3|\xc2\xa5)"
"""A currency or a unit: ``kg``, ``km/h``, ``%`` or a degree."""
_DIGITS_BYTES = (
    rb"(?:\d+,\d+|\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d{1,3}(?:(?:[.']|%b)\d{3})+(?:,\d+)?)(?:[eE][-+]?\d+)?"
    % _SPACE_BYTES
)
_AMOUNT_BYTES = rb"\(?[-+]?(?:%b%b?)?[-+]?%b-?(?:%b?%b)?\)?" % (
    _BEFORE_BYTES,
    _SPACE_BYTES,
    _DIGITS_BYTES,
    _SPACE_BYTES,
    _AFTER_BYTES,
)
_USUAL_BYTES = rb"(?:\d+,\d\d?|\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d{1,3}(?:\.\d{3})+(?:,\d+)?)"
_USUAL_AMOUNT = re.compile(
    rb"\(?[-+]?(?:%b ?)?[-+]?%b(?: ?%b)?\)?" % (_CURRENCY_BYTES, _USUAL_BYTES, _CURRENCY_BYTES)
)
_COORDINATES_BYTES = rb"-?\d+\.\d+, ?-?\d+\.\d+"
_TIME_BYTES = rb"[-\d]{8,10}[ T]\d\d:\d\d:\d\d,\d+"
_AMOUNT_FIELD = re.compile(
    rb"%b(?: ?- ?%b)?|%b|%b" % (_AMOUNT_BYTES, _AMOUNT_BYTES, _TIME_BYTES, _COORDINATES_BYTES)
)


def is_amount(field: bytes) -> bool:
    """Return whether a field with commas is likely an amount, a range, a time, or two coordinates."""
    return bool(_AMOUNT_FIELD.fullmatch(field))


def is_usual_amount(field: bytes) -> bool:
    """Return whether a field is an amount with one or two decimals, or with grouped thousands."""
    return bool(_USUAL_AMOUNT.fullmatch(field))


_NUMERALS = re.compile(r"\d+")
_UPPER = re.compile(r"[A-Z]+")
_LOWER = re.compile(r"[^\W\dA-Z_]+")


def form_of(cell: str) -> str:
    """Replace each number in ``cell`` by ``9``: ``AB12`` becomes ``AB9``."""
    return _NUMERALS.sub("9", cell)


def shape_of(cell: str) -> str:
    """Replace each run of letters by one letter too: ``AB12`` becomes ``A9``."""
    return _UPPER.sub("A", _LOWER.sub("a", form_of(cell)))


# For each decimal separator, what may separate thousands.
_GROUPS = {",": r"[. '\u00a0\u202f]", ".": r"[, '\u00a0\u202f]"}
_NOTATIONS = {
    mark: re.compile(rf"[-+]?(?:\d+|\d{{1,3}}(?:({group})\d{{3}})(?:\1\d{{3}})*)(?:{re.escape(mark)}\d+)?")
    for mark, group in _GROUPS.items()
}
_PLAIN = re.compile(r"[-+]?\d+(?:\.\d+)?")
_AROUND = re.compile(rf"^(?:{_UNIT}) ?|[ \u00a0]?(?:{_UNIT})$")
_AMBIGUOUS_DATE = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(?:\d{4}|\d\d)(?: .*)?")
_MONTHS = 12
_LIKENESS_MIN = 0.95
_VALUES_MAX = 200


def looks_like(values: Iterable[str]) -> str | None:
    """Describe a text column whose values look like amounts or dates; None for any other.

    Args:
        values: The column's values in a sample of the rows.
    """
    some = [value.strip() for value in islice(values, _VALUES_MAX) if not _is_nothing(value)]
    if not some or not any(map(str.isdecimal, some[0])):
        return None
    return _amounts(some) or _dates(some)


def _is_nothing(value: str) -> bool:
    return kind_of(value) in (Kind.EMPTY, Kind.NULL)


def _most(values: Sequence[str], matches: int) -> bool:
    return matches >= _LIKENESS_MIN * len(values)


def _amounts(values: Sequence[str]) -> str | None:
    bare = [_AROUND.sub("", value) for value in values]
    units = sum(short != value for short, value in zip(bare, values, strict=True))
    with_unit = " with a currency or a per cent sign" if units else ""
    notations = {
        mark
        for mark, pattern in _NOTATIONS.items()
        if _most(bare, sum(bool(pattern.fullmatch(value)) for value in bare))
    }
    if not notations:
        return None
    if _most(bare, sum(bool(_PLAIN.fullmatch(value)) for value in bare)):
        return f"amounts{with_unit}" if with_unit else None
    if notations == {","}:
        return f"amounts with a decimal comma{with_unit}"
    if notations == {"."}:
        return f"amounts with a decimal point and grouped thousands{with_unit}"
    if any("," in value or "." in value for value in bare):
        return f"amounts whose comma or point is a decimal mark or between thousands{with_unit}"
    return f"whole numbers with grouped thousands{with_unit}"


def _dates(values: Sequence[str]) -> str | None:
    matches = [_AMBIGUOUS_DATE.fullmatch(value) for value in values]
    if not _most(values, sum(bool(match) for match in matches)):
        return None
    pairs = [(int(match[1]), int(match[3])) for match in matches if match]
    if all(first <= _MONTHS and second <= _MONTHS for first, second in pairs):
        return "dates whose day and month cannot be distinguished"
    return None
