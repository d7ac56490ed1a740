"""A cell of a possible header, and the column below it."""

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from functools import cached_property

from conversion.delimited.cells import Kind, form_of, kind_of, shape_of

_NAME_BEGINNING = r"[@$\[(<¿]?[^\W\d]"
_NAME = re.compile(_NAME_BEGINNING + r"[\w \-./:%#&()\[\]+°$€£'\u2019>]{0,63}[?*]?")
"""A name: a letter or an underscore, then up to 63 letters, digits, spaces and signs."""
_LABEL = re.compile(_NAME_BEGINNING + r"[^\r\n]{0,254}")
r"""One line that begins as a name does. Gapminder's ``Energy, per capita (10^3 kWh)`` and Eurostat's
``freq,unit,geo\TIME_PERIOD`` stand beside years."""

_IDENTIFIER = re.compile(r"[0-9a-f]{2}(?:[-:]?[0-9a-f]{2}){5,}\Z|[a-z][a-z0-9+.-]*://", re.IGNORECASE)
"""A URL, or bytes as hexadecimal digits: a UUID, a hash, a MAC address."""

_WORD = re.compile(r"[^\W\d_]|[^\x00-\x7f]")
"""A letter, or a character that numbers and dates do not contain."""

_MEASURE = re.compile(r"\W*\d(?!.*[^\W\d_]{4})", re.DOTALL)
"""Text that begins with a digit and has no word of four letters: ``5 kg``, but not ``2019 Revenue``."""

_YEAR = re.compile(r"19\d\d|20\d\d|2100")
_LIKENESS_MIN = 0.95
"""The share of a column's values that must have a kind, for the column to have it."""
_SAME_SHAPE_MIN = 0.5
"""The share of a column's values that must have one shape, for the column to have codes."""


@dataclass(frozen=True)
class Column:
    """The values of one column."""

    values: tuple[str, ...]

    @cached_property
    def kinds(self) -> frozenset[Kind]:
        """The kinds of nearly all of its values; empty if they look like text."""
        kinds = Counter(map(kind_of, self.values))
        some = sum(count for kind, count in kinds.items() if kind not in (Kind.EMPTY, Kind.NULL))
        typed = {kind: count for kind, count in kinds.items() if kind.typed}
        return frozenset(typed) if some and sum(typed.values()) >= _LIKENESS_MIN * some else frozenset()

    def is_of_code(self, cell: str) -> bool:
        """Return whether its values are codes, such as ``K1`` and ``K2``, and ``cell`` is one too."""
        values = [value.strip() for value in self.values if kind_of(value) not in (Kind.EMPTY, Kind.NULL)]
        for pattern_of, share_min in ((form_of, _LIKENESS_MIN), (shape_of, _SAME_SHAPE_MIN)):
            patterns = Counter(map(pattern_of, values))
            pattern, count = patterns.most_common(1)[0] if patterns else ("", 0)
            if "9" in pattern and count >= share_min * len(values):
                return pattern == pattern_of(cell)
        return False

    @cached_property
    def is_empty(self) -> bool:
        """Whether it has no value."""
        return not any(self.values)

    @cached_property
    def is_distinct(self) -> bool:
        """Whether every row has a unique value."""
        return all(self.values) and len(set(self.values)) == len(self.values)

    @cached_property
    def is_index(self) -> bool:
        """Whether it numbers the rows from 0 or 1, as R and pandas do."""
        start = 0 if self.values[:1] == ("0",) else 1
        return all(value == str(number) for number, value in enumerate(self.values, start))

    @cached_property
    def is_of_years(self) -> bool:
        """Whether nearly all of its values are years."""
        years = sum(bool(_YEAR.fullmatch(value)) for value in self.values)
        return bool(years) and years >= _LIKENESS_MIN * sum(map(bool, self.values))


def _without_marks(text: str) -> str:
    r"""Remove combining accents and vowel signs, which ``\w`` does not match."""
    return "".join(char for char in text if not unicodedata.category(char).startswith("M"))


@dataclass(frozen=True)
class Cell:
    """A cell of a possible header, and its column."""

    text: str
    column: Column

    @cached_property
    def kind(self) -> Kind:
        """What it looks like."""
        return kind_of(self.text)

    @property
    def is_name(self) -> bool:
        """Whether it is a name."""
        return self._is(_NAME)

    @property
    def is_label(self) -> bool:
        """Whether it is one line that begins as a name does."""
        return self._is(_LABEL)

    def _is(self, pattern: re.Pattern[str]) -> bool:
        return self.kind is Kind.TEXT and bool(pattern.fullmatch(_without_marks(self.text.strip())))

    @property
    def has_words(self) -> bool:
        """Whether it is text, and not a number or date with an error or a unit."""
        return self.kind is Kind.TEXT and bool(_WORD.search(self.text)) and not _MEASURE.match(self.text)

    @property
    def is_word(self) -> bool:
        """Whether it is a word such as ``NA`` or ``inf``, with letters and no digits, but no boolean."""
        has_letters, has_digits = any(map(str.isalpha, self.text)), any(map(str.isdigit, self.text))
        return has_letters and not has_digits and self.kind is not Kind.BOOLEAN

    @property
    def is_year(self) -> bool:
        """Whether it is a year above a column of other values."""
        return bool(_YEAR.fullmatch(self.text.strip())) and not self.column.is_of_years

    @property
    def is_identifier(self) -> bool:
        """Whether it is an identifier, and so is a value of its column."""
        return bool(_IDENTIFIER.match(self.text)) and any(map(_IDENTIFIER.match, self.column.values))

    @property
    def is_code(self) -> bool:
        """Whether it is a code like its column's values."""
        return self.column.is_of_code(self.text.strip())

    @property
    def has_shape_of_column(self) -> bool:
        """Whether half of its column's values have its shape: ``Ann`` above ``Bob``."""
        shapes = Counter(shape_of(value.strip()) for value in self.column.values if value)
        return shapes[shape_of(self.text.strip())] >= _SAME_SHAPE_MIN * max(1, shapes.total())

    @property
    def is_left_out(self) -> bool:
        """Whether it is empty, and its column needs no name because it is empty or numbers the rows."""
        return self.kind is Kind.EMPTY and (self.column.is_empty or self.column.is_index)

    @property
    def is_like_column(self) -> bool:
        """Whether it looks like a value of its typed column, or is one of its column's values."""
        is_typed = bool(self.column.kinds) and (self.kind in self.column.kinds or self.kind is Kind.NULL)
        return is_typed or (bool(self.text) and self.text in self.column.values)
