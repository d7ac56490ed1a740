"""Names of columns and fields that every reader of Parquet accepts.

The rules are the same for all formats and depths:

- No spaces at either end, no control characters, at most 255 bytes of UTF-8. AWS Glue allows no more.
  https://docs.aws.amazon.com/athena/latest/ug/tables-databases-columns-names.html
- No two names that differ only in case. Athena, Trino, Spark and DuckDB ignore case.
- No name of a column that Trino adds to each table, such as ``$path``.
  https://trino.io/docs/476/connector/hive.html#special-columns
- No ``İ``. Its lower case is one character in Java and two in Python, so Trino does not find the column.
- In a struct only letters, digits, ``_``, ``.``, ``$`` and spaces. Hive's type parser accepts no others, and
  one such field makes the whole Hive table unreadable.
  https://github.com/apache/hive/blob/rel/release-3.1.3/serde/src/java/org/apache/hadoop/hive/serde2/typeinfo/TypeInfoUtils.java
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from typing import TypeAlias

BYTES_MAX = 255
"""The most bytes (UTF-8) of a name."""

_NUMBER_BYTES = 8
"""The bytes of a suffix that makes a name unique: ``_`` and seven digits."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\ufeff\ufffe\uffff]+")
_HIDDEN = frozenset({"$path", "$bucket", "$file_size", "$file_modified_time", "$partition", "$row_id"})
_FIELD_SIGNS = frozenset("_.$ ")
_FIELD_CATEGORIES = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Nd"})
"""The Unicode categories that Java's Character.isLetterOrDigit accepts."""
_LAST_OF_ONE_UNIT = "\uffff"
"""Hive checks units of UTF-16, so a character of two units is not a letter."""

Names: TypeAlias = "tuple[tuple[str, Names], ...]"
"""The names of a struct's fields or of a map's parts in the schema of a file. Each has the names within it. A
list has those of its elements."""


def column_names(sources: Sequence[str]) -> tuple[str, ...]:
    """Return a unique name for each column, as close as possible to its name in the source.

    An empty name becomes ``column_3`` (its position), and a second ``id`` becomes ``id_2``.
    """
    return _unique(sources, [_cleaned(name) or f"column_{place}" for place, name in enumerate(sources, 1)])


def field_names(sources: Sequence[str]) -> tuple[str, ...]:
    """Return a unique name for each field of a struct, as close as possible to its name in the source.

    An empty name becomes ``field_3`` (its position), and ``dc:title`` becomes ``dc_title``.
    """
    wanted = [_cleaned(_plain(name)) or f"field_{place}" for place, name in enumerate(sources, 1)]
    return _unique(sources, wanted)


def _cleaned(source: str) -> str:
    name = _cut(_CONTROL.sub(" ", source).replace("İ", "I").strip(), BYTES_MAX)
    return name.replace("$", "_", 1) if _key(name) in _HIDDEN else name


def _plain(source: str) -> str:
    """Replace the characters that Hive does not accept in a field's name."""
    return "".join(
        char
        if char in _FIELD_SIGNS
        or (char <= _LAST_OF_ONE_UNIT and unicodedata.category(char) in _FIELD_CATEGORIES)
        else "_"
        # A combining accent is not a letter to Hive, but the composed character is.
        for char in unicodedata.normalize("NFC", source)
    )


def _cut(name: str, size: int) -> str:
    """Return the first ``size`` bytes of ``name``, without a space at the end."""
    return name.encode()[:size].decode(errors="ignore").rstrip()


def _key(name: str) -> str:
    """Return a key that is equal for names that some engine cannot tell apart."""
    # Java's equalsIgnoreCase compares upper case first, so a dotless i equals an I.
    return name.upper().casefold()


def _unique(sources: Sequence[str], wanted: Sequence[str]) -> tuple[str, ...]:
    """Append a number to names that occur twice. A name that is as in the source keeps it.

    Equal names share a counter, so that thousands of them take linear time.
    """
    reserved = {_key(name) for name in wanted}
    taken: set[str] = set()
    numbers: Counter[str] = Counter()
    names = list(wanted)
    for place in sorted(range(len(names)), key=lambda place: names[place] != sources[place]):
        name = wanted[place]
        if _key(name) in taken:
            base = _cut(name, BYTES_MAX - _NUMBER_BYTES)
            counted = _key(base)
            while _key(name) in reserved or _key(name) in taken:
                numbers[counted] += 1
                name = f"{base}_{numbers[counted] + 1}"
        taken.add(_key(name))
        names[place] = name
    return tuple(names)
