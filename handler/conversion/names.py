"""Names that every reader of Parquet can use, from whatever the source calls its columns and fields.

One set of rules for all formats and depths:

- No outer spaces, no control characters, at most 255 bytes of UTF-8: AWS Glue takes no longer name.
  https://docs.aws.amazon.com/athena/latest/ug/tables-databases-columns-names.html
- No two that differ in case alone: Athena, Trino, Spark and DuckDB make no difference of case.
- No name of a column that Trino adds to each table by itself, such as ``$path``.
  https://trino.io/docs/476/connector/hive.html#special-columns
- No ``İ``. Its lower case is one character in Java and two in Python, so Trino finds no such column.
- Within a struct only letters, digits, ``_``, ``.``, ``$`` and spaces: Hive's parser of types takes no
  others, and one such field makes a whole Hive table unreadable.
  https://github.com/apache/hive/blob/rel/release-3.1.3/serde/src/java/org/apache/hadoop/hive/serde2/typeinfo/TypeInfoUtils.java
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

BYTES_MAX = 255
"""The most bytes (UTF-8) of a name."""

_NUMBER_BYTES = 8
"""What a number takes that tells one name from another: ``_`` and seven digits."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\ufeff\ufffe\uffff]+")
_HIDDEN = frozenset({"$path", "$bucket", "$file_size", "$file_modified_time", "$partition", "$row_id"})
_FIELD_SIGNS = frozenset("_.$ ")
_FIELD_CATEGORIES = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Nd"})
"""Unicode's categories of what Java's Character.isLetterOrDigit takes."""
_LAST_OF_ONE_UNIT = "\uffff"
"""Java looks at units of UTF-16: a character of two of them is no letter to Hive."""


def column_names(sources: Sequence[str]) -> tuple[str, ...]:
    """Give each column a name of its own, as near as possible to its name in the source.

    An empty name becomes ``column_3`` (by its position), a second ``id`` becomes ``id_2``.
    """
    return _unique(sources, [_cleaned(name) or f"column_{place}" for place, name in enumerate(sources, 1)])


def field_names(sources: Sequence[str]) -> tuple[str, ...]:
    """Give each field of a struct a name of its own, as near as possible to its name in the source.

    An empty name becomes ``field_3`` (by its position), ``dc:title`` becomes ``dc_title``.
    """
    wanted = [_cleaned(_plain(name)) or f"field_{place}" for place, name in enumerate(sources, 1)]
    return _unique(sources, wanted)


def _cleaned(source: str) -> str:
    name = _cut(_CONTROL.sub(" ", source).replace("İ", "I").strip(), BYTES_MAX)
    return name.replace("$", "_", 1) if _key(name) in _HIDDEN else name


def _plain(source: str) -> str:
    """Replace what Hive does not take in the name of a field."""
    return "".join(
        char
        if char in _FIELD_SIGNS
        or (char <= _LAST_OF_ONE_UNIT and unicodedata.category(char) in _FIELD_CATEGORIES)
        else "_"
        # An accent that stands by itself is no letter to Hive; with its letter, as one character, it is.
        for char in unicodedata.normalize("NFC", source)
    )


def _cut(name: str, size: int) -> str:
    """Give the beginning of ``name``, of at most ``size`` bytes, without a space at its end."""
    return name.encode()[:size].decode(errors="ignore").rstrip()


def _key(name: str) -> str:
    """Give what is equal for names that some engine takes for one."""
    # Java's equalsIgnoreCase compares upper case first: it takes a dotless i for an I.
    return name.upper().casefold()


def _unique(sources: Sequence[str], wanted: Sequence[str]) -> tuple[str, ...]:
    """Number the names that are taken; one that is as in the source goes before one that is not.

    Names that begin alike have one counter, so that thousands of them take linear time.
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
